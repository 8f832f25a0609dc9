// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

/// @title DocumentRegistry
/// @notice Which document is the one in force: for each subject (an asset, an order, a policy) and kind of document,
/// its versions in order, each bound by hash. A new version supersedes the one before; none is ever changed or removed.
/// @dev Hashes only: the documents, and what names people, are kept elsewhere.
contract DocumentRegistry is AccessControlDefaultAdminRules {
    /// @notice A version of a document.
    struct Document {
        /// SHA-256 of its bytes.
        bytes32 contentHash;
        /// keccak256 of the URI where it is found; zero if it is not published.
        bytes32 uriHash;
        /// Who registered it.
        address registrar;
        /// When, in seconds since 1970.
        uint64 registeredAt;
    }

    /// @notice Role that registers.
    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR_ROLE");

    /// @dev Subject and kind to how many versions there are; they go from 1 to this.
    mapping(bytes32 subject => mapping(bytes32 kind => uint32 version)) private _newest;

    /// @dev Subject, kind and version to document.
    mapping(bytes32 subject => mapping(bytes32 kind => mapping(uint32 version => Document document))) private
        _documents;

    /// @notice A version was registered, and supersedes the one before.
    /// @param subject What the document is about.
    /// @param kind Kind of document.
    /// @param version Its version.
    /// @param contentHash SHA-256 of its bytes.
    /// @param uriHash keccak256 of the URI where it is found; zero if it is not published.
    /// @param registrar Who registered it.
    event DocumentRegistered(
        bytes32 indexed subject,
        bytes32 indexed kind,
        uint32 indexed version,
        bytes32 contentHash,
        bytes32 uriHash,
        address registrar
    );

    /// @notice The version is not the next one: somebody else was faster, or the call was repeated.
    /// @param subject What the document is about.
    /// @param kind Kind of document.
    /// @param version The version given.
    /// @param next The version that would be next.
    error DocumentVersionNotNext(bytes32 subject, bytes32 kind, uint32 version, uint32 next);

    /// @notice The hash is zero, or that of the version in force.
    /// @param subject What the document is about.
    /// @param kind Kind of document.
    /// @param contentHash The hash given.
    error DocumentHashInvalid(bytes32 subject, bytes32 kind, bytes32 contentHash);

    /// @notice There is no such version.
    /// @param subject What the document is about.
    /// @param kind Kind of document.
    /// @param version The version asked for.
    /// @param newest The newest version; zero if there is none.
    error DocumentUnknown(bytes32 subject, bytes32 kind, uint32 version, uint32 newest);

    /// @dev Reverts with `AccessControlInvalidDefaultAdmin` if the admin is zero.
    /// @param adminDelay How long a transfer of the admin's role waits, in seconds.
    /// @param admin Receives DEFAULT_ADMIN_ROLE: grants REGISTRAR_ROLE.
    constructor(uint48 adminDelay, address admin) AccessControlDefaultAdminRules(adminDelay, admin) {}

    /// @notice Registers the next version of a document. From now on it is the one in force.
    /// @dev Requires REGISTRAR_ROLE. Emits {DocumentRegistered}. Reverts with {DocumentVersionNotNext} or
    /// {DocumentHashInvalid}.
    /// @param subject What the document is about, such as the hash of an asset's id.
    /// @param kind Kind of document, such as the hash of `prospectus`.
    /// @param version Its version: 1, or one more than the newest, so that a repeated call registers nothing.
    /// @param contentHash SHA-256 of its bytes.
    /// @param uriHash keccak256 of the URI where it is found; zero if it is not published.
    function register(bytes32 subject, bytes32 kind, uint32 version, bytes32 contentHash, bytes32 uriHash)
        external
        onlyRole(REGISTRAR_ROLE)
    {
        uint32 newest = _newest[subject][kind];
        if (version != newest + 1) revert DocumentVersionNotNext(subject, kind, version, newest + 1);
        if (contentHash == 0 || contentHash == _documents[subject][kind][newest].contentHash) {
            revert DocumentHashInvalid(subject, kind, contentHash);
        }
        _newest[subject][kind] = version;
        _documents[subject][kind][version] = Document(contentHash, uriHash, msg.sender, uint64(block.timestamp));
        emit DocumentRegistered(subject, kind, version, contentHash, uriHash, msg.sender);
    }

    /// @notice A version of a document.
    /// @dev Reverts with {DocumentUnknown}.
    /// @param subject What the document is about.
    /// @param kind Kind of document.
    /// @param version The version.
    /// @return document The document.
    /// @return supersededBy The version that took its place; zero if it is in force.
    function getDocument(bytes32 subject, bytes32 kind, uint32 version)
        external
        view
        returns (Document memory document, uint32 supersededBy)
    {
        uint32 newest = _newest[subject][kind];
        if (version == 0 || version > newest) revert DocumentUnknown(subject, kind, version, newest);
        return (_documents[subject][kind][version], version == newest ? 0 : version + 1);
    }

    /// @notice The version in force.
    /// @param subject What the document is about.
    /// @param kind Kind of document.
    /// @return The version; zero if there is none.
    function newestVersion(bytes32 subject, bytes32 kind) external view returns (uint32) {
        return _newest[subject][kind];
    }

    /// @notice Whether a document is the one in force.
    /// @param subject What the document is about.
    /// @param kind Kind of document.
    /// @param contentHash SHA-256 of the document's bytes.
    /// @return Whether it is.
    function isInForce(bytes32 subject, bytes32 kind, bytes32 contentHash) external view returns (bool) {
        return contentHash != 0 && _documents[subject][kind][_newest[subject][kind]].contentHash == contentHash;
    }
}
