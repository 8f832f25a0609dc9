// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TPFtData} from "./TPFtTypes.sol";

/// @notice A side of a delivery against payment.
enum DvPSide {
    /// The seller, who delivers bonds.
    Sell,
    /// The buyer, who pays.
    Buy
}

/// @notice Where a delivery against payment stands.
enum DvPStatus {
    /// No record.
    None,
    /// The seller confirmed, the buyer is awaited.
    SellGiven,
    /// The buyer confirmed, the seller is awaited.
    BuyGiven,
    /// Both confirmed: bonds and money moved.
    Executed,
    /// Called off before the second confirmation.
    Cancelled
}

/// @notice What both sides must say alike, to the last bit.
struct DvPTerms {
    /// Who pays and receives bonds.
    address buyer;
    /// The Real Tokenizado that the buyer pays from; zero for Real Digital.
    address buyerToken;
    /// Who delivers bonds and is paid.
    address seller;
    /// The Real Tokenizado that the seller is paid in; zero for Real Digital.
    address sellerToken;
    /// The series of bonds.
    TPFtData tpftData;
    /// Bonds, in hundredths.
    uint256 tpftAmount;
    /// Price of a bond in reais, with 8 decimals.
    uint256 unitPrice;
    /// Money, in cents of real.
    uint256 financialValue;
    /// What else an operation binds both sides to, such as the notice of an auction; empty if nothing.
    bytes extraData;
}
