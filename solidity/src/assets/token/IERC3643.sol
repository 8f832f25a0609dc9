// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ICompliance} from "../compliance/ICompliance.sol";
import {IIdentityRegistry} from "../identity/IIdentityRegistry.sol";

/// @title IERC3643
/// @notice The token by the final text of ERC-3643; agents are in `IAgentRole`, the owner in ERC-173.
/// @dev Amounts are units of the token's smallest part. Where the text says agent, the roles by duty say who: issuer
/// mints and burns, agent freezes, forces, recovers and pauses, compliance sets registry and rules.
interface IERC3643 is IERC20 {
    /// @notice Name, symbol, decimals, version or identity of the token changed; all are given.
    event UpdatedTokenInformation(
        string newName, string newSymbol, uint8 newDecimals, string newVersion, address newOnchainID
    );

    /// @notice The token asks another registry from now on.
    event IdentityRegistryAdded(address indexed identityRegistry);

    /// @notice The token asks other rules from now on.
    event ComplianceAdded(address indexed compliance);

    /// @notice An investor's units went from a lost wallet to a new one.
    event RecoverySuccess(address lostWallet, address newWallet, address investorOnchainID);

    /// @notice A whole wallet was frozen or freed.
    event AddressFrozen(address indexed userAddress, bool indexed isFrozen, address indexed owner);

    /// @notice Further units of a wallet were frozen; `amount` is the difference.
    event TokensFrozen(address indexed userAddress, uint256 amount);

    /// @notice Units of a wallet were freed; `amount` is the difference.
    event TokensUnfrozen(address indexed userAddress, uint256 amount);

    /// @notice Transfers stopped.
    event Paused(address userAddress);

    /// @notice Transfers go on.
    event Unpaused(address userAddress);

    /// @notice The on-chain identity of the token itself, zero if it has none.
    function onchainID() external view returns (address);

    /// @notice Version of the contract.
    function version() external view returns (string memory);

    /// @notice Who knows the investors.
    function identityRegistry() external view returns (IIdentityRegistry);

    /// @notice Who knows the rules.
    function compliance() external view returns (ICompliance);

    /// @notice Whether transfers are stopped.
    function paused() external view returns (bool);

    /// @notice Whether the whole wallet is frozen.
    function isFrozen(address userAddress) external view returns (bool);

    /// @notice How many units of the wallet are frozen.
    function getFrozenTokens(address userAddress) external view returns (uint256);

    /// @notice Changes the name, and with it the domain of signed permits. Requires ISSUER_ROLE.
    function setName(string calldata name) external;

    /// @notice Changes the symbol. Requires ISSUER_ROLE.
    function setSymbol(string calldata symbol) external;

    /// @notice Changes the token's own identity. Requires ISSUER_ROLE.
    function setOnchainID(address onchainID) external;

    /// @notice Stops transfers. Requires AGENT_ROLE.
    function pause() external;

    /// @notice Lets transfers go on. Requires AGENT_ROLE.
    function unpause() external;

    /// @notice Freezes or frees a whole wallet. Requires AGENT_ROLE.
    function setAddressFrozen(address userAddress, bool freeze) external;

    /// @notice Freezes further units of a wallet that are free. Requires AGENT_ROLE.
    function freezePartialTokens(address userAddress, uint256 amount) external;

    /// @notice Frees frozen units of a wallet. Requires AGENT_ROLE.
    function unfreezePartialTokens(address userAddress, uint256 amount) external;

    /// @notice Sets who knows the investors. Requires COMPLIANCE_ROLE.
    function setIdentityRegistry(address identityRegistry) external;

    /// @notice Sets who knows the rules. Requires COMPLIANCE_ROLE.
    function setCompliance(address compliance) external;

    /// @notice Moves units by order. Requires AGENT_ROLE.
    function forcedTransfer(address from, address to, uint256 amount) external returns (bool);

    /// @notice Issues units to a verified investor. Requires ISSUER_ROLE.
    function mint(address to, uint256 amount) external;

    /// @notice Redeems units of a holder. Requires ISSUER_ROLE.
    function burn(address userAddress, uint256 amount) external;

    /// @notice Moves an investor's units from a lost wallet to its successor. Requires AGENT_ROLE.
    function recoveryAddress(address lostWallet, address newWallet, address investorOnchainID) external returns (bool);

    /// @notice One transfer of the caller per entry; all or none.
    function batchTransfer(address[] calldata toList, uint256[] calldata amounts) external;

    /// @notice {forcedTransfer} per entry; all or none.
    function batchForcedTransfer(address[] calldata fromList, address[] calldata toList, uint256[] calldata amounts)
        external;

    /// @notice {mint} per entry; all or none.
    function batchMint(address[] calldata toList, uint256[] calldata amounts) external;

    /// @notice {burn} per entry; all or none.
    function batchBurn(address[] calldata userAddresses, uint256[] calldata amounts) external;

    /// @notice {setAddressFrozen} per entry; all or none.
    function batchSetAddressFrozen(address[] calldata userAddresses, bool[] calldata freeze) external;

    /// @notice {freezePartialTokens} per entry; all or none.
    function batchFreezePartialTokens(address[] calldata userAddresses, uint256[] calldata amounts) external;

    /// @notice {unfreezePartialTokens} per entry; all or none.
    function batchUnfreezePartialTokens(address[] calldata userAddresses, uint256[] calldata amounts) external;
}
