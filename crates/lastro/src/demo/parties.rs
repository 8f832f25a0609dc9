//! Who takes part in the demonstration. The institutions are invented; the Treasury and the central bank are not, since
//! operation 1002 has no other issuer.

use bindings::drex::RealTokenizado;
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

    /// Arguments of its token's constructor.
    pub(crate) fn token_constructor(
        self,
        wallet: alloy_primitives::Address,
        admin: alloy_primitives::Address,
        reserve: alloy_primitives::Address,
    ) -> RealTokenizado::constructorCall {
        let root = self.cnpj_root();
        RealTokenizado::constructorCall {
            name_: format!("RealTokenizado@{}", root.as_str()),
            symbol_: format!("DREX@{}", root.as_str()),
            authority_: wallet,
            admin_: admin,
            participant_: self.name().to_owned(),
            cnpj8_: alloy_primitives::U256::from(root.to_u128()),
            reserve_: reserve,
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
}
