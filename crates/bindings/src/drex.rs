//! The Drex family. One module per contract, made from its artifact.

#![expect(missing_docs, reason = "generated from artifacts, whose NatSpec is the documentation")]
#![expect(clippy::too_many_arguments, reason = "events have as many fields as the kit published")]

use alloy_sol_types::sol;

sol!(
    #![sol(all_derives)]
    AccountRules,
    "../../solidity/artifacts/AccountRules.json"
);
sol!(
    #![sol(all_derives)]
    AccountStorage,
    "../../solidity/artifacts/AccountStorage.json"
);
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
    DateTimeOracle,
    "../../solidity/artifacts/DateTimeOracle.json"
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
    STR,
    "../../solidity/artifacts/STR.json"
);
sol!(
    #![sol(all_derives)]
    SwapOneStep,
    "../../solidity/artifacts/SwapOneStep.json"
);
sol!(
    #![sol(all_derives)]
    SwapOneStepFrom,
    "../../solidity/artifacts/SwapOneStepFrom.json"
);
sol!(
    #![sol(all_derives)]
    SwapToRetail,
    "../../solidity/artifacts/SwapToRetail.json"
);
sol!(
    #![sol(all_derives)]
    SwapTwoSteps,
    "../../solidity/artifacts/SwapTwoSteps.json"
);
pub use with_reserve::SwapTwoStepsReserve;

/// Both swaps in two steps inherit the type of a proposal, which the macro declares beside each of them.
mod with_reserve {
    alloy_sol_types::sol!(
        #![sol(all_derives)]
        SwapTwoStepsReserve,
        "../../solidity/artifacts/SwapTwoStepsReserve.json"
    );
}
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
    TPFtOperation1012,
    "../../solidity/artifacts/TPFtOperation1012.json"
);
sol!(
    #![sol(all_derives)]
    TPFtOperation1052,
    "../../solidity/artifacts/TPFtOperation1052.json"
);
sol!(
    #![sol(all_derives)]
    TPFtOperation1054,
    "../../solidity/artifacts/TPFtOperation1054.json"
);
sol!(
    #![sol(all_derives)]
    TPFtOperation1056,
    "../../solidity/artifacts/TPFtOperation1056.json"
);
sol!(
    #![sol(all_derives)]
    TPFtOperation1070,
    "../../solidity/artifacts/TPFtOperation1070.json"
);
sol!(
    #![sol(all_derives)]
    TPFtOperationId,
    "../../solidity/artifacts/TPFtOperationId.json"
);
sol!(
    #![sol(all_derives)]
    TPFtRepaymentReserve,
    "../../solidity/artifacts/TPFtRepaymentReserve.json"
);
sol!(
    #![sol(all_derives)]
    TPFtRepoStorage,
    "../../solidity/artifacts/TPFtRepoStorage.json"
);

/// Operation 1052 between two institutions that are named by CNPJ root, paid in Real Digital.
pub type TradeByCnpj8 = TPFtOperation1052::trade_3Call;
/// Operation 1052 between two institutions that are named by wallet, paid in Real Digital.
pub type TradeByWallet = TPFtOperation1052::trade_0Call;
/// Operation 1052 with clients, paid in Real Tokenizado.
pub type TradeWithClient = TPFtOperation1052::trade_1Call;
/// Operation 1052 of an auction (1005, 1006), with the number of its notice.
pub type TradeOfAuction = TPFtOperation1052::trade_2Call;
/// Operation 1054 between two institutions that are named by CNPJ root; return price and day agreed now.
pub type RepoByCnpj8 = TPFtOperation1054::tradeRepo_2Call;
/// Operation 1054 between two institutions that are named by wallet; return price and day agreed now.
pub type RepoByWallet = TPFtOperation1054::tradeRepo_0Call;
/// Operation 1054 between an institution and a client, paid in Real Tokenizado; return price and day agreed now.
pub type RepoWithClient = TPFtOperation1054::tradeRepo_1Call;
/// Operation 1054, returned on the same day at the same price, between institutions named by CNPJ root.
pub type IntradayRepoByCnpj8 = TPFtOperation1054::tradeRepoIntraday_2Call;
/// Operation 1054, returned on the same day at the same price, between institutions named by wallet.
pub type IntradayRepoByWallet = TPFtOperation1054::tradeRepoIntraday_0Call;
/// Operation 1054, returned on the same day at the same price, between an institution and a client.
pub type IntradayRepoWithClient = TPFtOperation1054::tradeRepoIntraday_1Call;
/// Operation 1054 whose return price is agreed in operation 1056, between institutions named by CNPJ root.
pub type OpenRepoByCnpj8 = TPFtOperation1054::tradeRepoOpenReturnPrice_2Call;
/// Operation 1054 whose return price is agreed in operation 1056, between institutions named by wallet.
pub type OpenRepoByWallet = TPFtOperation1054::tradeRepoOpenReturnPrice_0Call;
/// Operation 1054 whose return price is agreed in operation 1056, between an institution and a client.
pub type OpenRepoWithClient = TPFtOperation1054::tradeRepoOpenReturnPrice_1Call;
/// Enables a wallet in bonds, by the administrator of [`TPFt`].
pub type EnableInBonds = TPFt::enableAddress_0Call;
/// Enables a wallet in bonds, by the default wallet of the institution with this CNPJ root.
pub type EnableClientInBonds = TPFt::enableAddress_1Call;

