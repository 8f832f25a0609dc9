// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtDvP} from "./TPFtDvP.sol";
import {DvPSide, DvPTerms} from "./TPFtDvPTypes.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";
import {TPFtPricedOperation} from "./TPFtPricedOperation.sol";
import {CallerPart, TPFtData} from "./TPFtTypes.sol";

/// @title TPFtTwoCommandOperation
/// @notice An operation that both sides command: the first command is recorded (`LAN` from the sender of bonds, `CON`
/// from the receiver), the second, with the same terms, settles it (`ATU`); until then whoever commanded may cancel
/// (`CAN`).
/// @dev Needs OPERATOR_ROLE on TPFtDvP and on TPFtOperationId. A number that was settled or cancelled stays taken.
abstract contract TPFtTwoCommandOperation is TPFtPricedOperation {
    using NonZeroAddress for address;

    /// @dev What the operation knows of a number; one slot. The terms are with the delivery against payment, as a hash.
    struct Operation {
        /// Who gave the first command; zero if there was none.
        address issuer;
        /// The record at {getTPFtDvP}.
        uint96 dvpId;
    }

    /// @dev Status after the sender's command, when it is the first.
    string private constant STATUS_SENDER_FIRST = "LAN";

    /// @dev Status after the receiver's command, when it is the first.
    string private constant STATUS_RECEIVER_FIRST = "CON";

    /// @dev Status after a cancellation.
    string internal constant STATUS_CANCELLED = "CAN";

    /// @notice Delivers bonds against money.
    TPFtDvP public immutable getTPFtDvP;

    /// @dev Number to what is known of it.
    mapping(uint256 operationId => Operation operation) internal _operations;

    /// @notice Somebody else must call.
    /// @param operationId Number of the operation.
    /// @param caller Who called.
    /// @param expected Who must.
    error TPFtOperationInvalidCaller(uint256 operationId, address caller, address expected);

    /// @notice Nobody commanded an operation of that number here.
    /// @param operationId The number.
    error TPFtOperationUnknown(uint256 operationId);

    /// @notice Sender and receiver are one wallet.
    /// @param wallet The wallet.
    error TPFtOperationSameParty(address wallet);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    constructor(
        TPFtDvP dvp_,
        TPFt tpft_,
        TPFtOperationId operationIds_,
        RealDigitalDefaultAccount defaultAccounts_,
        address authority_,
        address admin_
    ) TPFtPricedOperation(tpft_, operationIds_, defaultAccounts_, authority_, admin_) {
        address(dvp_).check("dvp");
        getTPFtDvP = dvp_;
    }

    /// @notice Calls off an operation that awaits its second command. Possible while the contract is paused.
    /// @dev Requires whoever gave the first command, or whom {_mayCancelFor} lets act for it. Emits
    /// what {_emitCancelled} does. Reverts with {TPFtOperationUnknown}, {TPFtOperationInvalidCaller}, `DvPCancelled` or
    /// `DvPExecuted`.
    /// @param operationId Number of the operation.
    /// @param reason Why, for the event.
    function cancel(uint256 operationId, string calldata reason) external {
        Operation memory operation = _operations[operationId];
        if (operation.issuer == address(0)) revert TPFtOperationUnknown(operationId);
        if (msg.sender != operation.issuer && !_mayCancelFor(operation)) {
            revert TPFtOperationInvalidCaller(operationId, msg.sender, operation.issuer);
        }
        _emitCancelled(operationId, reason);
        getTPFtDvP.cancelDvP(operation.dvpId);
    }

    /// @notice What is known of a number.
    /// @param operationId The number.
    /// @return issuer Who gave the first command; zero if there was none.
    /// @return dvpId The record at {getTPFtDvP}, where status and terms can be checked.
    function getOperation(uint256 operationId) external view returns (address issuer, uint256 dvpId) {
        Operation storage operation = _operations[operationId];
        return (operation.issuer, operation.dvpId);
    }

    /// @dev Says that an operation was called off, in the event of its kind.
    function _emitCancelled(uint256 operationId, string calldata reason) internal virtual;

    /// @dev Gives a command whose caller was checked. In this order reverts with `TPFtOperationAmountOutOfRange`,
    /// `TPFtOperationUnitPriceOutOfRange`, `TPFtOperationValueZero`, {TPFtOperationSameParty}, `TPFtOperationMatured`,
    /// `TPFtAddressNotEnabled` (sender, receiver), `TPFtSeriesUnknown`, `TPFtOperationIdUsed`, or as TPFtDvP does.
    /// @param operationId Number of the operation.
    /// @param callerPart The side that commands.
    /// @param terms What it commands; this function fills in the financial value.
    /// @return status `LAN`, `CON` or `ATU`.
    function _command(uint256 operationId, CallerPart callerPart, DvPTerms memory terms)
        internal
        returns (string memory status)
    {
        terms.financialValue = _financialValue(terms.tpftAmount, terms.unitPrice);
        _requireParties(terms);
        Operation memory operation = _operations[operationId];
        DvPSide side = callerPart == CallerPart.TPFtSender ? DvPSide.Sell : DvPSide.Buy;
        if (operation.issuer != address(0)) {
            _deliver(operation.dvpId, side, terms);
            return STATUS_SETTLED;
        }
        getTPFtOperationId.validOperationId(operationId);
        // A count of records cannot reach 2^96.
        _operations[operationId] = Operation(msg.sender, uint96(_deliver(0, side, terms)));
        return side == DvPSide.Sell ? STATUS_SENDER_FIRST : STATUS_RECEIVER_FIRST;
    }

    /// @dev Whether the caller, who did not give the first command, may cancel for who did. Nobody, unless overridden.
    function _mayCancelFor(Operation memory) internal view virtual returns (bool) {
        return false;
    }

    /// @dev Reverts with {TPFtOperationInvalidCaller} unless the caller is the wallet of the side that it speaks for.
    function _requireCaller(uint256 operationId, CallerPart callerPart, address sender, address receiver)
        internal
        view
    {
        address expected = callerPart == CallerPart.TPFtSender ? sender : receiver;
        if (msg.sender != expected) revert TPFtOperationInvalidCaller(operationId, msg.sender, expected);
    }

    /// @dev Gives one side's word to the delivery against payment.
    function _deliver(uint256 dvpId, DvPSide side, DvPTerms memory terms) private returns (uint256) {
        return terms.buyerToken == address(0) && terms.sellerToken == address(0)
            ? getTPFtDvP.dvpParticipant(dvpId, side, terms)
            : getTPFtDvP.dvpClients(dvpId, side, terms);
    }

    /// @dev Reverts unless two different wallets, both enabled in TPFt, deal in a bond that exists and has not matured.
    function _requireParties(DvPTerms memory terms) private view {
        if (terms.seller == terms.buyer) revert TPFtOperationSameParty(terms.seller);
        _requireNotMatured(terms.tpftData.maturityDate);
        getTPFt.checkTrade(terms.seller, terms.buyer, terms.tpftData);
    }
}
