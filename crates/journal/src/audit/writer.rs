//! Writes an export: events in the order of their places, then tables.

use std::path::Path;

use messages::codec::CodecError;
use messages::frame::{self, Frame};
use messages::{Hash, Position, RecordedEvent};

use super::export::{
    Cell, EVENT, EXPORT, ExportHead, HEAD, ROW, Scope, TABLE, TABLE_END, TRAILER, Table, TableEnd, TableHash, Trailer,
    encode_row,
};
use super::records::{RecordWriter, WriteFileError};
use crate::store::StoreError;

/// An export cannot be made. What was there under its name before is still there.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file cannot be written.
    #[error("cannot write an export")]
    File(#[from] WriteFileError),
    /// The store cannot be read.
    #[error("cannot read what to export")]
    Store(#[from] StoreError),
    /// An event is not the one after the last, or of another store. `lastro journal verify` says more.
    #[error("the event at {found} of store {store} does not come after place {last} of the store that is exported")]
    Order {
        /// The last event's place.
        last: Position,
        /// The event's place.
        found: Position,
        /// The event's store.
        store: messages::StoreId,
    },
    /// The last event is not the one that the export's head names: the store has changed under it, or is damaged.
    #[error("the export ends at {position} with hash {found}, not at {up_to} with hash {expected}")]
    End {
        /// The last event's place.
        position: Position,
        /// Its hash.
        found: Hash,
        /// The place named.
        up_to: Position,
        /// The hash named.
        expected: Hash,
    },
    /// The caller broke it off.
    #[error("the export was broken off after {events} of {events_total} events")]
    BrokenOff {
        /// Events written.
        events: u64,
        /// Events to be written.
        events_total: u64,
    },
    /// Whoever read the store ended before all was handed over.
    #[error("the export was given up after {events} events")]
    Unfinished {
        /// Events written.
        events: u64,
    },
    /// A table's names cannot be written.
    #[error("a table cannot be exported")]
    Table(#[source] CodecError),
    /// A row has not as many cells as its table has columns.
    #[error("a row of table `{table}` has {cells} cells, not {columns}")]
    Row {
        /// The table.
        table: String,
        /// The row's cells.
        cells: usize,
        /// The table's columns.
        columns: usize,
    },
}

/// Writes an export into a file that gets its name when [`Self::finish`] has brought all of it to disk.
///
/// It does IO that blocks.
#[derive(Debug)]
pub struct ExportWriter {
    records: RecordWriter,
    head: ExportHead,
    trailer: Trailer,
    table: Option<OpenTable>,
}

/// The table whose rows are being written.
#[derive(Debug)]
struct OpenTable {
    table: Table,
    rows: u64,
    hash: TableHash,
}

impl ExportWriter {
    /// Begins an export.
    ///
    /// # Errors
    ///
    /// If the file cannot be made, or another process is writing it.
    pub fn create(path: &Path, head: ExportHead) -> Result<Self, ExportError> {
        let mut records = RecordWriter::create(path, EXPORT, true)?;
        records.put(HEAD, &head.encode())?;
        let (position, hash) = (head.after.position, head.after.hash);
        let trailer = Trailer { events: 0, sealed: 0, rows: 0, position, hash, tables: head.up_to.hash };
        Ok(Self { records, head, trailer, table: None })
    }

    /// How many events were added.
    pub(crate) const fn events(&self) -> u64 {
        self.trailer.events
    }

    /// Adds the next event: whole if the export shows its tenant's events, else sealed.
    ///
    /// # Errors
    ///
    /// If it is not the one after the last, or the file cannot be written.
    ///
    /// # Panics
    ///
    /// If a table has begun: events come first.
    pub fn event(&mut self, event: &RecordedEvent) -> Result<(), ExportError> {
        assert!(self.table.is_none(), "an event was exported after a table");
        let (last, found, store) = (self.trailer.position, event.header.position, event.header.store);
        if found != last.next() || store != self.head.after.store {
            return Err(ExportError::Order { last, found, store });
        }
        let is_sealed = matches!(&self.head.scope, Scope::Tenant(tenant) if *tenant != event.metadata.tenant);
        let bytes = if is_sealed { Frame::Sealed(frame::seal(event)).encode() } else { frame::encode_whole(event) };
        self.records.put(EVENT, &bytes)?;
        self.trailer.events += 1;
        self.trailer.sealed += u64::from(is_sealed);
        (self.trailer.position, self.trailer.hash) = (found, event.hash);
        Ok(())
    }

    /// Begins a table; the one before it ends.
    ///
    /// # Errors
    ///
    /// If a name is empty or too long, there are no columns or too many, or the file cannot be written.
    pub fn table(&mut self, table: Table) -> Result<(), ExportError> {
        let body = table.encode().map_err(ExportError::Table)?;
        self.end_table()?;
        self.records.put(TABLE, &body)?;
        let mut hash = TableHash::after(self.trailer.tables);
        hash.add(TABLE, &body);
        self.table = Some(OpenTable { table, rows: 0, hash });
        Ok(())
    }

    fn end_table(&mut self) -> Result<(), ExportError> {
        let Some(OpenTable { rows, hash, .. }) = self.table.take() else { return Ok(()) };
        self.trailer.tables = hash.end();
        let end = TableEnd { rows, hash: self.trailer.tables };
        Ok(self.records.put(TABLE_END, &end.encode())?)
    }

    /// Adds a row of the table.
    ///
    /// # Errors
    ///
    /// If it has another number of cells than the table has columns, is too long, or the file cannot be written.
    ///
    /// # Panics
    ///
    /// If no table has begun.
    pub fn row(&mut self, cells: &[Cell]) -> Result<(), ExportError> {
        let Some(open) = &mut self.table else { panic!("a row was exported before its table") };
        if cells.len() != open.table.columns.len() {
            let (table, columns) = (open.table.name.clone(), open.table.columns.len());
            return Err(ExportError::Row { table, cells: cells.len(), columns });
        }
        let body = encode_row(cells);
        self.records.put(ROW, &body)?;
        open.hash.add(ROW, &body);
        open.rows += 1;
        self.trailer.rows += 1;
        Ok(())
    }

    /// Ends the export and brings it to disk. Gives what it holds.
    ///
    /// # Errors
    ///
    /// If the last event is not the one that the head names, or the file cannot be written.
    pub fn finish(mut self) -> Result<Trailer, ExportError> {
        self.end_table()?;
        let (last, up_to) = (self.trailer, self.head.up_to);
        if (last.position, last.hash) != (up_to.position, up_to.hash) {
            let (position, found) = (last.position, last.hash);
            return Err(ExportError::End { position, found, up_to: up_to.position, expected: up_to.hash });
        }
        self.records.put(TRAILER, &last.encode())?;
        let _ = self.records.finish()?;
        Ok(last)
    }
}
