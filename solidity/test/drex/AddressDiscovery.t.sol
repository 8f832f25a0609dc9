// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AddressDiscovery} from "../../src/drex/AddressDiscovery.sol";
import {Cnpj8} from "../../src/drex/Cnpj8.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

contract AddressDiscoveryTest is DrexSuite {
    function test_a_name_is_registered_replaced_and_freed() public {
        bytes32 key = keccak256("RealDigital");
        assertEq(key, 0xaa9d7a10cd9d6320f512fbaa2a90a93f77175e260b93f3d8f757fdb48f89b882, "published key");
        assertEq(discovery.addressDiscovery(key), address(0), "unknown at first");
        register(key, address(0), address(real));
        register(key, address(real), address(1));
        register(key, address(1), address(0));
    }

    function register(bytes32 key, address previous, address current) private {
        vm.expectEmit(address(discovery));
        emit AddressDiscovery.AddressUpdated(key, previous, current);
        vm.prank(authority);
        discovery.updateAddress(key, current);
        assertEq(discovery.addressDiscovery(key), current, "entry");
    }

    function test_only_the_authority_keeps_the_directory() public {
        expectMissingRole(admin, discovery.ACCESS_ROLE());
        vm.prank(admin);
        discovery.updateAddress(keccak256("RealDigital"), address(real));
    }

    function test_a_bank_s_token_is_found_by_its_padded_name_alone() public {
        vm.startPrank(authority);
        bytes32 padded = 0x1a3e1b8c951a63a3db1477426d9883fa75d64d06ea0ff1e0234c145c77587d20;
        bytes32 unpadded = 0x9c8b983d3408ec27c5e3e9955413d9fa0925f5d09d15a13cd7ebbe51d222ba54;
        discovery.updateAddress(unpadded, address(tokenB));
        assertEq(discovery.realTokenizado(191), address(0), "the unpadded name is for scripts");
        discovery.updateAddress(padded, address(tokenB));
        assertEq(discovery.realTokenizado(191), address(tokenB), "padded name");
    }

    function test_a_bank_with_letters_in_its_root_is_found() public {
        vm.prank(authority);
        discovery.updateAddress(keccak256("RealTokenizado@12ABC34Z"), address(tokenA));
        assertEq(discovery.realTokenizado(uint64(bytes8("12ABC34Z"))), address(tokenA), "entry");
    }

    function test_a_root_that_is_none_has_no_token() public {
        expectError(abi.encodeWithSelector(Cnpj8.Cnpj8Invalid.selector, 100_000_000));
        discovery.realTokenizado(100_000_000);
    }
}
