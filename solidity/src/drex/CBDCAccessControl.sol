// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthorityControl} from "./AuthorityControl.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";

/// @title CBDCAccessControl
/// @notice Roles of tokenised money, and the list of wallets that may send and receive it.
/// @dev A wallet's flag shares one storage slot with its balance and its frozen amount, so that a transfer reads and
/// writes one slot per end, and so that the slot of an enabled wallet is never empty: its first receipt costs what
/// every later one costs.
abstract contract CBDCAccessControl is AuthorityControl {
    using NonZeroAddress for address;

    /// @dev All that the token knows of a wallet; one slot. Amounts are in cents of real.
    struct Account {
        /// Whether the wallet may send and receive.
        bool isEnabled;
        /// What the wallet holds, in cents. Fits, since the supply is bounded by the same type.
        uint120 balance;
        /// What must remain after any debit, in cents. May exceed the balance: then nothing leaves.
        uint120 frozen;
    }

    /// @notice Role that stops and resumes the token.
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");

    /// @notice Role that issues.
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    /// @notice Role that moves and burns what others hold, without allowance.
    bytes32 public constant MOVER_ROLE = keccak256("MOVER_ROLE");

    /// @notice Role that burns its own balance, or another's within an allowance.
    bytes32 public constant BURNER_ROLE = keccak256("BURNER_ROLE");

    /// @notice Role that freezes amounts.
    bytes32 public constant FREEZER_ROLE = keccak256("FREEZER_ROLE");

    /// @dev Wallet to its account.
    mapping(address wallet => Account account) internal _accounts;

    /// @notice A wallet may send and receive from now on. Emitted also when it already could.
    /// @param member The wallet.
    event EnabledAccount(address member);

    /// @notice A wallet may neither send nor receive from now on; what it holds stays. Emitted also when it already
    /// could not.
    /// @param member The wallet.
    event DisabledAccount(address member);

    /// @notice An end of a movement is not on the list.
    /// @param wallet The wallet that would have to be enabled.
    error CBDCAccountNotEnabled(address wallet);

    /// @dev Grants the six operational roles to `authority_`, DEFAULT_ADMIN_ROLE to `admin_`, and nothing to the
    /// deployer.
    /// @param authority_ The token's authority: the central bank, or a bank for its own token.
    /// @param admin_ Who may replace the authority.
    constructor(address authority_, address admin_) AuthorityControl(authority_, admin_) {
        _grantRole(PAUSER_ROLE, authority_);
        _grantRole(MINTER_ROLE, authority_);
        _grantRole(MOVER_ROLE, authority_);
        _grantRole(BURNER_ROLE, authority_);
        _grantRole(FREEZER_ROLE, authority_);
    }

    /// @notice Puts a wallet on the list. A contract that holds the token needs it as a person does.
    /// @dev Requires ACCESS_ROLE. Emits {EnabledAccount}. Reverts with `DrexZeroAddress` if `member` is zero.
    /// @param member The wallet.
    function enableAccount(address member) external onlyRole(ACCESS_ROLE) {
        member.check("member");
        _accounts[member].isEnabled = true;
        emit EnabledAccount(member);
    }

    /// @notice Takes a wallet off the list. This is administration, not a sanction: whoever sponsors the wallet through
    /// `RealDigitalEnableAccount` can put it back. What must not leave is frozen, not disabled.
    /// @dev Requires ACCESS_ROLE. Emits {DisabledAccount}. Reverts with `DrexZeroAddress` if `member` is zero.
    /// @param member The wallet.
    function disableAccount(address member) external onlyRole(ACCESS_ROLE) {
        member.check("member");
        _accounts[member].isEnabled = false;
        emit DisabledAccount(member);
    }

    /// @notice Whether a wallet is on the list.
    /// @param account The wallet.
    /// @return Whether it may send and receive.
    function verifyAccount(address account) external view returns (bool) {
        return _accounts[account].isEnabled;
    }

    /// @notice Whether a wallet is on the list; the same answer as {verifyAccount}, under the kit's other name.
    /// @param wallet The wallet.
    /// @return Whether it may send and receive.
    function authorizedAccounts(address wallet) external view returns (bool) {
        return _accounts[wallet].isEnabled;
    }

    /// @dev Reverts with {CBDCAccountNotEnabled} for the first end that exists (mint has no `from`, burn no `to`) and
    /// is not on the list.
    /// @param from Who pays, or zero.
    /// @param to Who receives, or zero.
    function _checkAccess(address from, address to) internal view {
        if (from != address(0) && !_accounts[from].isEnabled) revert CBDCAccountNotEnabled(from);
        if (to != address(0) && !_accounts[to].isEnabled) revert CBDCAccountNotEnabled(to);
    }
}
