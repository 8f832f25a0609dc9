// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OfferingStatus, OrderStatus} from "./OfferingTypes.sol";

/// @title OfferingErrors
/// @notice Why an offering refuses. Quantities are in lots, times in seconds since 1970.
interface OfferingErrors {
    /// @notice The currency is no contract or the token itself, the account for proceeds is none, or the price is zero.
    /// @param currency The currency given.
    /// @param proceedsAccount The account given.
    /// @param lotPrice The price given, in the currency's smallest unit.
    error OfferingMoneyInvalid(address currency, address proceedsAccount, uint128 lotPrice);

    /// @notice The times are not in order, in the past, or too far apart.
    /// @param opensAt The beginning given.
    /// @param closesAt The end given.
    /// @param issueBy The end of issue given.
    /// @param time Time of the block.
    error OfferingPeriodInvalid(uint48 opensAt, uint48 closesAt, uint48 issueBy, uint256 time);

    /// @notice A lot is of no units, the cap is nothing or more than the token can have, or less than the minimum.
    /// @param lotUnits The units given.
    /// @param lotsMax The cap given.
    /// @param lotsMin The minimum given.
    error OfferingSizeInvalid(uint104 lotUnits, uint64 lotsMax, uint64 lotsMin);

    /// @notice The limits of an order are nothing, not in order or beyond the cap; or there are to be too many orders.
    /// @param orderLotsMin The fewest given.
    /// @param orderLotsMax The most given.
    /// @param ordersMax The number of orders given.
    /// @param limit Most orders that an offering may have.
    error OfferingOrderLimitsInvalid(uint64 orderLotsMin, uint64 orderLotsMax, uint32 ordersMax, uint256 limit);

    /// @notice The offering does not stand where this is possible.
    /// @param offeringId The offering.
    /// @param status Where it stands.
    error OfferingStatusInvalid(uint256 offeringId, OfferingStatus status);

    /// @notice It is too early or too late for this.
    /// @param offeringId The offering.
    /// @param from First second of the time for it.
    /// @param until First second after it; zero: no end.
    /// @param time Time of the block.
    error OfferingOutsidePeriod(uint256 offeringId, uint48 from, uint48 until, uint256 time);

    /// @notice The investor's order does not stand where this is possible.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    /// @param status Where it stands.
    error OfferingOrderStatusInvalid(uint256 offeringId, address investor, OrderStatus status);

    /// @notice The investor has an order of another wallet of its own: there is one order per investor.
    /// @param offeringId The offering.
    /// @param investor The wallet that wants to order.
    /// @param orderedBy The wallet that ordered.
    error OfferingInvestorHasOrder(uint256 offeringId, address investor, address orderedBy);

    /// @notice Somebody else disposes of the order.
    /// @param investor Whose order.
    /// @param caller Who called.
    /// @param current Who may: the investor, or the wallet that took its place.
    error OfferingNotInvestor(address investor, address caller, address current);

    /// @notice The order is too small or too large.
    /// @param offeringId The offering.
    /// @param lots The lots given.
    /// @param lotsMin The fewest.
    /// @param lotsMax The most.
    error OfferingOrderSizeInvalid(uint256 offeringId, uint64 lots, uint64 lotsMin, uint64 lotsMax);

    /// @notice There are as many open orders as may be.
    /// @param offeringId The offering.
    /// @param max The limit.
    error OfferingOrdersTooMany(uint256 offeringId, uint32 max);

    /// @notice The registry does not verify the investor, or its wallet is frozen.
    /// @param account The investor's wallet.
    error OfferingInvestorNotAdmitted(address account);

    /// @notice The orders are being allotted: it is too late to withdraw the offering, which must be gone through.
    /// @param offeringId The offering.
    /// @param ordersPassed How many orders were gone through.
    error OfferingAllotmentBegun(uint256 offeringId, uint32 ordersPassed);

    /// @notice The issuer has received all that was earned so far.
    /// @param offeringId The offering.
    error OfferingNoProceeds(uint256 offeringId);
}
