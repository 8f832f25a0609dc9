// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {MoneyBehaviour} from "./MoneyBehaviour.sol";

contract RealDigitalTest is MoneyBehaviour {
    function deploy() internal override returns (RealDigital) {
        return new RealDigital("Real Digital", "BRL", authority, admin);
    }

    function test_name_and_symbol_are_those_given() public view {
        assertEq(token.name(), "Real Digital", "name");
        assertEq(token.symbol(), "BRL", "symbol");
    }

    function test_nobody_is_no_authority_and_no_admin() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "authority"));
        new RealDigital("Real Digital", "BRL", address(0), admin);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "admin"));
        new RealDigital("Real Digital", "BRL", authority, address(0));
    }
}
