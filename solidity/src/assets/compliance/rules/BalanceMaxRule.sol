// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "../ITransferRules.sol";
import {ReasonCodes} from "../ReasonCodes.sol";
import {RuleWords} from "../RuleBook.sol";

/// @title BalanceMaxRule
/// @notice No investor has more than so much. Infrastructure is exempt.
/// @dev One word: the largest balance in units. Who has more already (a rule came later) may send but not receive.
library BalanceMaxRule {
    uint256 internal constant WORDS = 1;

    function check(Movement memory movement, RuleWords words) internal pure returns (uint16 reason, uint256 argument) {
        uint256 max = words.word(0);
        bool fits = movement.toBalance <= max && movement.amount <= max - movement.toBalance;
        if (fits || movement.from == movement.to || movement.toIdentity.isInfrastructure()) return (0, 0);
        return (ReasonCodes.BALANCE_MAX, max);
    }
}
