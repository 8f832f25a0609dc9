// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rule, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {HoldStatus} from "../../../src/assets/token/IHolds.sol";
import {AssetSuite} from "./AssetSuite.sol";

/// @title TokenBooks
/// @notice Draws orders to a token from everybody who may give one, and keeps its own books beside it.
/// @dev Each order is a call that may be refused. Whether a holder's path succeeded is compared with what the token said
/// beforehand, and what it moved with the rules as the books know them.
contract TokenBooks is AssetSuite {
    uint256 private constant HOLDERS = 5;
    /// Record dates in a run; later orders only let time pass.
    uint256 private constant DATES = 8;

    address[] private _holders;
    bytes32[] private _activeHolds;
    uint48[] private _dates;
    uint256 private _references;
    uint256 private _balanceMax = type(uint104).max;

    /// @notice Sum of issues less sum of redemptions.
    uint256 public issued;

    /// @notice How often a path of a holder did what the rules forbid, or not what the token said beforehand.
    uint256 public violations;

    /// @notice How many transfers of any path succeeded: the books are worth nothing if none does.
    uint256 public movements;

    function setUp() public override {
        super.setUp();
        enter(carol, 3);
        enter(dave, 4);
        _holders = [alice, bob, carol, dave, stranger];
        issued = ALICE_UNITS + BOB_UNITS;
    }

    function startRules() internal pure override returns (Rule[] memory) {
        return new Rule[](0);
    }

    // What holders do.

    function pay(uint256 fromSeed, uint256 toSeed, uint256 amount) external {
        (address from, address to) = (holder(fromSeed), holder(toSeed));
        amount = bound(amount, 0, token.balanceOf(from) + 10);
        bool predicted = token.canTransfer(from, to, amount);
        judge(attempt(from, abi.encodeCall(token.transfer, (to, amount))), predicted, from, to, amount);
    }

    function payByAllowance(uint256 fromSeed, uint256 toSeed, uint256 amount) external {
        (address from, address to) = (holder(fromSeed), holder(toSeed));
        amount = bound(amount, 0, token.balanceOf(from) + 10);
        attempt(from, abi.encodeCall(token.approve, (treasurer, amount)));
        bool predicted = token.canTransfer(from, to, amount);
        bool done = attempt(treasurer, abi.encodeCall(token.transferFrom, (from, to, amount)));
        judge(done, predicted, from, to, amount);
    }

    function payInBatch(uint256 fromSeed, uint256 toSeed, uint256 amount) external {
        (address from, address to) = (holder(fromSeed), holder(toSeed));
        (address[] memory list, uint256[] memory amounts) = (new address[](1), new uint256[](1));
        (list[0], amounts[0]) = (to, bound(amount, 0, token.balanceOf(from) + 10));
        bool predicted = token.canTransfer(from, to, amounts[0]);
        bool done = attempt(from, abi.encodeCall(token.batchTransfer, (list, amounts)));
        judge(done, predicted, from, to, amounts[0]);
    }

    function promise_(uint256 fromSeed, uint256 toSeed, uint256 amount, uint256 duration) external {
        (address from, address to) = (holder(fromSeed), holder(toSeed));
        amount = bound(amount, 1, token.balanceOf(from) + 1);
        uint48 expiry = uint48(block.timestamp + bound(duration, 1, 10 days));
        bytes32 name = bytes32(++_references);
        if (attempt(from, abi.encodeCall(token.createHold, (name, to, amount, notary, expiry)))) {
            _activeHolds.push(token.holdIdOf(from, name));
        }
    }

    // What duties do.

    function execute(uint256 holdSeed, uint256 amount) external {
        if (_activeHolds.length == 0) return;
        bytes32 id = _activeHolds[holdSeed % _activeHolds.length];
        (address from, address to) = (token.holdOf(id).holder, token.holdOf(id).recipient);
        amount = bound(amount, 0, uint256(token.holdOf(id).amount) + 1);
        bool allowed = rules.canTransfer(from, to, amount) && token.canReceive(to);
        bool done = attempt(notary, abi.encodeCall(token.executeHold, (id, amount)));
        if (done && (!allowed || exceeds(from, to))) ++violations;
        if (done) ++movements;
        sweep(id);
    }

    function release(uint256 holdSeed, bool byHolder) external {
        if (_activeHolds.length == 0) return;
        bytes32 id = _activeHolds[holdSeed % _activeHolds.length];
        attempt(byHolder ? token.holdOf(id).holder : notary, abi.encodeCall(token.releaseHold, (id)));
        sweep(id);
    }

    function issue(uint256 toSeed, uint256 amount) external {
        address to = holder(toSeed);
        amount = bound(amount, 0, 1_000_000);
        if (!attempt(issuer, abi.encodeCall(token.mint, (to, amount)))) return;
        issued += amount;
        if (exceeds(address(0), to)) ++violations;
    }

    function redeem(uint256 fromSeed, uint256 amount) external {
        address from = holder(fromSeed);
        amount = bound(amount, 0, token.balanceOf(from) + 1);
        if (attempt(issuer, abi.encodeCall(token.burn, (from, amount)))) issued -= amount;
    }

    function freeze(uint256 seed, uint256 amount) external {
        attempt(agent, abi.encodeCall(token.setFrozenTokens, (holder(seed), bound(amount, 0, 2_000_000))));
    }

    function freezeWallet(uint256 seed, uint256 luck) external {
        attempt(agent, abi.encodeCall(token.setAddressFrozen, (holder(seed), luck % 4 == 0)));
    }

    function force(uint256 fromSeed, uint256 toSeed, uint256 amount) external {
        (address from, address to) = (holder(fromSeed), holder(toSeed));
        amount = bound(amount, 0, token.balanceOf(from) + 1);
        bool receives = token.canReceive(to);
        if (attempt(agent, abi.encodeCall(token.forcedTransfer, (from, to, amount))) && !receives) ++violations;
    }

    function limitBalances(uint256 max) external {
        max = bound(max, 100_000, 3_000_000);
        setRules(one(rule(RuleKind.BalanceMax, max)));
        _balanceMax = max;
    }

    function passDate(uint256 pause) external {
        uint48 date = uint48(block.timestamp);
        if (_dates.length < DATES && attempt(treasurer, abi.encodeCall(token.scheduleRecordDate, (date)))) {
            _dates.push(date);
        }
        vm.warp(block.timestamp + bound(pause, 1, 3 days));
    }

    // What is asked of the books.

    function holders() external view returns (address[] memory) {
        return _holders;
    }

    function dates() external view returns (uint48[] memory) {
        return _dates;
    }

    /// @dev Units of an account that active holds have.
    function promised(address account) external view returns (uint256 sum) {
        for (uint256 i = 0; i < _activeHolds.length; ++i) {
            if (token.holdOf(_activeHolds[i]).holder == account) sum += token.holdOf(_activeHolds[i]).amount;
        }
    }

    function asset() external view returns (address) {
        return address(token);
    }

    function holder(uint256 seed) private view returns (address) {
        return _holders[seed % HOLDERS];
    }

    function attempt(address caller, bytes memory call) private returns (bool done) {
        vm.prank(caller);
        (done,) = address(token).call(call);
    }

    function judge(bool done, bool predicted, address from, address to, uint256 amount) private {
        if (done != predicted) ++violations;
        if (done && amount != 0 && exceeds(from, to)) ++violations;
        if (done) ++movements;
    }

    /// @dev Whether a receiver now has what the rule in force forbids.
    function exceeds(address from, address to) private view returns (bool) {
        return from != to && token.balanceOf(to) > _balanceMax;
    }

    function sweep(bytes32 id) private {
        if (token.holdOf(id).status == HoldStatus.Active) return;
        for (uint256 i = 0; i < _activeHolds.length; ++i) {
            if (_activeHolds[i] != id) continue;
            _activeHolds[i] = _activeHolds[_activeHolds.length - 1];
            _activeHolds.pop();
            return;
        }
    }
}
