// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "../ITransferRules.sol";
import {ReasonCodes} from "../ReasonCodes.sol";
import {RuleWords} from "../RuleBook.sol";

/// @title InvestorClassRule
/// @notice The receiver is of a class that the offering is for. Infrastructure is exempt.
/// @dev One word: bit `c` permits class `c` of `InvestorClass`. An offering for qualified investors permits professional
/// ones too (CVM Resolution 30 of 2021, article 12): 0x0c.
library InvestorClassRule {
    uint256 internal constant WORDS = 1;

    function check(Movement memory movement, RuleWords words) internal pure returns (uint16 reason, uint256 argument) {
        uint256 class = movement.toIdentity.class();
        if ((words.word(0) >> class) & 1 != 0 || movement.toIdentity.isInfrastructure()) return (0, 0);
        return (ReasonCodes.INVESTOR_CLASS, class);
    }
}
