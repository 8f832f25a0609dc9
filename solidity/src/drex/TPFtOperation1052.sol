// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtDvP} from "./TPFtDvP.sol";
import {DvPTerms} from "./TPFtDvPTypes.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";
import {TPFtTradeOperation} from "./TPFtTradeOperation.sol";
import {CallerPart, TPFtData} from "./TPFtTypes.sol";

/// @title TPFtOperation1052
/// @notice Operation 1052: outright purchase and sale of federal bonds, between banks and between customers, and the
/// central bank's auctions of sale (1005) and purchase (1006).
/// @dev The two ways to name participants, by CNPJ and by wallet, are one operation: a command of one answers a command
/// of the other, if the wallets are the same. An auction is answered by an auction with the same notice only. Needs
/// what `TPFtTwoCommandOperation` needs.
contract TPFtOperation1052 is TPFtTradeOperation {
    /// @notice Role of the central bank's wallet that sells at auction (1005).
    bytes32 public constant AUCTION_ROLE = keccak256("AUCTION_ROLE");

    /// @notice Root of the CNPJ of the central bank.
    uint256 public constant BACEN_CNPJ8 = 38_166;

    /// @notice A command between participants given by their wallets.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param receiver Who receives bonds.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param financialValue Cents.
    /// @param status `LAN`, `CON` or `ATU`.
    /// @param timestamp Time of the block, in seconds since 1970.
    event OperationTradeEvent(
        uint256 operationId,
        address sender,
        address receiver,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 financialValue,
        string status,
        uint256 timestamp
    );

    /// @notice A command of an operation paid in Real Tokenizado.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param senderToken The Real Tokenizado that it is paid in.
    /// @param receiver Who receives bonds.
    /// @param receiverToken The Real Tokenizado that it pays from.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param financialValue Cents.
    /// @param status `LAN`, `CON` or `ATU`.
    /// @param timestamp Time of the block, in seconds since 1970.
    event OperationClientTradeEvent(
        uint256 operationId,
        address sender,
        address senderToken,
        address receiver,
        address receiverToken,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 financialValue,
        string status,
        uint256 timestamp
    );

    /// @notice A command of an auction.
    /// @param operationId Number of the operation.
    /// @param cnpj8Sender Root of the CNPJ of who delivers bonds.
    /// @param sender Its default wallet.
    /// @param cnpj8Receiver Root of the CNPJ of who receives bonds.
    /// @param receiver Its default wallet.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param financialValue Cents.
    /// @param status `LAN`, `CON` or `ATU`.
    /// @param timestamp Time of the block, in seconds since 1970.
    /// @param noticeNumber Number of the auction's notice.
    event AuctionOperationEvent(
        uint256 indexed operationId,
        uint256 indexed cnpj8Sender,
        address sender,
        uint256 indexed cnpj8Receiver,
        address receiver,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 financialValue,
        string status,
        uint256 timestamp,
        string noticeNumber
    );

    /// @notice At an auction of purchase the buyer is the central bank or the Treasury.
    /// @param cnpj8Sender Root of the CNPJ of who would sell.
    /// @param cnpj8Receiver Root of the CNPJ of who would buy.
    error TPFtOperation1052AuctionBetweenParticipants(uint256 cnpj8Sender, uint256 cnpj8Receiver);

    /// @notice A customer's trade names a Real Tokenizado for each side.
    /// @param senderToken What was given for the sender.
    /// @param receiverToken What was given for the receiver.
    error TPFtOperation1052TokenMissing(address senderToken, address receiverToken);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param dvp_ Delivers bonds against money.
    /// @param tpft_ The bonds.
    /// @param operationIds_ The registry of operation numbers.
    /// @param defaultAccounts_ Says which wallet stands for an institution.
    /// @param authority_ Receives AUCTION_ROLE.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(
        TPFtDvP dvp_,
        TPFt tpft_,
        TPFtOperationId operationIds_,
        RealDigitalDefaultAccount defaultAccounts_,
        address authority_,
        address admin_
    ) TPFtTradeOperation(dvp_, tpft_, operationIds_, defaultAccounts_, authority_, admin_) {
        _grantRole(AUCTION_ROLE, authority_);
    }

    /// @notice Commands a trade between two participants given by their CNPJs, paid in Real Digital.
    /// @dev Requires the default wallet of the side that commands. Emits `OperationEvent`, and on the second command
    /// what the tokens emit. Reverts with `EnforcedPause`, `TPFtOperationUnknownInstitution`,
    /// `TPFtOperationInvalidCaller`, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param cnpj8Sender Root of the CNPJ of who delivers bonds.
    /// @param cnpj8Receiver Root of the CNPJ of who receives bonds.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    function trade(
        uint256 operationId,
        uint256 cnpj8Sender,
        uint256 cnpj8Receiver,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice
    ) external whenNotPaused {
        DvPTerms memory terms =
            _terms(_walletOf(cnpj8Sender), _walletOf(cnpj8Receiver), tpftData, tpftAmount, unitPrice);
        _requireCaller(operationId, callerPart, terms.seller, terms.buyer);
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

    /// @notice Commands a trade between two participants given by their wallets, paid in Real Digital.
    /// @dev Requires the wallet of the side that commands. Emits {OperationTradeEvent}, and on the second command what
    /// the tokens emit. Reverts with `EnforcedPause`, `TPFtOperationInvalidCaller`, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param receiver Who receives bonds.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    function trade(
        uint256 operationId,
        address sender,
        address receiver,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice
    ) external whenNotPaused {
        _requireCaller(operationId, callerPart, sender, receiver);
        DvPTerms memory terms = _terms(sender, receiver, tpftData, tpftAmount, unitPrice);
        string memory status = _command(operationId, callerPart, terms);
        emit OperationTradeEvent(
            operationId,
            sender,
            receiver,
            tpftData,
            tpftAmount,
            unitPrice,
            terms.financialValue,
            status,
            block.timestamp
        );
    }

    /// @notice Commands a trade with a customer on one side or both, paid in Real Tokenizado: of one bank, or of two,
    /// by way of their reserves. A participant that sells so is paid in its own Real Tokenizado, where its wallet must
    /// be enabled.
    /// @dev Requires the wallet of the side that commands. Emits {OperationClientTradeEvent}, and on the second command
    /// what the tokens emit. Reverts with `EnforcedPause`, `TPFtOperationInvalidCaller`,
    /// {TPFtOperation1052TokenMissing}, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param senderToken The Real Tokenizado that it is paid in.
    /// @param receiver Who receives bonds.
    /// @param receiverToken The Real Tokenizado that it pays from.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    function trade(
        uint256 operationId,
        address sender,
        address senderToken,
        address receiver,
        address receiverToken,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice
    ) external whenNotPaused {
        _requireCaller(operationId, callerPart, sender, receiver);
        if (senderToken == address(0) || receiverToken == address(0)) {
            revert TPFtOperation1052TokenMissing(senderToken, receiverToken);
        }
        DvPTerms memory terms = _terms(sender, receiver, tpftData, tpftAmount, unitPrice);
        (terms.sellerToken, terms.buyerToken) = (senderToken, receiverToken);
        string memory status = _command(operationId, callerPart, terms);
        _emitClientTrade(operationId, terms, status);
    }

    /// @notice Commands an auction: of sale (1005) when the sender is the central bank, else of purchase (1006), where
    /// the receiver is the central bank or the Treasury. Paid in Real Digital.
    /// @dev Requires the default wallet of the side that commands, and for the sender's side of a sale AUCTION_ROLE.
    /// Emits {AuctionOperationEvent}, and on the second command what the tokens emit. Reverts with `EnforcedPause`,
    /// `TPFtOperationUnknownInstitution`, `TPFtOperationInvalidCaller`, `AccessControlUnauthorizedAccount`,
    /// {TPFtOperation1052AuctionBetweenParticipants}, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param cnpj8Sender Root of the CNPJ of who delivers bonds.
    /// @param cnpj8Receiver Root of the CNPJ of who receives bonds.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param noticeNumber Number of the auction's notice; both sides must give the same.
    function trade(
        uint256 operationId,
        uint256 cnpj8Sender,
        uint256 cnpj8Receiver,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        string calldata noticeNumber
    ) external whenNotPaused {
        DvPTerms memory terms =
            _terms(_walletOf(cnpj8Sender), _walletOf(cnpj8Receiver), tpftData, tpftAmount, unitPrice);
        _requireCaller(operationId, callerPart, terms.seller, terms.buyer);
        _requireAuction(cnpj8Sender, cnpj8Receiver, callerPart);
        // Never empty, not even for an empty notice: no plain trade answers an auction.
        terms.extraData = abi.encode(noticeNumber);
        string memory status = _command(operationId, callerPart, terms);
        _emitAuction(operationId, cnpj8Sender, cnpj8Receiver, terms, status, noticeNumber);
    }

    /// @dev Reverts unless the parties and the caller fit a sale by the central bank, or a purchase by it or the
    /// Treasury.
    function _requireAuction(uint256 cnpj8Sender, uint256 cnpj8Receiver, CallerPart callerPart) private view {
        if (cnpj8Sender == BACEN_CNPJ8) {
            if (callerPart == CallerPart.TPFtSender) _checkRole(AUCTION_ROLE);
        } else if (cnpj8Receiver != BACEN_CNPJ8 && cnpj8Receiver != STN_CNPJ8) {
            revert TPFtOperation1052AuctionBetweenParticipants(cnpj8Sender, cnpj8Receiver);
        }
    }

    /// @dev In a function of its own for the stack's sake.
    function _emitClientTrade(uint256 operationId, DvPTerms memory terms, string memory status) private {
        emit OperationClientTradeEvent(
            operationId,
            terms.seller,
            terms.sellerToken,
            terms.buyer,
            terms.buyerToken,
            terms.tpftData,
            terms.tpftAmount,
            terms.unitPrice,
            terms.financialValue,
            status,
            block.timestamp
        );
    }

    /// @dev In a function of its own for the stack's sake.
    function _emitAuction(
        uint256 operationId,
        uint256 cnpj8Sender,
        uint256 cnpj8Receiver,
        DvPTerms memory terms,
        string memory status,
        string calldata noticeNumber
    ) private {
        emit AuctionOperationEvent(
            operationId,
            cnpj8Sender,
            terms.seller,
            cnpj8Receiver,
            terms.buyer,
            terms.tpftData,
            terms.tpftAmount,
            terms.unitPrice,
            terms.financialValue,
            status,
            block.timestamp,
            noticeNumber
        );
    }

    /// @dev Terms between participants; the financial value is filled in by the command.
    function _terms(address sender, address receiver, TPFtData calldata tpftData, uint256 tpftAmount, uint256 unitPrice)
        private
        pure
        returns (DvPTerms memory terms)
    {
        (terms.seller, terms.buyer) = (sender, receiver);
        (terms.tpftData, terms.tpftAmount, terms.unitPrice) = (tpftData, tpftAmount, unitPrice);
    }
}
