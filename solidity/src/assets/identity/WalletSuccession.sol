// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityScreen} from "./IIdentityScreen.sol";

/// @title WalletSuccession
/// @notice Which wallet an investor has now, who had another one before.
library WalletSuccession {
    /// @dev How often an investor's wallet may be replaced until nothing is found any more.
    uint256 internal constant SUCCESSIONS_MAX = 16;

    /// @notice The investor's wallet was replaced too often to be followed.
    /// @param account Where the search began.
    /// @param max {SUCCESSIONS_MAX}.
    error InvestorSuccessionsTooMany(address account, uint256 max);

    /// @dev The account itself, or the wallet that took its place, however many stood between. Reverts with
    /// {InvestorSuccessionsTooMany}.
    function currentOf(IIdentityScreen registry, address account) internal view returns (address current) {
        current = account;
        for (uint256 i = 0; i <= SUCCESSIONS_MAX; ++i) {
            address next = registry.successorOf(current);
            if (next == address(0)) return current;
            current = next;
        }
        revert InvestorSuccessionsTooMany(account, SUCCESSIONS_MAX);
    }
}
