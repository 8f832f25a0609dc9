//! What goes wrong with a seed's node, and how often.

use crate::simulation::random::Random;

/// How faulty this seed's node is, each in times per thousand requests.
pub(super) struct Faults {
    pub(super) way: u64,
    pub(super) refusal: u64,
    pub(super) wrong_hash: u64,
    pub(super) restart: u64,
    pub(super) foreign: u64,
    /// Another node behind the same address has the request, and refuses transactions for good.
    pub(super) other_node: u64,
}

impl Faults {
    pub(super) fn none() -> Self {
        Self { way: 0, refusal: 0, wrong_hash: 0, restart: 0, foreign: 0, other_node: 0 }
    }

    pub(super) fn of(random: &mut Random) -> Self {
        let level = [0, 1, 3, 8][usize::try_from(random.below(4)).unwrap()];
        Self {
            way: 20 * level,
            refusal: 10 * level,
            wrong_hash: 5 * level,
            restart: 3 * level,
            foreign: if random.per_mille(100) { 20 } else { 0 },
            other_node: if random.per_mille(500) { 250 } else { 0 },
        }
    }
}
