// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";

import {IIdentityScreen} from "../identity/IIdentityScreen.sol";
import {WalletSuccession} from "../identity/WalletSuccession.sol";
import {IERC3643} from "../token/IERC3643.sol";

/// @title RegisteredHolders
/// @notice To whom goes back what was taken from a holder, of any token.
/// @dev A token of the regulated family refuses a wallet that was lost and replaced: what a contract kept for it would
/// never come back. Such a token says which registry it asks, and the registry which wallet the investor has now. Any
/// other token knows no successors. Both are believed: a token could send its units anywhere without asking us.
library RegisteredHolders {
    /// @dev The holder, or the wallet that took its place by the token's registry. Reverts with
    /// `InvestorSuccessionsTooMany`.
    function currentOf(address token, address holder) internal view returns (address) {
        (bool isAnswered, bytes memory answer) = token.staticcall(abi.encodeCall(IERC3643.identityRegistry, ()));
        if (!isAnswered || answer.length != 32) return holder;
        uint256 word = abi.decode(answer, (uint256));
        address registry = address(uint160(word));
        bool isRegistry =
            word >> 160 == 0 && ERC165Checker.supportsInterface(registry, type(IIdentityScreen).interfaceId);
        return isRegistry ? WalletSuccession.currentOf(IIdentityScreen(registry), holder) : holder;
    }
}
