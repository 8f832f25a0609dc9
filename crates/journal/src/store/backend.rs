//! What differs between SQLite and PostgreSQL, behind one enum: the group's transaction, and reading.
//!
//! The three things that have one form per store (group insert, check of a group, locking) stand side by side in `sqlite` and
//! `postgres`; every other statement is written once.

use std::collections::{BTreeSet, HashMap};

use messages::{EventId, Hash, Position, RecordedEvent, StoreId, StreamName, StreamVersion, TenantId, Timestamp};

use super::StoreError;
use super::postgres::{PostgresBackend, PostgresGroup};
use super::rows;
use super::sqlite::{SqliteBackend, SqliteGroup};
use super::step::{self, Step};
use crate::cursor::Cursor;
use crate::key::{KeyRecord, KeyScope};
use crate::query::Value;
use crate::unit::{Claim, Parameter, Statement, Timer, TimerName};

/// The store's head: what the next group builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) store: StoreId,
    pub(crate) position: Position,
    pub(crate) hash: Hash,
    pub(crate) recorded: Timestamp,
    /// The place of the last published event.
    pub(crate) published: Position,
}

/// A stream: names are unique within a tenant only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamKey {
    /// It comes first: two streams are told apart by it without a look at their names.
    narrow: i64,
    pub(crate) tenant: TenantId,
    pub(crate) stream: StreamName,
}

impl StreamKey {
    pub(crate) fn new(tenant: TenantId, stream: StreamName) -> Self {
        Self { narrow: crate::narrow::hash(&[tenant.as_str(), stream.as_str()]), tenant, stream }
    }

    /// What the index on events is made of.
    pub(crate) const fn narrow(&self) -> i64 {
        self.narrow
    }
}

impl std::hash::Hash for StreamKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.narrow.hash(state);
    }
}

/// The log from an event on, without the events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// That event's place in the chain; `None` if it is not there.
    pub(crate) start: Option<Hash>,
    /// [`StreamKey::narrow`] of the stream of each event behind it, in any order.
    pub(crate) streams: Vec<i64>,
}

/// What a group must know before anything of it is written.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) streams: BTreeSet<StreamKey>,
    pub(crate) keys: BTreeSet<KeyScope>,
    pub(crate) claims: BTreeSet<Claim>,
    pub(crate) timers: BTreeSet<TimerName>,
    pub(crate) consumers: BTreeSet<Box<str>>,
}

/// The newest event of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Newest {
    pub(crate) version: StreamVersion,
    pub(crate) event: EventId,
}

/// What was found; what is not there is absent.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) newest: HashMap<StreamKey, Newest>,
    pub(crate) keys: HashMap<KeyScope, KeyRecord>,
    pub(crate) claims: HashMap<Claim, StreamName>,
    pub(crate) timers: HashMap<TimerName, Timestamp>,
    pub(crate) cursors: HashMap<Box<str>, Cursor>,
}

/// What a group writes. What one unit writes and a later one of the same group changes is here once, in its last form.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) events: Vec<RecordedEvent>,
    /// Keys that were not in the store before.
    pub(crate) keys_new: Vec<KeyRecord>,
    /// Keys that were: state, answer and time of change are written anew.
    pub(crate) keys_changed: Vec<KeyRecord>,
    /// Removed before the new ones are added: a key that was released may be used anew.
    pub(crate) keys_removed: Vec<KeyScope>,
    pub(crate) claims_new: Vec<(Claim, StreamName)>,
    /// Removed before the new ones are added: a claim may change hands.
    pub(crate) claims_removed: Vec<Claim>,
    /// Timers that were not in the store before, and those that were.
    pub(crate) timers_new: Vec<Timer>,
    pub(crate) timers_changed: Vec<Timer>,
    pub(crate) timers_removed: Vec<TimerName>,
    pub(crate) cursors: Vec<(Box<str>, Cursor)>,
    /// Statements on state rows, with the index of their unit in the group, in the order of units.
    pub(crate) statements: Vec<(usize, Statement)>,
}

/// What a group leaves of itself, by which its process learns what became of a commit without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupMark {
    /// Counted up by the process, from 1.
    pub(crate) number: u64,
    /// By the clock: rows of processes that have not written for long are removed.
    pub(crate) written: Timestamp,
}

impl Rows {
    /// The timers that no longer stand as they were parked, if they were.
    pub(crate) fn timers_no_longer_parked(&self) -> Vec<&TimerName> {
        self.timers_removed.iter().chain(self.timers_changed.iter().map(|timer| &timer.name)).collect()
    }
}

