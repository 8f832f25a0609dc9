// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {RealTokenizado} from "../../src/drex/RealTokenizado.sol";
import {RepaymentPartners} from "../../src/drex/RepaymentRoute.sol";
import {TPFt} from "../../src/drex/TPFt.sol";
import {TPFtOperation} from "../../src/drex/TPFtOperation.sol";
import {TPFtOperation1012} from "../../src/drex/TPFtOperation1012.sol";
import {TPFtOperationId} from "../../src/drex/TPFtOperationId.sol";
import {TPFtPricedOperation} from "../../src/drex/TPFtPricedOperation.sol";
import {TPFtRepaymentReserve} from "../../src/drex/TPFtRepaymentReserve.sol";
import {TPFtData} from "../../src/drex/TPFtTypes.sol";
import {RepaymentSuite} from "../base/RepaymentSuite.sol";

contract TPFtOperation1012Test is RepaymentSuite {
    uint256 private constant OP = 1012;
    uint256 private constant PRICE = 1_000e8;
    uint256 private constant VALUE = 1_500_000; // 15 bonds at R$ 1.000,00
    uint256 private constant TREASURY = 100_000_000;

    string private constant NO_ROUTE = "holder is no participant and no customer of a bank whose token is money";
    string private constant BANK_DISABLED = "reserve of the holder's bank is not enabled in Real Digital";

    function redeem(address holder) private {
        vm.prank(treasury);
        op1012.repayment(holder, OP, ltn(), PRICE);
    }

    /// @dev The bonds are gone, the holder is marked, the Treasury paid, and nothing stays on the way.
    function assertRedeemed(address holder) private view {
        assertEq(tpft.balanceOf(holder, 1), 0, "bonds");
        assertEq(tpft.totalSupply(1), 100_000 - BONDS, "supply");
        assertTrue(tpft.getPaymentStatus(holder, 1), "mark");
        assertEq(real.balanceOf(treasury), TREASURY - VALUE, "Treasury");
        assertEq(real.balanceOf(address(op1012)), 0, "nothing stays");
        assertEq(ids.operationOf(OP), address(op1012), "number");
    }

    // The four ways.

    function test_a_participant_is_paid_in_real_digital() public {
        vm.expectEmit(address(op1012));
        emit TPFtOperation1012.OperationRepaymentParticipant(bankA, 1, ltn(), BONDS, OP, PRICE, VALUE, "ATU", MATURITY);
        redeem(bankA);
        assertRedeemed(bankA);
        assertEq(real.balanceOf(bankA), 10_000_000 + VALUE, "holder");
    }

    function test_a_customer_is_paid_in_its_bank_s_token_and_the_bank_in_real_digital() public {
        vm.expectEmit(address(op1012));
        emit TPFtOperation1012.OperationRepaymentClient(
            clientB, 1, address(tokenB), ltn(), OP, BONDS, PRICE, VALUE, "ATU", MATURITY
        );
        redeem(clientB);
        assertRedeemed(clientB);
        assertMoney(5_000_000, 10_000_000, 5_000_000 + VALUE, 10_000_000 + VALUE);
        assertEq(real.allowance(address(op1012), address(toRetail)), 0, "allowance");
    }

    function test_a_customer_that_is_disabled_is_paid_through_its_bank() public {
        vm.prank(bankA);
        tokenA.disableAccount(clientA);
        vm.expectEmit(address(op1012));
        emit TPFtOperation1012.OperationRepaymentWithReserve(
            clientA, 1, address(tokenA), ltn(), OP, BONDS, PRICE, VALUE, "ATU", reserveA, MATURITY
        );
        redeem(clientA);
        assertRedeemed(clientA);
        assertMoney(5_000_000, 10_000_000 + VALUE, 5_000_000, 10_000_000);
    }

    function test_a_customer_whose_bank_cannot_take_it_is_paid_into_the_reserve() public {
        vm.prank(authority);
        real.disableAccount(reserveA);
        assertKept(clientA, BANK_DISABLED);
    }

    function test_a_holder_whom_nobody_knows_is_paid_into_the_reserve() public {
        assertKept(stranger, NO_ROUTE);
    }

    function assertKept(address holder, string memory reason) private {
        vm.expectEmit(address(op1012));
        emit TPFtOperation1012.OperationRepaymentForContract(
            holder, 1, ltn(), OP, BONDS, PRICE, VALUE, address(repaymentReserve), "ATU", reason, MATURITY
        );
        redeem(holder);
        assertRedeemed(holder);
        assertEq(repaymentReserve.getBalance(holder, 1), VALUE, "kept");
        assertEq(real.balanceOf(address(repaymentReserve)), VALUE, "money");
        assertMoney(5_000_000, 10_000_000, 5_000_000, 10_000_000);
    }

    // What others registered does not redirect money, and does not stop it.

    function test_a_key_that_another_bank_registers_for_a_participant_redirects_nothing() public {
        vm.prank(bankB);
        keys.addAccount(keccak256("fraud"), 1, 2, 3, 4, bankA, BANK_B);
        redeem(bankA);
        assertEq(real.balanceOf(bankA), 10_000_000 + VALUE, "holder");
        assertEq(real.balanceOf(reserveB), 10_000_000, "the other bank");
    }

    function test_a_key_with_the_root_of_no_bank_is_no_way() public {
        vm.prank(bankB);
        keys.addAccount(keccak256("unknown bank"), 1, 2, 3, 4, stranger, 60_746_948);
        assertKept(stranger, NO_ROUTE);
    }

    function test_a_key_with_no_root_at_all_is_no_way() public {
        vm.prank(bankB);
        keys.addAccount(keccak256("nonsense"), 1, 2, 3, 4, stranger, 100_000_000);
        assertKept(stranger, NO_ROUTE);
    }

    function test_a_token_that_is_not_on_the_list_is_no_way() public {
        vm.prank(authority);
        toRetail.setDigitalCurrencyApproval(address(tokenA), false);
        assertKept(clientA, NO_ROUTE);
    }

    function test_a_directory_that_names_another_bank_s_token_redirects_nothing() public {
        vm.prank(authority);
        discovery.updateAddress(keccak256("RealTokenizado@11111111"), address(tokenB));
        assertKept(clientA, NO_ROUTE);
    }

    function test_a_directory_that_names_a_token_of_one_s_own_making_redirects_nothing() public {
        RealTokenizado fake = new RealTokenizado("F", "F", stranger, stranger, "Bank A", BANK_A, stranger);
        vm.prank(authority);
        discovery.updateAddress(keccak256("RealTokenizado@11111111"), address(fake));
        assertKept(clientA, NO_ROUTE);
    }

    // Who, when, what.

    function test_only_the_role_redeems() public {
        assertRefused(
            authority,
            address(op1012),
            abi.encodeCall(op1012.repayment, (bankA, OP, ltn(), PRICE)),
            missingRole(authority, op1012.REPAYMENT_ROLE())
        );
    }

    function test_checks_come_in_their_order() public {
        TPFtData memory unknown = TPFtData("LTN", "unknown", MATURITY + 1);
        vm.prank(admin);
        op1012.pause();
        expectError(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        op1012.repayment(wallet("nobody"), 1, unknown, 0);
        vm.prank(admin);
        op1012.unpause();
        expectMissingRole(address(this), op1012.REPAYMENT_ROLE());
        op1012.repayment(wallet("nobody"), 1, unknown, 0);

        vm.startPrank(treasury);
        expectError(
            abi.encodeWithSelector(TPFtOperation1012.TPFtOperation1012NotMatured.selector, MATURITY + 1, MATURITY)
        );
        op1012.repayment(wallet("nobody"), 1, unknown, 0);
        unknown.maturityDate = MATURITY;
        expectError(abi.encodeWithSelector(TPFt.TPFtSeriesUnknown.selector, "LTN", "unknown", MATURITY));
        op1012.repayment(wallet("nobody"), 1, unknown, 0);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationAmountOutOfRange.selector, 0, type(uint120).max));
        op1012.repayment(wallet("nobody"), 1, ltn(), 0);
        expectError(
            abi.encodeWithSelector(TPFtPricedOperation.TPFtOperationUnitPriceOutOfRange.selector, 0, 99_999_999_999_999)
        );
        op1012.repayment(bankA, 1, ltn(), 0);
        expectError(abi.encodeWithSelector(TPFtPricedOperation.TPFtOperationValueZero.selector, BONDS, 1));
        op1012.repayment(bankA, 1, ltn(), 1);
        expectError(abi.encodeWithSelector(TPFtOperationId.TPFtOperationIdUsed.selector, 1, address(op1001)));
        op1012.repayment(bankA, 1, ltn(), PRICE);
    }

    function test_nothing_is_redeemed_before_maturity() public {
        vm.warp(MATURITY - 1);
        expectError(
            abi.encodeWithSelector(TPFtOperation1012.TPFtOperation1012NotMatured.selector, MATURITY, MATURITY - 1)
        );
        redeem(bankA);
        vm.warp(MATURITY + 365 days);
        redeem(bankA);
        assertRedeemed(bankA);
    }

    function test_a_holder_is_paid_once() public {
        redeem(bankA);
        expectError(abi.encodeWithSelector(TPFtOperation1012.TPFtOperation1012AlreadyPaid.selector, bankA, 1));
        vm.prank(treasury);
        op1012.repayment(bankA, OP + 1, ltn(), PRICE);
        assertRedeemed(bankA);
    }

    function test_a_failed_redemption_leaves_bonds_mark_and_number() public {
        vm.prank(treasury);
        real.approve(address(op1012), VALUE - 1);
        expectError(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(op1012), VALUE - 1, VALUE)
        );
        redeem(bankA);
        assertEq(tpft.balanceOf(bankA, 1), BONDS, "bonds");
        assertFalse(tpft.getPaymentStatus(bankA, 1), "mark");
        assertEq(ids.operationOf(OP), address(0), "number");
    }

    function test_frozen_bonds_wait_for_their_release() public {
        vm.prank(authority);
        tpft.increaseFrozenBalance(bankA, ltn(), 1);
        expectError(abi.encodeWithSelector(TPFt.TPFtBalanceFrozen.selector, bankA, 1, BONDS, 1, BONDS));
        redeem(bankA);
        vm.prank(authority);
        tpft.decreaseFrozenBalance(bankA, ltn(), 1);
        redeem(bankA);
        assertRedeemed(bankA);
    }

    function test_a_stopped_series_is_redeemed() public {
        vm.startPrank(admin);
        tpft.grantRole(tpft.REPAYMENT_ROLE(), authority);
        vm.stopPrank();
        vm.prank(authority);
        tpft.setTpftIdToPaused(1, true);
        redeem(bankA);
        assertRedeemed(bankA);
    }

    function test_the_operation_must_be_enabled_in_real_digital() public {
        vm.prank(authority);
        real.disableAccount(address(op1012));
        expectError(abi.encodeWithSignature("Error(string)", "RealDigitalDefaultAccount: Not authorized Account"));
        redeem(clientA);
        redeem(bankA);
    }

    function test_a_treasury_without_wallet_pays_nobody() public {
        TPFtOperation1012 ours =
            new TPFtOperation1012(partners(), repaymentReserve, tpft, ids, newDefaults(), treasury, admin);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationUnknownInstitution.selector, STN));
        vm.prank(treasury);
        ours.repayment(bankA, OP, ltn(), PRICE);
    }

    function testFuzz_the_value_is_price_times_all_bonds_rounded_down(uint256 price, uint256 way) public {
        price = bound(price, 1, 10_000e8);
        address holder = [bankA, clientA, clientB, stranger][way % 4];
        uint256 value = price * BONDS / 1e8;
        uint256 supply = real.totalSupply();
        if (value == 0) {
            expectError(abi.encodeWithSelector(TPFtPricedOperation.TPFtOperationValueZero.selector, BONDS, price));
        }
        vm.prank(treasury);
        op1012.repayment(holder, OP, ltn(), price);
        assertEq(real.balanceOf(treasury), TREASURY - value, "Treasury");
        assertEq(real.totalSupply(), supply, "no money is made");
        assertEq(tpft.balanceOf(holder, 1), value == 0 ? BONDS : 0, "bonds");
        assertEq(
            tokenA.totalSupply() + tokenB.totalSupply(),
            10_000_000 + (way % 4 == 1 || way % 4 == 2 ? value : 0),
            "tokens"
        );
    }

    function test_the_redemption_names_all_its_partners() public {
        RepaymentPartners memory given = partners();
        given.realDigital = RealDigital(address(0));
        expectZero("realDigital");
        new TPFtOperation1012(given, repaymentReserve, tpft, ids, defaults, treasury, admin);
        expectZero("repaymentReserve");
        new TPFtOperation1012(partners(), TPFtRepaymentReserve(address(0)), tpft, ids, defaults, treasury, admin);
        assertFalse(op1012.hasRole(bytes32(0), address(this)), "the deployer has nothing");
        assertEq(
            op1012.REPAYMENT_ROLE(), 0x3edfd411211092bcad19c577d3d0ac1739a0a2e9d9e8eb1f5d78db5fab9fbc3b, "REPAYMENT"
        );
    }

    function expectZero(string memory parameter) private {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, parameter));
    }
}
