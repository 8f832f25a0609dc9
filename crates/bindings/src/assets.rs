//! The regulated assets. One module per contract, made from its artifact; who may call what, what it emits and when it
//! reverts stands in the NatSpec of `solidity/src/assets` and, for choosing, in `docs/assets-family.md`.
//!
//! What callers need besides the ABI is here too: [`duties`] (the roles), [`rules`] (how a rule of compliance is written
//! in words of 256 bits), and [`signing`] (what is signed for a claim, a voucher, an order, a permit).
//!
//! # Example
//! ```
//! use alloy_primitives::{Address, U256};
//! use alloy_sol_types::SolCall;
//! use bindings::assets::{ComplianceRules, IRegulatedToken, rules};
//!
//! let issue = IRegulatedToken::mintCall { to: Address::ZERO, amount: U256::from(1_000) };
//! let qualified_only = rules::investor_classes([rules::InvestorClass::Qualified, rules::InvestorClass::Professional]);
//! let schedule = ComplianceRules::scheduleRulesCall { rules: vec![qualified_only], effectiveFrom: Default::default() };
//! assert_eq!(issue.abi_encode()[..4], IRegulatedToken::mintCall::SELECTOR);
//! assert!(!schedule.abi_encode().is_empty());
//! ```

#![expect(missing_docs, reason = "generated from artifacts, whose NatSpec is the documentation")]

pub mod duties;
pub mod rules;
pub mod signing;

use alloy_sol_types::sol;

sol!(
    /// A regulated asset whose units are alike, as everybody calls it: ERC-20 with permits, ERC-3643, ERC-7943, holds and
    /// record dates. It is the ABI of two contracts at one address; [`RegulatedToken`] and [`RegulatedTokenOperations`] are
    /// only for deployment.
    #[sol(all_derives)]
    IRegulatedToken,
    "../../solidity/artifacts/IRegulatedToken.json"
);
sol!(
    /// The first part of a regulated token: the way of a transfer. Deployed with the address of the second part.
    #[sol(all_derives)]
    RegulatedToken,
    "../../solidity/artifacts/RegulatedToken.json"
);
sol!(
    /// The second part of a regulated token, run by delegatecall: duties, record dates, answers. One serves all tokens.
    #[sol(all_derives)]
    RegulatedTokenOperations,
    "../../solidity/artifacts/RegulatedTokenOperations.json"
);
sol!(
    /// Who the investors are: country, class, expiry, and claims of trusted issuers (ERC-3643). Shared by tokens.
    #[sol(all_derives)]
    IdentityRegistry,
    "../../solidity/artifacts/IdentityRegistry.json"
);
sol!(
    /// The rules of one token, in versions with effective dates (`ICompliance` of ERC-3643).
    #[sol(all_derives)]
    ComplianceRules,
    "../../solidity/artifacts/ComplianceRules.json"
);
sol!(
    /// Series of a semi-fungible asset: ERC-1155 with the face of ERC-7943.
    #[sol(all_derives)]
    SeriesToken,
    "../../solidity/artifacts/SeriesToken.json"
);
sol!(
    /// Certificates claimed with an issuer's signed voucher: ERC-721, soul-bound if so deployed (ERC-5192).
    #[sol(all_derives)]
    Certificates,
    "../../solidity/artifacts/Certificates.json"
);
sol!(
    /// Orders of up to 16 legs that settle together or not at all; with a notary when a leg is off this ledger.
    #[sol(all_derives)]
    Settlement,
    "../../solidity/artifacts/Settlement.json"
);
sol!(
    /// Pledges of tokens: release, default, enforcement, lapse.
    #[sol(all_derives)]
    Liens,
    "../../solidity/artifacts/Liens.json"
);
sol!(
    /// Heads of the platform's audit chains.
    #[sol(all_derives)]
    JournalAnchor,
    "../../solidity/artifacts/JournalAnchor.json"
);
sol!(
    /// Roots of trees of documents, and proofs that one is among them.
    #[sol(all_derives)]
    SealedDocuments,
    "../../solidity/artifacts/SealedDocuments.json"
);
sol!(
    /// Versions of documents by hash.
    #[sol(all_derives)]
    DocumentRegistry,
    "../../solidity/artifacts/DocumentRegistry.json"
);
sol!(
    /// Coupons, dividends, amortisations and redemptions, paid by record date.
    #[sol(all_derives)]
    CashActions,
    "../../solidity/artifacts/CashActions.json"
);
sol!(
    /// Splits and reverse splits of a token's units.
    #[sol(all_derives)]
    UnitSplits,
    "../../solidity/artifacts/UnitSplits.json"
);
sol!(
    /// Votes of holders by record date.
    #[sol(all_derives)]
    HolderVotes,
    "../../solidity/artifacts/HolderVotes.json"
);
sol!(
    /// Primary subscriptions: orders, allotment, issue or refund.
    #[sol(all_derives)]
    Offerings,
    "../../solidity/artifacts/Offerings.json"
);

/// The artifact of each contract, as its build wrote it: name and JSON.
pub(crate) const ARTIFACTS: &[(&str, &str)] = &[
    ("CashActions", include_str!("../../../solidity/artifacts/CashActions.json")),
    ("Certificates", include_str!("../../../solidity/artifacts/Certificates.json")),
    ("ComplianceRules", include_str!("../../../solidity/artifacts/ComplianceRules.json")),
    ("DocumentRegistry", include_str!("../../../solidity/artifacts/DocumentRegistry.json")),
    ("HolderVotes", include_str!("../../../solidity/artifacts/HolderVotes.json")),
    ("IRegulatedToken", include_str!("../../../solidity/artifacts/IRegulatedToken.json")),
    ("IdentityRegistry", include_str!("../../../solidity/artifacts/IdentityRegistry.json")),
    ("JournalAnchor", include_str!("../../../solidity/artifacts/JournalAnchor.json")),
    ("Liens", include_str!("../../../solidity/artifacts/Liens.json")),
    ("Offerings", include_str!("../../../solidity/artifacts/Offerings.json")),
    ("RegulatedToken", include_str!("../../../solidity/artifacts/RegulatedToken.json")),
    ("RegulatedTokenOperations", include_str!("../../../solidity/artifacts/RegulatedTokenOperations.json")),
    ("SealedDocuments", include_str!("../../../solidity/artifacts/SealedDocuments.json")),
    ("SeriesToken", include_str!("../../../solidity/artifacts/SeriesToken.json")),
    ("Settlement", include_str!("../../../solidity/artifacts/Settlement.json")),
    ("UnitSplits", include_str!("../../../solidity/artifacts/UnitSplits.json")),
];
