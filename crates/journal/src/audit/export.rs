//! The form of an export: what its records say. `docs/journal-format.md` says the same for whoever writes a verifier.
//!
//! ```text
//! export = head (kind 1) ‖ event (kind 2) … ‖ ( table (kind 3) ‖ row (kind 4) … ‖ end of the table (kind 6) ) … ‖ trailer (kind 5)
//! ```

use messages::codec::{CodecError, Reader};
use messages::{Hash, Position, StoreId, TenantId, Timestamp};
use sha2::{Digest as _, Sha256};

use super::records::FileKind;
use crate::cursor::Cursor;

/// Exports begin so.
pub(crate) const EXPORT: FileKind = FileKind { what: "export of a store", magic: b"lastro.export\0", version: 1 };

pub(crate) const HEAD: u8 = 1;
pub(crate) const EVENT: u8 = 2;
pub(crate) const TABLE: u8 = 3;
pub(crate) const ROW: u8 = 4;
pub(crate) const TRAILER: u8 = 5;
pub(crate) const TABLE_END: u8 = 6;

/// The most columns of a table in an export.
pub const COLUMNS_MAX: usize = 256;

/// The most bytes of a table's or column's name.
pub const NAME_BYTES_MAX: usize = 100;

/// Whose events an export shows whole. Of all others it has place and hashes, so that the chain can be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    Whole,
    /// One tenant's.
    Tenant(TenantId),
}

/// What an export begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportHead {
    /// The export begins after this place: its store, and the hash there.
    pub after: Cursor,
    /// The last published event at or before that place.
    pub published: Position,
    /// The export ends at this place, and its event has this hash.
    pub up_to: Cursor,
    /// When it was made.
    pub made: Timestamp,
    /// Whose events it shows whole.
    pub scope: Scope,
}

const HEAD_WHAT: &str = "head of an export";
const WHOLE: u8 = 1;
const ONE_TENANT: u8 = 2;

impl ExportHead {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (scope, tenant) = match &self.scope {
            Scope::Whole => (WHOLE, ""),
            Scope::Tenant(tenant) => (ONE_TENANT, tenant.as_str()),
        };
        [
            &self.after.store.as_bytes()[..],
            &self.after.position.number().to_be_bytes(),
            self.after.hash.as_bytes(),
            &self.published.number().to_be_bytes(),
            &self.up_to.position.number().to_be_bytes(),
            self.up_to.hash.as_bytes(),
            &self.made.micros().to_be_bytes(),
            // A tenant's name has at most 64 bytes.
            &[scope, u8::try_from(tenant.len()).unwrap_or(u8::MAX)],
            tenant.as_bytes(),
        ]
        .concat()
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(HEAD_WHAT, body);
        let store = StoreId::from_bytes(reader.array()?);
        let after = Cursor { store, position: position(&mut reader)?, hash: Hash::new(reader.array()?) };
        let published = position(&mut reader)?;
        let up_to = Cursor { store, position: position(&mut reader)?, hash: Hash::new(reader.array()?) };
        let made = Timestamp::from_micros(i64::from_be_bytes(reader.array()?));
        let [scope, length] = reader.array()?;
        let tenant = text(&mut reader, usize::from(length), "tenant")?;
        let scope = match (scope, tenant.as_str()) {
            (WHOLE, "") => Scope::Whole,
            (ONE_TENANT, name) => {
                Scope::Tenant(TenantId::parse(name).map_err(|error| reader.field_error("tenant", error.to_string()))?)
            }
            (other, _) => return Err(reader.field_error("scope", format!("is {other} with tenant `{tenant}`"))),
        };
        if up_to.position < after.position || published > after.position {
            return Err(reader.field_error("range", "ends before it begins"));
        }
        reader.end()?;
        Ok(Self { after, published, up_to, made, scope })
    }
}

/// What an export ends with: what it should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// How many events.
    pub events: u64,
    /// How many of these are sealed: another tenant's.
    pub sealed: u64,
    /// How many rows of tables.
    pub rows: u64,
    /// The place of the last event.
    pub position: Position,
    /// Its hash.
    pub hash: Hash,
    /// The hash at the end of the last table, which covers all tables; without tables, that of the last event.
    pub tables: Hash,
}

