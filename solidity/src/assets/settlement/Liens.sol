// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Lien, LienStatus, LienTerms} from "./LienTypes.sol";
import {Pages} from "./Pages.sol";
import {TokenCustody} from "./TokenCustody.sol";
import {TokenMovement} from "./TokenMovement.sol";
import {TokenStandard} from "./TokenStandard.sol";

/// @title Liens
/// @notice Liens (gravames) over tokens: a holder pledges an amount to a beneficiary, who releases it, or takes it once
/// the agreed day has come or the agreed notary has declared the default.
/// @dev The pledged tokens lie in this contract, so that no transfer, and no other lien, can pass by it. Only the
/// holder pledges, so nobody can burden another; a lien is also open to an end date, so that a beneficiary who is gone
/// cannot keep the tokens for ever. There is no administrator.
///
/// While tokens are pledged the token counts them as this contract's: whoever pays interest on them finds the holder's
/// part in {pledgedOf}. What goes back to a holder goes to the wallet that took its place, if the holder's was lost and
/// the token's registry knows another. A token with a list of holders must admit this contract. What an issuer takes away
/// from this contract is missing to whoever is paid last.
contract Liens is TokenCustody {
    /// @notice Most liens of a holder that are open at once: what one call could list.
    uint256 public constant LIENS_PER_HOLDER_MAX = 1_000;

    /// @notice Most liens that one call lists.
    uint256 public constant PAGE_MAX = 100;

    /// @dev How many liens were made; the ids go from 1 to this.
    uint256 private _lienCount;

    /// @dev Id to lien.
    mapping(uint256 lienId => Lien lien) private _liens;

    /// @dev Holder to the ids of its open liens, in no order.
    mapping(address holder => uint256[] lienIds) private _liensOf;

    /// @dev Holder, token and id to what the holder has pledged of it.
    mapping(address holder => mapping(address token => mapping(uint256 id => uint256 amount))) private _pledged;

    /// @notice Tokens were pledged.
    /// @param lienId The lien.
    /// @param holder Who pledged.
    /// @param beneficiary To whom.
    /// @param terms What, and when the beneficiary may take it.
    event LienPledged(uint256 indexed lienId, address indexed holder, address indexed beneficiary, LienTerms terms);

    /// @notice The beneficiary gave back a part, or all.
    /// @param lienId The lien.
    /// @param amount What went back to the holder, in the token's smallest unit.
    /// @param remaining What is pledged still.
    event LienReleased(uint256 indexed lienId, uint256 amount, uint256 remaining);

    /// @notice The notary declared the default: the beneficiary may enforce.
    /// @param lienId The lien.
    /// @param notary Who declared it.
    /// @param evidenceHash Hash of what it was declared on.
    event LienDefaultDeclared(uint256 indexed lienId, address indexed notary, bytes32 evidenceHash);

    /// @notice The beneficiary took a part, or all.
    /// @param lienId The lien.
    /// @param to Who received.
    /// @param amount What was taken, in the token's smallest unit.
    /// @param remaining What is pledged still.
    event LienEnforced(uint256 indexed lienId, address indexed to, uint256 amount, uint256 remaining);

    /// @notice The pledge was over, and the holder took back what was left.
    /// @param lienId The lien.
    /// @param amount What went back, in the token's smallest unit.
    event LienLapsed(uint256 indexed lienId, uint256 amount);

    /// @notice The token's standard is no amount of anything, or an ERC-20 was given an id.
    /// @param standard The standard given.
    /// @param id The id given.
    error LienTokenInvalid(TokenStandard standard, uint256 id);

    /// @notice The beneficiary or the notary is none: the beneficiary is zero, the caller or this contract, or one of
    /// the two sides is the notary.
    /// @param beneficiary The beneficiary given.
    /// @param notary The notary given.
    error LienPartiesInvalid(address beneficiary, address notary);

    /// @notice No condition lets the beneficiary enforce, or the lien is over before it could.
    /// @param notary The notary given.
    /// @param enforceableFrom The day given, in seconds since 1970.
    /// @param lapsesAt The end given, in seconds since 1970.
    /// @param time Time of the block, in seconds since 1970.
    error LienConditionInvalid(address notary, uint64 enforceableFrom, uint64 lapsesAt, uint256 time);

    /// @notice The holder has as many open liens as a holder may.
    /// @param holder The holder.
    /// @param max {LIENS_PER_HOLDER_MAX}.
    error LienTooMany(address holder, uint256 max);

    /// @notice The lien does not stand where this is possible.
    /// @param lienId The lien.
    /// @param status Where it stands.
    error LienStatusInvalid(uint256 lienId, LienStatus status);

    /// @notice Only one may do that.
    /// @param lienId The lien.
    /// @param caller Who called.
    /// @param needed Who may; zero if nobody.
    error LienCallerInvalid(uint256 lienId, address caller, address needed);

    /// @notice The amount is zero, or more than is pledged.
    /// @param lienId The lien; zero when pledging.
    /// @param amount The amount given, in the token's smallest unit.
    /// @param pledged What is pledged.
    error LienAmountInvalid(uint256 lienId, uint256 amount, uint256 pledged);

    /// @notice Neither has the day come nor has a notary declared the default.
    /// @param lienId The lien.
    /// @param enforceableFrom The day, in seconds since 1970; zero if only the notary decides.
    /// @param time Time of the block, in seconds since 1970.
    error LienNotEnforceable(uint256 lienId, uint64 enforceableFrom, uint256 time);

    /// @notice The tokens would be lost: the receiver is zero or this contract.
    /// @param lienId The lien.
    /// @param to The receiver given.
    error LienReceiverInvalid(uint256 lienId, address to);

    /// @notice The pledge is over: nothing is left for the beneficiary.
    /// @param lienId The lien.
    /// @param lapsesAt When it ended, in seconds since 1970.
    error LienOver(uint256 lienId, uint64 lapsesAt);

    /// @notice The pledge is not over.
    /// @param lienId The lien.
    /// @param lapsesAt When it ends, in seconds since 1970; zero if never.
    /// @param time Time of the block, in seconds since 1970.
    error LienNotOver(uint256 lienId, uint64 lapsesAt, uint256 time);

    /// @notice Pledges tokens of the caller, who has approved this contract for them.
    /// @dev Open to everybody, for what is the caller's own. Emits {LienPledged}, and what the token emits. Reverts
    /// with {LienTokenInvalid}, {LienAmountInvalid}, {LienPartiesInvalid}, {LienConditionInvalid}, {LienTooMany},
    /// `ReentrancyGuardReentrantCall`, or as a movement does.
    /// @param terms What, to whom, and when the beneficiary may take it.
    /// @return lienId The lien.
    function pledge(LienTerms calldata terms) external nonReentrant returns (uint256 lienId) {
        _checkTerms(terms);
        uint256[] storage open = _liensOf[msg.sender];
        if (open.length == LIENS_PER_HOLDER_MAX) revert LienTooMany(msg.sender, LIENS_PER_HOLDER_MAX);
        lienId = ++_lienCount;
        open.push(lienId);
        _liens[lienId] = Lien({
            holder: msg.sender,
            status: LienStatus.Pledged,
            standard: terms.standard,
            enforceableFrom: terms.enforceableFrom,
            beneficiary: terms.beneficiary,
            lapsesAt: terms.lapsesAt,
            place: uint32(open.length), // at most LIENS_PER_HOLDER_MAX
            notary: terms.notary,
            token: terms.token,
            id: terms.id,
            amount: terms.amount,
            documentHash: terms.documentHash
        });
        _pledged[msg.sender][terms.token][terms.id] += terms.amount;
        emit LienPledged(lienId, msg.sender, terms.beneficiary, terms);
        TokenMovement.take(terms.standard, terms.token, msg.sender, terms.id, terms.amount);
    }

    /// @notice Gives tokens back to the holder: a part as the debt shrinks, or all.
    /// @dev Requires that the caller is the beneficiary. Possible whether or not the lien can be enforced. Emits
    /// {LienReleased}, and what the token emits. Reverts with {LienStatusInvalid}, {LienCallerInvalid},
    /// {LienAmountInvalid}, `ReentrancyGuardReentrantCall`, or as the token does.
    /// @param lienId The lien.
    /// @param amount In the token's smallest unit.
    function release(uint256 lienId, uint256 amount) external nonReentrant {
        Lien storage lien = _openLien(lienId);
        _requireCaller(lienId, lien.beneficiary);
        uint256 remaining = _take(lienId, amount);
        emit LienReleased(lienId, amount, remaining);
        _giveBack(lien.standard, lien.token, lien.holder, lien.id, amount);
    }

    /// @notice States that the debtor is in default: from now on the beneficiary may enforce, whatever the day.
    /// @dev Requires that the caller is the lien's notary. Emits {LienDefaultDeclared}. Reverts with
    /// {LienStatusInvalid}, {LienCallerInvalid}, {LienOver} or `ReentrancyGuardReentrantCall`.
    /// @param lienId The lien.
    /// @param evidenceHash Hash of what the default is declared on.
    function declareDefault(uint256 lienId, bytes32 evidenceHash) external nonReentrant {
        Lien storage lien = _openLien(lienId);
        if (lien.status != LienStatus.Pledged) revert LienStatusInvalid(lienId, lien.status);
        _requireCaller(lienId, lien.notary);
        _requireNotOver(lienId, lien.lapsesAt);
        lien.status = LienStatus.Defaulted;
        emit LienDefaultDeclared(lienId, msg.sender, evidenceHash);
    }

    /// @notice Takes pledged tokens: what the debt needs, or all.
    /// @dev Requires that the caller is the beneficiary, and that the day has come or the notary has declared the
    /// default. Emits {LienEnforced}, and what the token emits. Reverts with {LienStatusInvalid}, {LienCallerInvalid},
    /// {LienOver}, {LienNotEnforceable}, {LienReceiverInvalid}, {LienAmountInvalid}, `ReentrancyGuardReentrantCall`, or
    /// as the token does.
    /// @param lienId The lien.
    /// @param to Who receives; the beneficiary's own account may not be admitted by the token.
    /// @param amount In the token's smallest unit.
    function enforce(uint256 lienId, address to, uint256 amount) external nonReentrant {
        Lien storage lien = _openLien(lienId);
        _requireCaller(lienId, lien.beneficiary);
        _requireNotOver(lienId, lien.lapsesAt);
        if (!_isEnforceable(lien)) revert LienNotEnforceable(lienId, lien.enforceableFrom, block.timestamp);
        if (to == address(0) || to == address(this)) revert LienReceiverInvalid(lienId, to);
        uint256 remaining = _take(lienId, amount);
        emit LienEnforced(lienId, to, amount, remaining);
        TokenMovement.giveBack(lien.standard, lien.token, to, lien.id, amount);
    }

    /// @notice Takes back what is left of a pledge that is over.
    /// @dev Open to everybody: the tokens go to the holder. Emits {LienLapsed}, and what the token emits. Reverts with
    /// {LienStatusInvalid}, {LienNotOver}, `ReentrancyGuardReentrantCall`, or as the token does.
    /// @param lienId The lien.
    function lapse(uint256 lienId) external nonReentrant {
        Lien storage lien = _openLien(lienId);
        if (!_isOver(lien.lapsesAt)) revert LienNotOver(lienId, lien.lapsesAt, block.timestamp);
        uint256 amount = lien.amount;
        _take(lienId, amount);
        emit LienLapsed(lienId, amount);
        _giveBack(lien.standard, lien.token, lien.holder, lien.id, amount);
    }

    /// @notice A lien.
    /// @param lienId The lien.
    /// @return The lien; all zero if there is none.
    function getLien(uint256 lienId) external view returns (Lien memory) {
        return _liens[lienId];
    }

    /// @notice Whether the beneficiary may take the tokens now.
    /// @param lienId The lien.
    /// @return Whether it may.
    function isEnforceable(uint256 lienId) external view returns (bool) {
        Lien storage lien = _liens[lienId];
        return _isOpen(lien.status) && !_isOver(lien.lapsesAt) && _isEnforceable(lien);
    }

    /// @notice What a holder has pledged of a token, in all its open liens.
    /// @param holder The holder.
    /// @param token The token.
    /// @param id Which of its ids; zero for an ERC-20.
    /// @return In the token's smallest unit.
    function pledgedOf(address holder, address token, uint256 id) external view returns (uint256) {
        return _pledged[holder][token][id];
    }

    /// @notice How many liens a holder has open.
    /// @param holder The holder.
    /// @return The number, at most {LIENS_PER_HOLDER_MAX}.
    function openLienCount(address holder) external view returns (uint256) {
        return _liensOf[holder].length;
    }

    /// @notice A page of a holder's open liens. A lien that closes gives its place to the last one: read all pages in
    /// one block.
    /// @param holder The holder.
    /// @param first Place of the first one, counted from 0.
    /// @param count How many at most; more than {PAGE_MAX} are not given.
    /// @return page Ids; none beyond the end.
    function openLiensOf(address holder, uint256 first, uint256 count) external view returns (uint256[] memory page) {
        uint256[] storage open = _liensOf[holder];
        page = new uint256[](Pages.size(open.length, first, count, PAGE_MAX));
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = open[first + i];
        }
    }

    /// @notice How many liens were made.
    /// @return The number, and the id of the newest.
    function totalLiens() external view returns (uint256) {
        return _lienCount;
    }

    /// @dev Takes an amount from a lien, and closes it when nothing is left. The tokens are moved by the caller,
    /// afterwards.
    /// @return remaining What is pledged still.
    function _take(uint256 lienId, uint256 amount) private returns (uint256 remaining) {
        Lien storage lien = _liens[lienId];
        uint256 pledged = lien.amount;
        if (amount == 0 || amount > pledged) revert LienAmountInvalid(lienId, amount, pledged);
        remaining = pledged - amount;
        lien.amount = remaining;
        _pledged[lien.holder][lien.token][lien.id] -= amount;
        if (remaining == 0) _close(lien);
    }

    /// @dev Closes a lien and takes it from its holder's list: the last of the list gets its place.
    function _close(Lien storage lien) private {
        uint256[] storage open = _liensOf[lien.holder];
        uint256 last = open[open.length - 1];
        open[lien.place - 1] = last;
        _liens[last].place = lien.place;
        open.pop();
        lien.place = 0;
        lien.status = LienStatus.Closed;
    }

    /// @dev Reverts unless the caller can pledge on such terms.
    function _checkTerms(LienTerms calldata terms) private view {
        bool isFungible = terms.standard == TokenStandard.ERC20 && terms.id == 0;
        if (!isFungible && terms.standard != TokenStandard.ERC1155) revert LienTokenInvalid(terms.standard, terms.id);
        if (terms.amount == 0) revert LienAmountInvalid(0, 0, 0);
        (address beneficiary, address notary) = (terms.beneficiary, terms.notary);
        bool isBeneficiaryFit = beneficiary != address(0) && beneficiary != msg.sender && beneficiary != address(this);
        if (!isBeneficiaryFit || notary == beneficiary || notary == msg.sender) {
            revert LienPartiesInvalid(beneficiary, notary);
        }
        bool hasCondition = notary != address(0) || terms.enforceableFrom != 0;
        bool isEndFit =
            terms.lapsesAt == 0 || (terms.lapsesAt > block.timestamp && terms.lapsesAt > terms.enforceableFrom);
        if (!hasCondition || !isEndFit) {
            revert LienConditionInvalid(notary, terms.enforceableFrom, terms.lapsesAt, block.timestamp);
        }
    }

    /// @dev A lien of which something is pledged; else reverts.
    function _openLien(uint256 lienId) private view returns (Lien storage lien) {
        lien = _liens[lienId];
        if (!_isOpen(lien.status)) revert LienStatusInvalid(lienId, lien.status);
    }

    /// @dev Reverts unless the caller is the one who may.
    function _requireCaller(uint256 lienId, address needed) private view {
        if (msg.sender != needed) revert LienCallerInvalid(lienId, msg.sender, needed);
    }

    /// @dev Reverts if the pledge is over.
    function _requireNotOver(uint256 lienId, uint64 lapsesAt) private view {
        if (_isOver(lapsesAt)) revert LienOver(lienId, lapsesAt);
    }

    /// @dev Whether the pledge is over.
    function _isOver(uint64 lapsesAt) private view returns (bool) {
        return lapsesAt != 0 && block.timestamp >= lapsesAt;
    }

    /// @dev Whether the condition holds.
    function _isEnforceable(Lien storage lien) private view returns (bool) {
        if (lien.status == LienStatus.Defaulted) return true;
        return lien.enforceableFrom != 0 && block.timestamp >= lien.enforceableFrom;
    }

    /// @dev Whether something is pledged.
    function _isOpen(LienStatus status) private pure returns (bool) {
        return status == LienStatus.Pledged || status == LienStatus.Defaulted;
    }
}
