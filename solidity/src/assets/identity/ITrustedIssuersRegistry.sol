// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ITrustedIssuersRegistry
/// @notice Trusted issuers by the final text of ERC-3643; addresses stand for its `IClaimIssuer`.
interface ITrustedIssuersRegistry {
    /// @notice An issuer is trusted on these topics from now on.
    event TrustedIssuerAdded(address indexed trustedIssuer, uint256[] claimTopics);

    /// @notice An issuer is trusted no more; its claims count no more, from this moment.
    event TrustedIssuerRemoved(address indexed trustedIssuer);

    /// @notice An issuer is trusted on other topics.
    event ClaimTopicsUpdated(address indexed trustedIssuer, uint256[] claimTopics);

    /// @notice Trusts an issuer on topics.
    function addTrustedIssuer(address trustedIssuer, uint256[] calldata claimTopics) external;

    /// @notice Ends the trust in an issuer.
    function removeTrustedIssuer(address trustedIssuer) external;

    /// @notice Changes the topics that an issuer is trusted on.
    function updateIssuerClaimTopics(address trustedIssuer, uint256[] calldata claimTopics) external;

    /// @notice All issuers that are trusted now.
    function getTrustedIssuers() external view returns (address[] memory);

    /// @notice Whether the issuer is trusted on any topic.
    function isTrustedIssuer(address issuer) external view returns (bool);

    /// @notice The topics that an issuer is trusted on.
    function getTrustedIssuerClaimTopics(address trustedIssuer) external view returns (uint256[] memory);

    /// @notice The issuers that are trusted on a topic.
    function getTrustedIssuersForClaimTopic(uint256 claimTopic) external view returns (address[] memory);

    /// @notice Whether the issuer is trusted on the topic.
    function hasClaimTopic(address issuer, uint256 claimTopic) external view returns (bool);
}
