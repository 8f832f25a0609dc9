//! Sealed headers: a header together with its hash by QBFT's rules.
//!
//! The hash of the full header is used nowhere: validators sign the form without seals, and the chain's hash is taken
//! over the form without seals and with round 0. `Header::hash_slow` is therefore wrong here; hashes are kept, not
//! computed again. The genesis header is hashed as it stands.

use crate::extra_data::{ExtraData, ExtraDataError, Form};
use crate::node_key::{NodeKey, recover_sealer};
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, keccak256};

/// A header that will not change any more, and its hash on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedHeader {
    hash: B256,
    header: Header,
}

/// A header read from disk breaks QBFT's rules.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// `extraData` cannot be decoded.
    #[error("the extra data of block {number} is broken")]
    ExtraData {
        /// Block number.
        number: u64,
        /// What is wrong with it.
        source: ExtraDataError,
    },
    /// Too few seals are by distinct validators.
    #[error("block {number} has {valid} seals of its validators, but needs {quorum}")]
    Seals {
        /// Block number.
        number: u64,
        /// Seals by distinct validators of the block.
        valid: usize,
        /// Two thirds of the validators, rounded up.
        quorum: usize,
    },
}

/// How many of `validators` must seal a block: two thirds, rounded up.
pub(crate) fn quorum(validators: usize) -> usize {
    validators.saturating_mul(2).div_ceil(3)
}

fn hash_in_form(header: &Header, extra: &ExtraData, form: Form) -> B256 {
    let mut shaped = header.clone();
    shaped.extra_data = extra.encode(form);
    keccak256(alloy_rlp::encode(&shaped))
}

impl SealedHeader {
    /// Block 0: hashed with its extra data unchanged.
    pub fn genesis(header: Header) -> Self {
        Self { hash: keccak256(alloy_rlp::encode(&header)), header }
    }

    /// Seals a block that this node built alone: `extra` names the validators, the seal is added here.
    pub fn seal(mut header: Header, mut extra: ExtraData, key: &NodeKey) -> Self {
        extra.seals.clear();
        let commit_hash = hash_in_form(&header, &extra, Form::Commit);
        let hash = hash_in_form(&header, &extra, Form::OnChain);
        extra.seals.push(key.seal(commit_hash));
        header.extra_data = extra.encode(Form::Full);
        Self { hash, header }
    }

    /// Takes a header that was sealed before and checks its seals.
    ///
    /// # Errors
    /// [`HeaderError`] where the extra data is broken or the seals do not reach the quorum.
    pub fn check(header: Header) -> Result<Self, HeaderError> {
        let number = header.number;
        let extra =
            ExtraData::decode(&header.extra_data).map_err(|source| HeaderError::ExtraData { number, source })?;
        let commit_hash = hash_in_form(&header, &extra, Form::Commit);
        let mut sealers: Vec<Address> =
            extra.seals.iter().filter_map(|seal| recover_sealer(seal, commit_hash)).collect();
        sealers.sort_unstable();
        sealers.dedup();
        let valid = sealers.iter().filter(|sealer| extra.validators.contains(sealer)).count();
        let quorum = quorum(extra.validators.len());
        if valid < quorum || quorum == 0 {
            return Err(HeaderError::Seals { number, valid, quorum });
        }
        Ok(Self { hash: hash_in_form(&header, &extra, Form::OnChain), header })
    }

    /// Takes a header from a record whose checksum vouches for it, without looking at the seals. Extra data that cannot
    /// be decoded leaves a hash that no child names.
    pub(crate) fn trust(header: Header) -> Self {
        let hash = match ExtraData::decode(&header.extra_data) {
            Ok(extra) => hash_in_form(&header, &extra, Form::OnChain),
            Err(_) => B256::ZERO,
        };
        Self { hash, header }
    }

    /// The block's hash: what `parentHash`, JSON-RPC and `BLOCKHASH` mean.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// The header with its seals.
    pub fn header(&self) -> &Header {
        &self.header
    }
}

impl std::ops::Deref for SealedHeader {
    type Target = Header;

    fn deref(&self) -> &Header {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (SealedHeader, NodeKey) {
        let key = NodeKey::generate();
        let extra = ExtraData { validators: vec![key.address()], round: 3, ..Default::default() };
        (SealedHeader::seal(Header { number: 7, ..Default::default() }, extra, &key), key)
    }

    #[test]
    fn a_sealed_header_passes_its_own_check_with_the_same_hash() {
        let (header, _) = sealed();
        assert_eq!(SealedHeader::check(header.header().clone()), Ok(header));
    }

    #[test]
    fn the_hash_on_the_chain_does_not_depend_on_the_round_or_the_seals() {
        let (header, key) = sealed();
        let extra = ExtraData { validators: vec![key.address()], round: 0, ..Default::default() };
        let again = SealedHeader::seal(Header { number: 7, ..Default::default() }, extra, &key);
        assert_eq!(header.hash(), again.hash());
        assert_ne!(header.extra_data, again.extra_data);
    }

    #[test]
    fn a_changed_header_or_a_foreign_seal_misses_the_quorum() {
        let (header, key) = sealed();
        let mut changed = header.header().clone();
        changed.gas_used = 1;
        assert_eq!(SealedHeader::check(changed), Err(HeaderError::Seals { number: 7, valid: 0, quorum: 1 }));
        let extra = ExtraData { validators: vec![Address::ZERO], ..Default::default() };
        let foreign = SealedHeader::seal(Header::default(), extra, &key).header().clone();
        assert_eq!(SealedHeader::check(foreign), Err(HeaderError::Seals { number: 0, valid: 0, quorum: 1 }));
    }

    #[test]
    fn quorum_is_two_thirds_rounded_up() {
        assert_eq!([1, 2, 3, 4, 5, 6, 7].map(quorum), [1, 2, 2, 3, 4, 4, 5]);
    }
}
