// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where an offering stands.
enum OfferingStatus {
    /// No offering has the id.
    None,
    /// The issuer proposed the terms; they bind nobody.
    Announced,
    /// The treasury agreed: orders are taken within the period; then they are allotted.
    Open,
    /// All orders are allotted, and the minimum is reached: units are issued until `issueBy`.
    Allotted,
    /// The minimum is missed: all money goes back.
    Failed,
    /// The issuer withdrew it, or its orders were not allotted in time: all money goes back.
    Cancelled
}

/// @notice Where an investor's order stands.
enum OrderStatus {
    /// There is none.
    None,
    /// The money is here, and nothing is decided.
    Placed,
    /// The lots are decided, and not issued.
    Allotted,
    /// The lots are issued or none were given, and the rest of the money is still here.
    Refundable,
    /// Nothing is left to do.
    Done
}

/// @notice Terms of an offering. Quantities are in lots, money in the currency's smallest unit, times in seconds since
/// 1970.
struct OfferingTerms {
    /// The token of the money.
    address currency;
    /// First second in which orders are taken.
    uint48 opensAt;
    /// First second in which none are.
    uint48 closesAt;
    /// Where goes the price of what is issued.
    address proceedsAccount;
    /// First second in which nothing is issued any more: who has not received gets the money back.
    uint48 issueBy;
    /// Most orders that are open at once.
    uint32 ordersMax;
    /// Units of a lot.
    uint104 lotUnits;
    /// Price of a lot.
    uint128 lotPrice;
    /// Most lots that are issued: the cap.
    uint64 lotsMax;
    /// Fewest lots that must be allotted: the soft cap; else all money goes back.
    uint64 lotsMin;
    /// Fewest lots of an order.
    uint64 orderLotsMin;
    /// Most lots of an order.
    uint64 orderLotsMax;
    /// Hash of the prospectus.
    bytes32 documentHash;
}

/// @notice An offering as it is kept.
struct Offering {
    OfferingTerms terms;
    OfferingStatus status;
    /// Lots of all open orders; while they are allotted, as they were at the close.
    uint104 lotsOrdered;
    /// Lots of the orders that were gone through, whether they were given any.
    uint104 lotsPassed;
    /// How many orders were gone through.
    uint32 ordersPassed;
    /// Lots that are allotted, and not given up.
    uint64 lotsAllotted;
    /// Lots that are issued.
    uint64 lotsIssued;
    /// Money of investors that is here: the sum of their claims.
    uint256 escrow;
    /// Money that the issuer earned and has not received.
    uint256 proceeds;
}

/// @notice An order of an investor.
struct Order {
    OrderStatus status;
    /// Lots ordered.
    uint64 lots;
    /// Lots allotted.
    uint64 lotsAllotted;
    /// Place in the list of orders, counted from 1.
    uint32 place;
    /// Number of the investor in the registry.
    uint32 investorNumber;
}
