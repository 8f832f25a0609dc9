//! The Drex suite as the demonstration names it: contracts by what they do here, tokens by their bank.

use super::parties::{BANKS, Bank};
use crate::drex_suite::{self, Contract, Institution};
use alloy_primitives::Address;

/// The deployed suite.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    /// All of it.
    pub(crate) whole: drex_suite::Suite,
    pub(crate) real_digital: Address,
    pub(crate) tpft: Address,
    pub(crate) operation_1001: Address,
    pub(crate) operation_1002: Address,
    pub(crate) operation_1052: Address,
}

impl Suite {
    /// The suite that `admin` creates from nonce 0 on.
    pub(crate) fn of(admin: Address) -> Self {
        let whole = drex_suite::Suite::new(admin, 0, BANKS.map(Institution::from).into());
        Self {
            real_digital: whole.address(Contract::RealDigital),
            tpft: whole.address(Contract::TPFt),
            operation_1001: whole.address(Contract::TPFtOperation1001),
            operation_1002: whole.address(Contract::TPFtOperation1002),
            operation_1052: whole.address(Contract::TPFtOperation1052),
            whole,
        }
    }

    /// A bank's token.
    pub(crate) fn token(&self, bank: Bank) -> Address {
        self.whole.token(bank.place())
    }
}
