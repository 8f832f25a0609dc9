//! Signed transactions: decoding, the checks that need no state, and the sender.

use crate::forks::Fork;
use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{Transaction as _, TxEnvelope, TxType};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, U256};

/// Longest raw transaction, as in Ethereum's pools (128 KiB): the pool's memory is counted in these.
pub(crate) const TRANSACTION_BYTES_MAX: usize = 128 * 1024;

/// A decoded transaction with its recovered sender. Recovering costs most of all work on a transfer, so it is done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedTransaction {
    envelope: TxEnvelope,
    raw: Bytes,
    sender: Address,
}

/// The bytes are no transaction that this ledger takes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TransactionError {
    /// Longer than [`TRANSACTION_BYTES_MAX`].
    #[error("the transaction has {bytes} bytes, at most {max} are taken")]
    TooLong {
        /// Length of the raw transaction.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// Neither legacy RLP nor a known typed transaction.
    #[error("the bytes are no signed transaction (EIP-2718)")]
    Malformed,
    /// The rules of the next block do not know this type.
    #[error("transactions of type {ty} are not valid under {fork} rules")]
    Type {
        /// EIP-2718 type number.
        ty: u8,
        /// The rules in force.
        fork: Fork,
    },
    /// Signed for another chain.
    #[error("the transaction is for chain {found}, this is chain {expected}")]
    WrongChain {
        /// Chain id in the transaction.
        found: u64,
        /// This chain's.
        expected: u64,
    },
    /// Signed for no chain at all: it could be played again on any.
    #[error("the transaction names no chain id (EIP-155), so it could be replayed on other chains")]
    NoChainId,
    /// A set-code transaction without authorizations (EIP-7702).
    #[error("a set-code transaction needs at least one authorization (EIP-7702)")]
    NoAuthorizations,
    /// The signature is not valid, or its s is in the upper half (EIP-2).
    #[error("the signature is invalid or malleable (EIP-2)")]
    Signature,
}

impl SignedTransaction {
    /// Decodes, checks the signature and recovers the sender.
    ///
    /// # Errors
    /// [`TransactionError`] for bytes that are too long, no transaction, or not signed by anybody.
    pub(crate) fn decode(raw: Bytes) -> Result<Self, TransactionError> {
        if raw.len() > TRANSACTION_BYTES_MAX {
            return Err(TransactionError::TooLong { bytes: raw.len(), max: TRANSACTION_BYTES_MAX });
        }
        let mut rest = &raw[..];
        let envelope = TxEnvelope::decode_2718(&mut rest).map_err(|_| TransactionError::Malformed)?;
        if !rest.is_empty() {
            return Err(TransactionError::Malformed);
        }
        // `recover_signer` refuses an s in the upper half.
        let sender = envelope.recover_signer().map_err(|_| TransactionError::Signature)?;
        Ok(Self { envelope, raw, sender })
    }

    /// Takes back a transaction that this ledger decoded before, with the sender that it stored.
    ///
    /// # Errors
    /// [`TransactionError::Malformed`] if the bytes are not what was stored.
    pub(crate) fn from_stored(raw: Bytes, sender: Address) -> Result<Self, TransactionError> {
        let envelope = TxEnvelope::decode_2718(&mut &raw[..]).map_err(|_| TransactionError::Malformed)?;
        Ok(Self { envelope, raw, sender })
    }

    /// The checks of a network: chain id, and whether the rules know the type.
    ///
    /// # Errors
    /// [`TransactionError::WrongChain`], [`TransactionError::NoChainId`], [`TransactionError::Type`] or
    /// [`TransactionError::NoAuthorizations`].
    pub(crate) fn check_network(&self, chain_id: u64, fork: Fork) -> Result<(), TransactionError> {
        match self.envelope.chain_id() {
            None => return Err(TransactionError::NoChainId),
            Some(found) if found != chain_id => return Err(TransactionError::WrongChain { found, expected: chain_id }),
            Some(_) => {}
        }
        let first = match self.envelope.tx_type() {
            TxType::Legacy => Some(Fork::Byzantium),
            TxType::Eip2930 => Some(Fork::Berlin),
            TxType::Eip1559 => Some(Fork::London),
            // A permissioned chain has no beacon chain to keep blobs.
            TxType::Eip4844 => None,
            TxType::Eip7702 => Some(Fork::Prague),
        };
        if first.is_none_or(|first| fork < first) {
            return Err(TransactionError::Type { ty: self.envelope.tx_type() as u8, fork });
        }
        if self.envelope.authorization_list().is_some_and(<[_]>::is_empty) {
            return Err(TransactionError::NoAuthorizations);
        }
        Ok(())
    }

