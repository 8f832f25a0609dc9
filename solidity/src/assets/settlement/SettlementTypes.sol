// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenStandard} from "./TokenStandard.sol";

/// @notice Where an order stands.
enum SettlementStatus {
    /// Nobody confirmed.
    None,
    /// Some parties confirmed, others are awaited. Nothing moved.
    Open,
    /// All legs moved to their receivers.
    Executed,
    /// All parties confirmed, and all legs lie in the contract until the notary decides.
    Held,
    /// Called off before the last confirmation. Nothing moved.
    Cancelled,
    /// The notary let go: each leg goes back to who gave it.
    Released,
    /// The notary did not decide in time: each leg goes back to who gave it.
    Expired
}

/// @notice One movement of an order.
struct SettlementLeg {
    /// The token's interface.
    TokenStandard standard;
    /// The token.
    address token;
    /// Who gives; must confirm.
    address from;
    /// Who receives.
    address to;
    /// Which of the token's ids; zero for an ERC-20.
    uint256 id;
    /// In the token's smallest unit; 1 for an ERC-721.
    uint256 amount;
}

/// @notice What all giving parties must confirm alike, to the last bit.
struct SettlementTerms {
    /// The movements, in the order in which they happen; 1 to 16.
    SettlementLeg[] legs;
    /// Who decides about an order with a leg off this ledger; zero if all legs are in `legs`.
    address notary;
    /// Last second in which a party may confirm, since 1970.
    uint64 deadline;
    /// Last second in which the notary may execute, since 1970; zero without a notary.
    uint64 expiry;
    /// Hash of what the order binds the parties to elsewhere, such as the leg off this ledger; zero if nothing.
    bytes32 offLedgerHash;
    /// Sets apart orders that are alike otherwise: an order settles once.
    uint256 salt;
}

/// @notice A party's confirmation that somebody else brings.
struct SettlementSignature {
    /// Who confirms.
    address party;
    /// Its signature: ECDSA of an account with a key, or what its contract takes by ERC-1271.
    bytes signature;
}
