// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title SignedDomain
/// @notice What signed messages (EIP-712) are bound to: this contract, on this chain, under its present name.
/// @dev Computed at each use from the address and chain id of that moment: nothing is cached, so that a proxy has its own
/// domain and a signature is worth nothing on a fork with another chain id. The version is "1".
abstract contract SignedDomain is IERC5267 {
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant VERSION_HASH = keccak256("1");

    /// @notice The fields of the domain (ERC-5267).
    /// @return fields 0x0f: name, version, chain id and contract are used.
    /// @return name As {_domainName} says.
    /// @return version "1".
    /// @return chainId Of this chain.
    /// @return verifyingContract This contract.
    /// @return salt Not used.
    /// @return extensions None.
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (hex"0f", _domainName(), "1", block.chainid, address(this), bytes32(0), new uint256[](0));
    }

    /// @dev Name of the domain.
    function _domainName() internal view virtual returns (string memory);

    /// @dev Hash of the domain.
    function _domainSeparator() internal view returns (bytes32) {
        bytes32 nameHash = keccak256(bytes(_domainName()));
        return keccak256(abi.encode(DOMAIN_TYPE, nameHash, VERSION_HASH, block.chainid, address(this)));
    }

    /// @dev What is signed for a struct of this hash.
    function _typedDigest(bytes32 structHash) internal view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(_domainSeparator(), structHash);
    }
}
