//! What the platform must know of a network before it sends to it, and what it expects the network to be.

pub(crate) mod file;
pub(crate) mod network;

use std::fmt;
use std::time::Duration;

use alloy_consensus::{Transaction as _, TypedTransaction};
use custody::{Network, ProfileName};

use self::network::NetworkProfile;

/// The rules of the EVM on a network, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rules {
    /// April 2021: typed transactions, no base fee.
    Berlin,
    /// August 2021: base fee (EIP-1559).
    London,
    /// September 2022.
    Paris,
    /// April 2023: `PUSH0`, limit on creation code (EIP-3860).
    Shanghai,
    /// March 2024.
    Cancun,
    /// May 2025: floor on calldata's gas (EIP-7623).
    Prague,
    /// December 2025: cap on a transaction's gas (EIP-7825).
    Osaka,
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Berlin => "berlin",
            Self::London => "london",
            Self::Paris => "paris",
            Self::Shanghai => "shanghai",
            Self::Cancun => "cancun",
            Self::Prague => "prague",
            Self::Osaka => "osaka",
        })
    }
}

/// What a transaction offers for its gas. Prices are in wei per unit of gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeeModel {
    /// Gas is free: legacy transactions with price zero.
    Free,
    /// A fixed price, in legacy transactions: networks older than London, or with a floor and no market.
    Legacy {
        /// The price.
        gas_price_wei: u128,
    },
    /// EIP-1559 transactions with fixed bounds; London and later.
    Eip1559 {
        /// The most that is paid in all.
        max_fee_per_gas_wei: u128,
        /// The most that is paid to the proposer.
        max_priority_fee_per_gas_wei: u128,
    },
}

impl FeeModel {
    /// What a transaction offers.
    pub(crate) fn of(transaction: &TypedTransaction) -> Self {
        match transaction.max_priority_fee_per_gas() {
            Some(max_priority_fee_per_gas_wei) => {
                Self::Eip1559 { max_fee_per_gas_wei: transaction.max_fee_per_gas(), max_priority_fee_per_gas_wei }
            }
            // A legacy transaction's fee bound is its price.
            None if transaction.max_fee_per_gas() == 0 => Self::Free,
            None => Self::Legacy { gas_price_wei: transaction.max_fee_per_gas() },
        }
    }

    /// The higher of each price, where both are of one kind; else this.
    pub(crate) fn or_more(self, other: Self) -> Self {
        match (self, other) {
            (Self::Legacy { gas_price_wei }, Self::Legacy { gas_price_wei: other }) => {
                Self::Legacy { gas_price_wei: gas_price_wei.max(other) }
            }
            (
                Self::Eip1559 { max_fee_per_gas_wei: fee, max_priority_fee_per_gas_wei: tip },
                Self::Eip1559 { max_fee_per_gas_wei, max_priority_fee_per_gas_wei },
            ) => Self::Eip1559 {
                max_fee_per_gas_wei: fee.max(max_fee_per_gas_wei),
                max_priority_fee_per_gas_wei: tip.max(max_priority_fee_per_gas_wei),
            },
            _ => self,
        }
    }

    /// What a transaction offers that is to take the place of one by this model, with the same nonce: an eighth more of each price.
    /// Besu (`--tx-pool-price-bump`) and geth (`--txpool.pricebump`) ask for a tenth more by default. What is free stays free.
    pub(crate) const fn to_replace(self) -> Self {
        match self {
            Self::Free => Self::Free,
            Self::Legacy { gas_price_wei } => Self::Legacy { gas_price_wei: dearer(gas_price_wei) },
            Self::Eip1559 { max_fee_per_gas_wei, max_priority_fee_per_gas_wei } => Self::Eip1559 {
                max_fee_per_gas_wei: dearer(max_fee_per_gas_wei),
                max_priority_fee_per_gas_wei: dearer(max_priority_fee_per_gas_wei),
            },
        }
    }
}

/// An eighth more, rounded up.
const fn dearer(price_wei: u128) -> u128 {
    price_wei.saturating_add(price_wei.div_ceil(8))
}

/// How often and how long something is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The pause before the second attempt; it doubles after each.
    pub first_pause: Duration,
    /// The longest pause.
    pub pause_max: Duration,
    /// How many attempts there are in all.
    pub attempts_max: u32,
}

impl Pace {
    /// The pause after the attempt, counted from 1.
    pub(crate) fn pause_after(self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        self.first_pause.saturating_mul(1 << doublings).min(self.pause_max)
    }

    /// All pauses together: as long as something is tried, apart from the attempts themselves.
    pub(crate) fn whole(self) -> Duration {
        let attempts = (1..=self.attempts_max).map(|attempt| self.pause_after(attempt));
        attempts.fold(Duration::ZERO, Duration::saturating_add)
    }
}

/// A network as what is sent sees it: one value per network, made of a [`NetworkProfile`] and a chain id, the same for every
/// process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name; `embedded` is the ledger that the binary carries.
    pub name: ProfileName,
    /// Its chain id (EIP-155). The node must say the same.
    pub chain_id: u64,
    /// Its EVM rules.
    pub rules: Rules,
    /// What transactions offer for gas.
    pub fees: FeeModel,
    /// The gas limit of a block: no transaction can ask for more.
    pub block_gas_limit: u64,
    /// How many blocks must follow before a block is final. 0 with QBFT and IBFT 2, where a block is final when it is there.
    pub finality_blocks: u64,
    /// How often the head is asked for while somebody waits.
    pub head_poll: Duration,
    /// How long nothing is heard of a transaction before it is looked up and, if the node does not know it, sent again.
    pub silence_max: Duration,
    /// How a transaction is offered to the node until an answer settles it.
    pub offers: Pace,
    /// How many transactions of one sender are offered ahead of the ledger before the node has refused one for that reason: 1 to
    /// [`WINDOW_MAX`](crate::WINDOW_MAX).
    pub window_start: u64,
    /// How often a transaction that no block takes is offered anew at a price an eighth higher, where transactions have one: 0 to
    /// [`PRICE_STEPS_MAX`].
    pub price_steps_max: u32,
}

/// The most steps by which a transaction's price may grow: 64 come to some 1,900 times the first price.
pub const PRICE_STEPS_MAX: u32 = 64;

/// How many steps a profile has that says nothing: the price grows to 2.6 times the first.
pub(crate) const PRICE_STEPS: u32 = 8;

impl Profile {
    /// The ledger that the binary carries, with what whoever made it chose.
    pub fn embedded(chain_id: u64, rules: Rules, block_gas_limit: u64) -> Self {
        let embedded = NetworkProfile::embedded().sending(chain_id).expect("the embedded ledger may have any chain id");
        Self { rules, block_gas_limit, ..embedded }
    }

    /// The network that custody signs for on this profile.
    pub fn network(&self) -> Network {
        Network { profile: self.name.clone(), chain_id: self.chain_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pace = Profile::embedded(1337, Rules::Berlin, 1).offers;
        let pauses: Vec<_> = (1..=9).map(|attempt| pace.pause_after(attempt).as_millis()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 500, 500]);
        assert_eq!(pace.pause_after(u32::MAX), pace.pause_max);
        assert_eq!(pace.whole().as_millis(), 635 + 17 * 500);
    }
}
