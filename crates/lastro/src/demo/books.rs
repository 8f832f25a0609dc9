//! The demonstration's own books: double entry, in the ledger's units, written from what was ordered and confirmed.
//!
//! Nothing here is ever read from a balance on the ledger. That is what makes comparing the two mean something.

use super::parties::{Bank, Party};
use std::collections::BTreeMap;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Asset {
    /// Real Digital, in centavos.
    RealDigital,
    /// A bank's Real Tokenizado, in centavos.
    RealTokenizado(Bank),
    /// A series of federal bonds, by its place in the list, in hundredths of a bond.
    Bond(usize),
}

/// An amount in an asset's units with its two decimals: every asset of the demonstration has two.
pub(crate) fn hundredths(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let units = amount.unsigned_abs();
    format!("{sign}{}.{:02}", units / 100, units % 100)
}

/// An account of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Account {
    /// What an asset's issuer has in circulation: its balance is the negative of the supply.
    Issued,
    /// What somebody holds.
    Held(Party),
}

/// One movement: `amount` of `asset` leaves one account and enters another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Posting {
    /// What moves.
    pub(crate) asset: Asset,
    /// Where it leaves.
    pub(crate) from: Account,
    /// Where it enters.
    pub(crate) to: Account,
    /// How much, in the asset's units.
    pub(crate) amount: u64,
}

/// A posting that the books cannot take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PostError {
    /// Somebody would hold less than nothing.
    #[error("{account:?} has {balance} of {asset:?} and cannot give {amount}")]
    Overdrawn {
        /// Who.
        account: Account,
        /// What.
        asset: Asset,
        /// What is there.
        balance: i128,
        /// What was to be given.
        amount: u64,
    },
}

/// The books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Books {
    balances: BTreeMap<(Asset, Account), i128>,
    postings: usize,
}

impl Books {
    /// Posts movements, all or none.
    ///
    /// # Errors
    /// [`PostError::Overdrawn`] if an account other than an issuer's would fall below zero.
    pub(crate) fn post(&mut self, postings: &[Posting]) -> Result<(), PostError> {
        let mut balances = self.balances.clone();
        for posting in postings {
            let amount = i128::from(posting.amount);
            let from = balances.entry((posting.asset, posting.from)).or_default();
            if posting.from != Account::Issued && *from < amount {
                let (account, asset, balance) = (posting.from, posting.asset, *from);
                return Err(PostError::Overdrawn { account, asset, balance, amount: posting.amount });
            }
            // 2^64 units a posting cannot overflow 2^127 in any number of postings that fits into memory.
            *from -= amount;
            *balances.entry((posting.asset, posting.to)).or_default() += amount;
        }
        self.balances = balances;
        self.postings += postings.len();
        Ok(())
    }

    /// What somebody holds.
    pub(crate) fn held(&self, asset: Asset, party: Party) -> i128 {
        self.balances.get(&(asset, Account::Held(party))).copied().unwrap_or(0)
    }

    /// What is in circulation.
    pub(crate) fn supply(&self, asset: Asset) -> i128 {
        -self.balances.get(&(asset, Account::Issued)).copied().unwrap_or(0)
    }

    /// Every account that has ever been moved.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (Asset, Account)> {
        self.balances.keys().copied()
    }

    /// Number of movements posted.
    pub(crate) fn postings(&self) -> usize {
        self.postings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANK: Party = Party::Bank(Bank::Ipe);
    const OTHER: Party = Party::Bank(Bank::Jatoba);

    fn moved(from: Account, to: Account, amount: u64) -> Posting {
        Posting { asset: Asset::RealDigital, from, to, amount }
    }

    #[test]
    fn hundredths_keep_their_zeros_and_sign() {
        assert_eq!([0, 5, 100, -1_205].map(hundredths), ["0.00", "0.05", "1.00", "-12.05"]);
    }

    #[test]
    fn every_movement_leaves_one_account_and_enters_another() {
        let mut books = Books::default();
        books.post(&[moved(Account::Issued, Account::Held(BANK), 100)]).unwrap();
        books.post(&[moved(Account::Held(BANK), Account::Held(OTHER), 30)]).unwrap();
        let asset = Asset::RealDigital;
        assert_eq!((books.held(asset, BANK), books.held(asset, OTHER), books.supply(asset)), (70, 30, 100));
        assert_eq!(books.balances.values().sum::<i128>(), 0);
    }

    #[test]
    fn postings_are_taken_all_or_none_and_nobody_is_overdrawn() {
        let mut books = Books::default();
        let before = books.clone();
        let together =
            [moved(Account::Issued, Account::Held(BANK), 5), moved(Account::Held(BANK), Account::Held(OTHER), 6)];
        assert!(matches!(books.post(&together), Err(PostError::Overdrawn { balance: 5, amount: 6, .. })));
        assert_eq!(books, before);
    }
}
