// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CallerPart} from "../../src/drex/TPFtTypes.sol";
import {RepoSuite} from "../base/RepoSuite.sol";

/// @title RepoGasTest
/// @notice Gas of repos, measured as in `DrexGas.t.sol`. Both banks hold bonds and money before and after.
contract RepoGasTest is RepoSuite {
    uint256 private constant NUMBER = 123456789020260901;

    function setUp() public override {
        super.setUp();
        place(3, BANK_B, bankB, BONDS);
    }

    function test_by_cnpj() public {
        byCnpj(SENDER);
        record("1054 by CNPJ, first command");
        byCnpj(RECEIVER);
        record("1054 by CNPJ, second command");
    }

    function byCnpj(CallerPart part) private {
        vm.prank(bank(part));
        op1054.tradeRepo(NUMBER, BANK_A, BANK_B, part, ltn(), 5_678, PRICE, RETURN_PRICE, TOMORROW);
    }

    function test_by_wallet_and_return() public {
        byWallet(SENDER);
        record("1054 by wallet, first command");
        byWallet(RECEIVER);
        record("1054 by wallet, second command");
        vm.warp(NOW + 1 days);
        giveBack(bankB);
        record("1056 by wallet, first command");
        giveBack(bankA);
        record("1056 by wallet, second command");
    }

    function byWallet(CallerPart part) private {
        vm.prank(bank(part));
        op1054.tradeRepo(NUMBER, bankA, bankB, part, ltn(), 5_678, PRICE, RETURN_PRICE, TOMORROW);
    }

    function giveBack(address caller) private {
        vm.prank(caller);
        op1056.tradeReverseRepo(NUMBER, NUMBER + 1);
    }

    function test_default() public {
        settleForward();
        vm.warp(NOW + 2 days);
        vm.prank(bankA);
        op1054.setDefault(OP, "no bonds");
        record("1054 setDefault");
    }

    function record(string memory name) private {
        vm.snapshotGasLastCall("drex", name);
    }
}
