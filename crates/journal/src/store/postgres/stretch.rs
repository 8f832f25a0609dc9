//! What other processes have appended, as far as a writer has to know: one row, however many events.

use messages::{Hash, Position};
use sqlx::PgConnection;

use crate::store::rows::{Connected as _, StoredRow, damaged, failed, signed};
use crate::store::{StoreError, Stretch};
use crate::unit::Parameter;

/// The event at `$1`, and the streams of those behind it up to `$2`, eight bytes each, in network order.
const STRETCH: &str = "SELECT event_hash,
        (SELECT string_agg(int8send(stream_hash), '') FROM events WHERE position > $1 AND position <= $2)
    FROM events WHERE position = $1";

/// The log from the event at `start` up to that at `end`.
pub(super) async fn read(connection: &mut PgConnection, start: Position, end: Position) -> Result<Stretch, StoreError> {
    let places = [start, end].map(|place| Parameter::Integer(signed(place.number())));
    let rows = connection.fetch(STRETCH, places.into()).await.map_err(failed("read the streams of events"))?;
    let Some(row) = rows.first() else { return Ok(Stretch::default()) };
    stretch_of(row).map_err(|why| damaged("event", start, why))
}

fn stretch_of(row: &impl StoredRow) -> Result<Stretch, String> {
    let streams = row.optional_bytes(1)?.unwrap_or_default().as_chunks().0;
    Ok(Stretch {
        start: Some(Hash::new(row.array(0)?)),
        streams: streams.iter().copied().map(i64::from_be_bytes).collect(),
    })
}
