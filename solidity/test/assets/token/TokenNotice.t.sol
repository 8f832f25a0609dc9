// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ComplianceRules} from "../../../src/assets/compliance/ComplianceRules.sol";
import {IdentityRegistry} from "../../../src/assets/identity/IdentityRegistry.sol";
import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {TokenErrors} from "../../../src/assets/token/TokenErrors.sol";
import {AssetSuite} from "./AssetSuite.sol";

/// @title TokenNoticeTest
/// @notice What a transfer is asked does not change sooner than the rules in force say, whichever way it is changed.
contract TokenNoticeTest is AssetSuite {
    uint48 private constant NOTICE = 2 days;
    uint48 private constant LATER = uint48(NOW) + NOTICE;

    ComplianceRules private _looser;

    /// @dev From here on rules with a notice are in force; the suite's own had none.
    function setUp() public override {
        super.setUp();
        rules = deployRules(NOTICE, startRules());
        bindRules(token, rules);
        _looser = deployRules(0, startRules());
        vm.prank(officer);
        _looser.bindToken(address(token));
    }

    /// @dev The three ways.
    function changes() private returns (bytes[3] memory) {
        return [
            abi.encodeCall(token.setCompliance, (address(_looser))),
            abi.encodeCall(token.setIdentityRegistry, (address(new IdentityRegistry(admin)))),
            abi.encodeCall(token.setRequiredTopics, (uint8(2)))
        ];
    }

    function test_each_change_waits_and_is_made_once() public {
        bytes[3] memory calls = changes();
        // The rules come last: after them there is no notice any more.
        for (uint256 left = 3; left > 0; --left) {
            bytes memory call = calls[left - 1];
            vm.warp(NOW);
            bytes32 hash = keccak256(call);
            refuse(call, abi.encodeWithSelector(TokenErrors.TokenChangeNotAnnounced.selector, hash));
            vm.expectEmit(address(token));
            emit IRegulatedToken.ChangeAnnounced(hash, call, LATER);
            announce(call);
            assertEq(token.announcedChange(hash), LATER, "when");
            vm.warp(LATER - 1);
            refuse(call, abi.encodeWithSelector(TokenErrors.TokenChangeTooSoon.selector, hash, LATER, LATER - 1));
            vm.warp(LATER);
            make(call);
            assertEq(token.announcedChange(hash), 0, "used up");
            if (left == 1) continue;
            refuse(call, abi.encodeWithSelector(TokenErrors.TokenChangeNotAnnounced.selector, hash));
        }
        assertEq(token.requiredTopics(), 2, "topics");
        assertEq(address(token.compliance()), address(_looser), "rules");
    }

    function test_an_announcement_is_of_one_call_alone() public {
        announce(abi.encodeCall(token.setRequiredTopics, (uint8(2))));
        vm.warp(LATER);
        bytes memory other = abi.encodeCall(token.setRequiredTopics, (uint8(0)));
        refuse(other, abi.encodeWithSelector(TokenErrors.TokenChangeNotAnnounced.selector, keccak256(other)));
    }

    function test_an_announced_change_is_withdrawn() public {
        bytes memory call = abi.encodeCall(token.setRequiredTopics, (uint8(2)));
        bytes32 hash = keccak256(call);
        bytes memory unknown = abi.encodeWithSelector(TokenErrors.TokenChangeNotAnnounced.selector, hash);
        refuse(abi.encodeCall(token.withdrawChange, (hash)), unknown);
        announce(call);
        vm.expectEmit(address(token));
        emit IRegulatedToken.ChangeWithdrawn(hash);
        vm.prank(officer);
        token.withdrawChange(hash);
        vm.warp(LATER);
        refuse(call, unknown);
    }

    function test_announced_again_it_waits_again() public {
        bytes memory call = abi.encodeCall(token.setRequiredTopics, (uint8(2)));
        announce(call);
        vm.warp(LATER - 1);
        announce(call);
        vm.warp(LATER);
        refuse(
            call,
            abi.encodeWithSelector(TokenErrors.TokenChangeTooSoon.selector, keccak256(call), LATER - 1 + NOTICE, LATER)
        );
    }

    function test_before_rules_are_set_nothing_waits_and_nothing_is_announced() public {
        token = deployToken(tokenTerms(admin));
        bytes memory call = abi.encodeCall(token.setRequiredTopics, (uint8(2)));
        refuse(
            abi.encodeCall(token.announceChange, (call)),
            abi.encodeWithSelector(TokenErrors.TokenRulesInvalid.selector, address(0))
        );
        make(call);
        assertEq(token.requiredTopics(), 2, "at once");
    }

    function announce(bytes memory call) private {
        vm.prank(officer);
        token.announceChange(call);
    }

    function make(bytes memory call) private {
        vm.prank(officer);
        (bool done,) = address(token).call(call);
        assertTrue(done, "made");
    }

    function refuse(bytes memory call, bytes memory revertData) private {
        assertRefused(officer, address(token), call, revertData);
    }
}
