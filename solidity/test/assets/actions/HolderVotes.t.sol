// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {HolderVotes} from "../../../src/assets/actions/HolderVotes.sol";
import {VoteOutcome, VoteQuestion, VoteTerms} from "../../../src/assets/actions/HolderVoteTypes.sol";
import {RecordDateTerms} from "../../../src/assets/actions/RecordDateTerms.sol";
import {TokenDuties} from "../../../src/assets/actions/TokenDuties.sol";
import {WalletSuccession} from "../../../src/assets/identity/WalletSuccession.sol";
import {IRecordDateBalances} from "../../../src/assets/token/IRecordDateBalances.sol";
import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {VoteSuite} from "./VoteSuite.sol";

contract HolderVotesTest is VoteSuite {
    function refused(address caller, bytes memory call, bytes memory revertData) private {
        assertRefused(caller, address(votes), call, revertData);
    }

    function outcomeError(uint256 questionId, VoteOutcome outcome) private pure returns (bytes memory) {
        return abi.encodeWithSelector(HolderVotes.VoteOutcomeInvalid.selector, questionId, outcome);
    }

    // Voting.

    function test_votes_are_the_units_of_the_record_date() public {
        vm.prank(agent);
        token.freezePartialTokens(alice, 400_000);
        vm.prank(bob);
        token.createHold("leg", alice, 100_000, notary, uint48(NOW + 300 days));
        uint256 questionId = ask(assembly_());
        vm.warp(RECORD_DATE + 1);
        transfer(alice, carol, 600_000);
        vm.warp(OPENS_AT);
        vm.expectEmit(address(votes));
        emit HolderVotes.VoteCast(questionId, alice, alice, 1, ALICE_UNITS);
        cast(questionId, alice, 1);
        cast(questionId, bob, 2);
        cast(questionId, carol, 0);
        assertEq(votes.unitsFor(questionId, 1), ALICE_UNITS, "frozen and sold units count");
        assertEq(votes.unitsFor(questionId, 2), BOB_UNITS, "held units count");
        assertEq(votes.unitsFor(questionId, 0), CAROL_UNITS, "bought units do not");
        assertEq(votes.getQuestion(questionId).unitsCast, ALICE_UNITS + BOB_UNITS + CAROL_UNITS, "all");
        vm.expectEmit(address(votes));
        emit HolderVotes.VoteCounted(questionId, VoteOutcome.Carried, 1, ALICE_UNITS + BOB_UNITS + CAROL_UNITS, SUPPLY);
        assertCounted(questionId, VoteOutcome.Carried, 1);
    }

    function test_the_last_word_counts_and_counts_once() public {
        uint256 questionId = openVote(assembly_());
        uint8[4] memory words = [1, 0, 2, 2];
        for (uint256 i = 0; i < words.length; ++i) {
            cast(questionId, alice, words[i]);
            (bool hasVoted, uint8 option) = votes.voteOf(questionId, alice);
            assertTrue(hasVoted, "voted");
            assertEq(option, words[i], "its last word");
            assertEq(votes.unitsFor(questionId, words[i]), ALICE_UNITS, "there");
            assertEq(votes.getQuestion(questionId).unitsCast, ALICE_UNITS, "once");
        }
        assertEq(votes.unitsFor(questionId, 1) + votes.unitsFor(questionId, 0), 0, "nowhere else");
        (bool bobHasVoted, uint8 none) = votes.voteOf(questionId, bob);
        assertFalse(bobHasVoted, "bob has not");
        assertEq(none, 0, "no option");
    }

    function test_votes_count_from_the_first_second_to_the_last() public {
        uint256 questionId = ask(assembly_());
        assertOutside(questionId, OPENS_AT - 1);
        vm.warp(OPENS_AT);
        cast(questionId, alice, 1);
        vm.warp(CLOSES_AT - 1);
        cast(questionId, alice, 2);
        refused(
            stranger,
            abi.encodeCall(votes.count, (questionId)),
            abi.encodeWithSelector(HolderVotes.VoteOutsidePeriod.selector, questionId, CLOSES_AT, 0, CLOSES_AT - 1)
        );
        assertOutside(questionId, CLOSES_AT);
    }

    function assertOutside(uint256 questionId, uint48 time) private {
        vm.warp(time);
        refused(
            alice,
            abi.encodeCall(votes.castVote, (questionId, alice, 1)),
            abi.encodeWithSelector(HolderVotes.VoteOutsidePeriod.selector, questionId, OPENS_AT, CLOSES_AT, time)
        );
    }

    function test_nobody_votes_with_units_of_another() public {
        uint256 questionId = openVote(assembly_());
        refused(
            bob,
            abi.encodeCall(votes.castVote, (questionId, alice, 1)),
            abi.encodeWithSelector(HolderVotes.VoteNotVoter.selector, alice, bob, alice)
        );
        refused(
            dave,
            abi.encodeCall(votes.castVote, (questionId, dave, 1)),
            abi.encodeWithSelector(HolderVotes.VoteWithoutUnits.selector, questionId, dave)
        );
        refused(
            depository,
            abi.encodeCall(votes.castVote, (questionId, depository, 1)),
            abi.encodeWithSelector(HolderVotes.VoteOfCustodian.selector, questionId, depository)
        );
        refused(
            alice,
            abi.encodeCall(votes.castVote, (questionId, alice, 3)),
            abi.encodeWithSelector(HolderVotes.VoteOptionInvalid.selector, questionId, 3, 2)
        );
    }

    function test_the_wallet_that_took_the_place_of_a_lost_one_votes() public {
        uint256 questionId = openVote(assembly_());
        cast(questionId, alice, 1);
        address found = wallet("alice's new wallet");
        replaceWallet(alice, found);
        refused(
            alice,
            abi.encodeCall(votes.castVote, (questionId, alice, 1)),
            abi.encodeWithSelector(HolderVotes.VoteNotVoter.selector, alice, alice, found)
        );
        vm.expectEmit(address(votes));
        emit HolderVotes.VoteCast(questionId, alice, found, 2, ALICE_UNITS);
        vm.prank(found);
        votes.castVote(questionId, alice, 2);
        assertEq(votes.unitsFor(questionId, 1), 0, "the lost wallet's word counts no more");
        vm.prank(agent);
        token.recoveryAddress(alice, found, identityOf(1));
        refused(
            found,
            abi.encodeCall(votes.castVote, (questionId, found, 2)),
            abi.encodeWithSelector(HolderVotes.VoteWithoutUnits.selector, questionId, found)
        );
    }

    function test_a_wallet_replaced_too_often_is_not_followed() public {
        uint256 questionId = openVote(assembly_());
        address current = alice;
        for (uint256 i = 0; i < 17; ++i) {
            address next = address(uint160(0xA11CE000 + i));
            replaceWallet(current, next);
            current = next;
        }
        refused(
            current,
            abi.encodeCall(votes.castVote, (questionId, alice, 1)),
            abi.encodeWithSelector(WalletSuccession.InvestorSuccessionsTooMany.selector, alice, 16)
        );
    }

    // Counting. Alice has 1,000,000 units, Bob 500,000, Carol 7, of 1,530,008.

    function test_a_quorum_is_reached_exactly_or_missed() public {
        VoteTerms memory terms = assembly_();
        terms.quorumBasisPoints = 3_268;
        uint256 reached = ask(terms);
        terms.quorumBasisPoints = 3_269;
        uint256 missed = openVote(terms);
        // 500,007 of 1,530,008 are 32.68 % and a little.
        for (uint256 questionId = reached; questionId <= missed; ++questionId) {
            cast(questionId, bob, 1);
            cast(questionId, carol, 0);
        }
        assertCounted(reached, VoteOutcome.Carried, 1);
        assertCounted(missed, VoteOutcome.QuorumMissed, 0);
    }

    function test_a_quorum_of_the_whole_is_reached_by_the_whole() public {
        setInfrastructure(depository, false);
        VoteTerms memory terms = assembly_();
        terms.quorumBasisPoints = 10_000;
        uint256 all = ask(terms);
        uint256 most = openVote(terms);
        for (uint256 questionId = all; questionId <= most; ++questionId) {
            cast(questionId, alice, 2);
            cast(questionId, bob, 1);
            cast(questionId, depository, 1);
        }
        cast(all, carol, 0);
        assertCounted(all, VoteOutcome.Carried, 2);
        assertCounted(most, VoteOutcome.QuorumMissed, 0);
    }

    function test_a_majority_is_more_than_its_share() public {
        VoteTerms memory terms = assembly_();
        terms.quorumBasisPoints = 0;
        uint256 half = ask(terms);
        vm.prank(issuer);
        token.mint(bob, 500_000 - CAROL_UNITS);
        vm.warp(OPENS_AT);
        // Alice against Bob and Carol: just as many.
        cast(half, alice, 1);
        cast(half, bob, 2);
        cast(half, carol, 0);
        assertCounted(half, VoteOutcome.Carried, 1);
    }

    function test_just_the_share_is_no_majority() public {
        VoteTerms memory terms = assembly_();
        (terms.optionCount, terms.majorityBasisPoints) = (16, 5_000);
        uint256 questionId = ask(terms);
        vm.startPrank(issuer);
        token.mint(bob, 500_000 - 2 * CAROL_UNITS);
        token.mint(carol, CAROL_UNITS);
        vm.stopPrank();
        vm.warp(OPENS_AT);
        cast(questionId, alice, 16);
        cast(questionId, bob, 2);
        cast(questionId, carol, 3);
        // 1,000,000 of 2,000,000.
        assertCounted(questionId, VoteOutcome.MajorityMissed, 0);
    }

    function test_a_tie_carries_nothing() public {
        uint256 questionId = ask(assembly_());
        vm.prank(issuer);
        token.mint(bob, 500_000);
        vm.warp(OPENS_AT);
        cast(questionId, alice, 2);
        cast(questionId, bob, 1);
        assertCounted(questionId, VoteOutcome.Tied, 0);
    }

    function test_a_tie_of_losers_is_none() public {
        VoteTerms memory terms = assembly_();
        (terms.optionCount, terms.majorityBasisPoints) = (3, 0);
        uint256 questionId = ask(terms);
        vm.prank(issuer);
        token.mint(carol, 500_000 - CAROL_UNITS);
        vm.warp(OPENS_AT);
        cast(questionId, bob, 1);
        cast(questionId, carol, 2);
        cast(questionId, alice, 3);
        assertCounted(questionId, VoteOutcome.Carried, 3);
    }

    function test_who_all_abstain_decide_nothing() public {
        uint256 questionId = openVote(assembly_());
        cast(questionId, alice, 0);
        assertCounted(questionId, VoteOutcome.MajorityMissed, 0);
    }

    function test_who_all_stay_away_are_no_quorum_even_of_nothing() public {
        VoteTerms memory terms = assembly_();
        terms.quorumBasisPoints = 0;
        uint256 questionId = openVote(terms);
        assertCounted(questionId, VoteOutcome.QuorumMissed, 0);
    }

    function test_what_is_counted_is_final() public {
        uint256 questionId = openVote(assembly_());
        cast(questionId, alice, 1);
        assertCounted(questionId, VoteOutcome.Carried, 1);
        bytes memory refusal = outcomeError(questionId, VoteOutcome.Carried);
        refused(stranger, abi.encodeCall(votes.count, (questionId)), refusal);
        refused(alice, abi.encodeCall(votes.castVote, (questionId, alice, 2)), refusal);
        refused(issuer, abi.encodeCall(votes.cancel, (questionId)), refusal);
    }

    // Questions.

    function test_a_question_says_its_terms() public {
        vm.expectEmit(address(votes));
        emit HolderVotes.VoteAnnounced(1, RECORD_DATE, assembly_());
        assertEq(ask(assembly_()), 1, "the first");
        assertEq(votes.questionCount(), 1, "one");
        VoteQuestion memory question = votes.getQuestion(1);
        assertEq(keccak256(abi.encode(question.terms)), keccak256(abi.encode(assembly_())), "terms");
    }

    function test_a_question_is_withdrawn_until_its_record_date_is_over() public {
        uint256 early = ask(assembly_());
        uint256 late = ask(assembly_());
        vm.warp(RECORD_DATE);
        vm.expectEmit(address(votes));
        emit HolderVotes.VoteCancelled(early);
        vm.prank(issuer);
        votes.cancel(early);
        vm.warp(RECORD_DATE + 1);
        refused(
            issuer,
            abi.encodeCall(votes.cancel, (late)),
            abi.encodeWithSelector(RecordDateTerms.TermsRecordDateOver.selector, late, RECORD_DATE, RECORD_DATE + 1)
        );
        vm.warp(OPENS_AT);
        refused(alice, abi.encodeCall(votes.castVote, (early, alice, 1)), outcomeError(early, VoteOutcome.Cancelled));
    }

    function test_a_question_whose_record_date_was_withdrawn_can_be_withdrawn_later() public {
        uint256 questionId = ask(assembly_());
        vm.prank(treasurer);
        token.cancelRecordDate(RECORD_DATE);
        vm.warp(OPENS_AT);
        bytes memory refusal = abi.encodeWithSelector(IRecordDateBalances.RecordDateUnknown.selector, RECORD_DATE);
        refused(alice, abi.encodeCall(votes.castVote, (questionId, alice, 1)), refusal);
        vm.warp(CLOSES_AT);
        refused(stranger, abi.encodeCall(votes.count, (questionId)), refusal);
        vm.prank(issuer);
        votes.cancel(questionId);
        assertEq(uint256(votes.getQuestion(questionId).outcome), uint256(VoteOutcome.Cancelled), "withdrawn");
    }

    function test_there_is_no_question_that_was_not_put() public {
        bytes memory refusal = outcomeError(1, VoteOutcome.None);
        refused(issuer, abi.encodeCall(votes.cancel, (1)), refusal);
        refused(alice, abi.encodeCall(votes.castVote, (1, alice, 1)), refusal);
        refused(alice, abi.encodeCall(votes.count, (1)), refusal);
    }

    function test_terms_that_decide_nothing_are_refused() public {
        assertTermsRefused(0, 0, 0);
        assertTermsRefused(17, 0, 0);
        assertTermsRefused(2, 10_001, 0);
        assertTermsRefused(2, 0, 10_000);
        VoteTerms memory terms = assembly_();
        (terms.optionCount, terms.quorumBasisPoints, terms.majorityBasisPoints) = (16, 10_000, 9_999);
        assertEq(ask(terms), 1, "the widest");
    }

    function assertTermsRefused(uint8 optionCount, uint16 quorum, uint16 majority) private {
        VoteTerms memory terms = assembly_();
        (terms.optionCount, terms.quorumBasisPoints, terms.majorityBasisPoints) = (optionCount, quorum, majority);
        refused(
            issuer,
            abi.encodeCall(votes.announce, (terms)),
            abi.encodeWithSelector(HolderVotes.VoteTermsInvalid.selector, optionCount, quorum, majority)
        );
    }

    function test_voting_follows_an_announced_record_date() public {
        VoteTerms memory terms = assembly_();
        terms.recordDate = RECORD_DATE + 1;
        assertDateRefused(terms, NOW);
        assertPeriodRefused(RECORD_DATE, CLOSES_AT);
        assertPeriodRefused(OPENS_AT, OPENS_AT);
        terms = assembly_();
        (terms.opensAt, terms.closesAt) = (RECORD_DATE + 1, RECORD_DATE + 2);
        vm.warp(RECORD_DATE);
        assertEq(ask(terms), 1, "the shortest, in the date's last second");
        vm.warp(RECORD_DATE + 1);
        assertDateRefused(assembly_(), RECORD_DATE + 1);
    }

    function assertDateRefused(VoteTerms memory terms, uint256 time) private {
        refused(
            issuer,
            abi.encodeCall(votes.announce, (terms)),
            abi.encodeWithSelector(RecordDateTerms.TermsRecordDateInvalid.selector, terms.recordDate, time)
        );
    }

    function assertPeriodRefused(uint48 opensAt, uint48 closesAt) private {
        VoteTerms memory terms = assembly_();
        (terms.opensAt, terms.closesAt) = (opensAt, closesAt);
        refused(
            issuer,
            abi.encodeCall(votes.announce, (terms)),
            abi.encodeWithSelector(HolderVotes.VotePeriodInvalid.selector, RECORD_DATE, opensAt, closesAt)
        );
    }

    function test_only_the_issuer_asks() public {
        uint256 questionId = ask(assembly_());
        address[8] memory people = [admin, treasurer, agent, officer, auditor, upgrader, notary, stranger];
        for (uint256 i = 0; i < people.length; ++i) {
            bytes memory refusal = missingRole(people[i], Duties.ISSUER);
            refused(people[i], abi.encodeCall(votes.announce, (assembly_())), refusal);
            refused(people[i], abi.encodeCall(votes.cancel, (questionId)), refusal);
        }
        expectError(abi.encodeWithSelector(TokenDuties.TokenDutiesNoToken.selector, stranger));
        new HolderVotes(IRegulatedToken(stranger));
    }
}
