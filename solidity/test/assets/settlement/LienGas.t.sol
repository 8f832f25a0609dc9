// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LienSuite} from "./LienSuite.sol";

/// @title LienGasTest
/// @notice Gas of whole transactions of liens, as a receipt shows it; with plain tokens.
contract LienGasTest is LienSuite {
    function test_a_lien_from_pledge_to_end() public {
        pledge(papers());
        record("lien, pledge of papers");
        vm.prank(creditor);
        liens.release(1, 50);
        record("lien, release of a part");
        vm.prank(notary);
        liens.declareDefault(1, 0);
        record("lien, declare default");
        vm.prank(creditor);
        liens.enforce(1, creditor, AMOUNT - 50);
        record("lien, enforce all that is left");
    }

    function record(string memory name) private {
        vm.snapshotGasLastCall("settlement", name);
    }
}
