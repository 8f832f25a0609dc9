// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title AssetVm
/// @notice Cheatcodes that the tests of regulated assets use beside those of `Vm`.
interface AssetVm {
    function chainId(uint256 newChainId) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
}
