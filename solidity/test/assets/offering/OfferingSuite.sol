// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {OfferingErrors} from "../../../src/assets/offering/OfferingErrors.sol";
import {OfferingStatus, OfferingTerms, OrderStatus} from "../../../src/assets/offering/OfferingTypes.sol";
import {Offerings} from "../../../src/assets/offering/Offerings.sol";
import {OpenMoney} from "../settlement/OpenTokens.sol";
import {AssetSuite} from "../token/AssetSuite.sol";

/// @title OfferingSuite
/// @notice A token whose units are offered to four investors, who have money; of these Alice and Bob have units already.
abstract contract OfferingSuite is AssetSuite {
    uint48 internal constant OPENS_AT = uint48(NOW + 1 days);
    uint48 internal constant CLOSES_AT = uint48(NOW + 31 days);
    uint48 internal constant ISSUE_BY = uint48(NOW + 41 days);
    uint64 internal constant LOTS_MAX = 1_000;
    uint64 internal constant LOTS_MIN = 100;
    uint64 internal constant ORDER_LOTS_MAX = 800;
    uint104 internal constant LOT_UNITS = 100;
    uint128 internal constant LOT_PRICE = 10_250;
    uint256 internal constant FUNDS = 1e12;

    address internal immutable proceedsAccount = wallet("account for proceeds");

    Offerings internal offerings;
    OpenMoney internal money;

    function setUp() public virtual override {
        super.setUp();
        offerings = new Offerings(token);
        money = new OpenMoney();
        enter(carol, 3);
        enter(dave, 4);
        vm.prank(admin);
        token.grantRole(Duties.ISSUER, address(offerings));
        address[4] memory all = investors();
        for (uint256 i = 0; i < all.length; ++i) {
            provide(money, all[i]);
        }
    }

    function investors() internal view returns (address[4] memory) {
        return [alice, bob, carol, dave];
    }

    /// @dev Money of an investor, and its approval.
    function provide(OpenMoney currency, address investor) internal {
        currency.mint(investor, FUNDS);
        vm.prank(investor);
        currency.approve(address(offerings), type(uint256).max);
    }

    /// @dev 1,000 lots of 100 units at 102.50 each, at least 100 of them; from 2 to 800 lots per investor.
    function prospectus() internal view returns (OfferingTerms memory terms) {
        terms.currency = address(money);
        (terms.opensAt, terms.closesAt, terms.issueBy) = (OPENS_AT, CLOSES_AT, ISSUE_BY);
        terms.proceedsAccount = proceedsAccount;
        (terms.ordersMax, terms.lotUnits, terms.lotPrice) = (4, LOT_UNITS, LOT_PRICE);
        (terms.lotsMax, terms.lotsMin) = (LOTS_MAX, LOTS_MIN);
        (terms.orderLotsMin, terms.orderLotsMax) = (2, ORDER_LOTS_MAX);
        terms.documentHash = keccak256("prospectus");
    }

    function propose(OfferingTerms memory terms) internal returns (uint256) {
        vm.prank(issuer);
        return offerings.announce(terms);
    }

    /// @dev Proposed by the issuer, agreed to by the treasurer.
    function announce(OfferingTerms memory terms) internal returns (uint256 offeringId) {
        offeringId = propose(terms);
        vm.prank(treasurer);
        offerings.approve(offeringId, keccak256(abi.encode(terms)));
    }

    function open(OfferingTerms memory terms) internal returns (uint256 offeringId) {
        offeringId = announce(terms);
        vm.warp(terms.opensAt);
    }

    /// @dev The offering of the prospectus, in its first second.
    function open() internal returns (uint256) {
        return open(prospectus());
    }

    function place(uint256 offeringId, address investor, uint64 lots) internal {
        vm.prank(investor);
        offerings.placeOrder(offeringId, lots);
    }

    function withdraw(uint256 offeringId, address investor) internal {
        vm.prank(investor);
        offerings.withdrawOrder(offeringId, investor);
    }

    function allot(uint256 offeringId, uint256 countMax) internal returns (OfferingStatus) {
        vm.prank(issuer);
        return offerings.allot(offeringId, countMax);
    }

    /// @dev Closes and allots all.
    function closeAndAllot(uint256 offeringId) internal returns (OfferingStatus) {
        vm.warp(CLOSES_AT);
        return allot(offeringId, 256);
    }

    /// @dev Orders that are more than is offered: 800, 500, 300 and 7 lots, 1,607 together.
    function overSubscribed() internal returns (uint256 offeringId) {
        offeringId = open();
        place(offeringId, alice, 800);
        place(offeringId, bob, 500);
        place(offeringId, carol, 300);
        place(offeringId, dave, 7);
    }

    function list(address first) internal pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = first;
    }

    function listAll() internal view returns (address[] memory accounts) {
        address[4] memory all = investors();
        accounts = new address[](4);
        for (uint256 i = 0; i < 4; ++i) {
            accounts[i] = all[i];
        }
    }

    function refused(address caller, bytes memory call, bytes memory revertData) internal {
        assertRefused(caller, address(offerings), call, revertData);
    }

    function assertStatus(uint256 offeringId, OfferingStatus status) internal view {
        assertEq(uint256(offerings.getOffering(offeringId).status), uint256(status), "status of the offering");
    }

    function assertOrder(uint256 offeringId, address investor, OrderStatus status) internal view {
        assertEq(uint256(offerings.getOrder(offeringId, investor).status), uint256(status), "status of the order");
    }

    function statusError(uint256 offeringId, OfferingStatus status) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(OfferingErrors.OfferingStatusInvalid.selector, offeringId, status);
    }

    function orderError(uint256 offeringId, address investor, OrderStatus status) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(OfferingErrors.OfferingOrderStatusInvalid.selector, offeringId, investor, status);
    }

    function periodError(uint256 offeringId, uint48 from, uint48 until) internal view returns (bytes memory) {
        bytes4 selector = OfferingErrors.OfferingOutsidePeriod.selector;
        return abi.encodeWithSelector(selector, offeringId, from, until, block.timestamp);
    }
}
