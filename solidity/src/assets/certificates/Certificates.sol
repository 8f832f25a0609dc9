// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Signatures} from "../access/Signatures.sol";
import {Certificate, CertificateVoucher} from "./CertificateTypes.sol";
import {IERC5192} from "./IERC5192.sol";

/// @title Certificates
/// @notice Certificates as an ERC-721: an issuer signs a voucher, its holder claims it, and the issuer may revoke the
/// certificate with a reason.
/// @dev Whether certificates stay with their holder is chosen at deployment (ERC-5192). A revoked certificate remains,
/// marked, and stays where it is. A claim is certified once, also after its certificate was revoked or discarded.
/// Nothing on the ledger names a person: the document behind the hash is kept elsewhere, and what it is about must not
/// be guessed from the hash (a salt in it).
contract Certificates is ERC721, EIP712, AccessControlDefaultAdminRules, IERC5192 {
    /// @notice Role of those whose vouchers count.
    bytes32 public constant ISSUER_ROLE = keccak256("ISSUER_ROLE");

    /// @notice Role that revokes certificates of all issuers, such as a supervisor's.
    bytes32 public constant REVOKER_ROLE = keccak256("REVOKER_ROLE");

    /// @notice EIP-712 type of a voucher.
    bytes32 public constant VOUCHER_TYPEHASH = keccak256(
        "CertificateVoucher(address issuer,address holder,bytes32 claimId,bytes32 metadataHash,uint64 deadline)"
    );

    /// @notice Longest reason of a revocation, in bytes.
    uint256 public constant REASON_BYTES_MAX = 512;

    /// @notice Whether certificates stay with their holder.
    bool public immutable isSoulBound;

    /// @dev Where documents are found: the token's number in decimal is added.
    string private _baseUri;

    /// @dev Token to certificate.
    mapping(uint256 tokenId => Certificate certificate) private _certificates;

    /// @notice A certificate was claimed.
    /// @param tokenId The certificate.
    /// @param issuer Who signed.
    /// @param holder Who received.
    /// @param claimId The issuer's number of what is certified.
    /// @param metadataHash Hash of the document.
    event CertificateIssued(
        uint256 indexed tokenId, address indexed issuer, address indexed holder, bytes32 claimId, bytes32 metadataHash
    );

    /// @notice A certificate is not valid any more.
    /// @param tokenId The certificate.
    /// @param revoker Who says so.
    /// @param reason Why, in words; no names of people.
    event CertificateRevoked(uint256 indexed tokenId, address indexed revoker, string reason);

    /// @notice A holder gave up a certificate.
    /// @param tokenId The certificate.
    /// @param holder Who held it.
    event CertificateDiscarded(uint256 indexed tokenId, address indexed holder);

    /// @notice A voucher is worth nothing any more.
    /// @param tokenId The certificate that it would have become.
    /// @param issuer Who signed it.
    /// @param claimId The issuer's number of what would have been certified.
    event CertificateVoucherCancelled(uint256 indexed tokenId, address indexed issuer, bytes32 claimId);

    /// @notice Only the holder named in the voucher claims it.
    /// @param caller Who called.
    /// @param holder Who may.
    error CertificateNotForCaller(address caller, address holder);

    /// @notice The voucher's time is over.
    /// @param deadline Its last second, since 1970.
    /// @param time Time of the block, in seconds since 1970.
    error CertificateVoucherExpired(uint64 deadline, uint256 time);

    /// @notice The claim was certified before, or its voucher was cancelled.
    /// @param issuer Who signed.
    /// @param claimId The issuer's number.
    error CertificateClaimUsed(address issuer, bytes32 claimId);

    /// @notice The signature is not the issuer's, for this voucher, on this chain and contract.
    /// @param issuer Who should have signed.
    error CertificateSignatureInvalid(address issuer);

    /// @notice Certificates stay with their holder.
    /// @param tokenId The certificate.
    error CertificateSoulBound(uint256 tokenId);

    /// @notice The certificate was revoked: it is neither transferred nor revoked again.
    /// @param tokenId The certificate.
    /// @param revokedAt When, in seconds since 1970.
    error CertificateAlreadyRevoked(uint256 tokenId, uint256 revokedAt);

    /// @notice The caller may not revoke: it is neither a revoker nor the certificate's issuer.
    /// @param tokenId The certificate.
    /// @param caller Who called.
    /// @param issuer Who may, beside revokers, while it has ISSUER_ROLE.
    error CertificateNotRevocableBy(uint256 tokenId, address caller, address issuer);

    /// @notice A revocation has no reason, or one that is too long.
    /// @param length Its length, in bytes.
    /// @param max {REASON_BYTES_MAX}.
    error CertificateReasonInvalid(uint256 length, uint256 max);

    /// @notice Only the holder discards a certificate.
    /// @param tokenId The certificate.
    /// @param caller Who called.
    /// @param holder Who may.
    error CertificateNotHeld(uint256 tokenId, address caller, address holder);

    /// @dev Reverts with `AccessControlInvalidDefaultAdmin` if the admin is zero. Version 1 of the EIP-712 domain
    /// `LastroCertificates`.
    /// @param name_ ERC-721 name.
    /// @param symbol_ ERC-721 symbol.
    /// @param baseUri_ Where documents are found.
    /// @param isSoulBound_ Whether certificates stay with their holder.
    /// @param adminDelay How long a transfer of the admin's role waits, in seconds.
    /// @param admin Receives DEFAULT_ADMIN_ROLE: grants roles.
    constructor(
        string memory name_,
        string memory symbol_,
        string memory baseUri_,
        bool isSoulBound_,
        uint48 adminDelay,
        address admin
    ) ERC721(name_, symbol_) EIP712("LastroCertificates", "1") AccessControlDefaultAdminRules(adminDelay, admin) {
        isSoulBound = isSoulBound_;
        _baseUri = baseUri_;
    }

    /// @notice Makes a voucher a certificate of the caller.
    /// @dev Requires that the caller is the voucher's holder, and that its issuer has ISSUER_ROLE still. Emits
    /// {CertificateIssued}, `Transfer`, and `Locked` or `Unlocked`. Reverts with {CertificateNotForCaller},
    /// {CertificateVoucherExpired}, `AccessControlUnauthorizedAccount`, {CertificateClaimUsed},
    /// {CertificateSignatureInvalid}, or `ERC721InvalidReceiver` if the caller is a contract that does not accept.
    /// @param voucher What the issuer signed.
    /// @param signature The issuer's signature of {voucherDigest}: ECDSA, or what its contract takes by ERC-1271.
    /// @return tokenId The certificate.
    function claim(CertificateVoucher calldata voucher, bytes calldata signature) external returns (uint256 tokenId) {
        if (msg.sender != voucher.holder) revert CertificateNotForCaller(msg.sender, voucher.holder);
        if (block.timestamp > voucher.deadline) revert CertificateVoucherExpired(voucher.deadline, block.timestamp);
        _checkRole(ISSUER_ROLE, voucher.issuer);
        tokenId = _unusedToken(voucher.issuer, voucher.claimId);
        if (!Signatures.isValid(voucher.issuer, voucherDigest(voucher), signature)) {
            revert CertificateSignatureInvalid(voucher.issuer);
        }
        _certificates[tokenId] = Certificate(voucher.issuer, uint48(block.timestamp), 0, voucher.metadataHash);
        emit CertificateIssued(tokenId, voucher.issuer, msg.sender, voucher.claimId, voucher.metadataHash);
        if (isSoulBound) emit Locked(tokenId);
        else emit Unlocked(tokenId);
        _safeMint(msg.sender, tokenId);
    }

    /// @notice Makes a voucher of the caller worthless that nobody claimed yet.
    /// @dev Open to everybody for one's own claims. Emits {CertificateVoucherCancelled}. Reverts with
    /// {CertificateClaimUsed}.
    /// @param claimId The issuer's number of what would have been certified.
    function cancelVoucher(bytes32 claimId) external {
        uint256 tokenId = _unusedToken(msg.sender, claimId);
        _certificates[tokenId] = Certificate(msg.sender, 0, uint48(block.timestamp), 0);
        emit CertificateVoucherCancelled(tokenId, msg.sender, claimId);
    }

    /// @notice States that a certificate is not valid any more. It remains, marked, and stays where it is.
    /// @dev Requires REVOKER_ROLE, or ISSUER_ROLE and that the caller signed its voucher. Emits {CertificateRevoked}.
    /// Reverts with `ERC721NonexistentToken`, {CertificateAlreadyRevoked}, {CertificateNotRevocableBy} or
    /// {CertificateReasonInvalid}.
    /// @param tokenId The certificate.
    /// @param reason Why, in words, 1 to 512 bytes; no names of people.
    function revoke(uint256 tokenId, string calldata reason) external {
        _requireOwned(tokenId);
        Certificate storage certificate = _certificates[tokenId];
        if (certificate.revokedAt != 0) revert CertificateAlreadyRevoked(tokenId, certificate.revokedAt);
        bool isIssuer = msg.sender == certificate.issuer && hasRole(ISSUER_ROLE, msg.sender);
        if (!isIssuer && !hasRole(REVOKER_ROLE, msg.sender)) {
            revert CertificateNotRevocableBy(tokenId, msg.sender, certificate.issuer);
        }
        uint256 length = bytes(reason).length;
        if (length == 0 || length > REASON_BYTES_MAX) revert CertificateReasonInvalid(length, REASON_BYTES_MAX);
        certificate.revokedAt = uint48(block.timestamp);
        emit CertificateRevoked(tokenId, msg.sender, reason);
    }

    /// @notice Gives up a certificate of the caller, for good.
    /// @dev Requires that the caller holds it. Emits {CertificateDiscarded} and `Transfer` to zero. Reverts with
    /// `ERC721NonexistentToken` or {CertificateNotHeld}.
    /// @param tokenId The certificate.
    function discard(uint256 tokenId) external {
        address holder = _requireOwned(tokenId);
        if (msg.sender != holder) revert CertificateNotHeld(tokenId, msg.sender, holder);
        emit CertificateDiscarded(tokenId, holder);
        _burn(tokenId);
    }

    /// @notice What is kept of a certificate, also of one that was discarded.
    /// @param tokenId The certificate.
    /// @return The certificate; all zero if there never was one.
    function getCertificate(uint256 tokenId) external view returns (Certificate memory) {
        return _certificates[tokenId];
    }

    /// @notice Whether a certificate is held by somebody and not revoked.
    /// @param tokenId The certificate.
    /// @return Whether it is.
    function isValid(uint256 tokenId) external view returns (bool) {
        return _ownerOf(tokenId) != address(0) && _certificates[tokenId].revokedAt == 0;
    }

    /// @inheritdoc IERC5192
    /// @dev Reverts with `ERC721NonexistentToken`.
    function locked(uint256 tokenId) external view returns (bool) {
        _requireOwned(tokenId);
        return isSoulBound;
    }

    /// @notice What an issuer signs.
    /// @param voucher The voucher.
    /// @return Its EIP-712 digest, for this chain and contract.
    function voucherDigest(CertificateVoucher calldata voucher) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VOUCHER_TYPEHASH, voucher)));
    }

    /// @notice The token of a claim.
    /// @param issuer Who certifies: no issuer can use up another's numbers.
    /// @param claimId The issuer's number.
    /// @return `keccak256(abi.encode(issuer, claimId))` as a number.
    function tokenOf(address issuer, bytes32 claimId) public pure returns (uint256) {
        return uint256(keccak256(abi.encode(issuer, claimId)));
    }

    /// @notice ERC-165: ERC-721 with its metadata extension, ERC-5192, and AccessControl with its admin's rules.
    /// @param interfaceId The interface.
    /// @return Whether it is supported.
    function supportsInterface(bytes4 interfaceId)
        public
        view
        override(ERC721, AccessControlDefaultAdminRules)
        returns (bool)
    {
        return interfaceId == type(IERC5192).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev The only place where holders change. Reverts with {CertificateSoulBound} or {CertificateAlreadyRevoked} on
    /// a transfer; a certificate always arrives with its first holder, and always leaves the last one.
    function _update(address to, uint256 tokenId, address auth) internal override returns (address from) {
        from = super._update(to, tokenId, auth);
        if (from == address(0) || to == address(0)) return from;
        if (isSoulBound) revert CertificateSoulBound(tokenId);
        uint256 revokedAt = _certificates[tokenId].revokedAt;
        if (revokedAt != 0) revert CertificateAlreadyRevoked(tokenId, revokedAt);
    }

    /// @dev Where documents are found.
    function _baseURI() internal view override returns (string memory) {
        return _baseUri;
    }

    /// @dev The token of a claim that was never used, or {CertificateClaimUsed}.
    function _unusedToken(address issuer, bytes32 claimId) private view returns (uint256 tokenId) {
        tokenId = tokenOf(issuer, claimId);
        if (_certificates[tokenId].issuer != address(0)) revert CertificateClaimUsed(issuer, claimId);
    }
}
