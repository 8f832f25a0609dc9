//! The Drex suite: which contracts it has, where they come to stand, and what they need of each other.
//!
//! All contracts are created by one wallet from one nonce on, so their addresses are known before anything is sent, and
//! constructors can name contracts that do not exist yet. The demonstration, the sandbox and a deployment use this one suite.

mod code;
mod grants;
mod setup;

pub(crate) use setup::{Setup, units};

use alloy_primitives::{Address, B256, Bytes};
use bindings::discovery;
use market::CnpjRoot;

/// CNPJ root of the central bank, as the pilot's contracts know it.
pub(crate) const CENTRAL_BANK_CNPJ8: u64 = 38_166;
/// CNPJ root of the National Treasury.
pub(crate) const TREASURY_CNPJ8: u64 = 394_460;

/// Whose wallet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Wallet {
    /// Deploys and grants roles.
    Admin,
    /// The central bank's: mints, enables, places for the Treasury.
    CentralBank,
    /// The National Treasury's.
    Treasury,
    /// An institution's default wallet, by its place in the list.
    Bank(usize),
    /// An institution's reserve, which backs its tokenised deposits.
    Reserve(usize),
    /// A client of an institution: places of the institution and of the client in its list.
    Client(usize, usize),
}

impl Wallet {
    /// Its kind and its places as numbers, which stay what they are.
    pub(crate) fn number(self) -> [u64; 3] {
        let place = |place: usize| place as u64;
        match self {
            Self::Admin => [0, 0, 0],
            Self::CentralBank => [1, 0, 0],
            Self::Treasury => [2, 0, 0],
            Self::Bank(institution) => [3, place(institution), 0],
            Self::Reserve(institution) => [4, place(institution), 0],
            Self::Client(institution, client) => [5, place(institution), place(client)],
        }
    }
}

/// An institution that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Institution {
    /// Its name, as its token says it.
    pub(crate) name: String,
    /// Root of its CNPJ, which is its ISPB too.
    pub(crate) root: CnpjRoot,
    /// Names of its clients.
    pub(crate) clients: Vec<String>,
}

/// A contract that there is once. Each institution's token comes in addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contract {
    AddressDiscovery,
    RealDigital,
    RealDigitalDefaultAccount,
    RealDigitalEnableAccount,
    KeyDictionary,
    Str,
    SwapOneStep,
    SwapOneStepFrom,
    SwapTwoSteps,
    SwapTwoStepsReserve,
    SwapToRetail,
    TPFt,
    TPFtOperationId,
    TPFtDvP,
    DateTimeOracle,
    TPFtRepoStorage,
    TPFtOperation1001,
    TPFtOperation1002,
    TPFtOperation1012,
    TPFtOperation1052,
    TPFtOperation1054,
    TPFtOperation1056,
    TPFtOperation1070,
    TPFtRepaymentReserve,
}

impl Contract {
    /// All of them in the order of their creation; tokens of institutions follow. The directory comes first, so that its
    /// address depends on the deployer alone.
    pub(crate) const ALL: [Self; 24] = [
        Self::AddressDiscovery,
        Self::RealDigital,
        Self::RealDigitalDefaultAccount,
        Self::RealDigitalEnableAccount,
        Self::KeyDictionary,
        Self::Str,
        Self::SwapOneStep,
        Self::SwapOneStepFrom,
        Self::SwapTwoSteps,
        Self::SwapTwoStepsReserve,
        Self::SwapToRetail,
        Self::TPFt,
        Self::TPFtOperationId,
        Self::TPFtDvP,
        Self::DateTimeOracle,
        Self::TPFtRepoStorage,
        Self::TPFtOperation1001,
        Self::TPFtOperation1002,
        Self::TPFtOperation1012,
        Self::TPFtOperation1052,
        Self::TPFtOperation1054,
        Self::TPFtOperation1056,
        Self::TPFtOperation1070,
        Self::TPFtRepaymentReserve,
    ];

    /// The swaps that go by a list of banks' tokens.
    pub(crate) const SWAPS: [Self; 5] =
        [Self::SwapOneStep, Self::SwapOneStepFrom, Self::SwapTwoSteps, Self::SwapTwoStepsReserve, Self::SwapToRetail];

    /// Its name, which is also its key's in `AddressDiscovery` (the pilot's kit; those that it never published by analogy).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AddressDiscovery => "AddressDiscovery",
            Self::RealDigital => "RealDigital",
            Self::RealDigitalDefaultAccount => "RealDigitalDefaultAccount",
            Self::RealDigitalEnableAccount => "RealDigitalEnableAccount",
            Self::KeyDictionary => "KeyDictionary",
            Self::Str => "STR",
            Self::SwapOneStep => "SwapOneStep",
            Self::SwapOneStepFrom => "SwapOneStepFrom",
            Self::SwapTwoSteps => "SwapTwoSteps",
            Self::SwapTwoStepsReserve => "SwapTwoStepsReserve",
            Self::SwapToRetail => "SwapToRetail",
            Self::TPFt => "TPFt",
            Self::TPFtOperationId => "TPFtOperationId",
            Self::TPFtDvP => "TPFtDvP",
            Self::DateTimeOracle => "DateTimeOracle",
            Self::TPFtRepoStorage => "TPFtRepoStorage",
            Self::TPFtOperation1001 => "TPFtOperation1001",
            Self::TPFtOperation1002 => "TPFtOperation1002",
            Self::TPFtOperation1012 => "TPFtOperation1012",
            Self::TPFtOperation1052 => "TPFtOperation1052",
            Self::TPFtOperation1054 => "TPFtOperation1054",
            Self::TPFtOperation1056 => "TPFtOperation1056",
            Self::TPFtOperation1070 => "TPFtOperation1070",
            Self::TPFtRepaymentReserve => "TPFtRepaymentReserve",
        }
    }

    /// Creations before it.
    fn place(self) -> u64 {
        self as u64
    }
}

