//! How many transactions of a sender are offered to the node at once, learnt from what the node refuses.
//!
//! A node keeps few transactions of one sender ahead of the ledger, how many only its operator knows, and what it refuses for
//! that reason it would refuse again a moment later. So a lane has a window: the nonces from the ledger's next one on that may
//! be offered. What lies behind its end stays stored and signed, and is offered in the order of nonces when the ledger or the
//! window has moved: woken by that, not after a pause.
//!
//! The window grows by addition and shrinks by multiplication, as TCP's does (RFC 5681, section 3.1), and for the same reason: it
//! comes to rest below a limit that nobody tells, and follows it when it changes. It belongs to one sender at the one node that
//! this process sends to, is never stored, and begins anew with the process.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::Address;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

/// The widest window: as many as the whole of Besu's sequenced pool has by default, for all senders (`--tx-pool-max-size` 4096).
pub const WINDOW_MAX: u64 = 4_096;

/// What is left of the window after a refusal, in quarters. TCP keeps two of four, since others share its way; a node's limit for
/// a sender is the sender's own, and mostly stays where it is.
const KEPT_QUARTERS: u64 = 3;

/// The fewest transactions that are taken between two steps of growth once a limit was met. A small window would try its limit
/// too often otherwise: at Besu's 5 for a sender it is met once in 48 transactions.
const GROWTH_TAKEN_MIN: u64 = 16;

/// The most nonces that are taken at once of those that nobody offers: what one reading of the store gives.
pub(crate) const DUE_MAX: usize = 256;

/// Where a lane stands at the node that this process sends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneWindow {
    /// How many nonces from the ledger's next one on are offered.
    pub size: u64,
    /// The ledger's next nonce, as far as the node has said it.
    pub ledger_nonce: Option<u64>,
    /// How many stored transactions wait for the ledger or the window to move.
    pub held_back: usize,
}

/// Nothing of the sender moved for so long that it is not waited for any more.
#[derive(Debug, thiserror::Error)]
#[error(
    "nonce {nonce} is held back: the node takes {size} transactions of the sender ahead of the ledger, which is at nonce {ledger_nonce} and has not moved for {waited_ms} ms"
)]
pub(crate) struct HeldBack {
    nonce: u64,
    size: u64,
    ledger_nonce: u64,
    waited_ms: u128,
}

/// The windows of all senders.
#[derive(Debug)]
pub(crate) struct Windows {
    start: u64,
    by_sender: Mutex<HashMap<Address, Arc<Window>>>,
}

impl Windows {
    pub(crate) fn new(start: u64) -> Self {
        Self { start: start.clamp(1, WINDOW_MAX), by_sender: Mutex::default() }
    }

    pub(crate) fn of(&self, sender: Address) -> Arc<Window> {
        let mut windows = self.by_sender.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(windows.entry(sender).or_insert_with(|| Arc::new(Window::new(self.start))))
    }

    /// How many stored transactions wait in all of them.
    pub(crate) fn held_back(&self) -> usize {
        let windows = self.by_sender.lock().unwrap_or_else(PoisonError::into_inner);
        windows.values().map(|window| window.view().held_back).sum()
    }

    /// Lets all go on who wait: they are told then that nothing is sent any more.
    pub(crate) fn open_all(&self) {
        let windows = self.by_sender.lock().unwrap_or_else(PoisonError::into_inner);
        for window in windows.values() {
            window.state().waiting.clear();
        }
    }
}

/// The window of one sender.
#[derive(Debug)]
pub(crate) struct Window {
    state: Mutex<State>,
    /// Something is stored that is not in a block.
    busy: Notify,
    /// Something that nobody offers may be offered.
    due: Notify,
    /// The ledger's nonce has not moved for some blocks.
    stalled: Notify,
}

#[derive(Debug)]
struct State {
    size: u64,
    /// The ledger's next nonce; before it is known, nothing is held back.
    ledger_nonce: Option<u64>,
    /// The nonce after the last one that is stored.
    stored_end: u64,
    /// Whether the node's limit was met: before that, the window grows with each transaction that is taken.
    is_limit_met: bool,
    /// How many were taken since it last grew or shrank.
    taken: u64,
    /// Counts up whenever the ledger's nonce or the window's end has moved on.
    moves: u64,
    /// Those who wait for their turn.
    waiting: BTreeMap<u64, Vec<oneshot::Sender<()>>>,
    /// Stored nonces whose turn has not come, and for which nobody waits: the lane's keeper offers them.
    left: BTreeSet<u64>,
}

