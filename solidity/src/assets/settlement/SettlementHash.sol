// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SettlementLeg, SettlementTerms} from "./SettlementTypes.sol";

/// @title SettlementHash
/// @notice Hashes of an order by EIP-712, so that a wallet shows the whole of what it signs.
library SettlementHash {
    /// @dev EIP-712 type of a leg. The types are literals, each with what it refers to written out: the compiler hashes
    /// those itself, and would hash anything that is put together from constants again in each call.
    bytes32 internal constant LEG_TYPEHASH =
        keccak256("SettlementLeg(uint8 standard,address token,address from,address to,uint256 id,uint256 amount)");

    /// @dev EIP-712 type of the terms.
    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "SettlementTerms(SettlementLeg[] legs,address notary,uint64 deadline,uint64 expiry,bytes32 offLedgerHash,"
        "uint256 salt)" "SettlementLeg(uint8 standard,address token,address from,address to,uint256 id,uint256 amount)"
    );

    /// @dev EIP-712 type of a confirmation.
    bytes32 internal constant CONFIRMATION_TYPEHASH = keccak256(
        "Confirmation(SettlementTerms terms,address party,uint256 epoch)"
        "SettlementLeg(uint8 standard,address token,address from,address to,uint256 id,uint256 amount)"
        "SettlementTerms(SettlementLeg[] legs,address notary,uint64 deadline,uint64 expiry,bytes32 offLedgerHash,"
        "uint256 salt)"
    );

    /// @dev `hashStruct` of the terms.
    /// @param terms The terms.
    /// @return The hash.
    function hashTerms(SettlementTerms calldata terms) internal pure returns (bytes32) {
        bytes32[] memory legHashes = new bytes32[](terms.legs.length);
        for (uint256 i = 0; i < legHashes.length; ++i) {
            SettlementLeg calldata leg = terms.legs[i];
            legHashes[i] = keccak256(abi.encode(LEG_TYPEHASH, leg));
        }
        return keccak256(
            abi.encode(
                TERMS_TYPEHASH,
                keccak256(abi.encodePacked(legHashes)),
                terms.notary,
                terms.deadline,
                terms.expiry,
                terms.offLedgerHash,
                terms.salt
            )
        );
    }

    /// @dev `hashStruct` of a party's confirmation.
    /// @param termsHash {hashTerms} of what it confirms.
    /// @param party Who confirms: a signature for one wallet of a person is none for another.
    /// @param epoch Which generation of the party's signatures this one belongs to.
    /// @return The hash.
    function hashConfirmation(bytes32 termsHash, address party, uint256 epoch) internal pure returns (bytes32) {
        return keccak256(abi.encode(CONFIRMATION_TYPEHASH, termsHash, party, epoch));
    }
}
