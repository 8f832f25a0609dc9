// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {DateTimeOracle} from "../../src/drex/DateTimeOracle.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {TPFtDvP} from "../../src/drex/TPFtDvP.sol";
import {DvPTerms} from "../../src/drex/TPFtDvPTypes.sol";
import {TPFtOperation} from "../../src/drex/TPFtOperation.sol";
import {TPFtOperation1054} from "../../src/drex/TPFtOperation1054.sol";
import {TPFtPricedOperation} from "../../src/drex/TPFtPricedOperation.sol";
import {TPFtRepoForwardEvents} from "../../src/drex/TPFtRepoForwardEvents.sol";
import {TPFtRepoStorage} from "../../src/drex/TPFtRepoStorage.sol";
import {Repo, RepoMode, RepoNaming, RepoStatus} from "../../src/drex/TPFtRepoTypes.sol";
import {TPFtTwoCommandOperation} from "../../src/drex/TPFtTwoCommandOperation.sol";
import {CallerPart} from "../../src/drex/TPFtTypes.sol";
import {RepoSuite} from "../base/RepoSuite.sol";

/// @dev The state machine of two commands is played in `TwoCommands.t.sol`; here is what a repo adds.
contract TPFtOperation1054Test is RepoSuite {
    function digest(bytes memory extraData) private view returns (bytes31) {
        return dvp.digestOf(
            address(op1054), DvPTerms(bankB, address(0), bankA, address(0), ltn(), AMOUNT, PRICE, VALUE, extraData)
        );
    }

    function assertRepo(RepoMode mode, RepoNaming naming, uint256 returnPrice, uint256 returnDate) private view {
        Repo memory repo = repos.getRepo(OP);
        bool isClient = naming == RepoNaming.Client;
        assertTrue(repo.status == RepoStatus.Open && repo.mode == mode && repo.naming == naming, "kind");
        assertEq(repo.sender, bankA, "sender");
        assertEq(repo.receiver, isClient ? clientB : bankB, "receiver");
        assertEq(repo.senderToken, isClient ? address(tokenA) : address(0), "senderToken");
        assertEq(repo.receiverToken, isClient ? address(tokenB) : address(0), "receiverToken");
        assertEq(repo.cnpj8Sender, naming == RepoNaming.Cnpj8 ? BANK_A : 0, "cnpj8Sender");
        assertEq(repo.cnpj8Receiver, naming == RepoNaming.Cnpj8 ? BANK_B : 0, "cnpj8Receiver");
        assertEq(repo.tpftId, 1, "tpftId");
        assertEq(repo.tpftAmount, AMOUNT, "tpftAmount");
        assertEq(repo.unitPrice, PRICE, "unitPrice");
        assertEq(repo.returnUnitPrice, returnPrice, "returnUnitPrice");
        assertEq(repo.returnDate, returnDate, "returnDate");
    }

    // Three kinds of return, three ways to name the parties.

    function expectByCnpj8(uint256 price, uint256 value, uint256 date, string memory status) private {
        vm.expectEmit(address(op1054));
        emit TPFtRepoForwardEvents.RepoOperationTradeForwardCNPJ8Event(
            OP, BANK_A, BANK_B, bankA, bankB, ltn(), AMOUNT, PRICE, VALUE, price, value, status, date, NOW
        );
    }

    function expectByWallet(uint256 price, uint256 value, uint256 date, string memory status) private {
        vm.expectEmit(address(op1054));
        emit TPFtRepoForwardEvents.RepoOperationTradeForwardEvent(
            OP, bankA, bankB, ltn(), AMOUNT, PRICE, VALUE, price, value, status, date, NOW
        );
    }

    function expectByClient(uint256 price, uint256 value, uint256 date, string memory status) private {
        vm.expectEmit(address(op1054));
        emit TPFtRepoForwardEvents.RepoOperationTradeForwardParticipantClientEvent(
            OP,
            bankA,
            address(tokenA),
            clientB,
            address(tokenB),
            ltn(),
            AMOUNT,
            PRICE,
            VALUE,
            price,
            value,
            status,
            date,
            NOW
        );
    }

    function test_fixed_by_cnpj() public {
        expectByCnpj8(RETURN_PRICE, RETURN_VALUE, TOMORROW, "LAN");
        vm.prank(bankA);
        op1054.tradeRepo(OP, BANK_A, BANK_B, SENDER, ltn(), AMOUNT, PRICE, RETURN_PRICE, TOMORROW);
        assertTrue(repos.getRepo(OP).status == RepoStatus.None, "nothing is owed yet");
        expectByCnpj8(RETURN_PRICE, RETURN_VALUE, TOMORROW, "ATU");
        vm.prank(bankB);
        op1054.tradeRepo(OP, BANK_A, BANK_B, RECEIVER, ltn(), AMOUNT, PRICE, RETURN_PRICE, TOMORROW);
        assertMoved(AMOUNT, VALUE, 0);
        assertRepo(RepoMode.Fixed, RepoNaming.Cnpj8, RETURN_PRICE, TOMORROW);
    }

    function test_fixed_by_wallet() public {
        expectByWallet(RETURN_PRICE, RETURN_VALUE, TOMORROW, "CON");
        forward(RECEIVER);
        expectByWallet(RETURN_PRICE, RETURN_VALUE, TOMORROW, "ATU");
        forward(SENDER);
        assertMoved(AMOUNT, VALUE, 0);
        assertRepo(RepoMode.Fixed, RepoNaming.Wallet, RETURN_PRICE, TOMORROW);
    }

    function test_fixed_with_a_customer() public {
        expectByClient(RETURN_PRICE, RETURN_VALUE, TOMORROW, "LAN");
        byClient(bankA, SENDER);
        expectByClient(RETURN_PRICE, RETURN_VALUE, TOMORROW, "ATU");
        byClient(clientB, RECEIVER);
        assertEq(tpft.balanceOf(clientB, 1), AMOUNT, "customer's bonds");
        assertEq(tokenB.balanceOf(clientB), 5_000_000 - VALUE, "customer's money");
        assertEq(tokenA.balanceOf(bankA), VALUE, "bank's money");
        assertRepo(RepoMode.Fixed, RepoNaming.Client, RETURN_PRICE, TOMORROW);
    }

    function byClient(address caller, CallerPart part) private {
        vm.prank(caller);
        op1054.tradeRepo(
            OP, bankA, address(tokenA), clientB, address(tokenB), part, ltn(), AMOUNT, PRICE, RETURN_PRICE, TOMORROW
        );
    }

    function test_intraday_by_cnpj() public {
        expectByCnpj8(PRICE, VALUE, TODAY, "LAN");
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, BANK_A, BANK_B, SENDER, ltn(), AMOUNT, PRICE);
        expectByCnpj8(PRICE, VALUE, TODAY, "ATU");
        vm.prank(bankB);
        op1054.tradeRepoIntraday(OP, BANK_A, BANK_B, RECEIVER, ltn(), AMOUNT, PRICE);
        assertRepo(RepoMode.Intraday, RepoNaming.Cnpj8, PRICE, TODAY);
    }

    function test_intraday_by_wallet() public {
        expectByWallet(PRICE, VALUE, TODAY, "LAN");
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE);
        expectByWallet(PRICE, VALUE, TODAY, "ATU");
        vm.prank(bankB);
        op1054.tradeRepoIntraday(OP, bankA, bankB, RECEIVER, ltn(), AMOUNT, PRICE);
        assertRepo(RepoMode.Intraday, RepoNaming.Wallet, PRICE, TODAY);
    }

    function test_intraday_with_a_customer() public {
        (address a, address b) = (address(tokenA), address(tokenB));
        expectByClient(PRICE, VALUE, TODAY, "LAN");
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, bankA, a, clientB, b, SENDER, ltn(), AMOUNT, PRICE);
        expectByClient(PRICE, VALUE, TODAY, "ATU");
        vm.prank(clientB);
        op1054.tradeRepoIntraday(OP, bankA, a, clientB, b, RECEIVER, ltn(), AMOUNT, PRICE);
        assertRepo(RepoMode.Intraday, RepoNaming.Client, PRICE, TODAY);
    }

    function test_open_by_cnpj() public {
        expectByCnpj8(0, 0, TOMORROW, "LAN");
        vm.prank(bankA);
        op1054.tradeRepoOpenReturnPrice(OP, BANK_A, BANK_B, SENDER, ltn(), AMOUNT, PRICE, TOMORROW);
        expectByCnpj8(0, 0, TOMORROW, "ATU");
        vm.prank(bankB);
        op1054.tradeRepoOpenReturnPrice(OP, BANK_A, BANK_B, RECEIVER, ltn(), AMOUNT, PRICE, TOMORROW);
        assertRepo(RepoMode.OpenReturnPrice, RepoNaming.Cnpj8, 0, TOMORROW);
    }

    function test_open_by_wallet() public {
        expectByWallet(0, 0, TOMORROW, "LAN");
        vm.prank(bankA);
        op1054.tradeRepoOpenReturnPrice(OP, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE, TOMORROW);
        expectByWallet(0, 0, TOMORROW, "ATU");
        vm.prank(bankB);
        op1054.tradeRepoOpenReturnPrice(OP, bankA, bankB, RECEIVER, ltn(), AMOUNT, PRICE, TOMORROW);
        assertRepo(RepoMode.OpenReturnPrice, RepoNaming.Wallet, 0, TOMORROW);
    }

    function test_open_with_a_customer() public {
        (address a, address b) = (address(tokenA), address(tokenB));
        expectByClient(0, 0, TOMORROW, "LAN");
        vm.prank(bankA);
        op1054.tradeRepoOpenReturnPrice(OP, bankA, a, clientB, b, SENDER, ltn(), AMOUNT, PRICE, TOMORROW);
        expectByClient(0, 0, TOMORROW, "ATU");
        vm.prank(clientB);
        op1054.tradeRepoOpenReturnPrice(OP, bankA, a, clientB, b, RECEIVER, ltn(), AMOUNT, PRICE, TOMORROW);
        assertRepo(RepoMode.OpenReturnPrice, RepoNaming.Client, 0, TOMORROW);
    }

    function test_a_command_by_cnpj_is_answered_by_wallet_which_names_the_return() public {
        vm.prank(bankA);
        op1054.tradeRepo(OP, BANK_A, BANK_B, SENDER, ltn(), AMOUNT, PRICE, RETURN_PRICE, TOMORROW);
        forward(RECEIVER);
        assertRepo(RepoMode.Fixed, RepoNaming.Wallet, RETURN_PRICE, TOMORROW);
    }

    // What is agreed about the return is a term.

    function test_price_day_and_kind_of_the_return_must_be_the_same() public {
        forward(SENDER);
        bytes31 stored = digest(abi.encode(RepoMode.Fixed, RETURN_PRICE, TOMORROW));
        expectIncompatible(stored, digest(abi.encode(RepoMode.Fixed, RETURN_PRICE + 1, TOMORROW)));
        op1054.tradeRepo(OP, bankA, bankB, RECEIVER, ltn(), AMOUNT, PRICE, RETURN_PRICE + 1, TOMORROW);
        expectIncompatible(stored, digest(abi.encode(RepoMode.Fixed, RETURN_PRICE, TOMORROW + 1 days)));
        op1054.tradeRepo(OP, bankA, bankB, RECEIVER, ltn(), AMOUNT, PRICE, RETURN_PRICE, TOMORROW + 1 days);
        expectIncompatible(stored, digest(abi.encode(RepoMode.OpenReturnPrice, 0, TOMORROW)));
        op1054.tradeRepoOpenReturnPrice(OP, bankA, bankB, RECEIVER, ltn(), AMOUNT, PRICE, TOMORROW);
        expectIncompatible(stored, digest(abi.encode(RepoMode.Intraday, PRICE, TODAY)));
        op1054.tradeRepoIntraday(OP, bankA, bankB, RECEIVER, ltn(), AMOUNT, PRICE);
        assertMoved(0, 0, 0);
        forward(RECEIVER);
        assertMoved(AMOUNT, VALUE, 0);
    }

    function expectIncompatible(bytes31 stored, bytes31 given) private {
        (, uint256 dvpId) = op1054.getOperation(OP);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPIncompatible.selector, dvpId, stored, given));
        vm.prank(bankB);
    }

    function test_an_intraday_repo_is_answered_on_its_day() public {
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE);
        vm.warp(NOW + 1 days);
        expectIncompatible(
            digest(abi.encode(RepoMode.Intraday, PRICE, TODAY)), digest(abi.encode(RepoMode.Intraday, PRICE, TOMORROW))
        );
        op1054.tradeRepoIntraday(OP, bankA, bankB, RECEIVER, ltn(), AMOUNT, PRICE);
    }

    function test_a_return_is_after_today_and_before_the_day_of_maturity() public {
        uint256[3] memory wrong = [TODAY, TOMORROW - 1, MATURITY];
        for (uint256 i = 0; i < wrong.length; ++i) {
            expectDate(wrong[i], TODAY);
            vm.prank(bankA);
            op1054.tradeRepo(OP, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE, RETURN_PRICE, wrong[i]);
            expectDate(wrong[i], TODAY);
            vm.prank(bankA);
            op1054.tradeRepoOpenReturnPrice(OP, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE, wrong[i]);
        }
        expectDate(1_788_264_000_000, TODAY); // in milliseconds: the caller's mistake
        vm.prank(bankA);
        op1054.tradeRepo(OP, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE, RETURN_PRICE, 1_788_264_000_000);
        vm.prank(bankA);
        op1054.tradeRepo(OP, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE, RETURN_PRICE, MATURITY - 1);
    }

    function test_a_second_command_on_the_day_of_the_return_is_too_late() public {
        forward(SENDER);
        vm.warp(NOW + 1 days);
        expectDate(TOMORROW, TOMORROW);
        forward(RECEIVER);
    }

    function expectDate(uint256 date, uint256 today) private {
        expectError(
            abi.encodeWithSelector(
                TPFtOperation1054.TPFtOperation1054ReturnDateOutOfRange.selector, date, today, MATURITY
            )
        );
    }

    function test_the_return_price_has_its_limits() public {
        uint256 max = 99_999_999_999_999;
        expectError(abi.encodeWithSelector(TPFtPricedOperation.TPFtOperationUnitPriceOutOfRange.selector, max + 1, max));
        vm.prank(bankA);
        op1054.tradeRepo(OP, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE, max + 1, TOMORROW);
        expectError(abi.encodeWithSelector(TPFtPricedOperation.TPFtOperationUnitPriceOutOfRange.selector, 0, max));
        vm.prank(bankA);
        op1054.tradeRepo(OP, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE, 0, TOMORROW);
    }

    // Parties.

    function test_customers_do_not_repo_with_each_other() public {
        expectError(
            abi.encodeWithSelector(TPFtOperation1054.TPFtOperation1054BetweenClients.selector, clientA, clientB)
        );
        vm.prank(clientA);
        op1054.tradeRepoIntraday(OP, clientA, address(tokenA), clientB, address(tokenB), SENDER, ltn(), AMOUNT, PRICE);
    }

    function test_a_customer_may_be_the_one_who_delivers() public {
        vm.prank(clientA);
        op1054.tradeRepoIntraday(OP, clientA, address(tokenA), bankA, address(tokenA), SENDER, ltn(), AMOUNT, PRICE);
    }

    function test_a_customer_s_repo_names_both_tokens() public {
        expectError(
            abi.encodeWithSelector(
                TPFtOperation1054.TPFtOperation1054TokenMissing.selector, address(0), address(tokenB)
            )
        );
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, bankA, address(0), clientB, address(tokenB), SENDER, ltn(), AMOUNT, PRICE);
        expectError(
            abi.encodeWithSelector(
                TPFtOperation1054.TPFtOperation1054TokenMissing.selector, address(tokenA), address(0)
            )
        );
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, bankA, address(tokenA), clientB, address(0), SENDER, ltn(), AMOUNT, PRICE);
    }

    function test_each_side_speaks_for_itself() public {
        bytes memory refusal =
            abi.encodeWithSelector(TPFtTwoCommandOperation.TPFtOperationInvalidCaller.selector, OP, stranger, bankA);
        expectError(refusal);
        vm.prank(stranger);
        op1054.tradeRepo(OP, BANK_A, BANK_B, SENDER, ltn(), AMOUNT, PRICE, RETURN_PRICE, TOMORROW);
        expectError(refusal);
        vm.prank(stranger);
        op1054.tradeRepoIntraday(OP, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE);
        expectError(refusal);
        vm.prank(stranger);
        op1054.tradeRepoOpenReturnPrice(
            OP, bankA, address(tokenA), clientB, address(tokenB), SENDER, ltn(), AMOUNT, PRICE, TOMORROW
        );
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationUnknownInstitution.selector, 5));
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, BANK_A, 5, SENDER, ltn(), AMOUNT, PRICE);
    }

    // The rest of the machine.

    function test_a_command_is_cancelled_by_whoever_gave_it() public {
        forward(SENDER);
        expectError(
            abi.encodeWithSelector(TPFtTwoCommandOperation.TPFtOperationInvalidCaller.selector, OP, bankB, bankA)
        );
        vm.prank(bankB);
        op1054.cancel(OP, "typo");
        vm.expectEmit(address(op1054));
        emit TPFtRepoForwardEvents.RepoOperationCancelEvent(OP, "CAN", "typo", NOW);
        vm.prank(bankA);
        op1054.cancel(OP, "typo");
        (, uint256 dvpId) = op1054.getOperation(OP);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPCancelled.selector, dvpId));
        forward(RECEIVER);
        assertMoved(0, 0, 0);
    }

    function test_nothing_follows_a_settlement() public {
        settleForward();
        (, uint256 dvpId) = op1054.getOperation(OP);
        bytes memory refusal = abi.encodeWithSelector(TPFtDvP.DvPExecuted.selector, dvpId);
        expectError(refusal);
        forward(SENDER);
        expectError(refusal);
        forward(RECEIVER);
        assertMoved(AMOUNT, VALUE, 0);
    }

    function test_a_settlement_that_fails_writes_no_repo() public {
        vm.prank(bankB);
        real.approve(address(dvp), VALUE - 1);
        forward(SENDER);
        expectError(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(dvp), VALUE - 1, VALUE)
        );
        forward(RECEIVER);
        assertTrue(repos.getRepo(OP).status == RepoStatus.None, "no repo");
        assertMoved(0, 0, 0);
    }

    function test_pause_stops_commands_and_defaults_and_not_cancellations() public {
        settleForward();
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP + 1, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE);
        vm.prank(admin);
        op1054.pause();
        bytes memory refusal = abi.encodeWithSelector(Pausable.EnforcedPause.selector);
        expectError(refusal);
        forward(SENDER);
        vm.warp(NOW + 2 days);
        assertRefused(bankA, address(op1054), abi.encodeCall(op1054.setDefault, (OP, "")), refusal);
        vm.prank(bankA);
        op1054.cancel(OP + 1, "");
    }

    // Defaults.

    function test_either_party_names_a_default_once_the_day_is_over() public {
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(NOW);
            vm.prank(bankA);
            op1054.tradeRepoIntraday(OP + i, bankA, bankB, SENDER, ltn(), AMOUNT, PRICE);
            vm.prank(bankB);
            op1054.tradeRepoIntraday(OP + i, bankA, bankB, RECEIVER, ltn(), AMOUNT, PRICE);
            vm.warp(TOMORROW + 3 hours);
            vm.expectEmit(address(op1054));
            emit TPFtRepoForwardEvents.RepoOperationDefaultEvent(OP + i, "no bonds", TOMORROW + 3 hours);
            vm.prank(i == 0 ? bankA : bankB);
            op1054.setDefault(OP + i, "no bonds");
            assertTrue(repos.getRepo(OP + i).status == RepoStatus.Defaulted, "status");
        }
    }

    function test_a_default_is_not_named_before_the_day_is_over_or_by_others_or_twice() public {
        settleForward();
        vm.warp(TOMORROW + 27 hours - 1); // its last second in Brasília
        expectError(
            abi.encodeWithSelector(TPFtOperation1054.TPFtOperation1054NotOverdue.selector, OP, TOMORROW, TOMORROW)
        );
        vm.prank(bankA);
        op1054.setDefault(OP, "");

        vm.warp(TOMORROW + 27 hours);
        address[2] memory others = [stranger, admin];
        for (uint256 i = 0; i < others.length; ++i) {
            expectError(abi.encodeWithSelector(TPFtOperation1054.TPFtOperation1054NotParty.selector, OP, others[i]));
            vm.prank(others[i]);
            op1054.setDefault(OP, "");
        }
        vm.prank(bankA);
        op1054.setDefault(OP, "");
        expectError(abi.encodeWithSelector(TPFtRepoStorage.RepoNotOpen.selector, OP, RepoStatus.Defaulted));
        vm.prank(bankB);
        op1054.setDefault(OP, "");
        expectError(abi.encodeWithSelector(TPFtRepoStorage.RepoNotOpen.selector, OP + 1, RepoStatus.None));
        vm.prank(bankB);
        op1054.setDefault(OP + 1, "");
    }

    function testFuzz_both_values_are_price_times_amount_rounded_down(uint256 amount, uint256 price, uint256 later)
        public
    {
        amount = bound(amount, 1, BONDS);
        price = bound(price, 1e8, 999e8);
        later = bound(later, 1e8, 999e8);
        vm.prank(bankA);
        op1054.tradeRepo(OP, bankA, bankB, SENDER, ltn(), amount, price, later, TOMORROW);
        vm.expectEmit(address(op1054));
        emit TPFtRepoForwardEvents.RepoOperationTradeForwardEvent(
            OP,
            bankA,
            bankB,
            ltn(),
            amount,
            price,
            amount * price / 1e8,
            later,
            amount * later / 1e8,
            "ATU",
            TOMORROW,
            NOW
        );
        vm.prank(bankB);
        op1054.tradeRepo(OP, bankA, bankB, RECEIVER, ltn(), amount, price, later, TOMORROW);
        assertMoved(amount, amount * price / 1e8, 0);
    }

    function test_the_operation_names_all_its_partners() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "dateTimeOracle"));
        new TPFtOperation1054(dvp, tpft, ids, defaults, DateTimeOracle(address(0)), repos, admin);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "repoStorage"));
        new TPFtOperation1054(dvp, tpft, ids, defaults, oracle, TPFtRepoStorage(address(0)), admin);
        assertFalse(op1054.hasRole(bytes32(0), address(this)), "the deployer has nothing");
    }
}
