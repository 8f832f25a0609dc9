// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "../ITransferRules.sol";
import {ReasonCodes} from "../ReasonCodes.sol";
import {RuleWords} from "../RuleBook.sol";
import {Lot, RulesStorage} from "../RulesStorage.sol";

/// @title HoldingPeriodRule
/// @notice What an investor was issued stays for a time. Units bought from others do not: their time passed with whom
/// they were issued to, and nobody can lock another's units by sending some.
/// @dev One word: the period in seconds. Books are kept per investor, so that a new wallet changes nothing, nor does a
/// removal: the wallet keeps its investor's number. What must stay is asked of the wallet that sends. Units that
/// leave by order or are redeemed count as bought ones that left. The loop sees at most {LOTS_MAX} lots: a further one is
/// joined with the last, whose time becomes the later one. (A longer period that is set later reaches back over so many
/// lots and no further.)
library HoldingPeriodRule {
    uint256 internal constant WORDS = 1;

    /// @dev Largest number of lots of an investor that are not free.
    uint256 internal constant LOTS_MAX = 16;

    function check(Movement memory movement, RuleWords words) internal view returns (uint16 reason, uint256 argument) {
        if (movement.from == address(0)) return (0, 0);
        uint256 locked = lockedOf(movement.fromIdentity.number(), words.word(0));
        bool fits = movement.fromBalance >= movement.amount && movement.fromBalance - movement.amount >= locked;
        // A sender without enough at all is the token's business, and one that never was registered has no lots here.
        return locked == 0 || fits ? (0, 0) : (ReasonCodes.HOLDING_PERIOD, locked);
    }

    /// @dev Units of an investor that are not free yet. Newest first: the first lot that is free ends the search.
    function lockedOf(uint32 investor, uint256 period) internal view returns (uint256 locked) {
        Lot[] storage lots = RulesStorage.data().lots[investor];
        uint256 length = lots.length;
        for (uint256 back = 1; back <= length && back <= LOTS_MAX; ++back) {
            Lot storage lot = lots[length - back];
            if (lot.issuedAt + period <= block.timestamp) return locked;
            locked += lot.amount;
        }
    }

    /// @dev Enters what was issued to an investor.
    function record(uint32 investor, uint256 amount, uint256 period) internal {
        Lot[] storage lots = RulesStorage.data().lots[investor];
        uint256 length = lots.length;
        bool isFull = length >= LOTS_MAX && lots[length - LOTS_MAX].issuedAt + period > block.timestamp;
        bool isSameTime = length != 0 && lots[length - 1].issuedAt == block.timestamp;
        if (!isFull && !isSameTime) {
            lots.push(Lot(uint104(amount), uint48(block.timestamp)));
        } else {
            // The sum of lots is at most what was ever issued to one investor; the token bounds its supply, not that.
            uint256 sum = lots[length - 1].amount + amount;
            uint104 held = sum > type(uint104).max ? type(uint104).max : uint104(sum);
            lots[length - 1] = Lot(held, uint48(block.timestamp));
        }
    }
}
