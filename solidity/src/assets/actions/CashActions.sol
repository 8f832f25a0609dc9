// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../access/Duties.sol";
import {IRegulatedToken} from "../token/IRegulatedToken.sol";
import {AgreedTerms} from "./AgreedTerms.sol";
import {CashAction, CashActionKind, CashActionStatus, CashActionTerms} from "./CashActionTypes.sol";
import {EscrowedMoney} from "./EscrowedMoney.sol";
import {HolderSettlement} from "./HolderSettlement.sol";
import {RecordDateTerms} from "./RecordDateTerms.sol";
import {TokenDuties} from "./TokenDuties.sol";

/// @title CashActions
/// @notice Payments to the holders of a token at a record date: coupon, dividend, amortisation, redemption.
/// @dev In five steps: the treasurer announces a record date at the token, and the action here; the issuer agrees to the
/// terms before the date is over, or they are void; the treasurer pays in the whole when it is; from the day of payment
/// on each holder is paid, by whoever asks; what is left goes to the issuer's account.
///
/// Rounding: down, for each payment, to the currency's smallest unit and to whole units to burn. The whole that is paid
/// in is the terms' money for the supply, rounded down: it covers every payment. What rounding leaves goes to the
/// issuer's account once every unit was paid for, together with what nobody claimed by the end of claims.
///
/// Amortisation and redemption burn units of the holder with the payment, or the payment is refused: nobody is paid who
/// does not give up the units. This contract needs ISSUER_ROLE at the token for these two kinds, and no role otherwise.
/// DANGER: units sold after the record date are not there to burn, and their buyer is owed nothing. Stop transfers (a
/// pause, a window, a rule) from the record date of a redemption on. Units that are held must be released first.
///
/// A frozen wallet is paid as any other: who must withhold the money freezes it where the money is.
contract CashActions is HolderSettlement, AgreedTerms, RecordDateTerms {
    /// @notice Shortest time that holders have to claim, where claims end at all, in seconds.
    uint256 public constant CLAIM_SECONDS_MIN = 30 days;

    /// @notice How many actions there were; ids count from 1.
    uint256 public actionCount;

    /// @dev Id to action.
    mapping(uint256 actionId => CashAction action) private _actions;

    /// @notice A payment was announced.
    /// @param actionId The action.
    /// @param recordDate Whose balances count, in seconds since 1970.
    /// @param terms What is paid.
    event CashActionAnnounced(uint256 indexed actionId, uint48 indexed recordDate, CashActionTerms terms);

    /// @notice A payment was withdrawn.
    /// @param actionId The action.
    event CashActionCancelled(uint256 indexed actionId);

    /// @notice The whole was paid in.
    /// @param actionId The action.
    /// @param funder Who paid.
    /// @param amount How much, in the currency's smallest unit.
    /// @param units Supply at the record date.
    event CashActionFunded(uint256 indexed actionId, address indexed funder, uint256 amount, uint256 units);

    /// @notice A holder was paid.
    /// @param actionId The action.
    /// @param holder Who had the units at the record date.
    /// @param to Who received: the holder, the wallet that took its place, or the owner for whom a custodian kept them.
    /// @param units For how many units.
    /// @param amount How much, in the currency's smallest unit.
    /// @param burnt Units burnt.
    event CashActionPaid(
        uint256 indexed actionId,
        address indexed holder,
        address indexed to,
        uint256 units,
        uint256 amount,
        uint256 burnt
    );

    /// @notice Nothing is paid any more.
    /// @param actionId The action.
    /// @param remainder What went to the issuer, in the currency's smallest unit.
    /// @param unclaimedUnits For how many units nobody was paid.
    event CashActionClosed(uint256 indexed actionId, uint256 remainder, uint256 unclaimedUnits);

    /// @notice The currency is no contract or the token itself, or the issuer's account is none.
    /// @param currency The currency given.
    /// @param issuerAccount The account given.
    error CashActionMoneyInvalid(address currency, address issuerAccount);

    /// @notice Nothing would be paid, or what would be burnt does not fit the kind.
    /// @param kind The kind given.
    /// @param moneyPerLot The money given.
    /// @param lotUnits The units given that it is for.
    /// @param burnPerLot The units given to burn.
    error CashActionRateInvalid(CashActionKind kind, uint128 moneyPerLot, uint104 lotUnits, uint104 burnPerLot);

    /// @notice Payment begins before the record date is over, or claims end too soon after it begins.
    /// @param recordDate The date given, in seconds since 1970.
    /// @param payableFrom The day given.
    /// @param claimsEnd The end given.
    error CashActionPeriodInvalid(uint48 recordDate, uint48 payableFrom, uint48 claimsEnd);

    /// @notice The action does not stand where this is possible.
    /// @param actionId The action.
    /// @param status Where it stands.
    error CashActionStatusInvalid(uint256 actionId, CashActionStatus status);

    /// @notice The day of payment has not come.
    /// @param actionId The action.
    /// @param payableFrom The day, in seconds since 1970.
    /// @param time Time of the block.
    error CashActionNotPayable(uint256 actionId, uint48 payableFrom, uint256 time);

    /// @notice Holders are not all paid, and may still claim.
    /// @param actionId The action.
    /// @param unclaimedUnits For how many units nobody was paid.
    /// @param claimsEnd End of claims, in seconds since 1970; zero: none.
    /// @param time Time of the block.
    error CashActionStillClaimable(uint256 actionId, uint256 unclaimedUnits, uint48 claimsEnd, uint256 time);

    /// @dev Reverts with `TokenDutiesNoToken`.
    /// @param token_ Whose holders are paid.
    constructor(IRegulatedToken token_) TokenDuties(token_) {}

    /// @notice Proposes a payment.
    /// @dev Requires TREASURY_ROLE at the token. Emits {CashActionAnnounced}. Reverts with {CashActionMoneyInvalid},
    /// {CashActionRateInvalid}, {TermsRecordDateInvalid}, {CashActionPeriodInvalid},
    /// `ReentrancyGuardReentrantCall`.
    /// @param terms What is paid, to whom, and when.
    /// @return actionId The action.
    function announce(CashActionTerms calldata terms)
        external
        nonReentrant
        onlyDuty(Duties.TREASURY)
        returns (uint256 actionId)
    {
        _checkTerms(terms);
        actionId = ++actionCount;
        CashAction storage action = _actions[actionId];
        action.terms = terms;
        action.status = CashActionStatus.Announced;
        _propose(actionId);
        emit CashActionAnnounced(actionId, terms.recordDate, terms);
    }

    /// @notice Agrees to a payment that the treasurer proposed, while its record date is not over.
    /// @dev Requires ISSUER_ROLE at the token, and another account than who proposed. Emits {TermsAgreed}. Reverts with
    /// {CashActionStatusInvalid}, {TermsRecordDateOver}, {TermsDiffer}, {TermsApprovedByProposer},
    /// `ReentrancyGuardReentrantCall`.
    /// @param actionId The action.
    /// @param termsHash keccak256 of the ABI encoding of its terms.
    function approve(uint256 actionId, bytes32 termsHash) external nonReentrant onlyDuty(Duties.ISSUER) {
        CashAction storage action = _actionIn(actionId, CashActionStatus.Announced);
        CashActionTerms memory terms = action.terms;
        _checkAgreeable(actionId, terms.recordDate);
        action.status = CashActionStatus.Approved;
        _agree(actionId, termsHash, keccak256(abi.encode(terms)));
    }

    /// @notice Withdraws a payment: before its record date is over, or if the issuer had not agreed by then, or if the
    /// token no longer knows the date. The record date itself stays: others may count on it.
    /// @dev Requires TREASURY_ROLE at the token. Emits {CashActionCancelled}. Reverts with {CashActionStatusInvalid},
    /// {TermsRecordDateOver}, `ReentrancyGuardReentrantCall`.
    /// @param actionId The action.
    function cancel(uint256 actionId) external nonReentrant onlyDuty(Duties.TREASURY) {
        CashAction storage action = _actions[actionId];
        if (action.status != CashActionStatus.Announced) {
            _actionIn(actionId, CashActionStatus.Approved);
            _checkWithdrawable(actionId, action.terms.recordDate);
        }
        action.status = CashActionStatus.Cancelled;
        emit CashActionCancelled(actionId);
    }

    /// @notice Pays the whole in, within the allowance that the caller gave to this contract.
    /// @dev Requires TREASURY_ROLE at the token; for a kind that burns, also that this contract has ISSUER_ROLE. Emits
    /// {CashActionFunded}, and what the currency emits. Reverts with {CashActionStatusInvalid}, `RecordDateNotOver` or
    /// `RecordDateUnknown` of the token, `ReentrancyGuardReentrantCall`, or as `TokenMovement.take` does.
    /// @param actionId The action.
    function fund(uint256 actionId) external nonReentrant onlyDuty(Duties.TREASURY) {
        CashAction storage action = _actionIn(actionId, CashActionStatus.Approved);
        CashActionTerms storage terms = action.terms;
        if (terms.burnPerLot != 0) _checkDuty(Duties.ISSUER, address(this));
        uint256 units = token.totalSupplyAt(terms.recordDate);
        uint256 amount = _moneyFor(terms, units);
        action.status = CashActionStatus.Funded;
        action.unitsTotal = uint104(units);
        action.funded = amount;
        emit CashActionFunded(actionId, msg.sender, amount, units);
        EscrowedMoney.collect(terms.currency, msg.sender, amount);
    }

    /// @notice Ends a payment when all holders are paid, or their time to claim is over: what is left goes to the
    /// issuer's account. Until this is called, holders are paid also after the end of claims.
    /// @dev Requires TREASURY_ROLE at the token. Emits {CashActionClosed}, and what the currency emits. Reverts with
    /// {CashActionStatusInvalid}, {CashActionStillClaimable}, `ReentrancyGuardReentrantCall`, or as
    /// `EscrowedMoney.giveBack` does.
    /// @param actionId The action.
    function close(uint256 actionId) external nonReentrant onlyDuty(Duties.TREASURY) {
        CashAction storage action = _actionIn(actionId, CashActionStatus.Funded);
        uint256 unclaimed = action.unitsTotal - action.unitsSettled;
        uint48 claimsEnd = action.terms.claimsEnd;
        if (unclaimed != 0 && (claimsEnd == 0 || block.timestamp < claimsEnd)) {
            revert CashActionStillClaimable(actionId, unclaimed, claimsEnd, block.timestamp);
        }
        uint256 remainder = action.funded - action.paid;
        action.status = CashActionStatus.Closed;
        emit CashActionClosed(actionId, remainder, unclaimed);
        EscrowedMoney.giveBack(action.terms.currency, action.terms.issuerAccount, remainder);
    }

    /// @notice An action.
    /// @param actionId The action.
    /// @return The action; all zero if there is none.
    function getAction(uint256 actionId) external view returns (CashAction memory) {
        return _actions[actionId];
    }

    /// @notice What is due to a holder and was not paid.
    /// @dev Reverts with {CashActionStatusInvalid} unless there is such an action, or as the token does while the record
    /// date is not over. Does not say whether it would be paid now.
    /// @param actionId The action.
    /// @param holder Who had units at the record date.
    /// @return units For how many units.
    /// @return amount In the currency's smallest unit.
    /// @return burnt Units that would be burnt.
    function dueTo(uint256 actionId, address holder)
        external
        view
        returns (uint256 units, uint256 amount, uint256 burnt)
    {
        units = unsettledOf(actionId, holder);
        CashActionTerms storage terms = _actions[actionId].terms;
        (amount, burnt) = (_moneyFor(terms, units), _burnFor(terms, units));
    }

    /// @inheritdoc HolderSettlement
    function _duty() internal pure override returns (bytes32) {
        return Duties.TREASURY;
    }

    /// @inheritdoc HolderSettlement
    function _recordDateOf(uint256 actionId) internal view override returns (uint48) {
        CashAction storage action = _actions[actionId];
        if (action.status == CashActionStatus.None) revert CashActionStatusInvalid(actionId, action.status);
        return action.terms.recordDate;
    }

    /// @dev Pays. Emits {CashActionPaid}. Reverts with {CashActionStatusInvalid}, {CashActionNotPayable}, or as the
    /// token's `burn` or `EscrowedMoney.pay` does.
    function _settle(uint256 actionId, address holder, address to, uint256 units) internal override {
        CashAction storage action = _actionIn(actionId, CashActionStatus.Funded);
        CashActionTerms storage terms = action.terms;
        uint48 payableFrom = terms.payableFrom;
        if (block.timestamp < payableFrom) revert CashActionNotPayable(actionId, payableFrom, block.timestamp);
        (uint256 amount, uint256 burnt) = (_moneyFor(terms, units), _burnFor(terms, units));
        action.unitsSettled += uint104(units);
        action.paid += amount;
        emit CashActionPaid(actionId, holder, to, units, amount, burnt);
        if (burnt != 0) token.burn(_sourceOf(holder, to, burnt), burnt);
        EscrowedMoney.pay(terms.currency, to, amount);
    }

    function _checkTerms(CashActionTerms calldata terms) private view {
        (address currency, address issuerAccount) = (terms.currency, terms.issuerAccount);
        bool isAccountFit = issuerAccount != address(0) && issuerAccount != address(this);
        if (currency.code.length == 0 || currency == address(token) || !isAccountFit) {
            revert CashActionMoneyInvalid(currency, issuerAccount);
        }
        if (terms.moneyPerLot == 0 || terms.lotUnits == 0 || !_isBurnFit(terms)) {
            revert CashActionRateInvalid(terms.kind, terms.moneyPerLot, terms.lotUnits, terms.burnPerLot);
        }
        (uint48 recordDate, uint48 payableFrom) = (terms.recordDate, terms.payableFrom);
        _checkRecordDate(recordDate);
        bool isEndFit = terms.claimsEnd == 0 || terms.claimsEnd >= payableFrom + CLAIM_SECONDS_MIN;
        if (payableFrom <= recordDate || !isEndFit) {
            revert CashActionPeriodInvalid(recordDate, payableFrom, terms.claimsEnd);
        }
    }

    /// @dev The action, if it stands there.
    function _actionIn(uint256 actionId, CashActionStatus status) private view returns (CashAction storage action) {
        action = _actions[actionId];
        if (action.status != status) revert CashActionStatusInvalid(actionId, action.status);
    }

    /// @dev Rounded down. No overflow: units fit 104 bits, money 128.
    function _moneyFor(CashActionTerms storage terms, uint256 units) private view returns (uint256) {
        return units * terms.moneyPerLot / terms.lotUnits;
    }

    /// @dev Rounded down.
    function _burnFor(CashActionTerms storage terms, uint256 units) private view returns (uint256) {
        return units * terms.burnPerLot / terms.lotUnits;
    }

    function _isBurnFit(CashActionTerms calldata terms) private pure returns (bool) {
        if (terms.kind == CashActionKind.Redemption) return terms.burnPerLot == terms.lotUnits;
        if (terms.kind == CashActionKind.Amortisation) return terms.burnPerLot < terms.lotUnits;
        return terms.burnPerLot == 0;
    }
}