/// Writing a group failed. Nothing of it stands if the transaction is given up.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// A statement of this unit changed another number of rows than it must.
    Rows { unit: usize, sql: &'static str, expected: u64, changed: u64 },
    /// A statement of this unit is refused by the database, which itself is well.
    Statement { unit: usize, error: StoreError },
    /// The database refused something else, or cannot be reached.
    Store(StoreError),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A store's database.
#[derive(Debug)]
pub(crate) enum Backend {
    Sqlite(Box<SqliteBackend>),
    Postgres(Box<PostgresBackend>),
}

/// The transaction of a group: it holds the head row.
#[derive(Debug)]
pub(crate) enum Group {
    Sqlite(SqliteGroup),
    Postgres(PostgresGroup),
}

/// Calls the method of whichever store it is.
macro_rules! on_either {
    ($which:expr, $kind:ident, $inner:ident => $call:expr) => {
        match $which {
            $kind::Sqlite($inner) => $call,
            $kind::Postgres($inner) => $call,
        }
    };
}

/// Reads by a connection of the store's readers, whichever store it is.
macro_rules! by_reader {
    ($backend:expr, $connection:ident => $read:expr) => {
        on_either!($backend, Backend, store => {
            let mut reader = store.reader().await?;
            let $connection = &mut *reader;
            $read
        })
    };
}

impl Backend {
    const fn store(&self) -> StoreId {
        on_either!(self, Backend, store => store.store())
    }

    /// Begins a group: waits for those of other processes and locks the head.
    pub(crate) async fn begin(&self) -> Result<Group, StoreError> {
        step::take(Step::Begin, async {
            Ok(match self {
                Self::Sqlite(sqlite) => Group::Sqlite(sqlite.begin().await?),
                Self::Postgres(postgres) => Group::Postgres(postgres.begin().await?),
            })
        })
        .await
    }

    /// The head as readers see it.
    pub(crate) async fn head(&self) -> Result<Head, StoreError> {
        by_reader!(self, connection => rows::head(connection).await)
    }

    /// Events after a position, at most `limit`, without a gap.
    pub(crate) async fn events_after(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        by_reader!(self, connection => rows::events_after(connection, self.store(), after, limit).await)
    }

    /// Published events after a position, at most `limit`.
    pub(crate) async fn published_after(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        by_reader!(self, connection => rows::published_after(connection, self.store(), after, limit).await)
    }

    /// A stream's events after a version, at most `limit`.
    pub(crate) async fn stream_after(
        &self,
        stream: &StreamKey,
        after: StreamVersion,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        by_reader!(self, connection => rows::stream_after(connection, self.store(), stream, after, limit).await)
    }

    /// The key's record.
    pub(crate) async fn key(&self, scope: &KeyScope) -> Result<Option<KeyRecord>, StoreError> {
        by_reader!(self, connection => rows::key(connection, scope).await)
    }

    /// The consumer's cursor.
    pub(crate) async fn cursor(&self, consumer: &str) -> Result<Option<Cursor>, StoreError> {
        by_reader!(self, connection => rows::cursor(connection, consumer).await)
    }

    /// Timers that are due at `now`, earliest first, at most `limit`.
    pub(crate) async fn timers_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Timer>, StoreError> {
        by_reader!(self, connection => rows::timers_due(connection, now, limit).await)
    }

    /// When the next timer is due.
    pub(crate) async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        by_reader!(self, connection => rows::next_due(connection).await)
    }

    /// Rows of the service's own tables.
    pub(crate) async fn query(
        &self,
        sql: &'static str,
        parameters: &[Parameter],
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        by_reader!(self, connection => rows::query(connection, sql, parameters).await)
    }

    /// Removes final keys that changed last before `before`, at most `limit`; gives how many.
    pub(crate) async fn expire_keys(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        on_either!(self, Backend, store => store.expire_keys(before, limit).await)
    }

    /// Whether the group with this number of this process is in the store. Asked after a commit whose answer was lost: it waits
    /// for the head, and so for the end of that commit.
    pub(crate) async fn is_committed(&self, group_number: u64) -> Result<bool, StoreError> {
        let mut group = self.begin().await?;
        let last = group.last_group_number().await?;
        group.give_up().await;
        Ok(last >= group_number)
    }

    /// Closes the connections.
    pub(crate) async fn close(&self) {
        on_either!(self, Backend, store => store.close().await);
    }
}

impl Group {
    /// The head that this group builds on.
    pub(crate) const fn head(&self) -> &Head {
        on_either!(self, Group, group => group.head())
    }

    /// The log from the event at this place to the head, which others have appended.
    pub(crate) async fn stretch_from(&mut self, start: Position) -> Result<Stretch, StoreError> {
        step::take(Step::Find, async {
            match self {
                // Nobody else appends to a SQLite store: what is found there is not the log that was known.
                Self::Sqlite(_) => Ok(Stretch::default()),
                Self::Postgres(group) => group.stretch_from(start).await,
            }
        })
        .await
    }

    /// Reads what the units of the group depend on.
    pub(crate) async fn find(&mut self, wanted: &Wanted) -> Result<Found, StoreError> {
        step::take(Step::Find, async { on_either!(self, Group, group => group.find(wanted).await) }).await
    }

    /// Writes events of the group, before its other rows.
    pub(crate) async fn write_events(&mut self, events: &[RecordedEvent]) -> Result<(), WriteError> {
        if events.is_empty() {
            return Ok(());
        }
        let work = async { on_either!(self, Group, group => group.write_events(events).await) };
        step::take(Step::Write, work).await
    }

    /// Writes the rows, the new head and this process's mark last.
    pub(crate) async fn write(&mut self, rows: &Rows, head: &Head, mark: GroupMark) -> Result<(), WriteError> {
        let work = async { on_either!(self, Group, group => group.write(rows, head, mark).await) };
        step::take(Step::Write, work).await
    }

    /// The number of this process's last committed group; 0 before the first.
    pub(crate) async fn last_group_number(&mut self) -> Result<u64, StoreError> {
        on_either!(self, Group, group => group.last_group_number().await)
    }

    /// Commits. After an error it is not known whether it did.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        step::take(Step::Commit, async { on_either!(self, Group, group => group.commit().await) }).await
    }

    /// Rolls back.
    pub(crate) async fn give_up(self) {
        on_either!(self, Group, group => group.give_up().await);
    }
}
