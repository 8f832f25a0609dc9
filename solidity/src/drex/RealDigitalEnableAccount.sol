// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {ParticipantGuard} from "./ParticipantGuard.sol";
import {RealDigital} from "./RealDigital.sol";

/// @title RealDigitalEnableAccount
/// @notice Where a participant enables further wallets, its own or its customers', without asking the authority.
/// @dev Needs ACCESS_ROLE on Real Digital. By the kit's rule any enabled wallet may enable any other: a wallet belongs
/// to no institution. Each enabling therefore names its sponsor in an event, and what must not leave a wallet is
/// frozen, which no participant can undo.
contract RealDigitalEnableAccount is ParticipantGuard {
    using NonZeroAddress for address;

    /// @notice A participant enabled a wallet.
    /// @param sponsor The participant's wallet.
    /// @param member The wallet that is enabled.
    event AccountSponsored(address indexed sponsor, address indexed member);

    /// @notice The caller is not enabled in Real Digital, so it can enable nobody.
    /// @param sponsor The caller.
    error EnableAccountSponsorNotEnabled(address sponsor);

    /// @dev Reverts with `DrexZeroAddress` if the address is zero.
    /// @param accessControlAddress Real Digital, which keeps the list.
    constructor(RealDigital accessControlAddress) ParticipantGuard(accessControlAddress) {}

    /// @notice Enables a wallet in Real Digital.
    /// @dev Requires that the caller is enabled there. Emits {AccountSponsored}, and `EnabledAccount` at Real Digital.
    /// Reverts with `DrexZeroAddress` or {EnableAccountSponsorNotEnabled}.
    /// @param member The wallet.
    function enableAccount(address member) external {
        member.check("member");
        if (!realDigital.verifyAccount(msg.sender)) revert EnableAccountSponsorNotEnabled(msg.sender);
        emit AccountSponsored(msg.sender, member);
        realDigital.enableAccount(member);
    }

    /// @notice Takes the caller's own wallet off the list. Open to any wallet, also to one that is not on it.
    /// @dev Emits `DisabledAccount` at Real Digital.
    function disableAccount() external {
        realDigital.disableAccount(msg.sender);
    }
}
