//! Creation code of each contract, with the arguments of its constructor.

#![expect(non_snake_case, reason = "fields of the contracts' arguments are named as in Solidity")]

use super::{Contract, Institution, Suite, Wallet};
use alloy_primitives::{Address, Bytes, U256};
use bindings::creation;
use bindings::drex::{
    AddressDiscovery, DateTimeOracle, KeyDictionary, RealDigital, RealDigitalDefaultAccount, RealDigitalEnableAccount,
    RealTokenizado, STR, SwapOneStep, SwapOneStepFrom, SwapToRetail, SwapTwoSteps, SwapTwoStepsReserve, TPFt, TPFtDvP,
    TPFtOperation1001, TPFtOperation1002, TPFtOperation1012, TPFtOperation1052, TPFtOperation1054, TPFtOperation1056,
    TPFtOperation1070, TPFtOperationId, TPFtRepaymentReserve, TPFtRepoStorage,
};

/// Creation code of an institution's token. The institution is its authority.
pub(super) fn token(institution: &Institution, place: usize, wallet: &dyn Fn(Wallet) -> Address) -> Bytes {
    let root = institution.root;
    let arguments = RealTokenizado::constructorCall {
        name_: institution.token_name(),
        symbol_: format!("DREX@{}", root.as_str()),
        authority_: wallet(Wallet::Bank(place)),
        admin_: wallet(Wallet::Admin),
        participant_: institution.name.clone(),
        cnpj8_: U256::from(root.to_u128()),
        reserve_: wallet(Wallet::Reserve(place)),
    };
    creation(&RealTokenizado::BYTECODE, &arguments)
}

impl Suite {
    /// Creation code of a contract that there is once.
    pub(super) fn code(&self, contract: Contract, wallet: &dyn Fn(Wallet) -> Address) -> Bytes {
        let (admin_, authority_) = (wallet(Wallet::Admin), wallet(Wallet::CentralBank));
        let token = self.address(Contract::RealDigital);
        match contract {
            Contract::AddressDiscovery => {
                creation(&AddressDiscovery::BYTECODE, &AddressDiscovery::constructorCall { authority_, admin_ })
            }
            Contract::RealDigital => {
                let (name_, symbol_) = ("Real Digital".to_owned(), "BRL".to_owned());
                let arguments = RealDigital::constructorCall { name_, symbol_, authority_, admin_ };
                creation(&RealDigital::BYTECODE, &arguments)
            }
            Contract::RealDigitalDefaultAccount => creation(
                &RealDigitalDefaultAccount::BYTECODE,
                &RealDigitalDefaultAccount::constructorCall { token, authority_, admin_ },
            ),
            Contract::RealDigitalEnableAccount => creation(
                &RealDigitalEnableAccount::BYTECODE,
                &RealDigitalEnableAccount::constructorCall { accessControlAddress: token },
            ),
            Contract::KeyDictionary => creation(&KeyDictionary::BYTECODE, &KeyDictionary::constructorCall { token }),
            Contract::Str => creation(&STR::BYTECODE, &STR::constructorCall { token }),
            Contract::DateTimeOracle => {
                creation(&DateTimeOracle::BYTECODE, &DateTimeOracle::constructorCall { authority_, admin_ })
            }
            Contract::SwapOneStep
            | Contract::SwapOneStepFrom
            | Contract::SwapTwoSteps
            | Contract::SwapTwoStepsReserve
            | Contract::SwapToRetail => swap(contract, admin_, authority_, token),
            _ => self.bond_code(contract, wallet),
        }
    }

    fn bond_code(&self, contract: Contract, wallet: &dyn Fn(Wallet) -> Address) -> Bytes {
        let (admin_, authority_) = (wallet(Wallet::Admin), wallet(Wallet::CentralBank));
        let (tpft_, operationIds_) = (self.address(Contract::TPFt), self.address(Contract::TPFtOperationId));
        let defaultAccounts_ = self.address(Contract::RealDigitalDefaultAccount);
        match contract {
            Contract::TPFt => {
                creation(&TPFt::BYTECODE, &TPFt::constructorCall { defaultAccounts_, authority_, admin_ })
            }
            Contract::TPFtOperationId => {
                creation(&TPFtOperationId::BYTECODE, &TPFtOperationId::constructorCall { admin_ })
            }
            Contract::TPFtRepoStorage => {
                creation(&TPFtRepoStorage::BYTECODE, &TPFtRepoStorage::constructorCall { admin_ })
            }
            Contract::TPFtDvP => {
                let realDigital_ = self.address(Contract::RealDigital);
                let swapOneStepFrom_ = self.address(Contract::SwapOneStepFrom);
                let arguments = TPFtDvP::constructorCall { realDigital_, tpft_, swapOneStepFrom_, admin_ };
                creation(&TPFtDvP::BYTECODE, &arguments)
            }
            Contract::TPFtOperation1001 => creation(
                &TPFtOperation1001::BYTECODE,
                &TPFtOperation1001::constructorCall { tpft_, operationIds_, defaultAccounts_, authority_, admin_ },
            ),
            Contract::TPFtOperation1070 => creation(
                &TPFtOperation1070::BYTECODE,
                &TPFtOperation1070::constructorCall { tpft_, operationIds_, defaultAccounts_, authority_, admin_ },
            ),
            Contract::TPFtOperation1012 | Contract::TPFtRepaymentReserve => self.redemption_code(contract, wallet),
            _ => self.trade_code(contract, admin_, authority_),
        }
    }

