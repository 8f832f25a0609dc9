// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {AgreedTerms} from "../../../src/assets/actions/AgreedTerms.sol";
import {CashActionStatus} from "../../../src/assets/actions/CashActionTypes.sol";
import {CashActions} from "../../../src/assets/actions/CashActions.sol";
import {HolderSettlement} from "../../../src/assets/actions/HolderSettlement.sol";
import {RecordDateTerms} from "../../../src/assets/actions/RecordDateTerms.sol";
import {TokenDuties} from "../../../src/assets/actions/TokenDuties.sol";
import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {ActionSuite} from "./ActionSuite.sol";

/// @dev Who may do what, and what takes two.
contract CashActionsDutiesTest is ActionSuite {
    function refused(address caller, bytes memory call, bytes memory revertData) private {
        assertRefused(caller, address(actions), call, revertData);
    }

    function test_only_the_treasury_decides_on_payments() public {
        uint256 actionId = announce(coupon());
        bytes[5] memory calls = [
            abi.encodeCall(actions.announce, (coupon())),
            abi.encodeCall(actions.cancel, (actionId)),
            abi.encodeCall(actions.fund, (actionId)),
            abi.encodeCall(actions.close, (actionId)),
            abi.encodeCall(actions.settleThrough, (actionId, depository, dave, 1))
        ];
        address[8] memory people = [admin, issuer, agent, officer, auditor, upgrader, notary, stranger];
        for (uint256 i = 0; i < people.length; ++i) {
            for (uint256 j = 0; j < calls.length; ++j) {
                refused(people[i], calls[j], missingRole(people[i], Duties.TREASURY));
            }
        }
        bytes memory approval = abi.encodeCall(actions.approve, (actionId, keccak256(abi.encode(coupon()))));
        bytes memory naming = abi.encodeCall(actions.nameOwner, (actionId, depository, dave, 1));
        people[1] = treasurer;
        for (uint256 i = 0; i < people.length; ++i) {
            refused(people[i], approval, missingRole(people[i], Duties.ISSUER));
            if (people[i] != agent) refused(people[i], naming, missingRole(people[i], Duties.AGENT));
        }
    }

    // Two people.

    function test_the_issuer_agrees_to_the_terms_that_it_read() public {
        uint256 actionId = propose(coupon());
        bytes32 termsHash = keccak256(abi.encode(coupon()));
        refused(
            issuer,
            abi.encodeCall(actions.approve, (actionId, ~termsHash)),
            abi.encodeWithSelector(AgreedTerms.TermsDiffer.selector, actionId, ~termsHash, termsHash)
        );
        vm.warp(RECORD_DATE);
        vm.expectEmit(address(actions));
        emit AgreedTerms.TermsAgreed(actionId, treasurer, issuer, termsHash);
        vm.prank(issuer);
        actions.approve(actionId, termsHash);
        refused(
            issuer,
            abi.encodeCall(actions.approve, (actionId, termsHash)),
            statusError(actionId, CashActionStatus.Approved)
        );
    }

    function test_nobody_agrees_with_oneself() public {
        giveRole(Duties.ISSUER, treasurer);
        uint256 actionId = propose(coupon());
        refused(
            treasurer,
            abi.encodeCall(actions.approve, (actionId, keccak256(abi.encode(coupon())))),
            abi.encodeWithSelector(AgreedTerms.TermsApprovedByProposer.selector, actionId, treasurer)
        );
    }

    function test_what_the_issuer_did_not_agree_to_is_void_after_the_record_date() public {
        uint256 actionId = propose(coupon());
        vm.warp(RECORD_DATE + 1);
        refused(
            issuer,
            abi.encodeCall(actions.approve, (actionId, keccak256(abi.encode(coupon())))),
            abi.encodeWithSelector(RecordDateTerms.TermsRecordDateOver.selector, actionId, RECORD_DATE, RECORD_DATE + 1)
        );
        refused(treasurer, abi.encodeCall(actions.fund, (actionId)), statusError(actionId, CashActionStatus.Announced));
        vm.prank(treasurer);
        actions.cancel(actionId);
        assertStatus(actionId, CashActionStatus.Cancelled);
    }

    function test_who_names_an_owner_does_not_pay_it() public {
        uint256 actionId = bringToPayment(coupon());
        assertOwnerNotNamed(actionId, 10, 0);
        giveRole(Duties.AGENT, treasurer);
        vm.prank(treasurer);
        actions.nameOwner(actionId, depository, dave, 10);
        refused(
            treasurer,
            abi.encodeCall(actions.settleThrough, (actionId, depository, dave, 10)),
            abi.encodeWithSelector(HolderSettlement.ActionOwnerNamedByCaller.selector, actionId, dave, treasurer)
        );
        vm.startPrank(agent);
        actions.nameOwner(actionId, depository, dave, 9);
        vm.stopPrank();
        assertOwnerNotNamed(actionId, 10, 9);
        assertOwnerNotNamed(actionId, 8, 9);
        vm.startPrank(treasurer);
        actions.settleThrough(actionId, depository, dave, 9);
        vm.stopPrank();
        assertOwnerNotNamed(actionId, 9, 0);
    }

    function assertOwnerNotNamed(uint256 actionId, uint256 units, uint256 named) private {
        refused(
            treasurer,
            abi.encodeCall(actions.settleThrough, (actionId, depository, dave, units)),
            abi.encodeWithSelector(HolderSettlement.ActionOwnerNotNamed.selector, actionId, dave, units, named)
        );
    }

    function test_a_token_is_a_contract() public {
        expectError(abi.encodeWithSelector(TokenDuties.TokenDutiesNoToken.selector, stranger));
        new CashActions(IRegulatedToken(stranger));
    }
}
