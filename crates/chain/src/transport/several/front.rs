//! The rule that says which of several nodes is in front. Pure: the time comes in.

use tokio::time::{Duration, Instant};

use crate::profile::Pace;

/// After so many failures in a row of the node in front another one is in front. One failure says little: any link loses a request
/// now and then.
pub const FAILURES_IN_A_ROW_MAX: u32 = 3;

/// A node that failed last is not moved to for so long, unless it answers meanwhile: where all fail, the front stays where it is,
/// and goes round no faster than this.
pub const FAILED_NODE_REST: Duration = Duration::from_secs(10);

/// After so long away the first node is looked at, and after a look that did not find it fit. The pause doubles with each return in
/// a row that did not hold.
const RETURN_PAUSE: Pace =
    Pace { first_pause: Duration::from_secs(30), pause_max: Duration::from_secs(600), attempts_max: RETURNS_MAX };

/// A return holds if the first node stays in front for so long.
const RETURN_HOLDS_AFTER: Duration = Duration::from_secs(600);

/// After so many returns in a row that did not hold, the first node is not returned to any more: a person must look at it.
pub const RETURNS_MAX: u32 = 5;

/// Which node is in front, and what that was decided on. Nodes are named by their place.
#[derive(Debug)]
pub(super) struct Front {
    index: usize,
    /// Of the node in front, since it is there.
    failures_in_a_row: u32,
    moves: u64,
    nodes: Vec<Contact>,
    /// When the first node was returned to, while it is in front since.
    returned: Option<Instant>,
    /// How many returns in a row did not hold.
    broken_returns: u32,
    look_from: Option<Instant>,
    is_looked_at: bool,
}

/// What is known of a node.
#[derive(Debug, Clone, Copy, Default)]
struct Contact {
    /// When it failed last, if it has not answered since.
    failed: Option<Instant>,
    /// It is on another ledger.
    is_barred: bool,
}

