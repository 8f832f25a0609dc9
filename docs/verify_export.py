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


def fields(frame):
    """A whole event's metadata: bytes by tag."""
    at, end, found = 77, 77 + number(frame[73:77]), {}
    while at < end:
        length = number(frame[at + 1 : at + 3])
        found[frame[at]], at = frame[at + 3 : at + 3 + length], at + 3 + length
    return found


def wrong_content(frame, versions, begins_at, tenant):
    """What is wrong with what a frame shows: `tenant` is the one whose part it is, or `None`; `versions` are the last by stream."""
    if frame[0] == 2:
        return None if tenant is not None else "is sealed in an export of everything"
    shown = fields(frame)
    if tenant is not None and shown[1] != tenant:
        return "shows another tenant's event"
    stream, version = (shown[1], shown[2]), number(shown[3])
    last = versions.get(stream, version - 1 if begins_at else 0)
    if version != last + 1 or version == 0:
        return f"has version {version} of its stream, where {last + 1} should be"
    versions[stream] = version
    return None


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
    begins_at, versions, tenant = position, {}, None if head[112] == 1 else head[114 : 114 + head[113]]
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
        problem = wrong_content(frame, versions, begins_at, tenant)
        if problem:
            return place + problem
        previous, earliest = computed, recorded
    counted = [len(events), sum(frame[0] == 2 for frame in events), sum(kind == 4 for kind, _ in records)]
    if [number(trailer[at : at + 8]) for at in (0, 8, 16)] != counted:
        return "the trailer counts other events, sealed ones or rows than there are"
    promised = head[64:72] + head[72:104]
    if position.to_bytes(8, "big") + previous != promised or trailer[24:64] != promised:
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
