//! Views: tables that queries read, folded from a feed, behind it by a little.
//!
//! A view's tables are in a file or schema of their own beside the store. A batch of events is folded in memory, and each row is
//! written once, in the transaction that moves the view's cursor: rows and cursor agree whatever dies when. Of several processes
//! that fold the same events, one moves the cursor.
//!
//! A view can be rebuilt from zero beside the live one. When it has caught up, a row of the store says which *generation* queries
//! read, and the old one is removed. A release with another [`Projection::VERSION`] builds its own generation that way.

mod folding;
mod generation;
mod rebuild;

use std::sync::Arc;
use std::time::Duration;

use messages::{DecodeError, Position, RecordedEvent};
use tokio::sync::watch;

use self::generation::Generation;
pub use self::rebuild::{REBUILD_BATCH_BYTES_MAX, REBUILD_BATCH_EVENTS_MAX, RebuildProgress};
use crate::appender::AppendError;
use crate::cursor::Cursor;
use crate::feed::{Feed, FeedError};
use crate::query::Value;
use crate::retry::RETRY;
use crate::store::{Place, Store, StoreError};
use crate::task::{Stop, Task};
use crate::unit::{Parameter, Statement};

/// The most bytes of a view's name: with a store's schema and a number it must fit PostgreSQL's 63.
pub const VIEW_NAME_BYTES_MAX: usize = 24;

/// A question on the view's rows as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The SQL.
    pub sql: &'static str,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
}

/// Rows of one table, written many at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRows {
    /// What stands before `VALUES`, as in `INSERT INTO holdings (holder, units)`.
    pub insert: &'static str,
    /// What stands after them, as in `ON CONFLICT (holder) DO UPDATE SET units = excluded.units`; empty for rows that are new.
    pub conflict: &'static str,
    /// The rows, each with all columns, no two with the same key.
    pub rows: Vec<Vec<Parameter>>,
}

/// What a batch writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Rows of one table.
    Rows(TableRows),
    /// Anything else.
    Statement(Statement),
}

/// How events become the rows of a view.
pub trait Projection: Send + Sync + 'static {
    /// What some events come to, in memory.
    type Batch: Default + Send;

    /// The view's name: 1 to [`VIEW_NAME_BYTES_MAX`] lower-case letters, digits and `_`.
    const NAME: &'static str;

    /// Raised whenever tables, [`Self::fold`] or [`Self::write`] change: the view is then built anew.
    const VERSION: u32;

    /// The tables, in the SQL that both stores understand, separated by `;`.
    const TABLES: &'static str;

    /// Adds an event to the batch.
    ///
    /// # Errors
    ///
    /// If it is of a version that is not known here. The view stops, and goes on after an upgrade.
    fn fold(&self, batch: &mut Self::Batch, event: &RecordedEvent) -> Result<(), DecodeError>;

    /// What must be known of the rows as they are, before the batch is written. Amounts, for instance, are added up in Rust.
    fn questions(&self, _: &Self::Batch) -> Vec<Query> {
        Vec::new()
    }

    /// What the batch writes, given the answers to its questions.
    fn write(&self, batch: Self::Batch, answers: Vec<Vec<Vec<Value>>>) -> Vec<Write>;
}

/// A view cannot be read or folded.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// It is being built for the first time, or for this release. Ask again later.
    #[error("view `{view}` is being built, {done} of {total} events are folded")]
    Building {
        /// The view.
        view: &'static str,
        /// How many are folded.
        done: u64,
        /// How many there are.
        total: u64,
    },
    /// It has not come to the position in time. Ask again later, or take what is there.
    #[error("view `{view}` has come to {reached} and not to {position} within {waited_ms} ms")]
    Behind {
        /// The view.
        view: &'static str,
        /// The position that was waited for.
        position: Position,
        /// Where it stands.
        reached: Position,
        /// How long was waited.
        waited_ms: u64,
    },
    /// An event is not understood. Upgrade this release; the view goes on then.
    #[error("view `{view}` cannot fold the event at {position}")]
    Fold {
        /// The view.
        view: &'static str,
        /// Which event.
        position: Position,
        /// Why not.
        source: DecodeError,
    },
    /// The feed cannot be read.
    #[error("the feed of view `{view}` cannot be read")]
    Feed {
        /// The view.
        view: &'static str,
        /// Why not.
        source: FeedError,
    },
    /// The view's tables, or the row that says which are read, cannot be read or written.
    #[error("the tables of view `{view}` cannot be used")]
    Store {
        /// The view.
        view: &'static str,
        /// Why not.
        source: StoreError,
    },
    /// The row that says which tables are read cannot be written.
    #[error("which tables of view `{view}` are read cannot be written")]
    Append {
        /// The view.
        view: &'static str,
        /// Why not.
        source: AppendError,
    },
}

/// A view; clones share it.
pub struct View<P: Projection>(Arc<Inner<P>>);

struct Inner<P> {
    projection: P,
    feed: Feed,
    /// Where the row is that says which generation is read.
    store: Store,
    place: Place,
    live: parking_lot::RwLock<Option<Arc<Generation>>>,
    /// Held while the live generation is folded on or swapped.
    turn: tokio::sync::Mutex<()>,
    /// Held while a generation is built.
    building: tokio::sync::Mutex<()>,
    cursor: watch::Sender<Cursor>,
    progress: watch::Sender<Option<RebuildProgress>>,
}

