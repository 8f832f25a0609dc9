// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OpenDeed, OpenMoney, OpenPaper} from "./OpenTokens.sol";

/// @dev Keeps a hundredth of what is moved, from the day that it is told to.
contract FeeMoney is OpenMoney {
    bool public isCharging = true;

    function setCharging(bool isCharging_) external {
        isCharging = isCharging_;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (isCharging && from != address(0) && to != address(0)) super._update(to, address(0), value / 100);
    }
}

/// @dev Says no instead of reverting.
contract RefusingMoney is OpenMoney {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @dev Says yes and moves nothing.
contract IdleMoney is OpenMoney {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// @dev Says nothing, as the oldest tokens do, and moves.
contract SilentMoney {
    mapping(address account => uint256) public balanceOf;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }
}

/// @dev Calls somebody while it moves, and keeps the answer.
contract CallingMoney is OpenMoney {
    address private _target;
    bytes private _call;
    bool public wasAnswered;
    bytes public answer;

    function plan(address target, bytes calldata call) external {
        (_target, _call) = (target, call);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target != address(0)) (wasAnswered, answer) = _target.call(_call);
    }
}

/// @dev Moves one less than it says.
contract ShortPaper is OpenPaper {
    function safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes memory data) public override {
        super.safeTransferFrom(from, to, id, amount - 1, data);
    }
}

/// @dev Tells of a transfer and moves nothing.
contract IdleDeed is OpenDeed {
    function transferFrom(address, address, uint256) public pure override {}
}
