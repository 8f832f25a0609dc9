// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {CountryRule} from "../../../src/assets/compliance/rules/CountryRule.sol";
import {OfferingCapRule} from "../../../src/assets/compliance/rules/OfferingCapRule.sol";
import {TransferWindowRule} from "../../../src/assets/compliance/rules/TransferWindowRule.sol";
import {Test} from "../../base/Test.sol";

/// @title RuleWordsTest
/// @notice Words of rules as other programs write them, and numbers of kinds as they know them: `bindings::assets::rules`
/// holds the same values.
contract RuleWordsTest is Test {
    function test_a_window_of_office_hours_in_brasilia() public pure {
        uint256 word = TransferWindowRule.encode(0x1f, 36_000, 61_200, -180, 1_788_274_800, 1_900_000_000);
        assertEq(word, 0x713fb30000006a96e870ff4c0000ef1000008ca01f, "word");
        assertTrue(TransferWindowRule.isValid(word), "valid");
    }

    function test_a_cap_with_exempt_classes() public pure {
        uint256 word = OfferingCapRule.encode(20_000_00, 0x0c, -180);
        assertEq(word, 0xff4c0c000000000000000000001e8480, "word");
        assertTrue(OfferingCapRule.isValid(word), "valid");
    }

    function test_lists_of_countries() public pure {
        uint16[] memory list = new uint16[](3);
        (list[0], list[1], list[2]) = (76, 840, 620);
        uint256[] memory words = CountryRule.encode(list, false);
        assertEq(words[0], 1 << 76, "Brazil");
        assertEq(words[1], 0, "nobody");
        assertEq(words[2], 1 << 108, "Portugal");
        assertEq(words[3], 1 << 72, "United States");
        uint16[] memory denied = new uint16[](1);
        denied[0] = 192;
        assertEq(CountryRule.encode(denied, true)[0], ~uint256(1 << 192), "all but Cuba");
        assertEq(CountryRule.encode(denied, true)[3], type(uint256).max, "and all others");
    }

    function test_kinds_keep_their_numbers() public pure {
        assertEq(uint8(RuleKind.Country), 0, "country");
        assertEq(uint8(RuleKind.InvestorClass), 1, "class");
        assertEq(uint8(RuleKind.BalanceMax), 2, "largest balance");
        assertEq(uint8(RuleKind.HolderCount), 3, "holders");
        assertEq(uint8(RuleKind.SupplyCap), 4, "supply");
        assertEq(uint8(RuleKind.HoldingPeriod), 5, "holding period");
        assertEq(uint8(RuleKind.TransferWindow), 6, "window");
        assertEq(uint8(RuleKind.Approval), 7, "approval");
        assertEq(uint8(RuleKind.OfferingCap), 8, "offering cap");
        assertEq(uint8(RuleKind.External), 9, "module");
    }
}
