// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "./ITransferRules.sol";
import {Rule, RuleBook, RuleKind, RuleWords} from "./RuleBook.sol";
import {ApprovalRule} from "./rules/ApprovalRule.sol";
import {BalanceMaxRule} from "./rules/BalanceMaxRule.sol";
import {CountryRule} from "./rules/CountryRule.sol";
import {ExternalRule} from "./rules/ExternalRule.sol";
import {HolderCountRule} from "./rules/HolderCountRule.sol";
import {HoldingPeriodRule} from "./rules/HoldingPeriodRule.sol";
import {InvestorClassRule} from "./rules/InvestorClassRule.sol";
import {OfferingCapRule} from "./rules/OfferingCapRule.sol";
import {SupplyCapRule} from "./rules/SupplyCapRule.sol";
import {TransferWindowRule} from "./rules/TransferWindowRule.sol";

/// @title RuleChecks
/// @notice Which rule a kind is.
library RuleChecks {
    /// @notice There are more rules than a version takes, or more of somebody else's making.
    /// @param count How many.
    /// @param max The limit of these.
    error RuleTooMany(uint256 count, uint256 max);

    /// @notice A rule has the wrong number of words, or words that make no sense.
    /// @param index Which rule of the list, from 0.
    /// @param kind Its kind.
    error RuleInvalid(uint256 index, RuleKind kind);

    /// @notice A kind that keeps books of issues is there twice: each would enter the same issue in the same books.
    /// @param index Which rule of the list, from 0.
    /// @param kind Its kind.
    error RuleRepeated(uint256 index, RuleKind kind);

    /// @dev Reverts with {RuleTooMany}, {RuleInvalid} or {RuleRepeated} unless the rules make sense.
    function validate(Rule[] memory rules, uint256 max) internal view {
        if (rules.length > max) revert RuleTooMany(rules.length, max);
        uint256 kinds;
        uint256 modules;
        for (uint256 i = 0; i < rules.length; ++i) {
            RuleKind kind = rules[i].kind;
            if (!_isValid(kind, rules[i].words)) revert RuleInvalid(i, kind);
            uint256 bit = 1 << uint256(kind);
            if (kinds & bit != 0 && RuleBook.keepsIssues(kind)) revert RuleRepeated(i, kind);
            kinds |= bit;
            if (kind == RuleKind.External) ++modules;
        }
        if (modules > ExternalRule.RULES_MAX) revert RuleTooMany(modules, ExternalRule.RULES_MAX);
    }

    /// @dev What a rule says of a movement: 0 if it permits it.
    function check(RuleKind kind, Movement memory movement, RuleWords words)
        internal
        view
        returns (uint16 reason, uint256 argument)
    {
        if (kind == RuleKind.Country) return CountryRule.check(movement, words);
        if (kind == RuleKind.InvestorClass) return InvestorClassRule.check(movement, words);
        if (kind == RuleKind.BalanceMax) return BalanceMaxRule.check(movement, words);
        if (kind == RuleKind.HolderCount) return HolderCountRule.check(movement, words);
        if (kind == RuleKind.SupplyCap) return SupplyCapRule.check(movement, words);
        if (kind == RuleKind.HoldingPeriod) return HoldingPeriodRule.check(movement, words);
        if (kind == RuleKind.TransferWindow) return TransferWindowRule.check(movement, words);
        if (kind == RuleKind.Approval) return ApprovalRule.check(movement, words);
        if (kind == RuleKind.OfferingCap) return OfferingCapRule.check(movement, words);
        return ExternalRule.check(movement, words);
    }

    /// @dev Who refuses by such a rule: the module of somebody else, or the rules themselves.
    function moduleOf(RuleKind kind, RuleWords words) internal view returns (address) {
        return kind == RuleKind.External ? address(uint160(words.word(0))) : address(this);
    }

    function _isValid(RuleKind kind, uint256[] memory words) private view returns (bool) {
        if (words.length != _wordsOf(kind)) return false;
        uint256 word = words[0];
        if (kind == RuleKind.InvestorClass) return word != 0 && word <= type(uint8).max;
        if (kind == RuleKind.HolderCount) return words[1] <= type(uint104).max;
        if (kind == RuleKind.HoldingPeriod) return word <= type(uint48).max;
        if (kind == RuleKind.TransferWindow) return TransferWindowRule.isValid(word);
        if (kind == RuleKind.OfferingCap) return OfferingCapRule.isValid(word);
        if (kind == RuleKind.External) return word >> 160 == 0 && address(uint160(word)).code.length != 0;
        return true;
    }

    function _wordsOf(RuleKind kind) private pure returns (uint256) {
        if (kind == RuleKind.Country) return CountryRule.WORDS;
        if (kind == RuleKind.HolderCount) return HolderCountRule.WORDS;
        if (kind == RuleKind.External) return ExternalRule.WORDS;
        return 1;
    }
}
