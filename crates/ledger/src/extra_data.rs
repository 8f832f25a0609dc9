//! QBFT's `extraData`: one RLP list `[vanity, [validator…], vote, round, [seal…]]`.
//!
//! Source: Besu's `QbftExtraDataCodec`, and GoQuorum, which agrees on every item.

use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::{Buf, BufMut, Encodable, Header as RlpHeader};

/// Length of a seal: r and s of 32 bytes each, then v as 0 or 1.
pub(crate) const SEAL_BYTES: usize = 65;
/// Most validators that are read from a header. Real networks have fewer than fifty; the bound keeps hostile input small.
pub(crate) const VALIDATORS_MAX: usize = 1_024;

/// A validator's vote, cast in a block that it builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// Take this address into the validator set.
    Add(Address),
    /// Drop this address from the validator set.
    Drop(Address),
}

/// The decoded `extraData` of a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtraData {
    /// Free 32 bytes; Besu writes zeros.
    pub vanity: B256,
    /// The validators after the parent block. Blocks name them strictly ascending; a genesis may not (the Drex kit's
    /// does not), and its bytes are hashed as they stand.
    pub validators: Vec<Address>,
    /// The builder's vote, if it casts one.
    pub vote: Option<Vote>,
    /// The consensus round in which the block was agreed.
    pub round: u32,
    /// Committed seals over the commit hash.
    pub seals: Vec<[u8; SEAL_BYTES]>,
}

/// The bytes are not QBFT extra data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtraDataError {
    /// The RLP structure is broken: cut short, not a list where one must be, or with leading zeros in a number.
    #[error("extra data is not the RLP list [vanity, validators, vote, round, seals]: {0}")]
    Rlp(alloy_rlp::Error),
    /// The vote's second item is neither 0xff (add) nor empty or 0x00 (drop).
    #[error("a vote is 0xff or empty, not 0x{0:02x}")]
    Vote(u8),
    /// More validators than this ledger reads.
    #[error("{found} validators are named, at most {max} are read")]
    TooManyValidators {
        /// How many the bytes hold.
        found: usize,
        /// [`VALIDATORS_MAX`].
        max: usize,
    },
    /// A validator is named twice.
    #[error("validator {0} is named twice")]
    Repeated(Address),
}

impl From<alloy_rlp::Error> for ExtraDataError {
    fn from(error: alloy_rlp::Error) -> Self {
        Self::Rlp(error)
    }
}

/// Which parts of the extra data an encoding keeps: it decides what a hash commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Everything: what is stored and sent.
    Full,
    /// Without seals, the round kept: what validators sign.
    Commit,
    /// Without seals and with round 0: what the block's hash on the chain is taken over.
    OnChain,
}

impl ExtraData {
    /// Encodes in the given form.
    pub fn encode(&self, form: Form) -> Bytes {
        let mut items = Vec::with_capacity(256);
        self.vanity.encode(&mut items);
        encode_list(&mut items, |out| self.validators.iter().for_each(|validator| validator.encode(out)));
        self.encode_vote(&mut items);
        if form == Form::OnChain {
            0u32.encode(&mut items)
        } else {
            self.round.encode(&mut items)
        }
        encode_list(&mut items, |out| {
            if form == Form::Full {
                self.seals.iter().for_each(|seal| seal.as_slice().encode(out));
            }
        });
        let mut out = Vec::with_capacity(items.len() + 4);
        RlpHeader { list: true, payload_length: items.len() }.encode(&mut out);
        out.extend_from_slice(&items);
        out.into()
    }

    fn encode_vote(&self, out: &mut Vec<u8>) {
        encode_list(out, |list| match self.vote {
            None => {}
            Some(Vote::Add(recipient)) => {
                recipient.encode(list);
                [0xff_u8].as_slice().encode(list);
            }
            Some(Vote::Drop(recipient)) => {
                recipient.encode(list);
                [0_u8; 0].as_slice().encode(list);
            }
        });
    }

    /// Decodes the full form. Lenient, as Besu is, about items after the seals.
    ///
    /// # Errors
    /// Each way in which the bytes can be wrong is a variant of [`ExtraDataError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ExtraDataError> {
        let mut outer = bytes;
        let mut list = RlpHeader::decode_bytes(&mut outer, true)?;
        let vanity_bytes = RlpHeader::decode_bytes(&mut list, false)?;
        let vanity = B256::try_from(vanity_bytes).map_err(|_| alloy_rlp::Error::UnexpectedLength)?;
        let validators = decode_validators(&mut list)?;
        let vote = decode_vote(&mut list)?;
        let round = <u32 as alloy_rlp::Decodable>::decode(&mut list)?;
        let mut seal_list = RlpHeader::decode_bytes(&mut list, true)?;
        let mut seals = Vec::new();
        while seal_list.has_remaining() {
            let seal = RlpHeader::decode_bytes(&mut seal_list, false)?;
            seals.push(seal.try_into().map_err(|_| alloy_rlp::Error::UnexpectedLength)?);
        }
        Ok(Self { vanity, validators, vote, round, seals })
    }
}

