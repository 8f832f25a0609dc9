// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LienStatus, LienTerms} from "../../../src/assets/settlement/LienTypes.sol";
import {LienSuite} from "./LienSuite.sol";

/// @title LienBooks
/// @notice Pledges drawn at random of two holders, and books of what they must have done: written from what was ordered
/// and answered, never from balances read back.
contract LienBooks is LienSuite {
    struct Entry {
        address holder;
        bool isMoney;
        bool isDefaulted;
        uint256 amount;
        uint256 enforceableFrom;
        uint256 lapsesAt;
    }

    Entry[] private _entries;

    /// What the creditor took: of papers, of money.
    uint256[2] public taken;
    uint256 public enforced;
    uint256 public released;
    uint256 public refusals;

    function setUp() public override {
        super.setUp();
        fund(stranger);
    }

    function order(uint256 seed, uint256 amount, uint256 day, uint256 end, bool isMoney) external {
        LienTerms memory terms = isMoney ? cash() : papers();
        terms.amount = bound(amount, 1, FUNDS / 3);
        terms.enforceableFrom = uint64(seed % 3 == 0 ? 0 : block.timestamp + bound(day, 0, 10 days));
        terms.lapsesAt = uint64(seed % 5 == 0 ? 0 : block.timestamp + bound(end, 10 days + 1, 20 days));
        address holder = seed % 2 == 0 ? debtor : stranger;
        vm.prank(holder);
        try liens.pledge(terms) returns (uint256 lienId) {
            _entries.push(Entry(holder, isMoney, false, terms.amount, terms.enforceableFrom, terms.lapsesAt));
            require(lienId == _entries.length, "ids in order");
        } catch {
            ++refusals;
        }
    }

    function release(uint256 seed, uint256 amount) external {
        if (_entries.length == 0) return;
        (uint256 lienId, Entry storage entry) = pick(seed);
        amount = bound(amount, 1, entry.amount + 1);
        vm.prank(creditor);
        try liens.release(lienId, amount) {
            entry.amount -= amount;
            ++released;
        } catch {
            ++refusals;
        }
    }

    function enforce(uint256 seed, uint256 amount) external {
        if (_entries.length == 0) return;
        (uint256 lienId, Entry storage entry) = pick(seed);
        amount = bound(amount, 1, entry.amount + 1);
        vm.prank(creditor);
        try liens.enforce(lienId, creditor, amount) {
            bool isDue = entry.enforceableFrom != 0 && block.timestamp >= entry.enforceableFrom;
            require(isDue || entry.isDefaulted, "enforced before its condition");
            require(entry.lapsesAt == 0 || block.timestamp < entry.lapsesAt, "enforced after its end");
            entry.amount -= amount;
            taken[entry.isMoney ? 1 : 0] += amount;
            ++enforced;
        } catch {
            ++refusals;
        }
    }

    function declareDefault(uint256 seed) external {
        if (_entries.length == 0) return;
        (uint256 lienId, Entry storage entry) = pick(seed);
        vm.prank(notary);
        try liens.declareDefault(lienId, 0) {
            entry.isDefaulted = true;
        } catch {
            ++refusals;
        }
    }

    function lapse(uint256 seed) external {
        if (_entries.length == 0) return;
        (uint256 lienId, Entry storage entry) = pick(seed);
        try liens.lapse(lienId) {
            require(entry.lapsesAt != 0 && block.timestamp >= entry.lapsesAt, "lapsed before its end");
            entry.amount = 0;
            ++released;
        } catch {
            ++refusals;
        }
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 3 days));
    }

    function assertBooks() external view {
        uint256[2] memory kept;
        uint256[2][2] memory ofHolder;
        uint256[2] memory open;
        for (uint256 i = 0; i < _entries.length; ++i) {
            Entry storage entry = _entries[i];
            uint256 token = entry.isMoney ? 1 : 0;
            uint256 holder = entry.holder == debtor ? 0 : 1;
            kept[token] += entry.amount;
            ofHolder[holder][token] += entry.amount;
            if (entry.amount > 0) ++open[holder];
            LienStatus status =
                entry.amount == 0 ? LienStatus.Closed : entry.isDefaulted ? LienStatus.Defaulted : LienStatus.Pledged;
            assertLien(i + 1, status, entry.amount);
        }
        assertEq(paper.balanceOf(address(liens), PAPER_ID), kept[0], "papers kept are those pledged");
        assertEq(money.balanceOf(address(liens)), kept[1], "money kept is that pledged");
        assertEq(paper.balanceOf(creditor, PAPER_ID), taken[0], "papers taken");
        assertEq(money.balanceOf(creditor), taken[1], "money taken");
        for (uint256 i = 0; i < 2; ++i) {
            address holder = i == 0 ? debtor : stranger;
            assertEq(liens.pledgedOf(holder, address(paper), PAPER_ID), ofHolder[i][0], "papers registered");
            assertEq(liens.pledgedOf(holder, address(money), 0), ofHolder[i][1], "money registered");
            assertEq(liens.openLienCount(holder), open[i], "open liens");
        }
        uint256 total = paper.balanceOf(debtor, PAPER_ID) + paper.balanceOf(stranger, PAPER_ID) + kept[0] + taken[0];
        assertEq(total, 2 * FUNDS, "no paper is lost");
    }

    function pick(uint256 seed) private view returns (uint256 lienId, Entry storage entry) {
        lienId = seed % _entries.length + 1;
        entry = _entries[lienId - 1];
    }
}
