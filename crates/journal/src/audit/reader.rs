//! Reads an export from front to end: for an import, and beneath its verification.

use std::path::Path;

use messages::Hash;
use messages::frame::Frame;

use super::export::{
    Cell, EVENT, EXPORT, ExportHead, HEAD, ROW, TABLE, TABLE_END, TRAILER, Table, TableEnd, TableHash, Trailer,
    decode_row,
};
use super::records::{RawRecord, ReadFileError, RecordReader};

/// What an export says next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportRecord {
    /// An event. Its hash is not checked.
    Event(Box<Frame>),
    /// A table begins.
    Table(Table),
    /// A row of the table. It has as many cells as the table has columns.
    Row(Vec<Cell>),
    /// The end: the file's own hash is right, and it holds what its trailer says.
    End(Trailer),
}

/// Reads an export, in bounded memory. It checks the file's form and hash; the chain is checked by [`super::verify_export`].
///
/// It does IO that blocks.
#[derive(Debug)]
pub struct ExportReader {
    walk: Walk,
}

impl ExportReader {
    /// Opens an export.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no export, or one of a newer release.
    pub fn open(path: &Path) -> Result<Self, ReadFileError> {
        Ok(Self { walk: Walk::open(path)? })
    }

    /// What it begins with.
    #[must_use]
    pub const fn head(&self) -> &ExportHead {
        &self.walk.head
    }

    /// The next record. After [`ExportRecord::End`] there is none.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is cut, damaged, or not of its form. Nothing that was read before should then be used.
    pub fn next_record(&mut self) -> Result<Option<ExportRecord>, ReadFileError> {
        loop {
            let mut event = None;
            let step = self.walk.step(|record| event = Some((record.offset, Frame::decode(record.body))))?;
            return Ok(match step {
                Step::Event => match event {
                    Some((_, Ok(frame))) => Some(ExportRecord::Event(Box::new(frame))),
                    Some((offset, Err(error))) => return Err(self.walk.records.wrong(offset, error.to_string())),
                    None => None,
                },
                Step::Table(table) => Some(ExportRecord::Table(table)),
                Step::Row(cells) => Some(ExportRecord::Row(cells)),
                Step::TableEnd => continue,
                Step::Trailer(trailer) => Some(ExportRecord::End(trailer)),
                Step::Over => None,
            });
        }
    }
}

/// What one step of a walk found.
#[derive(Debug)]
pub(crate) enum Step {
    /// An event, which was handed to the caller as it is.
    Event,
    Table(Table),
    Row(Vec<Cell>),
    /// The table's end: its rows and hash are right.
    TableEnd,
    Trailer(Trailer),
    Over,
}

/// The table whose rows are being read.
#[derive(Debug)]
struct OpenTable {
    name: String,
    columns: usize,
    offset: u64,
    rows: u64,
    hash: TableHash,
}

/// A walk through an export that checks everything but the events themselves.
#[derive(Debug)]
pub(crate) struct Walk {
    records: RecordReader,
    pub(crate) head: ExportHead,
    table: Option<OpenTable>,
    has_tables: bool,
    /// The hash at the end of the last table.
    tables: Hash,
    events: u64,
    rows: u64,
    is_over: bool,
}

impl Walk {
    pub(crate) fn open(path: &Path) -> Result<Self, ReadFileError> {
        let mut records = RecordReader::open(path, EXPORT)?;
        let head = match records.next()? {
            Some(RawRecord { kind: HEAD, body, .. }) => ExportHead::decode(body).map_err(|error| error.to_string()),
            Some(RawRecord { kind, .. }) => Err(format!("an export begins with its head, not with kind {kind}")),
            None => Err("an export begins with its head".to_owned()),
        };
        let head = head.map_err(|why| records.wrong(super::records::FIRST_RECORD_OFFSET, why))?;
        let tables = head.up_to.hash;
        Ok(Self { records, head, table: None, has_tables: false, tables, events: 0, rows: 0, is_over: false })
    }

