// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Movement} from "../ITransferRules.sol";
import {ReasonCodes} from "../ReasonCodes.sol";
import {RuleWords} from "../RuleBook.sol";

/// @title SupplyCapRule
/// @notice No more than so much is in issue. Asks the token when units are issued, and only then.
/// @dev One word: the largest supply in units.
library SupplyCapRule {
    uint256 internal constant WORDS = 1;

    function check(Movement memory movement, RuleWords words) internal view returns (uint16 reason, uint256 argument) {
        if (movement.from != address(0)) return (0, 0);
        uint256 max = words.word(0);
        uint256 supply = IERC20(movement.token).totalSupply();
        if (supply <= max && movement.amount <= max - supply) return (0, 0);
        return (ReasonCodes.SUPPLY_MAX, max);
    }
}
