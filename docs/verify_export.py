"""Verifies an export of a Lastro store, from docs/journal-format.md alone and with nothing but Python's standard library.

    python3 verify_export.py FILE

Exit code 0 if it is whole and its chain holds: the last line is the head to compare with an anchored one. 1 if it is not.
"""

import hashlib
import sys


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def number(field):
    return int.from_bytes(field, "big")


def content_hashes(frame):
    """Hashes of metadata and payload: computed for a whole event, as given for a sealed one."""
    if frame[0] == 2:
        return frame[57:89], frame[89:121]
    salt, at = frame[57:73], 73
    hashes = []
    for _ in ("metadata", "payload"):
        length = number(frame[at : at + 4])
        hashes.append(sha256(salt, frame[at + 4 : at + 4 + length]))
        at += 4 + length
    return hashes


def wrong_table(records, covered, promised):
    """The first table that does not have the rows or the hash that its end says; `covered` is the last event's hash."""
    name, rows, section = None, 0, None
    for kind, body in records:
        if kind == 3:
            name, rows, section = body[1 : 1 + body[0]].decode(), -1, hashlib.sha256(b"lastro.journal.table.v1" + covered)
        if kind in (3, 4):
            section.update(bytes([kind]) + len(body).to_bytes(4, "big") + body)
            rows += 1
        elif kind == 6:
            covered = section.digest()
            if body != rows.to_bytes(8, "big") + covered:
                return f"table {name}: its rows are not those that were written"
    return None if covered == promised else "the tables are not those that the trailer says"


def verify(data):
    if data[:16] != b"lastro.export\0" + b"\0\1":
        return "this is no export of version 1"
    end, at, records = len(data) - 32, 16, []
    while at < end:
        kind, length = data[at], number(data[at + 1 : at + 5])
        records.append((kind, data[at + 5 : at + 5 + length]))
        at += 5 + length
    if at != end:
        return "the file is cut"
    head, trailer = records[0][1], records[-1][1]
    store, position, previous, published = head[:16], number(head[16:24]), head[24:56], number(head[56:64])
    if position == 0 and previous != sha256(b"lastro.journal.start.v1", store):
        return "the hash before the first event is not that of the store"
    earliest, events = -(2**63), [body for kind, body in records if kind == 2]
    for frame in events:
        position += 1
        header, place = frame[1:57], f"event at place {position}: "
        if header[:16] != store or number(header[16:24]) != position:
            return place + "another store or place"
        computed = sha256(b"lastro.journal.event.v1", previous, header, *content_hashes(frame))
        if computed != frame[-32:]:
            return place + "hash does not follow from its bytes"
        recorded = int.from_bytes(header[40:48], "big", signed=True)
        if recorded < earliest:
            return place + "recorded before its predecessor"
        if header[48:] != b"\xff" * 8:
            if number(header[48:]) != published:
                return place + "names another published event before it than there is"
            published = position
        previous, earliest = computed, recorded
    promised = head[64:72] + head[72:104]
    if position.to_bytes(8, "big") + previous != promised or trailer[24:64] != promised or number(trailer[:8]) != len(events):
        return "it does not end where its head and trailer say"
    problem = wrong_table(records, previous, trailer[64:])
    if problem:
        return problem
    if sha256(data[:-32]) != data[-32:]:
        return "the hash of the file is another"
    print(f"{len(events)} events, head {previous.hex()} at {position} of {store.hex()}")
    return None


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        problem = verify(file.read())
    if problem:
        print(problem)
    sys.exit(1 if problem else 0)
