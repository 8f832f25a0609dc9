// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtDvP} from "./TPFtDvP.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";
import {TPFtTwoCommandOperation} from "./TPFtTwoCommandOperation.sol";
import {TPFtData} from "./TPFtTypes.sol";

/// @title TPFtTradeOperation
/// @notice An operation of two commands that sells bonds for good: the events that 1002 and 1052 share.
abstract contract TPFtTradeOperation is TPFtTwoCommandOperation {
    /// @notice A command between institutions given by their CNPJs.
    /// @param operationId Number of the operation.
    /// @param cnpj8Sender Root of the CNPJ of who delivers bonds.
    /// @param cnpj8Receiver Root of the CNPJ of who receives bonds.
    /// @param sender Its default wallet.
    /// @param receiver Its default wallet.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param financialValue Cents.
    /// @param status `LAN`, `CON` or `ATU`.
    /// @param timestamp Time of the block, in seconds since 1970.
    event OperationEvent(
        uint256 operationId,
        uint256 cnpj8Sender,
        uint256 cnpj8Receiver,
        address sender,
        address receiver,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 financialValue,
        string status,
        uint256 timestamp
    );

    /// @notice An operation was called off.
    /// @param operationId Number of the operation.
    /// @param status Always `CAN`.
    /// @param reason Why, in the words of who cancelled.
    /// @param timestamp Time of the block, in seconds since 1970.
    event OperationCancelEvent(uint256 operationId, string status, string reason, uint256 timestamp);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    constructor(
        TPFtDvP dvp_,
        TPFt tpft_,
        TPFtOperationId operationIds_,
        RealDigitalDefaultAccount defaultAccounts_,
        address authority_,
        address admin_
    ) TPFtTwoCommandOperation(dvp_, tpft_, operationIds_, defaultAccounts_, authority_, admin_) {}

    /// @dev Emits {OperationCancelEvent}.
    function _emitCancelled(uint256 operationId, string calldata reason) internal override {
        emit OperationCancelEvent(operationId, STATUS_CANCELLED, reason, block.timestamp);
    }
}
