//! The Drex family. One module per contract, made from its artifact.

#![expect(missing_docs, reason = "generated from artifacts, whose NatSpec is the documentation")]
#![expect(clippy::too_many_arguments, reason = "events have as many fields as the kit published")]

use alloy_sol_types::sol;

sol!(
    #![sol(all_derives)]
    AddressDiscovery,
    "../../solidity/artifacts/AddressDiscovery.json"
);
sol!(
    #![sol(all_derives)]
    ApprovedDigitalCurrency,
    "../../solidity/artifacts/ApprovedDigitalCurrency.json"
);
sol!(
    #![sol(all_derives)]
    KeyDictionary,
    "../../solidity/artifacts/KeyDictionary.json"
);
sol!(
    #![sol(all_derives)]
    RealDigital,
    "../../solidity/artifacts/RealDigital.json"
);
sol!(
    #![sol(all_derives)]
    RealDigitalDefaultAccount,
    "../../solidity/artifacts/RealDigitalDefaultAccount.json"
);
sol!(
    #![sol(all_derives)]
    RealDigitalEnableAccount,
    "../../solidity/artifacts/RealDigitalEnableAccount.json"
);
sol!(
    #![sol(all_derives)]
    RealTokenizado,
    "../../solidity/artifacts/RealTokenizado.json"
);
sol!(
    #![sol(all_derives)]
    SwapOneStepFrom,
    "../../solidity/artifacts/SwapOneStepFrom.json"
);
sol!(
    #![sol(all_derives)]
    TPFt,
    "../../solidity/artifacts/TPFt.json"
);
sol!(
    #![sol(all_derives)]
    TPFtDvP,
    "../../solidity/artifacts/TPFtDvP.json"
);
sol!(
    #![sol(all_derives)]
    TPFtOperation1001,
    "../../solidity/artifacts/TPFtOperation1001.json"
);
sol!(
    #![sol(all_derives)]
    TPFtOperation1002,
    "../../solidity/artifacts/TPFtOperation1002.json"
);
sol!(
    #![sol(all_derives)]
    TPFtOperation1052,
    "../../solidity/artifacts/TPFtOperation1052.json"
);
sol!(
    #![sol(all_derives)]
    TPFtOperationId,
    "../../solidity/artifacts/TPFtOperationId.json"
);

/// Operation 1052 between two institutions that are named by CNPJ root, paid in Real Digital.
pub type TradeByCnpj8 = TPFtOperation1052::trade_3Call;
/// Operation 1052 between two institutions that are named by wallet, paid in Real Digital.
pub type TradeByWallet = TPFtOperation1052::trade_0Call;
/// Operation 1052 with clients, paid in Real Tokenizado.
pub type TradeWithClient = TPFtOperation1052::trade_1Call;
/// Operation 1052 of an auction (1005, 1006), with the number of its notice.
pub type TradeOfAuction = TPFtOperation1052::trade_2Call;

/// The artifact of each contract, as its build wrote it: name and JSON.
pub(crate) const ARTIFACTS: &[(&str, &str)] = &[
    ("AddressDiscovery", include_str!("../../../solidity/artifacts/AddressDiscovery.json")),
    ("ApprovedDigitalCurrency", include_str!("../../../solidity/artifacts/ApprovedDigitalCurrency.json")),
    ("KeyDictionary", include_str!("../../../solidity/artifacts/KeyDictionary.json")),
    ("RealDigital", include_str!("../../../solidity/artifacts/RealDigital.json")),
    ("RealDigitalDefaultAccount", include_str!("../../../solidity/artifacts/RealDigitalDefaultAccount.json")),
    ("RealDigitalEnableAccount", include_str!("../../../solidity/artifacts/RealDigitalEnableAccount.json")),
    ("RealTokenizado", include_str!("../../../solidity/artifacts/RealTokenizado.json")),
    ("SwapOneStepFrom", include_str!("../../../solidity/artifacts/SwapOneStepFrom.json")),
    ("TPFt", include_str!("../../../solidity/artifacts/TPFt.json")),
    ("TPFtDvP", include_str!("../../../solidity/artifacts/TPFtDvP.json")),
    ("TPFtOperation1001", include_str!("../../../solidity/artifacts/TPFtOperation1001.json")),
    ("TPFtOperation1002", include_str!("../../../solidity/artifacts/TPFtOperation1002.json")),
    ("TPFtOperation1052", include_str!("../../../solidity/artifacts/TPFtOperation1052.json")),
    ("TPFtOperationId", include_str!("../../../solidity/artifacts/TPFtOperationId.json")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_sol_types::SolCall;

    /// Overloads are numbered by their order in the artifact; the published selectors tell which is which.
    #[test]
    fn the_overloads_of_trade_have_their_published_selectors() {
        assert_eq!(TradeByCnpj8::SELECTOR, [0x3b, 0xb0, 0x5d, 0x83]);
        assert_eq!(TradeByWallet::SELECTOR, [0xc5, 0xaf, 0x9b, 0x34]);
        assert_eq!(TradeWithClient::SELECTOR, [0x34, 0x9c, 0x53, 0x5f]);
        assert_eq!(TradeOfAuction::SELECTOR, [0x2f, 0xd4, 0xb6, 0x32]);
    }
}
