// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DateTimeOracle} from "./DateTimeOracle.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigital} from "./RealDigital.sol";
import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtDvP} from "./TPFtDvP.sol";
import {DvPTerms} from "./TPFtDvPTypes.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";
import {TPFtRepoForwardEvents} from "./TPFtRepoForwardEvents.sol";
import {TPFtRepoStorage} from "./TPFtRepoStorage.sol";
import {Repo, RepoMode, RepoNaming, RepoStatus} from "./TPFtRepoTypes.sol";
import {TPFtTwoCommandOperation} from "./TPFtTwoCommandOperation.sol";
import {CallerPart, TPFtData} from "./TPFtTypes.sol";

/// @title TPFtOperation1054
/// @notice Operation 1054, the forward leg of a repo: federal bonds are sold, with the agreement that the seller takes
/// them back in operation 1056.
/// @dev Bonds really change hands: nothing is pledged or frozen. What is agreed about the return (kind, price, day) is a
/// term: both sides say the same. The ways to name participants, by CNPJ and by wallet, are one operation: a command of
/// one answers a command of the other, if the wallets are the same; the second command's way is that of the return's
/// events.
///
/// Needs what `TPFtTwoCommandOperation` needs, and FORWARD_ROLE on TPFtRepoStorage.
contract TPFtOperation1054 is TPFtRepoForwardEvents, TPFtTwoCommandOperation {
    using NonZeroAddress for address;

    /// @dev A command on its way.
    struct Forward {
        /// Number of the operation.
        uint256 operationId;
        /// The side that commands.
        CallerPart callerPart;
        /// How the parties are named.
        RepoNaming naming;
        /// Root of the CNPJ of who delivers bonds, if it is named by it.
        uint256 cnpj8Sender;
        /// Root of the CNPJ of who receives bonds, if it is named by it.
        uint256 cnpj8Receiver;
        /// How the return is agreed.
        RepoMode mode;
        /// Price of a bond in the return leg, with 8 decimals; zero if it is open.
        uint256 returnUnitPrice;
        /// Cents of the return leg; zero if its price is open.
        uint256 returnFinancialValue;
        /// Day of the return, in seconds since 1970.
        uint256 returnDate;
        /// What is delivered now.
        DvPTerms terms;
        /// `LAN`, `CON` or `ATU`.
        string status;
    }

    /// @notice Says which day it is.
    DateTimeOracle public immutable dateTimeOracle;

    /// @notice Keeps the repos that are owed a return.
    TPFtRepoStorage public immutable repoStorage;

    /// @notice One side of a repo is a participant: enabled in Real Digital.
    /// @param sender Who would deliver bonds.
    /// @param receiver Who would receive bonds.
    error TPFtOperation1054BetweenClients(address sender, address receiver);

    /// @notice A customer's repo names a Real Tokenizado for each side.
    /// @param senderToken What was given for the sender.
    /// @param receiverToken What was given for the receiver.
    error TPFtOperation1054TokenMissing(address senderToken, address receiverToken);

    /// @notice The return is not after today, or not before the day of maturity.
    /// @param returnDate Day of the return, in seconds since 1970.
    /// @param today Today, in seconds since 1970.
    /// @param maturityDate Day of maturity, in seconds since 1970.
    error TPFtOperation1054ReturnDateOutOfRange(uint256 returnDate, uint256 today, uint256 maturityDate);

    /// @notice The day of the return is not over.
    /// @param operationId Number of the operation.
    /// @param returnDate Day of the return, in seconds since 1970.
    /// @param today Today, in seconds since 1970.
    error TPFtOperation1054NotOverdue(uint256 operationId, uint256 returnDate, uint256 today);

    /// @notice The caller is no party of the repo.
    /// @param operationId Number of the operation.
    /// @param caller Who called.
    error TPFtOperation1054NotParty(uint256 operationId, address caller);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param dvp_ Delivers bonds against money.
    /// @param tpft_ The bonds.
    /// @param operationIds_ The registry of operation numbers.
    /// @param defaultAccounts_ Says which wallet stands for an institution.
    /// @param dateTimeOracle_ Says which day it is.
    /// @param repoStorage_ Keeps the repos that are owed a return.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(
        TPFtDvP dvp_,
        TPFt tpft_,
        TPFtOperationId operationIds_,
        RealDigitalDefaultAccount defaultAccounts_,
        DateTimeOracle dateTimeOracle_,
        TPFtRepoStorage repoStorage_,
        address admin_
    ) TPFtTwoCommandOperation(dvp_, tpft_, operationIds_, defaultAccounts_, admin_, admin_) {
        address(dateTimeOracle_).check("dateTimeOracle");
        address(repoStorage_).check("repoStorage");
        dateTimeOracle = dateTimeOracle_;
        repoStorage = repoStorage_;
    }

    /// @notice Commands a repo between two participants given by their CNPJs, paid in Real Digital.
    /// @dev Requires the default wallet of the side that commands. Emits {RepoOperationTradeForwardCNPJ8Event}, and on
    /// the second command what the tokens emit. Reverts with `EnforcedPause`, `TPFtOperationUnknownInstitution`,
    /// `TPFtOperationInvalidCaller`, {TPFtOperation1054ReturnDateOutOfRange}, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param cnpj8Sender Root of the CNPJ of who delivers bonds.
    /// @param cnpj8Receiver Root of the CNPJ of who receives bonds.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param returnUnitPrice Price of a bond in the return leg, in reais with 8 decimals.
    /// @param returnDate Day of the return, in seconds since 1970.
    function tradeRepo(
        uint256 operationId,
        uint256 cnpj8Sender,
        uint256 cnpj8Receiver,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 returnUnitPrice,
        uint256 returnDate
    ) external whenNotPaused {
        Forward memory forward = _byCnpj8(operationId, cnpj8Sender, cnpj8Receiver, callerPart);
        _setBonds(forward, tpftData, tpftAmount, unitPrice);
        _trade(forward, RepoMode.Fixed, returnUnitPrice, returnDate);
    }

    /// @notice Commands a repo between two participants given by their wallets, paid in Real Digital.
    /// @dev Requires the wallet of the side that commands. Emits {RepoOperationTradeForwardEvent}, and on the second
    /// command what the tokens emit. Reverts with `EnforcedPause`, `TPFtOperationInvalidCaller`,
    /// {TPFtOperation1054ReturnDateOutOfRange}, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param receiver Who receives bonds.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param returnUnitPrice Price of a bond in the return leg, in reais with 8 decimals.
    /// @param returnDate Day of the return, in seconds since 1970.
    function tradeRepo(
        uint256 operationId,
        address sender,
        address receiver,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 returnUnitPrice,
        uint256 returnDate
    ) external whenNotPaused {
        Forward memory forward = _byWallet(operationId, sender, receiver, callerPart);
        _setBonds(forward, tpftData, tpftAmount, unitPrice);
        _trade(forward, RepoMode.Fixed, returnUnitPrice, returnDate);
    }

    /// @notice Commands a repo between a participant and a customer, paid in Real Tokenizado.
    /// @dev Requires the wallet of the side that commands. Emits {RepoOperationTradeForwardParticipantClientEvent}, and
    /// on the second command what the tokens emit. Reverts with `EnforcedPause`, {TPFtOperation1054TokenMissing},
    /// {TPFtOperation1054BetweenClients}, `TPFtOperationInvalidCaller`, {TPFtOperation1054ReturnDateOutOfRange}, or as
    /// `_command` does.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param senderToken The Real Tokenizado that it is paid in.
    /// @param receiver Who receives bonds.
    /// @param receiverToken The Real Tokenizado that it pays from.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param returnUnitPrice Price of a bond in the return leg, in reais with 8 decimals.
    /// @param returnDate Day of the return, in seconds since 1970.
    function tradeRepo(
        uint256 operationId,
        address sender,
        address senderToken,
        address receiver,
        address receiverToken,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 returnUnitPrice,
        uint256 returnDate
    ) external whenNotPaused {
        Forward memory forward = _byClient(operationId, sender, senderToken, receiver, receiverToken, callerPart);
        _setBonds(forward, tpftData, tpftAmount, unitPrice);
        _trade(forward, RepoMode.Fixed, returnUnitPrice, returnDate);
    }

    /// @notice Commands a repo that returns today at the same price, between two participants given by their CNPJs,
    /// paid in Real Digital.
    /// @dev Requires the default wallet of the side that commands. Emits {RepoOperationTradeForwardCNPJ8Event}, and on
    /// the second command what the tokens emit. Reverts with `EnforcedPause`, `TPFtOperationUnknownInstitution`,
    /// `TPFtOperationInvalidCaller`, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param cnpj8Sender Root of the CNPJ of who delivers bonds.
    /// @param cnpj8Receiver Root of the CNPJ of who receives bonds.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    function tradeRepoIntraday(
        uint256 operationId,
        uint256 cnpj8Sender,
        uint256 cnpj8Receiver,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice
    ) external whenNotPaused {
        Forward memory forward = _byCnpj8(operationId, cnpj8Sender, cnpj8Receiver, callerPart);
        _setBonds(forward, tpftData, tpftAmount, unitPrice);
        _trade(forward, RepoMode.Intraday, unitPrice, dateTimeOracle.today());
    }

    /// @notice Commands a repo that returns today at the same price, between two participants given by their wallets,
    /// paid in Real Digital.
    /// @dev Requires the wallet of the side that commands. Emits {RepoOperationTradeForwardEvent}, and on the second
    /// command what the tokens emit. Reverts with `EnforcedPause`, `TPFtOperationInvalidCaller`, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param receiver Who receives bonds.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    function tradeRepoIntraday(
        uint256 operationId,
        address sender,
        address receiver,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice
    ) external whenNotPaused {
        Forward memory forward = _byWallet(operationId, sender, receiver, callerPart);
        _setBonds(forward, tpftData, tpftAmount, unitPrice);
        _trade(forward, RepoMode.Intraday, unitPrice, dateTimeOracle.today());
    }

    /// @notice Commands a repo that returns today at the same price, between a participant and a customer, paid in Real
    /// Tokenizado.
    /// @dev Requires the wallet of the side that commands. Emits {RepoOperationTradeForwardParticipantClientEvent}, and
    /// on the second command what the tokens emit. Reverts with `EnforcedPause`, {TPFtOperation1054TokenMissing},
    /// {TPFtOperation1054BetweenClients}, `TPFtOperationInvalidCaller`, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param senderToken The Real Tokenizado that it is paid in.
    /// @param receiver Who receives bonds.
    /// @param receiverToken The Real Tokenizado that it pays from.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    function tradeRepoIntraday(
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
        Forward memory forward = _byClient(operationId, sender, senderToken, receiver, receiverToken, callerPart);
        _setBonds(forward, tpftData, tpftAmount, unitPrice);
        _trade(forward, RepoMode.Intraday, unitPrice, dateTimeOracle.today());
    }

    /// @notice Commands a repo whose return price is open, between two participants given by their CNPJs, paid in Real
    /// Digital.
    /// @dev Requires the default wallet of the side that commands. Emits {RepoOperationTradeForwardCNPJ8Event}, and on
    /// the second command what the tokens emit. Reverts with `EnforcedPause`, `TPFtOperationUnknownInstitution`,
    /// `TPFtOperationInvalidCaller`, {TPFtOperation1054ReturnDateOutOfRange}, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param cnpj8Sender Root of the CNPJ of who delivers bonds.
    /// @param cnpj8Receiver Root of the CNPJ of who receives bonds.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param returnDate Day of the return, in seconds since 1970.
    function tradeRepoOpenReturnPrice(
        uint256 operationId,
        uint256 cnpj8Sender,
        uint256 cnpj8Receiver,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 returnDate
    ) external whenNotPaused {
        Forward memory forward = _byCnpj8(operationId, cnpj8Sender, cnpj8Receiver, callerPart);
        _setBonds(forward, tpftData, tpftAmount, unitPrice);
        _trade(forward, RepoMode.OpenReturnPrice, 0, returnDate);
    }

    /// @notice Commands a repo whose return price is open, between two participants given by their wallets, paid in
    /// Real Digital.
    /// @dev Requires the wallet of the side that commands. Emits {RepoOperationTradeForwardEvent}, and on the second
    /// command what the tokens emit. Reverts with `EnforcedPause`, `TPFtOperationInvalidCaller`,
    /// {TPFtOperation1054ReturnDateOutOfRange}, or as `_command` does.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param receiver Who receives bonds.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param returnDate Day of the return, in seconds since 1970.
    function tradeRepoOpenReturnPrice(
        uint256 operationId,
        address sender,
        address receiver,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 returnDate
    ) external whenNotPaused {
        Forward memory forward = _byWallet(operationId, sender, receiver, callerPart);
        _setBonds(forward, tpftData, tpftAmount, unitPrice);
        _trade(forward, RepoMode.OpenReturnPrice, 0, returnDate);
    }

    /// @notice Commands a repo whose return price is open, between a participant and a customer, paid in Real
    /// Tokenizado.
    /// @dev Requires the wallet of the side that commands. Emits {RepoOperationTradeForwardParticipantClientEvent}, and
    /// on the second command what the tokens emit. Reverts with `EnforcedPause`, {TPFtOperation1054TokenMissing},
    /// {TPFtOperation1054BetweenClients}, `TPFtOperationInvalidCaller`, {TPFtOperation1054ReturnDateOutOfRange}, or as
    /// `_command` does.
    /// @param operationId Number of the operation.
    /// @param sender Who delivers bonds.
    /// @param senderToken The Real Tokenizado that it is paid in.
    /// @param receiver Who receives bonds.
    /// @param receiverToken The Real Tokenizado that it pays from.
    /// @param callerPart The side that commands.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param unitPrice Price of a bond in reais, with 8 decimals.
    /// @param returnDate Day of the return, in seconds since 1970.
    function tradeRepoOpenReturnPrice(
        uint256 operationId,
        address sender,
        address senderToken,
        address receiver,
        address receiverToken,
        CallerPart callerPart,
        TPFtData calldata tpftData,
        uint256 tpftAmount,
        uint256 unitPrice,
        uint256 returnDate
    ) external whenNotPaused {
        Forward memory forward = _byClient(operationId, sender, senderToken, receiver, receiverToken, callerPart);
        _setBonds(forward, tpftData, tpftAmount, unitPrice);
        _trade(forward, RepoMode.OpenReturnPrice, 0, returnDate);
    }

    /// @notice Says that a repo was not returned in time. No return follows, and nothing moves: what the parties owe each
    /// other is settled elsewhere. Not while the contract is paused: a pause that hinders returns can hinder defaults.
    /// @dev Requires a party of the repo, after the day of the return. Emits {RepoOperationDefaultEvent}. In this order
    /// reverts with `EnforcedPause`, `RepoNotOpen`, {TPFtOperation1054NotParty} or {TPFtOperation1054NotOverdue}.
    /// @param operationId Number of the operation.
    /// @param reason Why, for the event.
    function setDefault(uint256 operationId, string calldata reason) external whenNotPaused {
        Repo memory repo = repoStorage.getOpenRepo(operationId);
        if (msg.sender != repo.sender && msg.sender != repo.receiver) {
            revert TPFtOperation1054NotParty(operationId, msg.sender);
        }
        uint256 today = dateTimeOracle.today();
        if (today / 1 days <= repo.returnDate / 1 days) {
            revert TPFtOperation1054NotOverdue(operationId, repo.returnDate, today);
        }
        emit RepoOperationDefaultEvent(operationId, reason, block.timestamp);
        repoStorage.setDefaulted(operationId);
    }

    /// @dev Emits {RepoOperationCancelEvent}.
    function _emitCancelled(uint256 operationId, string calldata reason) internal override {
        emit RepoOperationCancelEvent(operationId, STATUS_CANCELLED, reason, block.timestamp);
    }

    /// @dev Gives the command, says it, and writes the repo when it settled. No callback of a receiver of bonds comes in
    /// between that could return a repo which is not written: TPFtDvP settles one operation at a time.
    function _trade(Forward memory forward, RepoMode mode, uint256 returnUnitPrice, uint256 returnDate) private {
        (forward.mode, forward.returnUnitPrice, forward.returnDate) = (mode, returnUnitPrice, returnDate);
        if (mode != RepoMode.Intraday) _requireReturnDate(returnDate, forward.terms.tpftData.maturityDate);
        forward.terms.extraData = abi.encode(mode, returnUnitPrice, returnDate);
        bool isSecond = _operations[forward.operationId].issuer != address(0);
        forward.status = _command(forward.operationId, forward.callerPart, forward.terms);
        if (mode != RepoMode.OpenReturnPrice) {
            forward.returnFinancialValue = _financialValue(forward.terms.tpftAmount, returnUnitPrice);
        }
        if (isSecond) repoStorage.open(forward.operationId, _repoOf(forward));
        if (forward.naming == RepoNaming.Cnpj8) _emitByCnpj8(forward, forward.terms);
        else if (forward.naming == RepoNaming.Wallet) _emitByWallet(forward, forward.terms);
        else _emitByClient(forward, forward.terms);
    }

    /// @dev In a function of its own for the stack's sake, as the two below.
    function _emitByCnpj8(Forward memory forward, DvPTerms memory terms) private {
        emit RepoOperationTradeForwardCNPJ8Event(
            forward.operationId,
            forward.cnpj8Sender,
            forward.cnpj8Receiver,
            terms.seller,
            terms.buyer,
            terms.tpftData,
            terms.tpftAmount,
            terms.unitPrice,
            terms.financialValue,
            forward.returnUnitPrice,
            forward.returnFinancialValue,
            forward.status,
            forward.returnDate,
            block.timestamp
        );
    }

    function _emitByWallet(Forward memory forward, DvPTerms memory terms) private {
        emit RepoOperationTradeForwardEvent(
            forward.operationId,
            terms.seller,
            terms.buyer,
            terms.tpftData,
            terms.tpftAmount,
            terms.unitPrice,
            terms.financialValue,
            forward.returnUnitPrice,
            forward.returnFinancialValue,
            forward.status,
            forward.returnDate,
            block.timestamp
        );
    }

    function _emitByClient(Forward memory forward, DvPTerms memory terms) private {
        emit RepoOperationTradeForwardParticipantClientEvent(
            forward.operationId,
            terms.seller,
            terms.sellerToken,
            terms.buyer,
            terms.buyerToken,
            terms.tpftData,
            terms.tpftAmount,
            terms.unitPrice,
            terms.financialValue,
            forward.returnUnitPrice,
            forward.returnFinancialValue,
            forward.status,
            forward.returnDate,
            block.timestamp
        );
    }

    /// @dev A command between institutions; reverts unless the caller speaks for the side that it names.
    function _byCnpj8(uint256 operationId, uint256 cnpj8Sender, uint256 cnpj8Receiver, CallerPart callerPart)
        private
        view
        returns (Forward memory forward)
    {
        forward = _byWallet(operationId, _walletOf(cnpj8Sender), _walletOf(cnpj8Receiver), callerPart);
        (forward.naming, forward.cnpj8Sender, forward.cnpj8Receiver) = (RepoNaming.Cnpj8, cnpj8Sender, cnpj8Receiver);
    }

    /// @dev A command between wallets; reverts unless the caller is that of the side that it names.
    function _byWallet(uint256 operationId, address sender, address receiver, CallerPart callerPart)
        private
        view
        returns (Forward memory forward)
    {
        _requireCaller(operationId, callerPart, sender, receiver);
        (forward.operationId, forward.callerPart, forward.naming) = (operationId, callerPart, RepoNaming.Wallet);
        (forward.terms.seller, forward.terms.buyer) = (sender, receiver);
    }

    /// @dev A command with a customer; reverts also unless both tokens are given and one side is a participant.
    function _byClient(
        uint256 operationId,
        address sender,
        address senderToken,
        address receiver,
        address receiverToken,
        CallerPart callerPart
    ) private view returns (Forward memory forward) {
        forward = _byWallet(operationId, sender, receiver, callerPart);
        if (senderToken == address(0) || receiverToken == address(0)) {
            revert TPFtOperation1054TokenMissing(senderToken, receiverToken);
        }
        RealDigital realDigital = getTPFtDvP.realDigital();
        if (!realDigital.verifyAccount(sender) && !realDigital.verifyAccount(receiver)) {
            revert TPFtOperation1054BetweenClients(sender, receiver);
        }
        forward.naming = RepoNaming.Client;
        (forward.terms.sellerToken, forward.terms.buyerToken) = (senderToken, receiverToken);
    }

    /// @dev Reverts with {TPFtOperation1054ReturnDateOutOfRange} unless the return is on a later day than today and an
    /// earlier one than that of maturity, from whose first second on bonds are redeemed.
    function _requireReturnDate(uint256 returnDate, uint256 maturityDate) private view {
        uint256 today = dateTimeOracle.today();
        bool isLater = returnDate / 1 days > today / 1 days && returnDate / 1 days < maturityDate / 1 days;
        if (!isLater || returnDate > type(uint64).max) {
            revert TPFtOperation1054ReturnDateOutOfRange(returnDate, today, maturityDate);
        }
    }

    /// @dev The repo as it is kept. No conversion cuts: prices and amount were checked by the command, the return's day
    /// by {_requireReturnDate} or said by the oracle, a root of a CNPJ has eight bytes, and series are counted by ones.
    function _repoOf(Forward memory forward) private view returns (Repo memory) {
        DvPTerms memory terms = forward.terms;
        return Repo({
            sender: terms.seller,
            returnDate: uint64(forward.returnDate),
            mode: forward.mode,
            naming: forward.naming,
            status: RepoStatus.Open,
            receiver: terms.buyer,
            tpftId: uint96(getTPFt.getTPFtId(terms.tpftData)),
            tpftAmount: uint120(terms.tpftAmount),
            unitPrice: uint64(terms.unitPrice),
            returnUnitPrice: uint64(forward.returnUnitPrice),
            senderToken: terms.sellerToken,
            cnpj8Sender: uint64(forward.cnpj8Sender),
            receiverToken: terms.buyerToken,
            cnpj8Receiver: uint64(forward.cnpj8Receiver)
        });
    }

    /// @dev What is delivered now, and at what price; the financial value is filled in by the command.
    function _setBonds(Forward memory forward, TPFtData calldata tpftData, uint256 tpftAmount, uint256 unitPrice)
        private
        pure
    {
        forward.terms.tpftData = tpftData;
        (forward.terms.tpftAmount, forward.terms.unitPrice) = (tpftAmount, unitPrice);
    }
}
