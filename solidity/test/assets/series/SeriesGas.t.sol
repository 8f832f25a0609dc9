// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SeriesSuite} from "./SeriesSuite.sol";

/// @title SeriesGasTest
/// @notice Gas of whole transactions of series, as a receipt shows it. The registry is a plain list: what a registry
/// with claims costs more comes on top.
contract SeriesGasTest is SeriesSuite {
    uint256 private constant TRANSFER_GAS_MAX = 55_000;

    function test_series() public {
        vm.prank(issuer);
        token.createSeries(7, CAP, MATURITY, keccak256("terms"));
        record("series, create");
        vm.prank(issuer);
        token.mint(alice, BOND, 123);
        record("series, mint to a holder");
        send(alice, bob, 123);
        assertLe(record("series, transfer between holders"), TRANSFER_GAS_MAX, "transfer");
        freeze(alice, 900);
        record("series, freeze");
        vm.prank(agent);
        token.forcedTransfer(alice, bob, BOND, 500);
        record("series, forced transfer of frozen units");
        vm.warp(MATURITY);
        vm.prank(issuer);
        token.redeem(bob, BOND, 500);
        record("series, redeem");
    }

    function record(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall("series", name);
    }
}
