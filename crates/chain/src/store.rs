//! What must survive: lanes' nonces, signed bytes and outcomes. A store of the journal: the log tells what happened in each
//! lane, and the state rows beside it, written in the same unit of work, are what lanes decide on.
//!
//! What a caller was told is on disk. Each statement on a lane checks the lane's fencing token and next nonce, so that a holder
//! that lost its lane stores nothing and so sends nothing new.
//!
//! A SQLite store belongs to one process. In PostgreSQL several share one: a lane then has one holder at a time, by a lease on
//! the database's clock, and another process takes it when the lease has run out. The lease only says who may try; what keeps
//! two holders apart is the token.

mod audit;
mod ends;
mod event;
mod lease;
mod look;
mod pause;
mod requests;
mod retirement;
mod rows;
mod schema;
mod spent;
#[cfg(test)]
mod still;
mod watch;

use std::pin::Pin;

use alloy_primitives::{Address, B256};
use custody::policy::UnixTime;
use journal::store::Durability;
use journal::{
    AppendError, Cause, Expected, NewEvent, OpenError, Parameter, Place, Refusal, Statement, StoreConfig, UnitOfWork,
};
use messages::ledger::TransactionEnded;
use messages::{Actor, CommandId, NameError, PayloadError, StreamName, TenantId};

pub use self::audit::{AuditError, state_differences};
pub(crate) use self::ends::Brought;
pub(crate) use self::event::LaneEvent;
pub use self::lease::LEASE;
use self::lease::Lease;
pub(crate) use self::pause::PauseChange;
pub(crate) use self::requests::{Origin, Placed, RequestRefusal, RequestedBy, WaitingRequest};
pub(crate) use self::retirement::Carried;
pub(crate) use self::rows::{Bar, Filler, LaneRow, NewTransaction, StoredIntent};
use self::rows::{Cells, bytes, damaged, kept, number, text};
pub use self::schema::STATE_ROWS;
pub(crate) use self::spent::PolicyMark;
pub(crate) use self::watch::{LogRun, WATCHED_MAX, runs};
use crate::intent::{Intent, IntentKey};
use crate::outcome::Outcome;

/// Whose the log of a network's transactions is: nobody's in particular.
const TENANT: &str = "platform";

/// Who writes it.
const ACTOR: &str = "chain";

/// How many open intents are read at once.
const PAGE_ROWS_MAX: i64 = 1_000;

/// What a store belongs to. It is written when the store is made and compared whenever it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) chain_id: u64,
    pub(crate) genesis: B256,
}

/// The store cannot be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreOpenError {
    /// It is held by another process, is a newer release's, or the database refuses.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The store was made for another ledger. Use a store of its own for each.
    #[error(
        "store `{store}` belongs to chain {stored_chain_id} with genesis {stored_genesis}, not to chain {chain_id} with genesis {genesis}"
    )]
    OfOtherLedger {
        /// The store's name, without secrets.
        store: String,
        /// The chain id it was made for.
        stored_chain_id: String,
        /// The genesis it was made for.
        stored_genesis: String,
        /// The node's chain id.
        chain_id: u64,
        /// The node's genesis.
        genesis: B256,
    },
    /// The store opens, but cannot be read or written.
    #[error("cannot read or write what store `{store}` belongs to")]
    Identity {
        /// The store's name, without secrets.
        store: String,
        /// Why not.
        source: StoreError,
    },
}

