// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealTokenizado} from "../../src/drex/RealTokenizado.sol";
import {SwapProposals} from "../../src/drex/SwapProposals.sol";
import {SwapSuite} from "../base/SwapSuite.sol";

/// @title SwapBooks
/// @notice Orders for all swaps between two customers, drawn at random, and books of what they must have done: written
/// from what was ordered and answered, never from balances read back.
contract SwapBooks is SwapSuite {
    struct Order {
        bool isFromA;
        bool isOver;
        uint256 amount;
        uint256 startedAt;
    }

    /// What the customers should hold and the reserves with them, in cents.
    uint256 public customerOfA = 5_000_000;
    uint256 public customerOfB = 5_000_000;
    uint256 public reserveOfA = 10_000_000;
    uint256 public reserveOfB = 10_000_000;

    /// What should lie in `SwapTwoStepsReserve`, in cents: of A's money, of B's.
    uint256 public lockedOfA;
    uint256 public lockedOfB;
    uint256 public executed;
    uint256 public released;
    uint256 public refused;

    Order[] private _plain;
    Order[] private _locking;

    function payAtOnce(bool isFromA, uint256 amount) external {
        amount = bound(amount, 0, 6_000_000);
        (RealTokenizado from, RealTokenizado to, address payer, address receiver) = ends(isFromA);
        vm.prank(payer);
        try oneStep.executeSwap(from, to, receiver, amount) {
            bookPaid(isFromA, amount);
        } catch {
            ++refused;
        }
    }

    function propose(bool isFromA, uint256 amount, bool isLocking) external {
        amount = bound(amount, 0, 6_000_000);
        (RealTokenizado from, RealTokenizado to, address payer, address receiver) = ends(isFromA);
        vm.prank(payer);
        try (isLocking ? SwapProposals(twoStepsReserve) : twoSteps).startSwap(from, to, receiver, amount) {
            (isLocking ? _locking : _plain).push(Order(isFromA, false, amount, block.timestamp));
            if (isLocking) bookLocked(isFromA, amount);
        } catch {
            ++refused;
        }
    }

    function execute(uint256 seed, bool isLocking, bool isReceiver) external {
        (SwapProposals swaps, Order[] storage orders) = side(isLocking);
        if (orders.length == 0) return;
        uint256 id = seed % orders.length;
        Order storage order = orders[id];
        (,, address payer, address receiver) = ends(order.isFromA);
        vm.prank(isReceiver ? receiver : payer);
        try swaps.executeSwap(id) {
            require(isReceiver && !order.isOver && block.timestamp <= order.startedAt + 60, "executed out of turn");
            order.isOver = true;
            ++executed;
            if (isLocking) bookReleased(order);
            bookPaid(order.isFromA, order.amount);
        } catch {
            ++refused;
        }
    }

    function close(uint256 seed, bool isLocking, bool isExpiry) external {
        (SwapProposals swaps, Order[] storage orders) = side(isLocking);
        if (orders.length == 0) return;
        uint256 id = seed % orders.length;
        Order storage order = orders[id];
        (,, address payer,) = ends(order.isFromA);
        vm.prank(isExpiry ? stranger : payer);
        (bool answered,) = address(swaps)
            .call(isExpiry ? abi.encodeCall(swaps.expireSwap, (id)) : abi.encodeCall(swaps.cancelSwap, (id, "")));
        if (!answered) {
            ++refused;
            return;
        }
        require(!order.isOver && (!isExpiry || block.timestamp > order.startedAt + 60), "closed out of turn");
        order.isOver = true;
        ++released;
        if (isLocking) bookReleased(order);
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 40));
    }

    function assertBooks() external view {
        assertMoney(customerOfA, reserveOfA, customerOfB, reserveOfB);
        assertEq(tokenA.balanceOf(address(twoStepsReserve)), lockedOfA, "A's money locked");
        assertEq(tokenB.balanceOf(address(twoStepsReserve)), lockedOfB, "B's money locked");
        assertEq(real.balanceOf(address(twoStepsReserve)), lockedOfA + lockedOfB, "reserves locked");
        assertEq(tokenA.totalSupply(), customerOfA + lockedOfA, "A owes");
        assertEq(tokenB.totalSupply(), customerOfB + lockedOfB, "B owes");
        assertEq(reserveOfA + lockedOfA - tokenA.totalSupply(), 5_000_000, "A stays backed");
        assertEq(reserveOfB + lockedOfB - tokenB.totalSupply(), 5_000_000, "B stays backed");
        assertEq(real.balanceOf(address(twoSteps)) + real.balanceOf(address(oneStep)), 0, "others hold nothing");
    }

    function ends(bool isFromA) private view returns (RealTokenizado, RealTokenizado, address, address) {
        return isFromA ? (tokenA, tokenB, clientA, clientB) : (tokenB, tokenA, clientB, clientA);
    }

    function side(bool isLocking) private view returns (SwapProposals, Order[] storage) {
        return isLocking ? (SwapProposals(twoStepsReserve), _locking) : (SwapProposals(twoSteps), _plain);
    }

    function bookPaid(bool isFromA, uint256 amount) private {
        if (isFromA) {
            (customerOfA, reserveOfA) = (customerOfA - amount, reserveOfA - amount);
            (customerOfB, reserveOfB) = (customerOfB + amount, reserveOfB + amount);
        } else {
            (customerOfB, reserveOfB) = (customerOfB - amount, reserveOfB - amount);
            (customerOfA, reserveOfA) = (customerOfA + amount, reserveOfA + amount);
        }
    }

    function bookLocked(bool isFromA, uint256 amount) private {
        if (isFromA) {
            (customerOfA, reserveOfA, lockedOfA) = (customerOfA - amount, reserveOfA - amount, lockedOfA + amount);
        } else {
            (customerOfB, reserveOfB, lockedOfB) = (customerOfB - amount, reserveOfB - amount, lockedOfB + amount);
        }
    }

    function bookReleased(Order storage order) private {
        uint256 amount = order.amount;
        if (order.isFromA) {
            (customerOfA, reserveOfA, lockedOfA) = (customerOfA + amount, reserveOfA + amount, lockedOfA - amount);
        } else {
            (customerOfB, reserveOfB, lockedOfB) = (customerOfB + amount, reserveOfB + amount, lockedOfB - amount);
        }
    }
}
