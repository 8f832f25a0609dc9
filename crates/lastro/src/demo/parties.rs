//! Who takes part in the demonstration. The institutions are invented; the Treasury and the central bank are not, since
//! operation 1002 has no other issuer.

use crate::drex_suite::{Institution, Wallet};
use custody::KeyLabel;
use market::CnpjRoot;

/// A wallet with a role to play. Its key is a published test key, which custody takes on the embedded ledger alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Party {
    /// Deploys and grants roles.
    Admin,
    /// The central bank's wallet: mints, enables, places for the Treasury.
    CentralBank,
    /// The National Treasury's wallet.
    Treasury,
    /// A bank's default wallet.
    Bank(Bank),
    /// A bank's reserve wallet, which backs its tokenised deposits.
    Reserve(Bank),
    /// A client of a bank.
    Client(Bank),
}

/// The two banks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Bank {
    /// Banco Ipê.
    Ipe,
    /// Banco Jatobá, whose CNPJ root has letters, as new ones may since July 2026.
    Jatoba,
}

/// Everybody, in the order in which reports name them.
pub(crate) const PARTIES: [Party; 9] = [
    Party::Admin,
    Party::CentralBank,
    Party::Treasury,
    Party::Bank(Bank::Ipe),
    Party::Bank(Bank::Jatoba),
    Party::Reserve(Bank::Ipe),
    Party::Reserve(Bank::Jatoba),
    Party::Client(Bank::Ipe),
    Party::Client(Bank::Jatoba),
];

/// Both banks.
pub(crate) const BANKS: [Bank; 2] = [Bank::Ipe, Bank::Jatoba];

impl Party {
    /// The label of its key.
    ///
    /// # Panics
    /// Never: the labels are literals, and a test reads each.
    pub(crate) fn key_label(self) -> KeyLabel {
        let label = match self {
            Self::Admin => "demo-admin",
            Self::CentralBank => "demo-central-bank",
            Self::Treasury => "demo-treasury",
            Self::Bank(Bank::Ipe) => "demo-bank-ipe",
            Self::Bank(Bank::Jatoba) => "demo-bank-jatoba",
            Self::Reserve(Bank::Ipe) => "demo-reserve-ipe",
            Self::Reserve(Bank::Jatoba) => "demo-reserve-jatoba",
            Self::Client(Bank::Ipe) => "demo-client-ana",
            Self::Client(Bank::Jatoba) => "demo-client-bruno",
        };
        KeyLabel::parse(label).expect("the literals are labels")
    }

    /// Its name, the same in both languages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admin => "BCB (admin)",
            Self::CentralBank => "BCB",
            Self::Treasury => "Tesouro Nacional",
            Self::Bank(bank) => bank.name(),
            Self::Reserve(Bank::Ipe) => "Banco Ipê (reserva)",
            Self::Reserve(Bank::Jatoba) => "Banco Jatobá (reserva)",
            Self::Client(Bank::Ipe) => "Ana (Banco Ipê)",
            Self::Client(Bank::Jatoba) => "Bruno (Banco Jatobá)",
        }
    }
}

impl Bank {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ipe => "Banco Ipê",
            Self::Jatoba => "Banco Jatobá",
        }
    }

    /// Its CNPJ root.
    ///
    /// # Panics
    /// Never: the roots are literals, and a test reads each.
    pub(crate) fn cnpj_root(self) -> CnpjRoot {
        let root = match self {
            Self::Ipe => "11111111",
            Self::Jatoba => "12ABC345",
        };
        root.parse().expect("the literals are roots")
    }

    /// Its place among the suite's institutions.
    pub(crate) fn place(self) -> usize {
        match self {
            Self::Ipe => 0,
            Self::Jatoba => 1,
        }
    }

    fn of_place(place: usize) -> Self {
        BANKS[place]
    }
}

impl From<Bank> for Institution {
    fn from(bank: Bank) -> Self {
        let clients = vec![Party::Client(bank).name().to_owned()];
        Self { name: bank.name().to_owned(), root: bank.cnpj_root(), clients }
    }
}

impl From<Party> for Wallet {
    fn from(party: Party) -> Self {
        match party {
            Party::Admin => Self::Admin,
            Party::CentralBank => Self::CentralBank,
            Party::Treasury => Self::Treasury,
            Party::Bank(bank) => Self::Bank(bank.place()),
            Party::Reserve(bank) => Self::Reserve(bank.place()),
            Party::Client(bank) => Self::Client(bank.place(), 0),
        }
    }
}

impl From<Wallet> for Party {
    /// Each bank has one client here.
    fn from(wallet: Wallet) -> Self {
        match wallet {
            Wallet::Admin => Self::Admin,
            Wallet::CentralBank => Self::CentralBank,
            Wallet::Treasury => Self::Treasury,
            Wallet::Bank(place) => Self::Bank(Bank::of_place(place)),
            Wallet::Reserve(place) => Self::Reserve(Bank::of_place(place)),
            Wallet::Client(place, _) => Self::Client(Bank::of_place(place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn labels_and_roots_are_valid_and_distinct() {
        let labels: BTreeSet<String> = PARTIES.iter().map(|party| party.key_label().as_str().to_owned()).collect();
        assert_eq!(labels.len(), PARTIES.len());
        assert_ne!(Bank::Ipe.cnpj_root(), Bank::Jatoba.cnpj_root());
    }

    #[test]
    fn every_party_has_a_wallet_in_the_suite_and_is_found_by_it() {
        assert!(PARTIES.iter().all(|party| Party::from(Wallet::from(*party)) == *party));
    }
}
