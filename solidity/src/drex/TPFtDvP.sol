// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigital} from "./RealDigital.sol";
import {RealTokenizado} from "./RealTokenizado.sol";
import {SwapOneStepFrom} from "./SwapOneStepFrom.sol";
import {TPFt} from "./TPFt.sol";
import {DvPSide, DvPStatus, DvPTerms} from "./TPFtDvPTypes.sol";

/// @title TPFtDvP
/// @notice Delivery of federal bonds against payment: a record takes the word of one side, then of the other; when the
/// second says the same terms, money and bonds move in the same transaction, or nothing does.
/// @dev Users approve this contract, on the money that they pay with and with `setApprovalForAll` on TPFt. DANGER: it
/// believes its operators about who consented, so OPERATOR_ROLE is for operation contracts alone. It needs
/// OPERATOR_ROLE on TPFt.
///
/// A record is one slot: a hash of the terms, and its status. The terms are in the operations' events; whoever has them
/// can check them here ({getDvPOperation}). If a settlement fails, the record waits as before, and the second side may
/// try again. There is no expiry: the side that confirmed can have the operation cancel.
contract TPFtDvP is AccessControl {
    using NonZeroAddress for address;

    /// @dev One slot. The digest is cut to 31 bytes, which leaves 124 bits against a collision made on purpose.
    struct Record {
        /// The first 31 bytes of `keccak256` of the operation contract and the terms.
        bytes31 digest;
        /// Where the record stands.
        DvPStatus status;
    }

    /// @notice Role of the operation contracts.
    bytes32 public constant OPERATOR_ROLE = keccak256("OPERATOR_ROLE");

    /// @notice The money of operations between participants.
    RealDigital public immutable realDigital;

    /// @notice The bonds.
    TPFt public immutable tpft;

    /// @notice Pays between customers of different banks, and keeps the list of banks' tokens that are money here.
    SwapOneStepFrom public immutable swapOneStepFrom;

    /// @dev How many records were made; the ids go from 1 to this.
    uint248 private _dvpCount;

    /// @dev Whether a settlement is under way. Beside the count, which a new record writes anyway, so that refusing
    /// calls from within a settlement costs a first command nothing.
    bool private _isSettling;

    /// @dev Id to record.
    mapping(uint256 dvpId => Record record) private _records;

    /// @notice A record was made or went on.
    /// @param dvpId The record.
    /// @param operation The operation contract that it belongs to.
    /// @param status Where it stands from now on.
    event DvPStatusChanged(uint256 indexed dvpId, address indexed operation, DvPStatus status);

    /// @notice No record has the id.
    /// @param dvpId The id.
    error DvPUnknown(uint256 dvpId);

    /// @notice The record was cancelled, for good.
    /// @param dvpId The record.
    error DvPCancelled(uint256 dvpId);

    /// @notice The record was settled, for good.
    /// @param dvpId The record.
    error DvPExecuted(uint256 dvpId);

    /// @notice The side confirmed before, and the other is awaited.
    /// @param dvpId The record.
    /// @param side The side.
    error DvPSideAlreadyGiven(uint256 dvpId, DvPSide side);

    /// @notice The two sides do not say the same. The record waits as before.
    /// @param dvpId The record.
    /// @param stored Digest of what the first side said.
    /// @param given Digest of what the second side says.
    error DvPIncompatible(uint256 dvpId, bytes31 stored, bytes31 given);

    /// @notice Tokens do not fit the kind of operation: participants pay in Real Digital and name none, customers name
    /// both.
    /// @param buyerToken What was given for the buyer.
    /// @param sellerToken What was given for the seller.
    error DvPTokensInvalid(address buyerToken, address sellerToken);

    /// @notice The token is no bank's money: it is not on the list of {swapOneStepFrom}.
    /// @param token The token.
    error DvPTokenNotApproved(address token);

    /// @notice A settlement is under way: a receiver of bonds called from within.
    error DvPReentered();

    /// @dev Passes unless a settlement is under way; else reverts with {DvPReentered}.
    modifier whenNotSettling() {
        _checkNotSettling();
        _;
    }

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param realDigital_ The money of operations between participants.
    /// @param tpft_ The bonds.
    /// @param swapOneStepFrom_ Pays between customers of different banks.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE: grants OPERATOR_ROLE.
    constructor(RealDigital realDigital_, TPFt tpft_, SwapOneStepFrom swapOneStepFrom_, address admin_) {
        address(realDigital_).check("realDigital");
        address(tpft_).check("tpft");
        address(swapOneStepFrom_).check("swapOneStepFrom");
        admin_.check("admin");
        realDigital = realDigital_;
        tpft = tpft_;
        swapOneStepFrom = swapOneStepFrom_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin_);
    }

    /// @notice Takes one side's word for an operation between participants, paid in Real Digital.
    /// @dev Requires OPERATOR_ROLE. Emits {DvPStatusChanged}, and on the second side what the tokens emit. Reverts with
    /// {DvPReentered}, {DvPTokensInvalid}, {DvPUnknown}, {DvPCancelled}, {DvPExecuted}, {DvPSideAlreadyGiven},
    /// {DvPIncompatible}, or as the tokens do.
    /// @param dvpId The record, or zero for a new one.
    /// @param side The side that confirms.
    /// @param terms What it confirms; both tokens zero.
    /// @return The record's id.
    function dvpParticipant(uint256 dvpId, DvPSide side, DvPTerms calldata terms)
        external
        onlyRole(OPERATOR_ROLE)
        whenNotSettling
        returns (uint256)
    {
        if (terms.buyerToken != address(0) || terms.sellerToken != address(0)) {
            revert DvPTokensInvalid(terms.buyerToken, terms.sellerToken);
        }
        return _confirm(dvpId, side, terms);
    }

    /// @notice Takes one side's word for an operation with a customer, paid in Real Tokenizado: of one bank, or of two,
    /// by way of their reserves.
    /// @dev Requires OPERATOR_ROLE. Emits and reverts as {dvpParticipant}, and reverts with {DvPTokenNotApproved} when
    /// it settles.
    /// @param dvpId The record, or zero for a new one.
    /// @param side The side that confirms.
    /// @param terms What it confirms; both tokens given.
    /// @return The record's id.
    function dvpClients(uint256 dvpId, DvPSide side, DvPTerms calldata terms)
        external
        onlyRole(OPERATOR_ROLE)
        whenNotSettling
        returns (uint256)
    {
        if (terms.buyerToken == address(0) || terms.sellerToken == address(0)) {
            revert DvPTokensInvalid(terms.buyerToken, terms.sellerToken);
        }
        return _confirm(dvpId, side, terms);
    }

    /// @notice Calls off a record that awaits its second side.
    /// @dev Requires OPERATOR_ROLE. Emits {DvPStatusChanged}. Reverts with {DvPReentered}, {DvPUnknown}, {DvPCancelled}
    /// or {DvPExecuted}.
    /// @param dvpId The record.
    function cancelDvP(uint256 dvpId) external onlyRole(OPERATOR_ROLE) whenNotSettling {
        Record storage record = _records[dvpId];
        _requireOpen(dvpId, record.status);
        record.status = DvPStatus.Cancelled;
        emit DvPStatusChanged(dvpId, msg.sender, DvPStatus.Cancelled);
    }

    /// @notice A record as it is stored.
    /// @param dvpId The record.
    /// @return status Where it stands; `None` if there is none.
    /// @return digest Its digest, zero if there is none: see {digestOf}.
    function getDvPOperation(uint256 dvpId) external view returns (DvPStatus status, bytes31 digest) {
        Record storage record = _records[dvpId];
        return (record.status, record.digest);
    }

    /// @notice Checks terms, as an operation's event shows them, against a record.
    /// @param dvpId The record.
    /// @param operation The operation contract that the record belongs to.
    /// @param terms The terms to check.
    /// @return status Where the record stands; `None` if there is none.
    /// @return isMatch Whether these are its terms.
    function getDvPOperation(uint256 dvpId, address operation, DvPTerms calldata terms)
        external
        view
        returns (DvPStatus status, bool isMatch)
    {
        Record storage record = _records[dvpId];
        status = record.status;
        isMatch = status != DvPStatus.None && record.digest == digestOf(operation, terms);
    }

    /// @notice How many records were made.
    /// @return The number, and the id of the newest.
    function getTotalDvPs() external view returns (uint256) {
        return _dvpCount;
    }

    /// @notice What stands in a record for its terms.
    /// @param operation The operation contract that the record belongs to: another one cannot give its second side.
    /// @param terms The terms.
    /// @return The first 31 bytes of `keccak256(abi.encode(operation, terms))`.
    function digestOf(address operation, DvPTerms calldata terms) public pure returns (bytes31) {
        return bytes31(keccak256(abi.encode(operation, terms)));
    }

    /// @dev Makes a record, or completes one and settles it.
    function _confirm(uint256 dvpId, DvPSide side, DvPTerms calldata terms) private returns (uint256) {
        bytes31 digest = digestOf(msg.sender, terms);
        DvPStatus given = side == DvPSide.Sell ? DvPStatus.SellGiven : DvPStatus.BuyGiven;
        if (dvpId == 0) {
            dvpId = ++_dvpCount;
            _records[dvpId] = Record(digest, given);
            emit DvPStatusChanged(dvpId, msg.sender, given);
            return dvpId;
        }

        Record memory record = _records[dvpId];
        _requireOpen(dvpId, record.status);
        if (record.status == given) revert DvPSideAlreadyGiven(dvpId, side);
        if (record.digest != digest) revert DvPIncompatible(dvpId, record.digest, digest);
        _records[dvpId].status = DvPStatus.Executed;
        emit DvPStatusChanged(dvpId, msg.sender, DvPStatus.Executed);
        _isSettling = true;
        _settle(terms);
        _isSettling = false;
        return dvpId;
    }

    /// @dev Moves the money, then the bonds. The tokens revert when they do not move: their answers are always true.
    function _settle(DvPTerms calldata terms) private {
        if (terms.buyerToken == address(0)) {
            realDigital.transferFrom(terms.buyer, terms.seller, terms.financialValue);
        } else if (terms.buyerToken == terms.sellerToken) {
            if (!swapOneStepFrom.isDigitalCurrencyApproved(terms.buyerToken)) {
                revert DvPTokenNotApproved(terms.buyerToken);
            }
            RealTokenizado(terms.buyerToken).transferFrom(terms.buyer, terms.seller, terms.financialValue);
        } else {
            swapOneStepFrom.executeSwapFrom(
                RealTokenizado(terms.buyerToken),
                RealTokenizado(terms.sellerToken),
                terms.buyer,
                terms.seller,
                terms.financialValue
            );
        }
        tpft.safeTransferFrom(terms.seller, terms.buyer, terms.tpftData, terms.tpftAmount);
    }

    /// @dev Reverts with {DvPReentered} while a settlement is under way.
    function _checkNotSettling() private view {
        if (_isSettling) revert DvPReentered();
    }

    /// @dev Reverts unless a record in that status awaits its second side.
    function _requireOpen(uint256 dvpId, DvPStatus status) private pure {
        if (status == DvPStatus.None) revert DvPUnknown(dvpId);
        if (status == DvPStatus.Cancelled) revert DvPCancelled(dvpId);
        if (status == DvPStatus.Executed) revert DvPExecuted(dvpId);
    }
}
