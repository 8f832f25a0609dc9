//! Reads an export for an import: everything is verified on the way, page by page, and only what was is handed on.

use std::path::Path;
use std::sync::Arc;

use messages::frame::Frame;
use messages::{Position, RecordedEvent, Timestamp, chain};
use tokio::sync::mpsc::Sender;

use super::export::{Cell, ExportHead, Scope, Table, Trailer};
use super::joined::Joined;
use super::reader::{Step, Walk};
use super::report::{Report, VerifyError, Wrong};
use super::stretch::{Border, Rules, Stretch};
use super::verify_export::{Rest, finish};

/// After how many bytes of events, or rows of a table, a page ends.
const PAGE_BYTES: usize = 1024 * 1024;
const PAGE_ROWS_MAX: usize = 1_024;

/// What comes next.
pub(crate) enum VerifiedPage {
    /// Events that follow those before.
    Events(Vec<RecordedEvent>),
    Table(Table),
    /// Rows of the table, with as many cells each as it has columns.
    Rows(Vec<Vec<Cell>>),
    /// All was read and is right.
    End(Box<Verified>),
}

/// What a right export says of its end.
#[derive(Debug, Clone)]
pub(crate) struct Verified {
    pub(crate) report: Report,
    pub(crate) trailer: Trailer,
    /// The last published event.
    pub(crate) published: Position,
    /// When the last event was recorded; `None` if there is none.
    pub(crate) recorded: Option<Timestamp>,
    pub(crate) made: Timestamp,
}

/// What is wrong with the whole of an export before it is read.
pub(crate) fn head_of(path: &Path) -> Result<ExportHead, VerifyError> {
    Ok(Walk::open(path)?.head)
}

/// Reads and verifies a whole export. It blocks. If nobody takes pages any more, it ends.
pub(crate) fn read_verified(path: &Path, pages: &Sender<VerifiedPage>) -> Result<(), VerifyError> {
    let walk = Walk::open(path)?;
    let head = walk.head.clone();
    let start = chain::start(head.after.store);
    if head.after.hash != start {
        let (expected, found) = (start.to_string(), head.after.hash.to_string());
        return Err(VerifyError::End { what: "the hash before the first event", expected, found });
    }
    let rules = Arc::new(Rules::new(head.after.store, Scope::Whole, &[]));
    let before = Border { position: head.after.position, hash: head.after.hash, recorded: None };
    let joined = Joined::begin(before, head.published, head.up_to.position, &rules)?;
    let stretch = Stretch::after(Arc::clone(&rules), before);
    let reading = Reading { pages, rules, joined, stretch, events: Vec::new(), bytes: 0 };
    reading.read(walk, &head)
}

struct Reading<'a> {
    pages: &'a Sender<VerifiedPage>,
    rules: Arc<Rules>,
    joined: Joined,
    /// The events of the page.
    stretch: Stretch,
    events: Vec<RecordedEvent>,
    bytes: usize,
}

impl Reading<'_> {
    fn read(mut self, mut walk: Walk, head: &ExportHead) -> Result<(), VerifyError> {
        let (mut rows, mut rows_bytes, mut rows_total) = (Vec::new(), 0, 0);
        loop {
            let mut frame = None;
            let step = walk.step(|record| frame = Some((record.body.len(), Frame::decode(record.body))));
            if let Some((bytes, frame)) = frame {
                self.add(bytes, frame.map_err(|error| Wrong::Form { why: error.to_string() }));
            }
            // What was read before a damage is checked all the same: a wrong event is named before a wrong file.
            let is_event = matches!(step, Ok(Step::Event));
            if (self.bytes >= PAGE_BYTES || !is_event || self.stretch.wrong.is_some()) && !self.end_page()? {
                return Ok(());
            }
            let is_row = matches!(step, Ok(Step::Row(_)));
            if (rows.len() == PAGE_ROWS_MAX || rows_bytes >= PAGE_BYTES || !is_row) && !rows.is_empty() {
                rows_bytes = 0;
                let page = VerifiedPage::Rows(std::mem::take(&mut rows));
                if self.pages.blocking_send(page).is_err() {
                    return Ok(());
                }
            }
            let page = match step? {
                Step::Event | Step::TableEnd | Step::Over => continue,
                Step::Row(cells) => {
                    rows_bytes += cells.iter().map(Cell::bytes).sum::<usize>();
                    rows.push(cells);
                    rows_total += 1;
                    continue;
                }
                Step::Table(table) => VerifiedPage::Table(table),
                Step::Trailer(trailer) => {
                    return self.finish(head, Rest { trailer, rows: rows_total });
                }
            };
            if self.pages.blocking_send(page).is_err() {
                return Ok(());
            }
        }
    }

    fn add(&mut self, bytes: usize, frame: Result<Frame, Wrong>) {
        self.bytes += bytes;
        let _ = self.stretch.add(frame.as_ref().map_err(Clone::clone));
        // A sealed event is wrong in an export of everything, and found so.
        if let Ok(Frame::Whole(event)) = frame {
            self.events.push(*event);
        }
    }

    /// Checks the page's events against those before, and hands them on. Whether more is wanted.
    fn end_page(&mut self) -> Result<bool, VerifyError> {
        if self.bytes == 0 && self.stretch.wrong.is_none() {
            return Ok(true);
        }
        let next = Stretch::after(Arc::clone(&self.rules), self.stretch.last);
        self.joined.add(std::mem::replace(&mut self.stretch, next))?;
        self.bytes = 0;
        let events = std::mem::take(&mut self.events);
        Ok(self.pages.blocking_send(VerifiedPage::Events(events)).is_ok())
    }

    fn finish(self, head: &ExportHead, rest: Rest) -> Result<(), VerifyError> {
        let Self { pages, joined, rules, .. } = self;
        let (published, recorded, trailer) = (joined.last_published(), joined.last().recorded, rest.trailer);
        let report = finish(joined, &rules, &rest)?;
        let verified = Verified { report, trailer, published, recorded, made: head.made };
        // If nobody takes it, nobody commits either.
        drop(pages.blocking_send(VerifiedPage::End(Box::new(verified))));
        Ok(())
    }
}
