// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signatures} from "../access/Signatures.sol";
import {SignedDomain} from "../access/SignedDomain.sol";
import {ClaimTrust} from "./ClaimTrust.sol";
import {StoredClaim} from "./RegistryStorage.sol";

/// @notice A statement about an investor, signed by its issuer (EIP-712).
struct Claim {
    /// Whom it is about.
    address identity;
    /// What it is about.
    uint256 topic;
    /// Hash of the evidence, which is kept elsewhere: no personal data, and nothing from which it can be guessed.
    bytes32 dataHash;
    /// When it was issued, in seconds since 1970, not in the future.
    uint48 issuedAt;
    /// First day on which it no longer holds, in days of UTC since 1970-01-01.
    uint16 endDay;
    /// Who issued it, and whose signature is checked.
    address issuer;
}

/// @title SignedClaims
/// @notice Takes signed claims and revokes them.
/// @dev The signature is checked against the very issuer whose trust is looked up, and what is stored is that issuer's
/// place in the registry: nothing that the claim or the investor says about itself decides whom to ask. (In other
/// implementations of ERC-3643 the claim was found by a trusted issuer and then checked against whomever it named:
/// the standard's repository, issue 101.) Trust is looked up again each time the claim is used.
abstract contract SignedClaims is ClaimTrust, SignedDomain {
    bytes32 private constant CLAIM_TYPE = keccak256(
        "Claim(address identity,uint256 topic,bytes32 dataHash,uint48 issuedAt,uint16 endDay,address issuer)"
    );

    /// @notice A claim was taken; it replaces the one before on its topic.
    /// @param identity Whom it is about.
    /// @param topic What it is about.
    /// @param issuer Who signed it.
    /// @param digest What was signed.
    /// @param endDay First day on which it no longer holds.
    event ClaimAdded(
        address indexed identity, uint256 indexed topic, address indexed issuer, bytes32 digest, uint16 endDay
    );

    /// @notice An issuer took a claim back, whether the registry had it or not.
    /// @param identity Whom it was about.
    /// @param topic What it was about.
    /// @param issuer Whose it was.
    /// @param digest What was signed.
    event ClaimRevoked(address indexed identity, uint256 indexed topic, address indexed issuer, bytes32 digest);

    /// @notice The signature is not the issuer's.
    /// @param issuer Whose it should be.
    /// @param digest What should be signed.
    error ClaimSignatureInvalid(address issuer, bytes32 digest);

    /// @notice The issuer took this claim back.
    /// @param digest What was signed.
    error ClaimIsRevoked(bytes32 digest);

    /// @notice The claim ended.
    /// @param endDay First day on which it no longer holds.
    /// @param today The day of this block.
    error ClaimEnded(uint16 endDay, uint256 today);

    /// @notice The claim is not newer than the last one on its topic, or is from the future.
    /// @param issuedAt When it was issued, in seconds since 1970.
    /// @param after_ It must be issued after this second,
    /// @param until and not after this one.
    error ClaimTimeInvalid(uint48 issuedAt, uint256 after_, uint256 until);

    /// @notice Only the issuer takes a claim back.
    /// @param caller Who tried.
    /// @param issuer Who may.
    error ClaimNotIssuer(address caller, address issuer);

    /// @notice Takes a signed claim. Anybody may hand it in.
    /// @dev Emits {ClaimAdded}. Reverts with `ClaimTopicUnknown`, `ClaimIssuerNotTrusted`, {ClaimEnded},
    /// {ClaimTimeInvalid}, {ClaimIsRevoked}, {ClaimSignatureInvalid}.
    /// @param claim The claim.
    /// @param signature The issuer's, of a key (65 bytes) or by ERC-1271.
    function addClaim(Claim calldata claim, bytes calldata signature) external {
        uint256 topicIndex = topicIndexOf(claim.topic);
        uint8 place = _placeOfTrusted(claim.issuer);
        if (!_isTrustedOn(place, topicIndex)) revert ClaimIssuerNotTrusted(claim.issuer);
        StoredClaim storage stored = _registry().claims[claim.identity][topicIndex];
        _checkTime(claim, stored.issuedAt);
        bytes32 digest = claimDigest(claim);
        if (_registry().revoked[claim.issuer][digest]) revert ClaimIsRevoked(digest);
        if (!Signatures.isValid(claim.issuer, digest, signature)) {
            revert ClaimSignatureInvalid(claim.issuer, digest);
        }
        _registry().claims[claim.identity][topicIndex] =
            StoredClaim(claim.issuer, claim.issuedAt, claim.endDay, place, claim.dataHash, digest);
        _putClaim(claim.identity, topicIndex, place, claim.endDay);
        emit ClaimAdded(claim.identity, claim.topic, claim.issuer, digest, claim.endDay);
    }

    /// @notice Takes a claim back, for good, whether it was handed in or not.
    /// @dev Requires to be its issuer, trusted or not. Emits {ClaimRevoked}. Reverts with {ClaimNotIssuer},
    /// `ClaimTopicUnknown`.
    /// @param claim The claim as it was signed.
    function revokeClaim(Claim calldata claim) external {
        if (msg.sender != claim.issuer) revert ClaimNotIssuer(msg.sender, claim.issuer);
        uint256 topicIndex = topicIndexOf(claim.topic);
        bytes32 digest = claimDigest(claim);
        _registry().revoked[claim.issuer][digest] = true;
        StoredClaim storage stored = _registry().claims[claim.identity][topicIndex];
        if (stored.digest == digest) {
            // The time of issue stays: no older claim may take the place of the revoked one.
            _registry().claims[claim.identity][topicIndex] =
                StoredClaim(address(0), stored.issuedAt, 0, 0, bytes32(0), bytes32(0));
            _putClaim(claim.identity, topicIndex, 0, 0);
        }
        emit ClaimRevoked(claim.identity, claim.topic, claim.issuer, digest);
    }

    /// @notice The claim on a topic that the registry has of an identity.
    /// @dev Reverts with `ClaimTopicUnknown`.
    /// @param identity Whom it is about.
    /// @param topic What it is about.
    /// @return All zero but the time of issue after revocation.
    function claimOf(address identity, uint256 topic) external view returns (StoredClaim memory) {
        return _registry().claims[identity][topicIndexOf(topic)];
    }

    /// @notice Whether an issuer took a claim back.
    /// @param issuer Whose claim.
    /// @param digest What was signed.
    /// @return True if it did.
    function isClaimRevoked(address issuer, bytes32 digest) external view returns (bool) {
        return _registry().revoked[issuer][digest];
    }

    /// @notice What the issuer of a claim signs, for this registry on this chain.
    /// @param claim The claim.
    /// @return The digest by EIP-712.
    function claimDigest(Claim calldata claim) public view returns (bytes32) {
        return _typedDigest(keccak256(abi.encode(CLAIM_TYPE, claim)));
    }

    /// @dev Puts a claim into the record of whoever has the identity now.
    function _putClaim(address identity, uint256 topicIndex, uint8 place, uint16 endDay) private {
        address wallet = _registry().wallets[identity];
        if (wallet == address(0)) return;
        _registry().records[wallet] = _registry().records[wallet].withClaim(topicIndex, place, endDay);
    }

    function _checkTime(Claim calldata claim, uint48 lastIssuedAt) private view {
        if (claim.endDay <= _today()) revert ClaimEnded(claim.endDay, _today());
        if (claim.issuedAt <= lastIssuedAt || claim.issuedAt > block.timestamp) {
            revert ClaimTimeInvalid(claim.issuedAt, lastIssuedAt, block.timestamp);
        }
    }
}
