//! What is signed off the ledger (EIP-712), as the contracts compute it: a signature is good for one contract on one chain.
//!
//! Every function gives the 32 bytes that a key signs, with a low `s` and `v` of 27 or 28. The same values are held by the
//! contracts' tests (`solidity/test/assets/access/SignedDigests.t.sol`).

use super::{Certificates, IdentityRegistry, Settlement};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{Eip712Domain, SolStruct, sol};

sol! {
    /// An allowance given by signature (ERC-2612).
    struct Permit {
        /// Whose units; who signs.
        address owner;
        /// Who may spend them.
        address spender;
        /// How many, in units.
        uint256 value;
        /// `nonces(owner)` of the token.
        uint256 nonce;
        /// Last second in which it can be used, since 1970.
        uint256 deadline;
    }
}

/// The same structs as in the artifact, under the names that their types have when they are hashed.
mod order {
    alloy_sol_types::sol! {
        struct SettlementLeg {
            uint8 standard;
            address token;
            address from;
            address to;
            uint256 id;
            uint256 amount;
        }

        struct SettlementTerms {
            SettlementLeg[] legs;
            address notary;
            uint64 deadline;
            uint64 expiry;
            bytes32 offLedgerHash;
            uint256 salt;
        }

        struct Confirmation {
            SettlementTerms terms;
            address party;
            uint256 epoch;
        }
    }
}

/// Where a contract stands: what each signature is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Id of the chain.
    pub chain_id: u64,
    /// Address of the contract; of the proxy, if there is one.
    pub contract: Address,
}

impl Place {
    fn domain(self, name: &str) -> Eip712Domain {
        Eip712Domain::new(
            Some(name.to_owned().into()),
            Some("1".into()),
            Some(U256::from(self.chain_id)),
            Some(self.contract),
            None,
        )
    }
}

/// What the issuer of a claim signs for a registry: `IdentityRegistry.claimDigest`.
pub fn claim_digest(registry: Place, claim: &IdentityRegistry::Claim) -> B256 {
    claim.eip712_signing_hash(&registry.domain("Lastro Identity Registry"))
}

/// What the issuer of a certificate signs: the holder can claim it from `certificates` with the signature.
pub fn voucher_digest(certificates: Place, voucher: &Certificates::CertificateVoucher) -> B256 {
    voucher.eip712_signing_hash(&certificates.domain("LastroCertificates"))
}

/// What a party signs to confirm an order that somebody else brings to `settlement`.
///
/// `epoch` is the party's `epochOf`: raising it takes all signatures of before back.
pub fn confirmation_digest(
    settlement: Place,
    terms: &Settlement::SettlementTerms,
    party: Address,
    epoch: U256,
) -> B256 {
    let legs = terms.legs.iter().map(|leg| order::SettlementLeg {
        standard: leg.standard,
        token: leg.token,
        from: leg.from,
        to: leg.to,
        id: leg.id,
        amount: leg.amount,
    });
    let terms = order::SettlementTerms {
        legs: legs.collect(),
        notary: terms.notary,
        deadline: terms.deadline,
        expiry: terms.expiry,
        offLedgerHash: terms.offLedgerHash,
        salt: terms.salt,
    };
    order::Confirmation { terms, party, epoch }.eip712_signing_hash(&settlement.domain("LastroSettlement"))
}

/// What the owner of units signs to give an allowance. `token_name` is the token's name of that moment: a new name makes
/// permits of before worthless.
pub fn permit_digest(token: Place, token_name: &str, permit: &Permit) -> B256 {
    permit.eip712_signing_hash(&token.domain(token_name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, b256};

    const HERE: Place = Place { chain_id: 381_660_001, contract: address!("00000000000000000000000000000000000c0de1") };
    const ISSUER: Address = address!("0000000000000000000000000000000000001550");
    const HOLDER: Address = address!("000000000000000000000000000000000000a11c");

    fn word(byte: u8) -> B256 {
        B256::repeat_byte(byte)
    }

    fn terms() -> Settlement::SettlementTerms {
        let leg = |standard, from, to, id: u64, amount: u64| Settlement::SettlementLeg {
            standard,
            token: HERE.contract,
            from,
            to,
            id: U256::from(id),
            amount: U256::from(amount),
        };
        Settlement::SettlementTerms {
            legs: vec![leg(2, HOLDER, ISSUER, 7, 25), leg(0, ISSUER, HOLDER, 0, 100_000)],
            notary: ISSUER,
            deadline: 1_788_278_400,
            expiry: 1_788_361_200,
            offLedgerHash: word(0x0f),
            salt: U256::from(3),
        }
    }

    /// The values are in the contracts' test too: who changes one must change the other.
    #[test]
    fn digests_are_those_of_the_contracts() {
        let claim = IdentityRegistry::Claim {
            identity: HOLDER,
            topic: U256::from(1),
            dataHash: word(0xda),
            issuedAt: alloy_primitives::aliases::U48::from(1_788_274_800_u64),
            endDay: 21_062,
            issuer: ISSUER,
        };
        let voucher = Certificates::CertificateVoucher {
            issuer: ISSUER,
            holder: HOLDER,
            claimId: word(0xc1),
            metadataHash: word(0xda),
            deadline: 1_788_278_400,
        };
        let permit = Permit {
            owner: HOLDER,
            spender: ISSUER,
            value: U256::from(123),
            nonce: U256::ZERO,
            deadline: U256::from(1_788_278_400),
        };
        let digests = [
            claim_digest(HERE, &claim),
            voucher_digest(HERE, &voucher),
            confirmation_digest(HERE, &terms(), HOLDER, U256::ZERO),
            permit_digest(HERE, "Debenture Lastro 2030", &permit),
        ];
        let expected = [
            b256!("2fe2abf6f9755853b4184e7be99574ea95eaac17136b0052ff7d3e9a37bc59eb"),
            b256!("24058a00ae2ccbdda6b5f7717c1715caaf187d1bde5caa9a7b81b540de280be6"),
            b256!("a0bcdea3ab1fb7ec6062ad9d6b058cf93b68cd33fec82d92f311d5a8fc3dc0c3"),
            b256!("2a0c6cb1f1199e6dcda7bead4e1e2a062a51e52fb8357d7e0d41daa1cfeecc37"),
        ];
        assert_eq!(digests, expected);
    }

    #[test]
    fn a_signature_is_bound_to_chain_contract_party_and_epoch() {
        let digest = |place, party, epoch: u64| confirmation_digest(place, &terms(), party, U256::from(epoch));
        let here = digest(HERE, HOLDER, 0);
        assert_ne!(here, digest(Place { chain_id: 1, ..HERE }, HOLDER, 0));
        assert_ne!(here, digest(Place { contract: ISSUER, ..HERE }, HOLDER, 0));
        assert_ne!(here, digest(HERE, ISSUER, 0));
        assert_ne!(here, digest(HERE, HOLDER, 1));
    }
}
