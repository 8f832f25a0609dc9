// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title Signatures
/// @notice Whether somebody signed something: a key by 65 bytes r, s, v, or a contract by ERC-1271.
/// @dev A signature has one valid form: low s, v of 27 or 28. What is forged, cut short or garbled is answered with
/// false, never with another signer. (OpenZeppelin's ECDSA does the same, but does not compile without warnings.)
library Signatures {
    /// @dev Half of the order of secp256k1; of the two s that a signature could have, the lower one (EIP-2).
    uint256 private constant S_MAX = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @dev True if `signer` signed `digest`. A contract is asked, with a call that cannot change anything.
    function isValid(address signer, bytes32 digest, bytes memory signature) internal view returns (bool) {
        if (signer.code.length == 0) return isValidOfKey(signer, digest, signature);
        (bool answered, bytes memory answer) =
            signer.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
        return answered && answer.length == 32 && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);
    }

    /// @dev True if the key of `signer` signed `digest`.
    function isValidOfKey(address signer, bytes32 digest, bytes memory signature) internal pure returns (bool) {
        if (signature.length != 65) return false;
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
        return isValidOfKey(signer, digest, v, r, s);
    }

    /// @dev True if the key of `signer` signed `digest`; nothing is ever signed by zero, ecrecover's answer to garbage.
    function isValidOfKey(address signer, bytes32 digest, uint8 v, bytes32 r, bytes32 s) internal pure returns (bool) {
        if (signer == address(0) || uint256(s) > S_MAX) return false;
        return ecrecover(digest, v, r, s) == signer;
    }
}
