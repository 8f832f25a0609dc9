//! What must survive: lanes' nonces, signed bytes and outcomes, in one SQLite file.
//!
//! One task owns the connection. It takes whatever is waiting (up to [`GROUP_MAX`] commands) into one transaction, commits, and
//! only then answers: callers share the cost of a sync, and what they were told is on disk. If a group fails, nothing of it is
//! stored and all its callers are told.
//!
//! The SQL is the narrow language that SQLite and PostgreSQL share: `$1`, columns BIGINT, TEXT and BLOB, no sequences. Each
//! statement on a lane checks the lane's fencing token and next nonce, so that a holder that lost its lane stores nothing.

mod rows;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use process_lock::{Holder, ProcessLock, ProcessLockError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub(crate) use self::rows::{Filler, LaneRow, NewTransaction, StoredIntent};
use crate::intent::IntentKey;
use crate::outcome::Outcome;

/// How many commands share one transaction at most.
const GROUP_MAX: usize = 256;

/// How many commands wait at most before callers wait too.
const QUEUE_MAX: usize = 1024;

/// How long an earlier connection of this process may take to close its file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a store belongs to. It is written when the store is made and compared whenever it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) chain_id: u64,
    pub(crate) genesis: B256,
}

/// The store cannot be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreOpenError {
    /// The lock file beside the store cannot be used.
    #[error(transparent)]
    Lock(ProcessLockError),
    /// Another process has the store open. Stop it, or use another store.
    #[error("store `{}` is held by {holder}", path.display())]
    Held {
        /// The store.
        path: PathBuf,
        /// The process, as it wrote itself into the lock file.
        holder: Holder,
    },
    /// The store was made for another ledger. Use a store of its own for each.
    #[error("store `{}` belongs to chain {stored_chain_id} with genesis {stored_genesis}, not to chain {chain_id} with genesis {genesis}", path.display())]
    OfOtherLedger {
        /// The store.
        path: PathBuf,
        /// The chain id it was made for.
        stored_chain_id: String,
        /// The genesis it was made for.
        stored_genesis: String,
        /// The node's chain id.
        chain_id: u64,
        /// The node's genesis.
        genesis: B256,
    },
    /// The store was written by a newer release.
    #[error("store `{}` has schema {found}, this release knows {known}", path.display())]
    Newer {
        /// The store.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that is known.
        known: i64,
    },
    /// SQLite refused.
    #[error("cannot {doing} `{}`", path.display())]
    Sql {
        /// What was tried.
        doing: &'static str,
        /// The store.
        path: PathBuf,
        /// Why not.
        source: sqlx::Error,
    },
}

/// The store cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused. Nothing of the group was stored, unless it is the commit that failed: then that is not known, and
    /// whoever cares reads again.
    #[error("cannot {doing}")]
    Sql {
        /// What was tried.
        doing: &'static str,
        /// Why not.
        source: Arc<sqlx::Error>,
    },
    /// The store's task has ended: the store was closed.
    #[error("the store is closed")]
    Closed,
}

/// How much a commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It survives loss of power.
    Full,
    /// It survives the end of the process. Thousands of simulated lives are no longer bound by the disk.
    #[cfg(test)]
    ProcessOnly,
}

/// What became of a transaction that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is stored, and the lane's nonce moved on. The attempt is the how manieth under its key, from 1.
    Stored { attempt: i64 },
    /// The key is taken by an intent that is not refused. Nothing was stored.
    KeyTaken,
    /// The lane's nonce or token is another than was thought. Nothing was stored.
    LaneMoved,
}

/// The answer to a command, given after the commit.
pub(crate) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;
type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

enum Command {
    OpenLane { sender: Address, nonce_min: u64, reply: Reply<LaneRow> },
    Admit { new: Box<NewTransaction>, reply: Reply<Admission> },
    GiveBack { intent: Box<StoredIntent>, fence: u64, reason: String, reply: Reply<bool> },
    SendAgain { intent: Box<StoredIntent>, reply: Reply<StoredIntent> },
    SendLowerAgain { sender: Address, nonce: u64, reply: Reply<Vec<StoredIntent>> },
    Cancel { intent: Box<StoredIntent>, filler: Filler, reason: String, reply: Reply<()> },
    Settle { intent: Box<StoredIntent>, outcome: Box<Outcome>, reply: Reply<()> },
    Intent { key: IntentKey, reply: Reply<Option<StoredIntent>> },
    OpenIntents { reply: Reply<Vec<StoredIntent>> },
    LastMined { reply: Reply<Vec<(Address, u64)>> },
}

