//! One network through one node, with one store: what a process opens at its start.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use custody::{Custody, KeyLabel, Network, Purpose, UnknownKey};
use journal::store::Durability;
use journal::{Feed, Place};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::follower::Cursor;
use crate::head::HeadWatch;
use crate::intent::IntentKey;
use crate::keeper::{Keeper, Keeping};
use crate::lane::Lane;
use crate::profile::Profile;
use crate::resend::Spoken;
use crate::retirement::KeyRetirement;
use crate::rpc::{At, Rpc, RpcError};
use crate::settlement::Waiters;
use crate::store::{Identity, LaneRow, Store, StoreError, StoreOpenError, TakeError};
use crate::transport::RpcTransport;
use crate::window::Windows;

/// The platform's way to one network. Cheap to clone; all clones share the store.
#[derive(Clone)]
pub struct Chain {
    pub(crate) core: Arc<Core>,
}

/// What [`Chain`] and its [`Lane`]s share.
pub(crate) struct Core {
    pub(crate) profile: Profile,
    pub(crate) rpc: Arc<Rpc>,
    pub(crate) store: Store,
    pub(crate) custody: Arc<Custody>,
    pub(crate) head: HeadWatch,
    /// Counts up whenever an intent ends or begins to be cancelled other than by whoever waits for it.
    pub(crate) turns: watch::Sender<u64>,
    pub(crate) wrong_hashes: AtomicU64,
    /// Those who wait for ends that are stored from followed blocks.
    pub(crate) waiters: Waiters,
    /// How many follow the ledger and store ends: whoever waits need not look at each head then.
    pub(crate) followers: AtomicUsize,
    /// Why nothing is sent or looked for any more: the ledger is another than was followed.
    stopped: OnceLock<String>,
    /// Which lanes are spoken for after a silence.
    pub(crate) spoken: Spoken,
    /// How much of each lane is offered.
    pub(crate) windows: Windows,
    pub(crate) too_far_ahead: AtomicU64,
    /// Has the lanes' keepers rest while this is closed.
    pub(crate) keeping: Keeping,
    /// What the lanes' keepers work on.
    pub(crate) me: OnceLock<Weak<Self>>,
    lanes: Mutex<HashMap<Address, Arc<LaneState>>>,
    pub(crate) recovered: AtomicUsize,
    #[cfg(test)]
    pub(crate) mutant: Option<crate::simulation::Mutant>,
}

/// A lane as this process holds it.
pub(crate) struct LaneState {
    pub(crate) label: KeyLabel,
    pub(crate) sender: Address,
    /// What the store says, and what was queued for it since. Held across the wait for a place in the store's queue, because
    /// places in the queue must come in the order of nonces.
    pub(crate) row: Mutex<LaneRow>,
    /// Why nothing new may be sent.
    pause: std::sync::Mutex<Option<String>>,
    /// The transaction that was found to be slow last.
    slow: std::sync::Mutex<Option<B256>>,
    pub(crate) keeper: OnceLock<Keeper>,
}

impl LaneState {
    pub(crate) fn pause(&self, reason: &str) {
        tracing::error!(sender = %self.sender, reason, "the lane is paused");
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
    }

    pub(crate) fn paused(&self) -> Option<String> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that the transaction is slow; says whether it was found so before.
    pub(crate) fn is_slow_again(&self, hash: B256) -> bool {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner).replace(hash) == Some(hash)
    }

    pub(crate) fn resume(&self) {
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What an operator wants counted. All are totals since this process opened the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Answers of the node in no row of the table; each is in the log.
    pub unknown_answers: u64,
    /// Times that the node named another hash than that of the transaction it was given.
    pub wrong_hashes: u64,
    /// Transactions that were stored without an end when their lane was taken, and sent again.
    pub recovered: usize,
    /// Offers that the node refused because it has too many of the sender: what lanes learn their windows from.
    pub too_far_ahead: u64,
    /// Stored transactions that wait now for the ledger or their lane's window to move, before they are offered.
    pub held_back: usize,
}

