// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {Duties} from "../access/Duties.sol";
import {IRegulatedToken} from "../token/IRegulatedToken.sol";
import {EntryBatch} from "./EntryBatch.sol";
import {InvestorAccounts} from "./InvestorAccounts.sol";
import {TokenDuties} from "./TokenDuties.sol";

/// @notice What an agent said of an owner whose units a custodian keeps.
struct NamedUnits {
    /// Who said so.
    address agent;
    /// How many units; zero once settled or taken back.
    uint256 units;
}

/// @title HolderSettlement
/// @notice Gives every holder of a record date what an action says, once: when the holder asks, when somebody else asks
/// for it, or to many in a batch.
/// @dev What counts is the balance at the record date, held and frozen units included. It is settled by units: an
/// account's units are settled once, whoever asks for it.
///
/// An account that is infrastructure by the registry (a settlement contract, a contract of liens) keeps units for
/// others and could do nothing with what it is paid: it is refused. It takes two duties to pay an owner: an agent names
/// the owner and its units, then the duty of the action settles exactly these.
/// DANGER: the custodian is not told. Read its books before an owner is named: to whom it owes the units, and whether
/// somebody else was promised them.
abstract contract HolderSettlement is TokenDuties, EntryBatch, ReentrancyGuard {
    using InvestorAccounts for IRegulatedToken;

    /// @dev Action and account to how many of the account's units are settled.
    mapping(uint256 actionId => mapping(address account => uint256 units)) private _settled;

    /// @dev Action, custodian and owner to what an agent said of the owner's part.
    mapping(uint256 actionId => mapping(address custodian => mapping(address owner => NamedUnits named))) private
        _named;

    /// @notice An agent said how many of a custodian's units are an owner's: what it said before counts no more.
    /// @param actionId The action.
    /// @param custodian Who had the units at the record date.
    /// @param owner Whose they are.
    /// @param agent Who said so.
    /// @param units How many; 0: none any more.
    event ActionOwnerNamed(
        uint256 indexed actionId, address indexed custodian, address indexed owner, address agent, uint256 units
    );

    /// @notice An entry of a batch was not done. Nothing changed for this account, which can be settled later.
    /// @param actionId The action.
    /// @param holder The account.
    /// @param reason What the entry reverted with, cut off after {REASON_BYTES_MAX} bytes.
    event ActionEntrySkipped(uint256 indexed actionId, address indexed holder, bytes reason);

    /// @notice The account had no units at the record date, or all of them are settled.
    /// @param actionId The action.
    /// @param holder The account.
    /// @param settled How many units are settled.
    error ActionNothingDue(uint256 actionId, address holder, uint256 settled);

    /// @notice The account keeps units for others: an agent names the owners, and {settleThrough} pays them.
    /// @param actionId The action.
    /// @param custodian The account.
    error ActionHolderIsCustodian(uint256 actionId, address custodian);

    /// @notice The account keeps no units for others: {settle} is its way.
    /// @param actionId The action.
    /// @param holder The account.
    error ActionHolderIsNoCustodian(uint256 actionId, address holder);

    /// @notice No units, or more than the custodian's that are not settled, or an owner that is none.
    /// @param actionId The action.
    /// @param owner The owner given.
    /// @param units The units given.
    /// @param unsettled How many units of the custodian are not settled.
    error ActionOwnerInvalid(uint256 actionId, address owner, uint256 units, uint256 unsettled);

    /// @notice No agent named the owner for just so many units.
    /// @param actionId The action.
    /// @param owner The owner given.
    /// @param units The units given.
    /// @param named What an agent named, and was not settled.
    error ActionOwnerNotNamed(uint256 actionId, address owner, uint256 units, uint256 named);

    /// @notice Who named the owner cannot settle for it.
    /// @param actionId The action.
    /// @param owner The owner given.
    /// @param agent Who named it, and called.
    error ActionOwnerNamedByCaller(uint256 actionId, address owner, address agent);

    /// @notice Gives a holder what is due. If the wallet was replaced, the one that took its place receives.
    /// @dev Open to everybody. Emits what the action emits. Reverts with {ActionNothingDue}, {ActionHolderIsCustodian},
    /// `InvestorSuccessionsTooMany`, `ReentrancyGuardReentrantCall`, or as the action does.
    /// @param actionId The action.
    /// @param holder Who had the units at the record date.
    function settle(uint256 actionId, address holder) external nonReentrant {
        _settleHolder(actionId, holder);
    }

    /// @notice {settle} per entry. One that fails is passed over, and can be settled later.
    /// @dev Open to everybody. Emits {ActionEntrySkipped} for an entry that fails. Reverts with `BatchInvalid`,
    /// `BatchGasInsufficient`, `ReentrancyGuardReentrantCall`.
    /// @param actionId The action.
    /// @param holders At most {BATCH_ENTRIES_MAX} accounts.
    /// @return count How many entries were done.
    function settleMany(uint256 actionId, address[] calldata holders) external nonReentrant returns (uint256 count) {
        _checkBatch(holders.length);
        for (uint256 i = 0; i < holders.length; ++i) {
            (bool done, bytes memory reason) = _runEntry(abi.encodeCall(this.settleEntry, (actionId, holders[i])));
            if (done) ++count;
            else emit ActionEntrySkipped(actionId, holders[i], reason);
        }
    }

    /// @notice {settle} as an entry of a batch.
    /// @dev Requires that this contract calls itself. Reverts with `BatchEntryOnly`, or as {settle} does.
    /// @param actionId The action.
    /// @param holder Who had the units at the record date.
    function settleEntry(uint256 actionId, address holder) external onlyEntry {
        _settleHolder(actionId, holder);
    }

    /// @notice Names an owner of units that a custodian kept at the record date, as the custodian's books say.
    /// @dev Requires AGENT_ROLE at the token. Emits {ActionOwnerNamed}. Reverts as the action does if there is none.
    /// @param actionId The action.
    /// @param custodian Who had the units at the record date.
    /// @param owner Whose they are.
    /// @param units How many are to be settled; 0 takes back what was named.
    function nameOwner(uint256 actionId, address custodian, address owner, uint256 units)
        external
        onlyDuty(Duties.AGENT)
    {
        _recordDateOf(actionId);
        _named[actionId][custodian][owner] = NamedUnits(msg.sender, units);
        emit ActionOwnerNamed(actionId, custodian, owner, msg.sender, units);
    }

    /// @notice Gives the owner of units that a custodian kept at the record date what is due on them.
    /// @dev Requires the action's duty, that an agent named the owner for just as many units, and that the caller is not
    /// that agent. Emits what the action emits. Reverts with {ActionHolderIsNoCustodian}, {ActionOwnerInvalid},
    /// {ActionOwnerNotNamed}, {ActionOwnerNamedByCaller}, `ReentrancyGuardReentrantCall`, or as the action does.
    /// @param actionId The action.
    /// @param custodian Who had the units at the record date: infrastructure by the registry.
    /// @param owner Who receives.
    /// @param units How many of the custodian's units.
    function settleThrough(uint256 actionId, address custodian, address owner, uint256 units)
        external
        nonReentrant
        onlyDuty(_duty())
    {
        uint256 unsettled = unsettledOf(actionId, custodian);
        (, bool isInfrastructure) = token.standingOf(custodian);
        if (!isInfrastructure) revert ActionHolderIsNoCustodian(actionId, custodian);
        bool isOwnerFit = owner != address(0) && owner != custodian && owner != address(this);
        if (!isOwnerFit || units == 0 || units > unsettled) {
            revert ActionOwnerInvalid(actionId, owner, units, unsettled);
        }
        _useNamed(actionId, custodian, owner, units);
        _settled[actionId][custodian] += units;
        _settle(actionId, custodian, owner, units);
    }

    /// @notice What an agent named for an owner, and was not settled.
    /// @param actionId The action.
    /// @param custodian Who had the units at the record date.
    /// @param owner Whose they are.
    /// @return agent Who named them; zero if nobody did.
    /// @return units How many.
    function namedOf(uint256 actionId, address custodian, address owner)
        external
        view
        returns (address agent, uint256 units)
    {
        NamedUnits storage named = _named[actionId][custodian][owner];
        return (named.agent, named.units);
    }

    /// @notice How many units of the record date are not settled for an account.
    /// @dev Reverts as the token does while the record date is not over, or as the action does if there is none.
    /// @param actionId The action.
    /// @param holder The account.
    /// @return Units.
    function unsettledOf(uint256 actionId, address holder) public view returns (uint256) {
        return token.balanceAt(holder, _recordDateOf(actionId)) - _settled[actionId][holder];
    }

    /// @dev Who settles through custodians.
    function _duty() internal pure virtual returns (bytes32);

    /// @dev The action's record date. Reverts if there is no such action.
    function _recordDateOf(uint256 actionId) internal view virtual returns (uint48);

    /// @dev Gives what is due on units that nobody settled before. Reverts unless the action is where it can.
    /// @param actionId The action.
    /// @param holder Who had the units at the record date.
    /// @param to Who receives.
    /// @param units How many units; not zero.
    function _settle(uint256 actionId, address holder, address to, uint256 units) internal virtual;

    /// @dev From whom units are taken that belong to a holder of the record date: the wallet that took its place has
    /// them once the token's agent recovered them.
    function _sourceOf(address holder, address current, uint256 units) internal view returns (address) {
        return token.balanceOf(holder) >= units ? holder : current;
    }

    /// @dev Uses up what was named. Reverts with {ActionOwnerNotNamed}, {ActionOwnerNamedByCaller}.
    function _useNamed(uint256 actionId, address custodian, address owner, uint256 units) private {
        NamedUnits memory named = _named[actionId][custodian][owner];
        if (named.units != units) revert ActionOwnerNotNamed(actionId, owner, units, named.units);
        if (named.agent == msg.sender) revert ActionOwnerNamedByCaller(actionId, owner, msg.sender);
        delete _named[actionId][custodian][owner];
    }

    function _settleHolder(uint256 actionId, address holder) private {
        uint256 units = unsettledOf(actionId, holder);
        if (units == 0) revert ActionNothingDue(actionId, holder, _settled[actionId][holder]);
        (address current, bool isInfrastructure) = token.standingOf(holder);
        if (isInfrastructure) revert ActionHolderIsCustodian(actionId, holder);
        _settled[actionId][holder] += units;
        _settle(actionId, holder, current, units);
    }
}
