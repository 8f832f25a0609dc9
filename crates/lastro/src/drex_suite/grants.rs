//! The roles that the contracts need of each other; the table of `docs/drex-family.md`, section "Deployment and grants".

use super::{Contract, Suite};
use alloy_primitives::Address;

/// A role that one contract gives another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// The contract that grants.
    pub(super) on: Address,
    /// Its name.
    pub(super) on_name: String,
    /// The role's name; the contract knows its Keccak-256.
    pub(super) role: &'static str,
    /// The contract that gets it.
    pub(super) to: Contract,
}

/// Roles on contracts that there are once.
const SHARED: [(Contract, &str, Contract); 22] = [
    (Contract::RealDigital, "ACCESS_ROLE", Contract::RealDigitalDefaultAccount),
    (Contract::RealDigital, "ACCESS_ROLE", Contract::RealDigitalEnableAccount),
    (Contract::RealDigital, "MINTER_ROLE", Contract::Str),
    (Contract::RealDigital, "MOVER_ROLE", Contract::Str),
    (Contract::TPFt, "MINTER_ROLE", Contract::TPFtOperation1001),
    (Contract::TPFt, "OPERATOR_ROLE", Contract::TPFtDvP),
    (Contract::TPFt, "REPAYMENT_ROLE", Contract::TPFtOperation1012),
    (Contract::TPFt, "DIRECT_PLACEMENT_ROLE", Contract::TPFtOperation1070),
    (Contract::TPFtRepaymentReserve, "DEPOSITOR_ROLE", Contract::TPFtOperation1012),
    (Contract::TPFtOperationId, "OPERATOR_ROLE", Contract::TPFtOperation1001),
    (Contract::TPFtOperationId, "OPERATOR_ROLE", Contract::TPFtOperation1002),
    (Contract::TPFtOperationId, "OPERATOR_ROLE", Contract::TPFtOperation1012),
    (Contract::TPFtOperationId, "OPERATOR_ROLE", Contract::TPFtOperation1052),
    (Contract::TPFtOperationId, "OPERATOR_ROLE", Contract::TPFtOperation1054),
    (Contract::TPFtOperationId, "OPERATOR_ROLE", Contract::TPFtOperation1056),
    (Contract::TPFtOperationId, "OPERATOR_ROLE", Contract::TPFtOperation1070),
    (Contract::TPFtDvP, "OPERATOR_ROLE", Contract::TPFtOperation1002),
    (Contract::TPFtDvP, "OPERATOR_ROLE", Contract::TPFtOperation1052),
    (Contract::TPFtDvP, "OPERATOR_ROLE", Contract::TPFtOperation1054),
    (Contract::TPFtDvP, "OPERATOR_ROLE", Contract::TPFtOperation1056),
    (Contract::TPFtRepoStorage, "FORWARD_ROLE", Contract::TPFtOperation1054),
    (Contract::TPFtRepoStorage, "RETURN_ROLE", Contract::TPFtOperation1056),
];

/// Roles on each institution's token.
const ON_TOKENS: [(&str, Contract); 10] = [
    ("BURNER_ROLE", Contract::SwapOneStepFrom),
    ("MOVER_ROLE", Contract::SwapOneStepFrom),
    ("MINTER_ROLE", Contract::SwapOneStepFrom),
    ("BURNER_ROLE", Contract::SwapOneStep),
    ("MINTER_ROLE", Contract::SwapOneStep),
    ("BURNER_ROLE", Contract::SwapTwoSteps),
    ("MINTER_ROLE", Contract::SwapTwoSteps),
    ("BURNER_ROLE", Contract::SwapTwoStepsReserve),
    ("MINTER_ROLE", Contract::SwapTwoStepsReserve),
    ("MINTER_ROLE", Contract::SwapToRetail),
];

impl Suite {
    /// All grants of the administrator.
    pub(super) fn grants(&self) -> Vec<Grant> {
        let shared = SHARED.into_iter().map(|(on, role, to)| Grant {
            on: self.address(on),
            on_name: on.name().to_owned(),
            role,
            to,
        });
        let tokens = self.institutions.iter().enumerate().flat_map(|(place, institution)| {
            ON_TOKENS.map(|(role, to)| Grant { on: self.token(place), on_name: institution.token_name(), role, to })
        });
        shared.chain(tokens).collect()
    }
}
