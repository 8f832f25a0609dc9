// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtOperation} from "./TPFtOperation.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";
import {TPFtData} from "./TPFtTypes.sol";

/// @title TPFtOperation1001
/// @notice Operation 1001: the central bank creates a series of federal bonds, and issues bonds of it to the Treasury's
/// wallet.
/// @dev Needs MINTER_ROLE on TPFt and OPERATOR_ROLE on TPFtOperationId.
contract TPFtOperation1001 is TPFtOperation {
    /// @notice Role of the wallets that create and issue: the central bank's.
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    /// @notice Bonds were issued.
    /// @param operationId Number of the operation.
    /// @param receiver The Treasury's wallet.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param status Always `ATU`.
    /// @param timestamp Time of the block, in seconds since 1970.
    event OperationMintEvent(
        uint256 operationId, address receiver, TPFtData tpftData, uint256 tpftAmount, string status, uint256 timestamp
    );

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param tpft_ The bonds.
    /// @param operationIds_ The registry of operation numbers.
    /// @param defaultAccounts_ Says which wallet is the Treasury's.
    /// @param authority_ Receives MINTER_ROLE.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(
        TPFt tpft_,
        TPFtOperationId operationIds_,
        RealDigitalDefaultAccount defaultAccounts_,
        address authority_,
        address admin_
    ) TPFtOperation(tpft_, operationIds_, defaultAccounts_, authority_, admin_) {
        _grantRole(MINTER_ROLE, authority_);
    }

    /// @notice Creates a series.
    /// @dev Requires MINTER_ROLE here. Emits `TPFtCreated` at TPFt. Reverts with `EnforcedPause`,
    /// `TPFtOperationMatured` or `TPFtSeriesExists`.
    /// @param tpftData The series; it must mature in the future.
    function createTPFt(TPFtData calldata tpftData) external whenNotPaused onlyRole(MINTER_ROLE) {
        _requireNotMatured(tpftData.maturityDate);
        getTPFt.createTPFt(tpftData);
    }

    /// @notice Issues bonds to the Treasury's default wallet.
    /// @dev Requires MINTER_ROLE here. Emits {OperationMintEvent}, and `TransferSingle` at TPFt. Reverts with
    /// `EnforcedPause`, `TPFtOperationMatured`, `TPFtOperationAmountOutOfRange`, `TPFtOperationUnknownInstitution`,
    /// `TPFtOperationIdUsed`, or as TPFt does.
    /// @param operationId Number of the operation, never used before.
    /// @param tpftData The series; it must exist and mature in the future.
    /// @param tpftAmount Hundredths of a bond.
    function mint(uint256 operationId, TPFtData calldata tpftData, uint256 tpftAmount)
        external
        whenNotPaused
        onlyRole(MINTER_ROLE)
    {
        _requireAmount(tpftAmount);
        _requireNotMatured(tpftData.maturityDate);
        address receiver = _walletOf(STN_CNPJ8);
        getTPFtOperationId.validOperationId(operationId);
        emit OperationMintEvent(operationId, receiver, tpftData, tpftAmount, STATUS_SETTLED, block.timestamp);
        getTPFt.mint(receiver, tpftData, tpftAmount);
    }
}
