// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OpenMoney} from "../settlement/OpenTokens.sol";

/// @dev Takes more from the payer than it gives to the receiver, from the day that it is told to.
contract OverdrawingMoney is OpenMoney {
    uint256 public extra;

    function setExtra(uint256 extra_) external {
        extra = extra_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (extra != 0) _burn(msg.sender, extra);
        return super.transfer(to, value);
    }
}

/// @dev Gives to the receiver what it does not take from the payer, from the day that it is told to.
contract CreatingMoney is OpenMoney {
    bool public isCreating;

    function setCreating(bool isCreating_) external {
        isCreating = isCreating_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (!isCreating) return super.transfer(to, value);
        _mint(to, value);
        return true;
    }
}

/// @dev Has a list of those who receive nothing, and a second one whose receipt uses up all gas or answers without end.
contract SelectiveMoney is OpenMoney {
    error MoneyBlocked(address account);

    mapping(address account => bool) public isBlocked;
    mapping(address account => bool) public isBurningGas;
    mapping(address account => uint256) public answerBytes;

    function block_(address account, bool isBlocked_) external {
        isBlocked[account] = isBlocked_;
    }

    function burnGas(address account) external {
        isBurningGas[account] = true;
    }

    function answerLong(address account, uint256 bytes_) external {
        answerBytes[account] = bytes_;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (isBlocked[to]) revert MoneyBlocked(to);
        while (isBurningGas[to]) {}
        uint256 length = answerBytes[to];
        if (length != 0) {
            assembly ("memory-safe") {
                revert(mload(0x40), length)
            }
        }
        super._update(from, to, value);
    }
}

/// @dev Answers false to a payment instead of reverting, from the day that it is told to.
contract DenyingMoney is OpenMoney {
    bool public isDenying;

    function setDenying(bool isDenying_) external {
        isDenying = isDenying_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return !isDenying && super.transfer(to, value);
    }
}
