// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthorityControl} from "./AuthorityControl.sol";
import {Cnpj8} from "./Cnpj8.sol";

/// @title AddressDiscovery
/// @notice The network's directory: `keccak256` of a contract's published name to its address.
/// @dev For people and programs that look for a contract. The family's own contracts hold each other's addresses since
/// their deployment, so that an entry changed here redirects no money.
contract AddressDiscovery is AuthorityControl {
    using Cnpj8 for uint256;

    /// @notice `keccak256` of a name, such as `RealDigital` or `RealTokenizado@11111111`, to an address; zero if
    /// unknown.
    mapping(bytes32 smartContract => address contractAddress) public addressDiscovery;

    /// @notice A name stands for another address from now on.
    /// @param smartContract `keccak256` of the name.
    /// @param previous The address until now; zero if there was none.
    /// @param current The address from now on; zero if the name is free again.
    event AddressUpdated(bytes32 indexed smartContract, address indexed previous, address indexed current);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param authority_ Receives ACCESS_ROLE: keeps the directory.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(address authority_, address admin_) AuthorityControl(authority_, admin_) {}

    /// @notice Registers an address under a name, or frees the name. A bank's token belongs under two names: with the
    /// root of its CNPJ in eight characters, as contracts build it, and without leading zeros, as the kit's scripts do.
    /// @dev Requires ACCESS_ROLE. Emits {AddressUpdated}.
    /// @param smartContract `keccak256` of the name.
    /// @param newAddress The address; zero frees the name.
    function updateAddress(bytes32 smartContract, address newAddress) external onlyRole(ACCESS_ROLE) {
        emit AddressUpdated(smartContract, addressDiscovery[smartContract], newAddress);
        addressDiscovery[smartContract] = newAddress;
    }

    /// @notice A bank's Real Tokenizado, by the root of its CNPJ: what stands under `RealTokenizado@` and the root's
    /// eight characters.
    /// @dev Reverts with `Cnpj8Invalid`.
    /// @param cnpj8 Root of the bank's CNPJ.
    /// @return The token's address; zero if unknown.
    function realTokenizado(uint256 cnpj8) external view returns (address) {
        return addressDiscovery[keccak256(bytes.concat("RealTokenizado@", bytes(cnpj8.toText())))];
    }
}
