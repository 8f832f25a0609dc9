// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Duties} from "../../../src/assets/access/Duties.sol";
import {ComplianceRules} from "../../../src/assets/compliance/ComplianceRules.sol";
import {Refusal} from "../../../src/assets/compliance/ITransferRules.sol";
import {ReasonCodes} from "../../../src/assets/compliance/ReasonCodes.sol";
import {Rule} from "../../../src/assets/compliance/RuleBook.sol";
import {IERC7943Fungible} from "../../../src/assets/token/IERC7943Fungible.sol";
import {IHolds} from "../../../src/assets/token/IHolds.sol";
import {IRecordDateBalances} from "../../../src/assets/token/IRecordDateBalances.sol";
import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {RegulatedToken, TokenTerms} from "../../../src/assets/token/RegulatedToken.sol";
import {RegulatedTokenOperations} from "../../../src/assets/token/RegulatedTokenOperations.sol";
import {TokenErrors} from "../../../src/assets/token/TokenErrors.sol";
import {AssetSuite} from "./AssetSuite.sol";

/// @title RegulatedTokenTest
/// @notice The token as ERC-20, its issue, its settings, and who may do what.
contract RegulatedTokenTest is AssetSuite {
    uint256 private constant OWNER_KEY = 0x0a11ce;
    bytes32 private constant PERMIT_TYPE =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    function test_a_token_begins_with_its_terms() public view {
        assertEq(token.name(), "Debenture Lastro 2030", "name");
        assertEq(token.symbol(), "LAST30", "symbol");
        assertEq(token.decimals(), 2, "decimals");
        assertEq(token.version(), "1", "version");
        assertEq(token.onchainID(), address(0), "identity");
        assertEq(address(token.identityRegistry()), address(registry), "registry");
        assertEq(address(token.compliance()), address(rules), "rules");
        assertEq(token.totalSupply(), ALICE_UNITS + BOB_UNITS, "supply");
        assertEq(token.holderCount(), 2, "holders");
        assertEq(token.owner(), admin, "admin");
    }

    function test_terms_that_no_token_begins_with() public {
        address operations = address(new RegulatedTokenOperations());
        TokenTerms memory terms = tokenTerms(admin);
        terms.decimals = 19;
        expectError(abi.encodeWithSelector(TokenErrors.TokenDecimalsTooMany.selector, 19, 18));
        new RegulatedToken(terms, operations);
        terms = tokenTerms(admin);
        terms.registry = address(rules);
        expectError(abi.encodeWithSelector(TokenErrors.TokenRegistryInvalid.selector, rules));
        new RegulatedToken(terms, operations);
        expectError(abi.encodeWithSelector(TokenErrors.TokenOperationsMissing.selector, stranger));
        new RegulatedToken(tokenTerms(admin), stranger);
    }

    function test_a_transfer_moves_units_and_nothing_else() public {
        transfer(alice, bob, 300);
        assertEq(token.balanceOf(alice), ALICE_UNITS - 300, "sender");
        assertEq(token.balanceOf(bob), BOB_UNITS + 300, "receiver");
        assertEq(token.totalSupply(), ALICE_UNITS + BOB_UNITS, "supply");
        transfer(alice, alice, 7);
        assertEq(token.balanceOf(alice), ALICE_UNITS - 300, "to oneself");
    }

    function test_want_of_units_and_receivers() public {
        refuse(
            alice,
            abi.encodeCall(token.transfer, (bob, ALICE_UNITS + 1)),
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice, ALICE_UNITS, ALICE_UNITS + 1)
        );
        bytes memory noReceiver = abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0));
        refuse(alice, abi.encodeCall(token.transfer, (address(0), 1)), noReceiver);
        refuse(issuer, abi.encodeCall(token.mint, (address(0), 1)), noReceiver);
        bytes memory unverified = abi.encodeWithSelector(IERC7943Fungible.ERC7943CannotReceive.selector, stranger);
        refuse(alice, abi.encodeCall(token.transfer, (stranger, 1)), unverified);
        refuse(issuer, abi.encodeCall(token.mint, (stranger, 1)), unverified);
    }

    function test_an_allowance_is_spent() public {
        vm.prank(alice);
        token.approve(bob, 100);
        vm.prank(bob);
        token.transferFrom(alice, bob, 60);
        assertEq(token.allowance(alice, bob), 40, "what is left");
        refuse(
            bob,
            abi.encodeCall(token.transferFrom, (alice, bob, 41)),
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, bob, 40, 41)
        );
        vm.prank(alice);
        token.approve(bob, type(uint256).max);
        vm.prank(bob);
        token.transferFrom(alice, bob, 60);
        assertEq(token.allowance(alice, bob), type(uint256).max, "without limit");
        refuse(
            alice,
            abi.encodeCall(token.approve, (address(0), 1)),
            abi.encodeWithSelector(IERC20Errors.ERC20InvalidSpender.selector, address(0))
        );
    }

    function test_a_permit_is_an_approval_by_signature_once() public {
        address owner = vm.addr(OWNER_KEY);
        (uint8 v, bytes32 r, bytes32 s) = assetVm.sign(OWNER_KEY, permitDigest(token, owner, 500, 0, NOW));
        token.permit(owner, bob, 500, NOW, v, r, s);
        assertEq(token.allowance(owner, bob), 500, "approved");
        assertEq(token.nonces(owner), 1, "used");
        bytes memory again = invalidPermit(token, owner, 500, 1);
        refuse(bob, abi.encodeCall(token.permit, (owner, bob, 500, NOW, v, r, s)), again);
        vm.warp(NOW + 1);
        refuse(
            bob,
            abi.encodeCall(token.permit, (owner, bob, 500, NOW, v, r, s)),
            abi.encodeWithSelector(TokenErrors.TokenPermitExpired.selector, NOW)
        );
    }

    function test_a_permit_is_for_this_token_on_this_chain_under_this_name() public {
        address owner = vm.addr(OWNER_KEY);
        (uint8 v, bytes32 r, bytes32 s) = assetVm.sign(OWNER_KEY, permitDigest(token, owner, 500, 0, NOW));
        IRegulatedToken other = deployToken(tokenTerms(admin));
        bytes memory call = abi.encodeCall(token.permit, (owner, bob, 500, NOW, v, r, s));
        assertRefused(bob, address(other), call, invalidPermit(other, owner, 500, 0));
        assetVm.chainId(4_321);
        refuse(bob, call, invalidPermit(token, owner, 500, 0));
        assetVm.chainId(31_337);
        vm.prank(issuer);
        token.setName("Another name");
        refuse(bob, call, invalidPermit(token, owner, 500, 0));
    }

    function testFuzz_no_other_key_signs_a_permit(uint256 key, uint256 value) public {
        key = bound(key, 1, 1 << 250);
        address owner = vm.addr(OWNER_KEY);
        vm.assume(key != OWNER_KEY);
        (uint8 v, bytes32 r, bytes32 s) = assetVm.sign(key, permitDigest(token, owner, value, 0, NOW));
        bytes memory call = abi.encodeCall(token.permit, (owner, bob, value, NOW, v, r, s));
        refuse(bob, call, invalidPermit(token, owner, value, 0));
    }

    function permitDigest(IRegulatedToken of_, address owner, uint256 value, uint256 nonce, uint256 deadline)
        private
        view
        returns (bytes32)
    {
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPE, owner, bob, value, nonce, deadline));
        return keccak256(abi.encodePacked(hex"1901", of_.DOMAIN_SEPARATOR(), structHash));
    }

    function invalidPermit(IRegulatedToken of_, address owner, uint256 value, uint256 nonce)
        private
        view
        returns (bytes memory)
    {
        bytes32 digest = permitDigest(of_, owner, value, nonce, NOW);
        return abi.encodeWithSelector(TokenErrors.TokenPermitInvalid.selector, owner, digest);
    }

    function test_batches_do_all_or_nothing() public {
        enter(carol, 3);
        (address[] memory list, uint256[] memory amounts) = (new address[](2), new uint256[](2));
        (list[0], list[1]) = (carol, bob);
        (amounts[0], amounts[1]) = (10, 20);
        vm.prank(alice);
        token.batchTransfer(list, amounts);
        assertEq(token.balanceOf(carol), 10, "transferred");
        vm.startPrank(issuer);
        token.batchMint(list, amounts);
        assertEq(token.balanceOf(carol), 20, "issued");
        token.batchBurn(list, amounts);
        vm.stopPrank();
        assertEq(token.balanceOf(carol), 10, "redeemed");
        assertEq(token.totalSupply(), ALICE_UNITS + BOB_UNITS, "supply");
        amounts[1] = ALICE_UNITS;
        refuse(
            alice,
            abi.encodeCall(token.batchTransfer, (list, amounts)),
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice, ALICE_UNITS - 40, ALICE_UNITS)
        );
        assertEq(token.balanceOf(carol), 10, "nothing of the batch happened");
    }

    function test_batches_are_of_one_length_within_the_limit() public {
        (address[] memory two, uint256[] memory one_) = (new address[](2), new uint256[](1));
        (address[] memory many, uint256[] memory amounts) = (new address[](257), new uint256[](257));
        bytes memory odd = abi.encodeWithSelector(TokenErrors.TokenBatchInvalid.selector, 2, 256);
        bytes memory long = abi.encodeWithSelector(TokenErrors.TokenBatchInvalid.selector, 257, 256);
        refuse(alice, abi.encodeCall(token.batchTransfer, (two, one_)), odd);
        refuse(alice, abi.encodeCall(token.batchTransfer, (many, amounts)), long);
        refuse(issuer, abi.encodeCall(token.batchMint, (two, one_)), odd);
        refuse(issuer, abi.encodeCall(token.batchBurn, (many, amounts)), long);
        refuse(agent, abi.encodeCall(token.batchForcedTransfer, (two, two, one_)), odd);
        refuse(agent, abi.encodeCall(token.batchForcedTransfer, (two, new address[](1), one_)), odd);
        refuse(agent, abi.encodeCall(token.batchSetAddressFrozen, (two, new bool[](1))), odd);
        refuse(agent, abi.encodeCall(token.batchFreezePartialTokens, (two, one_)), odd);
        refuse(agent, abi.encodeCall(token.batchUnfreezePartialTokens, (two, one_)), odd);
    }

    function test_no_more_is_issued_than_fits() public {
        setRules(new Rule[](0));
        uint256 max = type(uint104).max;
        uint256 left = max - token.totalSupply();
        vm.prank(issuer);
        token.mint(alice, left);
        refuse(
            issuer,
            abi.encodeCall(token.mint, (bob, 1)),
            abi.encodeWithSelector(TokenErrors.TokenAmountTooLarge.selector, max, 1, max)
        );
        transfer(bob, alice, BOB_UNITS);
        assertEq(token.balanceOf(alice), max, "one account may have it all");
    }

    function test_a_redemption_takes_frozen_units_and_asks_nobody() public {
        vm.startPrank(agent);
        token.freezePartialTokens(bob, BOB_UNITS - 10);
        token.pause();
        registry.deleteIdentity(bob);
        vm.stopPrank();
        vm.startPrank(issuer);
        token.burn(bob, 30);
        assertEq(token.getFrozenTokens(bob), BOB_UNITS - 30, "what was free went first");
        token.burn(bob, BOB_UNITS - 30);
        vm.stopPrank();
        assertEq(token.getFrozenTokens(bob), 0, "nothing is left to be frozen");
        assertEq(token.holderCount(), 1, "one holder less");
        refuse(
            issuer,
            abi.encodeCall(token.burn, (bob, 1)),
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, bob, 0, 1)
        );
    }

    function test_without_rules_nothing_moves_and_orders_and_redemption_do() public {
        IRegulatedToken fresh = deployToken(tokenTerms(admin));
        bytes memory missing = abi.encodeWithSelector(TokenErrors.TokenRulesInvalid.selector, address(0));
        assertRefused(issuer, address(fresh), abi.encodeCall(fresh.mint, (alice, 1)), missing);
        assertRefused(alice, address(fresh), abi.encodeCall(fresh.transfer, (bob, 0)), missing);
        Refusal[] memory reasons = fresh.transferRefusals(alice, bob, 0);
        assertEq(reasons.length, 1, "one reason");
        assertEq(reasons[0].reason, ReasonCodes.RULES_UNAVAILABLE, "no rules");
        vm.prank(agent);
        fresh.forcedTransfer(alice, bob, 0);
        vm.prank(issuer);
        fresh.burn(alice, 0);
    }

    function test_only_rules_that_are_bound_to_the_token_are_taken() public {
        ComplianceRules loose = deployRules(0, new Rule[](0));
        bytes memory call = abi.encodeCall(token.setCompliance, (address(loose)));
        refuse(officer, call, abi.encodeWithSelector(TokenErrors.TokenRulesInvalid.selector, loose));
        call = abi.encodeCall(token.setCompliance, (address(registry)));
        refuse(officer, call, abi.encodeWithSelector(TokenErrors.TokenRulesInvalid.selector, registry));
        call = abi.encodeCall(token.setIdentityRegistry, (address(rules)));
        refuse(officer, call, abi.encodeWithSelector(TokenErrors.TokenRegistryInvalid.selector, rules));
        vm.startPrank(officer);
        loose.bindToken(address(token));
        token.setCompliance(address(loose));
        token.setIdentityRegistry(address(registry));
        vm.stopPrank();
        assertEq(address(token.compliance()), address(loose), "other rules");
    }

    function test_a_token_requires_topics_of_its_own() public {
        vm.startPrank(officer);
        uint256 index = registry.defineClaimTopic(2);
        token.setRequiredTopics(uint8(1 << index));
        vm.stopPrank();
        assertEq(token.requiredTopics(), 1 << index, "required");
        bytes memory unverified = abi.encodeWithSelector(IERC7943Fungible.ERC7943CannotReceive.selector, bob);
        refuse(alice, abi.encodeCall(token.transfer, (bob, 1)), unverified);
        assertFalse(token.canReceive(bob), "said beforehand");
        assertTrue(token.canSend(bob), "and he may send");
        assertTrue(registry.isVerified(bob), "the registry itself has no objection");
    }

    function test_settings_are_announced() public {
        vm.startPrank(issuer);
        token.setName("N");
        token.setSymbol("S");
        token.setOnchainID(stranger);
        vm.stopPrank();
        assertEq(token.name(), "N", "name");
        assertEq(token.symbol(), "S", "symbol");
        assertEq(token.onchainID(), stranger, "identity");
        vm.expectEmit(address(token));
        emit IRegulatedToken.SupplyAttested(auditor, ALICE_UNITS + BOB_UNITS, 2, "report");
        vm.prank(auditor);
        token.attestSupply("report");
    }

    function test_every_reason_is_listed_at_once() public {
        vm.startPrank(agent);
        token.pause();
        token.setAddressFrozen(alice, true);
        token.setAddressFrozen(stranger, true);
        vm.stopPrank();
        Refusal[] memory reasons = token.transferRefusals(alice, stranger, 20_000_000);
        uint16[7] memory expected = [
            ReasonCodes.PAUSED,
            ReasonCodes.SENDER_FROZEN,
            ReasonCodes.RECEIVER_FROZEN,
            ReasonCodes.FREE_UNITS_INSUFFICIENT,
            ReasonCodes.RECEIVER_NOT_VERIFIED,
            ReasonCodes.INVESTOR_CLASS,
            ReasonCodes.BALANCE_MAX
        ];
        assertEq(reasons.length, expected.length, "all reasons");
        for (uint256 i = 0; i < expected.length; ++i) {
            assertEq(reasons[i].reason, expected[i], "in order");
        }
        assertEq(reasons[3].argument, ALICE_UNITS, "what is free");
    }

    function testFuzz_questions_never_revert_and_agree_with_the_transfer(
        uint8 fromIndex,
        uint8 toIndex,
        uint256 amount,
        bool isPaused,
        uint104 frozen
    ) public {
        address[4] memory who = [alice, bob, stranger, address(0)];
        (address from, address to) = (who[fromIndex % 4], who[toIndex % 4]);
        if (amount % 2 == 0) amount = bound(amount, 0, 2 * ALICE_UNITS);
        vm.startPrank(agent);
        token.setFrozenTokens(alice, bound(frozen, 0, 2 * ALICE_UNITS));
        if (isPaused) token.pause();
        vm.stopPrank();
        bool predicted = token.canTransfer(from, to, amount);
        token.canSend(from);
        token.canReceive(to);
        if (from == address(0)) return;
        vm.prank(from);
        (bool done,) = address(token).call(abi.encodeCall(token.transfer, (to, amount)));
        assertTrue(done == predicted, "the answer was true");
    }

    function test_a_broken_registry_is_a_reason_and_no_revert() public {
        SilentRegistry broken = new SilentRegistry();
        vm.prank(officer);
        token.setIdentityRegistry(address(broken));
        Refusal[] memory reasons = token.transferRefusals(alice, bob, 1);
        assertEq(reasons[0].reason, ReasonCodes.RULES_UNAVAILABLE, "no answer from the registry");
        assertFalse(token.canReceive(bob), "nobody receives");
    }

    function test_interfaces_are_announced_by_their_final_ids() public view {
        assertTrue(token.supportsInterface(0x3edbb4c4), "ERC-7943, fungible, final text");
        assertTrue(token.supportsInterface(0x01ffc9a7), "ERC-165");
        assertTrue(token.supportsInterface(0x36372b07), "ERC-20");
        assertTrue(token.supportsInterface(type(IHolds).interfaceId), "holds");
        assertTrue(token.supportsInterface(type(IRecordDateBalances).interfaceId), "record dates");
        assertFalse(token.supportsInterface(0xffffffff), "not everything");
    }

    function test_the_operations_are_nothing_by_themselves() public {
        RegulatedTokenOperations operations = new RegulatedTokenOperations();
        expectMissingRole(issuer, Duties.ISSUER);
        vm.prank(issuer);
        operations.mint(alice, 1);
        (bool answered,) = address(token).call(abi.encodeWithSignature("nothingOfThisName()"));
        assertFalse(answered, "what neither part knows is refused");
    }

    function test_a_proxied_token_is_upgraded_and_keeps_its_books() public {
        token = deployProxiedToken();
        bindRules(token, deployRules(0, new Rule[](0)));
        vm.prank(issuer);
        token.mint(alice, 5);
        address operations = address(new RegulatedTokenOperations());
        address next = address(new RegulatedToken(tokenTerms(address(0)), operations));
        expectMissingRole(issuer, Duties.UPGRADER);
        vm.prank(issuer);
        token.upgradeToAndCall(next, "");
        vm.prank(upgrader);
        token.upgradeToAndCall(next, "");
        transfer(alice, bob, 2);
        assertEq(token.balanceOf(alice), 3, "books");
        expectError(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        RegulatedToken(address(token)).initialize(tokenTerms(stranger));
    }

    function test_contracts_fit_eip_170() public view {
        assertLe(address(registry).code.length, 24_575, "registry");
        assertLe(address(rules).code.length, 24_575, "rules");
        assertLe(address(token).code.length, 24_575, "token");
    }

    function refuse(address caller, bytes memory call, bytes memory revertData) private {
        assertRefused(caller, address(token), call, revertData);
    }
}

/// @notice Says that it is a registry, and answers nothing.
contract SilentRegistry {
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId != 0xffffffff;
    }
}
