//! Rows of an export's tables on their way into a store: checked, and written as what they are.

use std::cmp::Ordering;

use messages::{CommandId, Fingerprint, Hash, Payload, Position, StoreId, StreamName, TenantId, Timestamp};

use super::ImportError;
use crate::audit::{Cell, Table};
use crate::cursor::Cursor;
use crate::key::{KeyRecord, KeyScope, KeyState};
use crate::query::Value;
use crate::store::{Filling, INSERT_ROWS_MAX, JOURNAL_VERSION, PortableTable, Rows, StateRows, StoreConfig, VERSIONS};
use crate::unit::{Claim, Timer, TimerName};

/// What is wrong with a row.
type Why = String;

/// The table that rows go into.
pub(super) struct Target {
    table: PortableTable,
    /// Rows so far.
    row: u64,
    /// The last row of the page before: rows ascend.
    last: Option<Vec<Cell>>,
}

/// Checks that a table of the export is one of the store, with the same columns.
pub(super) fn target(found: Option<&PortableTable>, exported: &Table) -> Result<Target, ImportError> {
    let refuse = |why: Why| Err(ImportError::Table { table: exported.name.clone(), why });
    let Some(found) = found else {
        return refuse("the store has no such table: it is of another service, or of a newer release".to_owned());
    };
    let columns: Vec<&str> = found.columns.iter().map(|column| column.name.as_str()).collect();
    if columns != exported.columns {
        return refuse(format!(
            "it has the columns {}, the store's has {}",
            exported.columns.join(", "),
            columns.join(", ")
        ));
    }
    Ok(Target { table: found.clone(), row: 0, last: None })
}

impl Target {
    /// Whether its rows are the versions of the tables, which are read and not written.
    pub(super) fn is_versions(&self) -> bool {
        self.table.name == VERSIONS && !self.table.is_state
    }

    /// Checks rows and writes them.
    pub(super) async fn write(&mut self, filling: &mut Filling, rows: Vec<Vec<Cell>>) -> Result<(), ImportError> {
        self.check(&rows)?;
        if self.table.is_state {
            return self.insert(filling, rows).await;
        }
        let first = self.row - rows.len() as u64;
        match self.table.name.as_str() {
            "command_keys" => {
                let keys_new = self.each(first, &rows, key_of)?;
                filling.rows(&Rows { keys_new, ..Rows::default() }).await?;
            }
            "claims" => {
                let claims_new = self.each(first, &rows, claim_of)?;
                filling.rows(&Rows { claims_new, ..Rows::default() }).await?;
            }
            "timers" => {
                let timers_new = self.each(first, &rows, timer_of)?;
                filling.rows(&Rows { timers_new, ..Rows::default() }).await?;
            }
            "cursors" => {
                let cursors = self.each(first, &rows, cursor_of)?;
                filling.cursors(&cursors).await?;
            }
            _ => return self.insert(filling, rows).await,
        }
        Ok(())
    }

    /// Reads the versions of the tables and refuses newer ones. Gives the service whose state rows there are, with their
    /// version.
    pub(super) fn versions(
        &mut self,
        rows: &[Vec<Cell>],
        config: &StoreConfig,
    ) -> Result<Option<(StateRows, usize)>, ImportError> {
        let mut found_state = None;
        self.check(rows)?;
        for (row, number) in rows.iter().zip(self.row - rows.len() as u64 + 1..) {
            let [Cell::Text(what), Cell::Integer(found)] = row.as_slice() else {
                return Err(self.wrong(number, "it is no version".to_owned()));
            };
            let service = config.state_rows.iter().find(|known| known.name == what);
            let (what, known) = match (service, what.as_str()) {
                (Some(rows), _) => (rows.name, rows.migrations.len()),
                (None, "journal") => ("journal", JOURNAL_VERSION),
                (None, other) => {
                    let why = "no service here has such: it is of another service, or of a newer release".to_owned();
                    return Err(ImportError::Table { table: other.to_owned(), why });
                }
            };
            match usize::try_from(*found) {
                Ok(version @ 1..) if version <= known => {
                    if let Some(rows) = service {
                        found_state = Some((*rows, version));
                    }
                }
                _ => return Err(ImportError::Newer { what, found: *found, known }),
            }
        }
        Ok(found_state)
    }

    /// Checks a page of rows, each by itself and against the one before.
    fn check(&mut self, rows: &[Vec<Cell>]) -> Result<(), ImportError> {
        let of_page_before = self.last.take();
        let mut last = of_page_before.as_deref();
        for row in rows {
            self.row += 1;
            self.check_row(last, row).map_err(|why| self.wrong(self.row, why))?;
            last = Some(row);
        }
        self.last = last.map(<[Cell]>::to_vec);
        Ok(())
    }

    fn check_row(&self, last: Option<&[Cell]>, row: &[Cell]) -> Result<(), Why> {
        let strange = self.table.columns.iter().zip(row).find(|(column, cell)| !column.kind.takes(cell));
        if let Some((column, _)) = strange {
            return Err(format!("column `{}` is of another type", column.name));
        }
        let Some(last) = last else { return Ok(()) };
        let key = self.key_columns();
        let is_in_order = match compare(last, row) {
            Ordering::Less => key == 0 || last[..key] != row[..key],
            // A table without a key may hold a row twice.
            Ordering::Equal => key == 0,
            Ordering::Greater => false,
        };
        if is_in_order { Ok(()) } else { Err("it does not come after the row before it".to_owned()) }
    }