/// The artifact of each contract, as its build wrote it: name and JSON.
pub(crate) const ARTIFACTS: &[(&str, &str)] = &[
    ("AccountRules", include_str!("../../../solidity/artifacts/AccountRules.json")),
    ("AccountStorage", include_str!("../../../solidity/artifacts/AccountStorage.json")),
    ("AddressDiscovery", include_str!("../../../solidity/artifacts/AddressDiscovery.json")),
    ("ApprovedDigitalCurrency", include_str!("../../../solidity/artifacts/ApprovedDigitalCurrency.json")),
    ("DateTimeOracle", include_str!("../../../solidity/artifacts/DateTimeOracle.json")),
    ("KeyDictionary", include_str!("../../../solidity/artifacts/KeyDictionary.json")),
    ("RealDigital", include_str!("../../../solidity/artifacts/RealDigital.json")),
    ("RealDigitalDefaultAccount", include_str!("../../../solidity/artifacts/RealDigitalDefaultAccount.json")),
    ("RealDigitalEnableAccount", include_str!("../../../solidity/artifacts/RealDigitalEnableAccount.json")),
    ("RealTokenizado", include_str!("../../../solidity/artifacts/RealTokenizado.json")),
    ("STR", include_str!("../../../solidity/artifacts/STR.json")),
    ("SwapOneStep", include_str!("../../../solidity/artifacts/SwapOneStep.json")),
    ("SwapOneStepFrom", include_str!("../../../solidity/artifacts/SwapOneStepFrom.json")),
    ("SwapToRetail", include_str!("../../../solidity/artifacts/SwapToRetail.json")),
    ("SwapTwoSteps", include_str!("../../../solidity/artifacts/SwapTwoSteps.json")),
    ("SwapTwoStepsReserve", include_str!("../../../solidity/artifacts/SwapTwoStepsReserve.json")),
    ("TPFt", include_str!("../../../solidity/artifacts/TPFt.json")),
    ("TPFtDvP", include_str!("../../../solidity/artifacts/TPFtDvP.json")),
    ("TPFtOperation1001", include_str!("../../../solidity/artifacts/TPFtOperation1001.json")),
    ("TPFtOperation1002", include_str!("../../../solidity/artifacts/TPFtOperation1002.json")),
    ("TPFtOperation1012", include_str!("../../../solidity/artifacts/TPFtOperation1012.json")),
    ("TPFtOperation1052", include_str!("../../../solidity/artifacts/TPFtOperation1052.json")),
    ("TPFtOperation1054", include_str!("../../../solidity/artifacts/TPFtOperation1054.json")),
    ("TPFtOperation1056", include_str!("../../../solidity/artifacts/TPFtOperation1056.json")),
    ("TPFtOperation1070", include_str!("../../../solidity/artifacts/TPFtOperation1070.json")),
    ("TPFtOperationId", include_str!("../../../solidity/artifacts/TPFtOperationId.json")),
    ("TPFtRepaymentReserve", include_str!("../../../solidity/artifacts/TPFtRepaymentReserve.json")),
    ("TPFtRepoStorage", include_str!("../../../solidity/artifacts/TPFtRepoStorage.json")),
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

    #[test]
    fn the_overloads_of_repos_and_of_enabling_have_their_published_selectors() {
        let repos = [
            (RepoByCnpj8::SELECTOR, 0x12b6_ee83_u32),
            (RepoByWallet::SELECTOR, 0xf158_5082),
            (RepoWithClient::SELECTOR, 0xbec8_2b9c),
            (IntradayRepoByCnpj8::SELECTOR, 0x93dc_b3dc),
            (IntradayRepoByWallet::SELECTOR, 0xc4ea_20ff),
            (IntradayRepoWithClient::SELECTOR, 0x7cf1_318c),
            (OpenRepoByCnpj8::SELECTOR, 0xb1e2_af11),
            (OpenRepoByWallet::SELECTOR, 0xa3fb_c075),
            (OpenRepoWithClient::SELECTOR, 0x1645_a854),
            (EnableInBonds::SELECTOR, 0x9eef_dd87),
            (EnableClientInBonds::SELECTOR, 0x1701_9d2a),
        ];
        for (selector, published) in repos {
            assert_eq!(u32::from_be_bytes(selector), published);
        }
    }
}
