// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {AgreedTerms} from "../../../src/assets/actions/AgreedTerms.sol";
import {HolderSettlement} from "../../../src/assets/actions/HolderSettlement.sol";
import {RecordDateTerms} from "../../../src/assets/actions/RecordDateTerms.sol";
import {TokenDuties} from "../../../src/assets/actions/TokenDuties.sol";
import {UnitSplit, UnitSplitStatus, UnitSplitTerms} from "../../../src/assets/actions/UnitSplitTypes.sol";
import {UnitSplits} from "../../../src/assets/actions/UnitSplits.sol";
import {RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {LienTerms} from "../../../src/assets/settlement/LienTypes.sol";
import {Liens} from "../../../src/assets/settlement/Liens.sol";
import {TokenStandard} from "../../../src/assets/settlement/TokenStandard.sol";
import {IRecordDateBalances} from "../../../src/assets/token/IRecordDateBalances.sol";
import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {TokenErrors} from "../../../src/assets/token/TokenErrors.sol";
import {SplitSuite} from "./SplitSuite.sol";

contract UnitSplitsTest is SplitSuite {
    function refused(address caller, bytes memory call, bytes memory revertData) private {
        assertRefused(caller, address(splits), call, revertData);
    }

    // The way of a split.

    function test_two_units_become_five_and_fractions_are_issued() public {
        uint256 splitId = announceSplit(ratio(2, 5));
        vm.warp(RECORD_DATE + 1);
        pause();
        vm.expectEmit(address(splits));
        emit UnitSplits.UnitSplitStarted(splitId, SUPPLY);
        start(splitId);
        vm.expectEmit(address(splits));
        emit UnitSplits.UnitSplitSettled(splitId, alice, alice, ALICE_UNITS, 2_500_000);
        vm.prank(stranger);
        splits.settle(splitId, alice);
        assertEq(splits.settleMany(splitId, list(bob, carol, carol)), 2, "once each");
        splitThrough(splitId, dave, DEPOT_UNITS);
        assertEq(token.balanceOf(alice), 2_500_000, "alice");
        assertEq(token.balanceOf(bob), 1_250_000, "bob");
        assertEq(token.balanceOf(carol), 17, "rounded down");
        assertEq(token.balanceOf(dave), 45_001, "the owner has what is new");
        assertEq(token.balanceOf(depository), DEPOT_UNITS, "the custodian keeps what it had");
        uint256 whole = SUPPLY * 5 / 2;
        uint256 fractions = whole - 2_500_000 - 1_250_000 - 17 - 75_002;
        assertEq(fractions, 1, "two halves");
        vm.expectEmit(address(splits));
        emit UnitSplits.UnitSplitFinished(splitId, dave, fractions);
        finish(splitId);
        assertEq(token.balanceOf(dave), 45_002, "fractions");
        assertEq(token.totalSupply(), whole, "the whole is split to the last unit");
    }

    function test_three_units_become_one() public {
        uint256 splitId = bringToStart(ratio(3, 1));
        splits.settleMany(splitId, list(alice, bob, carol));
        splitThrough(splitId, carol, DEPOT_UNITS);
        assertEq(token.balanceOf(alice), 333_333, "alice");
        assertEq(token.balanceOf(bob), 166_666, "bob");
        assertEq(token.balanceOf(carol), 2, "carol");
        assertEq(token.balanceOf(depository), 10_000, "burnt where they lay");
        finish(splitId);
        assertEq(token.balanceOf(dave), SUPPLY / 3 - 333_333 - 166_666 - 2 - 10_000, "fractions");
        assertEq(token.totalSupply(), SUPPLY / 3, "the whole");
    }

    function test_nobody_is_split_twice() public {
        uint256 splitId = bringToStart(ratio(1, 2));
        splits.settle(splitId, alice);
        bytes memory refusal =
            abi.encodeWithSelector(HolderSettlement.ActionNothingDue.selector, splitId, alice, ALICE_UNITS);
        refused(alice, abi.encodeCall(splits.settle, (splitId, alice)), refusal);
        splits.settleMany(splitId, list(alice, alice));
        assertEq(token.balanceOf(alice), 2 * ALICE_UNITS, "once");
    }

    function test_what_was_recovered_is_split_where_it_is() public {
        uint256 splitId = bringToStart(ratio(2, 1));
        address found = wallet("alice's new wallet");
        replaceWallet(alice, found);
        vm.prank(agent);
        token.recoveryAddress(alice, found, identityOf(1));
        vm.expectEmit(address(splits));
        emit UnitSplits.UnitSplitSettled(splitId, alice, found, ALICE_UNITS, ALICE_UNITS / 2);
        splits.settle(splitId, alice);
        assertEq(token.balanceOf(found), ALICE_UNITS / 2, "burnt at the new wallet");
    }

    function test_a_split_without_fractions_issues_none() public {
        uint256 splitId = bringToStart(ratio(1, 3));
        splits.settleMany(splitId, list(alice, bob, carol));
        splitThrough(splitId, dave, DEPOT_UNITS);
        vm.expectEmit(address(splits));
        emit UnitSplits.UnitSplitFinished(splitId, dave, 0);
        finish(splitId);
        assertEq(token.totalSupply(), 3 * SUPPLY, "the whole");
        UnitSplit memory split = splits.getSplit(splitId);
        assertEq(split.unitsSettled, SUPPLY, "all are settled");
        assertEq(split.unitsResulting, 3 * SUPPLY, "into the whole");
    }

    // Holders who wait.

    function test_a_holder_who_cannot_receive_waits_and_the_others_do_not() public {
        uint256 splitId = bringToStart(ratio(1, 2));
        vm.prank(agent);
        token.setAddressFrozen(alice, true);
        bytes memory refusal = abi.encodeWithSelector(TokenErrors.TokenWalletFrozen.selector, alice);
        vm.expectEmit(address(splits));
        emit HolderSettlement.ActionEntrySkipped(splitId, alice, refusal);
        assertEq(splits.settleMany(splitId, list(alice, bob, carol)), 2, "the others");
        splitThrough(splitId, dave, DEPOT_UNITS);
        refused(
            issuer,
            abi.encodeCall(splits.finish, (splitId)),
            abi.encodeWithSelector(UnitSplits.UnitSplitUnsettled.selector, splitId, ALICE_UNITS)
        );
        vm.prank(agent);
        token.setAddressFrozen(alice, false);
        splits.settle(splitId, alice);
        finish(splitId);
        assertEq(token.totalSupply(), 2 * SUPPLY, "all");
    }

    // What binds units in old ones.

    function test_held_units_are_split_once_released() public {
        vm.prank(alice);
        bytes32 hold = token.createHold("leg", bob, 40, notary, uint48(NOW + 300 days));
        uint256 splitId = bringToStart(ratio(1, 2));
        refused(alice, abi.encodeCall(splits.settle, (splitId, alice)), bound_(splitId, alice, 0, 40));
        vm.prank(notary);
        token.releaseHold(hold);
        splits.settle(splitId, alice);
        assertEq(token.balanceOf(alice), 2 * ALICE_UNITS, "split");
    }

    function test_frozen_units_are_split_once_freed() public {
        uint256 splitId = bringToStart(ratio(2, 1));
        vm.prank(agent);
        token.setFrozenTokens(alice, 400_000);
        bytes memory refusal = bound_(splitId, alice, 400_000, 0);
        refused(alice, abi.encodeCall(splits.settle, (splitId, alice)), refusal);
        vm.expectEmit(address(splits));
        emit HolderSettlement.ActionEntrySkipped(splitId, alice, refusal);
        assertEq(splits.settleMany(splitId, list(alice, bob)), 1, "the other");
        vm.prank(agent);
        token.setFrozenTokens(alice, 0);
        splits.settle(splitId, alice);
        vm.prank(agent);
        token.setFrozenTokens(alice, 200_000);
        assertEq(token.balanceOf(alice), ALICE_UNITS / 2, "split");
    }

    function test_what_binds_the_wallet_that_took_the_place_counts_too() public {
        vm.prank(agent);
        token.setFrozenTokens(alice, 10);
        uint256 splitId = bringToStart(ratio(2, 1));
        address found = wallet("alice's new wallet");
        replaceWallet(alice, found);
        vm.prank(agent);
        token.recoveryAddress(alice, found, identityOf(1));
        refused(alice, abi.encodeCall(splits.settle, (splitId, alice)), bound_(splitId, found, 10, 0));
    }

    function test_pledged_units_are_split_once_released_or_for_who_is_named() public {
        Liens liens = new Liens();
        enter(address(liens), 6);
        setInfrastructure(address(liens), true);
        vm.startPrank(alice);
        token.approve(address(liens), 100);
        liens.pledge(LienTerms(TokenStandard.ERC20, address(token), 0, 100, bob, notary, 0, 0, "loan"));
        vm.stopPrank();
        uint256 splitId = bringToStart(ratio(1, 2));
        vm.startPrank(agent);
        splits.nameOwner(splitId, address(liens), alice, 100);
        splits.nameOwner(splitId, address(liens), bob, 60);
        vm.stopPrank();
        address custodian = address(liens);
        refused(
            issuer,
            abi.encodeCall(splits.settleThrough, (splitId, custodian, alice, 100)),
            abi.encodeWithSelector(UnitSplits.UnitSplitUnitsPledged.selector, splitId, custodian, alice, 100)
        );
        vm.prank(issuer);
        splits.settleThrough(splitId, custodian, bob, 60);
        assertEq(token.balanceOf(bob), BOB_UNITS + 60, "more security for the creditor");
    }

    function test_a_split_does_not_start_while_issues_are_recorded() public {
        uint256 splitId = announceSplit(ratio(1, 2));
        vm.warp(RECORD_DATE + 1);
        pause();
        bytes memory refusal =
            abi.encodeWithSelector(UnitSplits.UnitSplitIssuesRecorded.selector, splitId, address(rules));
        setRules(one(rule(RuleKind.HoldingPeriod, 1 days)));
        refused(issuer, abi.encodeCall(splits.start, (splitId)), refusal);
        setRules(one(rule(RuleKind.OfferingCap, 1e6)));
        refused(issuer, abi.encodeCall(splits.start, (splitId)), refusal);
        setRules(one(rule(RuleKind.BalanceMax, 1e9)));
        start(splitId);
    }

    function bound_(uint256 splitId, address account, uint256 frozen, uint256 held)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(UnitSplits.UnitSplitUnitsBound.selector, splitId, account, frozen, held);
    }

    function test_units_are_split_only_while_the_token_is_paused() public {
        uint256 splitId = announceSplit(ratio(1, 2));
        vm.warp(RECORD_DATE + 1);
        bytes memory refusal = abi.encodeWithSelector(UnitSplits.UnitSplitTokenNotPaused.selector, splitId);
        refused(issuer, abi.encodeCall(splits.start, (splitId)), refusal);
        pause();
        start(splitId);
        unpause();
        refused(alice, abi.encodeCall(splits.settle, (splitId, alice)), refusal);
        pause();
        splits.settle(splitId, alice);
        assertEq(token.balanceOf(alice), 2 * ALICE_UNITS, "split");
    }

    function test_a_supply_that_moved_since_the_record_date_is_not_split() public {
        uint256 splitId = announceSplit(ratio(1, 2));
        vm.warp(RECORD_DATE + 1);
        pause();
        vm.prank(issuer);
        token.mint(alice, 1);
        refused(
            issuer,
            abi.encodeCall(splits.start, (splitId)),
            abi.encodeWithSelector(UnitSplits.UnitSplitSupplyMoved.selector, splitId, SUPPLY + 1, SUPPLY)
        );
        vm.prank(issuer);
        token.burn(alice, 1);
        start(splitId);
        assertEq(uint256(splits.getSplit(splitId).status), uint256(UnitSplitStatus.Started), "started");
    }

    function test_a_split_that_could_not_end_does_not_start() public {
        uint256 max = type(uint104).max;
        vm.prank(issuer);
        token.mint(alice, max / 2 - SUPPLY);
        uint256 fits = announceSplit(ratio(1, 2));
        uint256 large = announceSplit(ratio(1, 3));
        vm.warp(RECORD_DATE + 1);
        pause();
        refused(
            issuer,
            abi.encodeCall(splits.start, (large)),
            abi.encodeWithSelector(UnitSplits.UnitSplitSupplyTooLarge.selector, large, max / 2 * 3, max)
        );
        start(fits);
        assertEq(splits.getSplit(fits).unitsTotal, max / 2, "the largest that fits");
    }

    // Order of steps.

    function test_steps_are_taken_in_their_order() public {
        uint256 splitId = announceSplit(ratio(1, 2));
        pause();
        refused(
            issuer,
            abi.encodeCall(splits.start, (splitId)),
            abi.encodeWithSelector(IRecordDateBalances.RecordDateNotOver.selector, RECORD_DATE, NOW)
        );
        vm.warp(RECORD_DATE);
        refused(
            issuer,
            abi.encodeCall(splits.start, (splitId)),
            abi.encodeWithSelector(IRecordDateBalances.RecordDateNotOver.selector, RECORD_DATE, RECORD_DATE)
        );
        vm.warp(RECORD_DATE + 1);
        bytes memory refusal = splitStatusError(splitId, UnitSplitStatus.Approved);
        refused(alice, abi.encodeCall(splits.settle, (splitId, alice)), refusal);
        refused(issuer, abi.encodeCall(splits.finish, (splitId)), refusal);
        start(splitId);
        refusal = splitStatusError(splitId, UnitSplitStatus.Started);
        refused(issuer, abi.encodeCall(splits.start, (splitId)), refusal);
        refused(issuer, abi.encodeCall(splits.cancel, (splitId)), refusal);
        refused(treasurer, abi.encodeCall(splits.approve, (splitId, bytes32(0))), refusal);
        splits.settleMany(splitId, list(alice, bob, carol));
        splitThrough(splitId, dave, DEPOT_UNITS);
        finish(splitId);
        refused(issuer, abi.encodeCall(splits.finish, (splitId)), splitStatusError(splitId, UnitSplitStatus.Finished));
    }

    function test_a_split_is_withdrawn_until_its_record_date_is_over() public {
        uint256 early = announceSplit(ratio(1, 2));
        uint256 late = announceSplit(ratio(1, 2));
        uint256 void = proposeSplit(ratio(1, 2));
        vm.warp(RECORD_DATE);
        vm.expectEmit(address(splits));
        emit UnitSplits.UnitSplitCancelled(early);
        cancel(early);
        vm.warp(RECORD_DATE + 1);
        refused(
            issuer,
            abi.encodeCall(splits.cancel, (late)),
            abi.encodeWithSelector(RecordDateTerms.TermsRecordDateOver.selector, late, RECORD_DATE, RECORD_DATE + 1)
        );
        cancel(void);
        pause();
        refused(issuer, abi.encodeCall(splits.start, (early)), splitStatusError(early, UnitSplitStatus.Cancelled));
        refused(issuer, abi.encodeCall(splits.cancel, (early)), splitStatusError(early, UnitSplitStatus.Cancelled));
    }

    function test_a_split_whose_record_date_was_withdrawn_can_be_withdrawn_later() public {
        uint256 splitId = announceSplit(ratio(1, 2));
        vm.prank(treasurer);
        token.cancelRecordDate(RECORD_DATE);
        vm.warp(RECORD_DATE + 1);
        cancel(splitId);
        assertEq(uint256(splits.getSplit(splitId).status), uint256(UnitSplitStatus.Cancelled), "withdrawn");
    }

    function cancel(uint256 splitId) private {
        vm.prank(issuer);
        splits.cancel(splitId);
    }

    function test_there_is_no_split_that_was_not_announced() public {
        bytes memory refusal = splitStatusError(1, UnitSplitStatus.None);
        refused(issuer, abi.encodeCall(splits.start, (1)), refusal);
        refused(issuer, abi.encodeCall(splits.cancel, (1)), refusal);
        refused(issuer, abi.encodeCall(splits.finish, (1)), refusal);
        refused(treasurer, abi.encodeCall(splits.approve, (1, bytes32(0))), refusal);
        refused(alice, abi.encodeCall(splits.settle, (1, alice)), refusal);
    }

    // Terms and duties.

    function test_terms_that_change_nothing_are_refused() public {
        assertTermsRefused(0, 1, dave);
        assertTermsRefused(1, 0, dave);
        assertTermsRefused(7, 7, dave);
        assertTermsRefused(1, 2, address(0));
        UnitSplitTerms memory terms = ratio(1, 2);
        terms.recordDate = RECORD_DATE + 1;
        refused(
            issuer,
            abi.encodeCall(splits.announce, (terms)),
            abi.encodeWithSelector(RecordDateTerms.TermsRecordDateInvalid.selector, RECORD_DATE + 1, NOW)
        );
        vm.warp(RECORD_DATE);
        vm.expectEmit(address(splits));
        emit UnitSplits.UnitSplitAnnounced(1, RECORD_DATE, ratio(1, 2));
        assertEq(proposeSplit(ratio(1, 2)), 1, "in its last second");
        vm.warp(RECORD_DATE + 1);
        refused(
            issuer,
            abi.encodeCall(splits.announce, (ratio(1, 2))),
            abi.encodeWithSelector(RecordDateTerms.TermsRecordDateInvalid.selector, RECORD_DATE, RECORD_DATE + 1)
        );
        assertEq(splits.splitCount(), 1, "one");
    }

    function assertTermsRefused(uint48 unitsBefore, uint48 unitsAfter, address fractionsAccount) private {
        UnitSplitTerms memory terms = ratio(unitsBefore, unitsAfter);
        terms.fractionsAccount = fractionsAccount;
        refused(
            issuer,
            abi.encodeCall(splits.announce, (terms)),
            abi.encodeWithSelector(UnitSplits.UnitSplitTermsInvalid.selector, unitsBefore, unitsAfter, fractionsAccount)
        );
    }

    function test_issuer_and_treasury_agree() public {
        UnitSplitTerms memory terms = ratio(1, 2);
        bytes32 termsHash = keccak256(abi.encode(terms));
        uint256 splitId = proposeSplit(terms);
        bytes memory approval = abi.encodeCall(splits.approve, (splitId, termsHash));
        refused(
            treasurer,
            abi.encodeCall(splits.approve, (splitId, ~termsHash)),
            abi.encodeWithSelector(AgreedTerms.TermsDiffer.selector, splitId, ~termsHash, termsHash)
        );
        giveRole(Duties.TREASURY, issuer);
        refused(issuer, approval, abi.encodeWithSelector(AgreedTerms.TermsApprovedByProposer.selector, splitId, issuer));
        vm.warp(RECORD_DATE + 1);
        refused(
            treasurer,
            approval,
            abi.encodeWithSelector(RecordDateTerms.TermsRecordDateOver.selector, splitId, RECORD_DATE, RECORD_DATE + 1)
        );
        vm.warp(RECORD_DATE);
        vm.expectEmit(address(splits));
        emit AgreedTerms.TermsAgreed(splitId, issuer, treasurer, termsHash);
        vm.prank(treasurer);
        splits.approve(splitId, termsHash);
    }

    function test_only_who_is_in_duty_splits() public {
        uint256 splitId = announceSplit(ratio(1, 2));
        bytes[5] memory calls = [
            abi.encodeCall(splits.announce, (ratio(1, 2))),
            abi.encodeCall(splits.cancel, (splitId)),
            abi.encodeCall(splits.start, (splitId)),
            abi.encodeCall(splits.finish, (splitId)),
            abi.encodeCall(splits.settleThrough, (splitId, depository, dave, 1))
        ];
        bytes memory approval = abi.encodeCall(splits.approve, (splitId, bytes32(0)));
        address[8] memory people = [admin, treasurer, agent, officer, auditor, upgrader, notary, stranger];
        for (uint256 i = 0; i < people.length; ++i) {
            for (uint256 j = 0; j < calls.length; ++j) {
                refused(people[i], calls[j], missingRole(people[i], Duties.ISSUER));
            }
            if (people[i] != treasurer) refused(people[i], approval, missingRole(people[i], Duties.TREASURY));
        }
        refused(issuer, approval, missingRole(issuer, Duties.TREASURY));
        vm.prank(admin);
        token.revokeRole(Duties.ISSUER, address(splits));
        vm.warp(RECORD_DATE + 1);
        pause();
        refused(issuer, abi.encodeCall(splits.start, (splitId)), missingRole(address(splits), Duties.ISSUER));
    }

    function test_a_token_is_a_contract() public {
        expectError(abi.encodeWithSelector(TokenDuties.TokenDutiesNoToken.selector, stranger));
        new UnitSplits(IRegulatedToken(stranger));
    }

    // Any ratio.

    function testFuzz_holders_and_fractions_are_the_whole(uint48 unitsBefore, uint48 unitsAfter, uint96 a, uint96 b)
        public
    {
        (unitsBefore, unitsAfter) = (uint48(bound(unitsBefore, 1, 1e6)), uint48(bound(unitsAfter, 1, 1e6)));
        if (unitsBefore == unitsAfter) ++unitsAfter;
        vm.startPrank(issuer);
        token.mint(alice, bound(a, 0, 1e20));
        token.mint(bob, bound(b, 0, 1e20));
        vm.stopPrank();
        address[3] memory holders = [alice, bob, carol];
        uint256[3] memory before;
        for (uint256 i = 0; i < 3; ++i) {
            before[i] = token.balanceOf(holders[i]);
        }
        uint256 whole = token.totalSupply() * unitsAfter / unitsBefore;
        uint256 splitId = bringToStart(ratio(unitsBefore, unitsAfter));
        splits.settleMany(splitId, list(alice, bob, carol));
        // The owner is another wallet than who has fractions, so that the two can be told apart.
        splitThrough(splitId, carol, DEPOT_UNITS);
        uint256 ofDepot = DEPOT_UNITS * uint256(unitsAfter) / unitsBefore;
        uint256 more = unitsAfter > unitsBefore ? ofDepot - DEPOT_UNITS : 0;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 expected = before[i] * unitsAfter / unitsBefore + (i == 2 ? more : 0);
            assertEq(token.balanceOf(holders[i]), expected, "rounded down");
        }
        assertEq(token.balanceOf(depository), more == 0 ? ofDepot : DEPOT_UNITS, "the custodian's");
        finish(splitId);
        assertEq(token.totalSupply(), whole, "to the last unit");
        assertLe(token.balanceOf(dave), 3, "less than one for each holder");
    }
}
