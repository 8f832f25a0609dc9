//! How a follower follows: how many must agree, how fast it asks, and how much it holds.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::profile::{Pace, Profile};

/// Blocks that are asked of one node at once. Each is two requests, and Besu answers 80 connections by default.
pub const FETCHES_MAX: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not 0");

/// Blocks that are asked for or wait for their turn.
pub const BLOCKS_AHEAD_MAX: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not 0");

/// Bytes of blocks that wait for their turn: 64 blocks of 4,000 logs each, at 250 bytes.
pub const BYTES_AHEAD_MAX: usize = 64 * 1024 * 1024;

/// How long one block may take to be read from one node. Besu gives up after 30 s itself.
const FETCH_TIME_MAX: Duration = Duration::from_secs(60);

/// How long nothing may move while there is something to follow, before the caller is told.
const STALL_MAX: Duration = Duration::from_secs(120);

/// How long a head may stay below the followed height: a node behind a load balancer, or one that is restarted, catches up.
const REWIND_PATIENCE: Duration = Duration::from_secs(60);

/// How a follower follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowSettings {
    /// How many nodes must give the same block; at most as many as there are.
    pub quorum: NonZeroUsize,
    /// How many blocks must follow before a block is final. 0 with QBFT and IBFT 2.
    pub finality_blocks: u64,
    /// How often each node is asked for its head.
    pub head_poll: Duration,
    /// How a node that fails is tried again. After so many attempts in a row it counts as down, and is still tried.
    pub pace: Pace,
    /// Blocks that are asked of one node at once.
    pub fetches_max: NonZeroUsize,
    /// Blocks that are asked for or wait for their turn.
    pub blocks_ahead_max: NonZeroUsize,
    /// Bytes of blocks that wait for their turn. The next block is taken however long it is.
    pub bytes_ahead_max: usize,
    /// How long one block may take to be read from one node.
    pub fetch_time_max: Duration,
    /// How long nothing may move while there is something to follow, before the caller is told.
    pub stall_max: Duration,
    /// How long a head may stay below the followed height before the ledger counts as rewound.
    pub rewind_patience: Duration,
}

impl FollowSettings {
    /// For so many nodes of a network: more than half of them must agree.
    pub fn of(profile: &Profile, nodes: usize) -> Self {
        Self {
            quorum: NonZeroUsize::MIN.saturating_add(nodes / 2),
            finality_blocks: profile.finality_blocks,
            head_poll: profile.head_poll,
            pace: profile.offers,
            fetches_max: FETCHES_MAX,
            blocks_ahead_max: BLOCKS_AHEAD_MAX,
            bytes_ahead_max: BYTES_AHEAD_MAX,
            fetch_time_max: FETCH_TIME_MAX,
            stall_max: STALL_MAX,
            rewind_patience: REWIND_PATIENCE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rules;

    #[test]
    fn more_than_half_of_the_nodes_must_agree() {
        let profile = Profile::embedded(1337, Rules::Berlin, 1);
        let quorums: Vec<_> = (1..=5).map(|nodes| FollowSettings::of(&profile, nodes).quorum.get()).collect();
        assert_eq!(quorums, [1, 2, 2, 3, 3]);
    }
}
