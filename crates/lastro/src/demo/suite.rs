//! The Drex suite's addresses, creations and grants.
//!
//! All contracts are created by one wallet from its first nonce on, so their addresses are known before anything is
//! sent, and constructors can name contracts that do not exist yet.

#![expect(non_snake_case, reason = "fields of the contracts' arguments are named as in Solidity")]

use super::parties::{BANKS, Bank, Party};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolCall;
use bindings::creation;
use bindings::discovery;
use bindings::drex::{
    AddressDiscovery, KeyDictionary, RealDigital, RealDigitalDefaultAccount, RealDigitalEnableAccount, RealTokenizado,
    SwapOneStepFrom, TPFt, TPFtDvP, TPFtOperation1001, TPFtOperation1002, TPFtOperation1052, TPFtOperationId,
};

/// Contracts in the order of their creation: a contract's place is the nonce that creates it.
const CREATED: [&str; 14] = [
    "RealDigital",
    "RealTokenizado@Ipe",
    "RealTokenizado@Jatoba",
    "AddressDiscovery",
    "RealDigitalDefaultAccount",
    "RealDigitalEnableAccount",
    "KeyDictionary",
    "SwapOneStepFrom",
    "TPFt",
    "TPFtOperationId",
    "TPFtDvP",
    "TPFtOperation1001",
    "TPFtOperation1002",
    "TPFtOperation1052",
];

/// The deployed suite.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    pub(crate) real_digital: Address,
    tokens: [Address; 2],
    pub(crate) discovery: Address,
    pub(crate) default_accounts: Address,
    enable_account: Address,
    key_dictionary: Address,
    pub(crate) swap: Address,
    pub(crate) tpft: Address,
    operation_ids: Address,
    pub(crate) dvp: Address,
    pub(crate) operation_1001: Address,
    pub(crate) operation_1002: Address,
    pub(crate) operation_1052: Address,
}

/// A contract to be created.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    /// Its name, as people say it.
    pub(crate) name: &'static str,
    /// Where it will be.
    pub(crate) address: Address,
    /// Creation code with arguments.
    pub(crate) code: Bytes,
}

impl Suite {
    /// The suite that `admin` creates from nonce 0 on.
    pub(crate) fn of(admin: Address) -> Self {
        let address = |name: &str| {
            let place = CREATED.iter().position(|created| *created == name);
            admin.create(place.expect("the suite creates each contract it names") as u64)
        };
        Self {
            real_digital: address("RealDigital"),
            tokens: [address("RealTokenizado@Ipe"), address("RealTokenizado@Jatoba")],
            discovery: address("AddressDiscovery"),
            default_accounts: address("RealDigitalDefaultAccount"),
            enable_account: address("RealDigitalEnableAccount"),
            key_dictionary: address("KeyDictionary"),
            swap: address("SwapOneStepFrom"),
            tpft: address("TPFt"),
            operation_ids: address("TPFtOperationId"),
            dvp: address("TPFtDvP"),
            operation_1001: address("TPFtOperation1001"),
            operation_1002: address("TPFtOperation1002"),
            operation_1052: address("TPFtOperation1052"),
        }
    }

    /// A bank's token.
    pub(crate) fn token(&self, bank: Bank) -> Address {
        match bank {
            Bank::Ipe => self.tokens[0],
            Bank::Jatoba => self.tokens[1],
        }
    }

    /// All creations, in order of nonce.
    pub(crate) fn creations(&self, wallet: impl Fn(Party) -> Address) -> Vec<Creation> {
        let codes = [self.money_code(&wallet), self.bond_code(&wallet)].concat();
        let admin = wallet(Party::Admin);
        let nonces = 0_u64..;
        let created = |((name, nonce), code)| Creation { name, address: admin.create(nonce), code };
        CREATED.into_iter().zip(nonces).zip(codes).map(created).collect()
    }

    fn money_code(&self, wallet: &impl Fn(Party) -> Address) -> Vec<Bytes> {
        let (admin, authority) = (wallet(Party::Admin), wallet(Party::CentralBank));
        let real = RealDigital::constructorCall {
            name_: "Real Digital".to_owned(),
            symbol_: "BRL".to_owned(),
            authority_: authority,
            admin_: admin,
        };
        let token = |bank: Bank| {
            let arguments = bank.token_constructor(wallet(Party::Bank(bank)), admin, wallet(Party::Reserve(bank)));
            creation(&RealTokenizado::BYTECODE, &arguments)
        };
        let discovery = AddressDiscovery::constructorCall { authority_: authority, admin_: admin };
        let token_address = self.real_digital;
        let defaults =
            RealDigitalDefaultAccount::constructorCall { token: token_address, authority_: authority, admin_: admin };
        let enable = RealDigitalEnableAccount::constructorCall { accessControlAddress: token_address };
        let keys = KeyDictionary::constructorCall { token: token_address };
        let swap = SwapOneStepFrom::constructorCall { admin_: admin, authority_: authority, token: token_address };
        vec![
            creation(&RealDigital::BYTECODE, &real),
            token(Bank::Ipe),
            token(Bank::Jatoba),
            creation(&AddressDiscovery::BYTECODE, &discovery),
            creation(&RealDigitalDefaultAccount::BYTECODE, &defaults),
            creation(&RealDigitalEnableAccount::BYTECODE, &enable),
            creation(&KeyDictionary::BYTECODE, &keys),
            creation(&SwapOneStepFrom::BYTECODE, &swap),
        ]
    }

