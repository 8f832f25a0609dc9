// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {CBDCAccessControl} from "./CBDCAccessControl.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";

/// @title RealDigital
/// @notice The central bank's wholesale money as an ERC-20. All amounts are cents of real (2 decimals): R$ 100,50 is
/// 10050.
/// @dev Every change of a balance (transfer, mint, burn, move) passes {_update}: not paused, both ends enabled, the
/// frozen amount remains. No role passes by it; MOVER_ROLE skips the allowance and nothing else.
///
/// OpenZeppelin's ERC-20 keeps the face (approve, transfer, allowance, events, errors); balances and supply live here,
/// in the accounts of `CBDCAccessControl`, by overriding the three functions of ERC20 that touch its own. ERC20's slots
/// for balances and supply stay empty.
contract RealDigital is ERC20, Pausable, CBDCAccessControl {
    using NonZeroAddress for address;

    /// @notice Largest supply and largest frozen amount, in cents: what the packed account can hold, some 1.3e34 reais.
    uint256 public constant AMOUNT_MAX = type(uint120).max;

    /// @dev Set by the constructor and no literal, so that {decimals} is `view` as the kit published it, not `pure`.
    uint8 private immutable _decimals;

    /// @dev Sum of all balances, in cents.
    uint256 private _supply;

    /// @notice The frozen amount of a wallet changed.
    /// @param wallet Whose amount.
    /// @param amount The new total in cents, not the difference.
    event FrozenBalance(address wallet, uint256 amount);

    /// @notice A debit would leave less than what is frozen.
    /// @param wallet Who pays.
    /// @param balance What it holds, in cents.
    /// @param frozen What must remain, in cents.
    /// @param amount What was to leave, in cents.
    error RealDigitalBalanceFrozen(address wallet, uint256 balance, uint256 frozen, uint256 amount);

    /// @notice More was to be released than is frozen.
    /// @param wallet Whose amount.
    /// @param frozen What is frozen, in cents.
    /// @param amount What was to be released, in cents.
    error RealDigitalInsufficientFrozen(address wallet, uint256 frozen, uint256 amount);

    /// @notice A supply or a frozen amount would exceed {AMOUNT_MAX}.
    /// @param current The amount as it is, in cents.
    /// @param increase What was to be added, in cents.
    /// @param max {AMOUNT_MAX}.
    error RealDigitalAmountTooLarge(uint256 current, uint256 increase, uint256 max);

    /// @notice An allowance was to be lowered by more than there is.
    /// @param spender Whose allowance.
    /// @param allowance The allowance as it is, in cents.
    /// @param subtractedValue By how much it was to be lowered, in cents.
    error RealDigitalAllowanceBelowZero(address spender, uint256 allowance, uint256 subtractedValue);

    /// @dev Reverts with `DrexZeroAddress` if authority or admin is zero.
    /// @param name_ ERC-20 name, "Real Digital" on the pilot's network.
    /// @param symbol_ ERC-20 symbol, "BRL" on the pilot's network.
    /// @param authority_ Receives PAUSER, MINTER, ACCESS, MOVER, BURNER and FREEZER.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(string memory name_, string memory symbol_, address authority_, address admin_)
        ERC20(name_, symbol_)
        CBDCAccessControl(authority_, admin_)
    {
        _decimals = 2;
    }

    /// @notice Stops every change of a balance. Approvals and the list of wallets go on.
    /// @dev Requires PAUSER_ROLE. Emits `Paused`. Reverts with `EnforcedPause` if already paused.
    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    /// @notice Lets balances change again.
    /// @dev Requires PAUSER_ROLE. Emits `Unpaused`. Reverts with `ExpectedPause` if not paused.
    function unpause() external onlyRole(PAUSER_ROLE) {
        _unpause();
    }

    /// @notice Issues money to a wallet.
    /// @dev Requires MINTER_ROLE. Emits `Transfer` from zero. Reverts as {_update} does; the receiver must be enabled.
    /// @param to Who receives.
    /// @param amount Cents.
    function mint(address to, uint256 amount) external onlyRole(MINTER_ROLE) {
        _mint(to, amount);
    }

    /// @notice Burns money of the caller's own. The role is needed even for that.
    /// @dev Requires BURNER_ROLE. Emits `Transfer` to zero. Reverts as {_update} does.
    /// @param amount Cents.
    function burn(uint256 amount) external onlyRole(BURNER_ROLE) {
        _burn(msg.sender, amount);
    }

    /// @notice Burns money of another wallet, within the allowance that it gave to the caller.
    /// @dev Requires BURNER_ROLE and the allowance. Emits `Transfer` to zero. Reverts with
    /// `ERC20InsufficientAllowance`, or as {_update} does.
    /// @param account Whose money.
    /// @param amount Cents.
    function burnFrom(address account, uint256 amount) external onlyRole(BURNER_ROLE) {
        _spendAllowance(account, msg.sender, amount);
        _burn(account, amount);
    }

    /// @notice Moves money between wallets without any allowance. Pause, list and freeze hold all the same.
    /// @dev Requires MOVER_ROLE. Emits `Transfer`. Reverts as {_update} does.
    /// @param from Who pays.
    /// @param to Who receives.
    /// @param amount Cents.
    function move(address from, address to, uint256 amount) external onlyRole(MOVER_ROLE) {
        _transfer(from, to, amount);
    }

    /// @notice Burns money of a wallet without any allowance. Pause, list and freeze hold all the same.
    /// @dev Requires MOVER_ROLE. Emits `Transfer` to zero. Reverts as {_update} does.
    /// @param from Whose money.
    /// @param amount Cents.
    function moveAndBurn(address from, uint256 amount) external onlyRole(MOVER_ROLE) {
        _burn(from, amount);
    }

    /// @notice Freezes a further amount of a wallet. More than it holds may be frozen: then nothing leaves, while
    /// receipts still arrive.
    /// @dev Requires FREEZER_ROLE. Emits {FrozenBalance}. Reverts with `DrexZeroAddress` or
    /// {RealDigitalAmountTooLarge}.
    /// @param from The wallet.
    /// @param amount Cents to add to what is frozen.
    function increaseFrozenBalance(address from, uint256 amount) external onlyRole(FREEZER_ROLE) {
        from.check("from");
        uint256 frozen = _boundedSum(_accounts[from].frozen, amount);
        _setFrozen(from, frozen);
    }

    /// @notice Releases a part of what is frozen.
    /// @dev Requires FREEZER_ROLE. Emits {FrozenBalance}. Reverts with `DrexZeroAddress` or
    /// {RealDigitalInsufficientFrozen}.
    /// @param from The wallet.
    /// @param amount Cents to take from what is frozen.
    function decreaseFrozenBalance(address from, uint256 amount) external onlyRole(FREEZER_ROLE) {
        from.check("from");
        uint256 frozen = _accounts[from].frozen;
        if (frozen < amount) revert RealDigitalInsufficientFrozen(from, frozen, amount);
        _setFrozen(from, frozen - amount);
    }

    /// @notice Raises the caller's allowance for a spender.
    /// @dev Emits `Approval`. Reverts with a checked overflow beyond 2^256, or `ERC20InvalidSpender` for zero.
    /// @param spender Who may spend.
    /// @param addedValue Cents to add.
    /// @return Always true.
    function increaseAllowance(address spender, uint256 addedValue) external returns (bool) {
        _approve(msg.sender, spender, allowance(msg.sender, spender) + addedValue);
        return true;
    }

    /// @notice Lowers the caller's allowance for a spender.
    /// @dev Emits `Approval`. Reverts with {RealDigitalAllowanceBelowZero}, or `ERC20InvalidSpender` for zero.
    /// @param spender Who may spend.
    /// @param subtractedValue Cents to take away.
    /// @return Always true.
    function decreaseAllowance(address spender, uint256 subtractedValue) external returns (bool) {
        uint256 current = allowance(msg.sender, spender);
        if (current < subtractedValue) revert RealDigitalAllowanceBelowZero(spender, current, subtractedValue);
        _approve(msg.sender, spender, current - subtractedValue);
        return true;
    }

    /// @notice What of a wallet's balance must remain.
    /// @param wallet The wallet.
    /// @return The frozen amount in cents; may exceed the balance.
    function frozenBalanceOf(address wallet) external view returns (uint256) {
        return _accounts[wallet].frozen;
    }

    /// @notice Two decimals: amounts are cents.
    /// @return 2.
    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    /// @notice Sum of all balances.
    /// @return Cents.
    function totalSupply() public view override returns (uint256) {
        return _supply;
    }

    /// @notice What a wallet holds, frozen or not.
    /// @param account The wallet.
    /// @return Cents.
    function balanceOf(address account) public view override returns (uint256) {
        return _accounts[account].balance;
    }

    /// @dev The only place where balances and supply change. In this order reverts with `EnforcedPause`,
    /// `CBDCAccountNotEnabled`, {RealDigitalAmountTooLarge} (mint), `ERC20InsufficientBalance`,
    /// {RealDigitalBalanceFrozen}.
    /// @param from Who pays; zero when minting.
    /// @param to Who receives; zero when burning.
    /// @param value Cents.
    function _update(address from, address to, uint256 value) internal override whenNotPaused {
        _checkAccess(from, to);
        if (from == address(0)) {
            _supply = _boundedSum(_supply, value);
        } else {
            _debit(from, value);
        }
        // Neither branch can overflow or underflow: value was taken from a balance or added to the supply above, every
        // balance is at most the supply, and the supply is at most AMOUNT_MAX.
        unchecked {
            if (to == address(0)) {
                _supply -= value;
            } else {
                _accounts[to].balance += uint120(value);
            }
        }
        emit Transfer(from, to, value);
    }

    /// @dev Takes `value` from what `from` holds and has not frozen.
    function _debit(address from, uint256 value) private {
        Account storage account = _accounts[from];
        (uint256 balance, uint256 frozen) = (account.balance, account.frozen);
        if (balance < value) revert ERC20InsufficientBalance(from, balance, value);
        if (balance - value < frozen) revert RealDigitalBalanceFrozen(from, balance, frozen, value);
        account.balance = uint120(balance - value);
    }

    /// @dev `frozen` is at most AMOUNT_MAX, so that the conversion keeps it whole.
    function _setFrozen(address wallet, uint256 frozen) private {
        _accounts[wallet].frozen = uint120(frozen);
        emit FrozenBalance(wallet, frozen);
    }

    /// @dev `current + increase`, or {RealDigitalAmountTooLarge} beyond AMOUNT_MAX. `current` is at most AMOUNT_MAX.
    function _boundedSum(uint256 current, uint256 increase) private pure returns (uint256) {
        if (increase > AMOUNT_MAX - current) revert RealDigitalAmountTooLarge(current, increase, AMOUNT_MAX);
        return current + increase;
    }
}
