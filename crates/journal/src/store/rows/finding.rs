//! What a group depends on, looked up before anything of it is written: one probe per kind of row, none for what no unit asks.

use std::collections::{BTreeSet, HashMap};

use super::stored::{Candidate, candidate_of, claim_of, cursor_of, due_of, key_of, signed};
use super::{Connected, failed};
use crate::store::{Found, Newest, StoreError, StreamKey, Wanted};
use crate::unit::Parameter;

/// Reads what the units of a group depend on.
pub(in crate::store) async fn find<C: Connected>(connection: &mut C, wanted: &Wanted) -> Result<Found, StoreError> {
    let mut found = Found { newest: newest(connection, &wanted.streams).await?, ..Found::default() };
    if !wanted.keys.is_empty() {
        let hashes = wanted.keys.iter().map(|scope| scope.narrow()).collect();
        let rows = connection.fetch_by_numbers(C::PROBES.keys, hashes).await.map_err(failed("look up keys"))?;
        for record in rows.iter().map(key_of) {
            let record = record?;
            if wanted.keys.contains(&record.scope) {
                drop(found.keys.insert(record.scope.clone(), record));
            }
        }
    }
    if !wanted.claims.is_empty() {
        let hashes = wanted.claims.iter().map(|claim| claim.narrow()).collect();
        let rows = connection.fetch_by_numbers(C::PROBES.claims, hashes).await.map_err(failed("look up claims"))?;
        found.claims = rows.iter().map(claim_of).collect::<Result<_, _>>()?;
        found.claims.retain(|claim, _| wanted.claims.contains(claim));
    }
    if !wanted.timers.is_empty() {
        let hashes = wanted.timers.iter().map(|name| name.narrow()).collect();
        let rows = connection.fetch_by_numbers(C::PROBES.timers, hashes).await.map_err(failed("look up timers"))?;
        found.timers = rows.iter().map(due_of).collect::<Result<_, _>>()?;
        found.timers.retain(|name, _| wanted.timers.contains(name));
    }
    if !wanted.consumers.is_empty() {
        let names = wanted.consumers.iter().map(|name| &**name).collect();
        let rows = connection.fetch_by_texts(C::PROBES.consumers, names).await.map_err(failed("look up cursors"))?;
        found.cursors = rows.iter().map(cursor_of).collect::<Result<_, _>>()?;
    }
    Ok(found)
}

/// The newest event of each stream.
async fn newest<C: Connected>(
    connection: &mut C,
    streams: &BTreeSet<StreamKey>,
) -> Result<HashMap<StreamKey, Newest>, StoreError> {
    if streams.is_empty() {
        return Ok(HashMap::new());
    }
    let mut by_hash: HashMap<i64, Vec<&StreamKey>> = HashMap::with_capacity(streams.len());
    for stream in streams {
        by_hash.entry(stream.narrow()).or_default().push(stream);
    }
    let hashes = by_hash.keys().copied().collect();
    let rows = connection.fetch_by_numbers(C::PROBES.streams, hashes).await.map_err(failed("look up streams"))?;
    let mut newest = HashMap::with_capacity(rows.len());
    let mut collided = Vec::new();
    for row in &rows {
        let candidate = candidate_of(row)?;
        for stream in by_hash.get(&candidate.stream_hash).into_iter().flatten() {
            if is_of(&candidate, stream) {
                let _ = newest.insert((*stream).clone(), candidate.newest);
            } else {
                collided.push(*stream);
            }
        }
    }
    for stream in collided {
        if let Some(found) = newest_among_others(connection, stream).await? {
            let _ = newest.insert(stream.clone(), found);
        }
    }
    Ok(newest)
}

fn is_of(candidate: &Candidate, stream: &StreamKey) -> bool {
    candidate.metadata.tenant == stream.tenant && candidate.metadata.stream == stream.stream
}

/// How many events are looked through at a time for a stream whose hash another stream has too.
const COLLISION_PAGE: usize = 256;

/// The newest event of a stream whose hash another stream has too. It takes as long as the other is: two names with one hash
/// are found in 2^32 tries, and who makes them slows down no stream but those two.
async fn newest_among_others(
    connection: &mut impl Connected,
    stream: &StreamKey,
) -> Result<Option<Newest>, StoreError> {
    const SQL: &str = "SELECT stream_hash, stream_version, position, event_id, metadata FROM events
        WHERE stream_hash = $1 AND (stream_version, position) < ($2, $3)
        ORDER BY stream_version DESC, position DESC LIMIT $4";
    let mut before = (i64::MAX, i64::MAX);
    loop {
        let parameters = [stream.narrow(), before.0, before.1, signed(COLLISION_PAGE)];
        let parameters = parameters.into_iter().map(Parameter::Integer).collect();
        let rows = connection.fetch(SQL, parameters).await.map_err(failed("look up a stream"))?;
        for row in &rows {
            let candidate = candidate_of(row)?;
            if is_of(&candidate, stream) {
                return Ok(Some(candidate.newest));
            }
            before = (signed(candidate.newest.version.number()), signed(candidate.position.number()));
        }
        if rows.len() < COLLISION_PAGE {
            return Ok(None);
        }
    }
}
