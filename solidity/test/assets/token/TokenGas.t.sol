// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

import {ComplianceRules} from "../../../src/assets/compliance/ComplianceRules.sol";
import {Rule} from "../../../src/assets/compliance/RuleBook.sol";
import {IdentityRegistry} from "../../../src/assets/identity/IdentityRegistry.sol";
import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {AssetSuite} from "./AssetSuite.sol";

/// @notice OpenZeppelin's ERC-20 and nothing else, for comparison.
contract PlainERC20 is ERC20("Plain", "PLN") {
    constructor(address holder, address other) {
        _mint(holder, 1_000_000);
        _mint(other, 1_000_000);
    }
}

/// @title TokenGasTest
/// @notice Gas of whole transactions, as a receipt shows it: base fee and call data included, every account and slot
/// cold. The rules in force are the typical four: country, class, largest balance, number of holders.
/// @dev Under the profile `gas`, each call of a test is a transaction, and each figure goes to `snapshots/assets.json`.
contract TokenGasTest is AssetSuite {
    uint256 private constant TRANSFER_GAS_MAX = 75_000;
    uint256 private constant BATCH_ENTRY_GAS_MAX = 42_000;
    /// 8 % of a transfer's limit: what record dates may add to a transfer between two of them.
    uint256 private constant RECORD_DATE_GAS_MAX = 6_000;
    uint256 private constant BATCH = 20;

    PlainERC20 private plain;
    IRegulatedToken private proxied;
    address[] private many;
    uint256[] private amounts;

    function setUp() public override {
        super.setUp();
        plain = new PlainERC20(alice, bob);
        for (uint256 i = 0; i < BATCH; ++i) {
            address account = wallet(string.concat("investor ", string(abi.encodePacked(uint8(65 + i)))));
            enter(account, 100 + i);
            many.push(account);
            amounts.push(1_234);
        }
    }

    function test_transfer_between_holders() public {
        transfer(alice, bob, 123_456);
        hold("RegulatedToken.transfer", TRANSFER_GAS_MAX);
        vm.prank(alice);
        plain.transfer(bob, 123_456);
        record("plain ERC-20: transfer");
    }

    function test_transfer_to_a_new_holder() public {
        transfer(alice, many[0], 123_456);
        record("RegulatedToken.transfer, first receipt");
        vm.prank(alice);
        plain.transfer(many[0], 123_456);
        record("plain ERC-20: transfer, first receipt");
    }

    function test_transfer_within_an_allowance() public {
        vm.prank(alice);
        token.approve(bob, 1_000_000);
        record("RegulatedToken.approve");
        vm.prank(bob);
        token.transferFrom(alice, bob, 123_456);
        record("RegulatedToken.transferFrom");
        vm.prank(alice);
        plain.approve(bob, 1_000_000);
        record("plain ERC-20: approve");
        vm.prank(bob);
        plain.transferFrom(alice, bob, 123_456);
        record("plain ERC-20: transferFrom");
    }

    function test_batch_of_twenty() public {
        vm.prank(issuer);
        token.batchMint(many, amounts);
        record("RegulatedToken.batchMint, 20 first receipts");
        vm.prank(alice);
        token.batchTransfer(many, amounts);
        hold("RegulatedToken.batchTransfer, 20 holders", BATCH * BATCH_ENTRY_GAS_MAX);
    }

    function test_batch_of_twenty_to_new_holders() public {
        vm.prank(alice);
        token.batchTransfer(many, amounts);
        record("RegulatedToken.batchTransfer, 20 first receipts");
    }

    function test_record_dates() public {
        vm.prank(treasurer);
        token.scheduleRecordDate(uint48(NOW + 10));
        record("RegulatedToken.scheduleRecordDate");
        vm.warp(NOW + 20);
        transfer(alice, bob, 123_456);
        record("RegulatedToken.transfer, first after a record date");
        transfer(alice, bob, 123_456);
        hold("RegulatedToken.transfer, second after a record date", TRANSFER_GAS_MAX);
        vm.prank(treasurer);
        token.scheduleRecordDate(uint48(NOW + 30));
        vm.warp(NOW + 40);
        transfer(alice, bob, 123_456);
        record("RegulatedToken.transfer, first after the next record date");
    }

    function test_record_dates_cost_a_transfer_between_them_next_to_nothing() public {
        transfer(alice, bob, 1);
        uint256 before = record("RegulatedToken.transfer, no record date");
        vm.startPrank(treasurer);
        token.scheduleRecordDate(uint48(NOW + 10));
        token.scheduleRecordDate(uint48(NOW + 1_000));
        vm.stopPrank();
        vm.warp(NOW + 20);
        transfer(alice, bob, 1);
        transfer(alice, bob, 1);
        uint256 between = record("RegulatedToken.transfer, between record dates");
        assertLe(between, before + RECORD_DATE_GAS_MAX, "overhead of record dates");
    }

    function test_holds() public {
        vm.prank(alice);
        bytes32 id = token.createHold("leg", bob, 123_456, notary, uint48(NOW + 1 days));
        record("RegulatedToken.createHold");
        vm.prank(notary);
        token.executeHold(id, 123_456);
        record("RegulatedToken.executeHold");
    }

    function test_duties() public {
        vm.prank(issuer);
        token.mint(alice, 123_456);
        record("RegulatedToken.mint");
        vm.prank(agent);
        token.freezePartialTokens(alice, 1_000);
        record("RegulatedToken.freezePartialTokens");
        vm.prank(agent);
        token.forcedTransfer(alice, bob, 123_456);
        record("RegulatedToken.forcedTransfer");
    }

    function test_transfer_behind_a_proxy() public {
        proxied = deployProxiedToken();
        bindRules(proxied, deployRules(0, startRules()));
        vm.startPrank(issuer);
        proxied.mint(alice, 1_000_000);
        proxied.mint(bob, 1_000_000);
        vm.stopPrank();
        vm.prank(alice);
        proxied.transfer(bob, 123_456);
        hold("RegulatedToken.transfer behind a proxy", TRANSFER_GAS_MAX);
    }

    function test_transfer_with_all_three_behind_proxies() public {
        bytes memory call = abi.encodeCall(IdentityRegistry.initialize, (admin));
        registry = IdentityRegistry(address(new ERC1967Proxy(address(new IdentityRegistry(address(0))), call)));
        grantDuties(address(registry));
        requireClaims();
        enter(alice, 1);
        enter(bob, 2);
        proxied = deployProxiedToken();
        Rule[] memory list = startRules();
        call = abi.encodeCall(ComplianceRules.initialize, (admin, 0, list));
        address implementation = address(new ComplianceRules(address(0), 0, new Rule[](0)));
        rules = ComplianceRules(address(new ERC1967Proxy(implementation, call)));
        grantDuties(address(rules));
        bindRules(proxied, rules);
        vm.startPrank(issuer);
        proxied.mint(alice, 1_000_000);
        proxied.mint(bob, 1_000_000);
        vm.stopPrank();
        vm.prank(alice);
        proxied.transfer(bob, 123_456);
        record("RegulatedToken.transfer, all behind proxies");
    }

    function hold(string memory name, uint256 gasMax) private {
        assertLe(record(name), gasMax, name);
    }

    function record(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall("assets", name);
    }
}