/// A handle on the store's task.
pub(crate) struct Store {
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
    groups: Arc<AtomicU64>,
}

impl Store {
    /// Opens the store, makes it if it is not there, and brings its schema up to date.
    pub(crate) async fn open(path: &Path, identity: Identity, durability: Durability) -> Result<Self, StoreOpenError> {
        let lock = take_lock(path)?;
        let mut connection = connect(path, durability).await.map_err(|source| {
            let path = path.to_owned();
            StoreOpenError::Sql { doing: "open", path, source }
        })?;
        schema::migrate(&mut connection, path).await?;
        schema::check_identity(&mut connection, path, identity).await?;
        let (commands, queue) = mpsc::channel(QUEUE_MAX);
        let groups = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(serve(connection, queue, lock, Arc::clone(&groups)));
        Ok(Self { commands, task, groups })
    }

    /// Finishes what is waiting and closes the file.
    pub(crate) async fn close(mut self) {
        // Without a sender the queue ends, and with it the task.
        self.commands = mpsc::channel(1).0;
        drop((&mut self.task).await);
    }

    /// How many groups were run so far.
    pub(crate) fn groups(&self) -> u64 {
        self.groups.load(Ordering::Relaxed)
    }

    /// Takes the lane: counts its token up, and moves its next nonce to `nonce_min` at least.
    pub(crate) async fn open_lane(&self, sender: Address, nonce_min: u64) -> Result<LaneRow, StoreError> {
        answered(self.ask(|reply| Command::OpenLane { sender, nonce_min, reply }).await).await
    }

    /// Puts the transaction in the queue. Its place there is its place in the lane; the answer comes after the commit.
    pub(crate) async fn enqueue(&self, new: NewTransaction) -> Answer<Admission> {
        let new = Box::new(new);
        self.ask(|reply| Command::Admit { new, reply }).await
    }

    /// Refuses the intent and gives its nonce back, if that is the lane's last and nothing but the intent's first delivery has
    /// begun to send it; says whether it did.
    pub(crate) async fn give_back(&self, intent: &StoredIntent, fence: u64, reason: &str) -> Result<bool, StoreError> {
        let (intent, reason) = (Box::new(intent.clone()), reason.to_owned());
        answered(self.ask(|reply| Command::GiveBack { intent, fence, reason, reply }).await).await
    }

    /// Says that another than the intent's first delivery is about to send it: from now on its nonce is not given back. Gives
    /// the intent as it stands, which may have ended meanwhile; then it must not be sent.
    pub(crate) async fn send_again(&self, intent: &StoredIntent) -> Result<StoredIntent, StoreError> {
        let intent = Box::new(intent.clone());
        answered(self.ask(|reply| Command::SendAgain { intent, reply }).await).await
    }

    /// The same for all of the sender's intents without an end and with a lower nonce; gives them in the order of nonces.
    pub(crate) async fn send_lower_again(&self, sender: Address, nonce: u64) -> Result<Vec<StoredIntent>, StoreError> {
        answered(self.ask(|reply| Command::SendLowerAgain { sender, nonce, reply }).await).await
    }

    /// Stores the empty transaction that is to use the intent's nonce instead of it.
    pub(crate) async fn cancel(&self, intent: &StoredIntent, filler: Filler, reason: &str) -> Result<(), StoreError> {
        let (intent, reason) = (Box::new(intent.clone()), reason.to_owned());
        answered(self.ask(|reply| Command::Cancel { intent, filler, reason, reply }).await).await
    }

    /// Stores how the intent ended.
    pub(crate) async fn settle(&self, intent: &StoredIntent, outcome: &Outcome) -> Result<(), StoreError> {
        let (intent, outcome) = (Box::new(intent.clone()), Box::new(outcome.clone()));
        answered(self.ask(|reply| Command::Settle { intent, outcome, reply }).await).await
    }