/// The chain cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Custody was opened for another network than the profile's.
    #[error("custody signs for profile `{}` with chain id {}, not for profile `{}` with chain id {}", custody.profile, custody.chain_id, profile.profile, profile.chain_id)]
    OtherCustody {
        /// Custody's network.
        custody: Network,
        /// The profile's.
        profile: Network,
    },
    /// The node did not say what it is. Is it running, and at this URL?
    #[error("the node does not answer")]
    Node {
        /// What happened.
        source: RpcError,
    },
    /// The node is on another chain.
    #[error("the node is on chain {found}, the profile is for chain {expected}")]
    NodeOfOtherChain {
        /// The node's chain id.
        found: u64,
        /// The profile's.
        expected: u64,
    },
    /// The node has no block 0.
    #[error("the node has no genesis block")]
    NoGenesis,
    /// The node counts a block that it does not have. Is it starting, or are several nodes behind its address?
    #[error("the node has no block {number}, up to which it says it has all")]
    NoBlock {
        /// Its number.
        number: u64,
    },
    /// The ledger knows less than the store saw: its data was replaced or rewound. Use a store of its own for it.
    #[error(
        "the ledger knows {ledger_count} transactions of {sender}, the store saw number {store_count} mined: the ledger's data was replaced or rewound"
    )]
    LedgerRewound {
        /// The sender.
        sender: Address,
        /// How many transactions the ledger knows of it.
        ledger_count: u64,
        /// How many the store saw mined, at least.
        store_count: u64,
    },
    /// The store cannot be opened.
    #[error("cannot open the store")]
    Store(#[source] StoreOpenError),
    /// The store cannot be read or written.
    #[error("cannot read or write the store")]
    Read(#[source] StoreError),
}

/// A lane cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// Custody has no such key.
    #[error("the lane has no key")]
    Key(#[source] UnknownKey),
    /// The node did not say how many transactions the sender has.
    #[error("the node does not say the sender's nonce")]
    Node {
        /// What happened.
        source: RpcError,
    },
    /// Another process that shares the store has the lane. It can be taken when that one closes it, or [`LEASE`] after it
    /// died: see [`Chain::lane_when_free`].
    ///
    /// [`LEASE`]: crate::LEASE
    #[error("another process holds the lane of {sender}")]
    Held {
        /// The sender.
        sender: Address,
    },
    /// The key's policy is another than the one under which it was used, or it has none any more. Give it that one, or have two
    /// persons change it: [`Chain::change_policy`].
    #[error("{}", policy_words(label, *stored, *found))]
    OtherPolicy {
        /// The key.
        label: KeyLabel,
        /// Version of the policy that the key was used under.
        stored: u64,
        /// That of the policy that it has now, if it has one.
        found: Option<u64>,
    },
    /// The key is retired, for ever: use its successor. What was stored in its lane has ended.
    #[error("{retirement}")]
    Retired {
        /// Since when, by whose order, and who comes after it.
        retirement: Box<KeyRetirement>,
    },
    /// The store failed.
    #[error("cannot take the lane in the store")]
    Store(#[source] StoreError),
}

fn policy_words(label: &KeyLabel, stored: u64, found: Option<u64>) -> String {
    let used = format!("key `{label}` was used under its policy of version {stored}");
    match found {
        None => format!("{used}, and has none now"),
        Some(found) if found == stored => format!("{used}, and the text of that version is another now"),
        Some(found) => format!("{used}, and has version {found} now, which nobody has approved here"),
    }
}

/// How often a lane that another process holds is tried again.
const TAKEOVER_TURN: Duration = Duration::from_millis(250);

impl Chain {
    /// Opens the store (and makes it if there is none) and checks that node, store, profile and custody are of one network.
    /// Nothing is sent before a lane is taken.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub async fn open(
        profile: Profile,
        transport: Arc<dyn RpcTransport>,
        store: &Place,
        custody: Arc<Custody>,
    ) -> Result<Self, OpenError> {
        let opened = Self::open_core(profile, transport, store, custody, Durability::Full).await?;
        Ok(Self::of(opened))
    }

    pub(crate) fn of(core: Core) -> Self {
        let core = Arc::new(core);
        let _ = core.me.set(Arc::downgrade(&core));
        Self { core }
    }

    pub(crate) async fn open_core(
        profile: Profile,
        transport: Arc<dyn RpcTransport>,
        place: &Place,
        custody: Arc<Custody>,
        durability: Durability,
    ) -> Result<Core, OpenError> {
        if *custody.network() != profile.network() {
            return Err(OpenError::OtherCustody { custody: custody.network().clone(), profile: profile.network() });
        }
        let rpc = Arc::new(Rpc::new(transport).asking_again(profile.offers));
        let identity = identity_of_node(&rpc, &profile).await?;
        let store = Store::open(place, identity, durability).await.map_err(OpenError::Store)?;
        let checked = match check_not_rewound(&rpc, &store).await {
            Ok(()) => begin_if_new(&rpc, &store, profile.finality_blocks).await,
            rewound => rewound,
        };
        if let Err(error) = checked {
            store.close().await;
            return Err(error);
        }
        Ok(Core {
            head: HeadWatch::start(Arc::clone(&rpc), profile.head_poll),
            turns: watch::Sender::new(0),
            wrong_hashes: AtomicU64::new(0),
            waiters: Waiters::default(),
            followers: AtomicUsize::new(0),
            stopped: OnceLock::new(),
            spoken: Spoken::default(),
            windows: Windows::new(profile.window_start),
            too_far_ahead: AtomicU64::new(0),
            keeping: Keeping::new(),
            me: OnceLock::new(),
            lanes: Mutex::new(HashMap::new()),
            recovered: AtomicUsize::new(0),
            profile,
            rpc,
            store,
            custody,
            #[cfg(test)]
            mutant: None,
        })
    }

    /// The lane of the key's address. The first call takes it in the store, asks the node for the sender's nonce, and sends
    /// again what is stored without an end, in the order of nonces.
    ///
    /// # Errors
    ///
    /// Custody has no such key, it is retired, another process has the lane, or the node or the store does not answer.
    pub async fn lane(&self, label: &KeyLabel) -> Result<Lane, LaneError> {
        let state = self.core.lane_state(label).await?;
        Ok(Lane { core: Arc::clone(&self.core), state })
    }

    /// The same, waiting at most `wait_max` until the process that has the lane gives it free or is found dead.
    ///
    /// # Errors
    ///
    /// As with [`Chain::lane`]; [`LaneError::Held`] when the time is up.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped at any time; the lane may be taken then.
    pub async fn lane_when_free(&self, label: &KeyLabel, wait_max: Duration) -> Result<Lane, LaneError> {
        let deadline = Instant::now() + wait_max;
        loop {
            match self.lane(label).await {
                Err(LaneError::Held { .. }) if Instant::now() < deadline => tokio::time::sleep(TAKEOVER_TURN).await,
                other => return other,
            }
        }
    }

    /// For reading from the node.
    pub fn rpc(&self) -> &Rpc {
        &self.core.rpc
    }

    /// The network's profile.
    pub fn profile(&self) -> &Profile {
        &self.core.profile
    }

    /// What an operator wants counted.
    pub fn counters(&self) -> Counters {
        Counters {
            unknown_answers: self.core.rpc.unknown_answers(),
            wrong_hashes: self.core.wrong_hashes.load(Ordering::Relaxed),
            recovered: self.core.recovered.load(Ordering::Relaxed),
            too_far_ahead: self.core.too_far_ahead.load(Ordering::Relaxed),
            held_back: self.core.windows.held_back(),
        }
    }

    /// The keys of the intents that have no end yet, by sender and nonce: whoever restarts waits for these.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn open_intents(&self) -> Result<Vec<IntentKey>, StoreError> {
        self.core.store.open_keys().await
    }

    /// Whether an intent is stored under this key and was not refused: it has a nonce of its sender then.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn has_intent(&self, key: &IntentKey) -> Result<bool, StoreError> {
        let stored = self.core.store.intent(key).await?;
        Ok(stored.is_some_and(|stored| !stored.is_refused()))
    }

    /// What is published here: how transactions ended ([`messages::ledger::TransactionEnded`]). Whoever keeps it keeps the store open.
    pub fn published(&self) -> Feed {
        Feed::Published(self.core.store.journal().clone())
    }

    /// Finishes what is waiting for the store and closes it, if this is the last of all clones, lanes, settlements and takers of requests. Without this, the
    /// store closes a moment after the last of them is dropped.
    pub async fn close(self) {
        let keeping = self.core.keeping.clone();
        let _resting = keeping.rest().await;
        if let Some(core) = Arc::into_inner(self.core) {
            core.store.close().await;
        }
    }
}

