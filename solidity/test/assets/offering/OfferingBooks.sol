// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rule} from "../../../src/assets/compliance/RuleBook.sol";
import {Offering, OfferingStatus, OfferingTerms, OrderStatus} from "../../../src/assets/offering/OfferingTypes.sol";
import {OfferingSuite} from "./OfferingSuite.sol";

/// @title OfferingBooks
/// @notice Orders drawn at random in offerings one after another, and books of what they must have done: written from
/// what was ordered and answered, never from balances or orders read back. What the books expect to succeed must.
contract OfferingBooks is OfferingSuite {
    struct Entry {
        OfferingTerms terms;
        OfferingStatus status;
        address[] queue;
        uint256 passed;
        uint256 lotsAllotted;
        uint256 proceeds;
    }

    struct OrderEntry {
        uint256 lots;
        uint256 part;
        uint256 paidIn;
        uint256 paidBack;
        bool isIssued;
    }

    Entry[] private _entries;
    mapping(uint256 offering => mapping(address investor => OrderEntry)) private _orders;
    mapping(address account => uint256) private _money;
    mapping(address account => uint256) private _units;
    mapping(address account => bool) private _isFrozen;
    uint256 public dust;
    uint256 public done;
    uint256 public refusals;

    function setUp() public override {
        super.setUp();
        address[4] memory all = investors();
        for (uint256 i = 0; i < 4; ++i) {
            _money[all[i]] = FUNDS;
        }
        (_units[alice], _units[bob]) = (ALICE_UNITS, BOB_UNITS);
        offer(700, 50);
    }

    function startRules() internal pure override returns (Rule[] memory) {
        return new Rule[](0);
    }

    function offer(uint256 cap, uint256 minimum) public {
        if (_entries.length == 8) return;
        OfferingTerms memory terms = prospectus();
        terms.opensAt = uint48(block.timestamp);
        (terms.closesAt, terms.issueBy) = (terms.opensAt + 3 days, terms.opensAt + 6 days);
        terms.lotsMax = uint64(bound(cap, 2, LOTS_MAX));
        terms.lotsMin = uint64(bound(minimum, 0, terms.lotsMax / 2));
        terms.orderLotsMax = terms.lotsMax;
        announce(terms);
        Entry storage entry = _entries.push();
        (entry.terms, entry.status) = (terms, OfferingStatus.Open);
    }

    function order(uint256 seed, uint256 who, uint64 lots) external {
        (uint256 n, Entry storage entry, address investor) = draw(seed, who);
        lots = uint64(bound(lots, 1, LOTS_MAX));
        OrderEntry storage ordered = _orders[n][investor];
        bool expected =
            isOpen(entry) && ordered.lots == 0 && !_isFrozen[investor] && lots >= 2 && lots <= entry.terms.orderLotsMax;
        if (!answer(investor, abi.encodeCall(offerings.placeOrder, (n + 1, lots)), expected)) return;
        entry.queue.push(investor);
        (ordered.lots, ordered.paidIn) = (lots, lots * uint256(LOT_PRICE));
        _money[investor] -= ordered.paidIn;
    }

    function withdraw(uint256 seed, uint256 who, bool isOwn) external {
        (uint256 n, Entry storage entry, address investor) = draw(seed, who);
        OrderEntry storage ordered = _orders[n][investor];
        bytes memory call = abi.encodeCall(offerings.withdrawOrder, (n + 1, investor));
        if (!answer(isOwn ? investor : stranger, call, isOwn && isOpen(entry) && ordered.lots != 0)) return;
        _money[investor] += ordered.paidIn;
        delete _orders[n][investor];
        address[] storage queue = entry.queue;
        for (uint256 i = 0; i < queue.length; ++i) {
            if (queue[i] == investor) queue[i] = queue[queue.length - 1];
        }
        queue.pop();
    }

    function allotSome(uint256 seed, uint256 count) external {
        (uint256 n, Entry storage entry,) = draw(seed, 0);
        count = bound(count, 1, 3);
        bool isTime = block.timestamp >= entry.terms.closesAt && block.timestamp < entry.terms.issueBy;
        bool expected = entry.status == OfferingStatus.Open && isTime;
        if (!answer(issuer, abi.encodeCall(offerings.allot, (n + 1, count)), expected)) return;
        uint256 ordered = sumOfQueue(n, entry, entry.queue.length);
        if (ordered < entry.terms.lotsMin) {
            entry.status = OfferingStatus.Failed;
            return;
        }
        for (; count != 0 && entry.passed < entry.queue.length; --count) {
            bookPart(n, entry, ordered);
        }
        if (entry.passed < entry.queue.length) return;
        bool isReached = entry.lotsAllotted >= entry.terms.lotsMin;
        entry.status = isReached ? OfferingStatus.Allotted : OfferingStatus.Failed;
    }

    function issue(uint256 seed, uint256 who, bool isBatch) external {
        (uint256 n, Entry storage entry, address investor) = draw(seed, who);
        OrderEntry storage ordered = _orders[n][investor];
        bool expected = entry.status == OfferingStatus.Allotted && block.timestamp < entry.terms.issueBy
            && ordered.part != 0 && !ordered.isIssued && !_isFrozen[investor];
        if (isBatch) {
            bool wasDone = offerings.issueMany(n + 1, list(investor)) == 1;
            require(wasDone == expected, "a batch does what one call does");
            if (!wasDone) return;
        } else if (!answer(stranger, abi.encodeCall(offerings.issue, (n + 1, investor)), expected)) {
            return;
        }
        ordered.isIssued = true;
        entry.proceeds += ordered.part * LOT_PRICE;
        _units[investor] += ordered.part * LOT_UNITS;
    }

    function refund(uint256 seed, uint256 who) external {
        (uint256 n, Entry storage entry, address investor) = draw(seed, who);
        OrderEntry storage ordered = _orders[n][investor];
        uint256 amount = owed(entry, ordered);
        assertEq(offerings.refundableTo(n + 1, investor), amount, "what is refundable");
        if (!answer(stranger, abi.encodeCall(offerings.refund, (n + 1, investor)), amount != 0)) return;
        ordered.paidBack += amount;
        _money[investor] += amount;
    }

    function collect(uint256 seed) external {
        (uint256 n, Entry storage entry,) = draw(seed, 0);
        if (!answer(stranger, abi.encodeCall(offerings.payProceeds, (n + 1)), entry.proceeds != 0)) return;
        _money[proceedsAccount] += entry.proceeds;
        entry.proceeds = 0;
    }

    function callOff(uint256 seed, bool isIssuer) external {
        (uint256 n, Entry storage entry,) = draw(seed, 0);
        bool isLate = block.timestamp >= entry.terms.issueBy;
        bool expected = entry.status == OfferingStatus.Open && (isLate || (isIssuer && entry.passed == 0));
        // An issuer that always changes its mind would leave nothing to look at.
        if (expected && !isLate && seed % 5 != 0) return;
        address caller = isIssuer ? issuer : stranger;
        if (answer(caller, abi.encodeCall(offerings.cancel, (n + 1)), expected)) {
            entry.status = OfferingStatus.Cancelled;
        }
    }

    function freeze(uint256 who) external {
        address investor = investors()[who % 4];
        _isFrozen[investor] = !_isFrozen[investor];
        vm.prank(agent);
        token.setAddressFrozen(investor, _isFrozen[investor]);
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 36 hours));
    }

    function litter(uint256 amount) external {
        amount = bound(amount, 1, 9);
        money.mint(address(offerings), amount);
        dust += amount;
    }

    function assertBooks() external view {
        address[4] memory all = investors();
        uint256 kept = dust;
        for (uint256 n = 0; n < _entries.length; ++n) {
            kept += assertOffering(n, _entries[n], all);
        }
        assertEq(money.balanceOf(address(offerings)), kept, "the contract keeps what it owes");
        assertEq(money.balanceOf(proceedsAccount), _money[proceedsAccount], "proceeds");
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(money.balanceOf(all[i]), _money[all[i]], "money of an investor");
            assertEq(token.balanceOf(all[i]), _units[all[i]], "units of an investor");
        }
    }

    /// @dev Returns what is owed to investors and issuer.
    function assertOffering(uint256 n, Entry storage entry, address[4] memory all) private view returns (uint256) {
        Offering memory offering = offerings.getOffering(n + 1);
        (uint256 escrow, uint256 allotted, uint256 issued) = (0, 0, 0);
        for (uint256 i = 0; i < 4; ++i) {
            OrderEntry storage ordered = _orders[n][all[i]];
            uint256 earned = ordered.isIssued ? ordered.part * LOT_PRICE : 0;
            escrow += ordered.paidIn - ordered.paidBack - earned;
            if (ordered.isIssued) issued += ordered.part;
            allotted += offerings.getOrder(n + 1, all[i]).lotsAllotted;
        }
        assertEq(uint256(offering.status), uint256(entry.status), "status");
        assertEq(offering.escrow, escrow, "escrow is what investors are owed");
        assertEq(offering.proceeds, entry.proceeds, "proceeds are what the issuer is owed");
        assertEq(offering.lotsIssued, issued, "lots issued");
        assertEq(offering.lotsAllotted, allotted, "lots allotted");
        assertLe(offering.lotsAllotted, entry.terms.lotsMax, "the cap");
        return escrow + entry.proceeds;
    }

    /// @dev Makes a call, which must succeed exactly if the books expect it.
    function answer(address caller, bytes memory call, bool expected) private returns (bool answered) {
        vm.prank(caller);
        (answered,) = address(offerings).call(call);
        require(answered == expected, expected ? "refused what is due" : "did what is not due");
        if (answered) ++done;
        else ++refusals;
    }

    function draw(uint256 seed, uint256 who) private view returns (uint256 n, Entry storage entry, address investor) {
        n = seed % _entries.length;
        (entry, investor) = (_entries[n], investors()[who % 4]);
    }

    function isOpen(Entry storage entry) private view returns (bool) {
        return entry.status == OfferingStatus.Open && block.timestamp < entry.terms.closesAt;
    }

    /// @dev The naive twin of the allotment: shares of the sums of the queue.
    function bookPart(uint256 n, Entry storage entry, uint256 ordered) private {
        uint256 cap = entry.terms.lotsMax;
        (uint256 before, uint256 upTo) = (sumOfQueue(n, entry, entry.passed), sumOfQueue(n, entry, entry.passed + 1));
        address investor = entry.queue[entry.passed++];
        uint256 part = ordered <= cap ? upTo - before : upTo * cap / ordered - before * cap / ordered;
        if (_isFrozen[investor]) part = 0;
        _orders[n][investor].part = part;
        entry.lotsAllotted += part;
    }

    function sumOfQueue(uint256 n, Entry storage entry, uint256 count) private view returns (uint256 sum) {
        for (uint256 i = 0; i < count; ++i) {
            sum += _orders[n][entry.queue[i]].lots;
        }
    }

    function owed(Entry storage entry, OrderEntry storage ordered) private view returns (uint256) {
        bool isOver = entry.status == OfferingStatus.Failed || entry.status == OfferingStatus.Cancelled;
        uint256 rest = ordered.paidIn - ordered.paidBack - (ordered.isIssued ? ordered.part * LOT_PRICE : 0);
        if (isOver) return rest;
        if (entry.status != OfferingStatus.Allotted) return 0;
        bool isWaiting = ordered.part != 0 && !ordered.isIssued;
        return isWaiting && block.timestamp < entry.terms.issueBy ? 0 : rest;
    }
}
