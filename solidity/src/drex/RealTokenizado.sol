// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cnpj8} from "./Cnpj8.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigital} from "./RealDigital.sol";

/// @title RealTokenizado
/// @notice One bank's money as a token: a tokenised demand deposit or electronic money, in cents of real. It behaves as
/// `RealDigital` does; its authority is the bank, its admin the central bank.
/// @dev The Real Digital that backs it lies in the wallet {reserve}. No contract enforces that the two sums are equal:
/// the bank may mint freely and answers for it. Swaps read {reserve} when they execute.
contract RealTokenizado is RealDigital {
    using Cnpj8 for uint256;
    using NonZeroAddress for address;

    /// @notice Name of the bank.
    string public participant;

    /// @notice Root of the bank's CNPJ, in the form that {Cnpj8} describes.
    uint256 public immutable cnpj8;

    /// @notice The bank's wallet whose Real Digital backs this token.
    address public reserve;

    /// @notice The reserve is another wallet from now on. What the old one holds stays there.
    /// @param previous The wallet until now.
    /// @param current The wallet from now on.
    event ReserveUpdated(address indexed previous, address indexed current);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero, and with `Cnpj8Invalid`.
    /// @param name_ ERC-20 name, `RealTokenizado@` and the eight characters of the root.
    /// @param symbol_ ERC-20 symbol; the kit's documents disagree about it (`DREX@` or `BRL@`), so the deployer says
    /// it.
    /// @param authority_ The bank's wallet that mints, burns, moves, freezes, and enables its customers.
    /// @param admin_ Who may replace the authority: the central bank.
    /// @param participant_ Name of the bank.
    /// @param cnpj8_ Root of the bank's CNPJ.
    /// @param reserve_ The bank's wallet whose Real Digital backs this token.
    constructor(
        string memory name_,
        string memory symbol_,
        address authority_,
        address admin_,
        string memory participant_,
        uint256 cnpj8_,
        address reserve_
    ) RealDigital(name_, symbol_, authority_, admin_) {
        cnpj8_.check();
        reserve_.check("reserve");
        participant = participant_;
        cnpj8 = cnpj8_;
        reserve = reserve_;
        emit ReserveUpdated(address(0), reserve_);
    }

    /// @notice Makes another wallet the reserve. No money moves.
    /// @dev Requires ACCESS_ROLE. Emits {ReserveUpdated}. Reverts with `DrexZeroAddress` if `newReserve` is zero.
    /// @param newReserve The wallet; it should be enabled in Real Digital, else swaps fail.
    function updateReserve(address newReserve) external onlyRole(ACCESS_ROLE) {
        newReserve.check("newReserve");
        emit ReserveUpdated(reserve, newReserve);
        reserve = newReserve;
    }

    /// @notice Uses up a part of the allowance that `owner` gave to `spender`, for a swap that `spender` called.
    /// @dev Requires BURNER_ROLE. An unlimited allowance stays unlimited. Reverts with `ERC20InsufficientAllowance`.
    /// @param owner Who gave the allowance.
    /// @param spender Who has it.
    /// @param amount Cents.
    function spendAllowanceFrom(address owner, address spender, uint256 amount) external onlyRole(BURNER_ROLE) {
        _spendAllowance(owner, spender, amount);
    }
}