    /// How many of the first columns name a row; 0 where the database sees to that itself.
    fn key_columns(&self) -> usize {
        match (self.table.is_state, self.table.name.as_str()) {
            (false, "command_keys" | "claims") => 3,
            (false, "timers") => 2,
            (false, "cursors" | VERSIONS) => 1,
            _ => 0,
        }
    }

    async fn insert(&self, filling: &mut Filling, rows: Vec<Vec<Cell>>) -> Result<(), ImportError> {
        let mut rows = rows.into_iter().map(|row| row.into_iter().map(value).collect::<Vec<Value>>());
        loop {
            let chunk: Vec<Vec<Value>> = rows.by_ref().take(INSERT_ROWS_MAX).collect();
            if chunk.is_empty() {
                return Ok(());
            }
            filling.insert(&self.table, chunk).await?;
        }
    }

    /// Reads each row as what it is.
    fn each<T>(
        &self,
        first: u64,
        rows: &[Vec<Cell>],
        read: impl Fn(&[Cell]) -> Result<T, Why>,
    ) -> Result<Vec<T>, ImportError> {
        let numbered = rows.iter().zip(first + 1..);
        numbered.map(|(row, number)| read(row).map_err(|why| self.wrong(number, why))).collect()
    }

    fn wrong(&self, row: u64, why: Why) -> ImportError {
        ImportError::Row { table: self.table.exported_name(), row, why }
    }
}

/// The order of rows in an export: column by column, null first, texts and bytes by their bytes.
fn compare(left: &[Cell], right: &[Cell]) -> Ordering {
    let rank = |cell: &Cell| match cell {
        Cell::Null => 0,
        Cell::Integer(_) => 1,
        Cell::Text(_) => 2,
        Cell::Bytes(_) => 3,
    };
    let cells = left.iter().zip(right).map(|(left, right)| match (left, right) {
        (Cell::Integer(left), Cell::Integer(right)) => left.cmp(right),
        (Cell::Text(left), Cell::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Cell::Bytes(left), Cell::Bytes(right)) => left.cmp(right),
        (left, right) => rank(left).cmp(&rank(right)),
    });
    cells.fold(Ordering::Equal, Ordering::then)
}

fn value(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(number),
        Cell::Text(text) => Value::Text(text),
        Cell::Bytes(bytes) => Value::Bytes(bytes),
    }
}

fn key_of(row: &[Cell]) -> Result<KeyRecord, Why> {
    let [tenant, client, key, fingerprint, command, state, location, answer, position, changed] = row else {
        return Err("it has other columns than a key".to_owned());
    };
    let number = integer(state)?;
    let answer = match answer {
        Cell::Null => None,
        answer => Some(bytes(answer)?.into()),
    };
    Ok(KeyRecord {
        scope: KeyScope::new(tenant_of(tenant)?, text(client)?, text(key)?).map_err(|error| error.to_string())?,
        fingerprint: Fingerprint::from_bytes(array(fingerprint)?),
        command: CommandId::from_bytes(array(command)?),
        state: KeyState::from_number(number).ok_or_else(|| format!("{number} is no state"))?,
        location: text(location)?.into(),
        answer,
        position: position_of(position)?,
        changed: Timestamp::from_micros(integer(changed)?),
    })
}

fn claim_of(row: &[Cell]) -> Result<(Claim, StreamName), Why> {
    let [tenant, kind, value, stream] = row else { return Err("it has other columns than a claim".to_owned()) };
    let claim = Claim { tenant: tenant_of(tenant)?, kind: text(kind)?.into(), value: text(value)?.into() };
    Ok((claim, StreamName::parse(text(stream)?).map_err(|error| error.to_string())?))
}

fn timer_of(row: &[Cell]) -> Result<Timer, Why> {
    let [tenant, name, due, payload] = row else { return Err("it has other columns than a timer".to_owned()) };
    let name = TimerName { tenant: tenant_of(tenant)?, name: text(name)?.into() };
    let due = Timestamp::from_micros(integer(due)?);
    Ok(Timer { name, due, payload: Payload::from_stored(bytes(payload)?) })
}

fn cursor_of(row: &[Cell]) -> Result<(Box<str>, Cursor), Why> {
    let [consumer, store, position, hash] = row else { return Err("it has other columns than a cursor".to_owned()) };
    let store = StoreId::from_bytes(array(store)?);
    let cursor = Cursor { store, position: position_of(position)?, hash: Hash::new(array(hash)?) };
    Ok((text(consumer)?.into(), cursor))
}

fn text(cell: &Cell) -> Result<&str, Why> {
    match cell {
        Cell::Text(text) => Ok(text),
        _ => Err("a text is missing".to_owned()),
    }
}

fn integer(cell: &Cell) -> Result<i64, Why> {
    match cell {
        Cell::Integer(number) => Ok(*number),
        _ => Err("a number is missing".to_owned()),
    }
}

fn bytes(cell: &Cell) -> Result<&[u8], Why> {
    match cell {
        Cell::Bytes(bytes) => Ok(bytes),
        _ => Err("bytes are missing".to_owned()),
    }
}

fn array<const N: usize>(cell: &Cell) -> Result<[u8; N], Why> {
    let bytes = bytes(cell)?;
    bytes.try_into().map_err(|_| format!("{} bytes stand where {N} must", bytes.len()))
}

fn tenant_of(cell: &Cell) -> Result<TenantId, Why> {
    TenantId::parse(text(cell)?).map_err(|error| error.to_string())
}

fn position_of(cell: &Cell) -> Result<Position, Why> {
    let number = integer(cell)?;
    u64::try_from(number).map(Position::new).map_err(|_| format!("{number} is no place"))
}
