// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DateTimeOracle} from "./DateTimeOracle.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtDvP} from "./TPFtDvP.sol";
import {DvPStatus, DvPTerms} from "./TPFtDvPTypes.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";
import {TPFtRepoStorage} from "./TPFtRepoStorage.sol";
import {Repo, RepoMode, RepoNaming} from "./TPFtRepoTypes.sol";
import {TPFtTwoCommandOperation} from "./TPFtTwoCommandOperation.sol";
import {CallerPart, TPFtData} from "./TPFtTypes.sol";

/// @title TPFtOperation1056
/// @notice Operation 1056, the return leg of a repo: whoever received bonds in operation 1054 delivers them back, whoever
/// delivered them pays the return price. Both sides command it, on the day that the forward leg names.
/// @dev The sides follow from the caller: the wallets are those that settled the forward leg. In the events `sender` is
/// who delivers bonds now: the receiver of the forward leg. A repo has one return at a time: after a cancellation another
/// number may be used.
///
/// Needs what `TPFtTwoCommandOperation` needs, and RETURN_ROLE on TPFtRepoStorage.
contract TPFtOperation1056 is TPFtTwoCommandOperation {
    using NonZeroAddress for address;

    /// @dev A command on its way.
    struct Return {
        /// Number of the forward leg.
        uint256 originalOperationId;
        /// Number of the return leg.
        uint256 returnOperationId;
        /// The repo.
        Repo repo;
        /// What is delivered back; the seller is the forward leg's receiver.
        DvPTerms terms;
        /// `LAN`, `CON` or `ATU`.
        string status;
    }

    /// @notice Says which day it is.
    DateTimeOracle public immutable dateTimeOracle;

    /// @notice Keeps the repos that are owed a return.
    TPFtRepoStorage public immutable repoStorage;

    /// @dev Number of the forward leg to the newest record of its return at {getTPFtDvP}; zero if there was none.
    mapping(uint256 originalOperationId => uint256 dvpId) private _returnRecordOf;

    /// @notice A command of a return between institutions that the forward leg named by their CNPJs.
    /// @param originalOperationId Number of the forward leg.
    /// @param returnOperationId Number of the return leg.
    /// @param cnpj8Sender Root of the CNPJ of who delivers bonds back.
    /// @param cnpj8Receiver Root of the CNPJ of who receives bonds back.
    /// @param sender The wallet that delivers bonds back.
    /// @param receiver The wallet that receives bonds back.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param returnUnitPrice Price of a bond in reais, with 8 decimals.
    /// @param returnFinancialValue Cents.
    /// @param status `LAN`, `CON` or `ATU`.
    /// @param returnDate Day of the return, in seconds since 1970.
    /// @param timestamp Time of the block, in seconds since 1970.
    event ReverseRepoOperationTradeReturnCNPJ8Event(
        uint256 indexed originalOperationId,
        uint256 indexed returnOperationId,
        uint256 cnpj8Sender,
        uint256 cnpj8Receiver,
        address sender,
        address receiver,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 returnUnitPrice,
        uint256 returnFinancialValue,
        string status,
        uint256 returnDate,
        uint256 timestamp
    );

    /// @notice A command of a return between participants that the forward leg named by their wallets.
    /// @param originalOperationId Number of the forward leg.
    /// @param returnOperationId Number of the return leg.
    /// @param sender Who delivers bonds back.
    /// @param receiver Who receives bonds back.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param returnUnitPrice Price of a bond in reais, with 8 decimals.
    /// @param returnFinancialValue Cents.
    /// @param status `LAN`, `CON` or `ATU`.
    /// @param returnDate Day of the return, in seconds since 1970.
    /// @param timestamp Time of the block, in seconds since 1970.
    event ReverseRepoOperationTradeReturnEvent(
        uint256 indexed originalOperationId,
        uint256 indexed returnOperationId,
        address sender,
        address receiver,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 returnUnitPrice,
        uint256 returnFinancialValue,
        string status,
        uint256 returnDate,
        uint256 timestamp
    );

    /// @notice A command of a return with a customer, paid in Real Tokenizado.
    /// @param originalOperationId Number of the forward leg.
    /// @param returnOperationId Number of the return leg.
    /// @param sender Who delivers bonds back.
    /// @param senderToken The Real Tokenizado that it is paid in.
    /// @param receiver Who receives bonds back.
    /// @param receiverToken The Real Tokenizado that it pays from.
    /// @param tpftData The series.
    /// @param tpftAmount Hundredths of a bond.
    /// @param returnUnitPrice Price of a bond in reais, with 8 decimals.
    /// @param returnFinancialValue Cents.
    /// @param status `LAN`, `CON` or `ATU`.
    /// @param returnDate Day of the return, in seconds since 1970.
    /// @param timestamp Time of the block, in seconds since 1970.
    event ReverseRepoOperationTradeReturnParticipantClientEvent(
        uint256 indexed originalOperationId,
        uint256 indexed returnOperationId,
        address sender,
        address senderToken,
        address receiver,
        address receiverToken,
        TPFtData tpftData,
        uint256 tpftAmount,
        uint256 returnUnitPrice,
        uint256 returnFinancialValue,
        string status,
        uint256 returnDate,
        uint256 timestamp
    );

    /// @notice A return was called off; the repo is owed it still.
    /// @param operationId Number of the return leg.
    /// @param status Always `CAN`.
    /// @param reason Why, in the words of who cancelled.
    /// @param timestamp Time of the block, in seconds since 1970.
    event ReverseRepoOperationCancelEvent(uint256 operationId, string status, string reason, uint256 timestamp);

    /// @notice The return of such a repo is commanded by another function: with a price if it is open, without if not.
    /// @param originalOperationId Number of the forward leg.
    /// @param mode How its return is agreed.
    error TPFtOperation1056WrongMode(uint256 originalOperationId, RepoMode mode);

    /// @notice Today is not the day of the return.
    /// @param originalOperationId Number of the forward leg.
    /// @param returnDate Day of the return, in seconds since 1970.
    /// @param today Today, in seconds since 1970.
    error TPFtOperation1056NotReturnDate(uint256 originalOperationId, uint256 returnDate, uint256 today);

    /// @notice The caller is no party of the repo.
    /// @param originalOperationId Number of the forward leg.
    /// @param caller Who called.
    error TPFtOperation1056NotParty(uint256 originalOperationId, address caller);

    /// @notice A return of the repo awaits its second command, under another number.
    /// @param originalOperationId Number of the forward leg.
    /// @param dvpId The record of that return at {getTPFtDvP}.
    error TPFtOperation1056ReturnPending(uint256 originalOperationId, uint256 dvpId);

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

    /// @notice Commands the return of a repo whose price was agreed in the forward leg.
    /// @dev Requires a party of the repo, on the day of the return. Emits the event of the forward leg's way to name the
    /// parties, and on the second command what the tokens emit. In this order reverts with `EnforcedPause`, `RepoNotOpen`,
    /// {TPFtOperation1056WrongMode}, {TPFtOperation1056NotParty}, {TPFtOperation1056NotReturnDate},
    /// {TPFtOperation1056ReturnPending}, or as `_command` does.
    /// @param originalOperationId Number of the forward leg.
    /// @param returnOperationId Number of the return leg, the same for both sides.
    function tradeReverseRepo(uint256 originalOperationId, uint256 returnOperationId) external whenNotPaused {
        Repo memory repo = repoStorage.getOpenRepo(originalOperationId);
        if (repo.mode == RepoMode.OpenReturnPrice) {
            revert TPFtOperation1056WrongMode(originalOperationId, repo.mode);
        }
        _trade(originalOperationId, returnOperationId, repo, repo.returnUnitPrice);
    }

    /// @notice Commands the return of a repo whose price was left open; both sides name the same now.
    /// @dev Requires, emits and reverts as {tradeReverseRepo}.
    /// @param originalOperationId Number of the forward leg.
    /// @param returnOperationId Number of the return leg, the same for both sides.
    /// @param returnUnitPrice Price of a bond in reais, with 8 decimals.
    function tradeReverseRepoOpenReturnPrice(
        uint256 originalOperationId,
        uint256 returnOperationId,
        uint256 returnUnitPrice
    ) external whenNotPaused {
        Repo memory repo = repoStorage.getOpenRepo(originalOperationId);
        if (repo.mode != RepoMode.OpenReturnPrice) {
            revert TPFtOperation1056WrongMode(originalOperationId, repo.mode);
        }
        _trade(originalOperationId, returnOperationId, repo, returnUnitPrice);
    }

    /// @dev Emits {ReverseRepoOperationCancelEvent}.
    function _emitCancelled(uint256 operationId, string calldata reason) internal override {
        emit ReverseRepoOperationCancelEvent(operationId, STATUS_CANCELLED, reason, block.timestamp);
    }

    /// @dev Gives the command and says it; the second closes the repo before it settles.
    function _trade(uint256 originalOperationId, uint256 returnOperationId, Repo memory repo, uint256 unitPrice)
        private
    {
        CallerPart callerPart = _partOf(originalOperationId, repo);
        _requireReturnDate(originalOperationId, repo.returnDate);
        Return memory back;
        (back.originalOperationId, back.returnOperationId, back.repo) = (originalOperationId, returnOperationId, repo);
        back.terms = _termsOf(originalOperationId, repo, unitPrice);
        bool isFirst = _operations[returnOperationId].issuer == address(0);
        if (isFirst) _requireNoReturn(originalOperationId);
        else repoStorage.setReturned(originalOperationId);
        back.status = _command(returnOperationId, callerPart, back.terms);
        if (isFirst) _returnRecordOf[originalOperationId] = _operations[returnOperationId].dvpId;
        if (repo.naming == RepoNaming.Cnpj8) _emitByCnpj8(back, back.terms);
        else if (repo.naming == RepoNaming.Wallet) _emitByWallet(back, back.terms);
        else _emitByClient(back, back.terms);
    }

    /// @dev In a function of its own for the stack's sake, as the two below.
    function _emitByCnpj8(Return memory back, DvPTerms memory terms) private {
        emit ReverseRepoOperationTradeReturnCNPJ8Event(
            back.originalOperationId,
            back.returnOperationId,
            back.repo.cnpj8Receiver,
            back.repo.cnpj8Sender,
            terms.seller,
            terms.buyer,
            terms.tpftData,
            terms.tpftAmount,
            terms.unitPrice,
            terms.financialValue,
            back.status,
            back.repo.returnDate,
            block.timestamp
        );
    }

    function _emitByWallet(Return memory back, DvPTerms memory terms) private {
        emit ReverseRepoOperationTradeReturnEvent(
            back.originalOperationId,
            back.returnOperationId,
            terms.seller,
            terms.buyer,
            terms.tpftData,
            terms.tpftAmount,
            terms.unitPrice,
            terms.financialValue,
            back.status,
            back.repo.returnDate,
            block.timestamp
        );
    }

    function _emitByClient(Return memory back, DvPTerms memory terms) private {
        emit ReverseRepoOperationTradeReturnParticipantClientEvent(
            back.originalOperationId,
            back.returnOperationId,
            terms.seller,
            terms.sellerToken,
            terms.buyer,
            terms.buyerToken,
            terms.tpftData,
            terms.tpftAmount,
            terms.unitPrice,
            terms.financialValue,
            back.status,
            back.repo.returnDate,
            block.timestamp
        );
    }

    /// @dev The side of the return that the caller stands on, or {TPFtOperation1056NotParty}.
    function _partOf(uint256 originalOperationId, Repo memory repo) private view returns (CallerPart) {
        if (msg.sender == repo.receiver) return CallerPart.TPFtSender;
        if (msg.sender == repo.sender) return CallerPart.TPFtReceiver;
        revert TPFtOperation1056NotParty(originalOperationId, msg.sender);
    }

    /// @dev Reverts with {TPFtOperation1056NotReturnDate} on any other day.
    function _requireReturnDate(uint256 originalOperationId, uint256 returnDate) private view {
        uint256 today = dateTimeOracle.today();
        if (today / 1 days != returnDate / 1 days) {
            revert TPFtOperation1056NotReturnDate(originalOperationId, returnDate, today);
        }
    }

    /// @dev Reverts with {TPFtOperation1056ReturnPending} if a return was commanded and not cancelled.
    function _requireNoReturn(uint256 originalOperationId) private view {
        uint256 dvpId = _returnRecordOf[originalOperationId];
        if (dvpId == 0) return;
        (DvPStatus status,) = getTPFtDvP.getDvPOperation(dvpId);
        if (status != DvPStatus.Cancelled) revert TPFtOperation1056ReturnPending(originalOperationId, dvpId);
    }

    /// @dev What is delivered back, for which repo; the financial value is filled in by the command.
    function _termsOf(uint256 originalOperationId, Repo memory repo, uint256 unitPrice)
        private
        view
        returns (DvPTerms memory terms)
    {
        (terms.seller, terms.sellerToken) = (repo.receiver, repo.receiverToken);
        (terms.buyer, terms.buyerToken) = (repo.sender, repo.senderToken);
        terms.tpftData = getTPFt.getTPFtData(repo.tpftId);
        (terms.tpftAmount, terms.unitPrice) = (repo.tpftAmount, unitPrice);
        terms.extraData = abi.encode(originalOperationId);
    }
}
