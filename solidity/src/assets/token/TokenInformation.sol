// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";

import {IIdentityScreen} from "../identity/IIdentityScreen.sol";
import {IERC3643} from "./IERC3643.sol";
import {TokenErrors} from "./TokenErrors.sol";
import {TokenData, TokenStorage} from "./TokenStorage.sol";

/// @dev Version of the token's contracts.
string constant TOKEN_VERSION = "1";

/// @title TokenInformation
/// @notice What a token is called and whom it asks: set when it begins, and later.
abstract contract TokenInformation is TokenStorage, TokenErrors {
    /// @dev Sets the registry. Reverts with `TokenRegistryInvalid`.
    function _setRegistry(address registry) internal {
        if (!ERC165Checker.supportsInterface(registry, type(IIdentityScreen).interfaceId)) {
            revert TokenRegistryInvalid(registry);
        }
        _token().registry = registry;
        emit IERC3643.IdentityRegistryAdded(registry);
    }

    /// @dev Says what the token is called now.
    function _announce() internal {
        TokenData storage data = _token();
        emit IERC3643.UpdatedTokenInformation(data.name, data.symbol, data.decimals, TOKEN_VERSION, data.onchainID);
    }
}
