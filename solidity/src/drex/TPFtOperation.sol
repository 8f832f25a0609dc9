// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigitalDefaultAccount} from "./RealDigitalDefaultAccount.sol";
import {TPFt} from "./TPFt.sol";
import {TPFtOperationId} from "./TPFtOperationId.sol";

/// @title TPFtOperation
/// @notice What every operation with federal bonds shares: what it works on, its pause, and how institutions are found.
/// @dev An operation holds its partners' addresses since its deployment, and no one can change them: a new partner
/// means a new operation, which the admins of the partners let in by a grant that everybody sees.
abstract contract TPFtOperation is AccessControl, Pausable {
    using NonZeroAddress for address;

    /// @notice Root of the CNPJ of the National Treasury (Secretaria do Tesouro Nacional).
    uint256 public constant STN_CNPJ8 = 394_460;

    /// @dev Status of an operation that was settled.
    string internal constant STATUS_SETTLED = "ATU";

    /// @notice Largest amount of an operation, in hundredths of a bond: what a balance can hold.
    uint256 public constant TPFT_AMOUNT_MAX = type(uint120).max;

    /// @notice The bonds.
    TPFt public immutable getTPFt;

    /// @notice The registry of operation numbers; this contract needs OPERATOR_ROLE there.
    TPFtOperationId public immutable getTPFtOperationId;

    /// @notice Says which wallet stands for an institution.
    RealDigitalDefaultAccount public immutable getRealDigitalDefaultAccount;

    /// @notice The institution has no default wallet.
    /// @param cnpj8 Root of its CNPJ.
    error TPFtOperationUnknownInstitution(uint256 cnpj8);

    /// @notice The amount is zero, or more than a balance can hold.
    /// @param tpftAmount The amount, in hundredths of a bond.
    /// @param max {TPFT_AMOUNT_MAX}.
    error TPFtOperationAmountOutOfRange(uint256 tpftAmount, uint256 max);

    /// @notice The bond has matured: it is redeemed, no longer issued or traded.
    /// @param maturityDate Day of maturity, in seconds since 1970.
    /// @param timestamp Time of the block, in seconds since 1970.
    error TPFtOperationMatured(uint256 maturityDate, uint256 timestamp);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    constructor(
        TPFt tpft_,
        TPFtOperationId operationIds_,
        RealDigitalDefaultAccount defaultAccounts_,
        address authority_,
        address admin_
    ) {
        address(tpft_).check("tpft");
        address(operationIds_).check("operationIds");
        address(defaultAccounts_).check("defaultAccounts");
        authority_.check("authority");
        admin_.check("admin");
        getTPFt = tpft_;
        getTPFtOperationId = operationIds_;
        getRealDigitalDefaultAccount = defaultAccounts_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin_);
    }

    /// @notice Stops new commands.
    /// @dev Requires DEFAULT_ADMIN_ROLE. Emits `Paused`. Reverts with `EnforcedPause` if already paused.
    function pause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _pause();
    }

    /// @notice Takes commands again.
    /// @dev Requires DEFAULT_ADMIN_ROLE. Emits `Unpaused`. Reverts with `ExpectedPause` if not paused.
    function unpause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _unpause();
    }

    /// @dev The default wallet of an institution, or {TPFtOperationUnknownInstitution}.
    function _walletOf(uint256 cnpj8) internal view returns (address wallet) {
        wallet = getRealDigitalDefaultAccount.defaultAccount(cnpj8);
        if (wallet == address(0)) revert TPFtOperationUnknownInstitution(cnpj8);
    }

    /// @dev Reverts with {TPFtOperationMatured} from the second of maturity on.
    function _requireNotMatured(uint256 maturityDate) internal view {
        if (maturityDate <= block.timestamp) revert TPFtOperationMatured(maturityDate, block.timestamp);
    }

    /// @dev Reverts with {TPFtOperationAmountOutOfRange} for zero and for what no balance can hold.
    function _requireAmount(uint256 tpftAmount) internal pure {
        if (tpftAmount == 0 || tpftAmount > TPFT_AMOUNT_MAX) {
            revert TPFtOperationAmountOutOfRange(tpftAmount, TPFT_AMOUNT_MAX);
        }
    }
}
