// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cnpj8} from "../../src/drex/Cnpj8.sol";
import {Test} from "../base/Test.sol";

/// @dev The library's functions behind calls of their own, so that a revert can be expected.
contract Cnpj8Caller {
    function check(uint256 cnpj8) external pure {
        Cnpj8.check(cnpj8);
    }

    function toText(uint256 cnpj8) external pure returns (string memory) {
        return Cnpj8.toText(cnpj8);
    }
}

contract Cnpj8Test is Test {
    Cnpj8Caller private immutable caller = new Cnpj8Caller();

    function test_a_root_of_digits_is_padded_to_eight() public view {
        assertEq(caller.toText(0), "00000000", "0 is a root");
        assertEq(caller.toText(191), "00000191", "191");
        assertEq(caller.toText(394_460), "00394460", "Treasury");
        assertEq(caller.toText(99_999_999), "99999999", "largest");
    }

    function test_a_root_with_letters_is_its_characters() public view {
        assertEq(caller.toText(uint64(bytes8("12ABC34Z"))), "12ABC34Z", "mixed");
        assertEq(caller.toText(uint64(bytes8("0000000A"))), "0000000A", "smallest");
        assertEq(caller.toText(uint64(bytes8("ZZZZZZZZ"))), "ZZZZZZZZ", "largest");
    }

    function test_what_is_no_root_is_refused() public {
        uint256[10] memory wrong = [
            uint256(100_000_000),
            uint64(bytes8("12345678")), // digits alone have one form, the decimal one
            uint64(bytes8("12abc34z")),
            uint64(bytes8("12AB 34Z")),
            uint64(bytes8("12AB/34Z")), // before 0
            uint64(bytes8("12AB:34Z")), // after 9
            uint64(bytes8("12AB@34Z")), // before A
            uint64(bytes8("12AB[34Z")), // after Z
            uint56(bytes7("2ABC34Z")), // seven characters
            uint72(bytes9("112ABC34Z")) // nine characters
        ];
        for (uint256 i = 0; i < wrong.length; ++i) {
            expectError(abi.encodeWithSelector(Cnpj8.Cnpj8Invalid.selector, wrong[i]));
            caller.check(wrong[i]);
            expectError(abi.encodeWithSelector(Cnpj8.Cnpj8Invalid.selector, wrong[i]));
            caller.toText(wrong[i]);
        }
    }

    function testFuzz_every_root_of_letters_and_digits_reads_back(uint256 seed) public view {
        bytes memory alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        bytes memory text = new bytes(8);
        bool hasLetter = false;
        uint256 decimal = 0;
        for (uint256 i = 0; i < 8; ++i) {
            uint256 pick = (seed >> (i * 16)) % alphabet.length;
            text[i] = alphabet[pick];
            hasLetter = hasLetter || pick > 9;
            decimal = decimal * 10 + pick;
        }
        uint256 cnpj8 = hasLetter ? uint64(bytes8(text)) : decimal;
        assertEq(caller.toText(cnpj8), string(text), "text");
    }

    function testFuzz_a_number_is_accepted_exactly_if_its_text_gives_it_back(uint256 number) public view {
        try caller.toText(number) returns (string memory text) {
            assertEq(bytes(text).length, 8, "eight characters");
            assertTrue(number <= 99_999_999 || number == uint64(bytes8(bytes(text))), "reads back");
        } catch {
            assertTrue(number > 99_999_999, "a number of eight digits is always a root");
        }
    }
}
