// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LienStatus, LienTerms} from "../../../src/assets/settlement/LienTypes.sol";
import {LienSuite} from "./LienSuite.sol";

/// @title LienBooks
/// @notice Pledges drawn at random of two holders, and books of what they must have done: written from what was ordered
/// and answered, never from balances read back. What the books expect to succeed must, and nothing else.
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
    /// What a holder has left to pledge: of papers, of money.
    mapping(address holder => uint256[2] amounts) private _left;

    /// What the creditor took: of papers, of money.
    uint256[2] public taken;
    uint256 public enforced;
    uint256 public released;
    uint256 public refusals;

    function setUp() public override {
        super.setUp();
        fund(stranger);
        (_left[debtor], _left[stranger]) = ([FUNDS, FUNDS], [FUNDS, FUNDS]);
    }

    function order(uint256 seed, uint256 amount, uint256 day, uint256 end, bool isMoney) external {
        LienTerms memory terms = isMoney ? cash() : papers();
        terms.amount = bound(amount, 1, FUNDS / 3);
        terms.enforceableFrom = uint64(seed % 3 == 0 ? 0 : block.timestamp + bound(day, 0, 10 days));
        terms.lapsesAt = uint64(seed % 5 == 0 ? 0 : block.timestamp + bound(end, 10 days + 1, 20 days));
        address holder = seed % 2 == 0 ? debtor : stranger;
        uint256 token = isMoney ? 1 : 0;
        if (!answer(holder, abi.encodeCall(liens.pledge, (terms)), terms.amount <= _left[holder][token])) return;
        _entries.push(Entry(holder, isMoney, false, terms.amount, terms.enforceableFrom, terms.lapsesAt));
        _left[holder][token] -= terms.amount;
        assertEq(liens.totalLiens(), _entries.length, "ids in order");
    }

    function release(uint256 seed, uint256 amount) external {
        if (_entries.length == 0) return;
        (uint256 lienId, Entry storage entry) = pick(seed);
        amount = bound(amount, 1, entry.amount + 1);
        if (!answer(creditor, abi.encodeCall(liens.release, (lienId, amount)), amount <= entry.amount)) return;
        entry.amount -= amount;
        _left[entry.holder][entry.isMoney ? 1 : 0] += amount;
        ++released;
    }

    function enforce(uint256 seed, uint256 amount) external {
        if (_entries.length == 0) return;
        (uint256 lienId, Entry storage entry) = pick(seed);
        amount = bound(amount, 1, entry.amount + 1);
        bool isDue = entry.isDefaulted || (entry.enforceableFrom != 0 && block.timestamp >= entry.enforceableFrom);
        bool expected = amount <= entry.amount && isDue && !isOver(entry);
        if (!answer(creditor, abi.encodeCall(liens.enforce, (lienId, creditor, amount)), expected)) return;
        entry.amount -= amount;
        taken[entry.isMoney ? 1 : 0] += amount;
        ++enforced;
    }

    function declareDefault(uint256 seed) external {
        if (_entries.length == 0) return;
        (uint256 lienId, Entry storage entry) = pick(seed);
        bool expected = entry.amount != 0 && !entry.isDefaulted && !isOver(entry);
        if (answer(notary, abi.encodeCall(liens.declareDefault, (lienId, 0)), expected)) entry.isDefaulted = true;
    }

    function lapse(uint256 seed) external {
        if (_entries.length == 0) return;
        (uint256 lienId, Entry storage entry) = pick(seed);
        bool expected = entry.amount != 0 && isOver(entry);
        if (!answer(stranger, abi.encodeCall(liens.lapse, (lienId)), expected)) return;
        _left[entry.holder][entry.isMoney ? 1 : 0] += entry.amount;
        entry.amount = 0;
        ++released;
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

    function answer(address caller, bytes memory call, bool expected) private returns (bool answered) {
        vm.prank(caller);
        (answered,) = address(liens).call(call);
        require(answered == expected, expected ? "refused what is due" : "did what is not due");
        if (!answered) ++refusals;
    }

    function isOver(Entry storage entry) private view returns (bool) {
        return entry.lapsesAt != 0 && block.timestamp >= entry.lapsesAt;
    }

    function pick(uint256 seed) private view returns (uint256 lienId, Entry storage entry) {
        lienId = seed % _entries.length + 1;
        entry = _entries[lienId - 1];
    }
}
