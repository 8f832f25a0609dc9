// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Identity} from "./Identity.sol";

/// @title IIdentityScreen
/// @notice What a token of this family asks of its registry, beside ERC-3643's `IIdentityRegistry`: everything about both
/// ends of a transfer in one call.
/// @dev A set of topics is a number whose bit `i` stands for the topic of index `i`; `topicIndexOf` of the registry
/// says which that is.
interface IIdentityScreen is IERC165 {
    /// @notice What the registry knows of two wallets, with {IdentityFields.VERIFIED} set where all is valid now.
    /// @param from A wallet; may be zero.
    /// @param to Another wallet; may be zero.
    /// @param topics Topics that must be covered in addition to those that the registry itself requires.
    /// @return fromIdentity As of {screenOne}.
    /// @return toIdentity As of {screenOne}.
    function screen(address from, address to, uint8 topics)
        external
        view
        returns (Identity fromIdentity, Identity toIdentity);

    /// @notice What the registry knows of a wallet, with {IdentityFields.VERIFIED} set if all is valid now.
    /// @param account A wallet.
    /// @param topics As in {screen}.
    /// @return Zero if it never was registered. Of a wallet that was removed the number of the investor alone, and of one
    /// that was replaced the number and {IdentityFields.RETIRED}: so that rules bind what it holds still.
    function screenOne(address account, uint8 topics) external view returns (Identity);

    /// @notice Who took the place of a wallet that was lost or given up.
    /// @param wallet The old wallet.
    /// @return The new wallet, zero if there is none.
    function successorOf(address wallet) external view returns (address);
}
