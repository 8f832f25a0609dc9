//! Transactions that wait for a block: per sender in nonce order, across senders in order of arrival.
//!
//! A transaction is *ready* when every earlier nonce of its sender is in the pool or on the chain. Ready ones form a
//! queue; the sealer takes from its front and tells the pool afterwards what became of each. Until then they stay, so
//! that a repeated transaction is known and a pending one can be shown. Nothing here touches a disk: a pool is lost with
//! its process, and who sent a transaction sends the same bytes again.

use crate::transaction::SignedTransaction;
use alloy_consensus::Transaction as _;
use alloy_primitives::map::DefaultHashBuilder;
use alloy_primitives::{Address, B256};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the pool may hold. Each limit is answered by its own [`PoolError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// Most transactions at once.
    pub transactions_max: usize,
    /// Most bytes of raw transactions at once.
    pub bytes_max: usize,
    /// How far a nonce may lie ahead of the account's; Besu's `tx-pool-max-future-by-sender` is 200.
    pub nonce_distance_max: u64,
    /// Rise of the gas price, in per cent, that replaces a waiting transaction; 0 where gas is free, as Besu does.
    pub price_bump_percent: u128,
    /// How long a transaction waits for a missing earlier nonce.
    pub retention: Duration,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            transactions_max: 50_000,
            bytes_max: 64 * 1024 * 1024,
            nonce_distance_max: 200,
            price_bump_percent: 10,
            retention: Duration::from_secs(3_600),
        }
    }
}

/// The pool does not take a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PoolError {
    /// The same bytes wait already.
    #[error("the transaction is already in the pool")]
    AlreadyKnown,
    /// The account has used this nonce.
    #[error("nonce {found} was used, the account's next is {expected}")]
    NonceTooLow {
        /// Nonce of the transaction.
        found: u64,
        /// Nonce of the account.
        expected: u64,
    },
    /// The nonce lies too far ahead.
    #[error("nonce {found} is {distance} ahead of the account's, at most {max} are kept")]
    NonceTooDistant {
        /// Nonce of the transaction.
        found: u64,
        /// How far it is ahead.
        distance: u64,
        /// The limit.
        max: u64,
    },
    /// Another transaction with this nonce waits, and the new one does not pay enough more.
    #[error("a transaction with nonce {nonce} waits with a price of {waiting}, {needed} would replace it")]
    ReplacementUnderpriced {
        /// The nonce of both.
        nonce: u64,
        /// Wei per gas that the waiting one offers.
        waiting: u128,
        /// Wei per gas that would replace it.
        needed: u128,
    },
    /// The pool holds as many transactions or bytes as it may.
    #[error("the pool is full: {transactions} transactions of {bytes} bytes")]
    Full {
        /// Transactions in the pool.
        transactions: usize,
        /// Their raw bytes.
        bytes: usize,
    },
}

struct Waiting {
    transaction: Arc<SignedTransaction>,
    since: Instant,
}

/// The transactions of one sender.
#[derive(Default)]
struct Sender {
    /// Nonce of the account at the newest block.
    account_nonce: u64,
    /// First nonce that is not in the ready queue.
    ready_end: u64,
    waiting: BTreeMap<u64, Waiting>,
}

impl Sender {
    fn next_missing_nonce(&self) -> u64 {
        let mut nonce = self.account_nonce;
        while self.waiting.contains_key(&nonce) {
            nonce += 1;
        }
        nonce
    }
}

/// The pool. See the module's documentation.
pub(crate) struct Pool {
    limits: PoolLimits,
    senders: HashMap<Address, Sender, DefaultHashBuilder>,
    by_hash: HashMap<B256, Arc<SignedTransaction>, DefaultHashBuilder>,
    /// Nonces that are ready, in order of arrival. An entry whose transaction has gone is passed over.
    ready: VecDeque<(Address, u64)>,
    bytes: usize,
}

impl Pool {
    /// An empty pool.
    pub(crate) fn new(limits: PoolLimits) -> Self {
        let (senders, by_hash) = (HashMap::default(), HashMap::default());
        Self { limits, senders, by_hash, ready: VecDeque::new(), bytes: 0 }
    }

    /// Transactions in the pool.
    pub(crate) fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// A waiting transaction.
    pub(crate) fn get(&self, hash: &B256) -> Option<&Arc<SignedTransaction>> {
        self.by_hash.get(hash)
    }

    /// The nonce that the sender's next transaction should have: after all that wait without a gap.
    pub(crate) fn next_nonce(&self, sender: &Address, account_nonce: u64) -> u64 {
        let next = self.senders.get(sender).map(Sender::next_missing_nonce);
        next.unwrap_or(account_nonce).max(account_nonce)
    }

    /// Adds a checked transaction. `account_nonce` is the sender's at the newest block.
    ///
    /// # Errors
    /// [`PoolError`]; the pool is then as it was.
    pub(crate) fn add(
        &mut self,
        transaction: Arc<SignedTransaction>,
        account_nonce: u64,
        now: Instant,
    ) -> Result<(), PoolError> {
        self.check(&transaction, account_nonce)?;
        let (address, nonce, bytes) = (transaction.sender(), transaction.nonce(), transaction.raw().len());
        let sender = self.senders.entry(address).or_default();
        if sender.account_nonce < account_nonce || sender.waiting.is_empty() {
            sender.account_nonce = account_nonce;
            sender.ready_end = sender.ready_end.max(account_nonce);
        }
        let waiting = Waiting { transaction: Arc::clone(&transaction), since: now };
        if let Some(replaced) = sender.waiting.insert(nonce, waiting) {
            self.bytes -= replaced.transaction.raw().len();
            let _ = self.by_hash.remove(&replaced.transaction.hash());
        }
        let _ = self.by_hash.insert(transaction.hash(), transaction);
        self.bytes += bytes;
        self.promote(address);
        Ok(())
    }

    fn check(&self, transaction: &SignedTransaction, account_nonce: u64) -> Result<(), PoolError> {
        if self.by_hash.contains_key(&transaction.hash()) {
            return Err(PoolError::AlreadyKnown);
        }
        let nonce = transaction.nonce();
        let Some(distance) = nonce.checked_sub(account_nonce) else {
            return Err(PoolError::NonceTooLow { found: nonce, expected: account_nonce });
        };
        if distance >= self.limits.nonce_distance_max {
            return Err(PoolError::NonceTooDistant { found: nonce, distance, max: self.limits.nonce_distance_max });
        }
        let same_nonce = self.senders.get(&transaction.sender()).and_then(|sender| sender.waiting.get(&nonce));
        if let Some(waiting) = same_nonce {
            return self.check_replacement(transaction, &waiting.transaction);
        }
        let (transactions, bytes) = (self.len(), self.bytes);
        if transactions >= self.limits.transactions_max || bytes + transaction.raw().len() > self.limits.bytes_max {
            return Err(PoolError::Full { transactions, bytes });
        }
        Ok(())
    }

    fn check_replacement(&self, new: &SignedTransaction, old: &SignedTransaction) -> Result<(), PoolError> {
        let waiting = old.envelope().max_fee_per_gas();
        let bump = waiting.saturating_mul(self.limits.price_bump_percent).div_ceil(100);
        let needed = waiting.saturating_add(bump);
        if new.envelope().max_fee_per_gas() < needed {
            return Err(PoolError::ReplacementUnderpriced { nonce: old.nonce(), waiting, needed });
        }
        Ok(())
    }

    fn promote(&mut self, address: Address) {
        let Some(sender) = self.senders.get_mut(&address) else { return };
        while sender.waiting.contains_key(&sender.ready_end) {
            self.ready.push_back((address, sender.ready_end));
            sender.ready_end += 1;
        }
    }

    /// Takes up to `count_max` ready transactions from the front of the queue. They stay known until
    /// [`Self::settle`] tells what became of them.
    pub(crate) fn take_ready(&mut self, count_max: usize) -> Vec<Arc<SignedTransaction>> {
        let mut taken = Vec::with_capacity(count_max.min(self.ready.len()));
        while taken.len() < count_max {
            let Some((address, nonce)) = self.ready.pop_front() else { break };
            let waiting = self.senders.get(&address).and_then(|sender| sender.waiting.get(&nonce));
            taken.extend(waiting.map(|waiting| Arc::clone(&waiting.transaction)));
        }
        taken
    }

    /// Puts taken transactions back to the front, in their order: they did not fit.
    pub(crate) fn put_back(&mut self, transactions: &[Arc<SignedTransaction>]) {
        for transaction in transactions.iter().rev() {
            self.ready.push_front((transaction.sender(), transaction.nonce()));
        }
    }

    /// Ends a block: `included` are on the chain now, `invalid` can never be.
    pub(crate) fn settle(&mut self, included: &[Arc<SignedTransaction>], invalid: &[Arc<SignedTransaction>]) {
        for transaction in included {
            self.remove(transaction);
            if let Some(sender) = self.senders.get_mut(&transaction.sender()) {
                sender.account_nonce = sender.account_nonce.max(transaction.nonce() + 1);
                sender.ready_end = sender.ready_end.max(sender.account_nonce);
            }
            self.promote(transaction.sender());
            self.forget_if_idle(transaction.sender());
        }
        self.drop_invalid(invalid);
    }

    /// Removes what can never be in a block. Later nonces wait again until somebody fills the gap; a replacement that
    /// arrived meanwhile fills it at once.
    fn drop_invalid(&mut self, invalid: &[Arc<SignedTransaction>]) {
        if invalid.is_empty() {
            return;
        }
        let mut gaps: HashMap<Address, u64, DefaultHashBuilder> = HashMap::default();
        for transaction in invalid {
            if self.by_hash.contains_key(&transaction.hash()) {
                self.remove(transaction);
            }
            let gap = gaps.entry(transaction.sender()).or_insert(transaction.nonce());
            *gap = (*gap).min(transaction.nonce());
        }
        self.ready.retain(|(address, nonce)| gaps.get(address).is_none_or(|gap| nonce < gap));
        for (address, gap) in gaps {
            if let Some(sender) = self.senders.get_mut(&address) {
                sender.ready_end = sender.ready_end.min(gap).max(sender.account_nonce);
            }
            self.promote(address);
            self.forget_if_idle(address);
        }
    }

    /// Drops what waited too long, be it for an earlier nonce or for a lower base fee, and returns how many that were.
    pub(crate) fn expire(&mut self, now: Instant) -> usize {
        let retention = self.limits.retention;
        let mut expired = Vec::new();
        for sender in self.senders.values() {
            let old =
                sender.waiting.values().filter(|waiting| now.saturating_duration_since(waiting.since) > retention);
            expired.extend(old.map(|waiting| Arc::clone(&waiting.transaction)));
        }
        self.drop_invalid(&expired);
        expired.len()
    }

    fn remove(&mut self, transaction: &SignedTransaction) {
        let (address, nonce) = (transaction.sender(), transaction.nonce());
        let Some(sender) = self.senders.get_mut(&address) else { return };
        // The nonce may hold a replacement that arrived while its predecessor was being sealed: it goes too, since the
        // nonce is used.
        if let Some(waiting) = sender.waiting.remove(&nonce) {
            self.bytes -= waiting.transaction.raw().len();
            let _ = self.by_hash.remove(&waiting.transaction.hash());
        }
    }

    fn forget_if_idle(&mut self, address: Address) {
        if self.senders.get(&address).is_some_and(|sender| sender.waiting.is_empty()) {
            let _ = self.senders.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests;
