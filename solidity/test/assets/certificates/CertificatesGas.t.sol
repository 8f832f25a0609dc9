// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CertificateVoucher} from "../../../src/assets/certificates/CertificateTypes.sol";
import {Certificates} from "../../../src/assets/certificates/Certificates.sol";
import {Test} from "../../base/Test.sol";
import {SigningVm} from "../settlement/SigningVm.sol";

/// @title CertificatesGasTest
/// @notice Gas of whole transactions of certificates, as a receipt shows it.
contract CertificatesGasTest is Test {
    SigningVm private constant signing = SigningVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function test_a_certificate_from_claim_to_revocation() public {
        address issuer = vm.addr(0x155);
        address admin = wallet("admin");
        address holder = wallet("holder");
        Certificates certificates = new Certificates("Certificate", "CRT", "", true, 0, admin);
        vm.startPrank(admin);
        certificates.grantRole(certificates.ISSUER_ROLE(), issuer);
        vm.stopPrank();
        CertificateVoucher memory voucher =
            CertificateVoucher(issuer, holder, keccak256("claim"), keccak256("document"), 1_788_264_000);
        (uint8 v, bytes32 r, bytes32 s) = signing.sign(0x155, certificates.voucherDigest(voucher));
        vm.prank(holder);
        uint256 tokenId = certificates.claim(voucher, abi.encodePacked(r, s, v));
        vm.snapshotGasLastCall("certificates", "claim");
        vm.prank(issuer);
        certificates.revoke(tokenId, "the document was withdrawn");
        vm.snapshotGasLastCall("certificates", "revoke");
    }
}
