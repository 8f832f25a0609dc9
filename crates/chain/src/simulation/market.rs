//! What blocks take: a price that moves, below which transactions stay in the pool, or do not come into it.

use alloy_consensus::Transaction as _;
use alloy_consensus::TxEnvelope;

use super::random::Random;

/// What a transaction of a priced seed offers at first, in wei for a unit of gas.
pub(super) const PRICE_WEI: u128 = 1_000;

/// Floors that eight steps of an eighth reach.
const FLOORS_WEI: [u128; 5] = [0, 1_000, 1_100, 1_500, 2_300];

/// Those of a node that refuses what is below: callers give up sooner there.
const REFUSING_FLOORS_WEI: [u128; 3] = [1_000, 1_100, 1_200];

/// The price that blocks ask for.
pub(super) struct Market {
    floors: &'static [u128],
    floor: u128,
    /// In how many of a thousand blocks the floor moves.
    moves: u64,
    /// Whether what is below does not even come into the pool.
    pub(super) is_refusing: bool,
}

impl Market {
    /// Everything is taken.
    pub(super) const fn free() -> Self {
        Self { floors: &[0], floor: 0, moves: 0, is_refusing: false }
    }

    pub(super) fn of(random: &mut Random, moves: u64) -> Self {
        let is_refusing = random.per_mille(300);
        let floors: &[u128] = if is_refusing { &REFUSING_FLOORS_WEI } else { &FLOORS_WEI };
        let mut market = Self { floors, floor: 0, moves, is_refusing };
        market.move_on(random);
        market
    }

    /// Another block has come.
    pub(super) fn turn(&mut self, random: &mut Random) {
        if self.floors.len() > 1 && random.per_mille(self.moves) {
            self.move_on(random);
        }
    }

    pub(super) const fn takes(&self, price_wei: u128) -> bool {
        price_wei >= self.floor
    }

    fn move_on(&mut self, random: &mut Random) {
        let place = usize::try_from(random.below(self.floors.len() as u64)).unwrap();
        self.floor = self.floors[place];
    }
}

/// What a transaction offers.
pub(super) fn price_of(signed: &TxEnvelope) -> u128 {
    signed.max_fee_per_gas()
}

/// Whether a node takes one price in the place of another: Besu and geth ask for a tenth more.
pub(super) const fn replaces(price_wei: u128, other_wei: u128) -> bool {
    price_wei > other_wei && price_wei * 10 >= other_wei * 11
}