impl Core {
    /// The lane, with what it left open sent again if it is taken now.
    pub(crate) async fn lane_state(&self, label: &KeyLabel) -> Result<Arc<LaneState>, LaneError> {
        let (state, is_new) = self.held_lane(label).await?;
        if is_new {
            self.recover(state.sender).await;
        }
        self.keep(&state);
        Ok(state)
    }

    /// The sender's lane, if this process holds it.
    pub(crate) async fn held(&self, sender: Address) -> Option<Arc<LaneState>> {
        self.lanes.lock().await.get(&sender).cloned()
    }

    /// The lane, and whether it was taken just now; nothing is sent.
    pub(crate) async fn held_lane(&self, label: &KeyLabel) -> Result<(Arc<LaneState>, bool), LaneError> {
        let sender = self.custody.address(label).map_err(LaneError::Key)?;
        // Held while the lane is taken, so that it is taken once.
        let mut lanes = self.lanes.lock().await;
        if let Some(state) = lanes.get(&sender) {
            return Ok((Arc::clone(state), false));
        }
        self.check_not_retired(sender).await?;
        // Whoever has another policy does not take the lane from those who have the right one.
        let _ = self.first_policy(label, sender).await?;
        let count = self.rpc.transaction_count(sender, At::Latest).await;
        let count = count.map_err(|source| LaneError::Node { source })?;
        let row = self.store.take_lane(sender, count).await.map_err(|error| match error {
            TakeError::Held => LaneError::Held { sender },
            TakeError::Store(source) => LaneError::Store(source),
        })?;
        if let Err(error) = self.check_policy(label, sender).await {
            self.store.release_lane(sender, row.fence).await;
            return Err(error);
        }
        let window = self.windows.of(sender);
        let _ = window.ledger_has(count);
        window.stored_below(row.next_nonce);
        let (row, pause) = (Mutex::new(row), std::sync::Mutex::new(self.stopped.get().cloned()));
        let state = Arc::new(LaneState {
            label: label.clone(),
            sender,
            row,
            pause,
            slow: std::sync::Mutex::default(),
            keeper: OnceLock::new(),
        });
        let _ = lanes.insert(sender, Arc::clone(&state));
        Ok((state, true))
    }

