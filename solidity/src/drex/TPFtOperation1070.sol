// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtOperation} from "./TPFtOperation.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";
import {TPFtData} from "./TPFtTypes.sol";

/// @title TPFtOperation1070
/// @notice Operation 1070: the Treasury places bonds directly with an institution, without a payment on this ledger.
/// @dev The kit names the operation and nothing more. Needs DIRECT_PLACEMENT_ROLE on TPFt and OPERATOR_ROLE on
/// TPFtOperationId; no approval by the Treasury's wallet. DANGER: what the institution owes for the bonds is settled
/// elsewhere.
contract TPFtOperation1070 is TPFtOperation {
    /// @notice Role of the wallets that place for the Treasury: the central bank's.
    bytes32 public constant DIRECT_PLACEMENT_ROLE = keccak256("DIRECT_PLACEMENT_ROLE");

    /// @notice Bonds were placed.
    /// @param operationId Number of the operation.
    /// @param cnpj8Receiver Root of the CNPJ of who receives bonds.
    /// @param sender The Treasury's wallet.
    /// @param receiver The receiver's default wallet.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param status Always `ATU`.
    /// @param timestamp Time of the block, in seconds since 1970.
    event OperationDirectPlacementEvent(
        uint256 indexed operationId,
        uint256 indexed cnpj8Receiver,
        address sender,
        address receiver,
        TPFtData tpftData,
        uint256 tpftAmount,
        string status,
        uint256 timestamp
    );

    /// @notice The Treasury does not place bonds with itself.
    /// @param cnpj8Receiver Root of its CNPJ.
    /// @param wallet The wallet that would deliver and receive.
    error TPFtOperation1070SameParty(uint256 cnpj8Receiver, address wallet);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param tpft_ The bonds.
    /// @param operationIds_ The registry of operation numbers.
    /// @param defaultAccounts_ Says which wallet stands for an institution.
    /// @param authority_ Receives DIRECT_PLACEMENT_ROLE.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(
        TPFt tpft_,
        TPFtOperationId operationIds_,
        RealDigitalDefaultAccount defaultAccounts_,
        address authority_,
        address admin_
    ) TPFtOperation(tpft_, operationIds_, defaultAccounts_, authority_, admin_) {
        _grantRole(DIRECT_PLACEMENT_ROLE, authority_);
    }

    /// @notice Places bonds of the Treasury's wallet with an institution's default wallet.
    /// @dev Requires DIRECT_PLACEMENT_ROLE here. Emits {OperationDirectPlacementEvent}, and `TransferSingle` at TPFt. In
    /// this order reverts with `EnforcedPause`, `AccessControlUnauthorizedAccount`, `TPFtOperationAmountOutOfRange`,
    /// `TPFtOperationMatured`, `TPFtOperationUnknownInstitution`, {TPFtOperation1070SameParty}, `TPFtAddressNotEnabled`,
    /// `TPFtSeriesUnknown`, `TPFtOperationIdUsed`, or as TPFt does.
    /// @param operationId Number of the operation, never used before.
    /// @param cnpj8Receiver Root of the CNPJ of who receives bonds.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    function directPlacement(uint256 operationId, uint256 cnpj8Receiver, TPFtData calldata tpftData, uint256 tpftAmount)
        external
        whenNotPaused
        onlyRole(DIRECT_PLACEMENT_ROLE)
    {
        _requireAmount(tpftAmount);
        _requireNotMatured(tpftData.maturityDate);
        (address sender, address receiver) = (_walletOf(STN_CNPJ8), _walletOf(cnpj8Receiver));
        if (sender == receiver) revert TPFtOperation1070SameParty(cnpj8Receiver, sender);
        getTPFt.checkTrade(sender, receiver, tpftData);
        getTPFtOperationId.validOperationId(operationId);
        emit OperationDirectPlacementEvent(
            operationId, cnpj8Receiver, sender, receiver, tpftData, tpftAmount, STATUS_SETTLED, block.timestamp
        );
        getTPFt.directPlacement(sender, receiver, tpftData, tpftAmount);
    }
}
