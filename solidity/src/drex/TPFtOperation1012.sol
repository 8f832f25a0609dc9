// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {RealTokenizado} from "./RealTokenizado.sol";
import {RepaymentPartners, RepaymentRoute} from "./RepaymentRoute.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";
import {TPFtPricedOperation} from "./TPFtPricedOperation.sol";
import {TPFtRepaymentReserve} from "./TPFtRepaymentReserve.sol";
import {TPFtData} from "./TPFtTypes.sol";

/// @title TPFtOperation1012
/// @notice Operation 1012: the Treasury redeems the bonds of a series that matured, holder by holder: all that the
/// holder has is burned, and its value paid.
/// @dev The Treasury's wallet pays, within the allowance that it gives this contract on Real Digital. The money takes
/// the first way that is open:
///
/// 1. to the holder, in Real Digital, if it is enabled there;
/// 2. to the holder, in its bank's token, if it is enabled there and its bank's reserve in Real Digital;
/// 3. to its bank's reserve, in Real Digital, if that is enabled: the bank owes it to the holder;
/// 4. to `TPFtRepaymentReserve`, for the holder to withdraw.
///
/// Needs REPAYMENT_ROLE on TPFt, OPERATOR_ROLE on TPFtOperationId, DEPOSITOR_ROLE on TPFtRepaymentReserve, and must be
/// enabled in Real Digital. Frozen bonds are not redeemed until they are released.
contract TPFtOperation1012 is TPFtPricedOperation, RepaymentRoute {
    using NonZeroAddress for address;

    /// @dev A redemption on its way, gathered for the events.
    struct Repayment {
        /// Who holds the bonds.
        address holder;
        /// Number of the operation.
        uint256 operationId;
        /// The series.
        uint256 tpftId;
        /// All bonds of the holder, in hundredths.
        uint256 tpftAmount;
        /// Price of a bond in reais, with 8 decimals.
        uint256 unitPrice;
        /// Cents.
        uint256 value;
        /// The Treasury's wallet.
        address payer;
    }

    /// @notice Role of the wallets that redeem: the Treasury's.
    bytes32 public constant REPAYMENT_ROLE = keccak256("REPAYMENT_ROLE");

    /// @notice Why money went to the reserve of redemptions: nobody knows a way to the holder.
    string public constant REASON_NO_ROUTE = "holder is no participant and no customer of a bank whose token is money";

    /// @notice Why money went to the reserve of redemptions: the holder's bank cannot take it.
    string public constant REASON_BANK_DISABLED = "reserve of the holder's bank is not enabled in Real Digital";

    /// @notice Keeps what cannot be paid.
    TPFtRepaymentReserve public immutable repaymentReserve;

    /// @notice A participant was paid.
    /// @param sender Who held the bonds.
    /// @param tpftId The series.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond. DANGER: before the number here, after it in the other events.
    /// @param operationId Number of the operation.
    /// @param unitRepaymentPrice Price of a bond in reais, with 8 decimals.
    /// @param financialRepaymentValue Cents.
    /// @param status Always `ATU`.
    /// @param timestamp Time of the block, in seconds since 1970.
    event OperationRepaymentParticipant(
        address indexed sender,
        uint256 indexed tpftId,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 operationId,
        uint256 unitRepaymentPrice,
        uint256 financialRepaymentValue,
        string status,
        uint256 timestamp
    );

    /// @notice A bank's customer was paid in its bank's token.
    /// @param sender Who held the bonds.
    /// @param tpftId The series.
    /// @param senderToken The Real Tokenizado.
    /// @param tpftData The series.
    /// @param operationId Number of the operation.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitRepaymentPrice Price of a bond in reais, with 8 decimals.
    /// @param financialRepaymentValue Cents.
    /// @param status Always `ATU`.
    /// @param timestamp Time of the block, in seconds since 1970.
    event OperationRepaymentClient(
        address indexed sender,
        uint256 indexed tpftId,
        address indexed senderToken,
        TPFtData tpftData,
        uint256 operationId,
        uint256 tpftAmount,
        uint256 unitRepaymentPrice,
        uint256 financialRepaymentValue,
        string status,
        uint256 timestamp
    );

    /// @notice A bank was paid for its customer, who is not enabled in the bank's token.
    /// @param sender Who held the bonds.
    /// @param tpftId The series.
    /// @param senderToken The Real Tokenizado of its bank.
    /// @param tpftData The series.
    /// @param operationId Number of the operation.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitRepaymentPrice Price of a bond in reais, with 8 decimals.
    /// @param financialRepaymentValue Cents.
    /// @param status Always `ATU`.
    /// @param reserveAccount The bank's reserve, which was paid.
    /// @param timestamp Time of the block, in seconds since 1970.
    event OperationRepaymentWithReserve(
        address indexed sender,
        uint256 indexed tpftId,
        address indexed senderToken,
        TPFtData tpftData,
        uint256 operationId,
        uint256 tpftAmount,
        uint256 unitRepaymentPrice,
        uint256 financialRepaymentValue,
        string status,
        address reserveAccount,
        uint256 timestamp
    );

    /// @notice The money is kept for the holder.
    /// @param sender Who held the bonds.
    /// @param tpftId The series.
    /// @param tpftData The series.
    /// @param operationId Number of the operation.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitRepaymentPrice Price of a bond in reais, with 8 decimals.
    /// @param financialRepaymentValue Cents.
    /// @param contractAddress {repaymentReserve}.
    /// @param status Always `ATU`.
    /// @param reason {REASON_NO_ROUTE} or {REASON_BANK_DISABLED}.
    /// @param timestamp Time of the block, in seconds since 1970.
    event OperationRepaymentForContract(
        address indexed sender,
        uint256 indexed tpftId,
        TPFtData tpftData,
        uint256 operationId,
        uint256 tpftAmount,
        uint256 unitRepaymentPrice,
        uint256 financialRepaymentValue,
        address contractAddress,
        string status,
        string reason,
        uint256 timestamp
    );

    /// @notice The bond has not matured.
    /// @param maturityDate Day of maturity, in seconds since 1970.
    /// @param timestamp Time of the block, in seconds since 1970.
    error TPFtOperation1012NotMatured(uint256 maturityDate, uint256 timestamp);

    /// @notice The holder's bonds of the series are marked as redeemed.
    /// @param holder The holder.
    /// @param tpftId The series.
    error TPFtOperation1012AlreadyPaid(address holder, uint256 tpftId);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param partners What a payment asks for its way.
    /// @param repaymentReserve_ Keeps what cannot be paid.
    /// @param tpft_ The bonds.
    /// @param operationIds_ The registry of operation numbers.
    /// @param defaultAccounts_ Says which wallet is the Treasury's.
    /// @param authority_ Receives REPAYMENT_ROLE.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(
        RepaymentPartners memory partners,
        TPFtRepaymentReserve repaymentReserve_,
        TPFt tpft_,
        TPFtOperationId operationIds_,
        RealDigitalDefaultAccount defaultAccounts_,
        address authority_,
        address admin_
    ) TPFtPricedOperation(tpft_, operationIds_, defaultAccounts_, authority_, admin_) RepaymentRoute(partners) {
        address(repaymentReserve_).check("repaymentReserve");
        repaymentReserve = repaymentReserve_;
        _grantRole(REPAYMENT_ROLE, authority_);
    }

    /// @notice Redeems all bonds of a series that a holder has. The holder is marked as paid at TPFt.
    /// @dev Requires REPAYMENT_ROLE here. Emits one of the four events, by the way that the money took, and what the
    /// tokens emit. In this order reverts with `EnforcedPause`, `AccessControlUnauthorizedAccount`,
    /// {TPFtOperation1012NotMatured}, `TPFtSeriesUnknown`, {TPFtOperation1012AlreadyPaid},
    /// `TPFtOperationAmountOutOfRange` (the holder has none), `TPFtOperationUnitPriceOutOfRange`,
    /// `TPFtOperationValueZero`, `TPFtOperationUnknownInstitution`, `TPFtOperationIdUsed`, or as the tokens do.
    /// @param sender Who holds the bonds.
    /// @param operationId Number of the operation, never used before.
    /// @param tpftData The series.
    /// @param unitRepaymentPrice Price of a bond in reais, with 8 decimals.
    function repayment(address sender, uint256 operationId, TPFtData calldata tpftData, uint256 unitRepaymentPrice)
        external
        whenNotPaused
        onlyRole(REPAYMENT_ROLE)
    {
        Repayment memory due = _due(sender, tpftData);
        (due.operationId, due.unitPrice) = (operationId, unitRepaymentPrice);
        due.value = _financialValue(due.tpftAmount, unitRepaymentPrice);
        due.payer = _walletOf(STN_CNPJ8);
        getTPFtOperationId.validOperationId(operationId);
        getTPFt.burn(sender, due.tpftId, due.tpftAmount);
        getTPFt.setPaymentStatus(sender, due.tpftId, true);
        _pay(due, tpftData);
    }

    /// @dev Pays by the first way that is open. Real Digital reverts when it does not move: its answer is always true.
    function _pay(Repayment memory due, TPFtData calldata tpftData) private {
        if (realDigital.verifyAccount(due.holder)) {
            realDigital.transferFrom(due.payer, due.holder, due.value);
            _emitParticipant(due, tpftData);
            return;
        }
        RealTokenizado token = _bankTokenOf(due.holder);
        if (address(token) == address(0)) return _keep(due, tpftData, REASON_NO_ROUTE);
        address reserve = token.reserve();
        if (!realDigital.verifyAccount(reserve)) return _keep(due, tpftData, REASON_BANK_DISABLED);
        if (token.verifyAccount(due.holder)) {
            realDigital.transferFrom(due.payer, address(this), due.value);
            _payCustomer(token, due.holder, due.value);
            _emitClient(due, tpftData, address(token));
        } else {
            realDigital.transferFrom(due.payer, reserve, due.value);
            _emitWithReserve(due, tpftData, address(token), reserve);
        }
    }

    /// @dev Leaves the money with the reserve of redemptions.
    function _keep(Repayment memory due, TPFtData calldata tpftData, string memory reason) private {
        realDigital.transferFrom(due.payer, address(this), due.value);
        realDigital.approve(address(repaymentReserve), due.value);
        repaymentReserve.deposit(due.holder, due.tpftId, due.operationId, due.value);
        _emitForContract(due, tpftData, reason);
    }

    /// @dev In a function of its own for the stack's sake, as the three below.
    function _emitParticipant(Repayment memory due, TPFtData calldata tpftData) private {
        emit OperationRepaymentParticipant(
            due.holder,
            due.tpftId,
            tpftData,
            due.tpftAmount,
            due.operationId,
            due.unitPrice,
            due.value,
            STATUS_SETTLED,
            block.timestamp
        );
    }

    function _emitClient(Repayment memory due, TPFtData calldata tpftData, address token) private {
        emit OperationRepaymentClient(
            due.holder,
            due.tpftId,
            token,
            tpftData,
            due.operationId,
            due.tpftAmount,
            due.unitPrice,
            due.value,
            STATUS_SETTLED,
            block.timestamp
        );
    }

    function _emitWithReserve(Repayment memory due, TPFtData calldata tpftData, address token, address reserve)
        private
    {
        emit OperationRepaymentWithReserve(
            due.holder,
            due.tpftId,
            token,
            tpftData,
            due.operationId,
            due.tpftAmount,
            due.unitPrice,
            due.value,
            STATUS_SETTLED,
            reserve,
            block.timestamp
        );
    }

    function _emitForContract(Repayment memory due, TPFtData calldata tpftData, string memory reason) private {
        emit OperationRepaymentForContract(
            due.holder,
            due.tpftId,
            tpftData,
            due.operationId,
            due.tpftAmount,
            due.unitPrice,
            due.value,
            address(repaymentReserve),
            STATUS_SETTLED,
            reason,
            block.timestamp
        );
    }

    /// @dev What a holder is due, without price and number: reverts unless the series matured and exists, and the
    /// holder was not paid.
    function _due(address holder, TPFtData calldata tpftData) private view returns (Repayment memory due) {
        if (block.timestamp < tpftData.maturityDate) {
            revert TPFtOperation1012NotMatured(tpftData.maturityDate, block.timestamp);
        }
        due.holder = holder;
        due.tpftId = getTPFt.getTPFtId(tpftData);
        if (due.tpftId == 0) {
            revert TPFt.TPFtSeriesUnknown(tpftData.acronym, tpftData.code, tpftData.maturityDate);
        }
        if (getTPFt.getPaymentStatus(holder, due.tpftId)) revert TPFtOperation1012AlreadyPaid(holder, due.tpftId);
        due.tpftAmount = getTPFt.balanceOf(holder, due.tpftId);
    }
}
