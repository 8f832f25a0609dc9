// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../src/assets/identity/IIdentityRegistry.sol";
import {SeriesToken} from "../../../src/assets/series/SeriesToken.sol";
import {Test} from "../../base/Test.sol";

/// @dev A list of verified wallets, that can also fail to answer, or answer nonsense.
contract ListedWallets {
    enum Mood {
        Answering,
        Reverting,
        Garbling,
        Short
    }

    mapping(address wallet => bool) private _isListed;
    Mood private _mood;

    function list(address wallet, bool isListed) external {
        _isListed[wallet] = isListed;
    }

    function setMood(Mood mood) external {
        _mood = mood;
    }

    function isVerified(address wallet) external view returns (bool) {
        if (_mood == Mood.Reverting) revert("not today");
        uint256 answer = _mood == Mood.Garbling ? 2 : _isListed[wallet] ? 1 : 0;
        uint256 length = _mood == Mood.Short ? 31 : 32;
        assembly ("memory-safe") {
            mstore(0, answer)
            return(0, length)
        }
    }
}

/// @title SeriesSuite
/// @notice A token with two series: one with cap and maturity, one without; two verified holders of the first.
abstract contract SeriesSuite is Test {
    /// Time of the first block: 2026-09-01 12:00 in UTC.
    uint256 internal constant NOW = 1_788_264_000;
    uint256 internal constant MATURITY = NOW + 365 days;
    uint256 internal constant BOND = 2026;
    uint256 internal constant OPEN = 1;
    uint256 internal constant CAP = 10_000;
    uint256 internal constant HELD = 1_000;

    address internal immutable admin = wallet("admin");
    address internal immutable issuer = wallet("issuer");
    address internal immutable agent = wallet("agent");
    address internal immutable alice = wallet("alice");
    address internal immutable bob = wallet("bob");
    address internal immutable stranger = wallet("stranger");

    ListedWallets internal registry;
    SeriesToken internal token;

    function setUp() public virtual {
        vm.warp(NOW);
        registry = new ListedWallets();
        registry.list(alice, true);
        registry.list(bob, true);
        token = deploy(address(registry));
        vm.startPrank(issuer);
        token.createSeries(BOND, CAP, MATURITY, keccak256("terms"));
        token.createSeries(OPEN, 0, 0, 0);
        token.mint(alice, BOND, HELD);
        token.mint(bob, BOND, HELD);
        vm.stopPrank();
    }

    function deploy(address registry_) internal returns (SeriesToken deployed) {
        deployed = new SeriesToken("https://series.example/{id}", IIdentityRegistry(registry_), 2 days, admin);
        vm.startPrank(admin);
        deployed.grantRole(deployed.ISSUER_ROLE(), issuer);
        deployed.grantRole(deployed.AGENT_ROLE(), agent);
        vm.stopPrank();
    }

    function send(address from, address to, uint256 amount) internal {
        vm.prank(from);
        token.safeTransferFrom(from, to, BOND, amount, "");
    }

    function freeze(address account, uint256 amount) internal {
        vm.prank(agent);
        token.setFrozenTokens(account, BOND, amount);
    }

    function refused(address caller, bytes memory call, bytes memory revertData) internal {
        assertRefused(caller, address(token), call, revertData);
    }

    function sending(address from, address to, uint256 id, uint256 amount) internal view returns (bytes memory) {
        return abi.encodeCall(token.safeTransferFrom, (from, to, id, amount, ""));
    }

    function assertHeld(uint256 ofAlice, uint256 ofBob) internal view {
        assertEq(token.balanceOf(alice, BOND), ofAlice, "alice");
        assertEq(token.balanceOf(bob, BOND), ofBob, "bob");
    }
}