impl Trailer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        [
            &self.events.to_be_bytes()[..],
            &self.sealed.to_be_bytes(),
            &self.rows.to_be_bytes(),
            &self.position.number().to_be_bytes(),
            self.hash.as_bytes(),
            self.tables.as_bytes(),
        ]
        .concat()
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new("trailer of an export", body);
        let trailer = Self {
            events: u64::from_be_bytes(reader.array()?),
            sealed: u64::from_be_bytes(reader.array()?),
            rows: u64::from_be_bytes(reader.array()?),
            position: position(&mut reader)?,
            hash: Hash::new(reader.array()?),
            tables: Hash::new(reader.array()?),
        };
        reader.end()?;
        Ok(trailer)
    }
}

/// What a table ends with: how many rows it should have, and the hash that covers it and all tables before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableEnd {
    pub(crate) rows: u64,
    pub(crate) hash: Hash,
}

impl TableEnd {
    pub(crate) fn encode(&self) -> Vec<u8> {
        [&self.rows.to_be_bytes()[..], self.hash.as_bytes()].concat()
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new("end of a table of an export", body);
        let end = Self { rows: u64::from_be_bytes(reader.array()?), hash: Hash::new(reader.array()?) };
        reader.end()?;
        Ok(end)
    }
}

/// Stands in front of what a table's hash is made of.
const TABLE_DOMAIN: &[u8] = b"lastro.journal.table.v1";

/// The hash of a table: domain, the hash before it, and its records with kind and length. The hash before the first table is the
/// last event's, so that no table fits another log.
#[derive(Debug, Clone)]
pub(crate) struct TableHash(Sha256);

impl TableHash {
    pub(crate) fn after(previous: Hash) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(TABLE_DOMAIN);
        hasher.update(previous.as_bytes());
        Self(hasher)
    }

    pub(crate) fn add(&mut self, kind: u8, body: &[u8]) {
        self.0.update([kind]);
        // A record is shorter than 4 GiB: longer ones are neither written nor read.
        self.0.update(u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.update(body);
    }

    pub(crate) fn end(self) -> Hash {
        Hash::new(self.0.finalize().into())
    }
}

/// A table whose rows follow: keys, claims, timers, cursors, a service's state rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name. At most [`NAME_BYTES_MAX`] bytes, as the columns' names.
    pub name: String,
    /// Its columns, in the order of the rows' cells. At most [`COLUMNS_MAX`].
    pub columns: Vec<String>,
}

const TABLE_WHAT: &str = "table of an export";

impl Table {
    pub(crate) fn encode(&self) -> Result<Vec<u8>, CodecError> {
        let refuse = |field, why: String| Err(CodecError::Field { what: TABLE_WHAT, field, why });
        if self.columns.is_empty() || self.columns.len() > COLUMNS_MAX {
            return refuse("columns", format!("are {}, not 1 to {COLUMNS_MAX}", self.columns.len()));
        }
        let mut bytes = Vec::new();
        for name in std::iter::once(&self.name).chain(&self.columns) {
            match u8::try_from(name.len()) {
                Ok(length) if (1..=NAME_BYTES_MAX).contains(&name.len()) => bytes.push(length),
                _ => return refuse("name", format!("has {} bytes, not 1 to {NAME_BYTES_MAX}", name.len())),
            }
            bytes.extend_from_slice(name.as_bytes());
        }
        Ok(bytes)
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(TABLE_WHAT, body);
        let name = table_name(&mut reader)?;
        let mut columns = Vec::new();
        while !reader.is_done() {
            columns.push(table_name(&mut reader)?);
            if columns.len() > COLUMNS_MAX {
                return Err(reader.field_error("columns", format!("are more than {COLUMNS_MAX}")));
            }
        }
        if columns.is_empty() {
            return Err(reader.field_error("columns", "are none"));
        }
        Ok(Self { name, columns })
    }
}

fn table_name(reader: &mut Reader<'_>) -> Result<String, CodecError> {
    let [length] = reader.array()?;
    if length == 0 || usize::from(length) > NAME_BYTES_MAX {
        return Err(reader.field_error("name", format!("has {length} bytes, not 1 to {NAME_BYTES_MAX}")));
    }
    text(reader, usize::from(length), "name")
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// None.
    Null,
    /// Of a BIGINT column.
    Integer(i64),
    /// Of a TEXT column.
    Text(String),
    /// Of a BYTEA or BLOB column.
    Bytes(Vec<u8>),
}