fn encode_list(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut items = Vec::new();
    fill(&mut items);
    RlpHeader { list: true, payload_length: items.len() }.encode(out);
    out.put_slice(&items);
}

fn decode_validators(list: &mut &[u8]) -> Result<Vec<Address>, ExtraDataError> {
    let mut items = RlpHeader::decode_bytes(list, true)?;
    // An address takes 21 bytes in RLP, so the length alone bounds the count before anything is allocated.
    let count = items.len() / 21;
    if count > VALIDATORS_MAX {
        return Err(ExtraDataError::TooManyValidators { found: count, max: VALIDATORS_MAX });
    }
    let mut validators: Vec<Address> = Vec::with_capacity(count);
    while items.has_remaining() {
        let validator = <Address as alloy_rlp::Decodable>::decode(&mut items)?;
        if validators.contains(&validator) {
            return Err(ExtraDataError::Repeated(validator));
        }
        validators.push(validator);
    }
    Ok(validators)
}

fn decode_vote(list: &mut &[u8]) -> Result<Option<Vote>, ExtraDataError> {
    let mut items = RlpHeader::decode_bytes(list, true)?;
    if !items.has_remaining() {
        return Ok(None);
    }
    let recipient = <Address as alloy_rlp::Decodable>::decode(&mut items)?;
    match RlpHeader::decode_bytes(&mut items, false)? {
        [0xff] => Ok(Some(Vote::Add(recipient))),
        [] | [0x00] => Ok(Some(Vote::Drop(recipient))),
        other => Err(ExtraDataError::Vote(other[0])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;
    use proptest::prelude::*;

    /// The extra data of the Drex kit's genesis: four validators, no vote, round 0, no seals.
    const DREX: &str = "f87aa00000000000000000000000000000000000000000000000000000000000000000f854946b45f213f53d31e2f125b1a7a0647e966314a581943d6ab39222b6fc9a3b0838ff43ac6b989eaec74094fc13c289e22249d8f3c949ed61865f309fc4be0b943017ae288af105620c148f4973e8208b8077175fc080c0";

    #[test]
    fn a_genesis_may_name_validators_in_any_order_but_none_twice() {
        let bytes = hex::decode(DREX).unwrap();
        let extra = ExtraData::decode(&bytes).unwrap();
        assert_eq!((extra.validators.len(), extra.encode(Form::Full).to_vec()), (4, bytes));
        let twice = ExtraData { validators: vec![extra.validators[0]; 2], ..extra.clone() }.encode(Form::Full);
        assert_eq!(ExtraData::decode(&twice), Err(ExtraDataError::Repeated(extra.validators[0])));
    }

    #[test]
    fn contract_mode_has_no_validators() {
        let bytes = hex::decode(format!("e5a0{}c0c080c0", "00".repeat(32))).unwrap();
        assert_eq!(ExtraData::decode(&bytes), Ok(ExtraData::default()));
        assert_eq!(ExtraData::default().encode(Form::Full), bytes);
    }

    #[test]
    fn a_large_round_is_a_minimal_scalar() {
        let bytes = ExtraData { round: 0x00fe_dcba, ..Default::default() }.encode(Form::Full);
        assert!(hex::encode(&bytes).ends_with("c0c083fedcbac0"), "{bytes}");
    }

    fn any_extra_data() -> impl Strategy<Value = ExtraData> {
        let seal =
            prop::collection::vec(any::<u8>(), SEAL_BYTES).prop_map(|v| <[u8; SEAL_BYTES]>::try_from(v).unwrap());
        let vote = prop_oneof![
            Just(None),
            any::<[u8; 20]>().prop_map(|a| Some(Vote::Add(a.into()))),
            any::<[u8; 20]>().prop_map(|a| Some(Vote::Drop(a.into()))),
        ];
        let validators = prop::collection::btree_set(any::<[u8; 20]>(), 0..7);
        (any::<[u8; 32]>(), validators, vote, any::<u32>(), prop::collection::vec(seal, 0..5)).prop_map(
            |(vanity, validators, vote, round, seals)| ExtraData {
                vanity: vanity.into(),
                validators: validators.into_iter().map(Address::from).collect(),
                vote,
                round,
                seals,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(extra in any_extra_data()) {
            prop_assert_eq!(ExtraData::decode(&extra.encode(Form::Full)), Ok(extra));
        }

        #[test]
        fn hostile_bytes_are_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = ExtraData::decode(&bytes);
        }

        #[test]
        fn the_commit_form_drops_seals_and_the_chain_form_also_the_round(extra in any_extra_data()) {
            let commit = ExtraData { seals: vec![], ..extra.clone() };
            let on_chain = ExtraData { round: 0, ..commit.clone() };
            prop_assert_eq!(extra.encode(Form::Commit), commit.encode(Form::Full));
            prop_assert_eq!(extra.encode(Form::OnChain), on_chain.encode(Form::Full));
        }
    }
}
