// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Duties} from "../access/Duties.sol";
import {UpgradeSwitch} from "../access/UpgradeSwitch.sol";
import {ICompliance} from "./ICompliance.sol";
import {IMovementSource} from "./IMovementSource.sol";
import {ITransferRules, Movement, Refusal} from "./ITransferRules.sol";
import {Rule, RuleBook, RuleKind, RuleWords} from "./RuleBook.sol";
import {RuleChecks} from "./RuleChecks.sol";
import {RulesData, RulesStorage, RulesVersion} from "./RulesStorage.sol";
import {ApprovalRule} from "./rules/ApprovalRule.sol";
import {HoldingPeriodRule} from "./rules/HoldingPeriodRule.sol";
import {OfferingCapRule} from "./rules/OfferingCapRule.sol";

/// @title ComplianceRules
/// @notice The rules of one token, in versions with the time from which each is in force.
/// @dev A version is a list of rules. Those of the house are libraries in `rules/`: an external call to each of four
/// modules would cost more than the rest of a transfer. Others are contracts (`IComplianceModule`), listed like those of
/// the house. Nothing bypasses the list; where it is not asked (orders, redemption), the token says so.
contract ComplianceRules is UpgradeSwitch, ICompliance, ITransferRules {
    /// @notice Largest number of rules in a version.
    uint256 public constant RULES_MAX = 16;

    /// @notice A version of the rules was set.
    /// @param version Its number, from 1.
    /// @param book Where its rules are.
    /// @param effectiveFrom From when it is in force, in seconds since 1970.
    event RulesScheduled(uint256 indexed version, address book, uint48 effectiveFrom);

    /// @notice A version was withdrawn before it came into force; the number is free again.
    /// @param version Its number.
    event RulesCancelled(uint256 indexed version);

    /// @notice A transfer was approved.
    /// @param from Who may send.
    /// @param to Who may receive.
    /// @param amount Exactly this many units, once.
    /// @param validUntil Until this second, in seconds since 1970; 0: the approval was withdrawn.
    event TransferApproved(address indexed from, address indexed to, uint256 amount, uint48 validUntil);

    /// @notice Only the bound token may tell what moved.
    /// @param caller Who did.
    /// @param token The bound token.
    error ComplianceNotToken(address caller, address token);

    /// @notice The rules are bound to a token, or to none, or it is zero.
    /// @param token The bound token.
    error ComplianceTokenInvalid(address token);

    /// @notice The version comes into force too soon.
    /// @param effectiveFrom What was given, in seconds since 1970.
    /// @param earliest The earliest time now.
    error ComplianceNoticeTooShort(uint48 effectiveFrom, uint256 earliest);

    /// @notice A version waits; it must come into force or be withdrawn first.
    /// @param effectiveFrom When it comes into force, in seconds since 1970.
    error ComplianceRulesPending(uint48 effectiveFrom);

    /// @notice No version waits.
    error ComplianceNoRulesPending();

    /// @notice Plain with an admin; an implementation for proxies without one.
    /// @param admin Receives the admin's role; zero: see `UpgradeSwitch`.
    /// @param noticeSeconds_ Shortest time from setting rules to their coming into force.
    /// @param rules In force from the start.
    constructor(address admin, uint48 noticeSeconds_, Rule[] memory rules) {
        if (admin == address(0)) _disableInitializers();
        else initialize(admin, noticeSeconds_, rules);
    }

    /// @notice Binds the rules to a token.
    /// @dev Requires COMPLIANCE_ROLE. Emits `TokenBound`. Reverts with {ComplianceTokenInvalid}.
    /// @param token The token; the rules are bound to none.
    function bindToken(address token) external onlyRole(Duties.COMPLIANCE) {
        RulesData storage data = RulesStorage.data();
        if (data.token != address(0) || token == address(0)) revert ComplianceTokenInvalid(data.token);
        data.token = token;
        emit TokenBound(token);
    }

    /// @notice Frees the rules from their token, which then cannot tell what moved: it must have other rules first.
    /// @dev Requires COMPLIANCE_ROLE. Emits `TokenUnbound`. Reverts with {ComplianceTokenInvalid}.
    /// @param token The token that the rules are bound to.
    function unbindToken(address token) external onlyRole(Duties.COMPLIANCE) {
        RulesData storage data = RulesStorage.data();
        if (token == address(0) || data.token != token) revert ComplianceTokenInvalid(data.token);
        delete data.token;
        emit TokenUnbound(token);
    }

    /// @notice Sets the next version of the rules.
    /// @dev Requires COMPLIANCE_ROLE. Emits {RulesScheduled}. Reverts with {ComplianceNoticeTooShort},
    /// {ComplianceRulesPending}, `RuleTooMany`, `RuleInvalid`, `RuleRepeated`.
    /// @param rules All rules of the version, at most {RULES_MAX}, of which three of somebody else's making; no second one
    /// of a kind that keeps books of issues. The first against a movement is the one named.
    /// @param effectiveFrom In force from this second on, in seconds since 1970; at least the notice from now.
    function scheduleRules(Rule[] calldata rules, uint48 effectiveFrom) external onlyRole(Duties.COMPLIANCE) {
        RulesData storage data = RulesStorage.data();
        uint256 earliest = block.timestamp + data.noticeSeconds;
        if (effectiveFrom < earliest) revert ComplianceNoticeTooShort(effectiveFrom, earliest);
        promoteRules();
        if (data.nextFrom != 0) revert ComplianceRulesPending(data.nextFrom);
        data.nextBook = _writeVersion(rules, effectiveFrom);
        data.nextFrom = effectiveFrom;
    }

    /// @notice Withdraws the version that waits.
    /// @dev Requires COMPLIANCE_ROLE. Emits {RulesCancelled}. Reverts with {ComplianceNoRulesPending}.
    function cancelRules() external onlyRole(Duties.COMPLIANCE) {
        promoteRules();
        RulesData storage data = RulesStorage.data();
        if (data.nextFrom == 0) revert ComplianceNoRulesPending();
        emit RulesCancelled(data.versions.length);
        data.versions.pop();
        delete data.nextFrom;
        delete data.nextBook;
    }

    /// @notice Approves one transfer, or withdraws the approval.
    /// @dev Requires COMPLIANCE_ROLE. Emits {TransferApproved}. Has an effect only under a rule of kind Approval.
    /// @param from Who may send.
    /// @param to Who may receive.
    /// @param amount Exactly this many units.
    /// @param validUntil Until this second, itself excluded, in seconds since 1970; 0 withdraws.
    function approveTransfer(address from, address to, uint256 amount, uint48 validUntil)
        external
        onlyRole(Duties.COMPLIANCE)
    {
        RulesStorage.data().approvals[ApprovalRule.keyOf(from, to, amount)] = validUntil;
        emit TransferApproved(from, to, amount, validUntil);
    }

    /// @notice Told by the token after a transfer, ordered ones included.
    /// @dev Requires to be the token. Reverts with {ComplianceNotToken}.
    /// @param from Who sent.
    /// @param to Who received.
    /// @param amount Units.
    function transferred(address from, address to, uint256 amount) external {
        _checkToken();
        ApprovalRule.record(from, to, amount);
    }

    /// @notice Told by the token after an issue.
    /// @dev Requires to be the token. Reverts with {ComplianceNotToken}.
    /// @param to Who received.
    /// @param amount Units.
    function created(address to, uint256 amount) external {
        _checkToken();
        uint32 investor = IMovementSource(msg.sender).investorNumber(to);
        (, uint256 cursor, uint256 end) = RuleBook.open(_bookInForce());
        while (cursor < end) {
            RuleKind kind;
            RuleWords words;
            (kind, words,, cursor) = RuleBook.next(cursor);
            if (kind == RuleKind.HoldingPeriod) HoldingPeriodRule.record(investor, amount, words.word(0));
            if (kind == RuleKind.OfferingCap) OfferingCapRule.record(investor, amount, words.word(0));
        }
    }

    /// @notice Told by the token after a redemption. No rule of the house keeps books of that.
    /// @dev Requires to be the token. Reverts with {ComplianceNotToken}.
    function destroyed(address, uint256) external view {
        _checkToken();
    }

    /// @inheritdoc ITransferRules
    function check(Movement memory movement) external view returns (bool recordNeeded) {
        (uint256 flags, uint256 cursor, uint256 end) = RuleBook.open(_bookInForce());
        while (cursor < end) {
            RuleKind kind;
            RuleWords words;
            (kind, words,, cursor) = RuleBook.next(cursor);
            (uint16 reason, uint256 argument) = RuleChecks.check(kind, movement, words);
            if (reason != 0) revert ComplianceRefused(RuleChecks.moduleOf(kind, words), reason, argument);
        }
        uint256 flag = movement.from == address(0) ? RuleBook.RECORDS_ISSUES : RuleBook.RECORDS_TRANSFERS;
        return flags & flag != 0;
    }

    /// @inheritdoc ITransferRules
    function recordsIssues() external view returns (bool) {
        (uint256 flags,,) = RuleBook.open(_bookInForce());
        return flags & RuleBook.RECORDS_ISSUES != 0;
    }

    /// @inheritdoc ITransferRules
    function refusals(Movement calldata movement) external view returns (Refusal[] memory) {
        return _refusals(movement);
    }

    /// @notice Whether the rules in force permit this transfer, with the facts as the bound token has them now.
    /// @dev Never reverts. What the token alone knows (pause, freezes, verification) is not asked.
    /// @param from Who would send.
    /// @param to Who would receive.
    /// @param amount Units.
    /// @return False also if no token is bound.
    function canTransfer(address from, address to, uint256 amount) external view returns (bool) {
        address token = RulesStorage.data().token;
        if (token.code.length == 0) return false;
        try IMovementSource(token).movementOf(from, to, amount) returns (Movement memory movement) {
            return _refusals(movement).length == 0;
        } catch {
            return false;
        }
    }

    /// @inheritdoc ICompliance
    function isTokenBound(address token) external view returns (bool) {
        return token != address(0) && token == RulesStorage.data().token;
    }

    /// @inheritdoc ICompliance
    function getTokenBound() external view returns (address) {
        return RulesStorage.data().token;
    }

    /// @notice Every version of the rules, the first at index 0; the last may wait.
    /// @return Where the rules are and from when they are in force.
    function rulesVersions() external view returns (RulesVersion[] memory) {
        return RulesStorage.data().versions;
    }

    /// @notice The rules of a version.
    /// @dev Reverts with an index out of bounds.
    /// @param version From 1.
    /// @return In the order in which they are asked.
    function rulesOf(uint256 version) external view returns (Rule[] memory) {
        return RuleBook.read(RulesStorage.data().versions[version - 1].book);
    }

    /// @notice The rules in force now.
    /// @return In the order in which they are asked.
    function rulesInForce() external view returns (Rule[] memory) {
        return RuleBook.read(_bookInForce());
    }

    /// @inheritdoc ITransferRules
    function noticeSeconds() external view returns (uint48) {
        return RulesStorage.data().noticeSeconds;
    }

    /// @notice Until when a transfer is approved.
    /// @param from Who may send.
    /// @param to Who may receive.
    /// @param amount Exactly this many units.
    /// @return Seconds since 1970; 0 if it is not approved.
    function approvedUntil(address from, address to, uint256 amount) external view returns (uint48) {
        return RulesStorage.data().approvals[ApprovalRule.keyOf(from, to, amount)];
    }

    /// @notice What an investor was issued in a calendar year while a rule of kind OfferingCap was in force.
    /// @param investor Number in the registry.
    /// @param year Such as 2026.
    /// @return Units.
    function issuedInYear(uint32 investor, uint16 year) external view returns (uint256) {
        return RulesStorage.data().issued[investor][year];
    }

    /// @notice What an investor must keep under a holding period of so many seconds.
    /// @param investor Number in the registry.
    /// @param periodSeconds The period.
    /// @return Units.
    function lockedUnits(uint32 investor, uint256 periodSeconds) external view returns (uint256) {
        return HoldingPeriodRule.lockedOf(investor, periodSeconds);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(ITransferRules).interfaceId
            || interfaceId == type(ICompliance).interfaceId;
    }

    /// @notice Sets a proxy's rules up, once.
    /// @dev Emits {RulesScheduled}. Reverts with `InvalidInitialization` later, `RolesZeroAccount`, `RuleTooMany`,
    /// `RuleInvalid`, `RuleRepeated`.
    /// @param admin Receives the admin's role.
    /// @param noticeSeconds_ Shortest time from setting rules to their coming into force.
    /// @param rules In force from the start; an empty list says that there are none.
    function initialize(address admin, uint48 noticeSeconds_, Rule[] memory rules) public initializer {
        _setAdmin(admin);
        RulesStorage.data().noticeSeconds = noticeSeconds_;
        RulesStorage.data().book = _writeVersion(rules, uint48(block.timestamp));
    }

    /// @notice Puts the version that waits in its place once it is in force, which makes transfers cheaper and changes
    /// nothing else. Anybody may; without it the version is in force all the same.
    function promoteRules() public {
        RulesData storage data = RulesStorage.data();
        if (data.nextFrom == 0 || block.timestamp < data.nextFrom) return;
        data.book = data.nextBook;
        delete data.nextFrom;
        delete data.nextBook;
    }

    function _writeVersion(Rule[] memory rules, uint48 effectiveFrom) private returns (address book) {
        RuleChecks.validate(rules, RULES_MAX);
        book = RuleBook.write(rules);
        RulesData storage data = RulesStorage.data();
        data.versions.push(RulesVersion(book, effectiveFrom));
        emit RulesScheduled(data.versions.length, book, effectiveFrom);
    }

    function _refusals(Movement memory movement) private view returns (Refusal[] memory list) {
        list = new Refusal[](RULES_MAX);
        uint256 count;
        (, uint256 cursor, uint256 end) = RuleBook.open(_bookInForce());
        while (cursor < end) {
            RuleKind kind;
            RuleWords words;
            (kind, words,, cursor) = RuleBook.next(cursor);
            (uint16 reason, uint256 argument) = RuleChecks.check(kind, movement, words);
            if (reason != 0) list[count++] = Refusal(RuleChecks.moduleOf(kind, words), reason, argument);
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    function _bookInForce() private view returns (address) {
        RulesData storage data = RulesStorage.data();
        (address book, uint48 nextFrom) = (data.book, data.nextFrom);
        return nextFrom != 0 && block.timestamp >= nextFrom ? data.nextBook : book;
    }

    function _checkToken() private view {
        address token = RulesStorage.data().token;
        if (msg.sender != token) revert ComplianceNotToken(msg.sender, token);
    }
}