    /// Reads the next record. An event is handed to `on_event` undecoded. What is wrong inside a table is said with its name.
    pub(crate) fn step(&mut self, on_event: impl FnOnce(RawRecord<'_>)) -> Result<Step, ReadFileError> {
        if self.is_over {
            return Ok(Step::Over);
        }
        let step = self.read(on_event).and_then(|(step, offset)| match step {
            Step::Trailer(trailer) => self.end(offset, trailer),
            step => Ok(step),
        });
        step.map_err(|error| match &self.table {
            Some(table) => ReadFileError::Table { table: table.name.clone(), source: Box::new(error) },
            None => error,
        })
    }

    fn read(&mut self, on_event: impl FnOnce(RawRecord<'_>)) -> Result<(Step, u64), ReadFileError> {
        let Some(record) = self.records.next()? else {
            let left_out = self.head.up_to.position.number();
            return Err(self
                .records
                .wrong(0, format!("it has no trailer, and its head promises events up to {left_out}")));
        };
        let offset = record.offset;
        let step = match (record.kind, &mut self.table) {
            (EVENT, None) if !self.has_tables => {
                self.events += 1;
                on_event(record);
                Ok(Step::Event)
            }
            (TABLE, None) => match Table::decode(record.body) {
                Ok(table) => {
                    let mut hash = TableHash::after(self.tables);
                    hash.add(TABLE, record.body);
                    let (name, columns) = (table.name.clone(), table.columns.len());
                    self.table = Some(OpenTable { name, columns, offset, rows: 0, hash });
                    self.has_tables = true;
                    Ok(Step::Table(table))
                }
                Err(error) => Err(error.to_string()),
            },
            (ROW, Some(table)) => {
                table.hash.add(ROW, record.body);
                table.rows += 1;
                self.rows += 1;
                row_of(record.body, table.columns)
            }
            (TABLE_END, Some(table)) => end_table(record.body, table).map(|hash| {
                self.tables = hash;
                Step::TableEnd
            }),
            (TRAILER, None) => Trailer::decode(record.body).map(Step::Trailer).map_err(|error| error.to_string()),
            (kind, _) => Err(format!("a record of kind {kind} may not stand here")),
        };
        let step = step.map_err(|why| self.records.wrong(offset, why))?;
        if matches!(step, Step::TableEnd) {
            // Only now: what is wrong with its end is said with the table's name.
            self.table = None;
        }
        Ok((step, offset))
    }

    /// What the head says that the trailer must say.
    pub(crate) const fn promised(&self) -> Trailer {
        let (up_to, tables) = (self.head.up_to, self.tables);
        Trailer { events: self.events, sealed: 0, rows: self.rows, position: up_to.position, hash: up_to.hash, tables }
    }

    /// Compares the trailer with what was read, and the file's hash with its bytes.
    fn end(&mut self, offset: u64, trailer: Trailer) -> Result<Step, ReadFileError> {
        if self.records.next()?.is_some() {
            return Err(self.records.wrong(offset, "the trailer is not the last record"));
        }
        let (up_to, counted) = (self.head.up_to, (self.events, self.rows));
        if (trailer.events, trailer.rows) != counted {
            let (events, rows) = counted;
            let why = format!(
                "the trailer counts {} events and {} rows, there are {events} and {rows}",
                trailer.events, trailer.rows
            );
            return Err(self.records.wrong(offset, why));
        }
        if (trailer.position, trailer.hash) != (up_to.position, up_to.hash) {
            let why = format!(
                "the trailer ends at {} with {}, the head says {} with {}",
                trailer.position, trailer.hash, up_to.position, up_to.hash
            );
            return Err(self.records.wrong(offset, why));
        }
        if trailer.tables != self.tables {
            let why =
                format!("the trailer says that the tables have the hash {}, it is {}", trailer.tables, self.tables);
            return Err(self.records.wrong(offset, why));
        }
        self.is_over = true;
        Ok(Step::Trailer(trailer))
    }
}

fn row_of(body: &[u8], columns: usize) -> Result<Step, String> {
    match decode_row(body) {
        Ok(cells) if cells.len() == columns => Ok(Step::Row(cells)),
        Ok(cells) => Err(format!("a row has {} cells, its table {columns} columns", cells.len())),
        Err(error) => Err(error.to_string()),
    }
}

/// Compares a table's end with what was read of it. Gives its hash.
fn end_table(body: &[u8], table: &OpenTable) -> Result<Hash, String> {
    let end = TableEnd::decode(body).map_err(|error| error.to_string())?;
    let OpenTable { offset, rows, hash, .. } = table;
    if end.rows != *rows {
        return Err(format!("the table that begins at byte {offset} ends after {} rows, there are {rows}", end.rows));
    }
    let found = hash.clone().end();
    if end.hash != found {
        return Err(format!(
            "the table that begins at byte {offset} has the hash {found}, and says that it has {}",
            end.hash
        ));
    }
    Ok(found)
}