    /// Operations of two commands.
    fn trade_code(&self, contract: Contract, admin_: Address, authority_: Address) -> Bytes {
        let (dvp_, tpft_) = (self.address(Contract::TPFtDvP), self.address(Contract::TPFt));
        let operationIds_ = self.address(Contract::TPFtOperationId);
        let defaultAccounts_ = self.address(Contract::RealDigitalDefaultAccount);
        let dateTimeOracle_ = self.address(Contract::DateTimeOracle);
        let repoStorage_ = self.address(Contract::TPFtRepoStorage);
        match contract {
            Contract::TPFtOperation1002 => creation(
                &TPFtOperation1002::BYTECODE,
                &TPFtOperation1002::constructorCall {
                    dvp_,
                    tpft_,
                    operationIds_,
                    defaultAccounts_,
                    authority_,
                    admin_,
                },
            ),
            Contract::TPFtOperation1052 => creation(
                &TPFtOperation1052::BYTECODE,
                &TPFtOperation1052::constructorCall {
                    dvp_,
                    tpft_,
                    operationIds_,
                    defaultAccounts_,
                    authority_,
                    admin_,
                },
            ),
            Contract::TPFtOperation1054 => creation(
                &TPFtOperation1054::BYTECODE,
                &TPFtOperation1054::constructorCall {
                    dvp_,
                    tpft_,
                    operationIds_,
                    defaultAccounts_,
                    dateTimeOracle_,
                    repoStorage_,
                    admin_,
                },
            ),
            Contract::TPFtOperation1056 => creation(
                &TPFtOperation1056::BYTECODE,
                &TPFtOperation1056::constructorCall {
                    dvp_,
                    tpft_,
                    operationIds_,
                    defaultAccounts_,
                    dateTimeOracle_,
                    repoStorage_,
                    admin_,
                },
            ),
            other => unreachable!("{} is no operation of two commands", other.name()),
        }
    }

    /// The redemption is the Treasury's; lost wallets are the central bank's business.
    fn redemption_code(&self, contract: Contract, wallet: &dyn Fn(Wallet) -> Address) -> Bytes {
        let token = self.address(Contract::RealDigital);
        let keys = self.address(Contract::KeyDictionary);
        let directory = self.address(Contract::AddressDiscovery);
        let swap = self.address(Contract::SwapToRetail);
        let tpft_ = self.address(Contract::TPFt);
        let admin_ = wallet(Wallet::Admin);
        if contract == Contract::TPFtRepaymentReserve {
            let partners = TPFtRepaymentReserve::constructorCall {
                partners: (token, keys, directory, swap).into(),
                tpft_,
                authority_: wallet(Wallet::CentralBank),
                admin_,
            };
            return creation(&TPFtRepaymentReserve::BYTECODE, &partners);
        }
        let arguments = TPFtOperation1012::constructorCall {
            partners: (token, keys, directory, swap).into(),
            repaymentReserve_: self.address(Contract::TPFtRepaymentReserve),
            tpft_,
            operationIds_: self.address(Contract::TPFtOperationId),
            defaultAccounts_: self.address(Contract::RealDigitalDefaultAccount),
            authority_: wallet(Wallet::Treasury),
            admin_,
        };
        creation(&TPFtOperation1012::BYTECODE, &arguments)
    }
}

fn swap(contract: Contract, admin_: Address, authority_: Address, token: Address) -> Bytes {
    match contract {
        Contract::SwapOneStep => {
            creation(&SwapOneStep::BYTECODE, &SwapOneStep::constructorCall { admin_, authority_, token })
        }
        Contract::SwapOneStepFrom => {
            creation(&SwapOneStepFrom::BYTECODE, &SwapOneStepFrom::constructorCall { admin_, authority_, token })
        }
        Contract::SwapTwoSteps => {
            creation(&SwapTwoSteps::BYTECODE, &SwapTwoSteps::constructorCall { admin_, authority_, token })
        }
        Contract::SwapTwoStepsReserve => {
            let arguments = SwapTwoStepsReserve::constructorCall { admin_, authority_, token };
            creation(&SwapTwoStepsReserve::BYTECODE, &arguments)
        }
        Contract::SwapToRetail => {
            creation(&SwapToRetail::BYTECODE, &SwapToRetail::constructorCall { admin_, authority_, token })
        }
        other => unreachable!("{} is no swap", other.name()),
    }
}
