// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "../ITransferRules.sol";
import {ReasonCodes} from "../ReasonCodes.sol";
import {RuleWords} from "../RuleBook.sol";
import {RulesStorage} from "../RulesStorage.sol";

/// @title ApprovalRule
/// @notice A transfer from some size on needs an approval of exactly this transfer, which is used up by it.
/// @dev One word: from how many units on; 0 for every transfer. Issues are not bound.
library ApprovalRule {
    uint256 internal constant WORDS = 1;

    function check(Movement memory movement, RuleWords words) internal view returns (uint16 reason, uint256 argument) {
        uint256 from = words.word(0);
        if (movement.from == address(0) || movement.amount < from) return (0, 0);
        uint48 validUntil = RulesStorage.data().approvals[keyOf(movement.from, movement.to, movement.amount)];
        return block.timestamp < validUntil ? (0, 0) : (ReasonCodes.APPROVAL_MISSING, from);
    }

    /// @dev Uses the approval of a transfer up, if there is one.
    function record(address from, address to, uint256 amount) internal {
        delete RulesStorage.data().approvals[keyOf(from, to, amount)];
    }

    /// @dev What an approval is kept under.
    function keyOf(address from, address to, uint256 amount) internal pure returns (bytes32) {
        return keccak256(abi.encode(from, to, amount));
    }
}
