// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title SigningVm
/// @notice Cheatcodes of tests with signatures, beside those of `Vm`.
interface SigningVm {
    function chainId(uint256 id) external;
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
}
