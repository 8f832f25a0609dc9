// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {Signatures} from "../../../src/assets/access/Signatures.sol";

/// @dev A wallet that is a contract: its owner's key signs for it, it does what it is told, and when tokens arrive it
/// makes the call that was planned, and keeps the answer.
contract ContractWallet is IERC1271 {
    address public immutable owner;
    address private _target;
    bytes private _call;
    bool public isRefusing;
    bool public wasAnswered;
    bytes public answer;

    constructor(address owner_) {
        owner = owner_;
    }

    function plan(address target, bytes calldata call) external {
        (_target, _call) = (target, call);
    }

    function refuse(bool isRefusing_) external {
        isRefusing = isRefusing_;
    }

    function run(address target, bytes calldata call) external returns (bytes memory result) {
        bool answered;
        (answered, result) = target.call(call);
        if (!answered) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return Signatures.isValidOfKey(owner, hash, signature) ? this.isValidSignature.selector : bytes4(0xffffffff);
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external returns (bytes4) {
        arrive();
        return this.onERC1155Received.selector;
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        arrive();
        return this.onERC721Received.selector;
    }

    function arrive() private {
        require(!isRefusing, "not now");
        if (_target != address(0)) (wasAnswered, answer) = _target.call(_call);
    }
}
