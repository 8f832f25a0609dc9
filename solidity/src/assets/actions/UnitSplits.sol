// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../access/Duties.sol";
import {ITransferRules} from "../compliance/ITransferRules.sol";
import {Liens} from "../settlement/Liens.sol";
import {IRegulatedToken} from "../token/IRegulatedToken.sol";
import {AgreedTerms} from "./AgreedTerms.sol";
import {HolderSettlement} from "./HolderSettlement.sol";
import {RecordDateTerms} from "./RecordDateTerms.sol";
import {TokenDuties} from "./TokenDuties.sol";
import {UnitSplit, UnitSplitStatus, UnitSplitTerms} from "./UnitSplitTypes.sol";

/// @title UnitSplits
/// @notice Splits (desdobramento) and reverse splits (grupamento) of a token's units, by the balances of a record date.
/// @dev The issuer proposes, and the treasury agrees before the record date is over, or the split is void. There is no
/// loop over holders, so a split takes time: an agent pauses the token from the record date on, the split is started,
/// each holder's units are split by whoever asks, then the split is finished and the pause ends. Units are split only
/// while the token is paused, so that nobody trades old units as new ones.
///
/// Rounding: down, for each holder, to whole units. The supply of the record date as a whole becomes the terms' share
/// of it, rounded down: the units between that and the sum over holders are the fractions (frações), issued to the
/// account that the terms name when all holders have theirs.
///
/// This contract needs ISSUER_ROLE at the token. More units are an issue, which registry and rules may refuse: a
/// holder whose registration ended waits, and caps of balance and supply must be widened first. Fewer units are a
/// redemption, which units that are held refuse. A frozen wallet receives nothing either: while the token is paused its
/// freeze can be lifted for the split, since nothing leaves a paused token but by order.
///
/// DANGER: a split changes balances, and nothing that was agreed in units elsewhere. So units that are frozen or held
/// are refused: an agent frees them and freezes the new number, a notary releases and the parties hold anew. Units that a
/// custodian says its owner has pledged are refused too: the pledge is released first, or an agent names as owner who is
/// to keep the new units as security. A split does not start while a rule keeps books of issues (holding period, offering
/// cap): their books stay in old units, so that the rule may only come back when these count no more. Caps in units,
/// allowances, and orders of settlements that are open are the parties' to make anew.
contract UnitSplits is HolderSettlement, AgreedTerms, RecordDateTerms {
    /// @notice Most units of a token: 104 bits in the word of an account.
    uint256 public constant SUPPLY_MAX = type(uint104).max;

    /// @notice How many splits there were; ids count from 1.
    uint256 public splitCount;

    /// @dev Id to split.
    mapping(uint256 splitId => UnitSplit split) private _splits;

    /// @notice A split was announced.
    /// @param splitId The split.
    /// @param recordDate Whose balances count, in seconds since 1970.
    /// @param terms What becomes of the units.
    event UnitSplitAnnounced(uint256 indexed splitId, uint48 indexed recordDate, UnitSplitTerms terms);

    /// @notice A split was withdrawn.
    /// @param splitId The split.
    event UnitSplitCancelled(uint256 indexed splitId);

    /// @notice Holders get theirs from now on.
    /// @param splitId The split.
    /// @param units Supply at the record date.
    event UnitSplitStarted(uint256 indexed splitId, uint256 units);

    /// @notice A holder's units were split.
    /// @param splitId The split.
    /// @param holder Who had the units at the record date.
    /// @param to Whose they are: the holder, the wallet that took its place, or the owner for whom a custodian kept them.
    /// @param unitsBefore How many units were split.
    /// @param unitsAfter What became of them.
    event UnitSplitSettled(
        uint256 indexed splitId, address indexed holder, address indexed to, uint256 unitsBefore, uint256 unitsAfter
    );

    /// @notice All holders have theirs.
    /// @param splitId The split.
    /// @param fractionsAccount Who received the fractions.
    /// @param fractions Units that the holders' fractions added up to.
    event UnitSplitFinished(uint256 indexed splitId, address indexed fractionsAccount, uint256 fractions);

    /// @notice The ratio has a zero or changes nothing, or nobody receives the fractions.
    /// @param unitsBefore The units given before.
    /// @param unitsAfter The units given after.
    /// @param fractionsAccount The account given.
    error UnitSplitTermsInvalid(uint48 unitsBefore, uint48 unitsAfter, address fractionsAccount);

    /// @notice The split does not stand where this is possible.
    /// @param splitId The split.
    /// @param status Where it stands.
    error UnitSplitStatusInvalid(uint256 splitId, UnitSplitStatus status);

    /// @notice The token is not paused: old units could be traded as new ones.
    /// @param splitId The split.
    error UnitSplitTokenNotPaused(uint256 splitId);

    /// @notice Units were issued or redeemed since the record date.
    /// @param splitId The split.
    /// @param supply What is in issue.
    /// @param supplyAtDate What was at the record date.
    error UnitSplitSupplyMoved(uint256 splitId, uint256 supply, uint256 supplyAtDate);

    /// @notice Rules in force keep books of issues, which would stay in old units.
    /// @param splitId The split.
    /// @param rules The token's rules.
    error UnitSplitIssuesRecorded(uint256 splitId, address rules);

    /// @notice Units of the account are frozen or held, in old units.
    /// @param splitId The split.
    /// @param account The account.
    /// @param frozen Units frozen.
    /// @param held Units held.
    error UnitSplitUnitsBound(uint256 splitId, address account, uint256 frozen, uint256 held);

    /// @notice The custodian says that the owner has pledged units: the pledge would stay in old units.
    /// @param splitId The split.
    /// @param custodian The custodian.
    /// @param owner The owner that an agent named.
    /// @param pledged Units pledged.
    error UnitSplitUnitsPledged(uint256 splitId, address custodian, address owner, uint256 pledged);

    /// @notice More units would result than a token can have: the split could not be brought to its end.
    /// @param splitId The split.
    /// @param unitsResulting What the supply would be.
    /// @param max {SUPPLY_MAX}.
    error UnitSplitSupplyTooLarge(uint256 splitId, uint256 unitsResulting, uint256 max);

    /// @notice Not all holders have theirs.
    /// @param splitId The split.
    /// @param unsettled Units of the record date that were not split.
    error UnitSplitUnsettled(uint256 splitId, uint256 unsettled);

    /// @dev Reverts with `TokenDutiesNoToken`.
    /// @param token_ Whose units are split.
    constructor(IRegulatedToken token_) TokenDuties(token_) {}

    /// @notice Proposes a split.
    /// @dev Requires ISSUER_ROLE at the token. Emits {UnitSplitAnnounced}. Reverts with {UnitSplitTermsInvalid},
    /// {TermsRecordDateInvalid}, `ReentrancyGuardReentrantCall`.
    /// @param terms What becomes of the units.
    /// @return splitId The split.
    function announce(UnitSplitTerms calldata terms)
        external
        nonReentrant
        onlyDuty(Duties.ISSUER)
        returns (uint256 splitId)
    {
        (uint48 unitsBefore, uint48 unitsAfter) = (terms.unitsBefore, terms.unitsAfter);
        bool isRatioFit = unitsBefore != 0 && unitsAfter != 0 && unitsBefore != unitsAfter;
        if (!isRatioFit || terms.fractionsAccount == address(0)) {
            revert UnitSplitTermsInvalid(unitsBefore, unitsAfter, terms.fractionsAccount);
        }
        _checkRecordDate(terms.recordDate);
        splitId = ++splitCount;
        UnitSplit storage split = _splits[splitId];
        split.terms = terms;
        split.status = UnitSplitStatus.Announced;
        _propose(splitId);
        emit UnitSplitAnnounced(splitId, terms.recordDate, terms);
    }

    /// @notice Agrees to a split that the issuer proposed, while its record date is not over.
    /// @dev Requires TREASURY_ROLE at the token, and another account than who proposed. Emits {TermsAgreed}. Reverts with
    /// {UnitSplitStatusInvalid}, {TermsRecordDateOver}, {TermsDiffer}, {TermsApprovedByProposer},
    /// `ReentrancyGuardReentrantCall`.
    /// @param splitId The split.
    /// @param termsHash keccak256 of the ABI encoding of its terms.
    function approve(uint256 splitId, bytes32 termsHash) external nonReentrant onlyDuty(Duties.TREASURY) {
        UnitSplit storage split = _splitIn(splitId, UnitSplitStatus.Announced);
        UnitSplitTerms memory terms = split.terms;
        _checkAgreeable(splitId, terms.recordDate);
        split.status = UnitSplitStatus.Approved;
        _agree(splitId, termsHash, keccak256(abi.encode(terms)));
    }

    /// @notice Withdraws a split: before its record date is over, or if the treasury had not agreed by then, or if the
    /// token no longer knows the date.
    /// @dev Requires ISSUER_ROLE at the token. Emits {UnitSplitCancelled}. Reverts with {UnitSplitStatusInvalid},
    /// {TermsRecordDateOver}, `ReentrancyGuardReentrantCall`.
    /// @param splitId The split.
    function cancel(uint256 splitId) external nonReentrant onlyDuty(Duties.ISSUER) {
        UnitSplit storage split = _splits[splitId];
        if (split.status != UnitSplitStatus.Announced) {
            _splitIn(splitId, UnitSplitStatus.Approved);
            _checkWithdrawable(splitId, split.terms.recordDate);
        }
        split.status = UnitSplitStatus.Cancelled;
        emit UnitSplitCancelled(splitId);
    }

    /// @notice Counts the units of the record date; from now on holders get theirs.
    /// @dev Requires ISSUER_ROLE at the token, for the caller and for this contract. Emits {UnitSplitStarted}. Reverts
    /// with {UnitSplitStatusInvalid}, {UnitSplitTokenNotPaused}, {UnitSplitIssuesRecorded}, {UnitSplitSupplyMoved},
    /// {UnitSplitSupplyTooLarge}, `RecordDateNotOver` or `RecordDateUnknown` of the token, `ReentrancyGuardReentrantCall`.
    /// @param splitId The split.
    function start(uint256 splitId) external nonReentrant onlyDuty(Duties.ISSUER) {
        UnitSplit storage split = _splitIn(splitId, UnitSplitStatus.Approved);
        _checkDuty(Duties.ISSUER, address(this));
        _checkPaused(splitId);
        address rules = address(token.compliance());
        if (ITransferRules(rules).recordsIssues()) revert UnitSplitIssuesRecorded(splitId, rules);
        (uint256 supply, uint256 supplyAtDate) = (token.totalSupply(), token.totalSupplyAt(split.terms.recordDate));
        if (supply != supplyAtDate) revert UnitSplitSupplyMoved(splitId, supply, supplyAtDate);
        uint256 unitsResulting = _unitsAfter(split.terms, supply);
        if (unitsResulting > SUPPLY_MAX) revert UnitSplitSupplyTooLarge(splitId, unitsResulting, SUPPLY_MAX);
        split.status = UnitSplitStatus.Started;
        split.unitsTotal = uint104(supply);
        emit UnitSplitStarted(splitId, supply);
    }

    /// @notice Issues the fractions when all holders have theirs. The pause may end then.
    /// @dev Requires ISSUER_ROLE at the token. Emits {UnitSplitFinished}, and what the token emits. Reverts with
    /// {UnitSplitStatusInvalid}, {UnitSplitUnsettled}, `ReentrancyGuardReentrantCall`, or as the token's `mint` does.
    /// @param splitId The split.
    function finish(uint256 splitId) external nonReentrant onlyDuty(Duties.ISSUER) {
        UnitSplit storage split = _splitIn(splitId, UnitSplitStatus.Started);
        uint256 unsettled = split.unitsTotal - split.unitsSettled;
        if (unsettled != 0) revert UnitSplitUnsettled(splitId, unsettled);
        uint256 fractions = _unitsAfter(split.terms, split.unitsTotal) - split.unitsResulting;
        address account = split.terms.fractionsAccount;
        split.status = UnitSplitStatus.Finished;
        emit UnitSplitFinished(splitId, account, fractions);
        if (fractions != 0) token.mint(account, fractions);
    }

    /// @notice A split.
    /// @param splitId The split.
    /// @return The split; all zero if there is none.
    function getSplit(uint256 splitId) external view returns (UnitSplit memory) {
        return _splits[splitId];
    }

    /// @inheritdoc HolderSettlement
    function _duty() internal pure override returns (bytes32) {
        return Duties.ISSUER;
    }

    /// @inheritdoc HolderSettlement
    function _recordDateOf(uint256 splitId) internal view override returns (uint48) {
        UnitSplit storage split = _splits[splitId];
        if (split.status == UnitSplitStatus.None) revert UnitSplitStatusInvalid(splitId, split.status);
        return split.terms.recordDate;
    }

    /// @dev Issues or redeems the difference. Emits {UnitSplitSettled}. Reverts with {UnitSplitStatusInvalid},
    /// {UnitSplitTokenNotPaused}, {UnitSplitUnitsBound}, {UnitSplitUnitsPledged}, or as the token's `mint` or `burn` does.
    function _settle(uint256 splitId, address holder, address to, uint256 units) internal override {
        UnitSplit storage split = _splitIn(splitId, UnitSplitStatus.Started);
        _checkPaused(splitId);
        _checkUnbound(splitId, holder);
        if (to != holder) {
            _checkUnbound(splitId, to);
            _checkUnpledged(splitId, holder, to);
        }
        uint256 unitsAfter = _unitsAfter(split.terms, units);
        split.unitsSettled += uint104(units);
        split.unitsResulting += unitsAfter;
        emit UnitSplitSettled(splitId, holder, to, units, unitsAfter);
        if (unitsAfter > units) token.mint(to, unitsAfter - units);
        else if (unitsAfter < units) token.burn(_sourceOf(holder, to, units - unitsAfter), units - unitsAfter);
    }

    /// @dev The split, if it stands there.
    function _splitIn(uint256 splitId, UnitSplitStatus status) private view returns (UnitSplit storage split) {
        split = _splits[splitId];
        if (split.status != status) revert UnitSplitStatusInvalid(splitId, split.status);
    }

    function _checkPaused(uint256 splitId) private view {
        if (!token.paused()) revert UnitSplitTokenNotPaused(splitId);
    }

    function _checkUnbound(uint256 splitId, address account) private view {
        (uint256 frozen, uint256 held) = (token.getFrozenTokens(account), token.heldBalanceOf(account));
        if (frozen | held != 0) revert UnitSplitUnitsBound(splitId, account, frozen, held);
    }

    /// @dev Asks a custodian, which may be any account, what `Liens` would answer.
    function _checkUnpledged(uint256 splitId, address custodian, address owner) private view {
        (bool isAnswered, bytes memory answer) =
            custodian.staticcall(abi.encodeCall(Liens.pledgedOf, (owner, address(token), 0)));
        if (!isAnswered || answer.length != 32) return;
        uint256 pledged = abi.decode(answer, (uint256));
        if (pledged != 0) revert UnitSplitUnitsPledged(splitId, custodian, owner, pledged);
    }

    /// @dev Rounded down. No overflow: units fit 104 bits, the ratio's terms 48.
    function _unitsAfter(UnitSplitTerms storage terms, uint256 units) private view returns (uint256) {
        return units * terms.unitsAfter / terms.unitsBefore;
    }
}
