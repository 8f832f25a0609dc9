// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SettlementLeg, SettlementTerms} from "../../../src/assets/settlement/SettlementTypes.sol";
import {SettlementSuite} from "./SettlementSuite.sol";

/// @title SettlementGasTest
/// @notice Gas of whole transactions, as a receipt shows it: base fee and call data included, every account and slot
/// cold. The tokens are plain ones of OpenZeppelin: what a compliant token costs more comes on top.
contract SettlementGasTest is SettlementSuite {
    uint256 private constant FIRST_CONFIRMATION_GAS_MAX = 80_000;
    uint256 private constant SECOND_CONFIRMATION_GAS_MAX = 140_000;

    function test_delivery_versus_payment_by_two_calls() public {
        SettlementTerms memory terms = sale();
        confirm(seller, terms);
        hold("DvP, first confirmation", FIRST_CONFIRMATION_GAS_MAX);
        confirm(buyer, terms);
        hold("DvP, second confirmation", SECOND_CONFIRMATION_GAS_MAX);
    }

    function test_delivery_versus_payment_by_two_signatures() public {
        SettlementTerms memory terms = sale();
        settlement.confirmBySignature(terms, list(sign(SELLER_KEY, terms), sign(BUYER_KEY, terms)));
        record("DvP, both signatures at once");
    }

    function test_payment_versus_payment() public {
        SettlementTerms memory terms = order(moneyLeg(buyer, seller, PRICE), currencyLeg(seller, buyer, PRICE));
        confirm(seller, terms);
        hold("PvP, first confirmation", FIRST_CONFIRMATION_GAS_MAX);
        confirm(buyer, terms);
        hold("PvP, second confirmation", SECOND_CONFIRMATION_GAS_MAX);
    }

    function test_four_legs_of_three_parties() public {
        SettlementLeg[] memory legs = new SettlementLeg[](4);
        legs[0] = deedLeg(seller, buyer);
        legs[1] = moneyLeg(buyer, third, PRICE);
        legs[2] = paperLeg(third, seller, PAPERS);
        legs[3] = currencyLeg(third, seller, PRICE);
        SettlementTerms memory terms = order(legs);
        confirm(seller, terms);
        record("four legs, first confirmation");
        confirm(buyer, terms);
        record("four legs, second confirmation");
        confirm(third, terms);
        record("four legs, third confirmation");
    }

    function test_with_a_notary() public {
        SettlementTerms memory terms = heldSale();
        confirm(seller, terms);
        confirm(buyer, terms);
        record("held DvP, second confirmation");
        vm.prank(notary);
        settlement.execute(terms);
        record("held DvP, execute");
        terms.salt = 1;
        confirmSale(terms);
        vm.prank(notary);
        settlement.release(terms);
        record("held DvP, release");
        settlement.giveBack(terms, 3);
        record("held DvP, give back both legs");
    }

    function test_cancel() public {
        SettlementTerms memory terms = sale();
        confirm(seller, terms);
        vm.prank(buyer);
        settlement.cancel(terms);
        record("cancel");
    }

    function hold(string memory name, uint256 gasMax) private {
        assertLe(record(name), gasMax, name);
    }

    function record(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall("settlement", name);
    }
}
