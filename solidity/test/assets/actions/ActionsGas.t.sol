// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CashActionTerms} from "../../../src/assets/actions/CashActionTypes.sol";
import {HolderVotes} from "../../../src/assets/actions/HolderVotes.sol";
import {VoteTerms} from "../../../src/assets/actions/HolderVoteTypes.sol";
import {UnitSplitTerms} from "../../../src/assets/actions/UnitSplitTypes.sol";
import {Rule, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {SplitSuite} from "./SplitSuite.sol";

/// @title ActionsGasTest
/// @notice Gas of whole transactions of corporate actions, as a receipt shows it: base fee and call data included, every
/// account and slot cold. The money is a plain ERC-20 of OpenZeppelin that no holder had before.
contract ActionsGasTest is SplitSuite {
    uint256 private constant CLAIM_GAS_MAX = 165_000;
    uint256 private constant PUSH_GAS_PER_HOLDER_MAX = 85_000;
    uint256 private constant BURN_CLAIM_GAS_MAX = 250_000;
    uint256 private constant VOTE_GAS_MAX = 115_000;

    /// Holders of one batch.
    uint256 private constant HOLDERS = 20;

    function startRules() internal pure override returns (Rule[] memory list_) {
        list_ = new Rule[](2);
        list_[0] = rule(RuleKind.InvestorClass, 0x0e);
        list_[1] = rule(RuleKind.BalanceMax, 10_000_000);
    }

    function test_a_coupon() public {
        address[] memory holders = enterHolders();
        CashActionTerms memory terms = coupon();
        vm.prank(treasurer);
        actions.announce(terms);
        record("coupon, announce");
        vm.prank(issuer);
        actions.approve(1, keccak256(abi.encode(terms)));
        record("coupon, approve");
        vm.warp(RECORD_DATE + 1);
        fund(1);
        record("coupon, fund");
        vm.warp(PAYABLE_FROM);
        vm.prank(alice);
        actions.settle(1, alice);
        assertLe(record("coupon, claim of a holder"), CLAIM_GAS_MAX, "claim");
        actions.settleMany(1, holders);
        assertLe(record("coupon, batch to 20 holders"), HOLDERS * PUSH_GAS_PER_HOLDER_MAX, "push");
        assertEq(money.balanceOf(holders[HOLDERS - 1]), 13, "the last one is paid");
        settleThrough(1, dave, DEPOT_UNITS);
        record("coupon, owner at a custodian");
    }

    function test_a_redemption() public {
        address[] memory holders = enterHolders();
        uint256 actionId = bringToPayment(redemption());
        actions.settle(actionId, alice);
        assertLe(record("redemption, claim of a holder"), BURN_CLAIM_GAS_MAX, "claim");
        actions.settleMany(actionId, holders);
        record("redemption, batch to 20 holders");
    }

    function test_a_split() public {
        UnitSplitTerms memory terms = ratio(1, 2);
        uint256 splitId = bringToStart(terms);
        splits.settle(splitId, alice);
        record("split, a holder");
    }

    function test_a_vote() public {
        HolderVotes votes = new HolderVotes(token);
        VoteTerms memory terms;
        (terms.recordDate, terms.opensAt, terms.closesAt) = (RECORD_DATE, RECORD_DATE + 1, RECORD_DATE + 2);
        terms.optionCount = 2;
        vm.prank(issuer);
        votes.announce(terms);
        vm.warp(RECORD_DATE + 1);
        vm.prank(alice);
        votes.castVote(1, alice, 1);
        assertLe(record("vote, the first of a question"), VOTE_GAS_MAX, "vote");
        vm.prank(bob);
        votes.castVote(1, bob, 1);
        record("vote, a further one");
        vm.prank(bob);
        votes.castVote(1, bob, 2);
        record("vote, changed");
        vm.warp(RECORD_DATE + 2);
        votes.count(1);
        record("vote, count");
    }

    function enterHolders() private returns (address[] memory holders) {
        holders = new address[](HOLDERS);
        for (uint256 i = 0; i < HOLDERS; ++i) {
            holders[i] = address(uint160(0x401DE20000 + i));
            enter(holders[i], 1_000 + i);
            vm.prank(issuer);
            token.mint(holders[i], 10);
        }
    }

    function record(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall("actions", name);
    }
}
