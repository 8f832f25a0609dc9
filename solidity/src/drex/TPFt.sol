// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFtData} from "./TPFtTypes.sol";

/// @title TPFt
/// @notice Federal bonds (Títulos Públicos Federais tokenizados) as an ERC-1155: one id per series, from 1 in the order
/// of creation. All amounts are hundredths of a bond (2 decimals): one bond is 100.
/// @dev Every change of a balance passes {_update}: not paused, the series not stopped, the frozen amount remains.
///
/// Transfers are strict: only a contract with OPERATOR_ROLE may call them, and only for a holder that approved it (or
/// for what the contract holds itself). `TPFtDvP` has the role, so that bonds move against money; the admin may add
/// others, such as a privacy escrow. The list of enabled addresses binds the operations, not the token itself.
///
/// OpenZeppelin's ERC-1155 keeps the face (approvals, batches, acceptance checks, events, errors); balances live here,
/// with the frozen amount and the payment flag in one slot, by overriding the two functions of ERC1155 that touch its
/// own.
contract TPFt is ERC1155, AccessControl, Pausable {
    using NonZeroAddress for address;

    /// @dev All that the token knows of a wallet in one series; one slot. Amounts are in hundredths of a bond.
    struct Position {
        /// What the wallet holds. Fits, since the series' supply is bounded by the same type.
        uint120 balance;
        /// What must remain after any debit. May exceed the balance: then nothing leaves.
        uint120 frozen;
        /// Whether the wallet's bonds of the series were redeemed.
        bool isPaid;
    }

    /// @dev All that the token knows of a series; one slot.
    struct Series {
        /// Sum of all balances, in hundredths of a bond.
        uint120 supply;
        /// Whether the series is stopped.
        bool isPaused;
    }

    /// @notice Role of the contract that creates and issues: `TPFtOperation1001`.
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    /// @notice Role of the contract that places directly: operation 1070.
    bytes32 public constant DIRECT_PLACEMENT_ROLE = keccak256("DIRECT_PLACEMENT_ROLE");

    /// @notice Role that freezes amounts.
    bytes32 public constant FREEZER_ROLE = keccak256("FREEZER_ROLE");

    /// @notice Role of redemption: burns, stops series and marks holders as paid.
    bytes32 public constant REPAYMENT_ROLE = keccak256("REPAYMENT_ROLE");

    /// @notice Role of the contracts that may transfer: `TPFtDvP`, and what the admin adds.
    bytes32 public constant OPERATOR_ROLE = keccak256("OPERATOR_ROLE");

    /// @notice Name of the token.
    string public constant name = "TPFt";

    /// @notice Two decimals: amounts are hundredths of a bond. A `uint256` here, by the kit's interface.
    uint256 public constant decimals = 2;

    /// @notice Largest supply of a series and largest frozen amount, in hundredths of a bond.
    uint256 public constant AMOUNT_MAX = type(uint120).max;

    /// @notice Says which wallet stands for an institution.
    RealDigitalDefaultAccount public immutable defaultAccounts;

    /// @notice How many series exist; the ids go from 1 to this.
    uint256 public seriesCount;

    /// @dev `keccak256` of the ABI-encoded data of a series to its id; zero if unknown.
    mapping(bytes32 dataHash => uint256 id) private _idOf;

    /// @dev Id to the data of the series.
    mapping(uint256 id => TPFtData data) private _dataOf;

    /// @dev Id to supply and state of the series.
    mapping(uint256 id => Series series) private _series;

    /// @dev Id and wallet to what the wallet has.
    mapping(uint256 id => mapping(address wallet => Position position)) private _positions;

    /// @dev Wallets that may take part in operations.
    mapping(address wallet => bool isEnabled) private _isEnabled;

    /// @notice A series exists from now on.
    /// @param tpftId Its id.
    /// @param acronym Kind of bond.
    /// @param code Code of the bond.
    /// @param maturityDate Day of maturity, in seconds since 1970.
    event TPFtCreated(uint256 indexed tpftId, string acronym, string code, uint256 maturityDate);

    /// @notice A wallet may take part in operations, or may no longer. Emitted also when nothing changed.
    /// @param operator Who said so.
    /// @param operatorCnpj8 Root of the CNPJ of the institution that said so; zero if it was the admin.
    /// @param account The wallet.
    /// @param operatorIsCnpj8 Whether an institution said so: zero is also the root of an institution.
    /// @param isEnabled Whether the wallet may take part from now on.
    event TPFtAccountStatusChanged(
        address indexed operator,
        uint256 indexed operatorCnpj8,
        address indexed account,
        bool operatorIsCnpj8,
        bool isEnabled
    );

    /// @notice The frozen amount of a wallet changed.
    /// @param wallet Whose amount.
    /// @param tpftId The series.
    /// @param frozen The new total in hundredths of a bond, not the difference.
    event TPFtFrozenBalance(address indexed wallet, uint256 indexed tpftId, uint256 frozen);

    /// @notice A wallet was marked as paid, or no longer is. Emitted also when nothing changed.
    /// @param account The wallet.
    /// @param tpftId The series.
    /// @param status Whether its bonds were redeemed.
    event TPFtPaymentStatusChanged(address indexed account, uint256 indexed tpftId, bool status);

    /// @notice A series was stopped or goes on. Emitted also when nothing changed.
    /// @param tpftId The series.
    /// @param status Whether it is stopped from now on.
    event TPFtSeriesPausedChanged(uint256 indexed tpftId, bool status);

    /// @notice Only operation 1001 creates and issues. Published by the kit without arguments.
    error OnlyMinterContract();

    /// @notice Only operation 1070 places directly. Published by the kit without arguments.
    error OnlyDirectPlacementContract();

    /// @notice The series exists.
    /// @param tpftId Its id.
    error TPFtSeriesExists(uint256 tpftId);

    /// @notice No such series was created.
    /// @param acronym Kind of bond asked for.
    /// @param code Code of the bond asked for.
    /// @param maturityDate Day of maturity asked for, in seconds since 1970.
    error TPFtSeriesUnknown(string acronym, string code, uint256 maturityDate);

    /// @notice No series has the id.
    /// @param tpftId The id.
    /// @param seriesCount How many series exist.
    error TPFtIdUnknown(uint256 tpftId, uint256 seriesCount);

    /// @notice The series is stopped.
    /// @param tpftId Its id.
    error TPFtSeriesPaused(uint256 tpftId);

    /// @notice A debit would leave less than what is frozen. Amounts are in hundredths of a bond.
    /// @param wallet Who delivers.
    /// @param tpftId The series.
    /// @param balance What the wallet holds.
    /// @param frozen What must remain.
    /// @param amount What was to leave.
    error TPFtBalanceFrozen(address wallet, uint256 tpftId, uint256 balance, uint256 frozen, uint256 amount);

    /// @notice More was to be released than is frozen. Amounts are in hundredths of a bond.
    /// @param wallet Whose amount.
    /// @param tpftId The series.
    /// @param frozen What is frozen.
    /// @param amount What was to be released.
    error TPFtInsufficientFrozen(address wallet, uint256 tpftId, uint256 frozen, uint256 amount);

    /// @notice A supply or a frozen amount would exceed {AMOUNT_MAX}. Amounts are in hundredths of a bond.
    /// @param current The amount as it is.
    /// @param increase What was to be added.
    /// @param max {AMOUNT_MAX}.
    error TPFtAmountTooLarge(uint256 current, uint256 increase, uint256 max);

    /// @notice The caller is not the default wallet of the institution that it speaks for.
    /// @param cnpj8 Root of the institution's CNPJ.
    /// @param caller Who called.
    /// @param defaultWallet The institution's default wallet; zero if it has none.
    error TPFtNotDefaultWallet(uint256 cnpj8, address caller, address defaultWallet);

    /// @notice The caller may not enable others: it is not enabled itself, here or in Real Digital.
    /// @param caller Who called.
    error TPFtCallerNotEnabled(address caller);

    /// @notice The wallet may not take part in operations.
    /// @param wallet The wallet.
    error TPFtAddressNotEnabled(address wallet);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param defaultAccounts_ Says which wallet stands for an institution.
    /// @param authority_ Receives FREEZER_ROLE. The other roles are for contracts, and the admin grants them.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE: pauses, enables addresses, grants roles.
    constructor(RealDigitalDefaultAccount defaultAccounts_, address authority_, address admin_) ERC1155("") {
        address(defaultAccounts_).check("defaultAccounts");
        authority_.check("authority");
        admin_.check("admin");
        defaultAccounts = defaultAccounts_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin_);
        _grantRole(FREEZER_ROLE, authority_);
    }

    /// @notice Stops every change of a balance, and the creation of series. Approvals and the list of addresses go on.
    /// @dev Requires DEFAULT_ADMIN_ROLE. Emits `Paused`. Reverts with `EnforcedPause` if already paused.
    function pause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _pause();
    }

    /// @notice Lets balances change again.
    /// @dev Requires DEFAULT_ADMIN_ROLE. Emits `Unpaused`. Reverts with `ExpectedPause` if not paused.
    function unpause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _unpause();
    }

    /// @notice Creates a series, with the next id and no bonds.
    /// @dev Requires MINTER_ROLE. Emits {TPFtCreated}. Reverts with {OnlyMinterContract}, `EnforcedPause` or
    /// {TPFtSeriesExists}.
    /// @param tpftData The series.
    function createTPFt(TPFtData calldata tpftData) external whenNotPaused {
        _requireMinter();
        bytes32 dataHash = keccak256(abi.encode(tpftData));
        if (_idOf[dataHash] != 0) revert TPFtSeriesExists(_idOf[dataHash]);
        uint256 tpftId = ++seriesCount;
        _idOf[dataHash] = tpftId;
        _dataOf[tpftId] = tpftData;
        emit TPFtCreated(tpftId, tpftData.acronym, tpftData.code, tpftData.maturityDate);
    }

    /// @notice Issues bonds of a series.
    /// @dev Requires MINTER_ROLE. Emits `TransferSingle` from zero. Reverts with {OnlyMinterContract},
    /// {TPFtSeriesUnknown}, or as {_update} does.
    /// @param receiverAddress Who receives; by the rule of operation 1001 the Treasury's wallet.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    function mint(address receiverAddress, TPFtData calldata tpftData, uint256 tpftAmount) external {
        _requireMinter();
        _mint(receiverAddress, _knownId(tpftData), tpftAmount, "");
    }

    /// @notice Issues bonds of a series given by its id.
    /// @dev Requires MINTER_ROLE. Emits `TransferSingle` from zero. Reverts with {OnlyMinterContract}, {TPFtIdUnknown},
    /// or as {_update} does.
    /// @param receiverAddress Who receives; by the rule of operation 1001 the Treasury's wallet.
    /// @param tpftId The series.
    /// @param tpftAmount Hundredths of a bond.
    function mint(address receiverAddress, uint256 tpftId, uint256 tpftAmount) external {
        _requireMinter();
        _requireId(tpftId);
        _mint(receiverAddress, tpftId, tpftAmount, "");
    }

    /// @notice Moves bonds without approval and without payment: a direct placement by the Treasury.
    /// @dev Requires DIRECT_PLACEMENT_ROLE. Emits `TransferSingle`. Reverts with {OnlyDirectPlacementContract},
    /// {TPFtSeriesUnknown}, or as {_update} does.
    /// @param from Who delivers.
    /// @param to Who receives.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    function directPlacement(address from, address to, TPFtData calldata tpftData, uint256 tpftAmount) external {
        if (!hasRole(DIRECT_PLACEMENT_ROLE, msg.sender)) revert OnlyDirectPlacementContract();
        _safeTransferFrom(from, to, _knownId(tpftData), tpftAmount, "");
    }

    /// @notice Burns bonds that were redeemed. Possible while the series is stopped.
    /// @dev Requires REPAYMENT_ROLE. Emits `TransferSingle` to zero. Reverts with {TPFtSeriesUnknown}, or as {_update}
    /// does.
    /// @param from Whose bonds.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    function burn(address from, TPFtData calldata tpftData, uint256 tpftAmount) external onlyRole(REPAYMENT_ROLE) {
        _burn(from, _knownId(tpftData), tpftAmount);
    }

    /// @notice Burns bonds that were redeemed, of a series given by its id. Possible while the series is stopped.
    /// @dev Requires REPAYMENT_ROLE. Emits `TransferSingle` to zero. Reverts with {TPFtIdUnknown}, or as {_update}
    /// does.
    /// @param from Whose bonds.
    /// @param tpftId The series.
    /// @param tpftAmount Hundredths of a bond.
    function burn(address from, uint256 tpftId, uint256 tpftAmount) external onlyRole(REPAYMENT_ROLE) {
        _requireId(tpftId);
        _burn(from, tpftId, tpftAmount);
    }

    /// @notice Transfers bonds of a series given by its data.
    /// @dev Requires OPERATOR_ROLE, and the approval of `from` unless the caller moves its own. Emits `TransferSingle`.
    /// Reverts with {TPFtSeriesUnknown}, `ERC1155MissingApprovalForAll`, `ERC1155InvalidReceiver` (zero, or a contract
    /// that does not accept), or as {_update} does.
    /// @param from Who delivers.
    /// @param to Who receives.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    function safeTransferFrom(address from, address to, TPFtData calldata tpftData, uint256 tpftAmount) external {
        safeTransferFrom(from, to, _knownId(tpftData), tpftAmount, "");
    }

    /// @notice Freezes a further amount of a wallet. More than it holds may be frozen: then nothing leaves, while
    /// receipts still arrive.
    /// @dev Requires FREEZER_ROLE. Emits {TPFtFrozenBalance}. Reverts with `DrexZeroAddress`, {TPFtSeriesUnknown} or
    /// {TPFtAmountTooLarge}.
    /// @param from The wallet.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond to add to what is frozen.
    function increaseFrozenBalance(address from, TPFtData calldata tpftData, uint256 tpftAmount)
        external
        onlyRole(FREEZER_ROLE)
    {
        from.check("from");
        uint256 tpftId = _knownId(tpftData);
        _setFrozen(from, tpftId, _boundedSum(_positions[tpftId][from].frozen, tpftAmount));
    }

    /// @notice Releases a part of what is frozen.
    /// @dev Requires FREEZER_ROLE. Emits {TPFtFrozenBalance}. Reverts with `DrexZeroAddress`, {TPFtSeriesUnknown} or
    /// {TPFtInsufficientFrozen}.
    /// @param from The wallet.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond to take from what is frozen.
    function decreaseFrozenBalance(address from, TPFtData calldata tpftData, uint256 tpftAmount)
        external
        onlyRole(FREEZER_ROLE)
    {
        from.check("from");
        uint256 tpftId = _knownId(tpftData);
        uint256 frozen = _positions[tpftId][from].frozen;
        if (frozen < tpftAmount) revert TPFtInsufficientFrozen(from, tpftId, frozen, tpftAmount);
        _setFrozen(from, tpftId, frozen - tpftAmount);
    }

    /// @notice Marks a wallet's bonds of a series as redeemed, or not.
    /// @dev Requires REPAYMENT_ROLE. Emits {TPFtPaymentStatusChanged}. Reverts with {TPFtIdUnknown}.
    /// @param account The wallet.
    /// @param tpftId The series.
    /// @param status Whether they were redeemed.
    function setPaymentStatus(address account, uint256 tpftId, bool status) external onlyRole(REPAYMENT_ROLE) {
        _requireId(tpftId);
        _positions[tpftId][account].isPaid = status;
        emit TPFtPaymentStatusChanged(account, tpftId, status);
    }

    /// @notice Stops a series, or lets it go on. A stopped series is neither issued nor transferred; what is redeemed
    /// still burns.
    /// @dev Requires REPAYMENT_ROLE. Emits {TPFtSeriesPausedChanged}. Reverts with {TPFtIdUnknown}.
    /// @param tpftId The series.
    /// @param status Whether it is stopped.
    function setTpftIdToPaused(uint256 tpftId, bool status) external onlyRole(REPAYMENT_ROLE) {
        _requireId(tpftId);
        _series[tpftId].isPaused = status;
        emit TPFtSeriesPausedChanged(tpftId, status);
    }

    /// @notice Lets a wallet take part in operations.
    /// @dev Requires DEFAULT_ADMIN_ROLE. Emits {TPFtAccountStatusChanged}. Reverts with `DrexZeroAddress`.
    /// @param member The wallet.
    function enableAddress(address member) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setEnabled(0, member, false, true);
    }

    /// @notice Lets a wallet take part no longer. What it holds stays.
    /// @dev Requires DEFAULT_ADMIN_ROLE. Emits {TPFtAccountStatusChanged}. Reverts with `DrexZeroAddress`.
    /// @param member The wallet.
    function disableAddress(address member) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setEnabled(0, member, false, false);
    }

    /// @notice Lets a wallet take part in operations, on the word of an institution.
    /// @dev Requires that the caller is the institution's default wallet, and enabled here and in Real Digital. Emits
    /// {TPFtAccountStatusChanged}. Reverts with {TPFtNotDefaultWallet}, {TPFtCallerNotEnabled} or `DrexZeroAddress`.
    /// @param cnpj8 Root of the institution's CNPJ.
    /// @param wallet The wallet.
    function enableAddress(uint256 cnpj8, address wallet) external {
        address defaultWallet = defaultAccounts.defaultAccount(cnpj8);
        if (msg.sender != defaultWallet) revert TPFtNotDefaultWallet(cnpj8, msg.sender, defaultWallet);
        if (!_isEnabled[msg.sender] || !defaultAccounts.realDigital().verifyAccount(msg.sender)) {
            revert TPFtCallerNotEnabled(msg.sender);
        }
        _setEnabled(cnpj8, wallet, true, true);
    }

    /// @notice Whether a wallet may take part in operations.
    /// @param wallet The wallet.
    /// @return Whether it may.
    function isEnabledAddress(address wallet) external view returns (bool) {
        return _isEnabled[wallet];
    }

    /// @notice What every operation asks first: whether two wallets may deal in a series.
    /// @dev Reverts with {TPFtAddressNotEnabled} (sender, then receiver) or {TPFtSeriesUnknown}.
    /// @param sender Who would deliver.
    /// @param receiver Who would receive.
    /// @param tpftData The series.
    function checkTrade(address sender, address receiver, TPFtData calldata tpftData) external view {
        if (!_isEnabled[sender]) revert TPFtAddressNotEnabled(sender);
        if (!_isEnabled[receiver]) revert TPFtAddressNotEnabled(receiver);
        _knownId(tpftData);
    }

    /// @notice The id of a series.
    /// @param tpftData The series.
    /// @return Its id; zero if it is unknown.
    function getTPFtId(TPFtData calldata tpftData) external view returns (uint256) {
        return _idOf[keccak256(abi.encode(tpftData))];
    }

    /// @notice The data of a series.
    /// @dev Reverts with {TPFtIdUnknown}.
    /// @param tpftId Its id.
    /// @return The data that it was created with.
    function getTPFtData(uint256 tpftId) external view returns (TPFtData memory) {
        _requireId(tpftId);
        return _dataOf[tpftId];
    }

    /// @notice Whether a wallet's bonds of a series were redeemed.
    /// @param account The wallet.
    /// @param tpftId The series.
    /// @return Whether they were.
    function getPaymentStatus(address account, uint256 tpftId) external view returns (bool) {
        return _positions[tpftId][account].isPaid;
    }

    /// @notice Whether a series is stopped.
    /// @param tpftId The series.
    /// @return Whether it is.
    function isTpftIdPaused(uint256 tpftId) external view returns (bool) {
        return _series[tpftId].isPaused;
    }

    /// @notice What of a wallet's bonds must remain.
    /// @param wallet The wallet.
    /// @param tpftId The series.
    /// @return The frozen amount in hundredths of a bond; may exceed the balance.
    function frozenBalanceOf(address wallet, uint256 tpftId) external view returns (uint256) {
        return _positions[tpftId][wallet].frozen;
    }

    /// @notice Sum of all balances of a series.
    /// @param tpftId The series.
    /// @return Hundredths of a bond.
    function totalSupply(uint256 tpftId) external view returns (uint256) {
        return _series[tpftId].supply;
    }

    /// @notice Transfers bonds of a series given by its id.
    /// @dev Requires OPERATOR_ROLE, and the approval of `from` unless the caller moves its own. Emits `TransferSingle`.
    /// Reverts with `ERC1155MissingApprovalForAll`, `ERC1155InvalidReceiver` (zero, or a contract that does not
    /// accept), or as {_update} does.
    /// @param from Who delivers.
    /// @param to Who receives.
    /// @param id The series.
    /// @param value Hundredths of a bond.
    /// @param data Handed to a receiving contract.
    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes memory data)
        public
        override
        onlyRole(OPERATOR_ROLE)
    {
        super.safeTransferFrom(from, to, id, value, data);
    }

    /// @notice Transfers bonds of several series at once.
    /// @dev As the transfer of one; emits `TransferBatch`, and reverts with `ERC1155InvalidArrayLength` as well.
    /// @param from Who delivers.
    /// @param to Who receives.
    /// @param ids The series.
    /// @param values Hundredths of a bond, of each series.
    /// @param data Handed to a receiving contract.
    function safeBatchTransferFrom(
        address from,
        address to,
        uint256[] memory ids,
        uint256[] memory values,
        bytes memory data
    ) public override onlyRole(OPERATOR_ROLE) {
        super.safeBatchTransferFrom(from, to, ids, values, data);
    }

    /// @notice What a wallet holds of a series, frozen or not.
    /// @param account The wallet.
    /// @param id The series.
    /// @return Hundredths of a bond.
    function balanceOf(address account, uint256 id) public view override returns (uint256) {
        return _positions[id][account].balance;
    }

    /// @notice ERC-165: ERC-1155 with its metadata extension, and AccessControl.
    /// @param interfaceId The interface.
    /// @return Whether it is supported.
    function supportsInterface(bytes4 interfaceId) public view override(ERC1155, AccessControl) returns (bool) {
        return super.supportsInterface(interfaceId);
    }

    /// @dev The only place where balances and supplies change. In this order reverts with `EnforcedPause`,
    /// `ERC1155InvalidArrayLength`, then for each id {TPFtSeriesPaused}, {TPFtAmountTooLarge} (mint),
    /// `ERC1155InsufficientBalance`, {TPFtBalanceFrozen}.
    function _update(address from, address to, uint256[] memory ids, uint256[] memory values)
        internal
        override
        whenNotPaused
    {
        if (ids.length != values.length) revert ERC1155InvalidArrayLength(ids.length, values.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            _move(from, to, ids[i], values[i]);
        }
        if (ids.length == 1) {
            emit TransferSingle(msg.sender, from, to, ids[0], values[0]);
        } else {
            emit TransferBatch(msg.sender, from, to, ids, values);
        }
    }

    /// @dev Moves `value` of one series: from zero it is issued, to zero it is burned.
    function _move(address from, address to, uint256 id, uint256 value) private {
        Series storage series = _series[id];
        if (series.isPaused && to != address(0)) revert TPFtSeriesPaused(id);
        if (from == address(0)) {
            series.supply = uint120(_boundedSum(series.supply, value));
        } else {
            _debit(from, id, value);
        }
        // Neither branch can overflow or underflow: value was taken from a balance or added to the supply above, every
        // balance is at most the supply, and the supply is at most AMOUNT_MAX.
        unchecked {
            if (to == address(0)) {
                series.supply -= uint120(value);
            } else {
                _positions[id][to].balance += uint120(value);
            }
        }
    }

    /// @dev Takes `value` from what `from` holds and has not frozen.
    function _debit(address from, uint256 id, uint256 value) private {
        Position storage position = _positions[id][from];
        (uint256 balance, uint256 frozen) = (position.balance, position.frozen);
        if (balance < value) revert ERC1155InsufficientBalance(from, balance, value, id);
        if (balance - value < frozen) revert TPFtBalanceFrozen(from, id, balance, frozen, value);
        position.balance = uint120(balance - value);
    }

    /// @dev `frozen` is at most AMOUNT_MAX, so that the conversion keeps it whole.
    function _setFrozen(address wallet, uint256 tpftId, uint256 frozen) private {
        _positions[tpftId][wallet].frozen = uint120(frozen);
        emit TPFtFrozenBalance(wallet, tpftId, frozen);
    }

    /// @dev Writes the flag of a wallet and says on whose word.
    function _setEnabled(uint256 cnpj8, address wallet, bool isByCnpj8, bool isEnabled) private {
        wallet.check("wallet");
        _isEnabled[wallet] = isEnabled;
        emit TPFtAccountStatusChanged(msg.sender, cnpj8, wallet, isByCnpj8, isEnabled);
    }

    /// @dev Reverts with {OnlyMinterContract} unless the caller has MINTER_ROLE.
    function _requireMinter() private view {
        if (!hasRole(MINTER_ROLE, msg.sender)) revert OnlyMinterContract();
    }

    /// @dev Reverts with {TPFtIdUnknown} unless a series has the id.
    function _requireId(uint256 tpftId) private view {
        if (tpftId == 0 || tpftId > seriesCount) revert TPFtIdUnknown(tpftId, seriesCount);
    }

    /// @dev The id of a series, or {TPFtSeriesUnknown}.
    function _knownId(TPFtData calldata tpftData) private view returns (uint256 tpftId) {
        tpftId = _idOf[keccak256(abi.encode(tpftData))];
        if (tpftId == 0) revert TPFtSeriesUnknown(tpftData.acronym, tpftData.code, tpftData.maturityDate);
    }

    /// @dev `current + increase`, or {TPFtAmountTooLarge} beyond AMOUNT_MAX. `current` is at most AMOUNT_MAX.
    function _boundedSum(uint256 current, uint256 increase) private pure returns (uint256) {
        if (increase > AMOUNT_MAX - current) revert TPFtAmountTooLarge(current, increase, AMOUNT_MAX);
        return current + increase;
    }
}