/// The store could not be written or read. What was to be written may be there or not: whoever cares reads again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It was not written, or that is not known.
    #[error("cannot write to the store")]
    Append(#[source] AppendError),
    /// It could not be read.
    #[error("cannot read the store")]
    Read(#[source] journal::StoreError),
    /// What was to be told in the log is no event: a defect of this program.
    #[error("cannot write an event")]
    Event(#[source] PayloadError),
    /// A name of this program is none: a defect of it.
    #[error("cannot name a stream")]
    Name(#[source] NameError),
    /// A row is not what was written: somebody changed the database.
    #[error("a {what} in the store is damaged: {why}")]
    Damaged {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// The lane was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TakeError {
    /// Another process has it.
    #[error("another process holds the lane")]
    Held,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a transaction that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is stored, and the lane's nonce moved on.
    Stored,
    /// The lane's nonce or token is another than was thought, or the key is not free for this attempt. Nothing was stored.
    NotStored,
}

/// A transaction with a place in the store's queue.
pub(crate) struct Pending(Pin<Box<dyn Future<Output = Result<bool, StoreError>> + Send>>);

impl Pending {
    /// Waits until it is stored or not.
    pub(crate) async fn admitted(self) -> Result<Admission, StoreError> {
        Ok(if self.0.await? { Admission::Stored } else { Admission::NotStored })
    }
}

/// A handle on the store.
pub(crate) struct Store {
    journal: journal::Store,
    genesis: B256,
    tenant: TenantId,
    actor: Actor,
    lease: Lease,
    #[cfg(test)]
    still: still::Still,
    /// A planted defect: a lane's holder uses whatever token stands in the store.
    #[cfg(test)]
    pub(crate) is_unfenced: bool,
}

impl Store {
    /// Opens the store, makes it if it is not there, and brings its tables up to date.
    pub(crate) async fn open(
        place: &Place,
        identity: Identity,
        durability: Durability,
    ) -> Result<Self, StoreOpenError> {
        #[cfg(test)]
        let still = still::Still::of(durability);
        let config = StoreConfig { durability, state_rows: &[STATE_ROWS], ..StoreConfig::at(place.clone()) };
        let opening = journal::Store::open(&config);
        #[cfg(test)]
        let opening = still.until(opening);
        let store = Self::of(
            opening.await?,
            identity.genesis,
            #[cfg(test)]
            still,
        );
        match store.check_identity(place, identity).await {
            Ok(()) => Ok(store),
            Err(error) => {
                // Its lock is free when the caller knows.
                store.close().await;
                Err(error)
            }
        }
    }

    fn of(journal: journal::Store, genesis: B256, #[cfg(test)] still: still::Still) -> Self {
        Self {
            lease: Lease::new(&journal),
            journal,
            genesis,
            // Names of this program, which a test reads.
            tenant: TenantId::parse(TENANT).expect("the tenant's name is one"),
            actor: Actor::new(ACTOR, ACTOR, None).expect("the actor's name is one"),
            #[cfg(test)]
            still,
            #[cfg(test)]
            is_unfenced: false,
        }
    }

    /// Finishes what is waiting, gives the lanes free and closes the database.
    pub(crate) async fn close(self) {
        self.lease.release(&self).await;
        self.journal.close().await;
    }

    /// Takes the lane: counts its token up, and moves its next nonce to `nonce_min` at least. Whoever was queued before this is
    /// counted in.
    pub(crate) async fn take_lane(&self, sender: Address, nonce_min: u64) -> Result<LaneRow, TakeError> {
        let mut unit = self.telling(sender, &[LaneEvent::taken(sender, &self.lease.holder(), nonce_min)])?;
        let _ = unit.statement(self.lease.take(sender, nonce_min)?);
        if !self.run(unit).await? {
            return Err(TakeError::Held);
        }
        let sql = "SELECT next_nonce, fence FROM chain_lanes WHERE sender = $1 AND holder = $2";
        let found = self.read(sql, &[bytes(sender), bytes(self.lease.holder())]).await?;
        let mut row = Cells(found.into_iter().next().ok_or(TakeError::Held)?.into_iter());
        let (next_nonce, fence) = (row.unsigned()?, row.unsigned()?);
        Ok(LaneRow { next_nonce, fence, spent: self.spent(sender).await?, bar: self.bar(sender).await? })
    }

    /// Puts the transaction in the queue. Its place there is its place in the lane; the answer comes after the commit.
    pub(crate) async fn enqueue(&self, new: &NewTransaction) -> Result<Pending, StoreError> {
        #[cfg(test)]
        let new = &self.planted(new).await?;
        let approved = (!new.approvals.is_empty()).then(|| LaneEvent::approved(new));
        let told: Vec<LaneEvent> = approved.into_iter().chain([LaneEvent::signed(new)]).collect();
        let origin = new.requested.as_ref().map(|requested| &requested.origin);
        let mut unit = self.telling_of(origin, new.sender, &told)?;
        let _ = unit.statement(rows::move_lane(new)?).statement(rows::insert(new, self.journal.clock().now())?);
        if new.requested.is_some() {
            let _ = unit.statement(requests::no_longer_waiting(&new.key, new.sender));
        }
        if let Some((before, now)) = &new.spent {
            spent::spend(&mut unit, new.sender, before, now)?;
        }
        let queued = self.journal.enqueue(unit).await.map_err(StoreError::Append)?;
        let answer = async move { moved(queued.committed().await) };
        #[cfg(test)]
        let answer = self.still.beside(answer);
        Ok(Pending(Box::pin(answer)))
    }

    /// Refuses the intent and gives its nonce back, if that is the lane's last and nothing but the intent's first delivery has
    /// begun to send it; says whether it did.
    pub(crate) async fn give_back(&self, intent: &StoredIntent, fence: u64, reason: &str) -> Result<bool, StoreError> {
        let reason = kept(reason);
        let mut unit = self.publishing(intent, &event::refused(intent, &reason))?;
        let _ = unit.statement(rows::move_lane_back(intent, fence)?).statement(rows::refuse(intent, &reason));
        self.run(unit).await
    }

    /// Says that another than the intent's first delivery is about to send it: from now on its nonce is not given back. Gives
    /// the intent as it stands, which may have ended meanwhile; then it must not be sent.
    pub(crate) async fn send_again(&self, intent: &StoredIntent) -> Result<StoredIntent, StoreError> {
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(rows::mark_sent_again(intent));
        let _ = self.run(unit).await?;
        self.attempt(intent).await
    }

    /// The same for the sender's lowest intents without an end, at most `limit`, with nonces from `from` on and below `below`;
    /// gives them in the order of nonces.
    pub(crate) async fn announce_open(
        &self,
        sender: Address,
        from: u64,
        below: u64,
        limit: u64,
    ) -> Result<Vec<StoredIntent>, StoreError> {
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(rows::mark_open_sent_again(sender, from, below, limit)?);
        let _ = self.run(unit).await?;
        let parameters = [bytes(sender), number(from)?, rows::nonce_end(below), number(limit)?];
        self.read(rows::SENT_AGAIN, &parameters).await?.into_iter().map(rows::read).collect()
    }

    /// The attempt as it stands now.
    pub(crate) async fn attempt(&self, intent: &StoredIntent) -> Result<StoredIntent, StoreError> {
        let found = self.read(rows::ATTEMPT, &[text(intent.key.as_str()), Parameter::Integer(intent.attempt)]).await?;
        rows::read(found.into_iter().next().ok_or_else(|| damaged("intent", "its row is gone"))?)
    }

    /// Gives the lane free, if it is held with this token.
    pub(crate) async fn release_lane(&self, sender: Address, fence: u64) {
        let Ok(fence) = number(fence) else { return };
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(Statement {
            sql: "UPDATE chain_lanes SET holder = $3, leased_until_us = 0 WHERE sender = $1 AND fence = $2",
            parameters: vec![bytes(sender), fence, Parameter::Bytes(Vec::new())],
            rows_expected: None,
        });
        if let Err(error) = self.run(unit).await {
            tracing::warn!(%sender, %error, "a lane is not given free, others wait for its lease to run out");
        }
    }

    /// Tells the log that a policy refused an intent.
    pub(crate) async fn tell_refused(
        &self,
        sender: Address,
        intent: &Intent,
        refusal: &custody::policy::Refusal,
        origin: Option<&Origin>,
    ) -> Result<(), StoreError> {
        let unit = self.telling_of(origin, sender, &[LaneEvent::policy_refused(sender, intent, refusal)])?;
        self.run(unit).await.map(|_| ())
    }

    /// The store's clock, as policies read it.
    pub(crate) fn now(&self) -> UnixTime {
        crate::policy::seconds(self.journal.clock().now().micros())
    }

    /// Stores the empty transaction that is to use the intent's nonce instead of it; says whether it did. It does not if the
    /// intent has ended, another filler is stored, or the lane is somebody else's.
    pub(crate) async fn cancel(
        &self,
        intent: &StoredIntent,
        fence: u64,
        filler: &Filler,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let reason = kept(reason);
        let told = [LaneEvent::cancelling(intent, filler, &reason)];
        let mut unit = self.telling_of(intent.origin.as_deref(), intent.sender, &told)?;
        let _ = unit.statement(rows::cancel(intent, fence, filler, &reason)?);
        self.run(unit).await
    }

    /// Stores the same at a higher price; says whether it did. It does not if the intent has ended or is being cancelled, somebody
    /// else has made it dearer, or the lane is somebody else's.
    pub(crate) async fn reprice(
        &self,
        intent: &StoredIntent,
        fence: u64,
        dearer: &StoredIntent,
    ) -> Result<bool, StoreError> {
        let told = [LaneEvent::repriced(intent, dearer)];
        let mut unit = self.telling_of(intent.origin.as_deref(), intent.sender, &told)?;
        let _ = unit.statement(rows::reprice(intent, fence, dearer)?);
        self.run(unit).await
    }

    /// Stores how the intent ended, and publishes it. An end that is stored already stays.
    pub(crate) async fn settle(&self, intent: &StoredIntent, outcome: &Outcome) -> Result<(), StoreError> {
        let (ended, statement) = end(intent, outcome)?;
        let mut unit = self.publishing(intent, &ended)?;
        let _ = unit.statement(statement);
        self.run(unit).await.map(|_| ())
    }

    /// The newest attempt at the intent.
    pub(crate) async fn intent(&self, key: &IntentKey) -> Result<Option<StoredIntent>, StoreError> {
        let found = self.read(rows::NEWEST, &[text(key.as_str())]).await?;
        found.into_iter().next().map(rows::read).transpose()
    }

    /// Keys of the intents without an end, by sender and nonce.
    pub(crate) async fn open_keys(&self) -> Result<Vec<IntentKey>, StoreError> {
        let (mut keys, mut after) = (Vec::new(), (Vec::new(), -1));
        loop {
            let parameters =
                [Parameter::Bytes(after.0.clone()), Parameter::Integer(after.1), Parameter::Integer(PAGE_ROWS_MAX)];
            let page = self.read(rows::OPEN_KEYS, &parameters).await?;
            let is_last = page.len() < usize::try_from(PAGE_ROWS_MAX).unwrap_or(usize::MAX);
            for row in page {
                let mut row = Cells(row.into_iter());
                keys.push(IntentKey::stored(row.text()?));
                after = (row.bytes()?, row.integer()?);
            }
            if is_last {
                return Ok(keys);
            }
        }
    }

    /// The highest nonce of each sender that was seen mined.
    pub(crate) async fn last_mined(&self) -> Result<Vec<(Address, u64)>, StoreError> {
        let sql = "SELECT sender, MAX(nonce) FROM chain_intents WHERE state = 'mined' GROUP BY sender";
        let row = |row: Vec<_>| {
            let mut row = Cells(row.into_iter());
            Ok((row.address()?, row.unsigned()?))
        };
        self.read(sql, &[]).await?.into_iter().map(row).collect()
    }

    /// What a process does that is stopped for a while: its leases run out.
    #[cfg(test)]
    pub(crate) fn freeze(&self) {
        self.lease.freeze();
    }

    /// What the log tells, from a place on.
    #[cfg(test)]
    pub(crate) async fn events(&self, after: messages::Position) -> Vec<messages::RecordedEvent> {
        self.journal.events_after(after, 1_000).await.unwrap_or_default()
    }

    #[cfg(test)]
    async fn planted(&self, new: &NewTransaction) -> Result<NewTransaction, StoreError> {
        let mut new = new.clone();
        if self.is_unfenced {
            let found = self.read("SELECT fence FROM chain_lanes WHERE sender = $1", &[bytes(new.sender)]).await?;
            new.fence = Cells(found.into_iter().next().unwrap_or_default().into_iter()).unsigned()?;
        }
        Ok(new)
    }

    async fn check_identity(&self, place: &Place, identity: Identity) -> Result<(), StoreOpenError> {
        let store = place.short_name();
        let found = self.identity(identity).await;
        let (stored_chain_id, stored_genesis) =
            found.map_err(|source| StoreOpenError::Identity { store: store.clone(), source })?;
        let Identity { chain_id, genesis } = identity;
        if (stored_chain_id.as_str(), stored_genesis.as_str()) == (&*chain_id.to_string(), &*genesis.to_string()) {
            return Ok(());
        }
        Err(StoreOpenError::OfOtherLedger { store, stored_chain_id, stored_genesis, chain_id, genesis })
    }

    /// What the store belongs to: the ledger given, if nothing was written before.
    async fn identity(&self, identity: Identity) -> Result<(String, String), StoreError> {
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(Statement {
            sql: "INSERT INTO chain_ledger (id, chain_id, genesis) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING",
            parameters: vec![text(&identity.chain_id.to_string()), text(&identity.genesis.to_string())],
            rows_expected: None,
        });
        let _ = self.run(unit).await?;
        let found = self.read("SELECT chain_id, genesis FROM chain_ledger WHERE id = 1", &[]).await?;
        let row = found.into_iter().next().ok_or_else(|| damaged("ledger", "its row is gone"))?;
        let mut row = Cells(row.into_iter());
        Ok((row.text()?, row.text()?))
    }

    /// Block 0 of the ledger that the store belongs to.
    pub(crate) fn genesis(&self) -> B256 {
        self.genesis
    }

    fn command(&self) -> CommandId {
        self.journal.entropy().command_id(self.journal.clock().now())
    }

    /// Because of what something is written: of the request for it, or of nothing that is known here.
    fn cause(&self, origin: Option<&Origin>) -> Result<Cause, StoreError> {
        match origin {
            Some(origin) => origin.cause(self.command()),
            None => Ok(Cause::beginning(self.tenant.clone(), self.actor.clone(), self.command())),
        }
    }

    /// A unit that tells the lane's stream what happened in it.
    fn telling(&self, sender: Address, events: &[LaneEvent]) -> Result<UnitOfWork, StoreError> {
        self.telling_of(None, sender, events)
    }

    /// The same of an intent that was requested.
    fn telling_of(
        &self,
        origin: Option<&Origin>,
        sender: Address,
        events: &[LaneEvent],
    ) -> Result<UnitOfWork, StoreError> {
        let appended = |event: &LaneEvent| event.appended(self.journal.event_id()).map_err(StoreError::Event);
        self.unit(origin, sender, events.iter().map(appended).collect::<Result<_, _>>()?)
    }

    /// A unit that tells everybody how a transaction ended.
    fn publishing(&self, intent: &StoredIntent, ended: &TransactionEnded) -> Result<UnitOfWork, StoreError> {
        let appended = event::ended(ended, self.journal.event_id()).map_err(StoreError::Event)?;
        self.unit(intent.origin.as_deref(), intent.sender, vec![appended])
    }

    /// A unit with events for the lane's stream, in the tenant of whoever asked. What is decided here is decided on state rows, so
    /// the stream may stand anywhere.
    fn unit(&self, origin: Option<&Origin>, sender: Address, events: Vec<NewEvent>) -> Result<UnitOfWork, StoreError> {
        let mut unit = UnitOfWork::new();
        let _ = unit.append(&self.cause(origin)?, lane_stream(sender)?, Expected::Any, events);
        Ok(unit)
    }

    /// Commits a unit, or says that its state rows are not what was thought.
    async fn run(&self, unit: UnitOfWork) -> Result<bool, StoreError> {
        let appending = self.journal.append(unit);
        #[cfg(test)]
        let appending = self.still.until(appending);
        moved(appending.await)
    }

    async fn read(&self, sql: &'static str, parameters: &[Parameter]) -> Result<Vec<Vec<journal::Value>>, StoreError> {
        let reading = self.journal.rows(sql, parameters);
        #[cfg(test)]
        let reading = self.still.until(reading);
        reading.await.map_err(StoreError::Read)
    }
}

/// The stream that tells of the sender's lane.
fn lane_stream(sender: Address) -> Result<StreamName, StoreError> {
    StreamName::parse(&event::stream(sender)).map_err(StoreError::Name)
}

/// How the intent ended, as it is told and as its row says it.
fn end(intent: &StoredIntent, outcome: &Outcome) -> Result<(TransactionEnded, Statement), StoreError> {
    Ok(match outcome {
        Outcome::Mined(mined) => (event::mined(intent, mined), rows::settle(intent, mined)?),
        Outcome::Refused(refusal) => {
            let reason = kept(&refusal.reason);
            (event::refused(intent, &reason), rows::refuse(intent, &reason))
        }
    })
}

/// Whether the unit was committed; not if a statement found other rows than it must.
fn moved(appended: Result<journal::Appended, AppendError>) -> Result<bool, StoreError> {
    match appended {
        Ok(_) => Ok(true),
        Err(AppendError::Refused(Refusal::StateRows { .. })) => Ok(false),
        Err(error) => Err(StoreError::Append(error)),
    }
}

#[cfg(test)]
pub(crate) mod tests;
