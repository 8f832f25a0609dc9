// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OfferingSuite} from "./OfferingSuite.sol";

/// @title OfferingGasTest
/// @notice Gas of whole transactions of an offering, as a receipt shows it: base fee and call data included, every
/// account and slot cold. The token has its four typical rules; the money is a plain one of OpenZeppelin.
contract OfferingGasTest is OfferingSuite {
    uint256 private constant ORDER_GAS_MAX = 205_000;
    uint256 private constant ALLOT_GAS_PER_ORDER_MAX = 70_000;
    uint256 private constant ISSUE_GAS_PER_ORDER_MAX = 78_000;
    uint256 private constant REFUND_GAS_PER_ORDER_MAX = 39_000;

    function test_an_offering_of_four_orders() public {
        uint256 offeringId = open();
        place(offeringId, alice, 800);
        record("offering, first order");
        place(offeringId, bob, 500);
        assertLe(record("offering, further order"), ORDER_GAS_MAX, "order");
        place(offeringId, carol, 300);
        place(offeringId, dave, 7);
        withdraw(offeringId, bob);
        record("offering, withdraw an order");
        place(offeringId, bob, 500);
        vm.warp(CLOSES_AT);
        allot(offeringId, 4);
        assertLe(record("offering, allot 4 orders"), 4 * ALLOT_GAS_PER_ORDER_MAX, "allot");
        offerings.issueMany(offeringId, listAll());
        assertLe(record("offering, issue 4 orders"), 4 * ISSUE_GAS_PER_ORDER_MAX, "issue");
        offerings.refundMany(offeringId, listAll());
        assertLe(record("offering, refund 4 orders"), 4 * REFUND_GAS_PER_ORDER_MAX, "refund");
        offerings.payProceeds(offeringId);
        record("offering, pay proceeds");
    }

    function record(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall("offering", name);
    }
}
