// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CallerPart, TPFtData} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

/// @title DrexGasTest
/// @notice Gas of whole transactions, as a receipt shows it: base fee and call data included, every account and slot
/// cold.
/// @dev Under the profile `gas`, each call of a test is a transaction, and each figure goes to `snapshots/drex.json`;
/// under the default profile these are ordinary tests. `tools/check-gas.mjs` compares with the committed figures.
contract DrexGasTest is DrexSuite {
    uint256 private constant TRANSFER_GAS_MAX = 55_000;
    uint256 private constant FIRST_COMMAND_GAS_MAX = 150_000;
    uint256 private constant SECOND_COMMAND_GAS_MAX = 135_000;

    /// An institution's number of ten digits and the date: no shorter than real ones, since call data costs by the
    /// byte.
    uint256 private constant OP = 123456789020260901;
    uint256 private constant AMOUNT = 12_345;
    uint256 private constant PRICE = 85_712_345_678;

    function setUp() public override {
        super.setUp();
        place(2, BANK_A, bankA, 30_000);
        place(3, BANK_B, bankB, 30_000);
        vm.prank(bankA);
        op1052.trade(4, bankA, address(tokenA), clientA, address(tokenA), SENDER, ltn(), 15_000, 10e8);
        vm.prank(clientA);
        op1052.trade(4, bankA, address(tokenA), clientA, address(tokenA), RECEIVER, ltn(), 15_000, 10e8);
        vm.startPrank(authority);
        real.mint(bankA, 1_000_000_000);
        real.mint(bankB, 1_000_000_000);
        real.mint(bacen, 1_000_000_000);
        vm.stopPrank();
        approve(bankA);
        approve(bankB);
        approve(bacen);
    }

    function approve(address owner) private {
        vm.prank(owner);
        real.approve(address(dvp), 1_000_000_000);
    }

    // Money.

    function test_transfer_between_holders() public {
        vm.prank(bankA);
        real.transfer(bankB, 123_456_78);
        hold("RealDigital.transfer", TRANSFER_GAS_MAX);
    }

    function test_transfer_to_a_wallet_that_never_held() public {
        vm.prank(bankA);
        real.transfer(treasury, 123_456_78);
        record("RealDigital.transfer, first receipt");
    }

    function test_transfer_of_a_bank_s_token() public {
        vm.prank(clientA);
        tokenA.transfer(bankA, 123_456);
        hold("RealTokenizado.transfer", TRANSFER_GAS_MAX);
    }

    function test_transfer_within_an_allowance() public {
        vm.prank(bankA);
        real.approve(bankB, 1_000_000_000);
        record("RealDigital.approve");
        vm.prank(bankB);
        real.transferFrom(bankA, bankB, 123_456_78);
        record("RealDigital.transferFrom");
    }

    function test_mint() public {
        vm.prank(authority);
        real.mint(bankA, 123_456_78);
        record("RealDigital.mint");
    }

    function test_enable_account() public {
        vm.prank(authority);
        real.enableAccount(stranger);
        record("RealDigital.enableAccount");
    }

    function test_swap_between_banks() public {
        vm.prank(clientA);
        tokenA.approve(stranger, 1_000_000);
        vm.prank(stranger);
        swap.executeSwapFrom(tokenA, tokenB, clientA, clientB, 123_456);
        record("SwapOneStepFrom.executeSwapFrom");
    }

    // Bonds.

    function test_create_and_issue() public {
        vm.prank(authority);
        op1001.createTPFt(TPFtData("NTN-B", "760199", MATURITY));
        record("1001 createTPFt");
        vm.prank(authority);
        op1001.mint(OP, ltn(), 1_000_000);
        record("1001 mint");
    }

    function test_place_at_a_public_offer() public {
        vm.prank(authority);
        op1002.auctionPlacement(OP, STN, BANK_A, SENDER, ltn(), 12_300, PRICE);
        hold("1002 first command", FIRST_COMMAND_GAS_MAX);
        vm.prank(bankA);
        op1002.auctionPlacement(OP, STN, BANK_A, RECEIVER, ltn(), 12_300, PRICE);
        hold("1002 second command", SECOND_COMMAND_GAS_MAX);
    }

    function test_trade_by_cnpj() public {
        byCnpj(bankA, SENDER);
        hold("1052 by CNPJ, first command", FIRST_COMMAND_GAS_MAX);
        byCnpj(bankB, RECEIVER);
        hold("1052 by CNPJ, second command", SECOND_COMMAND_GAS_MAX);
    }

    function byCnpj(address caller, CallerPart part) private {
        vm.prank(caller);
        op1052.trade(OP, BANK_A, BANK_B, part, ltn(), AMOUNT, PRICE);
    }

    function test_trade_by_wallet() public {
        byWallet(bankB, RECEIVER);
        hold("1052 by wallet, first command", FIRST_COMMAND_GAS_MAX);
        byWallet(bankA, SENDER);
        hold("1052 by wallet, second command", SECOND_COMMAND_GAS_MAX);
    }

    function byWallet(address caller, CallerPart part) private {
        vm.prank(caller);
        op1052.trade(OP, bankA, bankB, part, ltn(), AMOUNT, PRICE);
    }

    function test_trade_with_a_customer_of_the_same_bank() public {
        vm.prank(clientA);
        op1052.trade(OP, clientA, address(tokenA), bankA, address(tokenA), SENDER, ltn(), 1_234, 10e8);
        hold("1052 customers, first command", FIRST_COMMAND_GAS_MAX);
        vm.startPrank(bankA);
        tokenA.approve(address(dvp), 5_000_000);
        op1052.trade(OP, clientA, address(tokenA), bankA, address(tokenA), RECEIVER, ltn(), 1_234, 10e8);
        vm.stopPrank();
        record("1052 customers of one bank, second command");
    }

    function test_trade_between_customers_of_two_banks() public {
        vm.prank(clientA);
        op1052.trade(OP, clientA, address(tokenA), clientB, address(tokenB), SENDER, ltn(), 1_234, 10e8);
        vm.prank(clientB);
        op1052.trade(OP, clientA, address(tokenA), clientB, address(tokenB), RECEIVER, ltn(), 1_234, 10e8);
        record("1052 customers of two banks, second command");
    }

    function test_auction() public {
        vm.prank(bankA);
        op1052.trade(OP, BANK_A, BACEN, SENDER, ltn(), AMOUNT, PRICE, "2026/0042");
        hold("1052 auction, first command", FIRST_COMMAND_GAS_MAX);
        vm.prank(bacen);
        op1052.trade(OP, BANK_A, BACEN, RECEIVER, ltn(), AMOUNT, PRICE, "2026/0042");
        record("1052 auction, second command");
    }

    function test_cancel() public {
        byCnpj(bankA, SENDER);
        vm.prank(bankA);
        op1052.cancel(OP, "typing error");
        record("1052 cancel");
    }

    function hold(string memory name, uint256 gasMax) private {
        assertLe(record(name), gasMax, name);
    }

    function record(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall("drex", name);
    }
}