/// The suite's addresses, for one deployer and one list of institutions.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    deployer: Address,
    first_nonce: u64,
    institutions: Vec<Institution>,
}

/// A contract to be created.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    /// Its name; a token's is that of its key.
    pub(crate) name: String,
    /// Where it will be.
    pub(crate) address: Address,
    /// Creation code with arguments.
    pub(crate) code: Bytes,
}

/// An entry of `AddressDiscovery`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    /// The contract's name.
    pub(crate) name: String,
    /// Keccak-256 of the name that is looked up: a token has one with leading zeros and one without.
    pub(crate) key: B256,
    /// Where it stands.
    pub(crate) address: Address,
}

impl Institution {
    /// The name of its token: the pilot's scheme.
    pub(crate) fn token_name(&self) -> String {
        format!("RealTokenizado@{}", self.root.as_str())
    }
}

impl Suite {
    /// The suite that `deployer` creates from `first_nonce` on.
    pub(crate) fn new(deployer: Address, first_nonce: u64, institutions: Vec<Institution>) -> Self {
        Self { deployer, first_nonce, institutions }
    }

    /// Who takes part.
    pub(crate) fn institutions(&self) -> &[Institution] {
        &self.institutions
    }

    /// Where a contract stands.
    pub(crate) fn address(&self, contract: Contract) -> Address {
        self.created(contract.place())
    }

    /// Where the token of an institution stands, by its place in the list.
    pub(crate) fn token(&self, institution: usize) -> Address {
        self.created((Contract::ALL.len() + institution) as u64)
    }

    fn created(&self, place: u64) -> Address {
        self.deployer.create(self.first_nonce + place)
    }

    /// Which contract stands there, if it is registered.
    pub(crate) fn name_of(&self, address: Address) -> Option<String> {
        self.registrations().into_iter().find(|one| one.address == address).map(|one| one.name)
    }

    /// All creations, in the order of their nonces.
    pub(crate) fn creations(&self, wallet: &dyn Fn(Wallet) -> Address) -> Vec<Creation> {
        let shared = Contract::ALL.into_iter().map(|contract| Creation {
            name: contract.name().to_owned(),
            address: self.address(contract),
            code: self.code(contract, wallet),
        });
        let tokens = self.institutions.iter().enumerate().map(|(place, institution)| Creation {
            name: institution.token_name(),
            address: self.token(place),
            code: code::token(institution, place, wallet),
        });
        shared.chain(tokens).collect()
    }

    /// What is registered in `AddressDiscovery`: every contract but itself, and each token under both of its keys.
    pub(crate) fn registrations(&self) -> Vec<Registration> {
        let shared = Contract::ALL.into_iter().filter(|contract| *contract != Contract::AddressDiscovery);
        let mut registrations: Vec<Registration> = shared
            .map(|contract| Registration {
                name: contract.name().to_owned(),
                key: discovery::key(contract.name()),
                address: self.address(contract),
            })
            .collect();
        for (place, institution) in self.institutions.iter().enumerate() {
            let (name, address) = (institution.token_name(), self.token(place));
            let keys = discovery::real_tokenizado_keys(institution.root.as_str());
            registrations.extend(keys.into_iter().map(|key| Registration { name: name.clone(), key, address }));
        }
        registrations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn suite() -> Suite {
        let institution = |name: &str, root: &str| Institution {
            name: name.to_owned(),
            root: root.parse().unwrap(),
            clients: vec!["Ana".to_owned()],
        };
        Suite::new(Address::repeat_byte(1), 3, vec![institution("A", "00000191"), institution("B", "12ABC345")])
    }

    fn wallet(wallet: Wallet) -> Address {
        Address::from_slice(&alloy_primitives::keccak256(format!("{wallet:?}"))[12..])
    }

    #[test]
    fn contracts_stand_where_the_deployers_nonces_put_them() {
        assert!(Contract::ALL.iter().zip(0..).all(|(contract, place)| contract.place() == place));
        let creations = suite().creations(&wallet);
        let nonces = 3_u64..;
        for (creation, nonce) in creations.iter().zip(nonces) {
            assert_eq!(creation.address, Address::repeat_byte(1).create(nonce), "{}", creation.name);
            assert!(creation.code.len() > 500, "{}", creation.name);
        }
        assert_eq!(creations.len(), 26);
    }

    #[test]
    fn everything_but_the_directory_is_registered_once_under_each_of_its_keys() {
        let registrations = suite().registrations();
        let keys: BTreeSet<B256> = registrations.iter().map(|one| one.key).collect();
        assert_eq!((keys.len(), registrations.len()), (26, 26), "23 contracts, one token with two keys, one with one");
        let tokens: Vec<&Registration> = registrations.iter().filter(|one| one.name.contains('@')).collect();
        assert_eq!(tokens.iter().filter(|one| one.address == suite().token(0)).count(), 2);
    }
}
