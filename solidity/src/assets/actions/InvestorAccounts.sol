// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityScreen} from "../identity/IIdentityScreen.sol";
import {WalletSuccession} from "../identity/WalletSuccession.sol";
import {IRegulatedToken} from "../token/IRegulatedToken.sol";

/// @title InvestorAccounts
/// @notice Whose an account is now, as the token's registry knows it.
/// @dev What somebody had at a record date stays with the account of that day. Since then the wallet may have been lost
/// and replaced, so that what is due goes to the one that took its place; and the account may be none of an investor.
library InvestorAccounts {
    /// @dev The account itself, or the wallet that took its place. Reverts with `InvestorSuccessionsTooMany`.
    function currentOf(IRegulatedToken token, address account) internal view returns (address) {
        return WalletSuccession.currentOf(IIdentityScreen(address(token.identityRegistry())), account);
    }

    /// @dev {currentOf}, and whether the account is a part of the market that keeps units for others.
    function standingOf(IRegulatedToken token, address account)
        internal
        view
        returns (address current, bool isInfrastructure)
    {
        IIdentityScreen registry = IIdentityScreen(address(token.identityRegistry()));
        current = WalletSuccession.currentOf(registry, account);
        isInfrastructure = registry.screenOne(current, 0).isInfrastructure();
    }
}
