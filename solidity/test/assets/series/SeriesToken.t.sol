// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {IERC7943MultiToken} from "../../../src/assets/series/IERC7943MultiToken.sol";
import {SeriesToken} from "../../../src/assets/series/SeriesToken.sol";
import {ContractWallet} from "../settlement/Wallets.sol";
import {ListedWallets, SeriesSuite} from "./SeriesSuite.sol";

contract SeriesTokenTest is SeriesSuite {
    function unknown(uint256 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(SeriesToken.SeriesUnknown.selector, id);
    }

    function cannotReceive(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IERC7943MultiToken.ERC7943CannotReceive.selector, account);
    }

    function frozenBalance(address account, uint256 amount, uint256 unfrozen) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IERC7943MultiToken.ERC7943InsufficientUnfrozenBalance.selector, account, BOND, amount, unfrozen
        );
    }

    function tooLittle(address account, uint256 balance, uint256 needed) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, account, balance, needed, BOND);
    }

    // Series.

    function test_a_series_is_created_with_cap_and_maturity() public {
        vm.expectEmit(address(token));
        emit SeriesToken.SeriesCreated(7, 500, MATURITY, keccak256("paper"));
        vm.prank(issuer);
        token.createSeries(7, 500, MATURITY, keccak256("paper"));
        SeriesToken.Series memory series = token.getSeries(7);
        assertEq(series.supply, 0, "supply");
        assertEq(series.cap, 500, "cap");
        assertEq(series.maturity, MATURITY, "maturity");
        assertTrue(series.isKnown, "known");
        assertEq(token.getSeries(OPEN).cap, token.SUPPLY_MAX(), "no cap of its own");
        assertFalse(token.getSeries(8).isKnown, "unknown");
    }

    function test_a_series_is_created_once_and_within_limits() public {
        bytes memory call = abi.encodeCall(token.createSeries, (BOND, 1, 0, 0));
        refused(issuer, call, abi.encodeWithSelector(SeriesToken.SeriesExists.selector, BOND));
        uint256 tooMuch = uint256(type(uint104).max) + 1;
        call = abi.encodeCall(token.createSeries, (7, tooMuch, 0, 0));
        refused(issuer, call, abi.encodeWithSelector(SeriesToken.SeriesCapInvalid.selector, tooMuch, type(uint104).max));
        uint256[3] memory maturities = [NOW, 1, uint256(type(uint40).max) + 1];
        for (uint256 i = 0; i < 3; ++i) {
            refused(
                issuer,
                abi.encodeCall(token.createSeries, (7, 0, maturities[i], 0)),
                abi.encodeWithSelector(SeriesToken.SeriesMaturityInvalid.selector, maturities[i], NOW)
            );
        }
    }

    function test_no_more_is_issued_than_the_cap() public {
        vm.prank(issuer);
        token.mint(alice, BOND, CAP - 2 * HELD);
        assertEq(token.totalSupply(BOND), CAP, "all");
        refused(
            issuer,
            abi.encodeCall(token.mint, (alice, BOND, 1)),
            abi.encodeWithSelector(SeriesToken.SeriesCapExceeded.selector, BOND, CAP, 1, CAP)
        );
        vm.prank(issuer);
        token.mint(alice, OPEN, type(uint104).max);
        refused(
            issuer,
            abi.encodeCall(token.mint, (alice, OPEN, 1)),
            abi.encodeWithSelector(
                SeriesToken.SeriesCapExceeded.selector, OPEN, type(uint104).max, 1, type(uint104).max
            )
        );
        refused(
            issuer,
            abi.encodeCall(token.mint, (bob, BOND, type(uint256).max)),
            abi.encodeWithSelector(SeriesToken.SeriesCapExceeded.selector, BOND, CAP, type(uint256).max, CAP)
        );
    }

    function test_only_known_series_are_issued_and_only_to_verified_holders() public {
        refused(issuer, abi.encodeCall(token.mint, (alice, 8, 1)), unknown(8));
        refused(issuer, abi.encodeCall(token.mint, (stranger, BOND, 1)), cannotReceive(stranger));
        refused(
            issuer,
            abi.encodeCall(token.mint, (address(0), BOND, 1)),
            abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0))
        );
    }

    // Transfers.

    function test_units_move_between_verified_holders() public {
        vm.expectEmit(address(token));
        emit IERC1155.TransferSingle(alice, alice, bob, BOND, 10);
        send(alice, bob, 10);
        assertHeld(HELD - 10, HELD + 10);
        assertEq(token.totalSupply(BOND), 2 * HELD, "supply");
    }

    function test_units_move_in_batches_all_or_none() public {
        vm.prank(issuer);
        token.mint(alice, OPEN, 5);
        uint256[] memory ids = new uint256[](2);
        uint256[] memory amounts = new uint256[](2);
        (ids[0], ids[1], amounts[0], amounts[1]) = (BOND, OPEN, 10, 5);
        vm.expectEmit(address(token));
        emit IERC1155.TransferBatch(alice, alice, bob, ids, amounts);
        vm.prank(alice);
        token.safeBatchTransferFrom(alice, bob, ids, amounts, "");
        assertHeld(HELD - 10, HELD + 10);
        assertEq(token.balanceOf(bob, OPEN), 5, "the other series");

        (ids[1], amounts[0], amounts[1]) = (BOND, HELD - 10, 1);
        refused(
            alice, abi.encodeCall(token.safeBatchTransferFrom, (alice, bob, ids, amounts, "")), tooLittle(alice, 0, 1)
        );
        assertHeld(HELD - 10, HELD + 10);
        refused(
            alice,
            abi.encodeCall(token.safeBatchTransferFrom, (alice, bob, ids, new uint256[](1), "")),
            abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidArrayLength.selector, 2, 1)
        );
    }

    function test_who_is_not_verified_does_not_receive_but_may_leave() public {
        refused(alice, sending(alice, stranger, BOND, 1), cannotReceive(stranger));
        assertFalse(token.canReceive(stranger), "cannot receive");
        assertFalse(token.canTransfer(alice, stranger, BOND, 1), "cannot transfer");
        registry.list(alice, false);
        assertTrue(token.canSend(alice), "may send");
        send(alice, bob, HELD);
        assertHeld(0, 2 * HELD);
        refused(bob, sending(bob, alice, BOND, 1), cannotReceive(alice));
    }

    function test_a_registry_that_does_not_answer_well_verifies_nobody() public {
        for (uint256 i = 1; i < 4; ++i) {
            registry.setMood(ListedWallets.Mood(i));
            assertFalse(token.canReceive(bob), "not verified");
            assertFalse(token.canTransfer(alice, bob, BOND, 1), "no transfer");
            refused(alice, sending(alice, bob, BOND, 1), cannotReceive(bob));
        }
    }

    function test_without_a_registry_everybody_receives() public {
        token = deploy(address(0));
        assertTrue(token.canReceive(stranger), "everybody");
        assertFalse(token.canReceive(address(0)), "but nobody");
        assertFalse(token.canSend(address(0)), "nobody sends");
        vm.startPrank(issuer);
        token.createSeries(BOND, 0, 0, 0);
        token.mint(stranger, BOND, 1);
        vm.stopPrank();
        assertFalse(token.canTransfer(address(0), stranger, BOND, 0), "from nobody");
        assertTrue(token.canTransfer(stranger, alice, BOND, 1), "to somebody");
    }

    function test_a_registry_has_code() public {
        expectError(abi.encodeWithSelector(SeriesToken.SeriesRegistryInvalid.selector, stranger));
        this.deployFor(stranger);
    }

    function deployFor(address registry_) external {
        deploy(registry_);
    }

    function test_more_than_the_balance_does_not_leave() public {
        refused(alice, sending(alice, bob, BOND, HELD + 1), tooLittle(alice, HELD, HELD + 1));
        assertFalse(token.canTransfer(alice, bob, BOND, HELD + 1), "cannot");
    }

    function test_from_its_maturity_on_a_series_is_redeemed_only() public {
        vm.warp(MATURITY - 1);
        assertTrue(token.canTransfer(alice, bob, BOND, 1), "the second before");
        send(alice, bob, 1);
        vm.warp(MATURITY);
        bytes memory matured = abi.encodeWithSelector(SeriesToken.SeriesMatured.selector, BOND, MATURITY);
        assertFalse(token.canTransfer(alice, bob, BOND, 1), "matured");
        refused(alice, sending(alice, bob, BOND, 1), matured);
        refused(issuer, abi.encodeCall(token.mint, (alice, BOND, 1)), matured);
        vm.prank(issuer);
        token.redeem(alice, BOND, HELD - 1);
        assertHeld(0, HELD + 1);
        assertEq(token.totalSupply(BOND), HELD + 1, "supply");
    }

    function test_nobody_s_units_are_redeemed_before_the_maturity_without_his_word() public {
        refused(
            issuer,
            abi.encodeCall(token.redeem, (alice, BOND, 1)),
            abi.encodeWithSelector(SeriesToken.SeriesRedemptionNotApproved.selector, BOND, alice, issuer, MATURITY)
        );
        vm.prank(alice);
        token.setApprovalForAll(issuer, true);
        vm.prank(issuer);
        token.redeem(alice, BOND, 1);
        registry.list(issuer, true);
        vm.startPrank(issuer);
        token.mint(issuer, OPEN, 5);
        token.redeem(issuer, OPEN, 5);
        vm.stopPrank();
        assertEq(token.totalSupply(OPEN), 0, "its own");
        assertHeld(HELD - 1, HELD);
    }

    function test_pause_stops_all_but_forced_transfers() public {
        vm.prank(agent);
        token.pause();
        bytes memory paused = abi.encodeWithSelector(Pausable.EnforcedPause.selector);
        assertFalse(token.canTransfer(alice, bob, BOND, 1), "paused");
        refused(alice, sending(alice, bob, BOND, 1), paused);
        refused(issuer, abi.encodeCall(token.mint, (alice, BOND, 1)), paused);
        vm.prank(alice);
        token.setApprovalForAll(issuer, true);
        refused(issuer, abi.encodeCall(token.redeem, (alice, BOND, 1)), paused);
        refused(agent, abi.encodeCall(token.pause, ()), paused);
        vm.startPrank(agent);
        token.forcedTransfer(alice, bob, BOND, 1);
        token.unpause();
        vm.stopPrank();
        send(alice, bob, 1);
        assertHeld(HELD - 2, HELD + 2);
        refused(agent, abi.encodeCall(token.unpause, ()), abi.encodeWithSelector(Pausable.ExpectedPause.selector));
    }

    // Freeze.

    function test_frozen_units_remain() public {
        vm.expectEmit(address(token));
        emit IERC7943MultiToken.Frozen(alice, BOND, 900);
        freeze(alice, 900);
        assertEq(token.getFrozenTokens(alice, BOND), 900, "frozen");
        assertTrue(token.canTransfer(alice, bob, BOND, 100), "the rest");
        assertFalse(token.canTransfer(alice, bob, BOND, 101), "no more");
        refused(alice, sending(alice, bob, BOND, 101), frozenBalance(alice, 101, 100));
        refused(alice, sending(alice, bob, BOND, HELD + 1), tooLittle(alice, HELD, HELD + 1));
        send(alice, bob, 100);
        vm.prank(alice);
        token.setApprovalForAll(issuer, true);
        refused(issuer, abi.encodeCall(token.redeem, (alice, BOND, 1)), frozenBalance(alice, 1, 0));
        freeze(alice, 0);
        send(alice, bob, 900);
        assertHeld(0, 2 * HELD);
    }

    function test_more_may_be_frozen_than_is_held() public {
        freeze(alice, type(uint128).max);
        assertFalse(token.canTransfer(alice, bob, BOND, 0), "nothing");
        refused(alice, sending(alice, bob, BOND, 0), frozenBalance(alice, 0, 0));
        send(bob, alice, 5);
        refused(alice, sending(alice, bob, BOND, 5), frozenBalance(alice, 5, 0));
        uint256 tooMuch = uint256(type(uint128).max) + 1;
        refused(
            agent,
            abi.encodeCall(token.setFrozenTokens, (alice, BOND, tooMuch)),
            abi.encodeWithSelector(SeriesToken.SeriesFrozenTooLarge.selector, tooMuch, type(uint128).max)
        );
    }

    function test_a_freeze_is_of_one_series() public {
        freeze(alice, HELD);
        vm.startPrank(issuer);
        token.mint(alice, OPEN, 5);
        vm.stopPrank();
        vm.prank(alice);
        token.safeTransferFrom(alice, bob, OPEN, 5, "");
        assertEq(token.balanceOf(bob, OPEN), 5, "free");
    }

    // Forced transfers.

    function test_a_forced_transfer_releases_what_it_needs_first() public {
        freeze(alice, 900);
        vm.expectEmit(address(token));
        emit IERC7943MultiToken.Frozen(alice, BOND, 600);
        vm.expectEmit(address(token));
        emit IERC1155.TransferSingle(agent, alice, bob, BOND, 400);
        vm.expectEmit(address(token));
        emit IERC7943MultiToken.ForcedTransfer(alice, bob, BOND, 400);
        vm.prank(agent);
        assertTrue(token.forcedTransfer(alice, bob, BOND, 400), "done");
        assertHeld(600, 1400);
        assertEq(token.getFrozenTokens(alice, BOND), 600, "still frozen");
    }

    function test_a_forced_transfer_of_free_units_keeps_the_freeze() public {
        freeze(alice, 900);
        vm.prank(agent);
        token.forcedTransfer(alice, bob, BOND, 100);
        assertEq(token.getFrozenTokens(alice, BOND), 900, "as before");
    }

    function test_a_forced_transfer_is_possible_after_the_maturity() public {
        vm.warp(MATURITY);
        vm.prank(agent);
        token.forcedTransfer(alice, bob, BOND, HELD);
        assertHeld(0, 2 * HELD);
    }

    function test_a_forced_transfer_to_oneself_changes_nothing() public {
        freeze(alice, HELD);
        vm.prank(agent);
        token.forcedTransfer(alice, alice, BOND, 10);
        assertHeld(HELD, HELD);
    }

    function test_a_forced_transfer_has_a_verified_receiver_and_units() public {
        refused(agent, abi.encodeCall(token.forcedTransfer, (alice, stranger, BOND, 1)), cannotReceive(stranger));
        refused(agent, abi.encodeCall(token.forcedTransfer, (alice, address(0), BOND, 1)), cannotReceive(address(0)));
        refused(
            agent, abi.encodeCall(token.forcedTransfer, (alice, bob, BOND, HELD + 1)), tooLittle(alice, HELD, HELD + 1)
        );
        refused(agent, abi.encodeCall(token.forcedTransfer, (alice, bob, 8, 0)), unknown(8));
    }

    // Roles.

    function test_no_role_does_another_s_work() public {
        bytes32 issuing = token.ISSUER_ROLE();
        bytes32 enforcing = token.AGENT_ROLE();
        address[4] memory callers = [admin, agent, alice, issuer];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory missing = missingRole(callers[i], issuing);
            refused(callers[i], abi.encodeCall(token.createSeries, (9, 0, 0, 0)), missing);
            refused(callers[i], abi.encodeCall(token.mint, (alice, BOND, 1)), missing);
            refused(callers[i], abi.encodeCall(token.redeem, (alice, BOND, 1)), missing);
        }
        callers[1] = issuer;
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory missing = missingRole(callers[i], enforcing);
            refused(callers[i], abi.encodeCall(token.pause, ()), missing);
            refused(callers[i], abi.encodeCall(token.unpause, ()), missing);
            refused(callers[i], abi.encodeCall(token.setFrozenTokens, (alice, BOND, 1)), missing);
            refused(callers[i], abi.encodeCall(token.forcedTransfer, (alice, bob, BOND, 1)), missing);
        }
    }

    // Receivers.

    function test_a_receiver_is_asked_by_every_way_and_cannot_pass_on_what_is_frozen() public {
        ContractWallet account = new ContractWallet(alice);
        registry.list(address(account), true);
        account.refuse(true);
        bytes memory notNow = abi.encodeWithSignature("Error(string)", "not now");
        refused(alice, sending(alice, address(account), BOND, 1), notNow);
        refused(agent, abi.encodeCall(token.forcedTransfer, (alice, address(account), BOND, 1)), notNow);
        refused(issuer, abi.encodeCall(token.mint, (address(account), BOND, 1)), notNow);

        account.refuse(false);
        freeze(address(account), 5);
        account.plan(address(token), sending(address(account), bob, BOND, 1));
        vm.prank(agent);
        token.forcedTransfer(alice, address(account), BOND, 5);
        assertFalse(account.wasAnswered(), "frozen on arrival");
        assertHeld(HELD - 5, HELD);
    }

    function test_the_contract_says_what_it_is() public view {
        assertTrue(token.supportsInterface(0x41c4fbad), "ERC-7943 of tokens with ids");
        assertEq(type(IERC7943MultiToken).interfaceId, bytes4(0x41c4fbad), "by its text");
        assertTrue(token.supportsInterface(0xd9b67a26), "ERC-1155");
        assertTrue(token.supportsInterface(0x0e89341c), "ERC-1155 metadata");
        assertTrue(token.supportsInterface(0x7965db0b), "AccessControl");
        assertFalse(token.supportsInterface(0xffffffff), "no interface");
    }

    function testFuzz_a_transfer_succeeds_exactly_if_the_token_says_so(
        uint256 amount,
        uint256 frozen,
        uint256 time,
        bool isPaused,
        bool isVerified,
        bool isKnown
    ) public {
        amount = bound(amount, 0, 2 * HELD);
        freeze(alice, bound(frozen, 0, 2 * HELD));
        registry.list(bob, isVerified);
        if (isPaused) {
            vm.prank(agent);
            token.pause();
        }
        vm.warp(bound(time, MATURITY - 3, MATURITY + 3));
        uint256 id = isKnown ? BOND : 8;
        bool isAllowed = token.canTransfer(alice, bob, id, amount);
        vm.prank(alice);
        (bool answered,) = address(token).call(sending(alice, bob, id, amount));
        assertTrue(answered == isAllowed, "as it says");
        assertHeld(answered ? HELD - amount : HELD, answered ? HELD + amount : HELD);
    }
}
