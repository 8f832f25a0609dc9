// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccountIngress} from "./IAccountIngress.sol";
import {IAccountStorage} from "./IAccountStorage.sol";
import {IPermissionAdmin} from "./IPermissionAdmin.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";

/// @title AccountRules
/// @notice Which transactions a network's nodes let in, where they ask a contract: administrators and deployers send
/// anything, everybody else sends to enabled targets only.
/// @dev Administrators are those of the contract that {ingress} has under `administration`; without one there are none.
/// Only administrators and deployers create contracts: the zero address is never a target. A new contract is closed to
/// ordinary accounts until it is a target.
///
/// As on the pilot's network, the list of accounts is not asked, so that an enabled target is open to every account. The
/// administrators may let it bind ({setAccountListBinding}): then an ordinary sender must be on it besides. Needs
/// WRITER_ROLE on the storage.
contract AccountRules {
    using NonZeroAddress for address;

    /// @dev Name of the administrators' contract at the ingress.
    bytes32 private constant ADMIN_CONTRACT = "administration";

    /// @notice Knows the contract of the administrators.
    IAccountIngress public immutable ingress;

    /// @notice Keeps the list of accounts.
    IAccountStorage public immutable accountStorage;

    /// @notice Whether an account may create contracts, enable targets, and send anything.
    mapping(address deployer => bool isDeployer) public deployers;

    /// @notice Whether everybody may send to a contract.
    mapping(address target => bool isEnabled) public targetsEnabled;

    /// @notice Whether the list of accounts cannot be changed.
    bool public isReadOnly;

    /// @notice Whether ordinary senders must be on the list of accounts.
    bool public isAccountListBinding;

    /// @notice An account was put on the list.
    /// @param accountAdded Whether it was not on it.
    /// @param accountAddress The account.
    event AccountAdded(bool accountAdded, address accountAddress);

    /// @notice An account was taken off the list.
    /// @param accountRemoved Whether it was on it.
    /// @param accountAddress The account.
    event AccountRemoved(bool accountRemoved, address accountAddress);

    /// @notice An account is a deployer from now on.
    /// @param message For people: whether it was one.
    /// @param deployer The account.
    event AddDeployer(string message, address indexed deployer);

    /// @notice An account is no deployer from now on.
    /// @param message For people: whether it was one.
    /// @param deployer The account.
    event RemoveDeployer(string message, address indexed deployer);

    /// @notice Everybody may send to a contract from now on.
    /// @param message For people: whether everybody could.
    /// @param target The contract.
    event AddTarget(string message, address indexed target);

    /// @notice Not everybody may send to a contract from now on.
    /// @param message For people: whether everybody could.
    /// @param target The contract.
    event RemoveTarget(string message, address indexed target);

    /// @notice The list of accounts was closed to changes, or opened.
    /// @param isReadOnly Whether it is closed.
    event ReadOnlyChanged(bool isReadOnly);

    /// @notice The list of accounts binds ordinary senders, or no longer.
    /// @param isBinding Whether it does.
    event AccountListBindingChanged(bool isBinding);

    /// @notice The caller does not administer permissions.
    /// @param caller Who called.
    error AccountRulesNotAdmin(address caller);

    /// @notice The caller neither administers permissions nor is a deployer.
    /// @param caller Who called.
    error AccountRulesNotDeployer(address caller);

    /// @notice The list of accounts is closed where it must be open, or open where it must be closed.
    /// @param isReadOnly Whether it is closed.
    error AccountRulesReadOnly(bool isReadOnly);

    /// @dev Passes for administrators; for others reverts with {AccountRulesNotAdmin}.
    modifier onlyAdmin() {
        _checkAdmin();
        _;
    }

    /// @dev Passes for administrators and deployers; for others reverts with {AccountRulesNotDeployer}.
    modifier onlyDeployer() {
        _checkDeployer();
        _;
    }

    /// @dev Passes if `isReadOnly` is as expected; else reverts with {AccountRulesReadOnly}.
    modifier whenReadOnly(bool expected) {
        _checkReadOnly(expected);
        _;
    }

    /// @dev Reverts with `DrexZeroAddress` if an address is zero. Calls nothing.
    /// @param ingressContract Knows the contract of the administrators.
    /// @param storage_ Keeps the list of accounts.
    constructor(IAccountIngress ingressContract, IAccountStorage storage_) {
        address(ingressContract).check("ingressContract");
        address(storage_).check("storage");
        ingress = ingressContract;
        accountStorage = storage_;
    }

    /// @notice Opens a contract to everybody.
    /// @dev Requires an administrator or deployer. Emits {AddTarget}. Reverts with {AccountRulesNotDeployer}, or
    /// `DrexZeroAddress`: else everybody could create contracts.
    /// @param target The contract.
    /// @return Whether it was closed.
    function addTarget(address target) external onlyDeployer returns (bool) {
        target.check("target");
        bool isNew = !targetsEnabled[target];
        targetsEnabled[target] = true;
        emit AddTarget(isNew ? "target enabled" : "target was enabled before", target);
        return isNew;
    }

    /// @notice Closes a contract to ordinary accounts.
    /// @dev Requires an administrator or deployer. Emits {RemoveTarget}. Reverts with {AccountRulesNotDeployer}.
    /// @param target The contract.
    function removeTarget(address target) external onlyDeployer {
        emit RemoveTarget(targetsEnabled[target] ? "target disabled" : "target was not enabled", target);
        targetsEnabled[target] = false;
    }

    /// @notice Makes an account a deployer.
    /// @dev Requires an administrator. Emits {AddDeployer}. Reverts with {AccountRulesNotAdmin} or `DrexZeroAddress`.
    /// @param deployer The account.
    /// @return Whether it was none.
    function addDeployer(address deployer) external onlyAdmin returns (bool) {
        deployer.check("deployer");
        bool isNew = !deployers[deployer];
        deployers[deployer] = true;
        emit AddDeployer(isNew ? "deployer added" : "deployer was added before", deployer);
        return isNew;
    }

    /// @notice Makes an account no deployer.
    /// @dev Requires an administrator. Emits {RemoveDeployer}. Reverts with {AccountRulesNotAdmin}.
    /// @param deployer The account.
    function removeDeployer(address deployer) external onlyAdmin {
        emit RemoveDeployer(deployers[deployer] ? "deployer removed" : "deployer was none", deployer);
        deployers[deployer] = false;
    }

    /// @notice Puts an account on the list.
    /// @dev Requires an administrator, and that the list is open. Emits {AccountAdded}. Reverts with
    /// {AccountRulesNotAdmin}, {AccountRulesReadOnly} or `DrexZeroAddress`.
    /// @param account The account.
    /// @return Whether it was not on it.
    function addAccount(address account) external onlyAdmin whenReadOnly(false) returns (bool) {
        return _addAccount(account);
    }

    /// @notice Puts accounts on the list.
    /// @dev As {addAccount}, for each.
    /// @param accounts The accounts.
    /// @return areNew Whether none was on it.
    function addAccounts(address[] calldata accounts) external onlyAdmin whenReadOnly(false) returns (bool areNew) {
        areNew = true;
        for (uint256 i = 0; i < accounts.length; ++i) {
            bool isNew = _addAccount(accounts[i]);
            areNew = areNew && isNew;
        }
    }

    /// @notice Takes an account off the list.
    /// @dev Requires an administrator, and that the list is open. Emits {AccountRemoved}. Reverts with
    /// {AccountRulesNotAdmin} or {AccountRulesReadOnly}.
    /// @param account The account.
    /// @return Whether it was on it.
    function removeAccount(address account) external onlyAdmin whenReadOnly(false) returns (bool) {
        bool isRemoved = accountStorage.remove(account);
        emit AccountRemoved(isRemoved, account);
        return isRemoved;
    }

    /// @notice Closes the list of accounts to changes, as while its storage moves to new rules.
    /// @dev Requires an administrator, and that it is open. Emits {ReadOnlyChanged}. Reverts with
    /// {AccountRulesNotAdmin} or {AccountRulesReadOnly}.
    /// @return Always true.
    function enterReadOnly() external onlyAdmin whenReadOnly(false) returns (bool) {
        isReadOnly = true;
        emit ReadOnlyChanged(true);
        return true;
    }

    /// @notice Opens the list of accounts to changes.
    /// @dev Requires an administrator, and that it is closed. Emits {ReadOnlyChanged}. Reverts with
    /// {AccountRulesNotAdmin} or {AccountRulesReadOnly}.
    /// @return Always true.
    function exitReadOnly() external onlyAdmin whenReadOnly(true) returns (bool) {
        isReadOnly = false;
        emit ReadOnlyChanged(false);
        return true;
    }

    /// @notice Lets the list of accounts bind ordinary senders, or not. DANGER: when it binds, whoever is not on it is
    /// shut out at once; fill it first.
    /// @dev Requires an administrator. Emits {AccountListBindingChanged}. Reverts with {AccountRulesNotAdmin}.
    /// @param isBinding Whether it binds.
    function setAccountListBinding(bool isBinding) external onlyAdmin {
        isAccountListBinding = isBinding;
        emit AccountListBindingChanged(isBinding);
    }

    /// @notice Whether nodes let a transaction in. Value, gas price, gas limit and payload do not matter.
    /// @param sender Who signed it.
    /// @param target The contract that it calls; zero if it creates one.
    /// @return Whether they do.
    function transactionAllowed(address sender, address target, uint256, uint256, uint256, bytes calldata)
        external
        view
        returns (bool)
    {
        if (deployers[sender] || _isAdmin(sender)) return true;
        return targetsEnabled[target] && (!isAccountListBinding || accountStorage.exists(sender));
    }

    /// @notice Whether an account is on the list; that it may send is another question: see {isAccountListBinding}.
    /// @param _account The account.
    /// @return Whether it is.
    function accountPermitted(address _account) external view returns (bool) {
        return accountStorage.exists(_account);
    }

    /// @notice The whole list of accounts.
    /// @return The accounts, in no order.
    function getAccounts() external view returns (address[] memory) {
        return accountStorage.getAccounts();
    }

    /// @notice An account of the list. Reverts as the storage does.
    /// @param index Its place, from 0.
    /// @return account The account.
    function getByIndex(uint256 index) external view returns (address account) {
        return accountStorage.getByIndex(index);
    }

    /// @notice How many accounts are on the list.
    /// @return The number.
    function getSize() external view returns (uint256) {
        return accountStorage.size();
    }

    /// @notice Whether an account is a deployer; the same answer as {deployers}.
    /// @param deployer The account.
    /// @return Whether it is.
    function verifyDeployer(address deployer) external view returns (bool) {
        return deployers[deployer];
    }

    /// @notice Whether everybody may send to a contract; the same answer as {targetsEnabled}.
    /// @param target The contract.
    /// @return Whether everybody may.
    function verifyTarget(address target) external view returns (bool) {
        return targetsEnabled[target];
    }

    /// @notice Version of the interface to nodes.
    /// @return 3000000.
    function getContractVersion() external view returns (uint256) {
        this; // A view by the kit's ABI, not pure.
        return 3_000_000;
    }

    /// @dev Puts one account on the list and says it.
    function _addAccount(address account) private returns (bool isNew) {
        account.check("account");
        isNew = accountStorage.add(account);
        emit AccountAdded(isNew, account);
    }

    /// @dev Whether an account administers permissions.
    function _isAdmin(address account) private view returns (bool) {
        address admins = ingress.getContractAddress(ADMIN_CONTRACT);
        return admins != address(0) && IPermissionAdmin(admins).isAuthorized(account);
    }

    /// @dev Reverts with {AccountRulesNotAdmin} unless the caller administers permissions.
    function _checkAdmin() private view {
        if (!_isAdmin(msg.sender)) revert AccountRulesNotAdmin(msg.sender);
    }

    /// @dev Reverts with {AccountRulesNotDeployer} unless the caller is a deployer or administers permissions.
    function _checkDeployer() private view {
        if (!deployers[msg.sender] && !_isAdmin(msg.sender)) revert AccountRulesNotDeployer(msg.sender);
    }

    /// @dev Reverts with {AccountRulesReadOnly} unless the list is closed, or open, as expected.
    function _checkReadOnly(bool expected) private view {
        if (isReadOnly != expected) revert AccountRulesReadOnly(isReadOnly);
    }
}
