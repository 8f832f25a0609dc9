// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {IdentityRegistry} from "../../../src/assets/identity/IdentityRegistry.sol";
import {Claim} from "../../../src/assets/identity/SignedClaims.sol";
import {Test} from "../../base/Test.sol";
import {AssetVm} from "../access/AssetVm.sol";

/// @title RegistrySuite
/// @notice A registry with one person per duty and the key of an issuer of claims.
abstract contract RegistrySuite is Test {
    AssetVm internal constant assetVm = AssetVm(address(vm));

    uint256 internal constant KYC = 1;
    uint256 internal constant ISSUER_KEY = 0x1550e5;

    address internal immutable admin = wallet("admin");
    address internal immutable agent = wallet("agent");
    address internal immutable officer = wallet("compliance officer");
    address internal immutable alice = wallet("alice");
    address internal immutable bob = wallet("bob");
    address internal immutable carol = wallet("carol");
    address internal claimIssuer;

    IdentityRegistry internal registry;

    function setUp() public virtual {
        vm.warp(1_788_274_800);
        claimIssuer = vm.addr(ISSUER_KEY);
        registry = new IdentityRegistry(admin);
        vm.startPrank(admin);
        registry.grantRole(Duties.AGENT, agent);
        registry.grantRole(Duties.COMPLIANCE, officer);
        vm.stopPrank();
    }

    /// @dev The suite's issuer is trusted on KYC, and KYC is required.
    function requireKyc() internal {
        vm.startPrank(officer);
        registry.addClaimTopic(KYC);
        registry.addTrustedIssuer(claimIssuer, topics(KYC));
        vm.stopPrank();
    }

    function enterWithKyc(address account, uint256 number) internal {
        vm.prank(agent);
        registry.registerIdentity(account, id(number), 76);
        Claim memory claim = kyc(number);
        registry.addClaim(claim, signed(claim));
    }

    /// @dev A claim of the suite's issuer on KYC, for a year.
    function kyc(uint256 number) internal view returns (Claim memory) {
        return Claim(id(number), KYC, keccak256("file"), uint48(block.timestamp), today() + 365, claimIssuer);
    }

    function signed(Claim memory claim) internal view returns (bytes memory) {
        return signedBy(claim, ISSUER_KEY);
    }

    function signedBy(Claim memory claim, uint256 key) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = assetVm.sign(key, registry.claimDigest(claim));
        return abi.encodePacked(r, s, v);
    }

    function topics(uint256 topic) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = topic;
    }

    function id(uint256 number) internal pure returns (address) {
        return address(uint160(0x1D00000000 + number));
    }

    function today() internal view returns (uint16) {
        return uint16(block.timestamp / 1 days);
    }
}
