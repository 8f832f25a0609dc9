// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VoteOutcome, VoteTerms} from "../../../src/assets/actions/HolderVoteTypes.sol";
import {Rule} from "../../../src/assets/compliance/RuleBook.sol";
import {VoteSuite} from "./VoteSuite.sol";

/// @title VoteBooks
/// @notice Questions and votes drawn at random among holders who trade, and books of who said what last: each count is
/// compared with one made from the books alone.
contract VoteBooks is VoteSuite {
    struct Entry {
        VoteTerms terms;
        bool isOver;
        bool isCounted;
        uint256 supply;
    }

    Entry[] private _entries;
    mapping(uint256 question => mapping(address account => uint256)) private _unitsAt;
    /// The option and one; 0: none.
    mapping(uint256 question => mapping(address account => uint256)) private _word;
    mapping(address account => uint256) private _units;
    uint256 public done;
    uint256 public refusals;
    mapping(VoteOutcome outcome => uint256) public found;

    function setUp() public override {
        super.setUp();
        (_units[alice], _units[bob]) = (ALICE_UNITS, BOB_UNITS);
        (_units[carol], _units[depository]) = (CAROL_UNITS, DEPOT_UNITS);
        put(3, 3_000, 5_000);
    }

    function startRules() internal pure override returns (Rule[] memory) {
        return new Rule[](0);
    }

    function put(uint256 options, uint256 quorum, uint256 majority) public {
        if (_entries.length == 4) return;
        VoteTerms memory terms = assembly_();
        terms.recordDate = uint48(block.timestamp + 4 hours);
        (terms.opensAt, terms.closesAt) = (terms.recordDate + 1 hours, terms.recordDate + 20 hours);
        terms.optionCount = uint8(bound(options, 1, 16));
        terms.quorumBasisPoints = uint16(bound(quorum, 0, 10_000));
        terms.majorityBasisPoints = uint16(bound(majority, 0, 9_999));
        if (!token.isRecordDate(terms.recordDate)) scheduleRecordDate(terms.recordDate);
        ask(terms);
        _entries.push().terms = terms;
    }

    function trade(uint256 from, uint256 to, uint256 amount) external {
        (address sender, address receiver) = (holderOf(from), holderOf(to));
        amount = bound(amount, 0, _units[sender]);
        transfer(sender, receiver, amount);
        _units[sender] -= amount;
        _units[receiver] += amount;
    }

    function say(uint256 seed, uint256 who, uint256 option, bool isOwn) external {
        uint256 n = seed % _entries.length;
        Entry storage entry = _entries[n];
        address account = holderOf(who);
        option = bound(option, 0, entry.terms.optionCount + 1);
        bool isTime = block.timestamp >= entry.terms.opensAt && block.timestamp < entry.terms.closesAt;
        bool expected =
            isOwn && isTime && account != depository && option <= entry.terms.optionCount && _unitsAt[n][account] != 0;
        vm.prank(isOwn ? account : stranger);
        (bool answered,) = address(votes).call(abi.encodeCall(votes.castVote, (n + 1, account, uint8(option))));
        require(answered == expected, expected ? "refused a vote" : "took a vote");
        if (!answered) {
            ++refusals;
            return;
        }
        ++done;
        _word[n][account] = option + 1;
    }

    function finish(uint256 seed) external {
        uint256 n = seed % _entries.length;
        Entry storage entry = _entries[n];
        bool expected = block.timestamp >= entry.terms.closesAt && !entry.isCounted;
        (bool answered, bytes memory result) = address(votes).call(abi.encodeCall(votes.count, (n + 1)));
        require(answered == expected, expected ? "refused to count" : "counted out of turn");
        if (!answered) return;
        entry.isCounted = true;
        (VoteOutcome outcome, uint8 winner) = abi.decode(result, (VoteOutcome, uint8));
        (VoteOutcome ownOutcome, uint256 ownWinner) = recount(n, entry);
        assertEq(uint256(outcome), uint256(ownOutcome), "outcome");
        assertEq(winner, ownWinner, "winner");
        ++found[outcome];
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 8 hours));
        for (uint256 n = 0; n < _entries.length; ++n) {
            Entry storage entry = _entries[n];
            if (entry.isOver || block.timestamp <= entry.terms.recordDate) continue;
            entry.isOver = true;
            for (uint256 i = 0; i < 5; ++i) {
                _unitsAt[n][holderOf(i)] = _units[holderOf(i)];
                entry.supply += _units[holderOf(i)];
            }
        }
    }

    function assertBooks() external view {
        for (uint256 n = 0; n < _entries.length; ++n) {
            uint256[18] memory units = unitsByOption(n);
            uint256 sum;
            for (uint256 option = 0; option <= _entries[n].terms.optionCount; ++option) {
                assertEq(votes.unitsFor(n + 1, uint8(option)), units[option], "units of an option");
                sum += units[option];
            }
            assertEq(votes.getQuestion(n + 1).unitsCast, sum, "units that voted");
            assertLe(sum, _entries[n].supply, "not more than the units of the record date");
        }
    }

    /// @dev The naive twin of the count.
    function recount(uint256 n, Entry storage entry) private view returns (VoteOutcome, uint256) {
        uint256[18] memory units = unitsByOption(n);
        (uint256 cast, uint256 best, uint256 leaders, uint256 leader) = (units[0], 0, 0, 0);
        for (uint256 option = 1; option <= 16; ++option) {
            cast += units[option];
            if (units[option] > best) best = units[option];
        }
        for (uint256 option = 1; option <= 16; ++option) {
            if (best != 0 && units[option] == best) (leaders, leader) = (leaders + 1, option);
        }
        if (cast == 0 || cast * 10_000 < entry.supply * entry.terms.quorumBasisPoints) {
            return (VoteOutcome.QuorumMissed, 0);
        }
        if (leaders > 1) return (VoteOutcome.Tied, 0);
        bool isMore = best * 10_000 > (cast - units[0]) * entry.terms.majorityBasisPoints;
        return isMore ? (VoteOutcome.Carried, leader) : (VoteOutcome.MajorityMissed, 0);
    }

    /// @dev Units by option, from the last word of each account.
    function unitsByOption(uint256 n) private view returns (uint256[18] memory units) {
        for (uint256 i = 0; i < 5; ++i) {
            address account = holderOf(i);
            uint256 word = _word[n][account];
            if (word != 0) units[word - 1] += _unitsAt[n][account];
        }
    }

    function holderOf(uint256 who) private view returns (address) {
        return [alice, bob, carol, dave, depository][who % 5];
    }
}