    /// The decoded transaction with its signature.
    pub(crate) fn envelope(&self) -> &TxEnvelope {
        &self.envelope
    }

    /// The bytes as they were sent.
    pub(crate) fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Keccak-256 of the raw bytes.
    pub(crate) fn hash(&self) -> B256 {
        *self.envelope.tx_hash()
    }

    /// Who signed it.
    pub(crate) fn sender(&self) -> Address {
        self.sender
    }

    /// The sender's transaction count that it is for.
    pub(crate) fn nonce(&self) -> u64 {
        self.envelope.nonce()
    }

    /// Wei that the sender must own before it runs: gas limit times highest price, plus the value.
    /// Saturates, since no balance reaches 2^256.
    pub(crate) fn upfront_cost_wei(&self) -> U256 {
        let gas = U256::from(self.envelope.gas_limit()).saturating_mul(U256::from(self.envelope.max_fee_per_gas()));
        gas.saturating_add(self.envelope.value())
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Transactions signed in tests.

    use super::*;
    use alloy_consensus::{SignableTransaction, Signed, TxLegacy};
    use alloy_eips::eip2718::Encodable2718;
    use alloy_primitives::{Signature, TxKind, keccak256};
    use secp256k1::{Message, SECP256K1, SecretKey};

    /// A test account: its key is the hash of its name.
    pub(crate) fn key(name: &str) -> SecretKey {
        SecretKey::from_byte_array(keccak256(name).0).unwrap()
    }

    pub(crate) fn address(name: &str) -> Address {
        Address::from_slice(&keccak256(&key(name).public_key(SECP256K1).serialize_uncompressed()[1..])[12..])
    }

    pub(crate) fn sign<T: SignableTransaction<Signature>>(transaction: T, name: &str) -> SignedTransaction
    where
        TxEnvelope: From<Signed<T>>,
    {
        SignedTransaction::decode(signed_bytes(transaction, &key(name))).unwrap()
    }

    pub(crate) fn signed_bytes<T: SignableTransaction<Signature>>(transaction: T, key: &SecretKey) -> Bytes
    where
        TxEnvelope: From<Signed<T>>,
    {
        let digest = Message::from_digest(transaction.signature_hash().0);
        let (recovery, compact) = SECP256K1.sign_ecdsa_recoverable(digest, key).serialize_compact();
        let signature = Signature::from_bytes_and_parity(&compact, i32::from(recovery) == 1);
        TxEnvelope::from(transaction.into_signed(signature)).encoded_2718().into()
    }

    /// A free transaction of chain 1337.
    pub(crate) fn call(name: &str, nonce: u64, to: TxKind, input: Bytes) -> SignedTransaction {
        priced(name, nonce, 0, to, input)
    }

    pub(crate) fn priced(name: &str, nonce: u64, gas_price: u128, to: TxKind, input: Bytes) -> SignedTransaction {
        let gas_limit = 1_000_000;
        sign(TxLegacy { chain_id: Some(1337), nonce, gas_price, gas_limit, to, input, ..Default::default() }, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::TxLegacy;
    use alloy_primitives::TxKind;

    #[test]
    fn a_decoded_transaction_knows_its_sender_and_hash() {
        let transaction = testing::call("ana", 3, TxKind::Call(Address::ZERO), Bytes::new());
        assert_eq!((transaction.sender(), transaction.nonce()), (testing::address("ana"), 3));
        assert_eq!(transaction.hash(), alloy_primitives::keccak256(transaction.raw()));
        assert_eq!(transaction.check_network(1337, Fork::Berlin), Ok(()));
    }

    #[test]
    fn another_chain_and_no_chain_are_told_apart() {
        let transaction = testing::call("ana", 0, TxKind::Create, Bytes::new());
        let error = transaction.check_network(1, Fork::Berlin);
        assert_eq!(error, Err(TransactionError::WrongChain { found: 1337, expected: 1 }));
        let unprotected = testing::sign(TxLegacy { chain_id: None, ..Default::default() }, "ana");
        assert_eq!(unprotected.check_network(1, Fork::Berlin), Err(TransactionError::NoChainId));
    }

    #[test]
    fn trailing_bytes_junk_and_giants_are_refused() {
        let raw = testing::call("ana", 0, TxKind::Create, Bytes::new()).raw().to_vec();
        let longer: Bytes = [raw.as_slice(), &[0]].concat().into();
        assert_eq!(SignedTransaction::decode(longer), Err(TransactionError::Malformed));
        assert_eq!(SignedTransaction::decode(vec![0xc0].into()), Err(TransactionError::Malformed));
        let giant = vec![0_u8; TRANSACTION_BYTES_MAX + 1];
        assert!(matches!(SignedTransaction::decode(giant.into()), Err(TransactionError::TooLong { .. })));
    }
}
