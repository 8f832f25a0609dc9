// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rule} from "../../../src/assets/compliance/RuleBook.sol";
import {InvestorClass} from "../../../src/assets/identity/Identity.sol";
import {HoldStatus} from "../../../src/assets/token/IHolds.sol";
import {RuleTwin} from "./RuleTwin.sol";

/// @title TokenBooks
/// @notice Draws orders to a token from everybody who may give one, and keeps its own books beside it.
/// @dev Each order is a call that may be refused. Whether a holder's path succeeded is compared with what the token said
/// beforehand, and what it moved with rules, registry and freezes as the books know them.
contract TokenBooks is RuleTwin {
    /// Four investors and a stranger; after them stand wallets that take the place of lost ones.
    uint256 private constant PEOPLE = 5;
    uint256 private constant HOLDERS = 9;
    /// Record dates in a run; later orders only let time pass.
    uint256 private constant DATES = 8;

    address[] private _holders;
    bytes32[] private _activeHolds;
    uint48[] private _dates;
    uint256 private _references;
    /// Lost wallets whose investor was under a freeze, or not, when the first recovery came.
    mapping(address wallet => bool) private _isRecovered;

    /// @notice Sum of issues less sum of redemptions.
    uint256 public issued;

    /// @notice How often a path of a holder did what the rules forbid, or not what the token said beforehand.
    uint256 public violations;

    /// @notice How many recoveries succeeded.
    uint256 public recoveries;

    /// @notice How many transfers of any path succeeded: the books are worth nothing if none does.
    uint256 public movements;

    function setUp() public override {
        super.setUp();
        enter(carol, 3);
        enter(dave, 4);
        _holders = [alice, bob, carol, dave, stranger];
        for (uint256 i = 0; i < 4; ++i) {
            meet(_holders[i], i + 1);
            _holders.push(address(uint160(0x5BA2E0 + i)));
        }
        drawVersion(16, 0);
        issued = ALICE_UNITS + BOB_UNITS;
    }

    function startRules() internal pure override returns (Rule[] memory) {
        return new Rule[](0);
    }

    // What holders do.

    function pay(uint256 fromSeed, uint256 toSeed, uint256 amount) external {
        (address from, address to) = (holder(fromSeed), holder(toSeed));
        amount = bound(amount, 0, token.balanceOf(from) + 10);
        judge(from, abi.encodeCall(token.transfer, (to, amount)), from, to, amount);
    }

    function payByAllowance(uint256 fromSeed, uint256 toSeed, uint256 amount) external {
        (address from, address to) = (holder(fromSeed), holder(toSeed));
        amount = bound(amount, 0, token.balanceOf(from) + 10);
        attempt(from, abi.encodeCall(token.approve, (treasurer, amount)));
        judge(treasurer, abi.encodeCall(token.transferFrom, (from, to, amount)), from, to, amount);
    }

    function payInBatch(uint256 fromSeed, uint256 toSeed, uint256 amount) external {
        (address from, address to) = (holder(fromSeed), holder(toSeed));
        (address[] memory list, uint256[] memory amounts) = (new address[](1), new uint256[](1));
        (list[0], amounts[0]) = (to, bound(amount, 0, token.balanceOf(from) + 10));
        judge(from, abi.encodeCall(token.batchTransfer, (list, amounts)), from, to, amounts[0]);
    }

    function payApproved(uint256 fromSeed, uint256 toSeed, uint256 amount) external {
        (address from, address to) = (holder(fromSeed), holder(toSeed));
        amount = bound(amount, 0, token.balanceOf(from));
        approveOnce(from, to, amount);
        judge(from, abi.encodeCall(token.transfer, (to, amount)), from, to, amount);
    }

    function promise_(uint256 fromSeed, uint256 toSeed, uint256 amount, uint256 duration) external {
        (address from, address to) = (holder(fromSeed), holder(toSeed));
        amount = bound(amount, 1, token.balanceOf(from) + 1);
        uint48 expiry = uint48(block.timestamp + bound(duration, 1, 10 days));
        bytes32 name = bytes32(++_references);
        bool mayPromise = successor[from] == address(0) && !token.isFrozen(from) && !token.paused();
        if (!attempt(from, abi.encodeCall(token.createHold, (name, to, amount, notary, expiry)))) return;
        if (!mayPromise) ++violations;
        _activeHolds.push(token.holdIdOf(from, name));
    }

    // What duties do.

    function execute(uint256 holdSeed, uint256 amount) external {
        if (_activeHolds.length == 0) return;
        bytes32 id = _activeHolds[holdSeed % _activeHolds.length];
        (address from, address to) = (token.holdOf(id).holder, token.holdOf(id).recipient);
        amount = bound(amount, 0, uint256(token.holdOf(id).amount) + 1);
        uint256 held = token.holdOf(id).amount;
        bool expected = amount != 0 && amount <= held && block.timestamp < token.holdOf(id).expiry && !token.paused()
            && token.canReceive(to) && rules.canTransfer(from, to, amount);
        bool forbidden = isForbidden(from, to, amount);
        bool done = attempt(notary, abi.encodeCall(token.executeHold, (id, amount)));
        if (done != expected || (done && forbidden)) ++violations;
        if (done) {
            enterMovement(from, to, amount);
            ++movements;
        }
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
        bool forbidden = isForbidden(address(0), to, amount) || token.isFrozen(to);
        if (!attempt(issuer, abi.encodeCall(token.mint, (to, amount)))) return;
        issued += amount;
        enterMovement(address(0), to, amount);
        if (forbidden) ++violations;
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
        if (!attempt(agent, abi.encodeCall(token.forcedTransfer, (from, to, amount)))) return;
        if (!receives) ++violations;
        if (amount != 0) enterMovement(from, to, amount);
    }

    /// @dev One version in two has a holding period, one in four each of the other rules: with all of them nothing moves.
    function setVersion(uint256 kinds, uint256 limit) external {
        drawVersion(((kinds & (kinds >> 7)) | (kinds & 16)) % 128, limit);
    }

    function pauseOrNot(uint256 luck) external {
        bool pauses = luck % 8 == 0;
        attempt(agent, pauses ? abi.encodeCall(token.pause, ()) : abi.encodeCall(token.unpause, ()));
    }

    function change(uint256 seed, uint256 luck) external {
        address account = holder(seed);
        if (isMember[account]) changeInvestor(account, luck % 4 == 0, InvestorClass(1 + luck % 3));
    }

    function removeOrNot(uint256 seed) external {
        address account = holder(seed);
        if (numberOf[account] != 0 && successor[account] == address(0)) toggleMember(account);
    }

    /// @dev The investor of a wallet loses it, sometimes right after an order to freeze it, and has another, of which there
    /// are not many.
    function lose(uint256 seed, uint256 luck) external {
        address lost = holder(seed);
        if (luck % 2 == 0) attempt(agent, abi.encodeCall(token.setAddressFrozen, (lost, true)));
        for (uint256 i = PEOPLE; i < HOLDERS && isMember[lost]; ++i) {
            if (numberOf[_holders[i]] == 0) replaceWallet(lost, _holders[i]);
        }
    }

    /// @dev What was lost goes where its investor is, and so do freezes.
    function recover(uint256 seed) external {
        address lost = holder(seed);
        address found = lost;
        while (successor[found] != address(0)) found = successor[found];
        if (found == lost) return;
        bool wasFrozen = token.isFrozen(found);
        bool isOrdered = token.isFrozen(lost) && !_isRecovered[lost];
        uint256 frozen = token.getFrozenTokens(lost) + token.getFrozenTokens(found);
        uint256 units = token.balanceOf(lost) - token.heldBalanceOf(lost) + token.balanceOf(found);
        address identity = identityOf(numberOf[lost]);
        bool done = attempt(agent, abi.encodeCall(token.recoveryAddress, (lost, found, identity)));
        if (done != isMember[found]) ++violations;
        if (!done) return;
        if (token.isFrozen(found) != (wasFrozen || isOrdered) || token.getFrozenTokens(found) != frozen) ++violations;
        if (token.balanceOf(found) != units) ++violations;
        if (!_isRecovered[lost] && !token.isFrozen(lost)) ++violations;
        _isRecovered[lost] = true;
        ++recoveries;
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

    /// @dev One of the suite's five people: by the wallet that they have now, or had before.
    function holder(uint256 seed) private view returns (address account) {
        account = _holders[seed % PEOPLE];
        for (uint256 steps = seed / PEOPLE % 4; steps > 0 && successor[account] != address(0); --steps) {
            account = successor[account];
        }
    }

    function attempt(address caller, bytes memory call) private returns (bool done) {
        vm.prank(caller);
        (done,) = address(token).call(call);
    }

    /// @dev Calls, and compares what became of it with what the token and what the books said beforehand.
    function judge(address caller, bytes memory call, address from, address to, uint256 amount) private {
        bool predicted = token.canTransfer(from, to, amount);
        bool forbidden = isForbidden(from, to, amount) || isStopped(from, to) || amount > token.freeBalanceOf(from);
        bool done = attempt(caller, call);
        if (done != predicted || (done && forbidden)) ++violations;
        if (!done) return;
        enterMovement(from, to, amount);
        ++movements;
    }

    /// @dev Whether the token itself lets nothing pass between the two.
    function isStopped(address from, address to) private view returns (bool) {
        return token.paused() || token.isFrozen(from) || token.isFrozen(to) || successor[from] != address(0);
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
