// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Cnpj8
/// @notice The root of a Brazilian institution's tax number (its first eight characters, equal to its ISPB), as the
/// kit's `uint256 cnpj8` holds it.
/// @dev A root of digits alone is its decimal value, leading zeros lost, as on the pilot's network; zero is a valid
/// root. Since July 2026 a root may carry letters (`^[0-9A-Z]{8}$`): such a one is its eight ASCII characters as a
/// big-endian integer. The smallest of these is 0x3030303030303041 (3.4e18), so the two forms cannot meet.
library Cnpj8 {
    /// @dev Largest root of digits alone.
    uint256 private constant DIGITS_MAX = 99_999_999;

    /// @dev Characters of a root.
    uint256 private constant LENGTH = 8;

    /// @notice A number that is the root of no CNPJ: neither at most 99,999,999 nor eight characters 0-9 and A-Z of
    /// which one at least is a letter.
    /// @param cnpj8 The number given.
    error Cnpj8Invalid(uint256 cnpj8);

    /// @dev Reverts with {Cnpj8Invalid} unless `cnpj8` is a root in one of its two forms.
    function check(uint256 cnpj8) internal pure {
        if (cnpj8 <= DIGITS_MAX) return;
        bool hasLetter = false;
        for (uint256 rest = cnpj8; rest != 0; rest >>= 8) {
            uint256 character = rest & 0xff;
            bool isLetter = character >= 0x41 && character <= 0x5a; // A to Z
            bool isDigit = character >= 0x30 && character <= 0x39; // 0 to 9
            if (!isLetter && !isDigit) revert Cnpj8Invalid(cnpj8);
            hasLetter = hasLetter || isLetter;
        }
        // Eight characters, none of them zero: the highest byte is there and nothing is above it.
        if (!hasLetter || cnpj8 >> (LENGTH * 8) != 0 || cnpj8 >> ((LENGTH - 1) * 8) == 0) revert Cnpj8Invalid(cnpj8);
    }

    /// @dev The root as text of eight characters, zeros in front. Reverts with {Cnpj8Invalid}.
    function toText(uint256 cnpj8) internal pure returns (string memory) {
        check(cnpj8);
        bytes memory text = new bytes(LENGTH);
        bool hasLetters = cnpj8 > DIGITS_MAX;
        for (uint256 i = LENGTH; i > 0; --i) {
            if (hasLetters) {
                text[i - 1] = bytes1(uint8(cnpj8));
                cnpj8 >>= 8;
            } else {
                text[i - 1] = bytes1(uint8(0x30 + cnpj8 % 10));
                cnpj8 /= 10;
            }
        }
        return string(text);
    }
}
