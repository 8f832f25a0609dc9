// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {DateTimeOracle} from "../../src/drex/DateTimeOracle.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {TPFtDvP} from "../../src/drex/TPFtDvP.sol";
import {DvPSide, DvPTerms} from "../../src/drex/TPFtDvPTypes.sol";
import {TPFtOperation1056} from "../../src/drex/TPFtOperation1056.sol";
import {TPFtOperationId} from "../../src/drex/TPFtOperationId.sol";
import {TPFtRepoStorage} from "../../src/drex/TPFtRepoStorage.sol";
import {RepoMode, RepoStatus} from "../../src/drex/TPFtRepoTypes.sol";
import {TPFtTwoCommandOperation} from "../../src/drex/TPFtTwoCommandOperation.sol";
import {CallerPart} from "../../src/drex/TPFtTypes.sol";
import {RepoSuite} from "../base/RepoSuite.sol";

contract TPFtOperation1056Test is RepoSuite {
    /// Noon of the day of the return.
    uint256 private constant LATER = NOW + 1 days;

    function goToReturn() private {
        settleForward();
        vm.warp(LATER);
    }

    function dvpIdOf(uint256 returnOperationId) private view returns (uint256 dvpId) {
        (, dvpId) = op1056.getOperation(returnOperationId);
    }

    function expectReturn(string memory status) private {
        vm.expectEmit(address(op1056));
        emit TPFtOperation1056.ReverseRepoOperationTradeReturnEvent(
            OP, BACK, bankB, bankA, ltn(), AMOUNT, RETURN_PRICE, RETURN_VALUE, status, TOMORROW, LATER
        );
    }

    // The arrows, by who is first.

    function test_the_deliverer_first() public {
        goToReturn();
        expectReturn("LAN");
        back(bankB, BACK);
        assertMoved(AMOUNT, VALUE, 0);
        expectReturn("ATU");
        back(bankA, BACK);
        assertMoved(0, VALUE, RETURN_VALUE);
        assertTrue(repos.getRepo(OP).status == RepoStatus.Returned, "status");
    }

    function test_the_payer_first() public {
        goToReturn();
        expectReturn("CON");
        back(bankA, BACK);
        expectReturn("ATU");
        back(bankB, BACK);
        assertMoved(0, VALUE, RETURN_VALUE);
    }

    function test_a_return_that_is_cancelled_is_commanded_under_another_number() public {
        goToReturn();
        back(bankB, BACK);
        vm.expectEmit(address(op1056));
        emit TPFtOperation1056.ReverseRepoOperationCancelEvent(BACK, "CAN", "typo", LATER);
        vm.prank(bankB);
        op1056.cancel(BACK, "typo");
        expectError(abi.encodeWithSelector(TPFtDvP.DvPCancelled.selector, dvpIdOf(BACK)));
        back(bankA, BACK);
        assertTrue(repos.getRepo(OP).status == RepoStatus.Open, "still owed");
        back(bankA, BACK + 1);
        back(bankB, BACK + 1);
        assertMoved(0, VALUE, RETURN_VALUE);
    }

    // The three kinds and the other two ways to name.

    function test_an_intraday_repo_returns_today_at_the_same_price() public {
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, BANK_A, BANK_B, SENDER, ltn(), AMOUNT, PRICE);
        vm.prank(bankB);
        op1054.tradeRepoIntraday(OP, BANK_A, BANK_B, RECEIVER, ltn(), AMOUNT, PRICE);
        back(bankB, BACK);
        vm.expectEmit(address(op1056));
        emit TPFtOperation1056.ReverseRepoOperationTradeReturnCNPJ8Event(
            OP, BACK, BANK_B, BANK_A, bankB, bankA, ltn(), AMOUNT, PRICE, VALUE, "ATU", TODAY, NOW
        );
        back(bankA, BACK);
        assertMoved(0, VALUE, VALUE);
    }

    function test_an_open_repo_returns_at_the_price_that_both_name() public {
        settleOpen();
        vm.warp(LATER);
        open(bankB, RETURN_PRICE);
        expectError(
            abi.encodeWithSelector(
                TPFtDvP.DvPIncompatible.selector,
                dvpIdOf(BACK),
                digest(RETURN_PRICE, RETURN_VALUE),
                digest(RETURN_PRICE + 1, RETURN_VALUE)
            )
        );
        open(bankA, RETURN_PRICE + 1);
        expectReturn("ATU");
        open(bankA, RETURN_PRICE);
        assertMoved(0, VALUE, RETURN_VALUE);
    }

    function settleOpen() private {
        for (uint256 i = 0; i < 2; ++i) {
            CallerPart part = i == 0 ? SENDER : RECEIVER;
            vm.prank(bank(part));
            op1054.tradeRepoOpenReturnPrice(OP, bankA, bankB, part, ltn(), AMOUNT, PRICE, TOMORROW);
        }
    }

    function open(address caller, uint256 price) private {
        vm.prank(caller);
        op1056.tradeReverseRepoOpenReturnPrice(OP, BACK, price);
    }

    function digest(uint256 price, uint256 value) private view returns (bytes31) {
        return dvp.digestOf(
            address(op1056), DvPTerms(bankA, address(0), bankB, address(0), ltn(), AMOUNT, price, value, abi.encode(OP))
        );
    }

    function test_a_customer_returns_against_its_bank_s_token() public {
        (address a, address b) = (address(tokenA), address(tokenB));
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, bankA, a, clientB, b, SENDER, ltn(), AMOUNT, PRICE);
        vm.prank(clientB);
        op1054.tradeRepoIntraday(OP, bankA, a, clientB, b, RECEIVER, ltn(), AMOUNT, PRICE);
        vm.prank(bankA);
        tokenA.approve(address(dvp), VALUE);
        back(clientB, BACK);
        vm.expectEmit(address(op1056));
        emit TPFtOperation1056.ReverseRepoOperationTradeReturnParticipantClientEvent(
            OP, BACK, clientB, b, bankA, a, ltn(), AMOUNT, PRICE, VALUE, "ATU", TODAY, NOW
        );
        back(bankA, BACK);
        assertEq(tpft.balanceOf(bankA, 1), BONDS, "bonds");
        assertEq(tokenB.balanceOf(clientB), 5_000_000, "customer's money");
        assertEq(tokenA.balanceOf(bankA), 0, "bank's money");
        assertEq(real.balanceOf(reserveB), 10_000_000, "reserve");
    }

    // Refusals.

    function test_each_kind_has_its_function() public {
        goToReturn();
        expectError(abi.encodeWithSelector(TPFtOperation1056.TPFtOperation1056WrongMode.selector, OP, RepoMode.Fixed));
        open(bankB, RETURN_PRICE);
        vm.warp(NOW);
        vm.prank(bankA);
        op1054.tradeRepoOpenReturnPrice(OP + 1, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE, TOMORROW);
        vm.prank(bankB);
        op1054.tradeRepoOpenReturnPrice(OP + 1, bankA, bankB, RECEIVER, ltn(), AMOUNT, PRICE, TOMORROW);
        vm.warp(LATER);
        expectError(
            abi.encodeWithSelector(
                TPFtOperation1056.TPFtOperation1056WrongMode.selector, OP + 1, RepoMode.OpenReturnPrice
            )
        );
        vm.prank(bankB);
        op1056.tradeReverseRepo(OP + 1, BACK);
    }

    function test_what_was_never_settled_is_not_returned() public {
        forward(SENDER);
        vm.warp(LATER);
        expectNotOpen(RepoStatus.None);
        back(bankB, BACK);
        expectNotOpen(RepoStatus.None);
        open(bankB, RETURN_PRICE);
    }

    function test_what_was_returned_is_not_returned_again() public {
        goToReturn();
        back(bankB, BACK);
        back(bankA, BACK);
        expectNotOpen(RepoStatus.Returned);
        back(bankB, BACK);
        expectNotOpen(RepoStatus.Returned);
        back(bankB, BACK + 1);
        vm.warp(LATER + 2 days);
        expectNotOpen(RepoStatus.Returned);
        vm.prank(bankA);
        op1054.setDefault(OP, "");
    }

    function test_what_defaulted_is_not_returned() public {
        goToReturn();
        back(bankB, BACK);
        vm.warp(LATER + 1 days);
        vm.prank(bankB);
        op1054.setDefault(OP, "");
        expectNotOpen(RepoStatus.Defaulted);
        back(bankA, BACK);
        assertMoved(AMOUNT, VALUE, 0);
    }

    function expectNotOpen(RepoStatus status) private {
        expectError(abi.encodeWithSelector(TPFtRepoStorage.RepoNotOpen.selector, OP, status));
    }

    function test_the_parties_alone_return() public {
        goToReturn();
        address[3] memory others = [stranger, admin, treasury];
        for (uint256 i = 0; i < others.length; ++i) {
            expectError(abi.encodeWithSelector(TPFtOperation1056.TPFtOperation1056NotParty.selector, OP, others[i]));
            back(others[i], BACK);
        }
    }

    function test_a_return_is_on_its_day_in_brasilia() public {
        settleForward();
        vm.warp(TOMORROW + 3 hours - 1);
        expectDay(TODAY);
        back(bankB, BACK);
        vm.warp(TOMORROW + 3 hours);
        back(bankB, BACK);
        vm.warp(TOMORROW + 27 hours);
        expectDay(TOMORROW + 1 days);
        back(bankA, BACK);
        vm.prank(authority); // who may set the day back
        oracle.setDate(TOMORROW);
        back(bankA, BACK);
        assertMoved(0, VALUE, RETURN_VALUE);
    }

    function expectDay(uint256 today) private {
        expectError(
            abi.encodeWithSelector(TPFtOperation1056.TPFtOperation1056NotReturnDate.selector, OP, TOMORROW, today)
        );
    }

    function test_a_repo_has_one_return_at_a_time() public {
        goToReturn();
        back(bankB, BACK);
        for (uint256 i = 0; i < 2; ++i) {
            expectError(
                abi.encodeWithSelector(TPFtOperation1056.TPFtOperation1056ReturnPending.selector, OP, dvpIdOf(BACK))
            );
            back(i == 0 ? bankA : bankB, BACK + 1);
        }
        back(bankA, BACK);
        assertMoved(0, VALUE, RETURN_VALUE);
    }

    function test_a_return_answers_its_own_repo_only() public {
        settleForward();
        vm.prank(bankA);
        op1054.tradeRepo(OP + 1, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE, RETURN_PRICE, TOMORROW);
        vm.prank(bankB);
        op1054.tradeRepo(OP + 1, bankA, bankB, RECEIVER, ltn(), AMOUNT, PRICE, RETURN_PRICE, TOMORROW);
        vm.warp(LATER);
        back(bankB, BACK);
        (, bytes31 stored) = dvp.getDvPOperation(dvpIdOf(BACK));
        bytes31 given = dvp.digestOf(
            address(op1056),
            DvPTerms(
                bankA, address(0), bankB, address(0), ltn(), AMOUNT, RETURN_PRICE, RETURN_VALUE, abi.encode(OP + 1)
            )
        );
        expectError(abi.encodeWithSelector(TPFtDvP.DvPIncompatible.selector, dvpIdOf(BACK), stored, given));
        vm.prank(bankA);
        op1056.tradeReverseRepo(OP + 1, BACK);
        assertTrue(repos.getRepo(OP + 1).status == RepoStatus.Open, "the other is owed still");
    }

    function test_the_same_side_twice_and_a_used_number_are_refused() public {
        goToReturn();
        expectError(abi.encodeWithSelector(TPFtOperationId.TPFtOperationIdUsed.selector, OP, address(op1054)));
        back(bankB, OP);
        back(bankB, BACK);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPSideAlreadyGiven.selector, dvpIdOf(BACK), DvPSide.Sell));
        back(bankB, BACK);
        expectError(
            abi.encodeWithSelector(TPFtTwoCommandOperation.TPFtOperationInvalidCaller.selector, BACK, bankA, bankB)
        );
        vm.prank(bankA);
        op1056.cancel(BACK, "");
    }

    function test_a_return_that_fails_leaves_the_repo_owed() public {
        goToReturn();
        vm.prank(bankB);
        tpft.setApprovalForAll(address(dvp), false);
        back(bankB, BACK);
        expectError(abi.encodeWithSelector(IERC1155Errors.ERC1155MissingApprovalForAll.selector, address(dvp), bankB));
        back(bankA, BACK);
        assertTrue(repos.getRepo(OP).status == RepoStatus.Open, "owed");
        assertMoved(AMOUNT, VALUE, 0);
        vm.prank(bankB);
        tpft.setApprovalForAll(address(dvp), true);
        back(bankA, BACK);
        assertMoved(0, VALUE, RETURN_VALUE);
    }

    function test_a_default_wallet_that_changed_does_not_change_the_parties() public {
        goToReturn();
        vm.prank(bankB);
        defaults.updateDefaultWallet(BANK_B, stranger);
        back(bankB, BACK);
        back(bankA, BACK);
        assertMoved(0, VALUE, RETURN_VALUE);
    }

    function test_pause_stops_returns_and_not_cancellations() public {
        goToReturn();
        back(bankB, BACK);
        vm.prank(admin);
        op1056.pause();
        bytes memory refusal = abi.encodeWithSelector(Pausable.EnforcedPause.selector);
        expectError(refusal);
        back(bankA, BACK);
        expectError(refusal);
        open(bankA, RETURN_PRICE);
        vm.prank(bankB);
        op1056.cancel(BACK, "");
    }

    function testFuzz_bonds_come_back_whole_and_the_difference_of_prices_is_the_interest(
        uint256 amount,
        uint256 price,
        uint256 later
    ) public {
        amount = bound(amount, 1, BONDS);
        price = bound(price, 1e8, 400e8);
        later = bound(later, 1e8, 500e8);
        vm.prank(bankA);
        op1054.tradeRepo(OP, bankA, bankB, SENDER, ltn(), amount, price, later, TOMORROW);
        vm.prank(bankB);
        op1054.tradeRepo(OP, bankA, bankB, RECEIVER, ltn(), amount, price, later, TOMORROW);
        vm.warp(LATER);
        back(bankA, BACK);
        back(bankB, BACK);
        assertMoved(0, amount * price / 1e8, amount * later / 1e8);
    }

    function test_the_operation_names_all_its_partners() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "dateTimeOracle"));
        new TPFtOperation1056(dvp, tpft, ids, defaults, DateTimeOracle(address(0)), repos, admin);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "repoStorage"));
        new TPFtOperation1056(dvp, tpft, ids, defaults, oracle, TPFtRepoStorage(address(0)), admin);
        assertFalse(op1056.hasRole(bytes32(0), address(this)), "the deployer has nothing");
    }
}
