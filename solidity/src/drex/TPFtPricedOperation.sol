// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtOperation} from "./TPFtOperation.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";

/// @title TPFtPricedOperation
/// @notice An operation in which bonds have a price: what a price may be, and what bonds are worth at it.
abstract contract TPFtPricedOperation is TPFtOperation {
    /// @notice Largest price of a bond, with 8 decimals: below a million reais.
    uint256 public constant UNIT_PRICE_MAX = 99_999_999_999_999;

    /// @notice A price has 8 decimals, an amount of bonds 2 and a value of money 2: value = price * amount / 10^8.
    uint256 public constant UNIT_PRICE_SCALE = 1e8;

    /// @notice The price is zero or too large.
    /// @param unitPrice The price, with 8 decimals.
    /// @param max {UNIT_PRICE_MAX}.
    error TPFtOperationUnitPriceOutOfRange(uint256 unitPrice, uint256 max);

    /// @notice So few bonds at such a price are worth less than a cent.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice The price, with 8 decimals.
    error TPFtOperationValueZero(uint256 tpftAmount, uint256 unitPrice);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    constructor(
        TPFt tpft_,
        TPFtOperationId operationIds_,
        RealDigitalDefaultAccount defaultAccounts_,
        address authority_,
        address admin_
    ) TPFtOperation(tpft_, operationIds_, defaultAccounts_, authority_, admin_) {}

    /// @dev Price times amount in cents, rounded down. Cannot overflow: the price is below 2^47 and the amount below
    /// 2^120.
    function _financialValue(uint256 tpftAmount, uint256 unitPrice) internal pure returns (uint256 value) {
        _requireAmount(tpftAmount);
        if (unitPrice == 0 || unitPrice > UNIT_PRICE_MAX) {
            revert TPFtOperationUnitPriceOutOfRange(unitPrice, UNIT_PRICE_MAX);
        }
        value = unitPrice * tpftAmount / UNIT_PRICE_SCALE;
        if (value == 0) revert TPFtOperationValueZero(tpftAmount, unitPrice);
    }
}
