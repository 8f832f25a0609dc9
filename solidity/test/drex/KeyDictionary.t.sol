// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {KeyDictionary} from "../../src/drex/KeyDictionary.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

contract KeyDictionaryTest is DrexSuite {
    bytes32 private constant KEY = keccak256("carla@example.org");
    uint256 private constant TAX_ID = 12_345;

    function add(address bank, bytes32 key, address client) private {
        vm.prank(bank);
        keys.addAccount(key, TAX_ID, 1, 2, 3, client, BANK_A);
    }

    function request(address bank, address client) private {
        vm.prank(bank);
        keys.requestKey(KEY, TAX_ID, BANK_B, 11, 12, 13, client);
    }

    function keyOf(address client) private returns (bytes32) {
        vm.prank(bankA);
        return keys.getKey(client);
    }

    function dataOf(bytes32 key) private returns (KeyDictionary.CustomerData memory) {
        vm.prank(bankA);
        return keys.getCustomerData(key);
    }

    function walletOf(bytes32 key) private returns (address) {
        vm.prank(bankA);
        return keys.getWallet(key);
    }

    function test_a_key_is_registered_with_each_field_in_its_place() public {
        vm.expectEmit(address(keys));
        emit KeyDictionary.KeyUpdated(KEY, bankA, clientA);
        add(bankA, KEY, clientA);
        KeyDictionary.CustomerData memory data = dataOf(KEY);
        assertEq(data.taxId, TAX_ID, "taxId");
        assertEq(data.cnpj8, BANK_A, "cnpj8");
        assertEq(data.bankNumber, 1, "bankNumber");
        assertEq(data.account, 2, "account");
        assertEq(data.branch, 3, "branch");
        assertEq(data.wallet, clientA, "wallet");
        assertTrue(data.registered, "registered");
        assertEq(data.owner, bankA, "owner");
        assertEq(walletOf(KEY), clientA, "wallet of key");
        assertEq(keyOf(clientA), KEY, "key of wallet");
    }

    function test_the_unknown_is_zero() public {
        assertEq(walletOf(KEY), address(0), "wallet");
        assertEq(keyOf(clientA), bytes32(0), "key");
        assertFalse(dataOf(KEY).registered, "registered");
    }

    function test_a_key_is_registered_once() public {
        add(bankA, KEY, clientA);
        expectError(abi.encodeWithSelector(KeyDictionary.KeyDictionaryKeyTaken.selector, KEY, bankA));
        add(bankB, KEY, clientB);
    }

    function test_an_update_takes_the_key_from_the_old_wallet() public {
        add(bankA, KEY, clientA);
        vm.prank(bankA);
        keys.updateData(KEY, TAX_ID + 1, BANK_A, 5, 6, 7, stranger);
        KeyDictionary.CustomerData memory data = dataOf(KEY);
        assertEq(data.taxId, TAX_ID + 1, "taxId");
        assertEq(data.cnpj8, BANK_A, "cnpj8 is the third argument");
        assertEq(data.branch, 7, "branch");
        assertEq(data.wallet, stranger, "wallet");
        assertEq(keyOf(clientA), bytes32(0), "old wallet");
        assertEq(keyOf(stranger), KEY, "new wallet");
    }

    function test_only_the_owner_updates() public {
        expectError(abi.encodeWithSelector(KeyDictionary.KeyDictionaryKeyUnknown.selector, KEY));
        vm.prank(bankA);
        keys.updateData(KEY, TAX_ID, BANK_A, 5, 6, 7, clientA);

        add(bankA, KEY, clientA);
        expectError(abi.encodeWithSelector(KeyDictionary.KeyDictionaryNotOwner.selector, KEY, bankB, bankA));
        vm.prank(bankB);
        keys.updateData(KEY, TAX_ID, BANK_A, 5, 6, 7, clientA);
    }

    function test_a_wallet_may_have_several_keys_of_one_owner_and_shows_the_last() public {
        bytes32 second = keccak256("+55 61 3414-1414");
        add(bankA, KEY, clientA);
        add(bankA, second, clientA);
        assertEq(keyOf(clientA), second, "last");
        assertEq(walletOf(KEY), clientA, "the first goes on");

        vm.prank(bankA);
        keys.updateData(KEY, TAX_ID, BANK_A, 5, 6, 7, stranger);
        assertEq(keyOf(clientA), second, "the first key's going leaves the second");
    }

    function test_nobody_takes_over_another_s_customer() public {
        add(bankA, KEY, clientA);
        expectError(abi.encodeWithSelector(KeyDictionary.KeyDictionaryWalletTaken.selector, clientA, KEY, bankA));
        add(bankB, keccak256("other"), clientA);
    }

    function test_a_key_stands_for_somebody() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "_wallet"));
        add(bankA, KEY, address(0));
        add(bankA, KEY, clientA);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "_wallet"));
        request(bankB, address(0));
    }

    function test_a_key_is_handed_over_on_request() public {
        add(bankA, KEY, clientA);
        vm.expectEmit(address(keys));
        emit KeyDictionary.KeyRequested(bankA, 0, KEY);
        request(bankB, clientB);
        assertEq(dataOf(KEY).owner, bankA, "asking changes nothing");

        vm.expectEmit(address(keys));
        emit KeyDictionary.KeyUpdated(KEY, bankB, clientB);
        vm.prank(bankA);
        keys.authorizeKey(0, KEY);
        KeyDictionary.CustomerData memory data = dataOf(KEY);
        assertEq(data.owner, bankB, "owner");
        assertEq(data.cnpj8, BANK_B, "cnpj8 is the third argument");
        assertEq(data.bankNumber, 11, "bankNumber");
        assertEq(data.wallet, clientB, "wallet");
        assertTrue(data.registered, "registered");
        assertEq(keyOf(clientA), bytes32(0), "old wallet");
        assertEq(keyOf(clientB), KEY, "new wallet");
    }

    function test_proposals_are_numbered_from_zero() public {
        add(bankA, KEY, clientA);
        request(bankB, clientB);
        vm.expectEmit(address(keys));
        emit KeyDictionary.KeyRequested(bankA, 1, KEY);
        request(bankB, clientB);
    }

    function test_a_proposal_that_is_not_there_wipes_nothing() public {
        add(bankA, KEY, clientA);
        expectError(abi.encodeWithSelector(KeyDictionary.KeyDictionaryProposalUnknown.selector, 7, KEY));
        vm.prank(bankA);
        keys.authorizeKey(7, KEY);
        assertEq(dataOf(KEY).wallet, clientA, "record");
    }

    function test_a_proposal_is_used_once() public {
        add(bankA, KEY, clientA);
        request(bankB, clientB);
        vm.prank(bankA);
        keys.authorizeKey(0, KEY);
        expectError(abi.encodeWithSelector(KeyDictionary.KeyDictionaryProposalUnknown.selector, 0, KEY));
        vm.prank(bankB);
        keys.authorizeKey(0, KEY);
    }

    function test_only_the_owner_authorises() public {
        expectError(abi.encodeWithSelector(KeyDictionary.KeyDictionaryKeyUnknown.selector, KEY));
        vm.prank(bankA);
        keys.authorizeKey(0, KEY);

        add(bankA, KEY, clientA);
        request(bankB, clientB);
        expectError(abi.encodeWithSelector(KeyDictionary.KeyDictionaryNotOwner.selector, KEY, bankB, bankA));
        vm.prank(bankB);
        keys.authorizeKey(0, KEY);
    }

    function test_a_key_is_asked_for_by_the_same_person_only() public {
        expectError(abi.encodeWithSelector(KeyDictionary.KeyDictionaryKeyUnknown.selector, KEY));
        request(bankB, clientB);
        add(bankA, KEY, clientA);
        expectError(abi.encodeWithSelector(KeyDictionary.KeyDictionaryTaxIdDiffers.selector, KEY));
        vm.prank(bankB);
        keys.requestKey(KEY, TAX_ID + 1, BANK_B, 11, 12, 13, clientB);
    }

    function test_every_function_is_for_participants_and_says_so_in_the_published_words() public {
        bytes[7] memory calls = [
            abi.encodeCall(keys.addAccount, (KEY, TAX_ID, 1, 2, 3, clientA, BANK_A)),
            abi.encodeCall(keys.updateData, (KEY, TAX_ID, BANK_A, 1, 2, 3, clientA)),
            abi.encodeCall(keys.requestKey, (KEY, TAX_ID, BANK_A, 1, 2, 3, clientA)),
            abi.encodeCall(keys.authorizeKey, (0, KEY)),
            abi.encodeCall(keys.getWallet, (KEY)),
            abi.encodeCall(keys.getKey, (clientA)),
            abi.encodeCall(keys.getCustomerData, (KEY))
        ];
        bytes memory refusal =
            abi.encodeWithSignature("Error(string)", "RealDigitalDefaultAccount: Not authorized Account");
        for (uint256 i = 0; i < calls.length; ++i) {
            assertRefused(stranger, address(keys), calls[i], refusal);
        }
    }
}