    /// The newest attempt at the intent.
    pub(crate) async fn intent(&self, key: &IntentKey) -> Result<Option<StoredIntent>, StoreError> {
        let key = key.clone();
        answered(self.ask(|reply| Command::Intent { key, reply }).await).await
    }

    /// The intents without an end, by sender and nonce.
    pub(crate) async fn open_intents(&self) -> Result<Vec<StoredIntent>, StoreError> {
        answered(self.ask(|reply| Command::OpenIntents { reply }).await).await
    }

    /// The highest nonce of each sender that was seen mined.
    pub(crate) async fn last_mined(&self) -> Result<Vec<(Address, u64)>, StoreError> {
        answered(self.ask(|reply| Command::LastMined { reply }).await).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        // If the task has ended, the reply is dropped with the command, and the answer says so.
        drop(self.commands.send(command(reply)).await);
        answer
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits for the answer to a command.
pub(crate) async fn answered<T>(answer: Answer<T>) -> Result<T, StoreError> {
    answer.await.unwrap_or(Err(StoreError::Closed))
}

fn sql(doing: &'static str, source: sqlx::Error) -> StoreError {
    StoreError::Sql { doing, source: Arc::new(source) }
}

/// Takes the lock beside the store, or says who has it.
fn take_lock(path: &Path) -> Result<ProcessLock, StoreOpenError> {
    ProcessLock::take_beside(path).map_err(|error| match error {
        ProcessLockError::Held { holder, .. } => StoreOpenError::Held { path: path.to_owned(), holder },
        unusable @ ProcessLockError::Io { .. } => StoreOpenError::Lock(unusable),
    })
}

async fn connect(path: &Path, durability: Durability) -> Result<SqliteConnection, sqlx::Error> {
    let synchronous = match durability {
        Durability::Full => SqliteSynchronous::Full,
        #[cfg(test)]
        Durability::ProcessOnly => SqliteSynchronous::Off,
    };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .locking_mode(SqliteLockingMode::Exclusive)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    SqliteConnection::connect_with(&options).await
}

/// Serves commands until the last handle is gone. The lock is released after the connection.
async fn serve(
    mut connection: SqliteConnection,
    mut queue: mpsc::Receiver<Command>,
    lock: ProcessLock,
    groups: Arc<AtomicU64>,
) {
    let mut group = Vec::new();
    while queue.recv_many(&mut group, GROUP_MAX).await > 0 {
        let mut steps = Vec::with_capacity(group.len());
        let _ = groups.fetch_add(1, Ordering::Relaxed);
        let run = run_group(&mut connection, group.drain(..), &mut steps);
        #[cfg(test)]
        let run = std::future::ready(crate::simulation::at_once(run));
        let failure = run.await.err();
        if let Some(error) = &failure {
            tracing::error!(%error, "a group of the store was not committed");
        }
        for finish in steps {
            finish(failure.clone());
        }
    }
    drop(connection.close().await);
    drop(lock);
}

type Finish = Box<dyn FnOnce(Option<StoreError>) + Send>;

async fn run_group(
    connection: &mut SqliteConnection,
    group: impl Iterator<Item = Command>,
    steps: &mut Vec<Finish>,
) -> Result<(), StoreError> {
    let mut failure = None;
    let mut transaction = match connection.begin().await {
        Ok(transaction) => Some(transaction),
        Err(source) => {
            failure = Some(sql("begin a transaction", source));
            None
        }
    };
    for command in group {
        let Some(open) = transaction.as_mut() else {
            steps.push(refused(command));
            continue;
        };
        let (finish, error) = run(open, command).await;
        steps.push(finish);
        if let Some(source) = error {
            failure = Some(sql("run a statement of the store", source));
            drop(transaction.take());
        }
    }
    match transaction {
        Some(open) => open.commit().await.map_err(|source| sql("commit to the store", source)),
        None => Err(failure.unwrap_or(StoreError::Closed)),
    }
}

/// Runs one command inside the group's transaction and keeps its answer back until the group has ended.
async fn run(connection: &mut SqliteConnection, command: Command) -> (Finish, Option<sqlx::Error>) {
    match command {
        Command::OpenLane { sender, nonce_min, reply } => {
            keep(reply, rows::open_lane(connection, sender, nonce_min).await)
        }
        Command::Admit { new, reply } => keep(reply, rows::admit(connection, &new).await),
        Command::GiveBack { intent, fence, reason, reply } => {
            keep(reply, rows::give_back(connection, &intent, fence, &reason).await)
        }
        Command::SendAgain { intent, reply } => keep(reply, rows::send_again(connection, &intent).await),
        Command::SendLowerAgain { sender, nonce, reply } => {
            keep(reply, rows::send_lower_again(connection, sender, nonce).await)
        }
        Command::Cancel { intent, filler, reason, reply } => {
            keep(reply, rows::cancel(connection, &intent, &filler, &reason).await)
        }
        Command::Settle { intent, outcome, reply } => keep(reply, rows::settle(connection, &intent, &outcome).await),
        Command::Intent { key, reply } => keep(reply, rows::intent(connection, &key).await),
        Command::OpenIntents { reply } => keep(reply, rows::open_intents(connection).await),
        Command::LastMined { reply } => keep(reply, rows::last_mined(connection).await),
    }
}

fn keep<T: Send + 'static>(reply: Reply<T>, result: Result<T, sqlx::Error>) -> (Finish, Option<sqlx::Error>) {
    match result {
        Ok(value) => (Box::new(move |failure| drop(reply.send(failure.map_or(Ok(value), Err)))), None),
        Err(error) => (fail(reply), Some(error)),
    }
}

fn fail<T: Send + 'static>(reply: Reply<T>) -> Finish {
    Box::new(move |failure| drop(reply.send(Err(failure.unwrap_or(StoreError::Closed)))))
}

