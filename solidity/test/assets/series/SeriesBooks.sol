// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SeriesSuite} from "./SeriesSuite.sol";

/// @title SeriesBooks
/// @notice Orders for one series drawn at random, and books of what they must have done: written from what was ordered
/// and answered, never from balances read back.
contract SeriesBooks is SeriesSuite {
    mapping(address account => uint256 amount) private _held;
    mapping(address account => uint256 amount) private _frozen;
    uint256 private _supply = 2 * HELD;
    uint256 public moved;
    uint256 public refusals;

    function setUp() public override {
        super.setUp();
        (_held[alice], _held[bob]) = (HELD, HELD);
        vm.prank(alice);
        token.setApprovalForAll(issuer, true);
    }

    function transfer(uint256 seed, uint256 amount) external {
        (address from, address to) = ends(seed);
        amount = bound(amount, 0, 2 * HELD);
        vm.prank(from);
        try token.safeTransferFrom(from, to, BOND, amount, "") {
            require(_held[from] >= amount && _held[from] - amount >= _frozen[from], "frozen units left");
            require(block.timestamp < MATURITY && to != stranger, "against a rule");
            book(from, to, amount);
        } catch {
            ++refusals;
        }
    }

    function force(uint256 seed, uint256 amount) external {
        (address from, address to) = ends(seed);
        amount = bound(amount, 0, 2 * HELD);
        vm.prank(agent);
        try token.forcedTransfer(from, to, BOND, amount) {
            require(to != stranger, "against a rule");
            uint256 left = _held[from] - amount;
            if (_frozen[from] > left) _frozen[from] = left;
            book(from, to, amount);
        } catch {
            ++refusals;
        }
    }

    function issue(uint256 seed, uint256 amount) external {
        (, address to) = ends(seed);
        amount = bound(amount, 0, CAP);
        vm.prank(issuer);
        try token.mint(to, BOND, amount) {
            require(block.timestamp < MATURITY && to != stranger, "against a rule");
            _held[to] += amount;
            _supply += amount;
        } catch {
            ++refusals;
        }
    }

    function redeem(uint256 seed, uint256 amount) external {
        (address from,) = ends(seed);
        amount = bound(amount, 0, HELD);
        vm.prank(issuer);
        try token.redeem(from, BOND, amount) {
            require(from == alice || block.timestamp >= MATURITY, "without the holder's word");
            require(_held[from] - amount >= _frozen[from], "frozen units left");
            _held[from] -= amount;
            _supply -= amount;
        } catch {
            ++refusals;
        }
    }

    function freezeSome(uint256 seed, uint256 amount) external {
        (address account,) = ends(seed);
        amount = bound(amount, 0, 2 * HELD);
        freeze(account, amount);
        _frozen[account] = amount;
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 30 days));
    }

    function assertBooks() external view {
        address[3] memory accounts = [alice, bob, stranger];
        uint256 sum;
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(token.balanceOf(accounts[i], BOND), _held[accounts[i]], "held");
            assertEq(token.getFrozenTokens(accounts[i], BOND), _frozen[accounts[i]], "frozen");
            sum += _held[accounts[i]];
        }
        assertEq(token.totalSupply(BOND), _supply, "supply");
        assertEq(sum, _supply, "the supply is the sum of balances");
        assertLe(_supply, CAP, "the cap");
        assertEq(_held[stranger], 0, "who is not verified holds nothing");
    }

    function ends(uint256 seed) private view returns (address from, address to) {
        address[3] memory accounts = [alice, bob, stranger];
        return (accounts[seed % 2], accounts[(seed % 16) / 6]);
    }

    function book(address from, address to, uint256 amount) private {
        _held[from] -= amount;
        _held[to] += amount;
        ++moved;
    }
}