/// Somebody who waits for a turn; who goes away leaves the nonce to the keeper.
struct Waiting<'a> {
    window: &'a Window,
    nonce: u64,
    turn: oneshot::Receiver<()>,
    has_come: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.window.state();
        if let Some(others) = state.waiting.get_mut(&self.nonce) {
            self.turn.close();
            others.retain(|other| !other.is_closed());
            if others.is_empty() {
                let _ = state.waiting.remove(&self.nonce);
            }
        }
        if !self.has_come {
            state.leave(self.nonce);
        }
    }
}

impl State {
    /// The first nonce that is held back.
    fn end(&self) -> u64 {
        self.ledger_nonce.map_or(u64::MAX, |nonce| nonce.saturating_add(self.size))
    }

    fn leave(&mut self, nonce: u64) {
        let is_waited_for = self.waiting.contains_key(&nonce);
        if !is_waited_for && self.ledger_nonce.is_none_or(|ledger| nonce >= ledger) {
            let _ = self.left.insert(nonce);
        }
    }

    fn is_due(&self) -> bool {
        self.left.first().is_some_and(|&nonce| nonce < self.end())
    }

    /// Gives their turn to those for whom it has come, the lowest nonce first.
    fn give_turns(&mut self) {
        self.moves += 1;
        let end = self.end();
        while let Some(lowest) = self.waiting.first_entry() {
            if *lowest.key() >= end {
                return;
            }
            for waiting in lowest.remove() {
                let _ = waiting.send(());
            }
        }
    }
}

