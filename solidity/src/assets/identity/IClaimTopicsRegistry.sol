// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IClaimTopicsRegistry
/// @notice Required topics by the final text of ERC-3643.
interface IClaimTopicsRegistry {
    /// @notice A claim on this topic is required from now on.
    event ClaimTopicAdded(uint256 indexed claimTopic);

    /// @notice A claim on this topic is required no more.
    event ClaimTopicRemoved(uint256 indexed claimTopic);

    /// @notice Requires a claim on a topic.
    function addClaimTopic(uint256 claimTopic) external;

    /// @notice Requires no claim on a topic any more.
    function removeClaimTopic(uint256 claimTopic) external;

    /// @notice The topics that are required.
    function getClaimTopics() external view returns (uint256[] memory);
}
