// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IComplianceModule} from "../IComplianceModule.sol";
import {Movement} from "../ITransferRules.sol";
import {ReasonCodes} from "../ReasonCodes.sol";
import {RuleWords} from "../RuleBook.sol";

/// @title ExternalRule
/// @notice A module of somebody else's making judges. It can change nothing, costs a bounded amount of gas, and if it
/// fails the movement is refused.
/// @dev Two words: the module's address; its configuration.
library ExternalRule {
    uint256 internal constant WORDS = 2;

    /// @dev Most gas that a module gets for one answer.
    uint256 internal constant MODULE_GAS_MAX = 200_000;

    /// @dev Most modules of a version. Who asks within a bounded call, as an offering does for each order within
    /// 1,000,000 gas, must get an answer and not run out of gas: three modules use at most 600,000, and thirteen rules of
    /// the house, registry and token need less than 250,000.
    uint256 internal constant RULES_MAX = 3;

    /// @dev Smallest reason of a module's own; smaller ones are the house's.
    uint16 internal constant MODULE_REASON_MIN = 1_000;

    function check(Movement memory movement, RuleWords words) internal view returns (uint16 reason, uint256 argument) {
        address module = address(uint160(words.word(0)));
        bytes memory question = abi.encodeCall(IComplianceModule.check, (movement, bytes32(words.word(1))));
        uint256 answeredReason;
        bool answered;
        // The answer is copied to where the scratch space is, two words of it and no more: a module cannot make us pay
        // for a long one.
        assembly ("memory-safe") {
            answered := staticcall(MODULE_GAS_MAX, module, add(question, 0x20), mload(question), 0, 0x40)
            answered := and(answered, eq(returndatasize(), 0x40))
            answeredReason := mload(0)
            argument := mload(0x20)
        }
        if (!answered || !_isReason(answeredReason)) return (ReasonCodes.MODULE_FAILED, uint160(module));
        return answeredReason == 0 ? (0, 0) : (uint16(answeredReason), argument);
    }

    function _isReason(uint256 reason) private pure returns (bool) {
        return reason == 0 || (reason >= MODULE_REASON_MIN && reason <= type(uint16).max);
    }
}