/// Another node is in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Front {
    pub(super) fn of(count: usize) -> Self {
        assert!(count > 0, "some node is in front");
        Self {
            index: 0,
            failures_in_a_row: 0,
            moves: 0,
            nodes: vec![Contact::default(); count],
            returned: None,
            broken_returns: 0,
            look_from: None,
            is_looked_at: false,
        }
    }

    pub(super) fn index(&self) -> usize {
        self.index
    }

    pub(super) fn moves(&self) -> u64 {
        self.moves
    }

    /// How many more returns there are if none of them holds.
    pub(super) fn returns_left(&self) -> u32 {
        RETURNS_MAX - self.broken_returns
    }

    /// The nodes in the order in which they are asked: from the one in front on, each once, without those on another ledger.
    pub(super) fn order(&self) -> Vec<usize> {
        self.after(self.index).into_iter().filter(|&node| !self.nodes[node].is_barred).collect()
    }

    /// All others after this one, in order.
    pub(super) fn others(&self, node: usize) -> Vec<usize> {
        self.after(node).into_iter().skip(1).filter(|&node| !self.nodes[node].is_barred).collect()
    }

    fn after(&self, node: usize) -> Vec<usize> {
        (node..self.nodes.len()).chain(0..node).collect()
    }

    pub(super) fn answered(&mut self, node: usize) {
        self.nodes[node].failed = None;
        if node == self.index {
            self.failures_in_a_row = 0;
        }
    }

    pub(super) fn failed(&mut self, node: usize, now: Instant) -> Option<Move> {
        self.nodes[node].failed = Some(now);
        // What was asked of a node before the front moved on says nothing of the one that is there now.
        if node != self.index {
            return None;
        }
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        if self.failures_in_a_row < FAILURES_IN_A_ROW_MAX { None } else { self.move_on(now) }
    }

    /// The node is on another ledger: it is never in front again.
    pub(super) fn bar(&mut self, node: usize, now: Instant) -> Option<Move> {
        self.nodes[node].is_barred = true;
        if node == self.index { self.move_on(now) } else { None }
    }

    pub(super) fn is_barred(&self, node: usize) -> bool {
        self.nodes[node].is_barred
    }

    fn move_on(&mut self, now: Instant) -> Option<Move> {
        let rests = |failed: Option<Instant>| failed.is_some_and(|at| now.duration_since(at) < FAILED_NODE_REST);
        let next = self.others(self.index).into_iter().find(|&node| !rests(self.nodes[node].failed));
        // Nobody is better.
        let to = next?;
        let from = std::mem::replace(&mut self.index, to);
        if from == 0 {
            self.left_the_first(now);
        }
        self.failures_in_a_row = 0;
        self.moves += 1;
        Some(Move { from, to })
    }

    fn left_the_first(&mut self, now: Instant) {
        match self.returned.take() {
            Some(at) if now.duration_since(at) < RETURN_HOLDS_AFTER => self.broken_returns += 1,
            Some(_) => self.broken_returns = 0,
            None => {}
        }
        let is_left_alone = self.broken_returns >= RETURNS_MAX;
        self.look_from = (!is_left_alone).then(|| now + self.pause());
    }

    fn pause(&self) -> Duration {
        RETURN_PAUSE.pause_after(self.broken_returns + 1)
    }

    /// Whether the first node is to be looked at now; then it is the caller's to do, and to say what was [found](Self::looked).
    pub(super) fn takes_a_look(&mut self, now: Instant) -> bool {
        let is_due = self.index != 0
            && !self.is_looked_at
            && !self.nodes[0].is_barred
            && self.look_from.is_some_and(|from| now >= from);
        self.is_looked_at |= is_due;
        is_due
    }

    /// What a look found: whether the first node is fit to be in front.
    pub(super) fn looked(&mut self, is_fit: bool, now: Instant) -> Option<Move> {
        self.is_looked_at = false;
        self.look_from = Some(now + self.pause());
        if !is_fit || self.index == 0 || self.nodes[0].is_barred {
            return None;
        }
        let from = std::mem::replace(&mut self.index, 0);
        (self.returned, self.failures_in_a_row) = (Some(now), 0);
        self.nodes[0].failed = None;
        self.moves += 1;
        Some(Move { from, to: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Fails the node so often in a row; gives where the front is then.
    fn fail(front: &mut Front, node: usize, times: u32, now: Instant) -> usize {
        (0..times).for_each(|_| {
            let _ = front.failed(node, now);
        });
        front.index()
    }

    fn returns(front: &mut Front, now: Instant) -> bool {
        front.takes_a_look(now) && front.looked(true, now).is_some()
    }

    #[test]
    fn only_failures_in_a_row_of_the_node_in_front_move_it() {
        let (mut front, now) = (Front::of(3), Instant::now());
        assert_eq!(fail(&mut front, 0, 2, now), 0);
        front.answered(0);
        assert_eq!(fail(&mut front, 0, 2, now), 0);
        assert_eq!(fail(&mut front, 1, 9, now), 0, "another one's failures");
        assert_eq!(front.failed(0, now), Some(Move { from: 0, to: 2 }), "1 failed just now");
        assert_eq!((front.moves(), front.order()), (1, vec![2, 0, 1]));
        assert_eq!(fail(&mut front, 0, 9, now), 2, "late failures of the one before");
    }

    #[test]
    fn where_all_fail_the_front_rests() {
        let (mut front, mut now) = (Front::of(2), Instant::now());
        assert_eq!(fail(&mut front, 0, 3, now), 1);
        assert_eq!(fail(&mut front, 1, 100, now), 1, "0 failed just now");
        now += FAILED_NODE_REST;
        assert_eq!(fail(&mut front, 1, 1, now), 0, "it may answer again");
        let mut moves = 0;
        for _ in 0..6000 {
            now += SECOND / 100;
            moves += u64::from(front.failed(front.index(), now).is_some());
        }
        assert!(moves <= 60 / FAILED_NODE_REST.as_secs(), "{moves} moves in a minute of failures");
    }

    #[test]
    fn the_first_node_is_returned_to_after_a_pause_if_it_is_fit() {
        let (mut front, mut now) = (Front::of(2), Instant::now());
        assert_eq!(fail(&mut front, 0, 3, now), 1);
        now += 29 * SECOND;
        assert!(!front.takes_a_look(now), "too early");
        now += SECOND;
        assert!(front.takes_a_look(now) && !front.takes_a_look(now), "one looks at a time");
        assert_eq!(front.looked(false, now), None);
        now += 29 * SECOND;
        assert!(!front.takes_a_look(now), "too early again");
        now += SECOND;
        assert!(returns(&mut front, now));
        assert_eq!((front.index(), front.moves()), (0, 2));
        now += 9_999 * SECOND;
        assert!(!front.takes_a_look(now), "it is in front");
    }

    #[test]
    fn returns_that_do_not_hold_come_to_an_end() {
        let (mut front, mut now) = (Front::of(2), Instant::now());
        let mut waited = Vec::new();
        loop {
            assert_eq!(fail(&mut front, 0, 3, now), 1);
            let left = now;
            while !returns(&mut front, now) && now < left + 7_200 * SECOND {
                now += SECOND;
            }
            if front.index() != 0 {
                break;
            }
            waited.push((now - left).as_secs());
        }
        assert_eq!(waited, [30, 60, 120, 240, 480]);
        assert_eq!((front.returns_left(), front.moves()), (0, 11));
    }

    #[test]
    fn a_return_that_held_begins_the_count_anew() {
        let (mut front, mut now) = (Front::of(2), Instant::now());
        for held in [SECOND, SECOND, RETURN_HOLDS_AFTER] {
            assert_eq!(fail(&mut front, 0, 3, now), 1);
            now += 600 * SECOND;
            assert!(returns(&mut front, now));
            now += held;
        }
        assert_eq!(front.returns_left(), RETURNS_MAX - 2);
        assert_eq!(fail(&mut front, 0, 3, now), 1);
        assert_eq!(front.returns_left(), RETURNS_MAX);
    }

    #[test]
    fn a_node_on_another_ledger_is_never_in_front_again() {
        let (mut front, mut now) = (Front::of(3), Instant::now());
        assert_eq!(front.bar(0, now), Some(Move { from: 0, to: 1 }));
        now += 9_999 * SECOND;
        assert!(!front.takes_a_look(now));
        assert_eq!(fail(&mut front, 1, 3, now), 2);
        assert_eq!((front.order(), front.others(2)), (vec![2, 1], vec![1]));
        assert_eq!(front.bar(1, now), None);
        assert_eq!(front.bar(2, now), None, "nobody is left");
        assert!(front.order().is_empty());
    }
}
