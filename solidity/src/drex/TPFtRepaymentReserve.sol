// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealTokenizado} from "./RealTokenizado.sol";
import {RepaymentPartners, RepaymentRoute} from "./RepaymentRoute.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtData} from "./TPFtTypes.sol";

/// @title TPFtRepaymentReserve
/// @notice Keeps the money of redeemed bonds whose holder could not be paid, until the holder comes for it, or an
/// authority sends it to the holder's new wallet.
/// @dev Must be enabled in Real Digital. Its balance there is never less than the sum of all credits: a deposit takes
/// the money from its caller. DANGER: RECOVERY_WITHDRAWER_ROLE can send any credit to any wallet; it is for holders who
/// lost their key, and belongs to the central bank.
contract TPFtRepaymentReserve is AccessControl, RepaymentRoute {
    using NonZeroAddress for address;

    /// @dev What is kept for a holder, of one series.
    struct Credit {
        /// Cents.
        uint256 value;
        /// Number of the redemption; of the last one, if there were several.
        uint256 operationId;
    }

    /// @notice Role of the contract that redeems: `TPFtOperation1012`.
    bytes32 public constant DEPOSITOR_ROLE = keccak256("DEPOSITOR_ROLE");

    /// @notice Role that sends a credit to another wallet.
    bytes32 public constant RECOVERY_WITHDRAWER_ROLE = keccak256("RECOVERY_WITHDRAWER_ROLE");

    /// @dev Status of a withdrawal: money moved.
    string private constant STATUS_SETTLED = "ATU";

    /// @notice The bonds.
    TPFt public immutable tpft;

    /// @dev Holder and series to what is kept.
    mapping(address holder => mapping(uint256 tpftId => Credit credit)) private _credits;

    /// @notice Money is kept for a holder.
    /// @param holder Who held the bonds.
    /// @param tpftId The series.
    /// @param operationId Number of the redemption.
    /// @param value Cents.
    event RepaymentDeposited(address indexed holder, uint256 indexed tpftId, uint256 operationId, uint256 value);

    /// @notice A participant took what was kept for it.
    /// @param sender Who held the bonds.
    /// @param tpftId The series.
    /// @param tpftData The series.
    /// @param operationId Number of the redemption.
    /// @param financialRepaymentValue Cents.
    /// @param status Always `ATU`.
    /// @param timestamp Time of the block, in seconds since 1970.
    event WithdrawalForParticipant(
        address indexed sender,
        uint256 indexed tpftId,
        TPFtData tpftData,
        uint256 operationId,
        uint256 financialRepaymentValue,
        string status,
        uint256 timestamp
    );

    /// @notice A bank's customer took what was kept for it.
    /// @param sender Who held the bonds.
    /// @param tpftId The series.
    /// @param senderToken The Real Tokenizado that it was paid in.
    /// @param tpftData The series.
    /// @param operationId Number of the redemption.
    /// @param financialRepaymentValue Cents.
    /// @param status Always `ATU`.
    /// @param timestamp Time of the block, in seconds since 1970.
    event WithdrawalForClient(
        address sender,
        uint256 indexed tpftId,
        address senderToken,
        TPFtData tpftData,
        uint256 operationId,
        uint256 financialRepaymentValue,
        string status,
        uint256 timestamp
    );

    /// @notice What was kept for a holder was sent to a participant's wallet.
    /// @param sender Who held the bonds.
    /// @param tpftId The series.
    /// @param tpftData The series.
    /// @param operationId Number of the redemption.
    /// @param financialRepaymentValue Cents.
    /// @param status Always `ATU`.
    /// @param newWallet Who was paid.
    /// @param timestamp Time of the block, in seconds since 1970.
    event WithdrawalForParticipantByAuthority(
        address sender,
        uint256 indexed tpftId,
        TPFtData tpftData,
        uint256 operationId,
        uint256 financialRepaymentValue,
        string status,
        address newWallet,
        uint256 timestamp
    );

    /// @notice What was kept for a holder was sent to the wallet of a bank's customer.
    /// @param sender Who held the bonds.
    /// @param tpftId The series.
    /// @param senderToken The Real Tokenizado that it was paid in.
    /// @param tpftData The series.
    /// @param operationId Number of the redemption.
    /// @param financialRepaymentValue Cents.
    /// @param status Always `ATU`.
    /// @param newWallet Who was paid.
    /// @param timestamp Time of the block, in seconds since 1970.
    event WithdrawalForClientByAuthority(
        address sender,
        uint256 indexed tpftId,
        address senderToken,
        TPFtData tpftData,
        uint256 operationId,
        uint256 financialRepaymentValue,
        string status,
        address newWallet,
        uint256 timestamp
    );

    /// @notice Nothing is kept for the holder.
    /// @param holder The holder.
    /// @param tpftId The series.
    error RepaymentReserveNothingKept(address holder, uint256 tpftId);

    /// @notice The wallet cannot be paid: it is not enabled in Real Digital, and has no key of a bank whose token is
    /// money.
    /// @param wallet The wallet.
    error RepaymentReserveNoRoute(address wallet);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param partners What a payment asks for its way.
    /// @param tpft_ The bonds.
    /// @param authority_ Receives RECOVERY_WITHDRAWER_ROLE.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(RepaymentPartners memory partners, TPFt tpft_, address authority_, address admin_)
        RepaymentRoute(partners)
    {
        address(tpft_).check("tpft");
        authority_.check("authority");
        admin_.check("admin");
        tpft = tpft_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin_);
        _grantRole(RECOVERY_WITHDRAWER_ROLE, authority_);
    }

    /// @notice Takes money from the caller and keeps it for a holder. A second deposit adds to the first.
    /// @dev Requires DEPOSITOR_ROLE, and the caller's allowance on Real Digital. Emits {RepaymentDeposited}. Reverts as
    /// Real Digital does.
    /// @param holder Who held the bonds.
    /// @param tpftId The series.
    /// @param operationId Number of the redemption.
    /// @param value Cents.
    function deposit(address holder, uint256 tpftId, uint256 operationId, uint256 value)
        external
        onlyRole(DEPOSITOR_ROLE)
    {
        Credit storage credit = _credits[holder][tpftId];
        credit.value += value;
        credit.operationId = operationId;
        emit RepaymentDeposited(holder, tpftId, operationId, value);
        // Real Digital reverts when it does not move: its answer is always true.
        realDigital.transferFrom(msg.sender, address(this), value);
    }

    /// @notice Pays the caller what is kept for it: in Real Digital if it is a participant, else in its bank's token.
    /// @dev Open to every holder. Emits {WithdrawalForParticipant} or {WithdrawalForClient}. Reverts with
    /// {RepaymentReserveNothingKept}, {RepaymentReserveNoRoute}, or as the tokens do: a customer must be enabled in its
    /// bank's.
    /// @param tpftId The series.
    function withdraw(uint256 tpftId) external {
        (Credit memory credit, TPFtData memory data) = _take(msg.sender, tpftId);
        RealTokenizado token = _pay(msg.sender, credit.value);
        if (address(token) == address(0)) {
            emit WithdrawalForParticipant(
                msg.sender, tpftId, data, credit.operationId, credit.value, STATUS_SETTLED, block.timestamp
            );
        } else {
            emit WithdrawalForClient(
                msg.sender,
                tpftId,
                address(token),
                data,
                credit.operationId,
                credit.value,
                STATUS_SETTLED,
                block.timestamp
            );
        }
    }

    /// @notice Pays what is kept for a holder to another wallet: in Real Digital if that is a participant's, else in its
    /// bank's token.
    /// @dev Requires RECOVERY_WITHDRAWER_ROLE. Emits {WithdrawalForParticipantByAuthority} or
    /// {WithdrawalForClientByAuthority}. Reverts with `DrexZeroAddress`, and as {withdraw} does.
    /// @param tpftId The series.
    /// @param from Who held the bonds.
    /// @param to Who is paid.
    function withdrawFrom(uint256 tpftId, address from, address to) external onlyRole(RECOVERY_WITHDRAWER_ROLE) {
        to.check("to");
        (Credit memory credit, TPFtData memory data) = _take(from, tpftId);
        RealTokenizado token = _pay(to, credit.value);
        if (address(token) == address(0)) {
            emit WithdrawalForParticipantByAuthority(
                from, tpftId, data, credit.operationId, credit.value, STATUS_SETTLED, to, block.timestamp
            );
        } else {
            emit WithdrawalForClientByAuthority(
                from,
                tpftId,
                address(token),
                data,
                credit.operationId,
                credit.value,
                STATUS_SETTLED,
                to,
                block.timestamp
            );
        }
    }

    /// @notice What is kept for a holder.
    /// @param to Who held the bonds.
    /// @param tpftId The series.
    /// @return Cents.
    function getBalance(address to, uint256 tpftId) external view returns (uint256) {
        return _credits[to][tpftId].value;
    }

    /// @dev Empties a credit, or reverts with {RepaymentReserveNothingKept}.
    function _take(address holder, uint256 tpftId) private returns (Credit memory credit, TPFtData memory data) {
        credit = _credits[holder][tpftId];
        if (credit.value == 0) revert RepaymentReserveNothingKept(holder, tpftId);
        delete _credits[holder][tpftId];
        data = tpft.getTPFtData(tpftId);
    }

    /// @dev Pays a wallet, or reverts with {RepaymentReserveNoRoute}.
    /// @return token The Real Tokenizado that it was paid in; zero for Real Digital.
    function _pay(address wallet, uint256 value) private returns (RealTokenizado token) {
        if (realDigital.verifyAccount(wallet)) {
            // Real Digital reverts when it does not move: its answer is always true.
            realDigital.transfer(wallet, value);
        } else {
            token = _bankTokenOf(wallet);
            if (address(token) == address(0)) revert RepaymentReserveNoRoute(wallet);
            _payCustomer(token, wallet, value);
        }
    }
}
