// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rule, RuleBook, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {Test} from "../../base/Test.sol";

/// @dev Writes and reads whatever it is given: rules that `ComplianceRules` would not take, too.
contract BookShelf {
    function write(Rule[] memory rules) external returns (address book) {
        return RuleBook.write(rules);
    }

    function read(address book) external view returns (Rule[] memory) {
        return RuleBook.read(book);
    }
}

/// @title RuleBookTest
/// @notice A book of rules as the code of a contract, at the limits of what code can be.
contract RuleBookTest is Test {
    BookShelf private immutable shelf = new BookShelf();

    /// @dev So many rules of 255 words each: 8,162 bytes a rule.
    function long(uint256 count) private pure returns (Rule[] memory rules) {
        rules = new Rule[](count);
        for (uint256 i = 0; i < count; ++i) {
            rules[i] = Rule(RuleKind.External, new uint256[](255));
            rules[i].words[254] = i + 1;
        }
    }

    /// @dev Code of this length costs 4.9 million gas to keep, at 200 a byte: less was given, so that the creation fails
    /// and the refusal has what is left.
    function test_what_the_network_does_not_take_is_refused_with_its_length() public {
        expectError(abi.encodeWithSelector(RuleBook.RuleBookNotWritten.selector, 2 + 3 * (2 + 255 * 32)));
        (bool answered,) = address(shelf).call{gas: 4_000_000}(abi.encodeCall(shelf.write, (long(3))));
        assertTrue(answered, "forge answers in place of a revert that was expected");
    }

    function test_the_longest_book_comes_back_whole() public {
        Rule[] memory rules = long(3);
        assertEq(keccak256(abi.encode(shelf.read(shelf.write(rules)))), keccak256(abi.encode(rules)), "rules");
    }

    function test_an_empty_book_has_no_rules() public {
        assertEq(shelf.read(shelf.write(new Rule[](0))).length, 0, "rules");
    }
}
