//! The fork schedule: which EVM rules hold in a block.
//!
//! Besu activates old forks by block number and, from Shanghai on, by block time; where a time has passed, it wins over
//! every block number (Besu's schedule looks at timestamp milestones first). A fresh chain from the Drex kit's genesis
//! therefore has Shanghai's rules from block 1 although its `londonBlock` lies far ahead.

use std::fmt;

/// EVM rules that this ledger can execute, oldest first. Ordered: a later fork includes the earlier ones.
///
/// Nothing older than Byzantium: receipts before it carry a state root instead of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fork {
    /// Receipts carry a status; `REVERT`, `STATICCALL` (EIP-609).
    Byzantium,
    /// Constantinople without its flawed gas metering (EIP-1716).
    Petersburg,
    /// `CHAINID`, cheaper zero-knowledge precompiles (EIP-1679); Muir Glacier is the same to a private network.
    Istanbul,
    /// Access lists (EIP-2930) and cold/warm gas (EIP-2929).
    Berlin,
    /// Fee market (EIP-1559): headers carry a base fee.
    London,
    /// `PUSH0` (EIP-3855); headers carry a withdrawals root.
    Shanghai,
    /// Transient storage and `MCOPY` (EIP-1153, EIP-5656); headers carry blob gas and the parent beacon root.
    Cancun,
    /// Set-code transactions (EIP-7702); headers carry a requests hash.
    Prague,
    /// Transaction gas cap (EIP-7825) and `CLZ` (EIP-7939).
    Osaka,
}

impl fmt::Display for Fork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Byzantium => "byzantium",
            Self::Petersburg => "petersburg",
            Self::Istanbul => "istanbul",
            Self::Berlin => "berlin",
            Self::London => "london",
            Self::Shanghai => "shanghai",
            Self::Cancun => "cancun",
            Self::Prague => "prague",
            Self::Osaka => "osaka",
        };
        formatter.write_str(name)
    }
}

/// When a fork begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// From this block number on.
    Block(u64),
    /// From the first block whose timestamp, in seconds since 1970, is at least this.
    Time(u64),
}

/// The forks of one network with their activations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForkSchedule {
    activations: Vec<(Fork, Activation)>,
}

impl ForkSchedule {
    /// A schedule with one fork from the genesis block on.
    pub fn only(fork: Fork) -> Self {
        Self { activations: vec![(fork, Activation::Block(0))] }
    }

    /// Adds an activation. Order does not matter.
    pub fn add(&mut self, fork: Fork, activation: Activation) {
        self.activations.push((fork, activation));
    }

    /// The rules of block `number` with `timestamp` in seconds since 1970; `None` where the genesis names no fork that
    /// this ledger supports for that block.
    pub fn at(&self, number: u64, timestamp: u64) -> Option<Fork> {
        let by_time = self.newest(|activation| matches!(activation, Activation::Time(from) if timestamp >= from));
        by_time.or_else(|| self.newest(|activation| matches!(activation, Activation::Block(from) if number >= from)))
    }

    fn newest(&self, is_active: impl Fn(Activation) -> bool) -> Option<Fork> {
        self.activations.iter().filter(|(_, activation)| is_active(*activation)).map(|(fork, _)| *fork).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passed_time_wins_over_a_later_block() {
        let mut drex = ForkSchedule::default();
        drex.add(Fork::Istanbul, Activation::Block(0));
        drex.add(Fork::London, Activation::Block(2_592_800));
        drex.add(Fork::Shanghai, Activation::Time(1_737_394_200));
        assert_eq!(drex.at(1, 1_737_394_199), Some(Fork::Istanbul));
        assert_eq!(drex.at(1, 1_737_394_200), Some(Fork::Shanghai));
        assert_eq!(drex.at(2_592_800, 0), Some(Fork::London));
    }

    #[test]
    fn a_schedule_that_begins_later_has_no_rules_before() {
        let mut schedule = ForkSchedule::default();
        schedule.add(Fork::Berlin, Activation::Block(5));
        assert_eq!((schedule.at(4, 0), schedule.at(5, 0)), (None, Some(Fork::Berlin)));
    }
}
