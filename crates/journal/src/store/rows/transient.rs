//! Which errors of a database pass by themselves.

use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// Whether the same may succeed later: the database could not be reached, was busy, restarting, or gave the transaction up.
pub(in crate::store) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        // Refused, cut or timed out; a SQLite connection whose thread ended is opened anew.
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if error.try_downcast_ref::<PgDatabaseError>().is_some() {
                is_transient_on_postgres(&code)
            } else if error.try_downcast_ref::<SqliteError>().is_some() {
                is_transient_on_sqlite(&code)
            } else {
                false
            }
        }
        _ => false,
    }
}

/// Whether a statement on state rows is to blame for the error, and not the database's state: another unit would do better.
pub(in crate::store) fn is_of_the_statement(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            let is_sqlite = database.try_downcast_ref::<SqliteError>().is_some();
            let is_full = if is_sqlite { is_out_of_room_on_sqlite(&code) } else { code == DISK_FULL };
            // A statement that runs longer than it may would do so again.
            code == QUERY_CANCELED || !(is_transient(error) || is_full)
        }
        // A value or type that the statement does not take.
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) | sqlx::Error::TypeNotFound { .. } => true,
        _ => false,
    }
}

/// 53100: no room on the disk.
const DISK_FULL: &str = "53100";

/// 57014: the statement was cancelled, here because it ran for longer than it may.
const QUERY_CANCELED: &str = "57014";

/// By SQLSTATE. Source: PostgreSQL 15, appendix A, "Error Codes".
fn is_transient_on_postgres(code: &str) -> bool {
    match code {
        // A standby answers where the primary was; a session that stood idle in its group was ended.
        "25006" | "25P03" => true,
        // No memory, no connection left, at this moment.
        "53000" | "53200" | "53300" => true,
        // The head or another row was locked for too long.
        "55P03" => true,
        // Cancelled, shut down, crashed, starting, ended for idling.
        QUERY_CANCELED | "57P01" | "57P02" | "57P03" | "57P05" => true,
        // A constraint checked at the end of a transaction: class 40, but for good.
        "40002" => false,
        // Connections, and transactions that were given up: serialisation, deadlock.
        _ => code.starts_with("08") || code.starts_with("40"),
    }
}

/// By extended result code, whose low byte is the result. Source: SQLite, "Result and Error Codes".
fn is_transient_on_sqlite(code: &str) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    matches!(sqlite_result(code), Some(BUSY | LOCKED))
}

fn sqlite_result(code: &str) -> Option<i32> {
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// No room on the disk, or the disk refuses.
fn is_out_of_room_on_sqlite(code: &str) -> bool {
    const IO_ERROR: i32 = 10;
    const FULL: i32 = 13;
    matches!(sqlite_result(code), Some(IO_ERROR | FULL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        let passing = ["08006", "40001", "40P01", "40003", "53300", "55P03", "57P01", "57P03", "25P03"];
        assert!(passing.into_iter().all(is_transient_on_postgres));
        let lasting = ["40002", "23505", "42P01", "53100", "57P04", "58030", "28P01", "XX001", "", "5"];
        assert!(!lasting.into_iter().any(is_transient_on_postgres));
        assert!(["5", "6", "261", "517"].into_iter().all(is_transient_on_sqlite));
        assert!(!["1", "13", "10", "11", "26", "", "40001"].into_iter().any(is_transient_on_sqlite));
    }
}
