// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtDvP} from "./TPFtDvP.sol";
import {DvPStatus, DvPTerms} from "./TPFtDvPTypes.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";
import {TPFtTradeOperation} from "./TPFtTradeOperation.sol";
import {CallerPart, TPFtData} from "./TPFtTypes.sol";

/// @title TPFtOperation1002
/// @notice Operation 1002: what a bank bought at a public offer is delivered by the Treasury against Real Digital.
/// @dev The Treasury's side is commanded by the central bank, not by the Treasury's wallet. That wallet approves
/// TPFtDvP with `setApprovalForAll`; the bank approves it on Real Digital. Needs what `TPFtTwoCommandOperation` needs.
contract TPFtOperation1002 is TPFtTradeOperation {
    /// @notice Role of the wallets that command for the Treasury: the central bank's.
    bytes32 public constant AUCTION_PLACEMENT_ROLE = keccak256("AUCTION_PLACEMENT_ROLE");

    /// @notice Hundredths in a bond; an offer is of whole bonds.
    uint256 public constant WHOLE_BOND = 100;

    /// @notice The seller at a public offer is the Treasury.
    /// @param cnpj8Sender Root of the CNPJ that was given.
    /// @param expected Root of the Treasury's.
    error TPFtOperation1002SenderNotTreasury(uint256 cnpj8Sender, uint256 expected);

    /// @notice A public offer is of whole bonds.
    /// @param tpftAmount Hundredths of a bond.
    error TPFtOperation1002FractionalAmount(uint256 tpftAmount);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param dvp_ Delivers bonds against money.
    /// @param tpft_ The bonds.
    /// @param operationIds_ The registry of operation numbers.
    /// @param defaultAccounts_ Says which wallet stands for an institution.
    /// @param authority_ Receives AUCTION_PLACEMENT_ROLE.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(
        TPFtDvP dvp_,
        TPFt tpft_,
        TPFtOperationId operationIds_,
        RealDigitalDefaultAccount defaultAccounts_,
        address authority_,
        address admin_
    ) TPFtTradeOperation(dvp_, tpft_, operationIds_, defaultAccounts_, authority_, admin_) {
        _grantRole(AUCTION_PLACEMENT_ROLE, authority_);
    }

    /// @notice Commands the settlement of a public offer, for one side.
    /// @dev Requires AUCTION_PLACEMENT_ROLE for the sender's side, the receiver's default wallet for the receiver's.
    /// Emits `OperationEvent`, and on the second command what the tokens emit. Reverts with `EnforcedPause`,
    /// `AccessControlUnauthorizedAccount`, `TPFtOperationUnknownInstitution`, `TPFtOperationInvalidCaller`,
    /// {TPFtOperation1002SenderNotTreasury}, {TPFtOperation1002FractionalAmount}, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param cnpj8Sender Root of the Treasury's CNPJ.
    /// @param cnpj8Receiver Root of the CNPJ of the bank.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond, a multiple of 100.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    function auctionPlacement(
        uint256 operationId,
        uint256 cnpj8Sender,
        uint256 cnpj8Receiver,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice
    ) external whenNotPaused {
        DvPTerms memory terms;
        terms.seller = _walletOf(cnpj8Sender);
        terms.buyer = _walletOf(cnpj8Receiver);
        if (callerPart == CallerPart.TPFtSender) {
            _checkRole(AUCTION_PLACEMENT_ROLE);
        } else {
            _requireCaller(operationId, callerPart, terms.seller, terms.buyer);
        }
        if (cnpj8Sender != STN_CNPJ8) revert TPFtOperation1002SenderNotTreasury(cnpj8Sender, STN_CNPJ8);
        if (tpftAmount % WHOLE_BOND != 0) revert TPFtOperation1002FractionalAmount(tpftAmount);
        (terms.tpftData, terms.tpftAmount, terms.unitPrice) = (tpftData, tpftAmount, unitPrice);

        string memory status = _command(operationId, callerPart, terms);
        emit OperationEvent(
            operationId,
            cnpj8Sender,
            cnpj8Receiver,
            terms.seller,
            terms.buyer,
            tpftData,
            tpftAmount,
            unitPrice,
            terms.financialValue,
            status,
            block.timestamp
        );
    }

    /// @dev What the central bank commanded for the Treasury may be cancelled by any wallet that commands for it, and
    /// by the Treasury's own.
    function _mayCancelFor(Operation memory operation) internal view override returns (bool) {
        (DvPStatus status,) = getTPFtDvP.getDvPOperation(operation.dvpId);
        if (status != DvPStatus.SellGiven) return false;
        return hasRole(AUCTION_PLACEMENT_ROLE, msg.sender) || msg.sender == _walletOf(STN_CNPJ8);
    }
}
