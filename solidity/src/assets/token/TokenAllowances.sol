// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

import {Signatures} from "../access/Signatures.sol";
import {SignedDomain} from "../access/SignedDomain.sol";
import {TokenLedger} from "./TokenLedger.sol";

/// @title TokenAllowances
/// @notice Allowances of ERC-20, given by call or by signature (ERC-2612).
abstract contract TokenAllowances is TokenLedger, SignedDomain, IERC20, IERC20Permit {
    bytes32 private constant PERMIT_TYPE =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    /// @notice Lets a spender take units of the caller, in place of what was allowed before.
    /// @dev Emits `Approval`. Reverts with `ERC20InvalidSpender` for zero.
    /// @param spender Who may.
    /// @param value Units; the largest number stands for no limit.
    /// @return Always true.
    function approve(address spender, uint256 value) external returns (bool) {
        _approve(msg.sender, spender, value);
        return true;
    }

    /// @notice As {approve}, by the owner's signature. Anybody may hand it in.
    /// @dev Emits `Approval`. Reverts with `TokenPermitExpired`, `TokenPermitInvalid`, `ERC20InvalidSpender`.
    /// @param owner Whose units.
    /// @param spender Who may.
    /// @param value Units.
    /// @param deadline Last second of the signature, since 1970.
    /// @param v Of the signature, 27 or 28.
    /// @param r Of the signature.
    /// @param s Of the signature, the lower of the two possible.
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (block.timestamp > deadline) revert TokenPermitExpired(deadline);
        uint256 nonce = _token().nonces[owner]++;
        bytes32 digest = _typedDigest(keccak256(abi.encode(PERMIT_TYPE, owner, spender, value, nonce, deadline)));
        if (!Signatures.isValidOfKey(owner, digest, v, r, s)) revert TokenPermitInvalid(owner, digest);
        _approve(owner, spender, value);
    }

    /// @inheritdoc IERC20
    function allowance(address owner, address spender) external view returns (uint256) {
        return _token().allowances[owner][spender];
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) external view returns (uint256) {
        return _token().nonces[owner];
    }

    /// @inheritdoc IERC20Permit
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparator();
    }

    /// @dev The token's name, as it is now: permits signed under an older name are worth nothing.
    function _domainName() internal view override returns (string memory) {
        return _token().name;
    }

    function _approve(address owner, address spender, uint256 value) private {
        if (spender == address(0)) revert ERC20InvalidSpender(spender);
        _token().allowances[owner][spender] = value;
        emit Approval(owner, spender, value);
    }
}
