// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What an issuer signs: one certificate for one holder.
struct CertificateVoucher {
    /// Who signs; has ISSUER_ROLE when the certificate is claimed.
    address issuer;
    /// Who may claim, and receives.
    address holder;
    /// The issuer's number of the fact that is certified; certified once.
    bytes32 claimId;
    /// Hash of the certificate's document.
    bytes32 metadataHash;
    /// Last second in which it can be claimed, since 1970.
    uint64 deadline;
}

/// @notice All that is kept of a certificate, beside its holder.
struct Certificate {
    /// Who signed its voucher.
    address issuer;
    /// When it was claimed, in seconds since 1970; zero if it never was, or if the voucher was cancelled.
    uint48 issuedAt;
    /// When it was revoked, or its voucher cancelled, in seconds since 1970; zero if not.
    uint48 revokedAt;
    /// Hash of its document.
    bytes32 metadataHash;
}