impl<P: Projection> Clone for View<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Projection> std::fmt::Debug for View<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("name", &P::NAME).field("cursor", &*self.0.cursor.borrow()).finish_non_exhaustive()
    }
}

impl<P: Projection> View<P> {
    /// A view of `feed` beside the store at `place`, whose handle is `store`. It is folded by [`Self::run`].
    ///
    /// # Errors
    ///
    /// If its tables, or the row that says which are read, cannot be read.
    ///
    /// # Panics
    ///
    /// If its name is none.
    pub async fn open(projection: P, feed: Feed, store: Store, place: &Place) -> Result<Self, ViewError> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let length = P::NAME.len();
        assert!((1..=VIEW_NAME_BYTES_MAX).contains(&length) && P::NAME.chars().all(is_name), "a view's name is none");
        let cursor = watch::Sender::new(Cursor::start(feed.store().id()));
        let (turn, building) = (tokio::sync::Mutex::default(), tokio::sync::Mutex::default());
        let progress = watch::Sender::new(None);
        let (place, live) = (place.clone(), parking_lot::RwLock::new(None));
        let view = Self(Arc::new(Inner { projection, feed, store, place, live, turn, building, cursor, progress }));
        let _ = view.look_for_live().await?;
        Ok(view)
    }

    /// Starts folding in the background.
    pub fn start(&self) -> Task<ViewError> {
        let view = self.clone();
        Task::start(|stop| async move { view.run(stop).await })
    }

    /// Folds events as they come, until it is stopped. Builds the view first if there is none of this version.
    ///
    /// # Errors
    ///
    /// If an event is not understood, or feed or tables are damaged or closed.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped anywhere and run again.
    pub async fn run(&self, stop: Stop) -> Result<(), ViewError> {
        let mut outages = 0;
        while !stop.is_requested() {
            match self.fold_on(&stop).await {
                Ok(()) => outages = 0,
                Err(error) if error.is_transient() => {
                    outages += 1;
                    tracing::warn!(view = P::NAME, error = %crate::consumer::chain(&error), outages, "a view cannot be folded");
                    stop.or_after(RETRY.wait(outages, self.0.store.entropy())).await;
                }
                // Its tables may have been replaced by another process.
                Err(error) => {
                    if !self.look_for_live().await? {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Rows of the view, by a query in the SQL that both stores understand, which bounds its rows itself.
    ///
    /// # Errors
    ///
    /// If the view is being built, or cannot be read.
    pub async fn rows(&self, sql: &'static str, parameters: &[Parameter]) -> Result<Vec<Vec<Value>>, ViewError> {
        let generation = self.live()?;
        match generation.tables.query(sql, parameters).await {
            Ok(rows) => Ok(rows),
            // The generation may have been removed after a swap, here or in another process.
            Err(source) => {
                let is_other = self.live().is_ok_and(|live| live.number != generation.number);
                if !is_other && !self.look_for_live().await? {
                    return Err(ViewError::Store { view: P::NAME, source });
                }
                self.live()?.tables.query(sql, parameters).await.map_err(in_store::<P>)
            }
        }
    }

    /// Waits until the view has folded the event at `position`, as a command's answer names it. The position of a private event is
    /// reached by views of the own feed alone.
    ///
    /// # Errors
    ///
    /// [`ViewError::Behind`] if it takes longer than `wait_max`.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if it is dropped.
    pub async fn wait_for(&self, position: Position, wait_max: Duration) -> Result<(), ViewError> {
        let mut cursor = self.0.cursor.subscribe();
        let waited = tokio::time::timeout(wait_max, cursor.wait_for(|cursor| cursor.position >= position)).await;
        if waited.is_ok() {
            return Ok(());
        }
        let reached = self.0.cursor.borrow().position;
        let waited_ms = u64::try_from(wait_max.as_millis()).unwrap_or(u64::MAX);
        Err(ViewError::Behind { view: P::NAME, position, reached, waited_ms })
    }

    /// How far the view has come, as far as this process knows.
    #[must_use]
    pub fn cursor(&self) -> watch::Receiver<Cursor> {
        self.0.cursor.subscribe()
    }

    /// How far a rebuild has come; `None` while there is none in this process.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Option<RebuildProgress>> {
        self.0.progress.subscribe()
    }

    fn live(&self) -> Result<Arc<Generation>, ViewError> {
        let live = self.0.live.read().clone();
        live.ok_or_else(|| {
            let progress = self.0.progress.borrow();
            let (done, total) = progress.as_ref().map_or((0, 0), |progress| (progress.done, progress.total));
            ViewError::Building { view: P::NAME, done, total }
        })
    }
}

impl ViewError {
    /// Whether the same may succeed later without anybody's doing.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Building { .. } | Self::Behind { .. } => true,
            Self::Fold { .. } => false,
            Self::Feed { source, .. } => source.is_transient(),
            Self::Store { source, .. } => source.is_transient(),
            Self::Append { source, .. } => {
                matches!(source, AppendError::Unavailable { .. } | AppendError::Unknown { .. })
            }
        }
    }
}

const fn in_store<P: Projection>(source: StoreError) -> ViewError {
    ViewError::Store { view: P::NAME, source }
}

const fn in_feed<P: Projection>(source: FeedError) -> ViewError {
    ViewError::Feed { view: P::NAME, source }
}
