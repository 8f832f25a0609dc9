// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenStandard} from "./TokenStandard.sol";

/// @notice Where a lien stands.
enum LienStatus {
    /// No lien has the id.
    None,
    /// The tokens are pledged.
    Pledged,
    /// The notary found the debtor in default: the beneficiary may enforce.
    Defaulted,
    /// Nothing is pledged any more.
    Closed
}

/// @notice What a holder pledges, to whom, and when the beneficiary may take it.
struct LienTerms {
    /// The token's interface: ERC-20 or ERC-1155.
    TokenStandard standard;
    /// The token.
    address token;
    /// Which of the token's ids; zero for an ERC-20.
    uint256 id;
    /// In the token's smallest unit.
    uint256 amount;
    /// Who may release, and enforce when the condition holds.
    address beneficiary;
    /// Who may declare the default; zero if only the date decides.
    address notary;
    /// First second in which the beneficiary may enforce without a notary's word, since 1970; zero if only the notary
    /// decides.
    uint64 enforceableFrom;
    /// First second in which the pledge is over and the holder may take back, since 1970; zero if it has no end.
    uint64 lapsesAt;
    /// Hash of the contract that the lien secures.
    bytes32 documentHash;
}

/// @notice A lien as it is kept; amounts in the token's smallest unit, times in seconds since 1970.
struct Lien {
    /// Who pledged, and gets back what is released, or the wallet that took its place.
    address holder;
    /// Where it stands.
    LienStatus status;
    /// The token's interface.
    TokenStandard standard;
    /// First second in which the beneficiary may enforce; zero if only the notary decides.
    uint64 enforceableFrom;
    /// Who may release and enforce.
    address beneficiary;
    /// First second in which the pledge is over; zero if it has no end.
    uint64 lapsesAt;
    /// Place in the holder's list, counted from 1; zero when closed.
    uint32 place;
    /// Who may declare the default; zero if only the date decides.
    address notary;
    /// The token.
    address token;
    /// Which of the token's ids.
    uint256 id;
    /// What is pledged still.
    uint256 amount;
    /// Hash of the contract that the lien secures.
    bytes32 documentHash;
}
