// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

import {UpgradeSwitch} from "../access/UpgradeSwitch.sol";
import {ICompliance} from "../compliance/ICompliance.sol";
import {IIdentityRegistry} from "../identity/IIdentityRegistry.sol";
import {TokenAllowances} from "./TokenAllowances.sol";
import {TokenHolds} from "./TokenHolds.sol";
import {TOKEN_VERSION, TokenInformation} from "./TokenInformation.sol";
import {TOKEN_BATCH_ENTRIES_MAX, TokenData} from "./TokenStorage.sol";

/// @notice What a token begins with.
struct TokenTerms {
    /// Receives the admin's role; zero: an implementation for proxies.
    address admin;
    /// Who knows the investors.
    address registry;
    /// Topics that receivers need claims on, beside those of the registry, as a set of indices.
    uint8 requiredTopics;
    /// Decimals, for people: amounts are units everywhere.
    uint8 decimals;
    string name;
    string symbol;
    /// The on-chain identity of the token itself, or zero.
    address onchainID;
}

/// @title RegulatedToken
/// @notice A regulated asset whose units are alike: ERC-20 with permits, ERC-3643, ERC-7943, holds, record dates.
/// @dev Nothing can be issued or transferred before rules are set: they are deployed with the token's address, bound to
/// it, and given to {setCompliance}.
contract RegulatedToken is UpgradeSwitch, TokenAllowances, TokenHolds, TokenInformation, IERC20Metadata {
    /// @notice Most decimals.
    uint8 public constant DECIMALS_MAX = 18;

    /// @notice Largest number of entries in a batch.
    uint256 public constant BATCH_ENTRIES_MAX = TOKEN_BATCH_ENTRIES_MAX;

    /// @dev Where functions run that are not here.
    address private immutable _operations;

    /// @dev Plain with an admin; an implementation for proxies without one.
    /// @param terms What the token begins with.
    /// @param operations_ A `RegulatedTokenOperations` of the same version.
    constructor(TokenTerms memory terms, address operations_) {
        if (operations_.code.length == 0) revert TokenOperationsMissing(operations_);
        _operations = operations_;
        if (terms.admin == address(0)) _disableInitializers();
        else initialize(terms);
    }

    /// @dev Every other function of the token runs in the operations, on this storage and for this caller.
    fallback() external {
        address target = _operations;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }

    /// @notice Sends units of the caller.
    /// @dev Emits `Transfer`. In this order reverts with `TokenPaused`, `ERC20InvalidReceiver`, `TokenWalletFrozen`,
    /// `ERC20InsufficientBalance`, `ERC7943InsufficientUnfrozenBalance`, `ERC7943CannotReceive`, `ERC7943CannotSend` for a
    /// wallet that was replaced, `TokenRulesInvalid`, `ComplianceRefused`.
    /// @param to Who receives.
    /// @param value Units.
    /// @return Always true.
    function transfer(address to, uint256 value) external returns (bool) {
        _transfer(msg.sender, to, value);
        return true;
    }

    /// @notice Sends units of somebody else, within the allowance given to the caller.
    /// @dev Emits `Transfer`. Reverts with `ERC20InsufficientAllowance`, or as {transfer} does.
    /// @param from Whose units.
    /// @param to Who receives.
    /// @param value Units.
    /// @return Always true.
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        _spendAllowance(from, msg.sender, value);
        _transfer(from, to, value);
        return true;
    }

    /// @notice One {transfer} of the caller per entry; all or none.
    /// @dev Reverts with `TokenBatchInvalid`, or as {transfer} does.
    /// @param toList Who receives, at most `BATCH_ENTRIES_MAX`.
    /// @param amounts Units.
    function batchTransfer(address[] calldata toList, uint256[] calldata amounts) external {
        if (toList.length != amounts.length || toList.length > BATCH_ENTRIES_MAX) {
            revert TokenBatchInvalid(toList.length, BATCH_ENTRIES_MAX);
        }
        for (uint256 i = 0; i < toList.length; ++i) {
            _transfer(msg.sender, toList[i], amounts[i]);
        }
    }

    /// @inheritdoc IERC20
    function totalSupply() external view returns (uint256) {
        return _token().supply.balance();
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) external view returns (uint256) {
        return _token().accounts[account].balance();
    }

    /// @inheritdoc IERC20Metadata
    function name() external view returns (string memory) {
        return _token().name;
    }

    /// @inheritdoc IERC20Metadata
    function symbol() external view returns (string memory) {
        return _token().symbol;
    }

    /// @inheritdoc IERC20Metadata
    function decimals() external view returns (uint8) {
        return _token().decimals;
    }

    /// @notice The on-chain identity of the token itself.
    /// @return Zero if it has none.
    function onchainID() external view returns (address) {
        return _token().onchainID;
    }

    /// @notice Who knows the investors.
    /// @return The registry.
    function identityRegistry() external view returns (IIdentityRegistry) {
        return IIdentityRegistry(_token().registry);
    }

    /// @notice Who knows the rules.
    /// @return Zero if they are not set.
    function compliance() external view returns (ICompliance) {
        return ICompliance(_token().head.rules());
    }

    /// @notice Topics that receivers need claims on, beside those of the registry.
    /// @return A set of indices of the registry.
    function requiredTopics() external view returns (uint8) {
        return _token().head.requiredTopics();
    }

    /// @notice Version of the contracts.
    /// @return A number.
    function version() external pure returns (string memory) {
        return TOKEN_VERSION;
    }

    /// @notice Sets a proxy's token up, once.
    /// @dev Emits `UpdatedTokenInformation`, `IdentityRegistryAdded`. Reverts with `InvalidInitialization` later,
    /// `RolesZeroAccount`, `TokenDecimalsTooMany`, `TokenRegistryInvalid`.
    /// @param terms What the token begins with.
    function initialize(TokenTerms memory terms) public initializer {
        if (terms.decimals > DECIMALS_MAX) revert TokenDecimalsTooMany(terms.decimals, DECIMALS_MAX);
        _setAdmin(terms.admin);
        TokenData storage data = _token();
        data.name = terms.name;
        data.symbol = terms.symbol;
        data.decimals = terms.decimals;
        data.onchainID = terms.onchainID;
        data.head = data.head.withRequiredTopics(terms.requiredTopics);
        _setRegistry(terms.registry);
        _announce();
    }
}
