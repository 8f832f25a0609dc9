// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IIdentityRegistry
/// @notice The registry by the final text of ERC-3643. Where the text has types of contracts (`IIdentity`, the three
/// parts of a registry), addresses stand here: selectors and encodings are the same.
interface IIdentityRegistry {
    /// @notice Another registry of topics is asked.
    event ClaimTopicsRegistrySet(address indexed claimTopicsRegistry);

    /// @notice Another storage is asked.
    event IdentityStorageSet(address indexed identityStorage);

    /// @notice Another registry of issuers is asked.
    event TrustedIssuersRegistrySet(address indexed trustedIssuersRegistry);

    /// @notice An investor's wallet was registered.
    event IdentityRegistered(address indexed investorAddress, address indexed identity);

    /// @notice An investor's wallet was removed.
    event IdentityRemoved(address indexed investorAddress, address indexed identity);

    /// @notice An investor's identity was replaced.
    event IdentityUpdated(address indexed oldIdentity, address indexed newIdentity);

    /// @notice An investor's country changed.
    event CountryUpdated(address indexed investorAddress, uint16 indexed country);

    /// @notice Where identities are kept.
    function identityStorage() external view returns (address);

    /// @notice Who knows the trusted issuers.
    function issuersRegistry() external view returns (address);

    /// @notice Who knows the required topics.
    function topicsRegistry() external view returns (address);

    /// @notice Sets where identities are kept.
    function setIdentityRegistryStorage(address identityRegistryStorage) external;

    /// @notice Sets who knows the required topics.
    function setClaimTopicsRegistry(address claimTopicsRegistry) external;

    /// @notice Sets who knows the trusted issuers.
    function setTrustedIssuersRegistry(address trustedIssuersRegistry) external;

    /// @notice Registers an investor's wallet.
    function registerIdentity(address userAddress, address identity, uint16 country) external;

    /// @notice Removes a wallet.
    function deleteIdentity(address userAddress) external;

    /// @notice Changes the country of a wallet's investor.
    function updateCountry(address userAddress, uint16 country) external;

    /// @notice Changes the identity of a wallet.
    function updateIdentity(address userAddress, address identity) external;

    /// @notice {registerIdentity} per entry; all or none.
    function batchRegisterIdentity(
        address[] calldata userAddresses,
        address[] calldata identities,
        uint16[] calldata countries
    ) external;

    /// @notice Whether the wallet is registered, verified or not.
    function contains(address userAddress) external view returns (bool);

    /// @notice Whether the wallet is registered, its registration has not ended, and it has a valid claim of a trusted
    /// issuer on each required topic.
    function isVerified(address userAddress) external view returns (bool);

    /// @notice The identity of a wallet, zero if it is not registered.
    function identity(address userAddress) external view returns (address);

    /// @notice Country of a wallet's investor by ISO 3166-1 numeric, 0 if it is not registered.
    function investorCountry(address userAddress) external view returns (uint16);
}
