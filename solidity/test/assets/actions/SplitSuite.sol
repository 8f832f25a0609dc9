// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {UnitSplitStatus, UnitSplitTerms} from "../../../src/assets/actions/UnitSplitTypes.sol";
import {UnitSplits} from "../../../src/assets/actions/UnitSplits.sol";
import {Rule} from "../../../src/assets/compliance/RuleBook.sol";
import {ActionSuite} from "./ActionSuite.sol";

/// @title SplitSuite
/// @notice The holders of `ActionSuite`, whose units are split; the fractions go to Dave, who sells them.
abstract contract SplitSuite is ActionSuite {
    UnitSplits internal splits;

    function setUp() public virtual override {
        super.setUp();
        splits = new UnitSplits(token);
        giveRole(Duties.ISSUER, address(splits));
    }

    /// @dev No rules: their caps are not what is tested here.
    function startRules() internal virtual override returns (Rule[] memory) {
        return new Rule[](0);
    }

    function ratio(uint48 unitsBefore, uint48 unitsAfter) internal view returns (UnitSplitTerms memory terms) {
        (terms.recordDate, terms.unitsBefore, terms.unitsAfter) = (RECORD_DATE, unitsBefore, unitsAfter);
        terms.fractionsAccount = dave;
        terms.documentHash = keccak256("notice");
    }

    function proposeSplit(UnitSplitTerms memory terms) internal returns (uint256) {
        vm.prank(issuer);
        return splits.announce(terms);
    }

    /// @dev Proposed by the issuer, agreed to by the treasurer.
    function announceSplit(UnitSplitTerms memory terms) internal returns (uint256 splitId) {
        splitId = proposeSplit(terms);
        vm.prank(treasurer);
        splits.approve(splitId, keccak256(abi.encode(terms)));
    }

    /// @dev Announces, lets the record date pass, pauses, and starts.
    function bringToStart(UnitSplitTerms memory terms) internal returns (uint256 splitId) {
        splitId = announceSplit(terms);
        vm.warp(RECORD_DATE + 1);
        pause();
        start(splitId);
    }

    function pause() internal {
        vm.prank(agent);
        token.pause();
    }

    function unpause() internal {
        vm.prank(agent);
        token.unpause();
    }

    function start(uint256 splitId) internal {
        vm.prank(issuer);
        splits.start(splitId);
    }

    function finish(uint256 splitId) internal {
        vm.prank(issuer);
        splits.finish(splitId);
    }

    /// @dev An agent names the owner of units that the depository keeps, and the issuer splits them.
    function splitThrough(uint256 splitId, address owner, uint256 units) internal {
        vm.prank(agent);
        splits.nameOwner(splitId, depository, owner, units);
        vm.prank(issuer);
        splits.settleThrough(splitId, depository, owner, units);
    }

    function splitStatusError(uint256 splitId, UnitSplitStatus status) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(UnitSplits.UnitSplitStatusInvalid.selector, splitId, status);
    }
}
