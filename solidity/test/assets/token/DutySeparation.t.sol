// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {AssetSuite} from "./AssetSuite.sol";

/// @title DutySeparationTest
/// @notice No role does another's work: every restricted function, called by everybody but whose duty it is.
contract DutySeparationTest is AssetSuite {
    struct Duty {
        bytes32 role;
        bytes call;
    }

    Duty[] private _duties;

    function test_no_role_does_another_s_work() public {
        list();
        address[9] memory people = [admin, issuer, agent, officer, treasurer, auditor, upgrader, notary, stranger];
        for (uint256 i = 0; i < _duties.length; ++i) {
            Duty memory duty = _duties[i];
            for (uint256 j = 0; j < people.length; ++j) {
                if (token.hasRole(duty.role, people[j])) continue;
                assertRefused(people[j], address(token), duty.call, missingRole(people[j], duty.role));
            }
        }
    }

    function list() private {
        (address[] memory none, uint256[] memory zero) = (new address[](0), new uint256[](0));
        add(Duties.ADMIN, abi.encodeCall(token.grantRole, (Duties.ISSUER, stranger)));
        add(Duties.ADMIN, abi.encodeCall(token.revokeRole, (Duties.ISSUER, issuer)));
        add(Duties.ADMIN, abi.encodeCall(token.addAgent, (stranger)));
        add(Duties.ADMIN, abi.encodeCall(token.removeAgent, (agent)));
        add(Duties.ADMIN, abi.encodeCall(token.transferOwnership, (stranger)));
        add(Duties.ISSUER, abi.encodeCall(token.mint, (alice, 1)));
        add(Duties.ISSUER, abi.encodeCall(token.burn, (alice, 1)));
        add(Duties.ISSUER, abi.encodeCall(token.batchMint, (none, zero)));
        add(Duties.ISSUER, abi.encodeCall(token.batchBurn, (none, zero)));
        add(Duties.ISSUER, abi.encodeCall(token.setName, ("")));
        add(Duties.ISSUER, abi.encodeCall(token.setSymbol, ("")));
        add(Duties.ISSUER, abi.encodeCall(token.setOnchainID, (alice)));
        add(Duties.AGENT, abi.encodeCall(token.pause, ()));
        add(Duties.AGENT, abi.encodeCall(token.unpause, ()));
        add(Duties.AGENT, abi.encodeCall(token.setAddressFrozen, (alice, true)));
        add(Duties.AGENT, abi.encodeCall(token.freezePartialTokens, (alice, 1)));
        add(Duties.AGENT, abi.encodeCall(token.unfreezePartialTokens, (alice, 1)));
        add(Duties.AGENT, abi.encodeCall(token.setFrozenTokens, (alice, 1)));
        add(Duties.AGENT, abi.encodeCall(token.forcedTransfer, (alice, bob, 1)));
        add(Duties.AGENT, abi.encodeCall(token.recoveryAddress, (alice, bob, stranger)));
        add(Duties.AGENT, abi.encodeCall(token.batchForcedTransfer, (none, none, zero)));
        add(Duties.AGENT, abi.encodeCall(token.batchSetAddressFrozen, (none, new bool[](0))));
        add(Duties.AGENT, abi.encodeCall(token.batchFreezePartialTokens, (none, zero)));
        add(Duties.AGENT, abi.encodeCall(token.batchUnfreezePartialTokens, (none, zero)));
        add(Duties.COMPLIANCE, abi.encodeCall(token.setIdentityRegistry, (address(registry))));
        add(Duties.COMPLIANCE, abi.encodeCall(token.setCompliance, (address(rules))));
        add(Duties.COMPLIANCE, abi.encodeCall(token.setRequiredTopics, (1)));
        add(Duties.COMPLIANCE, abi.encodeCall(token.announceChange, ("")));
        add(Duties.COMPLIANCE, abi.encodeCall(token.withdrawChange, (bytes32(0))));
        add(Duties.TREASURY, abi.encodeCall(token.scheduleRecordDate, (uint48(NOW))));
        add(Duties.TREASURY, abi.encodeCall(token.cancelRecordDate, (uint48(NOW))));
        add(Duties.AUDITOR, abi.encodeCall(token.attestSupply, (bytes32(0))));
        add(Duties.NOTARY, abi.encodeCall(token.executeHold, (bytes32(0), 1)));
    }

    function add(bytes32 role, bytes memory call) private {
        _duties.push(Duty(role, call));
    }
}