impl Window {
    fn new(size: u64) -> Self {
        let state = State {
            size,
            ledger_nonce: None,
            stored_end: 0,
            is_limit_met: false,
            taken: 0,
            moves: 0,
            waiting: BTreeMap::new(),
            left: BTreeSet::new(),
        };
        Self { state: Mutex::new(state), busy: Notify::new(), due: Notify::new(), stalled: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn view(&self) -> LaneWindow {
        let state = self.state();
        let waiting = state.waiting.keys().filter(|nonce| !state.left.contains(nonce)).count();
        LaneWindow { size: state.size, ledger_nonce: state.ledger_nonce, held_back: waiting + state.left.len() }
    }

    /// The ledger's next nonce is this, or was; says whether it has moved on.
    pub(crate) fn ledger_has(&self, count: u64) -> bool {
        let mut state = self.state();
        if state.ledger_nonce.is_some_and(|known| known >= count) {
            return false;
        }
        state.ledger_nonce = Some(count);
        state.left = state.left.split_off(&count);
        state.give_turns();
        drop(state);
        self.wake_if_due();
        true
    }

    /// All nonces below this one have been given to something that is stored.
    pub(crate) fn stored_below(&self, end: u64) {
        let mut state = self.state();
        state.stored_end = state.stored_end.max(end);
        drop(state);
        self.busy.notify_one();
    }

    /// The nonce is free again, and was the last.
    pub(crate) fn given_back(&self, nonce: u64) {
        let mut state = self.state();
        state.stored_end = state.stored_end.min(nonce);
    }

    /// Whether something is stored that the ledger is not known to have.
    pub(crate) fn is_busy(&self) -> bool {
        let state = self.state();
        state.ledger_nonce.is_some_and(|nonce| nonce < state.stored_end)
    }

    pub(crate) async fn until_busy(&self) {
        while !self.is_busy() {
            self.busy.notified().await;
        }
    }

    /// Whether the nonce may be offered now.
    pub(crate) fn has_turn(&self, nonce: u64) -> bool {
        nonce < self.state().end()
    }

    /// Waits until the nonce may be offered, as long as anything of the sender moves: the end of the wait is that nothing has for
    /// `patience`. As each move brings the nonce nearer, there is no other.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the nonce is left to the lane's keeper.
    pub(crate) async fn turn(&self, nonce: u64, patience: Duration) -> Result<(), HeldBack> {
        let Some(mut waiting) = self.wait(nonce) else { return Ok(()) };
        loop {
            let moves = self.state().moves;
            // Whoever is not kept waiting any more goes on too.
            if timeout(patience, &mut waiting.turn).await.is_ok() {
                waiting.has_come = true;
                return Ok(());
            }
            let state = self.state();
            if state.moves == moves {
                let (size, ledger_nonce) = (state.size, state.ledger_nonce.unwrap_or_default());
                return Err(HeldBack { nonce, size, ledger_nonce, waited_ms: patience.as_millis() });
            }
        }
    }

    fn wait(&self, nonce: u64) -> Option<Waiting<'_>> {
        let mut state = self.state();
        if nonce < state.end() {
            return None;
        }
        let (sender, turn) = oneshot::channel();
        state.waiting.entry(nonce).or_default().push(sender);
        let _ = state.left.remove(&nonce);
        Some(Waiting { window: self, nonce, turn, has_come: false })
    }

    /// The nonce is stored, and nobody is about to offer it.
    pub(crate) fn leave(&self, nonce: u64) {
        self.state().leave(nonce);
    }

    /// The lowest nonces that nobody offers and that may be offered now: they are whoever's that asked.
    pub(crate) fn take_due(&self) -> BTreeSet<u64> {
        let mut state = self.state();
        let end = state.end();
        let due: BTreeSet<u64> = state.left.iter().copied().take_while(|&nonce| nonce < end).take(DUE_MAX).collect();
        state.left.retain(|nonce| !due.contains(nonce));
        due
    }

    pub(crate) fn wake_if_due(&self) {
        if self.state().is_due() {
            self.due.notify_one();
        }
    }

    pub(crate) async fn until_due(&self) {
        self.due.notified().await;
    }

    /// Tells the keeper that the ledger's nonce has not moved for some blocks, though something is stored.
    pub(crate) fn tell_stalled(&self) {
        self.stalled.notify_one();
    }

    pub(crate) async fn until_stalled(&self) {
        self.stalled.notified().await;
    }

    /// The node took a transaction. The window grows only while it holds something back: else nothing shows that it is too small.
    pub(crate) fn taken(&self) {
        let mut state = self.state();
        if (state.waiting.is_empty() && state.left.is_empty()) || state.size >= WINDOW_MAX {
            return;
        }
        state.taken += 1;
        if state.is_limit_met && state.taken < state.size.max(GROWTH_TAKEN_MIN) {
            return;
        }
        (state.taken, state.size) = (0, state.size + 1);
        state.give_turns();
        drop(state);
        self.wake_if_due();
    }

    /// The node has too many of the sender to take this nonce.
    pub(crate) fn refused(&self, nonce: u64) {
        let mut state = self.state();
        let Some(distance) = state.ledger_nonce.and_then(|ledger| nonce.checked_sub(ledger)) else { return };
        // What lies behind the window's end was offered when it was wider: that has been learnt.
        if distance >= state.size {
            return;
        }
        // It takes no more than what comes before this nonce, and so the window's old size counts no more.
        state.size = (distance * KEPT_QUARTERS / 4).max(1);
        (state.is_limit_met, state.taken) = (true, 0);
        tracing::info!(nonce, size = state.size, "the node takes fewer of the sender at once");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn window(size: u64) -> Window {
        let window = Window::new(size);
        assert!(window.has_turn(u64::MAX - 1), "before the ledger's nonce is known nothing is held back");
        assert!(window.ledger_has(100));
        window
    }

    fn size(window: &Window) -> u64 {
        window.view().size
    }

    #[test]
    fn a_burst_of_refusals_teaches_the_limit_whatever_their_order() {
        for limit in [1, 2, 5, 64, 149] {
            for order in [0, 1, 2] {
                let window = window(150);
                let mut refused: Vec<u64> = (limit..150).collect();
                match order {
                    0 => {}
                    1 => refused.reverse(),
                    _ => refused.sort_by_key(|nonce| nonce.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                }
                for distance in refused {
                    window.refused(100 + distance);
                }
                let learnt = size(&window);
                assert!(learnt <= limit && learnt >= (limit / 2).max(1), "limit {limit}: {learnt}");
            }
        }
    }

    #[test]
    fn it_never_closes_and_old_news_teach_nothing() {
        let window = window(4);
        window.refused(100);
        assert_eq!(size(&window), 1);
        window.refused(100);
        assert_eq!(size(&window), 1);
        assert!(window.has_turn(100) && !window.has_turn(101));
        for nonce in [101, 1_000, 99, 0] {
            window.refused(nonce);
        }
        assert_eq!(size(&window), 1);
    }

    #[test]
    fn it_grows_with_each_one_taken_until_the_limit_is_met_and_then_with_a_window_of_them() {
        let window = window(4);
        window.taken();
        assert_eq!(size(&window), 4, "nothing is held back");
        window.leave(100_000);
        for _ in 0..10 {
            window.taken();
        }
        assert_eq!(size(&window), 14);
        window.refused(113);
        assert_eq!(size(&window), 9);
        for _ in 0..GROWTH_TAKEN_MIN - 1 {
            window.taken();
        }
        assert_eq!(size(&window), 9);
        window.taken();
        assert_eq!(size(&window), 10);
        let window = Window::new(WINDOW_MAX - 1);
        let _ = window.ledger_has(0);
        window.leave(100_000);
        for _ in 0..10 {
            window.taken();
        }
        assert_eq!(size(&window), WINDOW_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_come_in_the_order_of_nonces_when_the_ledger_moves() {
        let (window, order) = (Arc::new(window(2)), Arc::new(Mutex::new(Vec::new())));
        let mut waiting = tokio::task::JoinSet::new();
        for nonce in [105, 102, 104, 103] {
            let (window, order) = (Arc::clone(&window), Arc::clone(&order));
            let _ = waiting.spawn(async move {
                window.turn(nonce, PATIENCE).await.unwrap();
                order.lock().unwrap().push(nonce);
            });
        }
        tokio::task::yield_now().await;
        assert_eq!(window.view().held_back, 4);
        assert!(window.ledger_has(103));
        assert!(!window.ledger_has(103) && !window.ledger_has(7), "it has not moved");
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert_eq!(*order.lock().unwrap(), [102, 103, 104]);
        assert!(window.ledger_has(104));
        drop(waiting.join_all().await);
        assert_eq!((order.lock().unwrap().len(), window.view().held_back), (4, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_when_nothing_moves_and_leaves_its_nonce_to_the_keeper() {
        let window = window(2);
        let since = tokio::time::Instant::now();
        let (told, ()) = tokio::join!(window.turn(110, PATIENCE), async {
            tokio::time::advance(PATIENCE / 2).await;
            let _ = window.ledger_has(101);
        });
        assert_eq!(since.elapsed(), 2 * PATIENCE, "it is waited for as long as the ledger moves");
        assert_eq!(
            told.unwrap_err().to_string(),
            "nonce 110 is held back: the node takes 2 transactions of the sender ahead of the ledger, which is at nonce 101 and has not moved for 5000 ms"
        );
        assert!(window.take_due().is_empty());
        let _ = window.ledger_has(109);
        window.until_due().await;
        assert_eq!(window.take_due(), BTreeSet::from([110]));
        assert!(window.take_due().is_empty());
        window.leave(108);
        assert_eq!(window.view().held_back, 0, "the ledger has it");
    }

    #[test]
    fn what_somebody_waits_for_is_not_the_keepers() {
        let window = window(2);
        let waiting = (window.wait(110), window.wait(110));
        window.leave(110);
        assert_eq!(window.view().held_back, 1);
        drop(waiting.0);
        let _ = window.ledger_has(109);
        assert!(window.take_due().is_empty(), "the other one was given the turn");
        drop(waiting.1);
        assert_eq!(window.take_due(), BTreeSet::from([110]), "who was given it went away");
    }

    #[test]
    fn what_is_due_is_taken_in_parts() {
        let window = window(WINDOW_MAX);
        (100..1_000).for_each(|nonce| window.leave(nonce));
        let taken: Vec<usize> = (0..5).map(|_| window.take_due().len()).collect();
        assert_eq!(taken, [DUE_MAX, DUE_MAX, DUE_MAX, 900 - 3 * DUE_MAX, 0]);
    }

    #[test]
    fn a_lane_is_busy_while_the_ledger_lacks_what_is_stored() {
        let window = window(2);
        assert!(!window.is_busy());
        window.stored_below(102);
        assert!(window.is_busy());
        let _ = window.ledger_has(101);
        assert!(window.is_busy());
        window.given_back(101);
        assert!(!window.is_busy());
    }
}
