//! Reading `extraData` of QBFT and IBFT 2.0 headers, far enough to know who validates and in which round a block was agreed.
//!
//! Both are a list of vanity, validators, vote, round and seals. QBFT writes no vote as an empty list and the round as a number;
//! IBFT 2.0 writes no vote as an empty string and the round in four bytes (Besu: `QbftExtraDataCodec`, `IbftExtraDataCodec`). A
//! QBFT block would need more than sixteen million rounds to be taken for one of IBFT 2.0.

use alloy_primitives::Address;
use alloy_rlp::Header;

use crate::profile::network::Consensus;

/// Most validators that are read; no network of this kind has a tenth of it.
const VALIDATORS_MAX: usize = 1_000;

/// What a block's `extraData` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BftExtra {
    /// Of which consensus.
    pub consensus: Consensus,
    /// The validators; empty where a contract names them.
    pub validators: Vec<Address>,
    /// The round in which the block was agreed; 0 if at once.
    pub round: u32,
}

impl BftExtra {
    /// Reads it; `None` if it is of another kind.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut outer = bytes;
        let mut fields = list(&mut outer)?;
        let _vanity = string(&mut fields)?;
        let validators = addresses(list(&mut fields)?)?;
        let (is_vote_list, _vote) = item(&mut fields)?;
        let round = string(&mut fields)?;
        let _seals = list(&mut fields)?;
        let consensus = match (is_vote_list, round.len()) {
            (true, 0..=3) => Consensus::Qbft,
            (_, 4) => Consensus::Ibft2,
            _ => return None,
        };
        let round = round.iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        Some(Self { consensus, validators, round })
    }
}

fn addresses(mut list: &[u8]) -> Option<Vec<Address>> {
    let mut found = Vec::new();
    while !list.is_empty() {
        let address = <[u8; 20]>::try_from(string(&mut list)?).ok()?;
        found.push(Address::from(address));
        if found.len() > VALIDATORS_MAX {
            return None;
        }
    }
    Some(found)
}

/// The next item: whether it is a list, and its payload.
fn item<'a>(bytes: &mut &'a [u8]) -> Option<(bool, &'a [u8])> {
    let header = Header::decode(bytes).ok()?;
    let (payload, rest) = bytes.split_at_checked(header.payload_length)?;
    *bytes = rest;
    Some((header.list, payload))
}

fn list<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    item(bytes).and_then(|(is_list, payload)| is_list.then_some(payload))
}

fn string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    item(bytes).and_then(|(is_list, payload)| (!is_list).then_some(payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, hex};
    use proptest::prelude::*;

    /// Of RBB's genesis.
    const QBFT: &str = "f83aa00000000000000000000000000000000000000000000000000000000000000000d5948cbed6ba98fd722a54126edec5f20f1df0c713fcc080c0";
    /// Of a genesis in Besu's issue 3700.
    const IBFT2: &str = "f83ea00000000000000000000000000000000000000000000000000000000000000000d5940c6ef62ec3be8e38de5c362458997d37cf8f17c3808400000000c0";

    #[test]
    fn qbft_and_ibft_2_are_told_apart() {
        let qbft = BftExtra::read(&hex::decode(QBFT).unwrap()).unwrap();
        let validators = vec![address!("8cbed6ba98fd722a54126edec5f20f1df0c713fc")];
        assert_eq!(qbft, BftExtra { consensus: Consensus::Qbft, validators, round: 0 });
        let ibft2 = BftExtra::read(&hex::decode(IBFT2).unwrap()).unwrap();
        assert_eq!((ibft2.consensus, ibft2.round, ibft2.validators.len()), (Consensus::Ibft2, 0, 1));
    }

    #[test]
    fn a_round_is_read() {
        // Round 300 takes two bytes after its length, so the outer list is two longer.
        let round = hex::decode(QBFT.replacen("f83a", "f83c", 1).replace("c080c0", "c082012cc0")).unwrap();
        assert_eq!(BftExtra::read(&round).unwrap().round, 300);
    }

    #[test]
    fn what_is_of_another_kind_is_not_read() {
        for bytes in ["", "00", "c0", "d883010a", "f83a", "0xzz"] {
            assert_eq!(BftExtra::read(&hex::decode(bytes).unwrap_or_default()), None, "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            place in 0_usize..60,
            byte in any::<u8>(),
        ) {
            let _ = BftExtra::read(&bytes);
            let mut changed = hex::decode(QBFT).unwrap();
            changed[place] = byte;
            let _ = BftExtra::read(&changed);
        }
    }
}
