//! The tables of a store that cannot be made again from its log, in the form that exports have them.
//!
//! Columns that follow from others (the hashes by which rows are looked up) are left out, and so are whole tables: snapshots and
//! views follow from the log, rows of processes concern those alone. A test counts all tables of a store, so that a new one is
//! not forgotten.

use super::StoreError;
use super::rows::{Connected, StoredRow as _, failed};
use crate::audit::Cell;
use crate::unit::Parameter;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Integer,
    Text,
    Bytes,
}

impl ColumnKind {
    /// Whether such a column takes the cell. Null is for the database to judge.
    pub(crate) const fn takes(self, cell: &Cell) -> bool {
        matches!(
            (self, cell),
            (_, Cell::Null)
                | (Self::Integer, Cell::Integer(_))
                | (Self::Text, Cell::Text(_))
                | (Self::Bytes, Cell::Bytes(_))
        )
    }

    /// From a declared type, as either database tells it.
    fn of(declared: &str) -> Option<Self> {
        match declared.to_ascii_lowercase().as_str() {
            "bigint" | "integer" => Some(Self::Integer),
            "text" => Some(Self::Text),
            "bytea" | "blob" => Some(Self::Bytes),
            _ => None,
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortableTable {
    /// Its name in the database: letters, digits and `_` alone.
    pub(crate) name: String,
    /// Whether it has a service's own state rows.
    pub(crate) is_state: bool,
    pub(crate) columns: Vec<Column>,
}

/// What stands in front of the names of a service's tables in an export, so that none is taken for one of the journal's.
pub(crate) const STATE_PREFIX: &str = "state.";

/// The first table of every export.
pub(crate) const VERSIONS: &str = "schema_versions";

const I: ColumnKind = ColumnKind::Integer;
const T: ColumnKind = ColumnKind::Text;
const B: ColumnKind = ColumnKind::Bytes;

type Fixed = (&'static str, &'static [(&'static str, ColumnKind)]);

/// The journal's own tables, in their order in an export.
const JOURNAL_TABLES: &[Fixed] = &[
    (VERSIONS, &[("what", T), ("version", I)]),
    (
        "command_keys",
        &[
            ("tenant", T),
            ("client", T),
            ("key", T),
            ("fingerprint", B),
            ("command_id", B),
            ("state", I),
            ("location", T),
            ("answer", B),
            ("position", I),
            ("changed_us", I),
        ],
    ),
    ("claims", &[("tenant", T), ("kind", T), ("value", T), ("stream", T)]),
    ("timers", &[("tenant", T), ("name", T), ("due_us", I), ("payload", B)]),
    ("cursors", &[("consumer", T), ("store_id", B), ("position", I), ("event_hash", B)]),
    (
        "parked",
        &[
            ("consumer", T),
            ("position", I),
            ("store_id", B),
            ("event_hash", B),
            ("tenant", T),
            ("stream", T),
            ("reason", T),
            ("attempts", I),
            ("parked_us", I),
        ],
    ),
    ("parked_timers", &[("tenant", T), ("name", T), ("due_us", I), ("reason", T), ("attempts", I), ("parked_us", I)]),
    (
        "skipped",
        &[
            ("what", T),
            ("consumer", T),
            ("position", I),
            ("tenant", T),
            ("name", T),
            ("reason", T),
            ("attempts", I),
            ("who", T),
            ("why", T),
            ("skipped_us", I),
        ],
    ),
];

/// Tables of the journal that one tenant's part has: of the first the whole, of the others the tenant's rows.
const TENANTS_TABLES: &[&str] = &[VERSIONS, "command_keys", "claims", "timers"];

/// Tables that are left out: the log and its head stand before all tables, the others follow from the rest.
const LEFT_OUT: &[&str] = &["head", "events", "appenders", "snapshots", "views"];

impl PortableTable {
    /// Its name in an export.
    pub(crate) fn exported_name(&self) -> String {
        if self.is_state { format!("{STATE_PREFIX}{}", self.name) } else { self.name.clone() }
    }

    /// Whether one tenant's part has it.
    pub(crate) fn is_tenants(&self) -> bool {
        !self.is_state && TENANTS_TABLES.contains(&self.name.as_str())
    }

    /// The names of its columns, in quotation marks.
    pub(crate) fn column_list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        names.join(", ")
    }

    /// The query of its rows in the order that exports have; `collation` makes a database compare texts by their bytes.
    pub(crate) fn select(&self, collation: &str, is_of_one_tenant: bool) -> String {
        let order = self.columns.iter().map(|column| match column.kind {
            ColumnKind::Text => format!("\"{}\" {collation} ASC NULLS FIRST", column.name),
            ColumnKind::Integer | ColumnKind::Bytes => format!("\"{}\" ASC NULLS FIRST", column.name),
        });
        let order: Vec<String> = order.collect();
        let condition = match (is_of_one_tenant, self.name.as_str()) {
            (true, name) if name != VERSIONS => "WHERE tenant = $1",
            // The mark of an import that is at work is no version.
            (_, VERSIONS) => "WHERE what <> 'import'",
            _ => "",
        };
        format!("SELECT {} FROM \"{}\" {condition} ORDER BY {}", self.column_list(), self.name, order.join(", "))
    }
}

/// The journal's own tables.
pub(crate) fn journal_tables() -> Vec<PortableTable> {
    let column = |(name, kind): &(&str, ColumnKind)| Column { name: (*name).to_owned(), kind: *kind };
    let table = |(name, columns): &Fixed| PortableTable {
        name: (*name).to_owned(),
        is_state: false,
        columns: columns.iter().map(column).collect(),
    };
    JOURNAL_TABLES.iter().map(table).collect()
}

/// How a database is asked for its own tables: all tables; then a table's columns with their types.
pub(in crate::store) struct Catalogue {
    pub(in crate::store) tables: &'static str,
    pub(in crate::store) columns: &'static str,
}

pub(in crate::store) const SQLITE_CATALOGUE: Catalogue = Catalogue {
    tables: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
    columns: "SELECT name, type FROM pragma_table_info($1) ORDER BY cid",
};

pub(in crate::store) const POSTGRES_CATALOGUE: Catalogue = Catalogue {
    tables: "SELECT CAST(tablename AS TEXT) FROM pg_catalog.pg_tables WHERE schemaname = current_schema()",
    columns: "SELECT CAST(attname AS TEXT), format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
        WHERE attrelid = quote_ident($1)::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
};

/// All tables that there are, by name.
pub(in crate::store) async fn all_names(
    connection: &mut impl Connected,
    catalogue: &Catalogue,
) -> Result<Vec<String>, StoreError> {
    let rows = connection.fetch(catalogue.tables, vec![]).await.map_err(failed("list the tables"))?;
    let names = rows.iter().map(|row| row.text(0).map(str::to_owned));
    let names: Result<Vec<String>, String> = names.collect();
    let mut names = names.map_err(|why| strange("the list of tables", why))?;
    names.sort_unstable();
    Ok(names)
}

/// Whether a table is the journal's own.
pub(in crate::store) fn is_journals(name: &str) -> bool {
    LEFT_OUT.contains(&name) || JOURNAL_TABLES.iter().any(|(ours, _)| *ours == name)
}

/// The service's own tables, by name.
pub(in crate::store) async fn state_tables(
    connection: &mut impl Connected,
    catalogue: &Catalogue,
) -> Result<Vec<PortableTable>, StoreError> {
    let mut tables = Vec::new();
    for name in all_names(connection, catalogue).await?.into_iter().filter(|name| !is_journals(name)) {
        check_name(&name)?;
        let rows = connection.fetch(catalogue.columns, vec![Parameter::Text(name.clone())]).await;
        let rows = rows.map_err(failed("list the columns of a table"))?;
        let columns = rows.iter().map(|row| column_of(&name, row)).collect::<Result<Vec<Column>, StoreError>>()?;
        tables.push(PortableTable { name, is_state: true, columns });
    }
    Ok(tables)
}

fn column_of(table: &str, row: &impl super::rows::StoredRow) -> Result<Column, StoreError> {
    let read = || {
        let (name, declared) = (row.text(0)?, row.text(1)?);
        let kind = ColumnKind::of(declared);
        let kind = kind.ok_or_else(|| format!("column `{name}` is {declared}, not BIGINT, TEXT or BYTEA"))?;
        Ok(Column { name: name.to_owned(), kind })
    };
    let column = read().map_err(|why: String| strange(table, why))?;
    check_name(&column.name)?;
    Ok(column)
}

/// Names are put into statements: those of the narrow language alone.
fn check_name(name: &str) -> Result<(), StoreError> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.is_empty() && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(strange(name, "its name has other characters than lower-case letters, digits and `_`".to_owned()))
}

fn strange(place: &str, why: String) -> StoreError {
    StoreError::Damaged { what: "table", place: format!("`{place}`"), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Place, Snapshot, Store, StoreConfig};

    #[tokio::test]
    async fn every_table_of_the_journal_is_exported_or_left_out_on_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Sqlite { path: folder.path().join("journal.db") };
        let store = Store::open(&StoreConfig::at(place.clone())).await.unwrap();
        let mut snapshot = Snapshot::connect(&place).await.unwrap();
        let exported = snapshot.tables().await.unwrap();
        // A table that is neither would be taken for a service's own.
        assert_eq!(exported, journal_tables());
        let Snapshot::Sqlite(connection) = &mut snapshot else { panic!("the store is SQLite's") };
        let there = all_names(connection, &SQLITE_CATALOGUE).await.unwrap();
        assert_eq!(there.len(), JOURNAL_TABLES.len() + LEFT_OUT.len());
        snapshot.close().await;
        store.close().await;
    }

    #[test]
    fn names_that_could_be_sql_are_refused() {
        for name in ["", "a b", "a\"b", "A", "é", "a;b"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        check_name("demo_balances_2").unwrap();
    }
}
