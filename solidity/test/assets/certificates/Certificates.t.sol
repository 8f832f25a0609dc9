// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Certificate, CertificateVoucher} from "../../../src/assets/certificates/CertificateTypes.sol";
import {Certificates} from "../../../src/assets/certificates/Certificates.sol";
import {IERC5192} from "../../../src/assets/certificates/IERC5192.sol";
import {Test} from "../../base/Test.sol";
import {SigningVm} from "../settlement/SigningVm.sol";
import {ContractWallet} from "../settlement/Wallets.sol";

contract CertificatesTest is Test {
    SigningVm private constant signing = SigningVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// Time of the first block: 2026-09-01 12:00 in UTC.
    uint256 private constant NOW = 1_788_264_000;
    uint64 private constant DEADLINE = uint64(NOW + 1 hours);
    uint256 private constant ISSUER_KEY = 0x155;
    uint256 private constant OTHER_KEY = 0x0D;
    bytes32 private constant CLAIM = keccak256("deposit 2026/0042");

    address private immutable issuer = vm.addr(ISSUER_KEY);
    address private immutable admin = wallet("admin");
    address private immutable revoker = wallet("revoker");
    address private immutable holder = wallet("holder");
    address private immutable stranger = wallet("stranger");

    Certificates private bound_;
    Certificates private free;

    function setUp() public {
        vm.warp(NOW);
        bound_ = deploy(true);
        free = deploy(false);
    }

    function deploy(bool isSoulBound) private returns (Certificates certificates) {
        certificates =
            new Certificates("Certificate", "CRT", "https://certificates.example/", isSoulBound, 2 days, admin);
        vm.startPrank(admin);
        certificates.grantRole(certificates.ISSUER_ROLE(), issuer);
        certificates.grantRole(certificates.REVOKER_ROLE(), revoker);
        vm.stopPrank();
    }

    function voucher() private view returns (CertificateVoucher memory) {
        return CertificateVoucher(issuer, holder, CLAIM, keccak256("document"), DEADLINE);
    }

    function sign(uint256 key, Certificates certificates, CertificateVoucher memory voucher_)
        private
        view
        returns (bytes memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = signing.sign(key, certificates.voucherDigest(voucher_));
        return abi.encodePacked(r, s, v);
    }

    function claim(Certificates certificates) private returns (uint256) {
        CertificateVoucher memory voucher_ = voucher();
        bytes memory signature = sign(ISSUER_KEY, certificates, voucher_);
        vm.prank(holder);
        return certificates.claim(voucher_, signature);
    }

    function assertClaimRefused(CertificateVoucher memory voucher_, bytes memory signature, bytes memory revertData)
        private
    {
        assertRefused(voucher_.holder, address(free), abi.encodeCall(free.claim, (voucher_, signature)), revertData);
    }

    // Claims.

    function test_a_holder_claims_what_the_issuer_signed() public {
        for (uint256 i = 0; i < 2; ++i) {
            Certificates certificates = i == 0 ? bound_ : free;
            CertificateVoucher memory voucher_ = voucher();
            bytes memory signature = sign(ISSUER_KEY, certificates, voucher_);
            uint256 tokenId = certificates.tokenOf(issuer, CLAIM);
            vm.expectEmit(address(certificates));
            emit Certificates.CertificateIssued(tokenId, issuer, holder, CLAIM, voucher_.metadataHash);
            vm.expectEmit(address(certificates));
            if (i == 0) emit IERC5192.Locked(tokenId);
            else emit IERC5192.Unlocked(tokenId);
            vm.prank(holder);
            assertEq(certificates.claim(voucher_, signature), tokenId, "token");
            assertEq(certificates.ownerOf(tokenId), holder, "holder");
            assertTrue(certificates.isValid(tokenId), "valid");
            assertTrue(certificates.locked(tokenId) == (i == 0), "locked");
            Certificate memory certificate = certificates.getCertificate(tokenId);
            assertEq(certificate.issuer, issuer, "issuer");
            assertEq(certificate.issuedAt, NOW, "issued");
            assertEq(certificate.revokedAt, 0, "revoked");
            assertEq(certificate.metadataHash, voucher_.metadataHash, "document");
        }
    }

    function test_only_the_holder_claims() public {
        CertificateVoucher memory voucher_ = voucher();
        bytes memory signature = sign(ISSUER_KEY, free, voucher_);
        assertRefused(
            stranger,
            address(free),
            abi.encodeCall(free.claim, (voucher_, signature)),
            abi.encodeWithSelector(Certificates.CertificateNotForCaller.selector, stranger, holder)
        );
    }

    function test_the_deadline_is_the_last_second() public {
        bytes memory signature = sign(ISSUER_KEY, free, voucher());
        vm.warp(DEADLINE + 1);
        assertClaimRefused(
            voucher(),
            signature,
            abi.encodeWithSelector(Certificates.CertificateVoucherExpired.selector, DEADLINE, DEADLINE + 1)
        );
        vm.warp(DEADLINE);
        claim(free);
    }

    function test_a_claim_is_certified_once_also_after_revocation_or_discarding() public {
        uint256 tokenId = claim(free);
        bytes memory used = abi.encodeWithSelector(Certificates.CertificateClaimUsed.selector, issuer, CLAIM);
        CertificateVoucher memory again = voucher();
        again.metadataHash = keccak256("another document");
        bytes memory signature = sign(ISSUER_KEY, free, again);
        assertClaimRefused(again, signature, used);
        vm.prank(revoker);
        free.revoke(tokenId, "error");
        assertClaimRefused(again, signature, used);
        vm.prank(holder);
        free.discard(tokenId);
        assertClaimRefused(again, signature, used);
    }

    function test_issuers_do_not_use_up_each_other_s_claims() public {
        address second = vm.addr(OTHER_KEY);
        vm.startPrank(admin);
        free.grantRole(free.ISSUER_ROLE(), second);
        vm.stopPrank();
        uint256 first = claim(free);
        CertificateVoucher memory voucher_ = voucher();
        voucher_.issuer = second;
        bytes memory signature = sign(OTHER_KEY, free, voucher_);
        vm.prank(holder);
        assertTrue(free.claim(voucher_, signature) != first, "two certificates");
    }

    function test_a_voucher_counts_while_its_issuer_has_the_role() public {
        bytes memory signature = sign(ISSUER_KEY, free, voucher());
        vm.startPrank(admin);
        free.revokeRole(free.ISSUER_ROLE(), issuer);
        vm.stopPrank();
        assertClaimRefused(voucher(), signature, missingRole(issuer, free.ISSUER_ROLE()));
    }

    function test_other_signatures_are_none() public {
        CertificateVoucher memory voucher_ = voucher();
        bytes memory invalid = abi.encodeWithSelector(Certificates.CertificateSignatureInvalid.selector, issuer);
        assertClaimRefused(voucher_, sign(OTHER_KEY, free, voucher_), invalid);
        assertClaimRefused(voucher_, sign(ISSUER_KEY, bound_, voucher_), invalid);
        assertClaimRefused(voucher_, "", invalid);
        bytes memory signature = sign(ISSUER_KEY, free, voucher_);
        for (uint256 i = 0; i < 3; ++i) {
            CertificateVoucher memory changed = voucher();
            if (i == 0) changed.holder = stranger;
            if (i == 1) changed.metadataHash = keccak256("another document");
            if (i == 2) changed.deadline += 1;
            assertClaimRefused(changed, signature, invalid);
        }
        uint256 chainId = block.chainid;
        signing.chainId(chainId + 1);
        assertClaimRefused(voucher_, signature, invalid);
        signing.chainId(chainId);
        claim(free);
    }

    function test_an_issuer_may_be_a_contract() public {
        ContractWallet office = new ContractWallet(issuer);
        vm.startPrank(admin);
        free.grantRole(free.ISSUER_ROLE(), address(office));
        vm.stopPrank();
        CertificateVoucher memory voucher_ = voucher();
        voucher_.issuer = address(office);
        assertClaimRefused(
            voucher_,
            sign(OTHER_KEY, free, voucher_),
            abi.encodeWithSelector(Certificates.CertificateSignatureInvalid.selector, address(office))
        );
        bytes memory signature = sign(ISSUER_KEY, free, voucher_);
        vm.prank(holder);
        free.claim(voucher_, signature);
    }

    function test_an_issuer_cancels_a_voucher_of_its_own() public {
        bytes memory signature = sign(ISSUER_KEY, free, voucher());
        uint256 tokenId = free.tokenOf(issuer, CLAIM);
        vm.prank(stranger);
        free.cancelVoucher(CLAIM);
        vm.expectEmit(address(free));
        emit Certificates.CertificateVoucherCancelled(tokenId, issuer, CLAIM);
        vm.prank(issuer);
        free.cancelVoucher(CLAIM);
        bytes memory used = abi.encodeWithSelector(Certificates.CertificateClaimUsed.selector, issuer, CLAIM);
        assertClaimRefused(voucher(), signature, used);
        assertRefused(issuer, address(free), abi.encodeCall(free.cancelVoucher, (CLAIM)), used);
        assertFalse(free.isValid(tokenId), "no certificate");
        assertEq(free.getCertificate(tokenId).issuedAt, 0, "never issued");
    }

    function test_a_wallet_that_takes_no_certificates_gets_none_and_one_that_calls_back_gets_one() public {
        ContractWallet account = new ContractWallet(holder);
        CertificateVoucher memory voucher_ = voucher();
        voucher_.holder = address(account);
        bytes memory signature = sign(ISSUER_KEY, free, voucher_);
        bytes memory call = abi.encodeCall(free.claim, (voucher_, signature));
        account.refuse(true);
        assertRefused(
            stranger,
            address(account),
            abi.encodeCall(account.run, (address(free), call)),
            abi.encodeWithSignature("Error(string)", "not now")
        );
        account.refuse(false);
        account.plan(address(free), call);
        account.run(address(free), call);
        assertFalse(account.wasAnswered(), "refused from within");
        assertEq(bytes4(account.answer()), Certificates.CertificateClaimUsed.selector, "the claim was used");
        assertEq(free.balanceOf(address(account)), 1, "one");
    }

    // Transfers.

    function test_a_soul_bound_certificate_stays_with_its_holder_by_every_way() public {
        uint256 tokenId = claim(bound_);
        vm.prank(holder);
        bound_.approve(stranger, tokenId);
        bytes memory stays = abi.encodeWithSelector(Certificates.CertificateSoulBound.selector, tokenId);
        address[2] memory callers = [holder, stranger];
        for (uint256 i = 0; i < 2; ++i) {
            assertRefused(
                callers[i], address(bound_), abi.encodeCall(bound_.transferFrom, (holder, stranger, tokenId)), stays
            );
            assertRefused(
                callers[i],
                address(bound_),
                abi.encodeWithSignature("safeTransferFrom(address,address,uint256)", holder, stranger, tokenId),
                stays
            );
        }
    }

    function test_a_free_certificate_moves_until_it_is_revoked() public {
        uint256 tokenId = claim(free);
        vm.prank(holder);
        free.transferFrom(holder, stranger, tokenId);
        vm.prank(revoker);
        free.revoke(tokenId, "error");
        assertRefused(
            stranger,
            address(free),
            abi.encodeCall(free.transferFrom, (stranger, holder, tokenId)),
            abi.encodeWithSelector(Certificates.CertificateAlreadyRevoked.selector, tokenId, NOW)
        );
    }

    function test_a_holder_discards_its_own() public {
        uint256 tokenId = claim(bound_);
        assertRefused(
            stranger,
            address(bound_),
            abi.encodeCall(bound_.discard, (tokenId)),
            abi.encodeWithSelector(Certificates.CertificateNotHeld.selector, tokenId, stranger, holder)
        );
        vm.expectEmit(address(bound_));
        emit Certificates.CertificateDiscarded(tokenId, holder);
        vm.prank(holder);
        bound_.discard(tokenId);
        assertFalse(bound_.isValid(tokenId), "gone");
        bytes memory gone = abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, tokenId);
        assertRefused(holder, address(bound_), abi.encodeCall(bound_.discard, (tokenId)), gone);
        assertRefused(holder, address(bound_), abi.encodeCall(bound_.locked, (tokenId)), gone);
        assertRefused(revoker, address(bound_), abi.encodeCall(bound_.revoke, (tokenId, "late")), gone);
    }

    // Revocation.

    function test_issuer_and_revoker_revoke_with_a_reason() public {
        for (uint256 i = 0; i < 2; ++i) {
            Certificates certificates = i == 0 ? bound_ : free;
            address caller = i == 0 ? issuer : revoker;
            uint256 tokenId = claim(certificates);
            vm.warp(NOW + 5);
            vm.expectEmit(address(certificates));
            emit Certificates.CertificateRevoked(tokenId, caller, "document was withdrawn");
            vm.prank(caller);
            certificates.revoke(tokenId, "document was withdrawn");
            assertFalse(certificates.isValid(tokenId), "not valid");
            assertEq(certificates.ownerOf(tokenId), holder, "still held");
            assertEq(certificates.getCertificate(tokenId).revokedAt, NOW + 5, "when");
            assertRefused(
                revoker,
                address(certificates),
                abi.encodeCall(certificates.revoke, (tokenId, "again")),
                abi.encodeWithSelector(Certificates.CertificateAlreadyRevoked.selector, tokenId, NOW + 5)
            );
            vm.warp(NOW);
        }
    }

    function test_others_do_not_revoke() public {
        uint256 tokenId = claim(free);
        address second = vm.addr(OTHER_KEY);
        vm.startPrank(admin);
        free.grantRole(free.ISSUER_ROLE(), second);
        free.revokeRole(free.ISSUER_ROLE(), issuer);
        vm.stopPrank();
        address[4] memory callers = [stranger, holder, second, issuer];
        for (uint256 i = 0; i < 4; ++i) {
            assertRefused(
                callers[i],
                address(free),
                abi.encodeCall(free.revoke, (tokenId, "because")),
                abi.encodeWithSelector(Certificates.CertificateNotRevocableBy.selector, tokenId, callers[i], issuer)
            );
        }
    }

    function test_a_reason_is_given_and_bounded() public {
        uint256 tokenId = claim(free);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 length = i == 0 ? 0 : 513;
            assertRefused(
                revoker,
                address(free),
                abi.encodeCall(free.revoke, (tokenId, string(new bytes(length)))),
                abi.encodeWithSelector(Certificates.CertificateReasonInvalid.selector, length, 512)
            );
        }
        vm.prank(revoker);
        free.revoke(tokenId, string(new bytes(512)));
    }

    // Face.

    function test_the_contract_says_what_it_is() public {
        assertTrue(bound_.supportsInterface(0xb45a3c0e), "ERC-5192");
        assertTrue(bound_.supportsInterface(0x80ac58cd), "ERC-721");
        assertTrue(bound_.supportsInterface(0x5b5e139f), "ERC-721 metadata");
        assertTrue(
            bound_.supportsInterface(type(IAccessControlDefaultAdminRules).interfaceId), "AccessControl, admin's rules"
        );
        assertFalse(bound_.supportsInterface(0xffffffff), "no interface");
        uint256 tokenId = claim(free);
        assertTrue(bytes(free.tokenURI(tokenId)).length > bytes("https://certificates.example/").length, "URI");
    }

    function test_the_admin_s_role_moves_in_two_steps_after_a_delay() public {
        vm.prank(admin);
        free.beginDefaultAdminTransfer(stranger);
        assertRefused(
            stranger,
            address(free),
            abi.encodeCall(free.acceptDefaultAdminTransfer, ()),
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, NOW + 2 days
            )
        );
        vm.warp(NOW + 2 days + 1);
        vm.prank(stranger);
        free.acceptDefaultAdminTransfer();
        assertEq(free.defaultAdmin(), stranger, "admin");
        assertFalse(free.hasRole(0x00, admin), "the old one is out");
    }

    function test_the_digest_is_that_of_EIP_712() public view {
        CertificateVoucher memory voucher_ = voucher();
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "CertificateVoucher(address issuer,address holder,bytes32 claimId,"
                    "bytes32 metadataHash,uint64 deadline)"
                ),
                voucher_.issuer,
                voucher_.holder,
                voucher_.claimId,
                voucher_.metadataHash,
                voucher_.deadline
            )
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("LastroCertificates"),
                keccak256("1"),
                block.chainid,
                address(free)
            )
        );
        assertEq(free.voucherDigest(voucher_), keccak256(bytes.concat("\x19\x01", domain, structHash)), "digest");
    }

    function testFuzz_only_the_exact_voucher_is_certified(uint256 key, bytes32 claimId, uint64 deadline) public {
        key = key % 2 == 0 ? ISSUER_KEY : bound(key, 1, type(uint128).max);
        CertificateVoucher memory voucher_ = voucher();
        (voucher_.claimId, voucher_.deadline) = (claimId, deadline);
        bytes memory signature = sign(key, free, voucher_);
        bool isFit = vm.addr(key) == issuer && deadline >= NOW;
        vm.prank(holder);
        (bool answered,) = address(free).call(abi.encodeCall(free.claim, (voucher_, signature)));
        assertTrue(answered == isFit, "certified exactly if it fits");
    }
}
