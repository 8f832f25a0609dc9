// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "../ITransferRules.sol";
import {ReasonCodes} from "../ReasonCodes.sol";
import {RuleWords} from "../RuleBook.sol";

/// @title HolderCountRule
/// @notice There are no more than so many holders, and nobody becomes or stays one with dust.
/// @dev Two words: the largest number of holders; the smallest balance of a holder in units, 0 for none. Without the
/// second, whoever holds units could fill all places with single units sent to verified wallets.
library HolderCountRule {
    uint256 internal constant WORDS = 2;

    function check(Movement memory movement, RuleWords words) internal pure returns (uint16 reason, uint256 argument) {
        if (movement.amount == 0 || movement.from == movement.to) return (0, 0);
        uint256 balanceMin = words.word(1);
        bool isDust = movement.amount < balanceMin && movement.toBalance < balanceMin - movement.amount;
        if (isDust) return (ReasonCodes.RECEIVER_BALANCE_MIN, balanceMin);
        uint256 remainder = movement.fromBalance < movement.amount ? 0 : movement.fromBalance - movement.amount;
        if (remainder != 0 && remainder < balanceMin) return (ReasonCodes.SENDER_BALANCE_MIN, balanceMin);
        if (movement.toBalance != 0) return (0, 0);
        bool takesAPlace = movement.from == address(0) || remainder != 0;
        uint256 holders = takesAPlace ? movement.holders + 1 : movement.holders;
        return holders <= words.word(0) ? (0, 0) : (ReasonCodes.HOLDERS_MAX, words.word(0));
    }
}
