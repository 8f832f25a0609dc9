// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The interfaces through which settlement and liens move value.
enum TokenStandard {
    /// A fungible token: an amount, no id.
    ERC20,
    /// One thing with an id; its amount is always 1.
    ERC721,
    /// An amount of an id.
    ERC1155
}
