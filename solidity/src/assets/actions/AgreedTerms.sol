// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenDuties} from "./TokenDuties.sol";

/// @title AgreedTerms
/// @notice Terms that one duty proposes and another one must agree to before they bind anybody.
/// @dev Who agrees names the hash of the terms, so that an approval of an id can be of nothing else than was read; and is
/// another account than who proposed, whatever roles the two have.
abstract contract AgreedTerms is TokenDuties {
    /// @dev What was proposed to who did.
    mapping(uint256 id => address proposer) private _proposers;

    /// @notice Terms bind from now on.
    /// @param id What they are of.
    /// @param proposer Who proposed them.
    /// @param approver Who agreed.
    /// @param termsHash keccak256 of their ABI encoding.
    event TermsAgreed(uint256 indexed id, address indexed proposer, address indexed approver, bytes32 termsHash);

    /// @notice Other terms stand here than were agreed to.
    /// @param id What they are of.
    /// @param given The hash given.
    /// @param actual keccak256 of the ABI encoding of the terms.
    error TermsDiffer(uint256 id, bytes32 given, bytes32 actual);

    /// @notice Who proposed the terms cannot agree to them.
    /// @param id What they are of.
    /// @param proposer Who proposed them, and called.
    error TermsApprovedByProposer(uint256 id, address proposer);

    /// @notice Who proposed terms.
    /// @param id What they are of.
    /// @return The account; zero if there are none.
    function proposerOf(uint256 id) external view returns (address) {
        return _proposers[id];
    }

    /// @dev Keeps the caller as who proposed.
    function _propose(uint256 id) internal {
        _proposers[id] = msg.sender;
    }

    /// @dev The caller agrees. Emits {TermsAgreed}. Reverts with {TermsDiffer}, {TermsApprovedByProposer}.
    function _agree(uint256 id, bytes32 given, bytes32 actual) internal {
        if (given != actual) revert TermsDiffer(id, given, actual);
        address proposer = _proposers[id];
        if (msg.sender == proposer) revert TermsApprovedByProposer(id, proposer);
        emit TermsAgreed(id, proposer, msg.sender, actual);
    }
}
