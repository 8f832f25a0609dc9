// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC1155Utils} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Utils.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IIdentityRegistry} from "../identity/IIdentityRegistry.sol";
import {IERC7943MultiToken} from "./IERC7943MultiToken.sol";

/// @title SeriesToken
/// @notice Regulated assets in series, an ERC-1155 with the uRWA interface (ERC-7943) for tokens with ids: one id per
/// series, units that are alike within it, an optional cap and an optional maturity.
/// @dev Every free change of a balance (transfer, issue, redemption) passes {_update}: not paused, the series known and
/// not matured, the receiver verified, the frozen units remain. {forcedTransfer} alone passes by pause, maturity and
/// freeze, and its receiver must be verified all the same. From its maturity on a series is redeemed only.
///
/// Receiving needs an identity in the registry, if there is one; sending needs none, as in ERC-3643, so that who lost
/// its verification can leave. What must stay is frozen.
///
/// OpenZeppelin's ERC-1155 keeps the face (approvals, batches, acceptance checks, events, errors); balances live here,
/// with the frozen units in one slot, by overriding the two functions of ERC1155 that touch its own.
contract SeriesToken is ERC1155, AccessControlDefaultAdminRules, Pausable, IERC7943MultiToken {
    /// @dev All that the token knows of a holder in one series; one slot.
    struct Position {
        /// Units held. Fits, since the series' supply is bounded by a smaller type.
        uint128 balance;
        /// Units that must remain after any free debit. May exceed the balance: then nothing leaves.
        uint128 frozen;
    }

    /// @notice All that the token knows of a series; one slot.
    struct Series {
        /// Sum of all balances.
        uint104 supply;
        /// Largest supply.
        uint104 cap;
        /// From this second on, since 1970, the series is redeemed only; zero if it has no maturity.
        uint40 maturity;
        /// Whether the series was created.
        bool isKnown;
    }

    /// @notice Role that creates, issues and redeems.
    bytes32 public constant ISSUER_ROLE = keccak256("ISSUER_ROLE");

    /// @notice Role that pauses, freezes and transfers by force.
    bytes32 public constant AGENT_ROLE = keccak256("AGENT_ROLE");

    /// @notice Largest supply of a series without a cap of its own, some 2e31 units.
    uint256 public constant SUPPLY_MAX = type(uint104).max;

    /// @notice Largest frozen amount, more than any balance can be.
    uint256 public constant FROZEN_MAX = type(uint128).max;

    /// @notice Says who is verified; zero if everybody may hold.
    IIdentityRegistry public immutable identityRegistry;

    /// @dev Id to series.
    mapping(uint256 id => Series series) private _series;

    /// @dev Id and holder to what the holder has.
    mapping(uint256 id => mapping(address account => Position position)) private _positions;

    /// @notice A series exists from now on.
    /// @param id Its id.
    /// @param cap Largest supply, in units.
    /// @param maturity From when on it is redeemed only, in seconds since 1970; zero if never.
    /// @param termsHash Hash of the document of its terms.
    event SeriesCreated(uint256 indexed id, uint256 cap, uint256 maturity, bytes32 termsHash);

    /// @notice The registry is an account without code.
    /// @param registry The address given.
    error SeriesRegistryInvalid(address registry);

    /// @notice The series exists.
    /// @param id Its id.
    error SeriesExists(uint256 id);

    /// @notice No series has the id.
    /// @param id The id.
    error SeriesUnknown(uint256 id);

    /// @notice The cap is larger than a supply can be.
    /// @param cap The cap given, in units.
    /// @param max {SUPPLY_MAX}.
    error SeriesCapInvalid(uint256 cap, uint256 max);

    /// @notice The maturity is over, or too far to be meant.
    /// @param maturity The maturity given, in seconds since 1970.
    /// @param time Time of the block, in seconds since 1970.
    error SeriesMaturityInvalid(uint256 maturity, uint256 time);

    /// @notice The series matured: it is redeemed only.
    /// @param id Its id.
    /// @param maturity When, in seconds since 1970.
    error SeriesMatured(uint256 id, uint256 maturity);

    /// @notice The supply would exceed the cap.
    /// @param id The series.
    /// @param supply The supply as it is, in units.
    /// @param amount What was to be issued.
    /// @param cap The cap.
    error SeriesCapExceeded(uint256 id, uint256 supply, uint256 amount, uint256 cap);

    /// @notice More was to be frozen than can be counted.
    /// @param amount What was given, in units.
    /// @param max {FROZEN_MAX}.
    error SeriesFrozenTooLarge(uint256 amount, uint256 max);

    /// @notice Units are redeemed before the maturity with the holder's approval only.
    /// @param id The series.
    /// @param holder Whose units.
    /// @param caller Who called.
    /// @param maturity From when on no approval is needed, in seconds since 1970; zero if never.
    error SeriesRedemptionNotApproved(uint256 id, address holder, address caller, uint256 maturity);

    /// @dev Reverts with {SeriesRegistryInvalid}, or `AccessControlInvalidDefaultAdmin` if the admin is zero.
    /// @param uri_ Where documents are found, by the rule of ERC-1155: `{id}` stands for the id.
    /// @param identityRegistry_ Says who is verified; zero if everybody may hold.
    /// @param adminDelay How long a transfer of the admin's role waits, in seconds.
    /// @param admin Receives DEFAULT_ADMIN_ROLE: grants roles.
    constructor(string memory uri_, IIdentityRegistry identityRegistry_, uint48 adminDelay, address admin)
        ERC1155(uri_)
        AccessControlDefaultAdminRules(adminDelay, admin)
    {
        address registry = address(identityRegistry_);
        if (registry != address(0) && registry.code.length == 0) revert SeriesRegistryInvalid(registry);
        identityRegistry = identityRegistry_;
    }

    /// @notice Stops every change of a balance but forced transfers. Approvals go on.
    /// @dev Requires AGENT_ROLE. Emits `Paused`. Reverts with `EnforcedPause` if already paused.
    function pause() external onlyRole(AGENT_ROLE) {
        _pause();
    }

    /// @notice Lets balances change again.
    /// @dev Requires AGENT_ROLE. Emits `Unpaused`. Reverts with `ExpectedPause` if not paused.
    function unpause() external onlyRole(AGENT_ROLE) {
        _unpause();
    }

    /// @notice Creates a series, without units. Cap and maturity stay as they are given here.
    /// @dev Requires ISSUER_ROLE. Emits {SeriesCreated}. Reverts with {SeriesExists}, {SeriesCapInvalid} or
    /// {SeriesMaturityInvalid}.
    /// @param id Its id.
    /// @param cap Largest supply, in units; zero for {SUPPLY_MAX}.
    /// @param maturity From when on it is redeemed only, in seconds since 1970; zero if never.
    /// @param termsHash Hash of the document of its terms.
    function createSeries(uint256 id, uint256 cap, uint256 maturity, bytes32 termsHash) external onlyRole(ISSUER_ROLE) {
        if (_series[id].isKnown) revert SeriesExists(id);
        if (cap > SUPPLY_MAX) revert SeriesCapInvalid(cap, SUPPLY_MAX);
        if (cap == 0) cap = SUPPLY_MAX;
        if (maturity != 0 && (maturity <= block.timestamp || maturity > type(uint40).max)) {
            revert SeriesMaturityInvalid(maturity, block.timestamp);
        }
        _series[id] = Series(0, uint104(cap), uint40(maturity), true);
        emit SeriesCreated(id, cap, maturity, termsHash);
    }

    /// @notice Issues units of a series.
    /// @dev Requires ISSUER_ROLE. Emits `TransferSingle` from zero. Reverts with `ERC1155InvalidReceiver` (zero, or a
    /// contract that does not accept), or as {_update} does.
    /// @param to Who receives.
    /// @param id The series.
    /// @param amount Units.
    function mint(address to, uint256 id, uint256 amount) external onlyRole(ISSUER_ROLE) {
        _mint(to, id, amount, "");
    }

    /// @notice Redeems units: they cease to be. Before the maturity the holder's approval for all ids is needed, unless
    /// they are the caller's.
    /// @dev Requires ISSUER_ROLE. Emits `TransferSingle` to zero. Reverts with {SeriesRedemptionNotApproved}, or as
    /// {_update} does: frozen units are released before they are redeemed.
    /// @param from Whose units.
    /// @param id The series.
    /// @param amount Units.
    function redeem(address from, uint256 id, uint256 amount) external onlyRole(ISSUER_ROLE) {
        Series storage series = _series[id];
        if (from != msg.sender && !isApprovedForAll(from, msg.sender) && !_isMatured(series.maturity)) {
            revert SeriesRedemptionNotApproved(id, from, msg.sender, series.maturity);
        }
        _burn(from, id, amount);
    }

    /// @inheritdoc IERC7943MultiToken
    /// @dev Requires AGENT_ROLE. Possible while paused, after the maturity, and with frozen units: as many as needed
    /// are released first. Emits {Frozen} if units were released, `TransferSingle` and {ForcedTransfer}. Reverts with
    /// {SeriesUnknown}, {ERC7943CannotReceive}, `ERC1155InsufficientBalance`, or `ERC1155InvalidReceiver` if the
    /// receiver is a contract that does not accept.
    function forcedTransfer(address from, address to, uint256 tokenId, uint256 amount)
        external
        onlyRole(AGENT_ROLE)
        returns (bool)
    {
        if (!_series[tokenId].isKnown) revert SeriesUnknown(tokenId);
        if (!canReceive(to)) revert ERC7943CannotReceive(to);
        Position storage position = _positions[tokenId][from];
        (uint256 balance, uint256 frozen) = (position.balance, position.frozen);
        if (balance < amount) revert ERC1155InsufficientBalance(from, balance, amount, tokenId);
        if (frozen > balance - amount) _setFrozen(from, tokenId, balance - amount);
        position.balance = uint128(balance - amount);
        _positions[tokenId][to].balance += uint128(amount); // at most the supply
        emit TransferSingle(msg.sender, from, to, tokenId, amount);
        emit ForcedTransfer(from, to, tokenId, amount);
        ERC1155Utils.checkOnERC1155Received(msg.sender, from, to, tokenId, amount, "");
        return true;
    }

    /// @inheritdoc IERC7943MultiToken
    /// @dev Requires AGENT_ROLE. Emits {Frozen}. Reverts with {SeriesFrozenTooLarge}. Two agents that freeze for two
    /// reasons overwrite each other: they keep the sum.
    function setFrozenTokens(address account, uint256 tokenId, uint256 amount)
        external
        onlyRole(AGENT_ROLE)
        returns (bool)
    {
        if (amount > FROZEN_MAX) revert SeriesFrozenTooLarge(amount, FROZEN_MAX);
        _setFrozen(account, tokenId, amount);
        return true;
    }

    /// @notice A series.
    /// @param id Its id.
    /// @return The series; all zero if there is none.
    function getSeries(uint256 id) external view returns (Series memory) {
        return _series[id];
    }

    /// @notice Sum of all balances of a series.
    /// @param id The series.
    /// @return Units.
    function totalSupply(uint256 id) external view returns (uint256) {
        return _series[id].supply;
    }

    /// @inheritdoc IERC7943MultiToken
    function getFrozenTokens(address account, uint256 tokenId) external view returns (uint256) {
        return _positions[tokenId][account].frozen;
    }

    /// @inheritdoc IERC7943MultiToken
    /// @dev The same checks as {_update} makes, one by one; units beyond the balance are never free.
    function canTransfer(address from, address to, uint256 tokenId, uint256 amount) external view returns (bool) {
        Series storage series = _series[tokenId];
        if (paused() || !series.isKnown || _isMatured(series.maturity)) return false;
        if (!canSend(from) || !canReceive(to)) return false;
        Position storage position = _positions[tokenId][from];
        (uint256 balance, uint256 frozen) = (position.balance, position.frozen);
        return amount <= balance && frozen <= balance - amount;
    }

    /// @inheritdoc IERC7943MultiToken
    /// @dev Everybody may, but the zero address: what must stay is frozen.
    function canSend(address account) public pure returns (bool) {
        return account != address(0);
    }

    /// @inheritdoc IERC7943MultiToken
    /// @dev Whom the registry says to be verified; everybody but the zero address if there is none. A registry that
    /// reverts verifies nobody.
    function canReceive(address account) public view returns (bool) {
        if (account == address(0)) return false;
        if (address(identityRegistry) == address(0)) return true;
        (bool answered, bytes memory answer) =
            address(identityRegistry).staticcall(abi.encodeCall(IIdentityRegistry.isVerified, (account)));
        return answered && answer.length >= 32 && abi.decode(answer, (uint256)) == 1;
    }

    /// @notice What an account holds of a series, frozen or not.
    /// @param account Who.
    /// @param id The series.
    /// @return Units.
    function balanceOf(address account, uint256 id) public view override returns (uint256) {
        return _positions[id][account].balance;
    }

    /// @notice ERC-165: ERC-1155 with its metadata extension, ERC-7943, and AccessControl with its admin's rules.
    /// @param interfaceId The interface.
    /// @return Whether it is supported.
    function supportsInterface(bytes4 interfaceId)
        public
        view
        override(ERC1155, AccessControlDefaultAdminRules, IERC165)
        returns (bool)
    {
        return interfaceId == type(IERC7943MultiToken).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev The only place where units are issued, redeemed and freely transferred. In this order reverts with
    /// `EnforcedPause`, `ERC1155InvalidArrayLength`, {ERC7943CannotReceive}, then for each id {SeriesUnknown},
    /// {SeriesMatured}, {SeriesCapExceeded} (issue), `ERC1155InsufficientBalance`,
    /// {ERC7943InsufficientUnfrozenBalance}.
    function _update(address from, address to, uint256[] memory ids, uint256[] memory values)
        internal
        override
        whenNotPaused
    {
        if (ids.length != values.length) revert ERC1155InvalidArrayLength(ids.length, values.length);
        if (to != address(0) && !canReceive(to)) revert ERC7943CannotReceive(to);
        for (uint256 i = 0; i < ids.length; ++i) {
            _move(from, to, ids[i], values[i]);
        }
        if (ids.length == 1) {
            emit TransferSingle(msg.sender, from, to, ids[0], values[0]);
        } else {
            emit TransferBatch(msg.sender, from, to, ids, values);
        }
    }

    /// @dev Moves `value` of one series: from zero it is issued, to zero it is redeemed.
    function _move(address from, address to, uint256 id, uint256 value) private {
        Series memory series = _series[id];
        if (!series.isKnown) revert SeriesUnknown(id);
        if (to != address(0) && _isMatured(series.maturity)) revert SeriesMatured(id, series.maturity);
        if (from == address(0)) {
            if (value > series.cap - series.supply) revert SeriesCapExceeded(id, series.supply, value, series.cap);
            _series[id].supply = series.supply + uint104(value);
        } else {
            _debit(from, id, value);
        }
        // Neither branch can overflow or underflow: value was taken from a balance or added to the supply above, every
        // balance is at most the supply, and the supply is at most SUPPLY_MAX.
        unchecked {
            if (to == address(0)) {
                _series[id].supply = series.supply - uint104(value);
            } else {
                _positions[id][to].balance += uint128(value);
            }
        }
    }

    /// @dev Takes `value` from what `from` holds and has not frozen.
    function _debit(address from, uint256 id, uint256 value) private {
        Position storage position = _positions[id][from];
        (uint256 balance, uint256 frozen) = (position.balance, position.frozen);
        if (balance < value) revert ERC1155InsufficientBalance(from, balance, value, id);
        if (balance - value < frozen) {
            revert ERC7943InsufficientUnfrozenBalance(from, id, value, balance > frozen ? balance - frozen : 0);
        }
        position.balance = uint128(balance - value);
    }

    /// @dev `frozen` is at most FROZEN_MAX, so that the conversion keeps it whole.
    function _setFrozen(address account, uint256 id, uint256 frozen) private {
        _positions[id][account].frozen = uint128(frozen);
        emit Frozen(account, id, frozen);
    }

    /// @dev Whether a series with that maturity is redeemed only.
    function _isMatured(uint256 maturity) private view returns (bool) {
        return maturity != 0 && block.timestamp >= maturity;
    }
}
