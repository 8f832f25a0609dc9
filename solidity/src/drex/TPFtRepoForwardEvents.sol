// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TPFtData} from "./TPFtTypes.sol";

/// @title TPFtRepoForwardEvents
/// @notice What operation 1054 tells: the pilot's published events, one per way to name the parties.
abstract contract TPFtRepoForwardEvents {
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
    /// @param returnUnitPrice Price of a bond in the return leg; zero if it is open.
    /// @param returnFinancialValue Cents of the return leg; zero if its price is open.
    /// @param status `LAN`, `CON` or `ATU`.
    /// @param returnDate Day of the return, in seconds since 1970.
    /// @param timestamp Time of the block, in seconds since 1970.
    event RepoOperationTradeForwardCNPJ8Event(
        uint256 indexed operationId,
        uint256 indexed cnpj8Sender,
        uint256 indexed cnpj8Receiver,
        address sender,
        address receiver,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 financialValue,
        uint256 returnUnitPrice,
        uint256 returnFinancialValue,
        string status,
        uint256 returnDate,
        uint256 timestamp
    );

    /// @notice A command between participants given by their wallets.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param receiver Who receives bonds.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param financialValue Cents.
    /// @param returnUnitPrice Price of a bond in the return leg; zero if it is open.
    /// @param returnFinancialValue Cents of the return leg; zero if its price is open.
    /// @param status `LAN`, `CON` or `ATU`.
    /// @param returnDate Day of the return, in seconds since 1970.
    /// @param timestamp Time of the block, in seconds since 1970.
    event RepoOperationTradeForwardEvent(
        uint256 indexed operationId,
        address indexed sender,
        address indexed receiver,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 financialValue,
        uint256 returnUnitPrice,
        uint256 returnFinancialValue,
        string status,
        uint256 returnDate,
        uint256 timestamp
    );

    /// @notice A command between a participant and a customer, paid in Real Tokenizado.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param senderToken The Real Tokenizado that it is paid in.
    /// @param receiver Who receives bonds.
    /// @param receiverToken The Real Tokenizado that it pays from.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param financialValue Cents.
    /// @param returnUnitPrice Price of a bond in the return leg; zero if it is open.
    /// @param returnFinancialValue Cents of the return leg; zero if its price is open.
    /// @param status `LAN`, `CON` or `ATU`.
    /// @param returnDate Day of the return, in seconds since 1970.
    /// @param timestamp Time of the block, in seconds since 1970.
    event RepoOperationTradeForwardParticipantClientEvent(
        uint256 indexed operationId,
        address indexed sender,
        address senderToken,
        address indexed receiver,
        address receiverToken,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 financialValue,
        uint256 returnUnitPrice,
        uint256 returnFinancialValue,
        string status,
        uint256 returnDate,
        uint256 timestamp
    );

    /// @notice An operation was called off.
    /// @param operationId Number of the operation.
    /// @param status Always `CAN`. DANGER: indexed, so that a log shows `keccak256("CAN")`.
    /// @param reason Why, in the words of who cancelled.
    /// @param timestamp Time of the block, in seconds since 1970.
    event RepoOperationCancelEvent(
        uint256 indexed operationId, string indexed status, string reason, uint256 timestamp
    );

    /// @notice A repo was not returned in time.
    /// @param operationId Number of the operation.
    /// @param reason Why, in the words of the party that says so.
    /// @param timestamp Time of the block, in seconds since 1970.
    event RepoOperationDefaultEvent(uint256 indexed operationId, string reason, uint256 timestamp);
}
