//! What is written row by row, once for both stores: statements on state rows, cursors, the head, and the end of old keys.

use messages::Timestamp;

use super::stored::{damaged, signed};
use super::{Connected, failed, is_of_the_statement};
use crate::cursor::Cursor;
use crate::store::{GroupMark, Head, StoreError, WriteError};
use crate::unit::{Parameter, Statement};

/// Runs the units' statements on state rows in their order. The first that fails ends it, and its unit is named.
pub(in crate::store) async fn run_statements(
    connection: &mut impl Connected,
    statements: &[(usize, Statement)],
) -> Result<(), WriteError> {
    const DOING: &str = "run a statement on state rows";
    for (unit, statement) in statements {
        let changed = match connection.execute(statement.sql, statement.parameters.clone()).await {
            Ok(changed) => changed,
            Err(error) if is_of_the_statement(&error) => {
                return Err(WriteError::Statement { unit: *unit, error: failed(DOING)(error) });
            }
            Err(error) => return Err(WriteError::Store(failed(DOING)(error))),
        };
        match statement.rows_expected {
            Some(expected) if expected != changed => {
                return Err(WriteError::Rows { unit: *unit, sql: statement.sql, expected, changed });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes the cursors of consumers that moved.
pub(in crate::store) async fn store_cursors(
    connection: &mut impl Connected,
    cursors: &[(Box<str>, Cursor)],
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO cursors (consumer, store_id, position, event_hash) VALUES ($1, $2, $3, $4)
        ON CONFLICT (consumer) DO UPDATE
        SET store_id = excluded.store_id, position = excluded.position, event_hash = excluded.event_hash";
    for (consumer, cursor) in cursors {
        let parameters = vec![
            Parameter::Text(consumer.to_string()),
            Parameter::Bytes(cursor.store.as_bytes().to_vec()),
            Parameter::Integer(signed(cursor.position.number())),
            Parameter::Bytes(cursor.hash.as_bytes().to_vec()),
        ];
        let _ = connection.execute(SQL, parameters).await.map_err(failed("write a cursor"))?;
    }
    Ok(())
}

/// Writes the new head and this process's group number. The row of a process that wrote nothing for long may have been removed;
/// it is made anew.
pub(in crate::store) async fn move_head(
    connection: &mut impl Connected,
    head: &Head,
    appender_id: &[u8; 16],
    mark: GroupMark,
) -> Result<(), StoreError> {
    const APPENDER: &str = "INSERT INTO appenders (appender_id, group_number, changed_us) VALUES ($1, $2, $3)
        ON CONFLICT (appender_id) DO UPDATE SET group_number = excluded.group_number, changed_us = excluded.changed_us";
    const HEAD: &str =
        "UPDATE head SET position = $1, event_hash = $2, recorded_us = $3, published_position = $4 WHERE store_id = $5";
    let parameters = vec![
        Parameter::Bytes(appender_id.to_vec()),
        Parameter::Integer(signed(mark.number)),
        Parameter::Integer(mark.written.micros()),
    ];
    let _ = connection.execute(APPENDER, parameters).await.map_err(failed("write the group's number"))?;
    let parameters = vec![
        Parameter::Integer(signed(head.position.number())),
        Parameter::Bytes(head.hash.as_bytes().to_vec()),
        Parameter::Integer(head.recorded.micros()),
        Parameter::Integer(signed(head.published.number())),
        Parameter::Bytes(head.store.as_bytes().to_vec()),
    ];
    let changed = connection.execute(HEAD, parameters).await.map_err(failed("write the head"))?;
    as_many("head", 1, changed)
}

/// Checks that as many rows changed as were found before in the same transaction.
pub(in crate::store) fn as_many(what: &'static str, expected: usize, changed: u64) -> Result<(), StoreError> {
    if u64::try_from(expected) == Ok(changed) {
        return Ok(());
    }
    Err(damaged(what, "a row that a group changes", format_args!("{changed} rows are there instead of {expected}")))
}

/// Removes final keys that changed last before `before`, in the order in which they were taken.
///
/// Keys carry the log's position at which they were taken, and recorded times never run backwards. So the search begins with the
/// oldest keys, and a bisection of the log says where it ends: no index on the time of change is needed, which every change of a
/// key would have to move.
pub(in crate::store) async fn expire_keys(
    connection: &mut impl Connected,
    before: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    const SQL: &str = "WITH RECURSIVE bisection (old, young) AS (
            SELECT CAST(0 AS BIGINT), position + 1 FROM head
            UNION ALL
            SELECT CASE WHEN events.recorded_us < $1 THEN events.position ELSE old END,
                   CASE WHEN events.recorded_us < $1 THEN young ELSE events.position END
            FROM bisection, events WHERE old + 1 < young AND events.position = (old + young) / 2)
        DELETE FROM command_keys
        WHERE state >= 2 AND changed_us < $1 AND (position, key_hash) IN (
            SELECT position, key_hash FROM command_keys
            WHERE position <= (SELECT MAX(old) FROM bisection) AND state >= 2 AND changed_us < $1
            ORDER BY position LIMIT $2)";
    let parameters = vec![Parameter::Integer(before.micros()), Parameter::Integer(signed(limit))];
    connection.execute(SQL, parameters).await.map_err(failed("remove old keys"))
}
