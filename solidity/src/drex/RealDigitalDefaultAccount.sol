// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthorityControl} from "./AuthorityControl.sol";
import {Cnpj8} from "./Cnpj8.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";
import {ParticipantGuard} from "./ParticipantGuard.sol";
import {RealDigital} from "./RealDigital.sol";

/// @title RealDigitalDefaultAccount
/// @notice Which wallet stands for an institution when a trade names it by the root of its CNPJ.
/// @dev Needs ACCESS_ROLE on Real Digital: a default wallet is enabled there when it is named. Whoever changes a
/// default wallet changes where the institution's next trades settle, so each change is an event.
contract RealDigitalDefaultAccount is AuthorityControl, ParticipantGuard {
    using Cnpj8 for uint256;
    using NonZeroAddress for address;

    /// @notice Root of an institution's CNPJ to its default wallet; zero if it has none.
    mapping(uint256 cnpj8 => address wallet) public defaultAccount;

    /// @notice An institution's default wallet is another one from now on.
    /// @param cnpj8 Root of its CNPJ.
    /// @param wallet The wallet.
    event DefaultAccountChanged(uint256 cnpj8, address wallet);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param token Real Digital.
    /// @param authority_ Receives ACCESS_ROLE: the central bank.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(RealDigital token, address authority_, address admin_)
        AuthorityControl(authority_, admin_)
        ParticipantGuard(token)
    {}

    /// @notice Names an institution's default wallet, and enables it in Real Digital. Replaces an earlier one, which
    /// stays enabled: an institution that lost its key could otherwise never trade again.
    /// @dev Requires ACCESS_ROLE. Emits {DefaultAccountChanged}, and `EnabledAccount` at Real Digital. Reverts with
    /// `Cnpj8Invalid` or `DrexZeroAddress`.
    /// @param cnpj8 Root of its CNPJ.
    /// @param wallet The wallet.
    function addDefaultAccount(uint256 cnpj8, address wallet) external onlyRole(ACCESS_ROLE) {
        cnpj8.check();
        wallet.check("wallet");
        _setDefaultAccount(cnpj8, wallet);
    }

    /// @notice Hands an institution's place to another wallet of its own, which is enabled in Real Digital. The old
    /// wallet stays enabled.
    /// @dev Requires that the caller is the institution's default wallet and enabled in Real Digital; both failures
    /// revert with the kit's text `RealDigitalDefaultAccount: Not authorized Account`. Emits {DefaultAccountChanged},
    /// and `EnabledAccount` at Real Digital. Reverts with `DrexZeroAddress` if `newWallet` is zero.
    /// @param cnpj8 Root of its CNPJ.
    /// @param newWallet The wallet from now on.
    function updateDefaultWallet(uint256 cnpj8, address newWallet) external onlyParticipant {
        require(defaultAccount[cnpj8] == msg.sender, NOT_AUTHORIZED);
        newWallet.check("newWallet");
        _setDefaultAccount(cnpj8, newWallet);
    }

    /// @dev `cnpj8` is valid and `wallet` is not zero.
    function _setDefaultAccount(uint256 cnpj8, address wallet) private {
        defaultAccount[cnpj8] = wallet;
        emit DefaultAccountChanged(cnpj8, wallet);
        realDigital.enableAccount(wallet);
    }
}