    /// Why nothing is sent or looked for any more, if so.
    pub(crate) fn stopped(&self) -> Option<&String> {
        self.stopped.get()
    }

    /// Nothing that is stored leaves this process from now on, and every lane is paused, those too that are opened later.
    pub(crate) async fn stop(&self, reason: &str) {
        let _ = self.stopped.set(reason.to_owned());
        let lanes = self.lanes.lock().await;
        for lane in lanes.values() {
            lane.pause(reason);
        }
        drop(lanes);
        self.windows.open_all();
        self.turns.send_modify(|turns| *turns += 1);
    }

    /// The lane is ours again.
    pub(crate) async fn keep_lane(&self, held: &Arc<LaneState>) {
        let _ = self.lanes.lock().await.entry(held.sender).or_insert_with(|| Arc::clone(held));
    }

    /// The lane is another process's: whoever wants it from now on takes it in the store.
    pub(crate) async fn forget_lane(&self, lost: &Arc<LaneState>) {
        let mut lanes = self.lanes.lock().await;
        if lanes.get(&lost.sender).is_some_and(|lane| Arc::ptr_eq(lane, lost)) {
            let _ = lanes.remove(&lost.sender);
        }
    }

    /// The key that sends as this address, if custody has it.
    pub(crate) fn key_of(&self, sender: Address) -> Option<KeyLabel> {
        let is_its = |key: &custody::KeyInfo| key.address == sender && key.purpose == Purpose::Transactions;
        self.custody.keys().find(is_its).map(|key| key.label)
    }

    /// The lane of a stored intent, if custody has its key.
    pub(crate) async fn lane_of(&self, sender: Address) -> Option<Arc<LaneState>> {
        match self.lane_state(&self.key_of(sender)?).await {
            Ok(state) => Some(state),
            Err(error) => {
                tracing::warn!(%sender, %error, "the lane of a stored intent cannot be opened");
                None
            }
        }
    }
}

async fn identity_of_node(rpc: &Rpc, profile: &Profile) -> Result<Identity, OpenError> {
    let failed = |source| OpenError::Node { source };
    let chain_id = rpc.chain_id().await.map_err(failed)?;
    if chain_id != profile.chain_id {
        return Err(OpenError::NodeOfOtherChain { found: chain_id, expected: profile.chain_id });
    }
    let genesis = rpc.block(At::Number(0)).await.map_err(failed)?.ok_or(OpenError::NoGenesis)?;
    Ok(Identity { chain_id, genesis: genesis.hash })
}

/// A new store has sent nothing yet: all that it ever sends is in blocks after today's last final one.
async fn begin_if_new(rpc: &Rpc, store: &Store, finality_blocks: u64) -> Result<(), OpenError> {
    if store.cursor_if_begun().await.map_err(OpenError::Read)?.is_some() {
        return Ok(());
    }
    let failed = |source| OpenError::Node { source };
    let number = rpc.block_number().await.map_err(failed)?.saturating_sub(finality_blocks);
    let block = rpc.block(At::Number(number)).await.map_err(failed)?.ok_or(OpenError::NoBlock { number })?;
    store.begin_cursor(Cursor { number, hash: block.hash }).await.map_err(OpenError::Read)
}

async fn check_not_rewound(rpc: &Rpc, store: &Store) -> Result<(), OpenError> {
    for (sender, nonce) in store.last_mined().await.map_err(OpenError::Read)? {
        let count = rpc.transaction_count(sender, At::Latest).await;
        let ledger_count = count.map_err(|source| OpenError::Node { source })?;
        if ledger_count <= nonce {
            return Err(OpenError::LedgerRewound { sender, ledger_count, store_count: nonce + 1 });
        }
    }
    Ok(())
}
