// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Signatures} from "../access/Signatures.sol";
import {SettlementHash} from "./SettlementHash.sol";
import {SettlementLeg, SettlementSignature, SettlementStatus, SettlementTerms} from "./SettlementTypes.sol";
import {TokenCustody} from "./TokenCustody.sol";
import {TokenMovement} from "./TokenMovement.sol";
import {TokenStandard} from "./TokenStandard.sol";

/// @title Settlement
/// @notice Delivery versus payment and payment versus payment: up to 16 movements of tokens of any family, between any
/// number of parties, happen in one transaction or not at all.
/// @dev Whoever gives in a leg confirms the whole order, by a call or by a signature that anybody may bring; the last
/// confirmation settles. Parties approve this contract on the tokens that they give. It has no administrator, no fee
/// and no way to move what nobody confirmed.
///
/// Until the last confirmation, whoever gives or receives in a leg may cancel. After it nobody may: an order without a
/// notary is settled then, and one with a notary is the notary's to decide. With a notary (one leg is off this ledger)
/// the last confirmation takes all legs into this contract; the notary executes until `expiry`, or releases, and after
/// `expiry` anybody may give back. Before the last confirmation nothing is ever taken.
///
/// An order is one slot of state. Its terms are in {SettlementProposed}; each call brings them again, and the order's
/// id is their EIP-712 digest, so that it belongs to one chain and one contract, and settles once.
///
/// What a token can do to its holders it can do to what is kept here: an issuer that takes tokens away from this
/// contract takes them from whoever is given back last, and a token whose balances change by themselves is not to be
/// settled with a notary. A token with a list of holders must admit this contract for orders with a notary.
contract Settlement is EIP712, TokenCustody {
    /// @dev All that is stored of an order; one slot.
    struct Order {
        /// Where it stands.
        SettlementStatus status;
        /// Legs whose giver confirmed: bit i is leg i.
        uint16 confirmed;
        /// Legs that lie here: bit i is leg i.
        uint16 held;
    }

    /// @notice Most legs of an order: what fits a block of ten million gas with the dearest tokens.
    uint256 public constant LEGS_MAX = 16;

    /// @dev Id to order.
    mapping(bytes32 orderId => Order order) private _orders;

    /// @dev Party to the generation of signatures that counts.
    mapping(address party => uint256 epoch) private _epochs;

    /// @notice The first party confirmed.
    /// @param orderId The order.
    /// @param terms Its terms, in full.
    event SettlementProposed(bytes32 indexed orderId, SettlementTerms terms);

    /// @notice A party confirmed.
    /// @param orderId The order.
    /// @param party Who.
    event SettlementConfirmed(bytes32 indexed orderId, address indexed party);

    /// @notice The last party confirmed, and all legs lie in the contract until the notary decides.
    /// @param orderId The order.
    /// @param notary Who decides.
    /// @param expiry Last second in which it may execute, since 1970.
    event SettlementHeld(bytes32 indexed orderId, address indexed notary, uint64 expiry);

    /// @notice All legs moved to their receivers.
    /// @param orderId The order.
    event SettlementExecuted(bytes32 indexed orderId);

    /// @notice The order was called off, for good.
    /// @param orderId The order.
    /// @param party Who called it off.
    event SettlementCancelled(bytes32 indexed orderId, address indexed party);

    /// @notice The notary let go: each leg can go back.
    /// @param orderId The order.
    /// @param notary Who let go.
    event SettlementReleased(bytes32 indexed orderId, address indexed notary);

    /// @notice The notary's time ran out: each leg can go back.
    /// @param orderId The order.
    event SettlementExpired(bytes32 indexed orderId);

    /// @notice A leg went back to who gave it.
    /// @param orderId The order.
    /// @param leg Which leg, counted from 0.
    event SettlementLegReturned(bytes32 indexed orderId, uint256 leg);

    /// @notice A party's signatures that were not brought yet are worth nothing from now on.
    /// @param party Who.
    /// @param epoch The generation that counts from now on.
    event SettlementSignaturesRevoked(address indexed party, uint256 epoch);

    /// @notice An order has no legs, or too many.
    /// @param count How many it has.
    /// @param max {LEGS_MAX}.
    error SettlementLegCountInvalid(uint256 count, uint256 max);

    /// @notice A leg is between the wrong ones: zero, this contract, the order's notary, or twice the same.
    /// @param leg Which leg, counted from 0.
    /// @param from Who would give.
    /// @param to Who would receive.
    error SettlementLegPartiesInvalid(uint256 leg, address from, address to);

    /// @notice A leg moves nothing, an ERC-721 more than once, or an ERC-20 with an id.
    /// @param leg Which leg, counted from 0.
    /// @param standard The token's interface.
    /// @param id The id given.
    /// @param amount The amount given.
    error SettlementLegAmountInvalid(uint256 leg, TokenStandard standard, uint256 id, uint256 amount);

    /// @notice The expiry does not fit: not before the deadline with a notary, zero without.
    /// @param notary The notary given.
    /// @param deadline The deadline given, in seconds since 1970.
    /// @param expiry The expiry given, in seconds since 1970.
    error SettlementExpiryInvalid(address notary, uint64 deadline, uint64 expiry);

    /// @notice The time for confirmations is over.
    /// @param orderId The order.
    /// @param deadline Its last second, since 1970.
    /// @param time Time of the block, in seconds since 1970.
    error SettlementDeadlinePassed(bytes32 orderId, uint64 deadline, uint256 time);

    /// @notice The order awaits no confirmation: it is settled, held or called off.
    /// @param orderId The order.
    /// @param status Where it stands.
    error SettlementNotOpen(bytes32 orderId, SettlementStatus status);

    /// @notice The order does not wait for its notary.
    /// @param orderId The order.
    /// @param status Where it stands.
    error SettlementNotHeld(bytes32 orderId, SettlementStatus status);

    /// @notice The account has no say in the order: it gives nothing, and to cancel, receives nothing either.
    /// @param orderId The order.
    /// @param account The account.
    error SettlementNotParty(bytes32 orderId, address account);

    /// @notice The party confirmed before.
    /// @param orderId The order.
    /// @param party The party.
    error SettlementAlreadyConfirmed(bytes32 orderId, address party);

    /// @notice No signatures were brought, or more than an order can have parties.
    /// @param count How many.
    /// @param max {LEGS_MAX}.
    error SettlementSignatureCountInvalid(uint256 count, uint256 max);

    /// @notice The signature is not the party's, for these terms, on this chain and contract, in its present epoch.
    /// @param orderId The order.
    /// @param party The party.
    /// @param epoch The generation of signatures that counts.
    error SettlementSignatureInvalid(bytes32 orderId, address party, uint256 epoch);

    /// @notice Only the order's notary decides.
    /// @param orderId The order.
    /// @param caller Who called.
    /// @param notary Who may.
    error SettlementNotNotary(bytes32 orderId, address caller, address notary);

    /// @notice The notary's time is over.
    /// @param orderId The order.
    /// @param expiry Its last second, since 1970.
    /// @param time Time of the block, in seconds since 1970.
    error SettlementExpiryPassed(bytes32 orderId, uint64 expiry, uint256 time);

    /// @notice The notary may still decide.
    /// @param orderId The order.
    /// @param expiry Its last second, since 1970.
    /// @param time Time of the block, in seconds since 1970.
    error SettlementExpiryAwaited(bytes32 orderId, uint64 expiry, uint256 time);

    /// @notice Not all legs that were asked for lie here, or none was.
    /// @param orderId The order.
    /// @param asked Bit i is leg i.
    /// @param held Which lie here.
    error SettlementLegsNotHeld(bytes32 orderId, uint16 asked, uint16 held);

    /// @notice Version 1 of the EIP-712 domain `LastroSettlement`.
    constructor() EIP712("LastroSettlement", "1") {}

    /// @notice Confirms an order as the caller. If nobody else is awaited, the order settles, or is held for its
    /// notary.
    /// @dev Open to whoever gives in a leg. Emits {SettlementProposed} on the first confirmation,
    /// {SettlementConfirmed}, and on the last one {SettlementExecuted} or {SettlementHeld}, and what the tokens emit.
    /// Reverts with {SettlementLegCountInvalid}, {SettlementNotOpen}, {SettlementDeadlinePassed}, the three errors of
    /// terms that do not fit, {SettlementNotParty}, {SettlementAlreadyConfirmed}, `ReentrancyGuardReentrantCall`, or as
    /// a movement does; the order then stands as before, and the party may try again.
    /// @param terms The order.
    /// @return orderId Its id.
    /// @return status Where it stands now.
    function confirm(SettlementTerms calldata terms)
        external
        nonReentrant
        returns (bytes32 orderId, SettlementStatus status)
    {
        Order memory order;
        (orderId,, order) = _openOrder(terms);
        _addConfirmation(orderId, order, terms, msg.sender);
        status = _conclude(orderId, order, terms);
    }

    /// @notice Confirms an order for parties that signed it. If nobody else is awaited, the order settles, or is held
    /// for its notary.
    /// @dev Open to everybody: the signatures speak. With all signatures at once an order costs one transaction. Emits
    /// and reverts as {confirm}, and with {SettlementSignatureCountInvalid} and {SettlementSignatureInvalid}. One
    /// signature that is not valid refuses all: whoever brings them leaves it out and tries again.
    /// @param terms The order.
    /// @param signatures Who confirms, and what it signed: see {confirmationDigest}.
    /// @return orderId Its id.
    /// @return status Where it stands now.
    function confirmBySignature(SettlementTerms calldata terms, SettlementSignature[] calldata signatures)
        external
        nonReentrant
        returns (bytes32 orderId, SettlementStatus status)
    {
        Order memory order;
        bytes32 termsHash;
        (orderId, termsHash, order) = _openOrder(terms);
        if (signatures.length == 0 || signatures.length > LEGS_MAX) {
            revert SettlementSignatureCountInvalid(signatures.length, LEGS_MAX);
        }
        for (uint256 i = 0; i < signatures.length; ++i) {
            address party = signatures[i].party;
            uint256 epoch = _epochs[party];
            bytes32 digest = _hashTypedDataV4(SettlementHash.hashConfirmation(termsHash, party, epoch));
            if (!Signatures.isValid(party, digest, signatures[i].signature)) {
                revert SettlementSignatureInvalid(orderId, party, epoch);
            }
            _addConfirmation(orderId, order, terms, party);
        }
        status = _conclude(orderId, order, terms);
    }

    /// @notice Calls off an order before its last confirmation, also one that nobody confirmed yet: then no signature
    /// for it is worth anything.
    /// @dev Open to whoever gives or receives in a leg. Emits {SettlementCancelled}. Reverts with
    /// {SettlementNotOpen}, {SettlementNotParty} or `ReentrancyGuardReentrantCall`.
    /// @param terms The order.
    /// @return orderId Its id.
    function cancel(SettlementTerms calldata terms) external nonReentrant returns (bytes32 orderId) {
        orderId = orderIdOf(terms);
        Order storage order = _orders[orderId];
        _requireOpen(orderId, order.status);
        (uint256 gives, uint256 receives) = _legsOf(terms, msg.sender);
        if (gives | receives == 0) revert SettlementNotParty(orderId, msg.sender);
        order.status = SettlementStatus.Cancelled;
        emit SettlementCancelled(orderId, msg.sender);
    }

    /// @notice Makes all signatures worthless that the caller gave and nobody brought yet, for all orders.
    /// @dev Open to everybody. Confirmations that were brought stand. Emits {SettlementSignaturesRevoked}.
    function revokeSignatures() external {
        emit SettlementSignaturesRevoked(msg.sender, ++_epochs[msg.sender]);
    }

    /// @notice Moves all legs of a held order to their receivers: what happened elsewhere is done.
    /// @dev Requires that the caller is the order's notary, until the expiry. Emits {SettlementExecuted}. Reverts with
    /// {SettlementNotHeld}, {SettlementNotNotary}, {SettlementExpiryPassed}, `ReentrancyGuardReentrantCall`, or as a
    /// movement does; the order is held then as before.
    /// @param terms The order.
    /// @return orderId Its id.
    function execute(SettlementTerms calldata terms) external nonReentrant returns (bytes32 orderId) {
        Order storage order;
        (orderId, order) = _heldForNotary(terms);
        if (block.timestamp > terms.expiry) revert SettlementExpiryPassed(orderId, terms.expiry, block.timestamp);
        (order.status, order.held) = (SettlementStatus.Executed, 0);
        emit SettlementExecuted(orderId);
        for (uint256 i = 0; i < terms.legs.length; ++i) {
            SettlementLeg calldata leg = terms.legs[i];
            TokenMovement.moveExactly(leg.standard, leg.token, address(this), leg.to, leg.id, leg.amount);
        }
    }

    /// @notice Lets go a held order: what was to happen elsewhere does not. From now on anybody may give legs back, one
    /// by one, so that a token or a receiver that refuses holds up nothing but itself.
    /// @dev Requires that the caller is the order's notary. Possible also after the expiry. Emits {SettlementReleased}.
    /// Reverts with {SettlementNotHeld}, {SettlementNotNotary} or `ReentrancyGuardReentrantCall`.
    /// @param terms The order.
    /// @return orderId Its id.
    function release(SettlementTerms calldata terms) external nonReentrant returns (bytes32 orderId) {
        Order storage order;
        (orderId, order) = _heldForNotary(terms);
        order.status = SettlementStatus.Released;
        emit SettlementReleased(orderId, msg.sender);
    }

    /// @notice Gives legs back to who gave them, or to the wallet that took its place by the token's registry: after the
    /// notary's release, or after the expiry.
    /// @dev Open to everybody. Emits {SettlementExpired} if the expiry decides, {SettlementLegReturned} for each leg,
    /// and what the tokens emit. Reverts with {SettlementNotHeld}, {SettlementExpiryAwaited},
    /// {SettlementLegsNotHeld}, `ReentrancyGuardReentrantCall`, or as a token does: then ask for the other legs alone.
    /// @param terms The order.
    /// @param legs Which to give back: bit i is leg i.
    /// @return orderId The order's id.
    function giveBack(SettlementTerms calldata terms, uint16 legs) external nonReentrant returns (bytes32 orderId) {
        orderId = orderIdOf(terms);
        Order storage order = _orders[orderId];
        if (order.status == SettlementStatus.Held) {
            if (block.timestamp <= terms.expiry) {
                revert SettlementExpiryAwaited(orderId, terms.expiry, block.timestamp);
            }
            order.status = SettlementStatus.Expired;
            emit SettlementExpired(orderId);
        } else if (order.status != SettlementStatus.Released && order.status != SettlementStatus.Expired) {
            revert SettlementNotHeld(orderId, order.status);
        }
        uint16 held = order.held;
        if (legs == 0 || legs & ~held != 0) revert SettlementLegsNotHeld(orderId, legs, held);
        order.held = held & ~legs;
        for (uint256 i = 0; i < terms.legs.length; ++i) {
            if (legs & (1 << i) == 0) continue;
            SettlementLeg calldata leg = terms.legs[i];
            emit SettlementLegReturned(orderId, i);
            _giveBack(leg.standard, leg.token, leg.from, leg.id, leg.amount);
        }
    }

    /// @notice An order as it is stored.
    /// @param orderId The order.
    /// @return status Where it stands; `None` also if no such order was ever confirmed.
    /// @return confirmed Legs whose giver confirmed: bit i is leg i.
    /// @return held Legs that lie here: bit i is leg i.
    function getOrder(bytes32 orderId) external view returns (SettlementStatus status, uint16 confirmed, uint16 held) {
        Order storage order = _orders[orderId];
        return (order.status, order.confirmed, order.held);
    }

    /// @notice Which generation of a party's signatures counts.
    /// @param party The party.
    /// @return The epoch that a confirmation must name.
    function signatureEpoch(address party) external view returns (uint256) {
        return _epochs[party];
    }

    /// @notice What a party signs to confirm an order.
    /// @param terms The order.
    /// @param party The party.
    /// @return The EIP-712 digest of `Confirmation(terms, party, epoch)`, in the party's present epoch.
    function confirmationDigest(SettlementTerms calldata terms, address party) external view returns (bytes32) {
        return _hashTypedDataV4(SettlementHash.hashConfirmation(SettlementHash.hashTerms(terms), party, _epochs[party]));
    }

    /// @notice The id of an order.
    /// @param terms The order.
    /// @return The EIP-712 digest of the terms: another on every chain and contract.
    function orderIdOf(SettlementTerms calldata terms) public view returns (bytes32) {
        return _hashTypedDataV4(SettlementHash.hashTerms(terms));
    }

    /// @dev An order that awaits confirmations, or the reason why it does not. Its terms are checked before the first
    /// one, and held by their hash afterwards.
    function _openOrder(SettlementTerms calldata terms)
        private
        returns (bytes32 orderId, bytes32 termsHash, Order memory order)
    {
        uint256 count = terms.legs.length;
        if (count == 0 || count > LEGS_MAX) revert SettlementLegCountInvalid(count, LEGS_MAX);
        termsHash = SettlementHash.hashTerms(terms);
        orderId = _hashTypedDataV4(termsHash);
        order = _orders[orderId];
        _requireOpen(orderId, order.status);
        if (block.timestamp > terms.deadline) {
            revert SettlementDeadlinePassed(orderId, terms.deadline, block.timestamp);
        }
        if (order.status == SettlementStatus.None) {
            _checkTerms(terms);
            order.status = SettlementStatus.Open;
            emit SettlementProposed(orderId, terms);
        }
    }

    /// @dev Takes a party's confirmation into `order`, which the caller stores.
    function _addConfirmation(bytes32 orderId, Order memory order, SettlementTerms calldata terms, address party)
        private
    {
        (uint256 gives,) = _legsOf(terms, party);
        if (gives == 0) revert SettlementNotParty(orderId, party);
        if (order.confirmed & gives != 0) revert SettlementAlreadyConfirmed(orderId, party);
        order.confirmed |= uint16(gives);
        emit SettlementConfirmed(orderId, party);
    }

    /// @dev Stores the order, and if nobody is awaited any more, moves its legs: to their receivers, or with a notary
    /// to this contract. The order is stored before anything moves.
    function _conclude(bytes32 orderId, Order memory order, SettlementTerms calldata terms)
        private
        returns (SettlementStatus)
    {
        uint256 count = terms.legs.length;
        bool isComplete = order.confirmed == (1 << count) - 1;
        bool isHeld = isComplete && terms.notary != address(0);
        if (isHeld) {
            (order.status, order.held) = (SettlementStatus.Held, order.confirmed);
            emit SettlementHeld(orderId, terms.notary, terms.expiry);
        } else if (isComplete) {
            order.status = SettlementStatus.Executed;
            emit SettlementExecuted(orderId);
        }
        _orders[orderId] = order;
        if (isComplete) {
            for (uint256 i = 0; i < count; ++i) {
                SettlementLeg calldata leg = terms.legs[i];
                if (isHeld) TokenMovement.take(leg.standard, leg.token, leg.from, leg.id, leg.amount);
                else TokenMovement.moveExactly(leg.standard, leg.token, leg.from, leg.to, leg.id, leg.amount);
            }
        }
        return order.status;
    }

    /// @dev A held order, if the caller is its notary; else reverts.
    function _heldForNotary(SettlementTerms calldata terms)
        private
        view
        returns (bytes32 orderId, Order storage order)
    {
        orderId = orderIdOf(terms);
        order = _orders[orderId];
        if (order.status != SettlementStatus.Held) revert SettlementNotHeld(orderId, order.status);
        if (msg.sender != terms.notary) revert SettlementNotNotary(orderId, msg.sender, terms.notary);
    }

    /// @dev Reverts unless the terms can be settled at all.
    function _checkTerms(SettlementTerms calldata terms) private view {
        bool isExpiryFit = terms.notary == address(0) ? terms.expiry == 0 : terms.expiry >= terms.deadline;
        if (!isExpiryFit) revert SettlementExpiryInvalid(terms.notary, terms.deadline, terms.expiry);
        for (uint256 i = 0; i < terms.legs.length; ++i) {
            SettlementLeg calldata leg = terms.legs[i];
            if (leg.from == leg.to || !_isParty(leg.from, terms.notary) || !_isParty(leg.to, terms.notary)) {
                revert SettlementLegPartiesInvalid(i, leg.from, leg.to);
            }
            bool isAmountFit = leg.standard == TokenStandard.ERC721 ? leg.amount == 1 : leg.amount != 0;
            if (!isAmountFit || (leg.standard == TokenStandard.ERC20 && leg.id != 0)) {
                revert SettlementLegAmountInvalid(i, leg.standard, leg.id, leg.amount);
            }
        }
    }

    /// @dev Whether an account may stand in a leg: not zero, not this contract, and not who decides about the order.
    function _isParty(address account, address notary) private view returns (bool) {
        return account != address(0) && account != address(this) && account != notary;
    }

    /// @dev In which legs an account gives and receives: bit i is leg i.
    function _legsOf(SettlementTerms calldata terms, address account)
        private
        pure
        returns (uint256 gives, uint256 receives)
    {
        for (uint256 i = 0; i < terms.legs.length; ++i) {
            if (terms.legs[i].from == account) gives |= 1 << i;
            if (terms.legs[i].to == account) receives |= 1 << i;
        }
    }

    /// @dev Reverts unless an order in that status awaits confirmations.
    function _requireOpen(bytes32 orderId, SettlementStatus status) private pure {
        if (status != SettlementStatus.None && status != SettlementStatus.Open) {
            revert SettlementNotOpen(orderId, status);
        }
    }
}
