//! Rows of a service's own tables: values of the narrow language's types, whichever store they come from.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use super::stored::{StoredRow, damaged, why};
use super::{Connected, failed};
use crate::query::Value;
use crate::store::StoreError;
use crate::unit::Parameter;

/// All rows of a query on a service's own tables.
pub(in crate::store) async fn query(
    connection: &mut impl Connected,
    sql: &'static str,
    parameters: &[Parameter],
) -> Result<Vec<Vec<Value>>, StoreError> {
    let rows = connection.fetch(sql, parameters.to_vec()).await.map_err(failed("read state rows"))?;
    let values =
        |row: &_| StoredRow::values(row).map_err(|why| damaged("row", format_args!("an answer to `{sql}`"), why));
    rows.iter().map(values).collect()
}

pub(super) fn of_sqlite(row: &SqliteRow) -> Result<Vec<Value>, String> {
    (0..row.len())
        .map(|column| {
            let raw = row.try_get_raw(column).map_err(why)?;
            if raw.is_null() {
                return Ok(Value::Null);
            }
            // The value's own type: a column's is only what it was declared as.
            match raw.type_info().name() {
                "INTEGER" | "BOOLEAN" => row.try_get_unchecked(column).map(Value::Integer).map_err(why),
                "TEXT" => row.try_get_unchecked(column).map(Value::Text).map_err(why),
                "BLOB" => row.try_get_unchecked(column).map(Value::Bytes).map_err(why),
                other => Err(strange(column, other)),
            }
        })
        .collect()
}

pub(super) fn of_postgres(row: &PgRow) -> Result<Vec<Value>, String> {
    (0..row.len())
        .map(|column| {
            let raw = row.try_get_raw(column).map_err(why)?;
            if raw.is_null() {
                return Ok(Value::Null);
            }
            match raw.type_info().name() {
                "INT8" => row.try_get(column).map(Value::Integer).map_err(why),
                "INT4" => row.try_get::<i32, _>(column).map(|number| Value::Integer(number.into())).map_err(why),
                "BOOL" => row.try_get::<bool, _>(column).map(|fact| Value::Integer(fact.into())).map_err(why),
                "TEXT" | "VARCHAR" | "NAME" => row.try_get(column).map(Value::Text).map_err(why),
                "BYTEA" => row.try_get(column).map(Value::Bytes).map_err(why),
                other => Err(strange(column, other)),
            }
        })
        .collect()
}

fn strange(column: usize, found: &str) -> String {
    format!("column {column} is of type {found}; BIGINT, TEXT and BYTEA are the types that both stores have")
}
