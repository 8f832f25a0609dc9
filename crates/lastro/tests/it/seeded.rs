//! Randomness that a seed repeats: `LASTRO_SEED` sets it, and a failure names it.

/// Random numbers of a seed (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
pub(crate) struct Seeded {
    state: u64,
    seed: u64,
}

impl Seeded {
    /// The seed of the environment, or this one.
    pub(crate) fn new(default: u64) -> Self {
        let seed = std::env::var("LASTRO_SEED").ok().map_or(default, |text| text.parse().unwrap());
        Self { state: seed, seed }
    }

    /// The seed, for the words of a failure.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// How often something is done: the number in the environment, or this one.
pub(crate) fn rounds(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().map_or(default, |text| text.parse().unwrap())
}
