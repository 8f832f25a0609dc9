// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    CashAction,
    CashActionKind,
    CashActionStatus,
    CashActionTerms
} from "../../../src/assets/actions/CashActionTypes.sol";
import {Rule} from "../../../src/assets/compliance/RuleBook.sol";
import {ActionSuite} from "./ActionSuite.sol";
import {SelectiveMoney} from "./HostileMoney.sol";

/// @title ActionBooks
/// @notice Payments drawn at random among holders who trade, and books of what they must have done: written from what
/// was ordered and answered, never from balances read back. Units of a record date are those of the books when its last
/// second was over. What the books expect to succeed must, and nothing else.
contract ActionBooks is ActionSuite {
    struct Entry {
        CashActionTerms terms;
        CashActionStatus status;
        uint256 supply;
        uint256 settled;
        uint256 kept;
        uint256 payments;
        uint256 total;
        uint256 paid;
        bool isOver;
    }

    SelectiveMoney public selective;
    Entry[] private _entries;
    mapping(uint256 action => mapping(address holder => uint256)) private _due;
    mapping(address account => uint256) private _units;
    mapping(address account => uint256) private _money;
    mapping(address account => uint256) private _held;
    mapping(address account => bool) private _isBlocked;
    uint256 private _holds;
    uint256 public dust;
    uint256 public done;
    uint256 public refusals;

    function setUp() public override {
        super.setUp();
        selective = new SelectiveMoney();
        provide(selective);
        (_units[alice], _units[bob]) = (ALICE_UNITS, BOB_UNITS);
        (_units[carol], _units[depository]) = (CAROL_UNITS, DEPOT_UNITS);
        _money[treasurer] = FUNDS;
        plan(0, 137, 100, 0);
    }

    function startRules() internal pure override returns (Rule[] memory) {
        return new Rule[](0);
    }

    /// @dev A payment whose record date is soon.
    function plan(uint256 kind, uint256 money_, uint256 lot, uint256 burn) public {
        if (_entries.length == 5) return;
        CashActionTerms memory terms = coupon();
        terms.currency = address(selective);
        terms.recordDate = uint48(block.timestamp + 6 hours);
        (terms.payableFrom, terms.claimsEnd) = (terms.recordDate + 6 hours, terms.recordDate + 6 hours + 30 days);
        terms.kind = CashActionKind(kind % 4);
        (terms.moneyPerLot, terms.lotUnits) = (uint128(bound(money_, 1, 1e9)), uint104(bound(lot, 1, 1e6)));
        if (terms.kind == CashActionKind.Redemption) terms.burnPerLot = terms.lotUnits;
        if (terms.kind == CashActionKind.Amortisation) terms.burnPerLot = uint104(burn % terms.lotUnits);
        if (!token.isRecordDate(terms.recordDate)) scheduleRecordDate(terms.recordDate);
        announce(terms);
        Entry storage entry = _entries.push();
        (entry.terms, entry.status) = (terms, CashActionStatus.Approved);
    }

    function trade(uint256 from, uint256 to, uint256 amount) external {
        (address sender, address receiver) = (holderOf(from), holderOf(to));
        amount = bound(amount, 0, _units[sender] - _held[sender]);
        transfer(sender, receiver, amount);
        _units[sender] -= amount;
        _units[receiver] += amount;
    }

    /// @dev Units that are held until the end of all days: they count, and cannot be burnt.
    function promise_(uint256 who, uint256 amount) external {
        address holder = holderOf(who);
        uint256 free = _units[holder] - _held[holder];
        if (free == 0) return;
        amount = bound(amount, 1, free / 8 + 1);
        vm.prank(holder);
        token.createHold(bytes32(++_holds), carol, amount, notary, type(uint48).max);
        _held[holder] += amount;
    }

    function payIn(uint256 seed) external {
        (uint256 n, Entry storage entry) = draw(seed);
        bool expected = entry.status == CashActionStatus.Approved && entry.isOver;
        if (!answer(treasurer, abi.encodeCall(actions.fund, (n + 1)), expected)) return;
        entry.status = CashActionStatus.Funded;
        entry.total = entry.supply * entry.terms.moneyPerLot / entry.terms.lotUnits;
        entry.kept = entry.total;
        _money[treasurer] -= entry.total;
    }

    function claim(uint256 seed, uint256 who, bool isBatch) external {
        (uint256 n, Entry storage entry) = draw(seed);
        address holder = holderOf(who);
        uint256 units = _due[n][holder];
        if (entry.isOver) assertEq(actions.unsettledOf(n + 1, holder), units, "units of the record date, unpaid");
        bool expected = isPayable(entry, holder, holder, units) && holder != depository;
        if (isBatch) {
            bool wasDone = actions.settleMany(n + 1, list(holder)) == 1;
            require(wasDone == expected, "a batch does what one call does");
            if (!wasDone) return;
        } else if (!answer(stranger, abi.encodeCall(actions.settle, (n + 1, holder)), expected)) {
            return;
        }
        bookPaid(n, entry, holder, holder, units);
    }

    function claimThrough(uint256 seed, uint256 who, uint256 units) external {
        (uint256 n, Entry storage entry) = draw(seed);
        address owner = holderOf(who);
        units = bound(units, 1, DEPOT_UNITS);
        vm.prank(agent);
        actions.nameOwner(n + 1, depository, owner, units);
        bool expected =
            isPayable(entry, depository, owner, units) && owner != depository && units <= _due[n][depository];
        bytes memory call = abi.encodeCall(actions.settleThrough, (n + 1, depository, owner, units));
        if (answer(treasurer, call, expected)) bookPaid(n, entry, depository, owner, units);
    }

    function end(uint256 seed) external {
        (uint256 n, Entry storage entry) = draw(seed);
        bool isEnd = entry.settled == entry.supply || block.timestamp >= entry.terms.claimsEnd;
        bool expected = entry.status == CashActionStatus.Funded && isEnd;
        if (!answer(treasurer, abi.encodeCall(actions.close, (n + 1)), expected)) return;
        entry.status = CashActionStatus.Closed;
        if (entry.settled == entry.supply) {
            require(entry.kept <= entry.payments, "rounding leaves less than a unit of money for each payment");
        }
        _money[issuerAccount] += entry.kept;
        entry.kept = 0;
    }

    function callOff(uint256 seed) external {
        (uint256 n, Entry storage entry) = draw(seed);
        bool expected = entry.status == CashActionStatus.Approved && !entry.isOver;
        if (expected && seed % 4 != 0) return;
        if (answer(treasurer, abi.encodeCall(actions.cancel, (n + 1)), expected)) {
            entry.status = CashActionStatus.Cancelled;
        }
    }

    function blockPayee(uint256 who) external {
        address holder = holderOf(who);
        _isBlocked[holder] = !_isBlocked[holder];
        selective.block_(holder, _isBlocked[holder]);
    }

    function litter(uint256 amount) external {
        amount = bound(amount, 1, 9);
        selective.mint(address(actions), amount);
        dust += amount;
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + (time % 8 == 7 ? 31 days : bound(time, 1, 8 hours)));
        for (uint256 n = 0; n < _entries.length; ++n) {
            Entry storage entry = _entries[n];
            if (entry.isOver || block.timestamp <= entry.terms.recordDate) continue;
            entry.isOver = true;
            for (uint256 i = 0; i < 5; ++i) {
                _due[n][holderOf(i)] = _units[holderOf(i)];
                entry.supply += _units[holderOf(i)];
            }
        }
    }

    function assertBooks() external view {
        uint256 kept = dust;
        for (uint256 n = 0; n < _entries.length; ++n) {
            Entry storage entry = _entries[n];
            CashAction memory action = actions.getAction(n + 1);
            assertEq(uint256(action.status), uint256(entry.status), "status");
            assertEq(action.funded, entry.total, "paid in");
            assertEq(action.paid, entry.paid, "paid out");
            assertEq(action.unitsSettled, entry.settled, "units settled");
            assertLe(entry.paid, entry.total, "never more than the total");
            kept += entry.kept;
        }
        assertEq(selective.balanceOf(address(actions)), kept, "the contract keeps what it owes");
        assertEq(selective.balanceOf(treasurer), _money[treasurer], "the treasurer's money");
        assertEq(selective.balanceOf(issuerAccount), _money[issuerAccount], "remainders");
        uint256 supply;
        for (uint256 i = 0; i < 5; ++i) {
            address holder = holderOf(i);
            assertEq(selective.balanceOf(holder), _money[holder], "a holder's money");
            assertEq(token.balanceOf(holder), _units[holder], "a holder's units");
            supply += _units[holder];
        }
        assertEq(token.totalSupply(), supply, "supply");
    }

    function answer(address caller, bytes memory call, bool expected) private returns (bool answered) {
        vm.prank(caller);
        (answered,) = address(actions).call(call);
        require(answered == expected, expected ? "refused what is due" : "did what is not due");
        if (answered) ++done;
        else ++refusals;
    }

    function bookPaid(uint256 n, Entry storage entry, address holder, address to, uint256 units) private {
        uint256 amount = units * entry.terms.moneyPerLot / entry.terms.lotUnits;
        uint256 burnt = burnOf(entry, units);
        _due[n][holder] -= units;
        entry.settled += units;
        entry.paid += amount;
        entry.kept -= amount;
        ++entry.payments;
        _money[to] += amount;
        _units[_units[holder] >= burnt ? holder : to] -= burnt;
    }

    function isPayable(Entry storage entry, address holder, address to, uint256 units) private view returns (bool) {
        if (entry.status != CashActionStatus.Funded || block.timestamp < entry.terms.payableFrom) return false;
        bool isMoneyDue = units * entry.terms.moneyPerLot / entry.terms.lotUnits != 0;
        if (units == 0 || (isMoneyDue && _isBlocked[to])) return false;
        uint256 burnt = burnOf(entry, units);
        address source = _units[holder] >= burnt ? holder : to;
        return _units[source] - _held[source] >= burnt;
    }

    function burnOf(Entry storage entry, uint256 units) private view returns (uint256) {
        return units * entry.terms.burnPerLot / entry.terms.lotUnits;
    }

    function draw(uint256 seed) private view returns (uint256 n, Entry storage entry) {
        n = seed % _entries.length;
        entry = _entries[n];
    }

    function holderOf(uint256 who) private view returns (address) {
        return [alice, bob, carol, dave, depository][who % 5];
    }
}
