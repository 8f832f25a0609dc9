// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title TokenErrors
/// @notice Why a regulated token refuses, beside the errors of ERC-20 (ERC-6093) and ERC-7943. Amounts are in units.
interface TokenErrors {
    /// @notice Transfers are stopped.
    error TokenPaused();

    /// @notice Transfers are not stopped.
    error TokenNotPaused();

    /// @notice The whole wallet is frozen.
    /// @param wallet Which.
    error TokenWalletFrozen(address wallet);

    /// @notice Units that are held for others cannot be taken.
    /// @param account Whose units.
    /// @param amount What was to be taken.
    /// @param unheld What could be.
    error TokenUnitsHeld(address account, uint256 amount, uint256 unheld);

    /// @notice More was to be freed than is frozen.
    /// @param account Whose units.
    /// @param frozen What is frozen.
    /// @param amount What was to be freed.
    error TokenInsufficientFrozen(address account, uint256 frozen, uint256 amount);

    /// @notice The supply, or what is frozen and held of an account, would be too large.
    /// @param current As it is, or the part of it that stays.
    /// @param increase What was to be added.
    /// @param max The limit.
    error TokenAmountTooLarge(uint256 current, uint256 increase, uint256 max);

    /// @notice These rules are zero, do not answer as rules of this family, or are not bound to this token.
    /// @param rules Which.
    error TokenRulesInvalid(address rules);

    /// @notice Rules are set, and this change of what a transfer is asked was not announced.
    /// @param callHash keccak256 of the call.
    error TokenChangeNotAnnounced(bytes32 callHash);

    /// @notice The notice of the change is not over.
    /// @param callHash keccak256 of the call.
    /// @param effectiveFrom From when it may be made, in seconds since 1970.
    /// @param time Time of the block.
    error TokenChangeTooSoon(bytes32 callHash, uint48 effectiveFrom, uint256 time);

    /// @notice This registry does not answer as a registry of this family.
    /// @param registry Which.
    error TokenRegistryInvalid(address registry);

    /// @notice There is no contract where the token's operations should be.
    /// @param operations Where.
    error TokenOperationsMissing(address operations);

    /// @notice Lists differ in length or are too long.
    /// @param length Length of the first.
    /// @param max The limit.
    error TokenBatchInvalid(uint256 length, uint256 max);

    /// @notice The registry does not know the new wallet as the successor of the lost one with this identity.
    /// @param lostWallet From.
    /// @param newWallet To.
    /// @param identity Whose.
    error TokenRecoveryUnproven(address lostWallet, address newWallet, address identity);

    /// @notice More decimals than {decimals} may have.
    /// @param decimals What was given.
    /// @param max The limit.
    error TokenDecimalsTooMany(uint8 decimals, uint8 max);

    /// @notice The permit is too old.
    /// @param deadline Last second of it, since 1970.
    error TokenPermitExpired(uint256 deadline);

    /// @notice The permit is not signed by the owner for this token, chain and nonce.
    /// @param owner Whose allowance.
    /// @param digest What should be signed.
    error TokenPermitInvalid(address owner, bytes32 digest);
}
