// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    SettlementLeg,
    SettlementSignature,
    SettlementStatus,
    SettlementTerms
} from "../../../src/assets/settlement/SettlementTypes.sol";
import {SettlementSuite} from "./SettlementSuite.sol";

/// @title SettlementBooks
/// @notice Orders drawn at random between three parties, at once and for a notary, and books of what they must have
/// done: written from what was ordered and answered, never from balances read back. What the books expect to succeed must,
/// and nothing else.
contract SettlementBooks is SettlementSuite {
    /// What the books know of an order.
    struct Entry {
        SettlementTerms terms;
        SettlementStatus status;
        /// Bit i: the giver of leg i confirmed.
        uint256 confirmed;
        /// Bit i: leg i lies in the contract.
        uint256 held;
    }

    Entry[] private _entries;
    mapping(address account => uint256 amount) private _money;
    mapping(address account => uint256 amount) private _papers;
    uint256 public executed;
    uint256 public returned;
    uint256 public refused;

    /// @dev Dust that nobody asked for.
    uint256 public dust;

    function setUp() public override {
        super.setUp();
        address[3] memory parties = [seller, buyer, third];
        for (uint256 i = 0; i < 3; ++i) {
            (_money[parties[i]], _papers[parties[i]]) = (FUNDS, 1000);
        }
    }

    function propose(uint256 seed, uint256 amount, uint256 papers, bool isForNotary) external {
        seed %= 6;
        SettlementLeg[] memory legs = new SettlementLeg[](2 + seed % 2);
        address[3] memory parties = [seller, buyer, third];
        legs[0] = paperLeg(parties[seed % 3], parties[(seed + 1) % 3], bound(papers, 1, 700));
        legs[1] = moneyLeg(parties[(seed + 1) % 3], parties[(seed + 2) % 3], bound(amount, 1, FUNDS / 2));
        if (legs.length == 3) {
            legs[2] = moneyLeg(parties[(seed + 2) % 3], parties[seed % 3], bound(amount / 3, 1, FUNDS / 2));
        }
        Entry storage entry = _entries.push();
        entry.terms.deadline = uint64(block.timestamp + 3 hours);
        entry.terms.salt = _entries.length;
        for (uint256 i = 0; i < legs.length; ++i) {
            entry.terms.legs.push(legs[i]);
        }
        if (isForNotary) (entry.terms.notary, entry.terms.expiry) = (notary, entry.terms.deadline + 2 hours);
    }

    function agree(uint256 seed, uint256 leg, bool isSigned) external {
        if (_entries.length == 0) return;
        Entry storage entry = _entries[seed % _entries.length];
        SettlementTerms memory terms = entry.terms;
        address party = terms.legs[leg % terms.legs.length].from;
        bytes memory call = abi.encodeCall(settlement.confirm, (terms));
        if (isSigned) {
            uint256 key = party == seller ? SELLER_KEY : party == buyer ? BUYER_KEY : THIRD_KEY;
            call = abi.encodeCall(settlement.confirmBySignature, (terms, list(sign(key, terms))));
        }
        if (answer(isSigned ? stranger : party, call, isAgreeable(entry, party))) bookAgreed(entry, party);
    }

    function callOff(uint256 seed, uint256 leg) external {
        if (_entries.length == 0) return;
        Entry storage entry = _entries[seed % _entries.length];
        SettlementTerms memory terms = entry.terms;
        address party = terms.legs[leg % terms.legs.length].to;
        if (answer(party, abi.encodeCall(settlement.cancel, (terms)), isOpen(entry.status))) {
            entry.status = SettlementStatus.Cancelled;
        }
    }

    function decide(uint256 seed, bool isDone) external {
        if (_entries.length == 0) return;
        Entry storage entry = _entries[seed % _entries.length];
        SettlementTerms memory terms = entry.terms;
        bytes memory call =
            isDone ? abi.encodeCall(settlement.execute, (terms)) : abi.encodeCall(settlement.release, (terms));
        bool expected = entry.status == SettlementStatus.Held && (!isDone || block.timestamp <= terms.expiry);
        if (!answer(notary, call, expected)) return;
        entry.status = isDone ? SettlementStatus.Executed : SettlementStatus.Released;
        if (!isDone) return;
        ++executed;
        entry.held = 0;
        bookMoved(terms, false, true, type(uint256).max);
    }

    function giveBack(uint256 seed, uint256 legs) external {
        if (_entries.length == 0) return;
        Entry storage entry = _entries[seed % _entries.length];
        SettlementTerms memory terms = entry.terms;
        legs = bound(legs, 1, 7);
        bool isExpired = entry.status == SettlementStatus.Held && block.timestamp > terms.expiry;
        bool isOver = isExpired || entry.status == SettlementStatus.Released || entry.status == SettlementStatus.Expired;
        bool expected = isOver && entry.held & legs == legs;
        if (!answer(stranger, abi.encodeCall(settlement.giveBack, (terms, uint16(legs))), expected)) return;
        if (isExpired) entry.status = SettlementStatus.Expired;
        entry.held &= ~legs;
        ++returned;
        bookMoved(terms, false, false, legs);
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 1 hours));
    }

    function litter(uint256 amount) external {
        amount = bound(amount, 1, 9);
        money.mint(address(settlement), amount);
        dust += amount;
    }

    function assertBooks() external view {
        address[3] memory parties = [seller, buyer, third];
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(money.balanceOf(parties[i]), _money[parties[i]], "money");
            assertEq(paper.balanceOf(parties[i], PAPER_ID), _papers[parties[i]], "papers");
        }
        uint256 keptMoney = dust;
        uint256 keptPapers;
        for (uint256 i = 0; i < _entries.length; ++i) {
            Entry storage entry = _entries[i];
            assertOrder(entry.terms, entry.status, uint16(entry.confirmed), uint16(entry.held));
            for (uint256 leg = 0; leg < entry.terms.legs.length; ++leg) {
                if (entry.held & (1 << leg) == 0) continue;
                if (leg == 0) keptPapers += entry.terms.legs[leg].amount;
                else keptMoney += entry.terms.legs[leg].amount;
            }
        }
        assertEq(money.balanceOf(address(settlement)), keptMoney, "money kept is that of held orders");
        assertEq(paper.balanceOf(address(settlement), PAPER_ID), keptPapers, "papers kept are those of held orders");
    }

    function bookAgreed(Entry storage entry, address party) private {
        entry.status = SettlementStatus.Open;
        uint256 all = (1 << entry.terms.legs.length) - 1;
        for (uint256 i = 0; i < entry.terms.legs.length; ++i) {
            if (entry.terms.legs[i].from == party) entry.confirmed |= 1 << i;
        }
        if (entry.confirmed != all) return;
        if (entry.terms.notary == address(0)) {
            entry.status = SettlementStatus.Executed;
            ++executed;
            bookMoved(entry.terms, true, true, all);
        } else {
            (entry.status, entry.held) = (SettlementStatus.Held, all);
            bookMoved(entry.terms, true, false, 0);
        }
    }

    function answer(address caller, bytes memory call, bool expected) private returns (bool answered) {
        vm.prank(caller);
        (answered,) = address(settlement).call(call);
        require(answered == expected, expected ? "refused what is due" : "did what is not due");
        if (!answered) ++refused;
    }

    /// @dev Whether a giver may confirm now; the last one only if all legs are covered.
    function isAgreeable(Entry storage entry, address party) private view returns (bool) {
        if (!isOpen(entry.status) || block.timestamp > entry.terms.deadline) return false;
        uint256 confirmed = entry.confirmed;
        for (uint256 i = 0; i < entry.terms.legs.length; ++i) {
            if (entry.terms.legs[i].from != party) continue;
            if (entry.confirmed & (1 << i) != 0) return false;
            confirmed |= 1 << i;
        }
        return confirmed != (1 << entry.terms.legs.length) - 1 || isCovered(entry);
    }

    /// @dev Whether each giver has what it gives. At once, the third leg may give what the second brought.
    function isCovered(Entry storage entry) private view returns (bool) {
        SettlementLeg[] storage legs = entry.terms.legs;
        if (_papers[legs[0].from] < legs[0].amount || _money[legs[1].from] < legs[1].amount) return false;
        if (legs.length == 2) return true;
        uint256 brought = entry.terms.notary == address(0) ? legs[1].amount : 0;
        return _money[legs[2].from] + brought >= legs[2].amount;
    }

    /// @dev Books legs: from their givers if `isTaken`, and to the receivers, or to the givers, of the legs `arriving`.
    function bookMoved(SettlementTerms memory terms, bool isTaken, bool isToReceivers, uint256 arriving) private {
        for (uint256 i = 0; i < terms.legs.length; ++i) {
            SettlementLeg memory leg = terms.legs[i];
            mapping(address account => uint256) storage book = i == 0 ? _papers : _money;
            if (isTaken) book[leg.from] -= leg.amount;
            if (arriving & (1 << i) != 0) book[isToReceivers ? leg.to : leg.from] += leg.amount;
        }
    }

    function isOpen(SettlementStatus status) private pure returns (bool) {
        return status == SettlementStatus.None || status == SettlementStatus.Open;
    }
}
