// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {Duties} from "../../../src/assets/access/Duties.sol";
import {ClaimTrust} from "../../../src/assets/identity/ClaimTrust.sol";
import {IdentityRegistry} from "../../../src/assets/identity/IdentityRegistry.sol";
import {StoredClaim} from "../../../src/assets/identity/RegistryStorage.sol";
import {Claim, SignedClaims} from "../../../src/assets/identity/SignedClaims.sol";
import {RegistrySuite} from "./RegistrySuite.sol";

/// @notice A contract that signs whatever it was told to.
contract SigningContract is IERC1271 {
    bytes32 public digest;
    uint256 public answerBytes = 32;

    function tell(bytes32 digest_, uint256 answerBytes_) external {
        (digest, answerBytes) = (digest_, answerBytes_);
    }

    function isValidSignature(bytes32 asked, bytes calldata) external view returns (bytes4) {
        bytes32 word = asked == digest ? bytes32(IERC1271.isValidSignature.selector) : bytes32(0);
        uint256 size = answerBytes;
        assembly {
            mstore(0, word)
            return(0, size)
        }
    }

    function revoke(IdentityRegistry registry, Claim calldata claim) external {
        registry.revokeClaim(claim);
    }
}

/// @title SignedClaimsTest
/// @notice Claims count if the issuer that is trusted signed them, and no longer than it is trusted and stands by them.
contract SignedClaimsTest is RegistrySuite {
    uint256 private constant FORGER_KEY = 0xf0f0f0;
    uint256 private constant AML = 2;

    function setUp() public override {
        super.setUp();
        requireKyc();
        vm.prank(agent);
        registry.registerIdentity(alice, id(1), 76);
    }

    function test_a_claim_of_the_trusted_issuer_verifies() public {
        assertFalse(registry.isVerified(alice), "not without a claim");
        Claim memory claim = kyc(1);
        registry.addClaim(claim, signed(claim));
        assertTrue(registry.isVerified(alice), "verified");
        StoredClaim memory stored = registry.claimOf(id(1), KYC);
        assertEq(stored.issuer, claimIssuer, "issuer");
        assertEq(stored.digest, registry.claimDigest(claim), "digest");
        assertEq(stored.dataHash, claim.dataHash, "evidence");
        assertEq(stored.endDay, claim.endDay, "end");
    }

    /// The hole of ERC-3643 issue 101: a claim that names its own issuer, with that issuer's valid signature.
    function test_a_claim_signed_by_whom_it_names_is_worth_nothing_unless_that_one_is_trusted() public {
        Claim memory claim = kyc(1);
        claim.issuer = vm.addr(FORGER_KEY);
        refuse(claim, signedBy(claim, FORGER_KEY), untrusted(claim.issuer));
    }

    function test_a_claim_that_names_the_trusted_issuer_needs_its_signature() public {
        Claim memory claim = kyc(1);
        refuse(claim, signedBy(claim, FORGER_KEY), badSignature(claim));
        bytes memory signature = signed(claim);
        claim.endDay += 1;
        refuse(claim, signature, badSignature(claim));
    }

    function test_a_garbled_signature_is_nobody_s() public {
        Claim memory claim = kyc(1);
        bytes memory signature = signed(claim);
        refuse(claim, "", badSignature(claim));
        refuse(claim, abi.encodePacked(signature, hex"00"), badSignature(claim));
        signature[64] = 0x1d;
        refuse(claim, signature, badSignature(claim));
        refuse(claim, malleated(signed(claim)), badSignature(claim));
    }

    /// The other of the two signatures that ecrecover takes.
    function malleated(bytes memory signature) private pure returns (bytes memory) {
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        (bytes32 r, bytes32 s) = (bytes32(0), bytes32(0));
        assembly {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        uint8 v = uint8(signature[64]) == 27 ? 28 : 27;
        return abi.encodePacked(r, bytes32(order - uint256(s)), v);
    }

    function test_a_claim_is_worth_nothing_at_another_registry_or_on_another_chain() public {
        Claim memory claim = kyc(1);
        bytes memory signature = signed(claim);
        IdentityRegistry other = new IdentityRegistry(address(this));
        other.grantRole(Duties.COMPLIANCE, address(this));
        other.addClaimTopic(KYC);
        other.addTrustedIssuer(claimIssuer, topics(KYC));
        bytes32 digest = other.claimDigest(claim);
        expectError(abi.encodeWithSelector(SignedClaims.ClaimSignatureInvalid.selector, claimIssuer, digest));
        other.addClaim(claim, signature);
        assetVm.chainId(4_321);
        refuse(claim, signature, badSignature(claim));
    }

    function test_trust_is_asked_whenever_a_claim_is_used() public {
        Claim memory claim = kyc(1);
        registry.addClaim(claim, signed(claim));
        vm.prank(officer);
        registry.removeTrustedIssuer(claimIssuer);
        assertFalse(registry.isVerified(alice), "not any more");
        vm.prank(officer);
        registry.addTrustedIssuer(claimIssuer, topics(KYC));
        assertFalse(registry.isVerified(alice), "what it signed before its removal stays dead");
        vm.warp(block.timestamp + 1);
        claim = kyc(1);
        registry.addClaim(claim, signed(claim));
        assertTrue(registry.isVerified(alice), "a new claim counts");
    }

    function test_trust_is_by_topic() public {
        vm.startPrank(officer);
        registry.defineClaimTopic(AML);
        Claim memory claim = kyc(1);
        claim.topic = AML;
        vm.stopPrank();
        refuse(claim, signed(claim), untrusted(claimIssuer));
        vm.startPrank(officer);
        registry.updateIssuerClaimTopics(claimIssuer, topics(AML));
        vm.stopPrank();
        registry.addClaim(claim, signed(claim));
        claim = kyc(1);
        refuse(claim, signed(claim), untrusted(claimIssuer));
        assertFalse(registry.isVerified(alice), "KYC is what is required");
        assertTrue(
            !registry.screenOne(alice, 2).isVerified() && registry.claimOf(id(1), AML).endDay != 0,
            "a token may require more, not less"
        );
    }

    function test_a_claim_ends_on_its_day() public {
        Claim memory claim = kyc(1);
        claim.endDay = today() + 1;
        registry.addClaim(claim, signed(claim));
        vm.warp((uint256(today()) + 1) * 1 days - 1);
        assertTrue(registry.isVerified(alice), "in its last second");
        vm.warp(block.timestamp + 1);
        assertFalse(registry.isVerified(alice), "over");
        claim.issuedAt = uint48(block.timestamp);
        refuse(claim, signed(claim), abi.encodeWithSelector(SignedClaims.ClaimEnded.selector, claim.endDay, today()));
    }

    function test_only_a_newer_claim_replaces_one() public {
        Claim memory claim = kyc(1);
        registry.addClaim(claim, signed(claim));
        refuse(claim, signed(claim), badTime(claim.issuedAt, claim.issuedAt));
        Claim memory older = kyc(1);
        older.issuedAt -= 1;
        refuse(older, signed(older), badTime(older.issuedAt, claim.issuedAt));
        Claim memory future = kyc(1);
        future.issuedAt += 1;
        refuse(future, signed(future), badTime(future.issuedAt, claim.issuedAt));
    }

    function test_a_revoked_claim_is_dead_and_so_is_every_older_one() public {
        Claim memory older = kyc(1);
        older.issuedAt -= 10;
        Claim memory claim = kyc(1);
        registry.addClaim(claim, signed(claim));
        vm.prank(claimIssuer);
        registry.revokeClaim(claim);
        assertFalse(registry.isVerified(alice), "revoked");
        assertTrue(registry.isClaimRevoked(claimIssuer, registry.claimDigest(claim)), "and said so");
        refuse(older, signed(older), badTime(older.issuedAt, claim.issuedAt));
        refuse(claim, signed(claim), badTime(claim.issuedAt, claim.issuedAt));
    }

    function test_a_claim_is_revoked_before_anybody_hands_it_in() public {
        Claim memory claim = kyc(1);
        vm.prank(claimIssuer);
        registry.revokeClaim(claim);
        bytes32 digest = registry.claimDigest(claim);
        refuse(claim, signed(claim), abi.encodeWithSelector(SignedClaims.ClaimIsRevoked.selector, digest));
    }

    function test_revoking_an_older_claim_leaves_the_newer_one() public {
        Claim memory older = kyc(1);
        older.issuedAt -= 10;
        registry.addClaim(older, signed(older));
        Claim memory claim = kyc(1);
        registry.addClaim(claim, signed(claim));
        vm.prank(claimIssuer);
        registry.revokeClaim(older);
        assertTrue(registry.isVerified(alice), "the newer claim stands");
    }

    function test_only_the_issuer_revokes() public {
        Claim memory claim = kyc(1);
        expectError(abi.encodeWithSelector(SignedClaims.ClaimNotIssuer.selector, alice, claimIssuer));
        vm.prank(alice);
        registry.revokeClaim(claim);
        claim.topic = 77;
        expectError(abi.encodeWithSelector(ClaimTrust.ClaimTopicUnknown.selector, 77));
        vm.prank(claimIssuer);
        registry.revokeClaim(claim);
    }

    function test_a_contract_is_an_issuer_by_erc_1271() public {
        SigningContract signer = new SigningContract();
        vm.prank(officer);
        registry.addTrustedIssuer(address(signer), topics(KYC));
        Claim memory claim = kyc(1);
        claim.issuer = address(signer);
        refuse(claim, "", badSignature(claim));
        bytes32 digest = registry.claimDigest(claim);
        signer.tell(digest, 4);
        refuse(claim, "", badSignature(claim));
        signer.tell(digest, 32);
        registry.addClaim(claim, "");
        assertTrue(registry.isVerified(alice), "verified");
        signer.revoke(registry, claim);
        assertFalse(registry.isVerified(alice), "revoked");
    }

    function test_claims_wait_for_the_identity() public {
        Claim memory claim = kyc(2);
        registry.addClaim(claim, signed(claim));
        vm.prank(agent);
        registry.registerIdentity(bob, id(2), 76);
        assertTrue(registry.isVerified(bob), "the claim was there first");
        vm.prank(agent);
        registry.deleteIdentity(bob);
        assertFalse(registry.isVerified(bob), "removed");
    }

    function test_what_a_token_requires_beside_the_registry() public {
        Claim memory claim = kyc(1);
        registry.addClaim(claim, signed(claim));
        vm.prank(officer);
        uint256 index = registry.defineClaimTopic(AML);
        uint8 set = uint8(1 << index);
        assertFalse(registry.screenOne(alice, set).isVerified(), "no claim on the topic");
        vm.prank(officer);
        registry.updateIssuerClaimTopics(claimIssuer, both());
        claim.topic = AML;
        registry.addClaim(claim, signed(claim));
        assertTrue(registry.screenOne(alice, set).isVerified(), "both");
        assertFalse(registry.screenOne(alice, 0x80).isVerified(), "a topic that does not exist is covered by nobody");
    }

    function both() private pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (KYC, AML);
    }

    function test_topics_and_issuers_are_listed() public {
        vm.startPrank(officer);
        registry.defineClaimTopic(AML);
        registry.addTrustedIssuer(bob, both());
        vm.stopPrank();
        assertEq(registry.knownClaimTopics().length, 2, "known");
        assertEq(registry.getClaimTopics().length, 1, "required");
        assertEq(registry.getTrustedIssuers().length, 2, "trusted");
        assertEq(registry.getTrustedIssuersForClaimTopic(AML)[0], bob, "on AML");
        assertEq(registry.getTrustedIssuerClaimTopics(bob)[1], AML, "of bob");
        assertTrue(registry.hasClaimTopic(bob, AML) && !registry.hasClaimTopic(claimIssuer, AML), "by topic");
        assertFalse(registry.hasClaimTopic(carol, AML), "nobody");
        assertTrue(registry.isTrustedIssuer(bob) && !registry.isTrustedIssuer(carol), "trusted at all");
        vm.prank(officer);
        registry.removeClaimTopic(KYC);
        assertTrue(registry.isVerified(alice), "nothing is required any more");
    }

    function test_what_cannot_be_trusted() public {
        vm.startPrank(officer);
        expectError(abi.encodeWithSelector(ClaimTrust.ClaimIssuerTrusted.selector, claimIssuer));
        registry.addTrustedIssuer(claimIssuer, topics(KYC));
        expectError(abi.encodeWithSelector(ClaimTrust.ClaimIssuerInvalid.selector, address(0)));
        registry.addTrustedIssuer(address(0), topics(KYC));
        expectError(abi.encodeWithSelector(ClaimTrust.ClaimIssuerInvalid.selector, bob));
        registry.addTrustedIssuer(bob, new uint256[](0));
        expectError(abi.encodeWithSelector(ClaimTrust.ClaimTopicUnknown.selector, 77));
        registry.addTrustedIssuer(bob, topics(77));
        expectError(untrusted(bob));
        registry.removeTrustedIssuer(bob);
        expectError(untrusted(bob));
        registry.updateIssuerClaimTopics(bob, topics(KYC));
        expectError(abi.encodeWithSelector(ClaimTrust.ClaimTopicUnchanged.selector, KYC));
        registry.addClaimTopic(KYC);
        expectError(abi.encodeWithSelector(ClaimTrust.ClaimTopicUnknown.selector, 77));
        registry.removeClaimTopic(77);
        registry.defineClaimTopic(AML);
        expectError(abi.encodeWithSelector(ClaimTrust.ClaimTopicUnchanged.selector, AML));
        registry.removeClaimTopic(AML);
        vm.stopPrank();
        expectError(untrusted(bob));
        registry.getTrustedIssuerClaimTopics(bob);
    }

    function test_topics_and_issuers_are_bounded() public {
        vm.startPrank(officer);
        for (uint256 i = 2; i <= 7; ++i) {
            registry.defineClaimTopic(i);
        }
        expectError(abi.encodeWithSelector(ClaimTrust.ClaimTrustFull.selector, 7, 7));
        registry.addClaimTopic(8);
        for (uint256 i = 2; i <= 255; ++i) {
            registry.addTrustedIssuer(address(uint160(i)), topics(KYC));
        }
        expectError(abi.encodeWithSelector(ClaimTrust.ClaimTrustFull.selector, 255, 255));
        registry.addTrustedIssuer(address(uint160(256)), topics(KYC));
        vm.stopPrank();
        assertTrue(registry.hasClaimTopic(address(uint160(255)), KYC), "the last place");
        assertEq(registry.getClaimTopics().length, 1, "the required set is nobody's");
    }

    function test_only_compliance_changes_topics_and_issuers() public {
        bytes memory missing = missingRole(agent, Duties.COMPLIANCE);
        bytes[6] memory calls = [
            abi.encodeCall(registry.defineClaimTopic, (5)),
            abi.encodeCall(registry.addClaimTopic, (5)),
            abi.encodeCall(registry.removeClaimTopic, (KYC)),
            abi.encodeCall(registry.addTrustedIssuer, (bob, topics(KYC))),
            abi.encodeCall(registry.removeTrustedIssuer, (claimIssuer)),
            abi.encodeCall(registry.updateIssuerClaimTopics, (claimIssuer, topics(KYC)))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            assertRefused(agent, address(registry), calls[i], missing);
        }
    }

    function test_the_domain_is_this_registry_s() public view {
        (bytes1 fields, string memory name,, uint256 chainId, address contract_,,) = registry.eip712Domain();
        assertEq(uint8(fields), 0x0f, "fields");
        assertEq(name, "Lastro Identity Registry", "name");
        assertEq(chainId, block.chainid, "chain");
        assertEq(contract_, address(registry), "contract");
    }

    function testFuzz_no_other_key_signs_for_the_issuer(uint256 key, Claim memory claim) public {
        key = bound(key, 1, 1 << 250);
        vm.assume(key != ISSUER_KEY);
        (claim.topic, claim.issuer) = (KYC, claimIssuer);
        claim.issuedAt = uint48(bound(claim.issuedAt, 1, block.timestamp));
        claim.endDay = uint16(bound(claim.endDay, today() + 1, type(uint16).max));
        refuse(claim, signedBy(claim, key), badSignature(claim));
    }

    function refuse(Claim memory claim, bytes memory signature, bytes memory revertData) private {
        expectError(revertData);
        registry.addClaim(claim, signature);
    }

    function untrusted(address issuer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ClaimTrust.ClaimIssuerNotTrusted.selector, issuer);
    }

    function badSignature(Claim memory claim) private view returns (bytes memory) {
        bytes32 digest = registry.claimDigest(claim);
        return abi.encodeWithSelector(SignedClaims.ClaimSignatureInvalid.selector, claim.issuer, digest);
    }

    function badTime(uint48 issuedAt, uint48 last) private view returns (bytes memory) {
        return abi.encodeWithSelector(SignedClaims.ClaimTimeInvalid.selector, issuedAt, last, block.timestamp);
    }
}
