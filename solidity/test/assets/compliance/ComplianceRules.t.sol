// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Duties} from "../../../src/assets/access/Duties.sol";
import {ComplianceRules} from "../../../src/assets/compliance/ComplianceRules.sol";
import {ICompliance} from "../../../src/assets/compliance/ICompliance.sol";
import {ITransferRules, Movement, Refusal} from "../../../src/assets/compliance/ITransferRules.sol";
import {ReasonCodes} from "../../../src/assets/compliance/ReasonCodes.sol";
import {Rule, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {RuleChecks} from "../../../src/assets/compliance/RuleChecks.sol";
import {RulesVersion} from "../../../src/assets/compliance/RulesStorage.sol";
import {AssetSuite} from "../token/AssetSuite.sol";

/// @title ComplianceRulesTest
/// @notice Versions of rules, their times, who sets them, and what they answer.
contract ComplianceRulesTest is AssetSuite {
    uint48 private constant NOTICE = 5 days;

    function test_a_version_comes_into_force_at_its_time_and_not_before() public {
        ComplianceRules slow = deployRules(NOTICE, new Rule[](0));
        uint48 start = uint48(NOW) + NOTICE;
        vm.prank(officer);
        slow.scheduleRules(one(rule(RuleKind.BalanceMax, 5)), start);
        Movement memory movement = facts(10);
        slow.check(movement);
        assertEq(slow.rulesInForce().length, 0, "no rule yet");
        vm.warp(start - 1);
        slow.check(movement);
        vm.warp(start);
        assertEq(slow.rulesInForce().length, 1, "in force");
        expectError(refusedBy(slow, ReasonCodes.BALANCE_MAX, 5));
        slow.check(movement);
        slow.promoteRules();
        expectError(refusedBy(slow, ReasonCodes.BALANCE_MAX, 5));
        slow.check(movement);
        RulesVersion[] memory versions = slow.rulesVersions();
        assertEq(versions.length, 2, "both versions are known");
        assertEq(versions[1].effectiveFrom, start, "with their times");
        assertEq(slow.rulesOf(2)[0].words[0], 5, "and their words");
        assertEq(slow.noticeSeconds(), NOTICE, "the notice");
    }

    function test_only_rules_that_keep_books_ask_to_be_told() public {
        Movement memory issue = facts(1);
        Movement memory transfer_ = facts(1);
        (issue.from, transfer_.from, transfer_.to) = (address(0), alice, bob);
        setRules(one(rule(RuleKind.BalanceMax, 5)));
        assertFalse(rules.check(issue) || rules.check(transfer_), "nobody keeps books");
        setRules(one(rule(RuleKind.HoldingPeriod, type(uint48).max)));
        assertTrue(rules.check(issue) && !rules.check(transfer_), "issues begin a period");
        setRules(one(rule(RuleKind.Approval, 5)));
        assertTrue(!rules.check(issue) && rules.check(transfer_), "transfers use an approval up");
    }

    function test_the_notice_is_kept() public {
        ComplianceRules slow = deployRules(NOTICE, new Rule[](0));
        uint256 earliest = NOW + NOTICE;
        expectError(abi.encodeWithSelector(ComplianceRules.ComplianceNoticeTooShort.selector, earliest - 1, earliest));
        vm.prank(officer);
        slow.scheduleRules(new Rule[](0), uint48(earliest - 1));
    }

    function test_one_version_waits_at_a_time_and_can_be_withdrawn() public {
        ComplianceRules slow = deployRules(NOTICE, new Rule[](0));
        uint48 start = uint48(NOW) + NOTICE;
        vm.startPrank(officer);
        slow.scheduleRules(one(rule(RuleKind.BalanceMax, 5)), start);
        expectError(abi.encodeWithSelector(ComplianceRules.ComplianceRulesPending.selector, start));
        slow.scheduleRules(new Rule[](0), start + 1);
        slow.cancelRules();
        assertEq(slow.rulesVersions().length, 1, "withdrawn");
        expectError(abi.encodeWithSelector(ComplianceRules.ComplianceNoRulesPending.selector));
        slow.cancelRules();
        slow.scheduleRules(one(rule(RuleKind.BalanceMax, 5)), start);
        vm.warp(start);
        expectError(abi.encodeWithSelector(ComplianceRules.ComplianceNoRulesPending.selector));
        slow.cancelRules();
        slow.scheduleRules(new Rule[](0), start + NOTICE);
        vm.stopPrank();
        assertEq(slow.rulesInForce().length, 1, "what came into force stays until the next");
        assertEq(slow.rulesVersions().length, 3, "three versions");
    }

    function test_what_is_no_rule() public {
        refuseRules(new Rule[](17), abi.encodeWithSelector(RuleChecks.RuleTooMany.selector, 17, 16));
        for (uint256 kind = 0; kind <= uint256(RuleKind.External); ++kind) {
            refuseRule(Rule(RuleKind(kind), new uint256[](0)));
            refuseRule(Rule(RuleKind(kind), new uint256[](5)));
        }
        refuseRule(rule(RuleKind.InvestorClass, 0));
        refuseRule(rule(RuleKind.InvestorClass, 256));
        refuseRule(rule(RuleKind.HoldingPeriod, uint256(type(uint48).max) + 1));
        refuseRule(rule(RuleKind.TransferWindow, 0));
        refuseRule(rule(RuleKind.OfferingCap, 1 << 128));
        Rule memory dust = Rule(RuleKind.HolderCount, new uint256[](2));
        dust.words[1] = 1 << 104;
        refuseRule(dust);
        Rule memory nowhere = Rule(RuleKind.External, new uint256[](2));
        nowhere.words[0] = uint160(stranger);
        refuseRule(nowhere);
        nowhere.words[0] = uint160(address(rules)) | (1 << 160);
        refuseRule(nowhere);
    }

    function test_books_of_issues_are_kept_once() public {
        RuleKind[2] memory kinds = [RuleKind.HoldingPeriod, RuleKind.OfferingCap];
        for (uint256 i = 0; i < 2; ++i) {
            Rule[] memory list = new Rule[](3);
            (list[0], list[1], list[2]) = (rule(kinds[i], 100), rule(RuleKind.BalanceMax, 1), rule(kinds[i], 100));
            refuseRules(list, abi.encodeWithSelector(RuleChecks.RuleRepeated.selector, 2, kinds[i]));
            assertFalse(rules.recordsIssues(), "none in force");
        }
        Rule[] memory both = new Rule[](4);
        (both[0], both[1]) = (rule(RuleKind.HoldingPeriod, 1 days), rule(RuleKind.OfferingCap, 100));
        // A kind without such books may be there twice.
        (both[2], both[3]) = (rule(RuleKind.BalanceMax, 1e9), rule(RuleKind.BalanceMax, 1e9));
        setRules(both);
        assertTrue(rules.recordsIssues(), "in force");
        vm.prank(issuer);
        token.mint(alice, 100);
        assertEq(rules.issuedInYear(1, 2026), 100, "once");
        assertEq(rules.lockedUnits(1, 1 days), 100, "once");
    }

    function refuseRule(Rule memory bad) private {
        Rule[] memory list = new Rule[](2);
        (list[0], list[1]) = (rule(RuleKind.BalanceMax, 1), bad);
        refuseRules(list, abi.encodeWithSelector(RuleChecks.RuleInvalid.selector, 1, bad.kind));
    }

    function refuseRules(Rule[] memory list, bytes memory revertData) private {
        bytes memory call = abi.encodeCall(rules.scheduleRules, (list, uint48(NOW)));
        assertRefused(officer, address(rules), call, revertData);
    }

    function test_the_first_rule_against_a_movement_is_named_and_all_are_listed() public {
        Rule[] memory list = new Rule[](3);
        list[0] = rule(RuleKind.BalanceMax, 10);
        list[1] = rule(RuleKind.InvestorClass, 8);
        list[2] = rule(RuleKind.Approval, 0);
        setRules(list);
        expectError(refused(ReasonCodes.BALANCE_MAX, 10));
        vm.prank(alice);
        token.transfer(bob, 1);
        Refusal[] memory reasons = token.transferRefusals(alice, bob, 1);
        assertEq(reasons.length, 3, "every rule speaks");
        assertEq(reasons[0].reason, ReasonCodes.BALANCE_MAX, "balance");
        assertEq(reasons[1].reason, ReasonCodes.INVESTOR_CLASS, "class");
        assertEq(reasons[1].argument, 2, "which class");
        assertEq(reasons[2].reason, ReasonCodes.APPROVAL_MISSING, "approval");
        assertEq(reasons[2].module, address(rules), "who");
        assertFalse(rules.canTransfer(alice, bob, 1), "and so does the standard's question");
    }

    function test_the_standard_s_question_is_answered_with_the_token_s_facts() public {
        assertTrue(rules.canTransfer(alice, bob, 1), "permitted");
        assertFalse(rules.canTransfer(alice, bob, 10_000_000), "more than the largest balance");
        assertTrue(rules.canTransfer(address(0), alice, 1), "an issue too");
        ComplianceRules loose = deployRules(0, new Rule[](0));
        assertFalse(loose.canTransfer(alice, bob, 1), "no token, no facts");
        vm.prank(officer);
        loose.bindToken(address(registry));
        assertFalse(loose.canTransfer(alice, bob, 1), "what is no token has no facts");
    }

    function test_rules_are_bound_to_one_token() public {
        bytes memory bound = abi.encodeWithSelector(ComplianceRules.ComplianceTokenInvalid.selector, token);
        assertRefused(officer, address(rules), abi.encodeCall(rules.bindToken, (stranger)), bound);
        assertRefused(officer, address(rules), abi.encodeCall(rules.unbindToken, (stranger)), bound);
        assertTrue(rules.isTokenBound(address(token)) && !rules.isTokenBound(stranger), "to this one");
        assertEq(rules.getTokenBound(), address(token), "by name");
        vm.startPrank(officer);
        rules.unbindToken(address(token));
        assertFalse(rules.isTokenBound(address(0)), "to none");
        bytes memory none = abi.encodeWithSelector(ComplianceRules.ComplianceTokenInvalid.selector, address(0));
        expectError(none);
        rules.bindToken(address(0));
        expectError(none);
        rules.unbindToken(address(0));
        vm.stopPrank();
    }

    function test_only_the_token_tells_what_moved() public {
        bytes memory notToken = abi.encodeWithSelector(ComplianceRules.ComplianceNotToken.selector, officer, token);
        assertRefused(officer, address(rules), abi.encodeCall(rules.transferred, (alice, bob, 1)), notToken);
        assertRefused(officer, address(rules), abi.encodeCall(rules.created, (alice, 1)), notToken);
        assertRefused(officer, address(rules), abi.encodeCall(rules.destroyed, (alice, 1)), notToken);
    }

    function test_only_compliance_sets_rules() public {
        bytes memory missing = missingRole(agent, Duties.COMPLIANCE);
        bytes[5] memory calls = [
            abi.encodeCall(rules.bindToken, (stranger)),
            abi.encodeCall(rules.unbindToken, (address(token))),
            abi.encodeCall(rules.scheduleRules, (new Rule[](0), uint48(NOW))),
            abi.encodeCall(rules.cancelRules, ()),
            abi.encodeCall(rules.approveTransfer, (alice, bob, 1, 1))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            assertRefused(agent, address(rules), calls[i], missing);
        }
    }

    function test_the_interfaces_are_announced() public view {
        assertTrue(rules.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        assertTrue(rules.supportsInterface(type(ITransferRules).interfaceId), "rules");
        assertTrue(rules.supportsInterface(type(ICompliance).interfaceId), "ERC-3643");
        assertFalse(rules.supportsInterface(0xffffffff), "not everything");
    }

    function testFuzz_rules_are_read_as_they_were_written(uint8[16] memory kinds, uint256 seed, uint256 count) public {
        count = bound(count, 0, 16);
        Rule[] memory list = new Rule[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, i)));
            list[i] = anyRule(kinds[i] % 5, word);
        }
        setRules(list);
        Rule[] memory read = rules.rulesInForce();
        assertEq(keccak256(abi.encode(read)), keccak256(abi.encode(list)), "the same rules");
    }

    function anyRule(uint256 kind, uint256 word) private pure returns (Rule memory made) {
        made = Rule(RuleKind(kind), new uint256[](kind == 0 ? 4 : kind == 3 ? 2 : 1));
        made.words[0] = kind == 1 ? word % 255 + 1 : word;
        if (kind == 0) made.words[3] = ~word;
        if (kind == 3) made.words[1] = word >> 152;
    }

    /// @dev An issue of so many units to somebody new.
    function facts(uint256 amount) private view returns (Movement memory movement) {
        movement.token = address(token);
        (movement.to, movement.amount) = (carol, amount);
    }

    function refusedBy(ComplianceRules by, uint16 reason, uint256 argument) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITransferRules.ComplianceRefused.selector, by, reason, argument);
    }
}