fn refused(command: Command) -> Finish {
    match command {
        Command::OpenLane { reply, .. } => fail(reply),
        Command::Admit { reply, .. } => fail(reply),
        Command::GiveBack { reply, .. } => fail(reply),
        Command::SendAgain { reply, .. } => fail(reply),
        Command::SendLowerAgain { reply, .. } => fail(reply),
        Command::Cancel { reply, .. } => fail(reply),
        Command::Settle { reply, .. } => fail(reply),
        Command::Intent { reply, .. } => fail(reply),
        Command::OpenIntents { reply } => fail(reply),
        Command::LastMined { reply } => fail(reply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn opened(folder: &tempfile::TempDir) -> Store {
        let identity = Identity { chain_id: 1337, genesis: B256::ZERO };
        Store::open(&folder.path().join("chain.db"), identity, Durability::ProcessOnly).await.unwrap()
    }

    /// Stores an intent as the first of its lane.
    async fn admitted(store: &Store, sender: Address) -> (StoredIntent, LaneRow) {
        let row = store.open_lane(sender, 0).await.unwrap();
        let key = IntentKey::parse(&sender.to_string()).unwrap();
        let (hash, raw) = (B256::repeat_byte(1), vec![1].into());
        let (fingerprint, subject, nonce, fence) = (B256::ZERO, String::new(), row.next_nonce, row.fence);
        let created_address = None;
        let new =
            NewTransaction { key: key.clone(), fingerprint, subject, sender, nonce, fence, hash, raw, created_address };
        assert_eq!(answered(store.enqueue(new).await).await.unwrap(), Admission::Stored { attempt: 1 });
        (store.intent(&key).await.unwrap().unwrap(), row)
    }

    #[tokio::test]
    async fn a_nonce_is_given_back_or_its_bytes_are_sent_again_and_never_both() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(&folder).await;
        let (given_back, row) = admitted(&store, Address::repeat_byte(1)).await;
        assert!(store.give_back(&given_back, row.fence, "no").await.unwrap());
        assert!(store.send_again(&given_back).await.unwrap().is_refused());
        assert!(store.send_lower_again(given_back.sender, 1).await.unwrap().is_empty());

        let (sent_again, row) = admitted(&store, Address::repeat_byte(2)).await;
        assert!(store.send_again(&sent_again).await.unwrap().outcome.is_none());
        assert!(!store.give_back(&sent_again, row.fence, "no").await.unwrap());

        let (lower, row) = admitted(&store, Address::repeat_byte(3)).await;
        assert_eq!(store.send_lower_again(lower.sender, 1).await.unwrap().len(), 1);
        assert!(!store.give_back(&lower, row.fence, "no").await.unwrap());
    }
}
