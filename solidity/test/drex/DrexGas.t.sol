// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DrexSuite} from "../base/DrexSuite.sol";

/// @title DrexGasTest
/// @notice Gas of whole transactions, as a receipt shows it: base fee and call data included, every account and slot cold.
/// @dev Run with `--isolate`, which makes a transaction of each call of a test; `tools/check-gas.mjs` does.
contract DrexGasTest is DrexSuite {
    uint256 private constant TRANSFER_GAS_MAX = 55_000;
    uint256 private constant FIRST_COMMAND_GAS_MAX = 150_000;
    uint256 private constant SECOND_COMMAND_GAS_MAX = 135_000;

    function setUp() public override {
        super.setUp();
        place(2, BANK_A, bankA, 10_000);
        place(3, BANK_B, bankB, 10_000);
    }

    function test_transfer_between_holders() public {
        vm.prank(bankA);
        real.transfer(bankB, 100_00);
        hold("real digital: transfer", TRANSFER_GAS_MAX);
    }

    function test_trade_by_cnpj_first_command() public {
        vm.prank(bankA);
        op1052.trade(9, BANK_A, BANK_B, SENDER, ltn(), 150, 10e8);
        hold("1052 by cnpj: first command", FIRST_COMMAND_GAS_MAX);
    }

    function test_trade_by_cnpj_second_command() public {
        vm.prank(bankA);
        op1052.trade(9, BANK_A, BANK_B, SENDER, ltn(), 150, 10e8);
        vm.prank(bankB);
        op1052.trade(9, BANK_A, BANK_B, RECEIVER, ltn(), 150, 10e8);
        hold("1052 by cnpj: second command", SECOND_COMMAND_GAS_MAX);
    }

    function hold(string memory name, uint256 gasMax) private {
        assertLe(vm.snapshotGasLastCall("drex", name), gasMax, name);
    }
}
