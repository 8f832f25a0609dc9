// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {Repo, RepoStatus} from "./TPFtRepoTypes.sol";

/// @title TPFtRepoStorage
/// @notice The repos that are owed a return: written by the forward leg (1054), closed by the return leg (1056) or by a
/// default (1054).
/// @dev
/// ```
/// None ── forward leg settles ──► Open ── return leg settles ──────────────► Returned
///                                 Open ── a party names a default (1054) ──► Defaulted
/// ```
/// The last two are final.
contract TPFtRepoStorage is AccessControl {
    using NonZeroAddress for address;

    /// @notice Role of the forward leg: `TPFtOperation1054`.
    bytes32 public constant FORWARD_ROLE = keccak256("FORWARD_ROLE");

    /// @notice Role of the return leg: `TPFtOperation1056`.
    bytes32 public constant RETURN_ROLE = keccak256("RETURN_ROLE");

    /// @dev Number of the forward leg to the repo.
    mapping(uint256 operationId => Repo repo) private _repos;

    /// @notice A repo was written or closed.
    /// @param operationId Number of the forward leg.
    /// @param status Where it stands from now on.
    event RepoStatusChanged(uint256 indexed operationId, RepoStatus status);

    /// @notice The repo is not owed a return: its forward leg was never settled, or it is closed.
    /// @param operationId Number of the forward leg.
    /// @param status Where it stands.
    error RepoNotOpen(uint256 operationId, RepoStatus status);

    /// @notice A repo of that number was written before.
    /// @param operationId Number of the forward leg.
    error RepoExists(uint256 operationId);

    /// @dev Reverts with `DrexZeroAddress` if `admin_` is zero.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE: grants the roles.
    constructor(address admin_) {
        admin_.check("admin");
        _grantRole(DEFAULT_ADMIN_ROLE, admin_);
    }

    /// @notice Writes a repo whose forward leg was settled.
    /// @dev Requires FORWARD_ROLE. Emits {RepoStatusChanged}. Reverts with {RepoExists}.
    /// @param operationId Number of the forward leg.
    /// @param repo The repo; its status is not read.
    function open(uint256 operationId, Repo calldata repo) external onlyRole(FORWARD_ROLE) {
        if (_repos[operationId].status != RepoStatus.None) revert RepoExists(operationId);
        _repos[operationId] = repo;
        _setStatus(operationId, RepoStatus.Open);
    }

    /// @notice Closes a repo whose return leg settles.
    /// @dev Requires RETURN_ROLE. Emits {RepoStatusChanged}. Reverts with {RepoNotOpen}.
    /// @param operationId Number of the forward leg.
    function setReturned(uint256 operationId) external onlyRole(RETURN_ROLE) {
        _requireOpen(operationId);
        _setStatus(operationId, RepoStatus.Returned);
    }

    /// @notice Closes a repo that was not returned in time.
    /// @dev Requires FORWARD_ROLE. Emits {RepoStatusChanged}. Reverts with {RepoNotOpen}.
    /// @param operationId Number of the forward leg.
    function setDefaulted(uint256 operationId) external onlyRole(FORWARD_ROLE) {
        _requireOpen(operationId);
        _setStatus(operationId, RepoStatus.Defaulted);
    }

    /// @notice A repo.
    /// @param operationId Number of the forward leg.
    /// @return The repo; zeros if there is none.
    function getRepo(uint256 operationId) external view returns (Repo memory) {
        return _repos[operationId];
    }

    /// @notice A repo that is owed a return.
    /// @dev Reverts with {RepoNotOpen}.
    /// @param operationId Number of the forward leg.
    /// @return The repo.
    function getOpenRepo(uint256 operationId) external view returns (Repo memory) {
        _requireOpen(operationId);
        return _repos[operationId];
    }

    /// @dev Writes where a repo stands, and says it.
    function _setStatus(uint256 operationId, RepoStatus status) private {
        _repos[operationId].status = status;
        emit RepoStatusChanged(operationId, status);
    }

    /// @dev Reverts with {RepoNotOpen} unless the repo is owed a return.
    function _requireOpen(uint256 operationId) private view {
        RepoStatus status = _repos[operationId].status;
        if (status != RepoStatus.Open) revert RepoNotOpen(operationId, status);
    }
}
