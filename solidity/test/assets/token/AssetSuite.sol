// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

import {Duties} from "../../../src/assets/access/Duties.sol";
import {DutyRoles} from "../../../src/assets/access/DutyRoles.sol";
import {ComplianceRules} from "../../../src/assets/compliance/ComplianceRules.sol";
import {ITransferRules} from "../../../src/assets/compliance/ITransferRules.sol";
import {Rule, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {CountryRule} from "../../../src/assets/compliance/rules/CountryRule.sol";
import {InvestorClass} from "../../../src/assets/identity/Identity.sol";
import {IdentityRegistry} from "../../../src/assets/identity/IdentityRegistry.sol";
import {Claim} from "../../../src/assets/identity/SignedClaims.sol";
import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {RegulatedToken, TokenTerms} from "../../../src/assets/token/RegulatedToken.sol";
import {RegulatedTokenOperations} from "../../../src/assets/token/RegulatedTokenOperations.sol";
import {Test} from "../../base/Test.sol";
import {AssetVm} from "../access/AssetVm.sol";

/// @title AssetSuite
/// @notice A registry, rules and a token, one person per duty, and investors who are verified by a trusted issuer.
abstract contract AssetSuite is Test {
    AssetVm internal constant assetVm = AssetVm(address(vm));

    /// 2026-09-01 15:00 in UTC, 12:00 in Brasília; a Tuesday.
    uint256 internal constant NOW = 1_788_274_800;
    uint256 internal constant KYC = 1;
    uint256 internal constant ISSUER_KEY = 0x1550e5;
    uint16 internal constant BRAZIL = 76;
    uint16 internal constant CUBA = 192;
    /// Balances that the suite begins with.
    uint256 internal constant ALICE_UNITS = 1_000_000;
    uint256 internal constant BOB_UNITS = 500_000;

    address internal immutable admin = wallet("admin");
    address internal immutable issuer = wallet("issuer");
    address internal immutable agent = wallet("agent");
    address internal immutable officer = wallet("compliance officer");
    address internal immutable treasurer = wallet("treasurer");
    address internal immutable auditor = wallet("auditor");
    address internal immutable upgrader = wallet("upgrader");
    address internal immutable notary = wallet("notary");
    address internal immutable alice = wallet("alice");
    address internal immutable bob = wallet("bob");
    address internal immutable carol = wallet("carol");
    address internal immutable dave = wallet("dave");
    address internal immutable stranger = wallet("stranger");
    address internal claimIssuer;

    IdentityRegistry internal registry;
    ComplianceRules internal rules;
    IRegulatedToken internal token;

    function setUp() public virtual {
        vm.warp(NOW);
        claimIssuer = vm.addr(ISSUER_KEY);
        registry = new IdentityRegistry(admin);
        grantDuties(address(registry));
        requireClaims();
        token = deployToken(tokenTerms(admin));
        rules = deployRules(0, startRules());
        bindRules(token, rules);
        enter(alice, 1);
        enter(bob, 2);
        vm.startPrank(issuer);
        token.mint(alice, ALICE_UNITS);
        token.mint(bob, BOB_UNITS);
        vm.stopPrank();
    }

    /// @dev The four rules of the typical asset; a suite may begin with others.
    function startRules() internal virtual returns (Rule[] memory list) {
        list = new Rule[](4);
        uint16[] memory denied = new uint16[](1);
        denied[0] = CUBA;
        list[0] = Rule(RuleKind.Country, CountryRule.encode(denied, true));
        list[1] = rule(RuleKind.InvestorClass, 0x0e);
        list[2] = rule(RuleKind.BalanceMax, 10_000_000);
        list[3] = Rule(RuleKind.HolderCount, new uint256[](2));
        list[3].words[0] = 100;
    }

    function tokenTerms(address admin_) internal view returns (TokenTerms memory) {
        return TokenTerms({
            admin: admin_,
            registry: address(registry),
            requiredTopics: 0,
            decimals: 2,
            name: "Debenture Lastro 2030",
            symbol: "LAST30",
            onchainID: address(0)
        });
    }

    /// @dev A plain token with everyone in duty.
    function deployToken(TokenTerms memory terms) internal returns (IRegulatedToken deployed) {
        address operations = address(new RegulatedTokenOperations());
        deployed = IRegulatedToken(address(new RegulatedToken(terms, operations)));
        grantDuties(address(deployed));
    }

    /// @dev A token behind a proxy with everyone in duty.
    function deployProxiedToken() internal returns (IRegulatedToken deployed) {
        address operations = address(new RegulatedTokenOperations());
        address implementation = address(new RegulatedToken(tokenTerms(address(0)), operations));
        bytes memory call = abi.encodeCall(RegulatedToken.initialize, (tokenTerms(admin)));
        deployed = IRegulatedToken(address(new ERC1967Proxy(implementation, call)));
        grantDuties(address(deployed));
    }

    function deployRules(uint48 noticeSeconds, Rule[] memory list) internal returns (ComplianceRules deployed) {
        deployed = new ComplianceRules(admin, noticeSeconds, list);
        grantDuties(address(deployed));
    }

    function bindRules(IRegulatedToken to, ComplianceRules newRules) internal {
        vm.startPrank(officer);
        newRules.bindToken(address(to));
        to.setCompliance(address(newRules));
        vm.stopPrank();
    }

    function grantDuties(address target) internal {
        DutyRoles roles = DutyRoles(target);
        vm.startPrank(admin);
        roles.grantRole(Duties.ISSUER, issuer);
        roles.grantRole(Duties.AGENT, agent);
        roles.grantRole(Duties.COMPLIANCE, officer);
        roles.grantRole(Duties.TREASURY, treasurer);
        roles.grantRole(Duties.AUDITOR, auditor);
        roles.grantRole(Duties.UPGRADER, upgrader);
        roles.grantRole(Duties.NOTARY, notary);
        vm.stopPrank();
    }

    function requireClaims() internal {
        uint256[] memory topics = new uint256[](1);
        topics[0] = KYC;
        vm.startPrank(officer);
        registry.addClaimTopic(KYC);
        registry.addTrustedIssuer(claimIssuer, topics);
        vm.stopPrank();
    }

    /// @dev Registers a wallet as a Brazilian qualified investor for ten years and gives it a claim for one year.
    function enter(address account, uint256 number) internal {
        enterAs(account, number, BRAZIL, InvestorClass.Qualified);
    }

    function enterAs(address account, uint256 number, uint16 country, InvestorClass class) internal {
        vm.prank(agent);
        registry.registerInvestor(account, identityOf(number), country, class, today() + 3_650);
        attest(identityOf(number), KYC, today() + 365);
    }

    /// @dev Hands in a claim of the suite's trusted issuer.
    function attest(address identity, uint256 topic, uint16 endDay) internal {
        Claim memory claim = Claim(identity, topic, keccak256("evidence"), uint48(block.timestamp), endDay, claimIssuer);
        registry.addClaim(claim, signClaim(claim, ISSUER_KEY));
    }

    function signClaim(Claim memory claim, uint256 key) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = assetVm.sign(key, registry.claimDigest(claim));
        return abi.encodePacked(r, s, v);
    }

    function identityOf(uint256 number) internal pure returns (address) {
        return address(uint160(0x1D00000000 + number));
    }

    function today() internal view returns (uint16) {
        return uint16(block.timestamp / 1 days);
    }

    function rule(RuleKind kind, uint256 word) internal pure returns (Rule memory) {
        uint256[] memory words = new uint256[](1);
        words[0] = word;
        return Rule(kind, words);
    }

    function one(Rule memory only) internal pure returns (Rule[] memory list) {
        list = new Rule[](1);
        list[0] = only;
    }

    /// @dev New rules in force at once: the suite's notice is zero.
    function setRules(Rule[] memory list) internal {
        vm.prank(officer);
        rules.scheduleRules(list, uint48(block.timestamp));
    }

    function transfer(address from, address to, uint256 amount) internal {
        vm.prank(from);
        require(token.transfer(to, amount), "a transfer answers true or reverts");
    }

    /// @dev What the rules revert with when a rule of the house refuses.
    function refused(uint16 reason, uint256 argument) internal view returns (bytes memory) {
        return abi.encodeWithSelector(ITransferRules.ComplianceRefused.selector, rules, reason, argument);
    }
}
