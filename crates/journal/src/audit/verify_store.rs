//! Verifies a store in place: several connections read pages in turn, and are joined in the same turn.
//!
//! The head is read first, and the events up to it: what is appended meanwhile is left to the next audit.

use std::sync::Arc;

use messages::{Position, StoreId, chain};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinSet;

use super::export::Scope;
use super::head::Head;
use super::joined::{Joined, check_anchors};
use super::report::{Report, VerifyError, VerifyOptions, Wrong};
use super::stored::{StoredHead, StoredReader};
use super::stretch::{Border, Rules, Stretch};
use crate::consumer::chain as chain_of_causes;
use crate::store::{Place, StoreError};

/// How many events are read and checked as one.
const PAGE_EVENTS: u64 = 2_048;

/// How many pages wait for being joined, for each connection.
const QUEUE_PAGES_MAX: usize = 2;

type Page = Result<Stretch, StoreError>;

/// Verifies a store against its own head: everything that [`super::verify_export`] checks, and the columns that are kept beside
/// each event.
pub(crate) async fn verify_store(place: &Place, mut options: VerifyOptions) -> Result<Report, VerifyError> {
    let mut reader = StoredReader::connect(place).await?;
    let head = reader.head().await?;
    let last = head.last.position;
    let up_to = Head { store: head.store, position: last, hash: head.last.hash };
    check_anchors(&options.anchors, Position::START, up_to)?;
    let rules = Arc::new(Rules::new(head.store, Scope::Whole, &options.anchors));
    let begin = Border { position: Position::START, hash: chain::start(head.store), recorded: None };
    let mut joined = Joined::begin(begin, Position::START, last, &rules)?;
    // Dropping the set ends the tasks, also if this future is dropped.
    let mut tasks = JoinSet::new();
    let mut pages = Vec::new();
    for worker in 0..options.workers.get() {
        let (sender, receiver) = mpsc::channel(QUEUE_PAGES_MAX);
        pages.push(receiver);
        let turns = Turns { worker: worker as u64, workers: options.workers.get() as u64, last };
        let _task = tasks.spawn(read_pages(place.clone(), Arc::clone(&rules), turns, sender));
    }
    join_pages(&mut joined, &mut pages, &mut options).await?;
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    }
    check_end(&joined, &head)?;
    joined.finish(&rules, 0)
}

/// Which pages a connection reads: each `workers`-th.
#[derive(Clone, Copy)]
struct Turns {
    worker: u64,
    workers: u64,
    last: Position,
}

impl Turns {
    /// The place before each page and its last place.
    fn pages(self) -> impl Iterator<Item = (Position, Position)> {
        let last = self.last.number();
        let pages = (self.worker..last.div_ceil(PAGE_EVENTS)).step_by(usize::try_from(self.workers).unwrap_or(1));
        pages.map(move |page| {
            let after = page * PAGE_EVENTS;
            (Position::new(after), Position::new(last.min(after + PAGE_EVENTS)))
        })
    }
}

async fn read_pages(place: Place, rules: Arc<Rules>, turns: Turns, pages: Sender<Page>) {
    let mut reader = match StoredReader::connect(&place).await {
        Ok(reader) => reader,
        Err(error) => return drop(pages.send(Err(error)).await),
    };
    for (after, to) in turns.pages() {
        let page = read_page(&mut reader, &rules, after, to).await;
        let is_last = page.is_err();
        // Whoever joins has found something wrong, or was dropped.
        if pages.send(page).await.is_err() || is_last {
            return;
        }
    }
}

/// Reads and checks the events after one place up to another. If the database itself stumbles over a damaged page, less and less is
/// read at once, until the first event that it cannot read is known.
async fn read_page(reader: &mut StoredReader, rules: &Arc<Rules>, after: Position, to: Position) -> Page {
    let mut stretch = Stretch::after(Arc::clone(rules), border(reader, rules.store, after).await);
    let mut size = PAGE_EVENTS;
    while stretch.last.position < to && stretch.wrong.is_none() {
        let from = stretch.last.position.next();
        let until = Position::new(to.number().min(stretch.last.position.number() + size));
        match reader.rows(from, until).await {
            Ok(rows) => {
                for row in &rows {
                    let is_next = row.position() == Some(stretch.last.position.next());
                    let frame = if is_next { row.frame(rules.store) } else { Err(Wrong::Missing) };
                    if !stretch.add(frame.as_ref().map_err(Clone::clone)) {
                        break;
                    }
                }
                if stretch.wrong.is_none() && stretch.last.position < until {
                    let _ = stretch.add(Err(Wrong::Missing));
                }
            }
            Err(error) if error.is_transient() => return Err(error),
            Err(error) if size == 1 => {
                let _ = stretch.add(Err(Wrong::Form { why: chain_of_causes(&error) }));
            }
            Err(_) => size /= 2,
        }
    }
    Ok(stretch)
}

/// What the event before a page says of itself. If it cannot be read, the page before names that, and what this one finds is not
/// looked at.
async fn border(reader: &mut StoredReader, store: StoreId, after: Position) -> Border {
    let unknown = Border { position: after, hash: chain::start(store), recorded: None };
    if after == Position::START {
        return unknown;
    }
    let rows = reader.rows(after, after).await.unwrap_or_default();
    rows.first().and_then(|row| row.border()).unwrap_or(unknown)
}

/// Takes the pages in the turn in which they are read, until a connection whose turn it is has none left.
async fn join_pages(
    joined: &mut Joined,
    workers: &mut [Receiver<Page>],
    options: &mut VerifyOptions,
) -> Result<(), VerifyError> {
    let mut turn = 0;
    while let Some(page) = workers[turn].recv().await {
        joined.add(page?)?;
        joined.tell(options)?;
        turn = (turn + 1) % workers.len();
    }
    Ok(())
}

/// Compares the store's head with what follows from the events.
fn check_end(joined: &Joined, head: &StoredHead) -> Result<(), VerifyError> {
    let (last, said) = (joined.last(), head.last);
    let end = |what, expected: String, found: String| Err(VerifyError::End { what, expected, found });
    if last.hash != said.hash {
        return end("the head's hash", last.hash.to_string(), said.hash.to_string());
    }
    if joined.last_published() != head.published {
        let (expected, found) = (joined.last_published().to_string(), head.published.to_string());
        return end("the head's last published place", expected, found);
    }
    match (last.recorded, said.recorded) {
        (Some(expected), Some(found)) if expected != found => {
            end("the head's time", expected.to_string(), found.to_string())
        }
        _ => Ok(()),
    }
}
