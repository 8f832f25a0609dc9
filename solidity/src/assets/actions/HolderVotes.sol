// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../access/Duties.sol";
import {IRegulatedToken} from "../token/IRegulatedToken.sol";
import {VoteOutcome, VoteQuestion, VoteTerms} from "./HolderVoteTypes.sol";
import {InvestorAccounts} from "./InvestorAccounts.sol";
import {RecordDateTerms} from "./RecordDateTerms.sol";
import {TokenDuties} from "./TokenDuties.sol";

/// @title HolderVotes
/// @notice Questions to the holders of a token at a record date, such as an assembly of debenture holders decides.
/// @dev Each account votes with what it had at the record date, held and frozen units included: what it sells afterwards
/// it still votes with, and what it buys it does not. It votes on a question once, and may change its vote until the
/// end: the last word counts. Votes are open to everybody's eyes. The result is counted once and is final.
///
/// A wallet that the registry replaced votes no more: the one that took its place votes for it. Units that a custodian
/// keeps (a settlement contract, a contract of liens) have no vote, but count for the quorum. This contract needs no
/// role at the token, and calls nothing but the token and its registry, which it only asks.
contract HolderVotes is RecordDateTerms {
    using InvestorAccounts for IRegulatedToken;

    /// @notice Most options of a question.
    uint256 public constant OPTIONS_MAX = 16;

    /// @notice The whole, in hundredths of a per cent.
    uint256 public constant BASIS_POINTS = 10_000;

    /// @notice The option of those who abstain.
    uint8 public constant ABSTENTION = 0;

    /// @notice How many questions there were; ids count from 1.
    uint256 public questionCount;

    /// @dev Id to question.
    mapping(uint256 questionId => VoteQuestion question) private _questions;

    /// @dev Question and option to the units that voted for it.
    mapping(uint256 questionId => mapping(uint256 option => uint256 units)) private _unitsFor;

    /// @dev Question and account to its option plus 1; 0 if it has not voted.
    mapping(uint256 questionId => mapping(address account => uint256 vote)) private _votes;

    /// @notice A question was put.
    /// @param questionId The question.
    /// @param recordDate Whose balances count, in seconds since 1970.
    /// @param terms How it is decided.
    event VoteAnnounced(uint256 indexed questionId, uint48 indexed recordDate, VoteTerms terms);

    /// @notice A question was withdrawn.
    /// @param questionId The question.
    event VoteCancelled(uint256 indexed questionId);

    /// @notice An account voted, or changed its vote: what it said before counts no more.
    /// @param questionId The question.
    /// @param account Whose units.
    /// @param voter Who said it: the account, or the wallet that took its place.
    /// @param option 0 for abstention.
    /// @param units Units of the record date.
    event VoteCast(
        uint256 indexed questionId, address indexed account, address indexed voter, uint8 option, uint256 units
    );

    /// @notice A question was counted.
    /// @param questionId The question.
    /// @param outcome What became of it.
    /// @param winner The option that carried; 0 if none.
    /// @param unitsCast Units that voted, abstentions included.
    /// @param supply Supply at the record date.
    event VoteCounted(
        uint256 indexed questionId, VoteOutcome indexed outcome, uint8 winner, uint256 unitsCast, uint256 supply
    );

    /// @notice There are too few or too many options, or a share is more than the whole.
    /// @param optionCount The number given.
    /// @param quorumBasisPoints The quorum given; at most {BASIS_POINTS}.
    /// @param majorityBasisPoints The majority given; less than {BASIS_POINTS}.
    error VoteTermsInvalid(uint8 optionCount, uint16 quorumBasisPoints, uint16 majorityBasisPoints);

    /// @notice Voting begins before the record date is over, or ends before it begins.
    /// @param recordDate The date given, in seconds since 1970.
    /// @param opensAt The beginning given.
    /// @param closesAt The end given.
    error VotePeriodInvalid(uint48 recordDate, uint48 opensAt, uint48 closesAt);

    /// @notice The question does not stand where this is possible.
    /// @param questionId The question.
    /// @param outcome Where it stands.
    error VoteOutcomeInvalid(uint256 questionId, VoteOutcome outcome);

    /// @notice It is too early or too late: to vote, or to count.
    /// @param questionId The question.
    /// @param opensAt Beginning of the time for it, in seconds since 1970.
    /// @param closesAt First second after it; zero: no end.
    /// @param time Time of the block.
    error VoteOutsidePeriod(uint256 questionId, uint48 opensAt, uint48 closesAt, uint256 time);

    /// @notice There is no such option.
    /// @param questionId The question.
    /// @param option The option given.
    /// @param optionCount The last one.
    error VoteOptionInvalid(uint256 questionId, uint8 option, uint8 optionCount);

    /// @notice Somebody else votes with the account's units.
    /// @param account Whose units.
    /// @param caller Who called.
    /// @param voter Who may.
    error VoteNotVoter(address account, address caller, address voter);

    /// @notice The account had no units at the record date.
    /// @param questionId The question.
    /// @param account The account.
    error VoteWithoutUnits(uint256 questionId, address account);

    /// @notice The account keeps units for others: they have no vote.
    /// @param questionId The question.
    /// @param custodian The account.
    error VoteOfCustodian(uint256 questionId, address custodian);

    /// @dev Reverts with `TokenDutiesNoToken`.
    /// @param token_ Whose holders are asked.
    constructor(IRegulatedToken token_) TokenDuties(token_) {}

    /// @notice Puts a question.
    /// @dev Requires ISSUER_ROLE at the token. Emits {VoteAnnounced}. Reverts with {VoteTermsInvalid},
    /// {TermsRecordDateInvalid}, {VotePeriodInvalid}.
    /// @param terms How it is decided.
    /// @return questionId The question.
    function announce(VoteTerms calldata terms) external onlyDuty(Duties.ISSUER) returns (uint256 questionId) {
        _checkTerms(terms);
        questionId = ++questionCount;
        VoteQuestion storage question = _questions[questionId];
        question.terms = terms;
        question.outcome = VoteOutcome.Open;
        emit VoteAnnounced(questionId, terms.recordDate, terms);
    }

    /// @notice Withdraws a question: before its record date is over, or if the token no longer knows the date.
    /// @dev Requires ISSUER_ROLE at the token. Emits {VoteCancelled}. Reverts with {VoteOutcomeInvalid},
    /// {TermsRecordDateOver}.
    /// @param questionId The question.
    function cancel(uint256 questionId) external onlyDuty(Duties.ISSUER) {
        VoteQuestion storage question = _openQuestion(questionId);
        _checkWithdrawable(questionId, question.terms.recordDate);
        question.outcome = VoteOutcome.Cancelled;
        emit VoteCancelled(questionId);
    }

    /// @notice Votes, or changes the vote.
    /// @dev Requires to be the account, or the wallet that took its place. Emits {VoteCast}. Reverts with
    /// {VoteOutcomeInvalid}, {VoteOutsidePeriod}, {VoteOptionInvalid}, {VoteNotVoter}, {VoteOfCustodian},
    /// {VoteWithoutUnits}, or as the token does if it no longer knows the record date.
    /// @param questionId The question.
    /// @param account Whose units.
    /// @param option From 1 on; 0 to abstain.
    function castVote(uint256 questionId, address account, uint8 option) external {
        VoteQuestion storage question = _openQuestion(questionId);
        (uint48 opensAt, uint48 closesAt) = (question.terms.opensAt, question.terms.closesAt);
        if (block.timestamp < opensAt || block.timestamp >= closesAt) {
            revert VoteOutsidePeriod(questionId, opensAt, closesAt, block.timestamp);
        }
        uint8 optionCount = question.terms.optionCount;
        if (option > optionCount) revert VoteOptionInvalid(questionId, option, optionCount);
        (address voter, bool isInfrastructure) = token.standingOf(account);
        if (msg.sender != voter) revert VoteNotVoter(account, msg.sender, voter);
        if (isInfrastructure) revert VoteOfCustodian(questionId, account);
        uint256 units = token.balanceAt(account, question.terms.recordDate);
        if (units == 0) revert VoteWithoutUnits(questionId, account);
        uint256 previous = _votes[questionId][account];
        if (previous == 0) question.unitsCast += uint104(units);
        else _unitsFor[questionId][previous - 1] -= units;
        _votes[questionId][account] = uint256(option) + 1;
        _unitsFor[questionId][option] += units;
        emit VoteCast(questionId, account, voter, option, units);
    }

    /// @notice Counts a question whose time is over. What is found is final.
    /// @dev Open to everybody. Emits {VoteCounted}. Reverts with {VoteOutcomeInvalid}, {VoteOutsidePeriod}, or as the
    /// token does if it no longer knows the record date.
    /// @param questionId The question.
    /// @return outcome What became of it.
    /// @return winner The option that carried; 0 if none.
    function count(uint256 questionId) external returns (VoteOutcome outcome, uint8 winner) {
        VoteQuestion storage question = _openQuestion(questionId);
        uint48 closesAt = question.terms.closesAt;
        if (block.timestamp < closesAt) revert VoteOutsidePeriod(questionId, closesAt, 0, block.timestamp);
        uint256 supply = token.totalSupplyAt(question.terms.recordDate);
        (outcome, winner) = _outcomeOf(questionId, question, supply);
        (question.outcome, question.winner) = (outcome, winner);
        emit VoteCounted(questionId, outcome, winner, question.unitsCast, supply);
    }

    /// @notice A question.
    /// @param questionId The question.
    /// @return The question; all zero if there is none.
    function getQuestion(uint256 questionId) external view returns (VoteQuestion memory) {
        return _questions[questionId];
    }

    /// @notice What voted for an option, so far or finally.
    /// @param questionId The question.
    /// @param option From 1 on; 0 for those who abstained.
    /// @return Units.
    function unitsFor(uint256 questionId, uint8 option) external view returns (uint256) {
        return _unitsFor[questionId][option];
    }

    /// @notice What an account voted.
    /// @param questionId The question.
    /// @param account Whose units.
    /// @return hasVoted Whether it has.
    /// @return option From 1 on; 0 if it abstained or has not voted.
    function voteOf(uint256 questionId, address account) external view returns (bool hasVoted, uint8 option) {
        uint256 vote = _votes[questionId][account];
        return vote == 0 ? (false, 0) : (true, uint8(vote - 1));
    }

    function _checkTerms(VoteTerms calldata terms) private view {
        bool isShareFit = terms.quorumBasisPoints <= BASIS_POINTS && terms.majorityBasisPoints < BASIS_POINTS;
        if (terms.optionCount == 0 || terms.optionCount > OPTIONS_MAX || !isShareFit) {
            revert VoteTermsInvalid(terms.optionCount, terms.quorumBasisPoints, terms.majorityBasisPoints);
        }
        uint48 recordDate = terms.recordDate;
        _checkRecordDate(recordDate);
        if (terms.opensAt <= recordDate || terms.closesAt <= terms.opensAt) {
            revert VotePeriodInvalid(recordDate, terms.opensAt, terms.closesAt);
        }
    }

    /// @dev What becomes of a question with the votes as they are. No overflow: units fit 104 bits.
    function _outcomeOf(uint256 questionId, VoteQuestion storage question, uint256 supply)
        private
        view
        returns (VoteOutcome outcome, uint8 winner)
    {
        uint256 unitsCast = question.unitsCast;
        bool isQuorate = unitsCast != 0 && unitsCast * BASIS_POINTS >= supply * question.terms.quorumBasisPoints;
        if (!isQuorate) return (VoteOutcome.QuorumMissed, 0);
        (uint8 leader, uint256 most, bool isTied) = _leaderOf(questionId, question.terms.optionCount);
        if (isTied) return (VoteOutcome.Tied, 0);
        uint256 unitsDecided = unitsCast - _unitsFor[questionId][ABSTENTION];
        bool hasMajority = most * BASIS_POINTS > unitsDecided * question.terms.majorityBasisPoints;
        return hasMajority ? (VoteOutcome.Carried, leader) : (VoteOutcome.MajorityMissed, 0);
    }

    /// @dev The option with the most units, abstention left out; tied if another one has as many, and they have any.
    function _leaderOf(uint256 questionId, uint8 optionCount)
        private
        view
        returns (uint8 leader, uint256 most, bool isTied)
    {
        for (uint8 option = 1; option <= optionCount; ++option) {
            uint256 units = _unitsFor[questionId][option];
            if (units > most) (leader, most, isTied) = (option, units, false);
            else if (units == most && units != 0) isTied = true;
        }
    }

    /// @dev The question, if it is not counted or withdrawn.
    function _openQuestion(uint256 questionId) private view returns (VoteQuestion storage question) {
        question = _questions[questionId];
        if (question.outcome != VoteOutcome.Open) revert VoteOutcomeInvalid(questionId, question.outcome);
    }
}
