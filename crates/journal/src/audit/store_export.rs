//! Exports what a store holds up to its head: events and tables, as one state.

use std::ops::ControlFlow;
use std::path::Path;

use futures_util::StreamExt as _;
use messages::{Position, RecordedEvent, Timestamp};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::export::{Cell, ExportHead, Scope, Table, Trailer};
use super::report::{OnProgress, Progress};
use super::writer::{ExportError, ExportWriter};
use crate::cursor::Cursor;
use crate::limits::PAGE_EVENTS_MAX;
use crate::query::Value;
use crate::store::{Head, Place, PortableTable, Snapshot, Store};

/// How many pages wait for being written.
const QUEUE_PAGES_MAX: usize = 2;

/// How many rows of a table are handed over as one, and after how many bytes a page of them ends.
const PAGE_ROWS_MAX: usize = 1_024;
const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// Writes a whole store, or one tenant's part with place and hashes of the others' events, into a file. What is appended meanwhile
/// is left to the next export.
///
/// # Errors
///
/// If the store cannot be read or the file cannot be written. What was there under its name before is still there.
///
/// # Cancel safety
///
/// If it is dropped, there is no file.
pub async fn export(store: &Store, scope: Scope, path: &Path) -> Result<Trailer, ExportError> {
    let on_progress = Box::new(|_| ControlFlow::Continue(()));
    export_place(store.place(), store.clock().now(), scope, path, on_progress).await
}

/// As [`export`], of a store that need not be open here and may be at work in another process. `made` is the time that the file
/// says it was made at.
///
/// # Errors
///
/// As [`export`], and if the progress breaks it off.
///
/// # Cancel safety
///
/// If it is dropped, there is no file.
pub async fn export_place(
    place: &Place,
    made: Timestamp,
    scope: Scope,
    path: &Path,
    on_progress: OnProgress,
) -> Result<Trailer, ExportError> {
    let mut snapshot = Snapshot::connect(place).await?;
    let head = snapshot.take().await?;
    let exported = export_snapshot(&mut snapshot, &head, made, scope, path, on_progress).await;
    snapshot.close().await;
    exported
}

/// What is written next.
enum Page {
    Events(Vec<RecordedEvent>),
    Table(Table),
    Rows(Vec<Vec<Cell>>),
    /// All was handed over. Without this, whoever reads was dropped, and there must be no file.
    End,
}

/// Writes a snapshot whose head is given.
pub(crate) async fn export_snapshot(
    snapshot: &mut Snapshot,
    head: &Head,
    made: Timestamp,
    scope: Scope,
    path: &Path,
    on_progress: OnProgress,
) -> Result<Trailer, ExportError> {
    let up_to = Cursor { store: head.store, position: head.position, hash: head.hash };
    let (after, published) = (Cursor::start(head.store), Position::START);
    let export_head = ExportHead { after, published, up_to, made, scope: scope.clone() };
    let (pages, written) = mpsc::channel(QUEUE_PAGES_MAX);
    let path = path.to_owned();
    let writing = tokio::task::spawn_blocking(move || write(ExportWriter::create(&path, export_head)?, written));
    let mut reading = Reading { snapshot, pages, on_progress };
    let read = reading.read(head, &scope).await;
    drop(reading);
    let written = writing.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    match (read, written) {
        (Ok(()), written) => written,
        // The writer missed the end because reading failed.
        (Err(error), Ok(_) | Err(ExportError::Unfinished { .. })) => Err(error),
        (Err(_), Err(error)) => Err(error),
    }
}

fn write(mut writer: ExportWriter, mut pages: Receiver<Page>) -> Result<Trailer, ExportError> {
    while let Some(page) = pages.blocking_recv() {
        match page {
            Page::Events(events) => events.iter().try_for_each(|event| writer.event(event))?,
            Page::Table(table) => writer.table(table)?,
            Page::Rows(rows) => rows.iter().try_for_each(|row| writer.row(row))?,
            Page::End => return writer.finish(),
        }
    }
    Err(ExportError::Unfinished { events: writer.events() })
}

/// The reading half.
struct Reading<'a> {
    snapshot: &'a mut Snapshot,
    pages: Sender<Page>,
    on_progress: OnProgress,
}

impl Reading<'_> {
    async fn read(&mut self, head: &Head, scope: &Scope) -> Result<(), ExportError> {
        let mut last = Position::START;
        while last < head.position {
            let left = usize::try_from(head.position.number() - last.number()).unwrap_or(usize::MAX);
            let page = self.snapshot.events_after(head.store, last, left.min(PAGE_EVENTS_MAX)).await?;
            let Some(event) = page.last() else { break };
            last = event.header.position;
            self.tell(last, head)?;
            if !self.hand_over(Page::Events(page)).await {
                return Ok(());
            }
        }
        for table in self.snapshot.tables().await? {
            if (*scope == Scope::Whole || table.is_tenants()) && !self.read_table(&table, scope, head).await? {
                return Ok(());
            }
        }
        let _ = self.hand_over(Page::End).await;
        Ok(())
    }

    /// Whether the writer takes more.
    async fn read_table(&mut self, table: &PortableTable, scope: &Scope, head: &Head) -> Result<bool, ExportError> {
        let columns = table.columns.iter().map(|column| column.name.clone()).collect();
        if !self.hand_over(Page::Table(Table { name: table.exported_name(), columns })).await {
            return Ok(false);
        }
        let tenant = match scope {
            Scope::Whole => None,
            Scope::Tenant(tenant) => Some(tenant),
        };
        let mut rows = self.snapshot.rows(table, tenant);
        let (mut page, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().await {
            let row: Vec<Cell> = row?.into_iter().map(cell).collect();
            bytes += row.iter().map(Cell::bytes).sum::<usize>();
            page.push(row);
            if page.len() == PAGE_ROWS_MAX || bytes >= PAGE_BYTES_MAX {
                tell(&mut self.on_progress, head.position, head)?;
                if self.pages.send(Page::Rows(std::mem::take(&mut page))).await.is_err() {
                    return Ok(false);
                }
                bytes = 0;
            }
        }
        Ok(self.pages.send(Page::Rows(page)).await.is_ok())
    }

    /// Whether the writer took it. If it has ended, it says why.
    async fn hand_over(&self, page: Page) -> bool {
        self.pages.send(page).await.is_ok()
    }

    fn tell(&mut self, last: Position, head: &Head) -> Result<(), ExportError> {
        tell(&mut self.on_progress, last, head)
    }
}

fn tell(on_progress: &mut OnProgress, last: Position, head: &Head) -> Result<(), ExportError> {
    let (events, events_total) = (last.number(), head.position.number());
    if on_progress(Progress { events, events_total }).is_break() {
        return Err(ExportError::BrokenOff { events, events_total });
    }
    Ok(())
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Integer(number) => Cell::Integer(number),
        Value::Text(text) => Cell::Text(text),
        Value::Bytes(bytes) => Cell::Bytes(bytes),
    }
}
