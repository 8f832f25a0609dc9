// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CBDCAccessControl} from "../../src/drex/CBDCAccessControl.sol";
import {AddressDiscovery} from "../../src/drex/AddressDiscovery.sol";
import {KeyDictionary} from "../../src/drex/KeyDictionary.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RepaymentPartners} from "../../src/drex/RepaymentRoute.sol";
import {SwapToRetail} from "../../src/drex/SwapToRetail.sol";
import {TPFt} from "../../src/drex/TPFt.sol";
import {TPFtRepaymentReserve} from "../../src/drex/TPFtRepaymentReserve.sol";
import {RepaymentSuite} from "../base/RepaymentSuite.sol";

/// @dev Two credits lie in the reserve: of a holder whom nobody knew, and of a customer whose bank could not take it.
contract TPFtRepaymentReserveTest is RepaymentSuite {
    uint256 private constant OP = 1012;
    uint256 private constant VALUE = 1_500_000;

    function setUp() public override {
        super.setUp();
        vm.prank(authority);
        real.disableAccount(reserveA);
        vm.startPrank(treasury);
        op1012.repayment(clientA, OP, ltn(), 1_000e8);
        op1012.repayment(stranger, OP + 1, ltn(), 1_000e8);
        vm.stopPrank();
        vm.prank(authority);
        real.enableAccount(reserveA);
    }

    function withdraw(address caller) private {
        vm.prank(caller);
        repaymentReserve.withdraw(1);
    }

    function withdrawFrom(address from, address to) private {
        vm.prank(authority);
        repaymentReserve.withdrawFrom(1, from, to);
    }

    function assertKept(uint256 ofCustomer, uint256 ofStranger) private view {
        assertEq(repaymentReserve.getBalance(clientA, 1), ofCustomer, "customer's");
        assertEq(repaymentReserve.getBalance(stranger, 1), ofStranger, "stranger's");
        assertEq(real.balanceOf(address(repaymentReserve)), ofCustomer + ofStranger, "money");
    }

    function test_a_deposit_is_said_and_adds_up() public {
        vm.startPrank(admin);
        repaymentReserve.grantRole(repaymentReserve.DEPOSITOR_ROLE(), bankB);
        vm.stopPrank();
        vm.startPrank(bankB);
        real.approve(address(repaymentReserve), 77);
        vm.expectEmit(address(repaymentReserve));
        emit TPFtRepaymentReserve.RepaymentDeposited(stranger, 1, 9, 77);
        repaymentReserve.deposit(stranger, 1, 9, 77);
        vm.stopPrank();
        assertKept(VALUE, VALUE + 77);
        assertEq(real.balanceOf(bankB), 10_000_000 - 77, "the depositor paid");
    }

    function test_only_operations_deposit() public {
        assertRefused(
            bankB,
            address(repaymentReserve),
            abi.encodeCall(repaymentReserve.deposit, (stranger, 1, 9, 0)),
            missingRole(bankB, repaymentReserve.DEPOSITOR_ROLE())
        );
    }

    function test_a_holder_that_became_a_participant_withdraws_real_digital() public {
        vm.prank(bankB);
        enabling.enableAccount(stranger);
        vm.expectEmit(address(repaymentReserve));
        emit TPFtRepaymentReserve.WithdrawalForParticipant(stranger, 1, ltn(), OP + 1, VALUE, "ATU", MATURITY);
        withdraw(stranger);
        assertEq(real.balanceOf(stranger), VALUE, "holder");
        assertKept(VALUE, 0);
    }

    function test_a_customer_withdraws_its_bank_s_token() public {
        vm.expectEmit(address(repaymentReserve));
        emit TPFtRepaymentReserve.WithdrawalForClient(clientA, 1, address(tokenA), ltn(), OP, VALUE, "ATU", MATURITY);
        withdraw(clientA);
        assertMoney(5_000_000 + VALUE, 10_000_000 + VALUE, 5_000_000, 10_000_000);
        assertKept(0, VALUE);
    }

    function test_what_was_withdrawn_is_gone() public {
        withdraw(clientA);
        expectNothing(clientA);
        withdraw(clientA);
        expectNothing(clientA);
        withdrawFrom(clientA, bankB);
        expectNothing(bankB);
        withdraw(bankB);
    }

    function expectNothing(address holder) private {
        expectError(abi.encodeWithSelector(TPFtRepaymentReserve.RepaymentReserveNothingKept.selector, holder, 1));
    }

    function test_a_holder_without_a_way_waits() public {
        expectError(abi.encodeWithSelector(TPFtRepaymentReserve.RepaymentReserveNoRoute.selector, stranger));
        withdraw(stranger);
        assertKept(VALUE, VALUE);
    }

    function test_a_disabled_customer_waits() public {
        vm.prank(bankA);
        tokenA.disableAccount(clientA);
        expectError(abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, clientA));
        withdraw(clientA);
        assertKept(VALUE, VALUE);
    }

    function test_the_authority_pays_a_participant_for_a_lost_wallet() public {
        vm.expectEmit(address(repaymentReserve));
        emit TPFtRepaymentReserve.WithdrawalForParticipantByAuthority(
            stranger, 1, ltn(), OP + 1, VALUE, "ATU", bankB, MATURITY
        );
        withdrawFrom(stranger, bankB);
        assertEq(real.balanceOf(bankB), 10_000_000 + VALUE, "new wallet");
        assertKept(VALUE, 0);
    }

    function test_the_authority_pays_a_customer_for_a_lost_wallet() public {
        vm.expectEmit(address(repaymentReserve));
        emit TPFtRepaymentReserve.WithdrawalForClientByAuthority(
            clientA, 1, address(tokenB), ltn(), OP, VALUE, "ATU", clientB, MATURITY
        );
        withdrawFrom(clientA, clientB);
        assertMoney(5_000_000, 10_000_000, 5_000_000 + VALUE, 10_000_000 + VALUE);
        assertKept(0, VALUE);
    }

    function test_only_the_recovering_role_pays_another_wallet() public {
        assertRefused(
            clientA,
            address(repaymentReserve),
            abi.encodeCall(repaymentReserve.withdrawFrom, (1, stranger, clientA)),
            missingRole(clientA, repaymentReserve.RECOVERY_WITHDRAWER_ROLE())
        );
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "to"));
        withdrawFrom(stranger, address(0));
        expectError(abi.encodeWithSelector(TPFtRepaymentReserve.RepaymentReserveNoRoute.selector, stranger));
        withdrawFrom(clientA, stranger);
    }

    function testFuzz_money_kept_is_the_sum_of_the_credits(uint256 first, uint256 second, bool isLast) public {
        (first, second) = (bound(first, 0, 5_000_000), bound(second, 0, 5_000_000));
        vm.startPrank(admin);
        repaymentReserve.grantRole(repaymentReserve.DEPOSITOR_ROLE(), bankB);
        vm.stopPrank();
        vm.startPrank(bankB);
        real.approve(address(repaymentReserve), first + second);
        repaymentReserve.deposit(clientA, 1, 9, first);
        repaymentReserve.deposit(stranger, 1, 9, second);
        vm.stopPrank();
        assertKept(VALUE + first, VALUE + second);
        if (isLast) withdraw(clientA);
        else withdrawFrom(stranger, bankB);
        assertKept(isLast ? 0 : VALUE + first, isLast ? VALUE + second : 0);
    }

    function test_the_reserve_names_all_its_partners() public {
        RepaymentPartners memory given = partners();
        given.keyDictionary = KeyDictionary(address(0));
        expectZero("keyDictionary");
        new TPFtRepaymentReserve(given, tpft, authority, admin);
        given = partners();
        given.addressDiscovery = AddressDiscovery(address(0));
        expectZero("addressDiscovery");
        new TPFtRepaymentReserve(given, tpft, authority, admin);
        given = partners();
        given.swapToRetail = SwapToRetail(address(0));
        expectZero("swapToRetail");
        new TPFtRepaymentReserve(given, tpft, authority, admin);
        given = partners();
        expectZero("tpft");
        new TPFtRepaymentReserve(given, TPFt(address(0)), authority, admin);
        expectZero("authority");
        new TPFtRepaymentReserve(given, tpft, address(0), admin);
        expectZero("admin");
        new TPFtRepaymentReserve(given, tpft, authority, address(0));
        assertFalse(repaymentReserve.hasRole(bytes32(0), address(this)), "the deployer has nothing");
        assertTrue(repaymentReserve.hasRole(bytes32(0), admin), "admin");
    }

    function expectZero(string memory parameter) private {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, parameter));
    }
}