    fn bond_code(&self, wallet: &impl Fn(Party) -> Address) -> Vec<Bytes> {
        let (admin_, authority_) = (wallet(Party::Admin), wallet(Party::CentralBank));
        let (tpft_, operationIds_, defaultAccounts_) = (self.tpft, self.operation_ids, self.default_accounts);
        let (dvp_, realDigital_, swapOneStepFrom_) = (self.dvp, self.real_digital, self.swap);
        let tpft = TPFt::constructorCall { defaultAccounts_, authority_, admin_ };
        let dvp = TPFtDvP::constructorCall { realDigital_, tpft_, swapOneStepFrom_, admin_ };
        let operation_1001 =
            TPFtOperation1001::constructorCall { tpft_, operationIds_, defaultAccounts_, authority_, admin_ };
        let operation_1002 =
            TPFtOperation1002::constructorCall { dvp_, tpft_, operationIds_, defaultAccounts_, authority_, admin_ };
        let operation_1052 =
            TPFtOperation1052::constructorCall { dvp_, tpft_, operationIds_, defaultAccounts_, authority_, admin_ };
        vec![
            creation(&TPFt::BYTECODE, &tpft),
            creation(&TPFtOperationId::BYTECODE, &TPFtOperationId::constructorCall { admin_ }),
            creation(&TPFtDvP::BYTECODE, &dvp),
            creation(&TPFtOperation1001::BYTECODE, &operation_1001),
            creation(&TPFtOperation1002::BYTECODE, &operation_1002),
            creation(&TPFtOperation1052::BYTECODE, &operation_1052),
        ]
    }

    /// Roles that the contracts need of each other: contract that grants, role, contract that receives.
    pub(crate) fn grants(&self) -> Vec<(Address, &'static str, Address)> {
        let mut grants = vec![
            (self.real_digital, "ACCESS_ROLE", self.default_accounts),
            (self.real_digital, "ACCESS_ROLE", self.enable_account),
            (self.tpft, "MINTER_ROLE", self.operation_1001),
            (self.tpft, "OPERATOR_ROLE", self.dvp),
            (self.operation_ids, "OPERATOR_ROLE", self.operation_1001),
            (self.operation_ids, "OPERATOR_ROLE", self.operation_1002),
            (self.operation_ids, "OPERATOR_ROLE", self.operation_1052),
            (self.dvp, "OPERATOR_ROLE", self.operation_1002),
            (self.dvp, "OPERATOR_ROLE", self.operation_1052),
        ];
        for bank in BANKS {
            let roles = ["BURNER_ROLE", "MOVER_ROLE", "MINTER_ROLE"];
            grants.extend(roles.map(|role| (self.token(bank), role, self.swap)));
        }
        grants
    }

    /// What is registered in `AddressDiscovery`: key and address.
    pub(crate) fn registrations(&self) -> Vec<(String, B256, Address)> {
        let named = [
            ("RealDigital", self.real_digital),
            ("RealDigitalDefaultAccount", self.default_accounts),
            ("RealDigitalEnableAccount", self.enable_account),
            ("KeyDictionary", self.key_dictionary),
            ("SwapOneStepFrom", self.swap),
            ("TPFt", self.tpft),
            ("TPFtDvP", self.dvp),
            ("TPFtOperation1001", self.operation_1001),
            ("TPFtOperation1002", self.operation_1002),
            ("TPFtOperation1052", self.operation_1052),
        ];
        let mut registrations: Vec<(String, B256, Address)> =
            named.into_iter().map(|(name, address)| (name.to_owned(), discovery::key(name), address)).collect();
        for bank in BANKS {
            let root = bank.cnpj_root();
            for key in discovery::real_tokenizado_keys(root.as_str()) {
                registrations.push((format!("RealTokenizado@{}", root.as_str()), key, self.token(bank)));
            }
        }
        registrations
    }
}

/// Calldata of `grantRole`, which is the same for every contract.
pub(crate) fn grant_role(role: &str, account: Address) -> Bytes {
    RealDigital::grantRoleCall { role: keccak256(role), account }.abi_encode().into()
}

/// An amount as contracts take it.
pub(crate) fn units(amount: u64) -> U256 {
    U256::from(amount)
}
