//! Accounts whose keys follow from their names, and their signed transactions: the same in every run.

use alloy_consensus::{SignableTransaction, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, keccak256};
use secp256k1::{Message, SECP256K1, SecretKey};

/// The embedded profile's chain.
pub(crate) const CHAIN_ID: u64 = 1337;
/// More than any transaction here needs.
const GAS_LIMIT: u64 = 5_000_000;

/// One account.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    key: SecretKey,
    pub(crate) address: Address,
}

/// A signed transaction.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) sender: Address,
    pub(crate) hash: B256,
    pub(crate) raw: Bytes,
}

impl Signer {
    /// The account of a role and a number.
    ///
    /// # Panics
    /// Never in practice: a hash that is no key would have to be found first.
    pub(crate) fn named(role: &str, index: u32) -> Self {
        let key = SecretKey::from_byte_array(keccak256(format!("{role} {index}")).0).expect("a hash is a key");
        let public = key.public_key(SECP256K1).serialize_uncompressed();
        Self { key, address: Address::from_slice(&keccak256(&public[1..])[12..]) }
    }

    /// Signs a legacy transaction at gas price 0, as networks with free gas take it.
    pub(crate) fn sign(&self, nonce: u64, to: TxKind, input: Bytes) -> Signed {
        let transaction =
            TxLegacy { chain_id: Some(CHAIN_ID), nonce, gas_limit: GAS_LIMIT, to, input, ..TxLegacy::default() };
        let digest = Message::from_digest(transaction.signature_hash().0);
        let (recovery, compact) = SECP256K1.sign_ecdsa_recoverable(digest, &self.key).serialize_compact();
        let signature = Signature::from_bytes_and_parity(&compact, i32::from(recovery) == 1);
        let envelope = TxEnvelope::from(transaction.into_signed(signature));
        Signed { sender: self.address, hash: *envelope.tx_hash(), raw: envelope.encoded_2718().into() }
    }
}
