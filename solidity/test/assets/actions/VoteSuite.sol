// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HolderVotes} from "../../../src/assets/actions/HolderVotes.sol";
import {VoteOutcome, VoteTerms} from "../../../src/assets/actions/HolderVoteTypes.sol";
import {ActionSuite} from "./ActionSuite.sol";

/// @title VoteSuite
/// @notice The holders of `ActionSuite`, who are asked.
abstract contract VoteSuite is ActionSuite {
    uint48 internal constant OPENS_AT = uint48(NOW + 2 days);
    uint48 internal constant CLOSES_AT = uint48(NOW + 9 days);

    HolderVotes internal votes;

    function setUp() public virtual override {
        super.setUp();
        votes = new HolderVotes(token);
    }

    /// @dev Yes or no, by more than half of the votes of a quarter of the supply at least.
    function assembly_() internal pure returns (VoteTerms memory terms) {
        (terms.recordDate, terms.opensAt, terms.closesAt) = (RECORD_DATE, OPENS_AT, CLOSES_AT);
        (terms.optionCount, terms.quorumBasisPoints, terms.majorityBasisPoints) = (2, 2_500, 5_000);
        terms.documentHash = keccak256("question");
    }

    function ask(VoteTerms memory terms) internal returns (uint256) {
        vm.prank(issuer);
        return votes.announce(terms);
    }

    function openVote(VoteTerms memory terms) internal returns (uint256 questionId) {
        questionId = ask(terms);
        vm.warp(OPENS_AT);
    }

    function cast(uint256 questionId, address account, uint8 option) internal {
        vm.prank(account);
        votes.castVote(questionId, account, option);
    }

    function assertCounted(uint256 questionId, VoteOutcome outcome, uint8 winner) internal {
        vm.warp(CLOSES_AT);
        vm.prank(stranger);
        (VoteOutcome found, uint8 foundWinner) = votes.count(questionId);
        assertEq(uint256(found), uint256(outcome), "outcome");
        assertEq(foundWinner, winner, "winner");
        assertEq(uint256(votes.getQuestion(questionId).outcome), uint256(outcome), "kept outcome");
        assertEq(votes.getQuestion(questionId).winner, winner, "kept winner");
    }
}
