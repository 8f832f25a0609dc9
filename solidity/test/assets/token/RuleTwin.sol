// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rule, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {CountryRule} from "../../../src/assets/compliance/rules/CountryRule.sol";
import {TransferWindowRule} from "../../../src/assets/compliance/rules/TransferWindowRule.sol";
import {InvestorClass} from "../../../src/assets/identity/Identity.sol";
import {AssetSuite} from "./AssetSuite.sol";

/// @title RuleTwin
/// @notice What rules and registry say of a movement, told once more and simply: from what was ordered, and from balances
/// before the movement. Orders draw versions of rules and change investors.
abstract contract RuleTwin is AssetSuite {
    /// What the twin knows of an investor, whichever wallet it has.
    struct Investor {
        uint16 country;
        InvestorClass class;
        Issue[] issues;
    }

    /// Units that were issued while a holding period was in force.
    struct Issue {
        uint256 units;
        uint256 issuedAt;
    }

    /// The version in force; what is off forbids nothing.
    struct Version {
        bool deniesCuba;
        uint8 classes;
        uint256 balanceMax;
        uint256 holdersMax;
        uint256 balanceMin;
        bool hasPeriod;
        uint256 approvalFrom;
        uint8 weekdays;
    }

    /// The one holding period that versions draw: an issue is free when this is over.
    uint256 internal constant PERIOD = 20 days;
    uint8 private constant EVERY_DAY = 0x7f;

    Version internal version;
    mapping(address wallet => uint256 number) internal numberOf;
    mapping(address wallet => bool) internal isMember;
    mapping(address wallet => address) internal successor;
    mapping(uint256 number => Investor) private _investors;
    mapping(bytes32 transfer => bool) private _approved;

    /// @dev Knows an investor that the suite registered.
    function meet(address account, uint256 number) internal {
        (numberOf[account], isMember[account]) = (number, true);
        (_investors[number].country, _investors[number].class) = (BRAZIL, InvestorClass.Qualified);
    }

    /// @dev Puts a version in force: each bit of `kinds` a rule, its limits drawn from `limit`.
    function drawVersion(uint256 kinds, uint256 limit) internal {
        Rule[] memory list = new Rule[](7);
        uint256 count;
        version = Version(false, 0xff, type(uint256).max, type(uint256).max, 0, false, type(uint256).max, EVERY_DAY);
        if (kinds & 1 != 0) {
            uint16[] memory denied = new uint16[](1);
            denied[0] = CUBA;
            list[count++] = Rule(RuleKind.Country, CountryRule.encode(denied, true));
            version.deniesCuba = true;
        }
        if (kinds & 2 != 0) {
            version.classes = limit % 2 == 0 ? 0x0c : 0x0e;
            list[count++] = rule(RuleKind.InvestorClass, version.classes);
        }
        if (kinds & 4 != 0) {
            version.balanceMax = bound(limit, 100_000, 3_000_000);
            list[count++] = rule(RuleKind.BalanceMax, version.balanceMax);
        }
        if (kinds & 8 != 0) {
            (version.holdersMax, version.balanceMin) = (2 + limit % 4, limit % 3 * 50);
            list[count] = Rule(RuleKind.HolderCount, new uint256[](2));
            (list[count].words[0], list[count].words[1]) = (version.holdersMax, version.balanceMin);
            ++count;
        }
        if (kinds & 16 != 0) {
            version.hasPeriod = true;
            list[count++] = rule(RuleKind.HoldingPeriod, PERIOD);
        }
        if (kinds & 32 != 0) {
            version.approvalFrom = limit % 300_000;
            list[count++] = rule(RuleKind.Approval, version.approvalFrom);
        }
        if (kinds & 64 != 0) {
            version.weekdays = uint8(1 + limit % EVERY_DAY);
            uint256 word = TransferWindowRule.encode(version.weekdays, 0, 1 days, 0, 0, type(uint48).max);
            list[count++] = rule(RuleKind.TransferWindow, word);
        }
        assembly {
            mstore(list, count)
        }
        setRules(list);
    }

    /// @dev The officer approves a transfer; it is used up by the next one like it.
    function approveOnce(address from, address to, uint256 amount) internal {
        vm.prank(officer);
        rules.approveTransfer(from, to, amount, type(uint48).max);
        _approved[keyOf(from, to, amount)] = true;
    }

    /// @dev Another country and class of whoever has a wallet now.
    function changeInvestor(address account, bool isInCuba, InvestorClass class) internal {
        Investor storage investor = _investors[numberOf[account]];
        (investor.country, investor.class) = (isInCuba ? CUBA : BRAZIL, class);
        uint16 expiry = today() + 3_650;
        vm.startPrank(agent);
        registry.updateCountry(account, investor.country);
        registry.updateInvestor(account, class, expiry, false);
        vm.stopPrank();
    }

    /// @dev Takes a wallet out of the registry, or back in.
    function toggleMember(address account) internal {
        Investor storage investor = _investors[numberOf[account]];
        address identity = identityOf(numberOf[account]);
        uint16 expiry = today() + 3_650;
        vm.prank(agent);
        if (isMember[account]) registry.deleteIdentity(account);
        else registry.registerInvestor(account, identity, investor.country, investor.class, expiry);
        isMember[account] = !isMember[account];
    }

    /// @dev The investor of a wallet has another from now on.
    function replaceWallet(address lost, address next) internal {
        vm.prank(agent);
        registry.replaceWallet(lost, next);
        (isMember[lost], isMember[next], numberOf[next]) = (false, true, numberOf[lost]);
        successor[lost] = next;
    }

    /// @dev Enters a movement that happened.
    function enterMovement(address from, address to, uint256 amount) internal {
        if (from != address(0)) {
            if (version.approvalFrom != type(uint256).max) _approved[keyOf(from, to, amount)] = false;
        } else if (version.hasPeriod) {
            _investors[numberOf[to]].issues.push(Issue(amount, block.timestamp));
        }
    }

    /// @dev Whether rules or registry forbid a movement, before it.
    function isForbidden(address from, address to, uint256 amount) internal view returns (bool) {
        Investor storage receiver = _investors[numberOf[to]];
        if (!isMember[to]) return true;
        if (version.deniesCuba && receiver.country == CUBA) return true;
        if ((version.classes >> uint8(receiver.class)) & 1 == 0) return true;
        if (from != to && amount != 0 && isCrowded(from, to, amount)) return true;
        if (from == address(0)) return false;
        if ((version.weekdays >> weekday()) & 1 == 0) return true;
        if (amount >= version.approvalFrom && !_approved[keyOf(from, to, amount)]) return true;
        return version.hasPeriod && amount > spendable(token.balanceOf(from), lockedOf(from));
    }

    /// @dev Whether a balance would be too large, or too small, or there would be too many holders.
    function isCrowded(address from, address to, uint256 amount) private view returns (bool) {
        uint256 after_ = token.balanceOf(to) + amount;
        uint256 left = from == address(0) ? 0 : spendable(token.balanceOf(from), amount);
        if (after_ > version.balanceMax || after_ < version.balanceMin) return true;
        if (left != 0 && left < version.balanceMin) return true;
        bool isNew = after_ == amount && (from == address(0) || left != 0);
        return isNew && token.holderCount() >= version.holdersMax;
    }

    /// @dev Units of an investor whose time is not over.
    function lockedOf(address account) private view returns (uint256 locked) {
        if (numberOf[account] == 0) return 0;
        Issue[] storage issues = _investors[numberOf[account]].issues;
        for (uint256 i = 0; i < issues.length; ++i) {
            if (issues[i].issuedAt + PERIOD > block.timestamp) locked += issues[i].units;
        }
    }

    function spendable(uint256 balance, uint256 bound_) private pure returns (uint256) {
        return balance > bound_ ? balance - bound_ : 0;
    }

    /// @dev Day of the week in UTC, 0 for Monday: the suite begins on a Tuesday.
    function weekday() private view returns (uint256) {
        return (1 + block.timestamp / 1 days - NOW / 1 days) % 7;
    }

    function keyOf(address from, address to, uint256 amount) private pure returns (bytes32) {
        return keccak256(abi.encode(from, to, amount));
    }
}