impl Cell {
    /// How many bytes it takes in an export.
    pub(crate) const fn bytes(&self) -> usize {
        match self {
            Self::Null => 1,
            Self::Integer(_) => 9,
            Self::Text(text) => 5 + text.len(),
            Self::Bytes(bytes) => 5 + bytes.len(),
        }
    }
}

pub(crate) fn encode_row(cells: &[Cell]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for cell in cells {
        match cell {
            Cell::Null => bytes.push(0),
            Cell::Integer(number) => {
                bytes.push(1);
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            Cell::Text(text) => put_long(&mut bytes, 2, text.as_bytes()),
            Cell::Bytes(content) => put_long(&mut bytes, 3, content),
        }
    }
    bytes
}

fn put_long(bytes: &mut Vec<u8>, tag: u8, content: &[u8]) {
    // A cell of 4 GiB does not get into a record, whose own limit is checked when it is written.
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    bytes.push(tag);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(content);
}

pub(crate) fn decode_row(body: &[u8]) -> Result<Vec<Cell>, CodecError> {
    let mut reader = Reader::new("row of an export", body);
    let mut cells = Vec::new();
    while !reader.is_done() {
        let [tag] = reader.array()?;
        cells.push(match tag {
            0 => Cell::Null,
            1 => Cell::Integer(i64::from_be_bytes(reader.array()?)),
            2 => {
                let length = u32::from_be_bytes(reader.array()?) as usize;
                Cell::Text(text(&mut reader, length, "text")?)
            }
            3 => {
                let length = u32::from_be_bytes(reader.array()?) as usize;
                Cell::Bytes(reader.take(length)?.to_vec())
            }
            other => return Err(reader.field_error("type", format!("is {other}, not 0 to 3"))),
        });
    }
    Ok(cells)
}

fn text(reader: &mut Reader<'_>, bytes: usize, field: &'static str) -> Result<String, CodecError> {
    let bytes = reader.take(bytes)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| reader.field_error(field, "is no UTF-8"))
}

fn position(reader: &mut Reader<'_>) -> Result<Position, CodecError> {
    Ok(Position::new(u64::from_be_bytes(reader.array()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Null),
            any::<i64>().prop_map(Cell::Integer),
            ".{0,20}".prop_map(Cell::Text),
            prop::collection::vec(any::<u8>(), 0..20).prop_map(Cell::Bytes),
        ]
    }

    proptest! {
        #[test]
        fn a_row_comes_back(cells in prop::collection::vec(cell(), 0..8)) {
            prop_assert_eq!(decode_row(&encode_row(&cells)).unwrap(), cells);
        }

        #[test]
        fn hostile_bytes_are_an_error_or_what_is_written_again(body in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(cells) = decode_row(&body) {
                prop_assert_eq!(encode_row(&cells), body.clone());
            }
            if let Ok(table) = Table::decode(&body) {
                prop_assert_eq!(table.encode().unwrap(), body.clone());
            }
            if let Ok(head) = ExportHead::decode(&body) {
                prop_assert_eq!(head.encode(), body.clone());
            }
            if let Ok(trailer) = Trailer::decode(&body) {
                prop_assert_eq!(trailer.encode(), body.clone());
            }
            if let Ok(end) = TableEnd::decode(&body) {
                prop_assert_eq!(end.encode(), body);
            }
        }

        #[test]
        fn a_head_comes_back(numbers in any::<[u32; 3]>(), hash in any::<[u8; 32]>(), tenant in "[a-z0-9_-]{0,64}") {
            let store = StoreId::from_bytes([9; 16]);
            let mut places = numbers.map(|number| Position::new(number.into()));
            places.sort_unstable();
            let [published, after, up_to] = places;
            let head = ExportHead {
                after: Cursor { store, position: after, hash: Hash::new(hash) },
                published,
                up_to: Cursor { store, position: up_to, hash: Hash::new(hash) },
                made: Timestamp::from_micros(1),
                scope: if tenant.is_empty() { Scope::Whole } else { Scope::Tenant(TenantId::parse(&tenant).unwrap()) },
            };
            prop_assert_eq!(ExportHead::decode(&head.encode()).unwrap(), head);
        }
    }
}
