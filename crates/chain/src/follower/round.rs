//! What the nodes say about one block, and what follows from that: pure.

use std::collections::BTreeMap;

use alloy_primitives::B256;

use super::block::FollowedBlock;
use super::lie::Lie;
use super::verify::Verified;

/// What a node said when it was asked for the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vote {
    /// It has not answered yet.
    Pending,
    /// It gave a block whose parts fit each other.
    Given { hash: B256, parent_hash: B256, digest: B256 },
}

/// What the nodes say about one block.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// By the node's place in the follower's list.
    votes: BTreeMap<usize, Vote>,
    /// Each content once, by its digest.
    blocks: BTreeMap<B256, FollowedBlock>,
    /// What the blocks take in memory.
    bytes: usize,
}

/// How a node that answered stands to what was agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stance {
    /// It gave just that.
    Agrees,
    /// It gave something else.
    Differs(Lie),
}

impl Round {
    /// Whether the node was asked and has not failed.
    pub(super) fn is_asked(&self, node: usize) -> bool {
        self.votes.contains_key(&node)
    }

    pub(super) fn ask(&mut self, node: usize) {
        let _ = self.votes.insert(node, Vote::Pending);
    }

    /// The node failed, or is not believed: it may be asked again.
    pub(super) fn forget(&mut self, node: usize) {
        if let Some(Vote::Given { digest, .. }) = self.votes.remove(&node)
            && !self.digests().any(|other| other == digest)
        {
            drop(self.blocks.remove(&digest));
            self.bytes = self.blocks.values().map(FollowedBlock::bytes).sum();
        }
    }

    pub(super) fn give(&mut self, node: usize, verified: Verified) {
        let Verified { block, digest } = verified;
        let vote = Vote::Given { hash: block.hash, parent_hash: block.parent_hash, digest };
        let _ = self.votes.insert(node, vote);
        match self.blocks.get_mut(&digest) {
            Some(same) => same.fill_reverts(&block),
            None => {
                self.bytes += block.bytes();
                drop(self.blocks.insert(digest, block));
            }
        }
    }

    /// Nodes whose block does not follow on this one, with the parent that they name.
    pub(super) fn strangers(&self, parent: B256) -> impl Iterator<Item = (usize, B256)> + '_ {
        self.votes.iter().filter_map(move |(&node, vote)| match vote {
            Vote::Given { parent_hash, .. } if *parent_hash != parent => Some((node, *parent_hash)),
            Vote::Given { .. } | Vote::Pending => None,
        })
    }

    /// The digest that a quorum agrees on, of a block that follows on this parent. While all who answered agree, nobody else is
    /// waited for. Where nodes differ, it must be more than half of all who answered, are still asked, or are known to be on
    /// another ledger (`elsewhere`).
    pub(super) fn agreed(&self, parent: B256, quorum: usize, elsewhere: usize) -> Option<B256> {
        let given = self.votes.values().filter(|vote| **vote != Vote::Pending).count();
        let enough = |digest: &B256| {
            let same = self.digests().filter(|other| other == digest).count();
            let is_majority = same * 2 > self.votes.len() + elsewhere;
            same >= quorum && (is_majority || same == given + elsewhere)
        };
        let follows = |(digest, block): (&B256, &FollowedBlock)| (block.parent_hash == parent).then_some(*digest);
        self.blocks.iter().filter_map(follows).find(enough)
    }

    /// The block with this digest, and how each who answered stands to it.
    pub(super) fn close(mut self, digest: B256) -> (FollowedBlock, Vec<(usize, Stance)>) {
        let block = self.blocks.remove(&digest).expect("only a digest of a block that is here can be agreed on");
        let stances = self.votes.iter().filter_map(|(&node, vote)| match *vote {
            Vote::Given { digest: other, .. } if other == digest => Some((node, Stance::Agrees)),
            Vote::Given { hash, .. } => Some((node, Stance::Differs(difference(hash, block.hash)))),
            Vote::Pending => None,
        });
        let stances = stances.collect();
        (block, stances)
    }

    /// What the blocks take in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn digests(&self) -> impl Iterator<Item = B256> + '_ {
        self.votes.values().filter_map(|vote| match vote {
            Vote::Given { digest, .. } => Some(*digest),
            Vote::Pending => None,
        })
    }
}

/// What is false of a block that is not what was agreed on.
pub(super) fn difference(given: B256, agreed: B256) -> Lie {
    if given == agreed { Lie::OtherContent { hash: given } } else { Lie::OtherBlock { given, agreed } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: B256 = B256::repeat_byte(1);

    fn verified(hash: u8, parent_hash: B256, digest: u8) -> Verified {
        let hash = B256::repeat_byte(hash);
        let block = FollowedBlock { number: 7, hash, parent_hash, timestamp_seconds: 0, transactions: Vec::new() };
        Verified { block, digest: B256::repeat_byte(digest) }
    }

    /// `a` and `b` give two blocks, `o` a block of another chain, `?` has not answered yet.
    fn round(votes: &str) -> Round {
        let mut round = Round::default();
        for (node, vote) in votes.chars().enumerate() {
            match vote {
                '?' => round.ask(node),
                'o' => round.give(node, verified(9, B256::repeat_byte(8), 9)),
                letter => {
                    round.give(node, verified(u8::try_from(letter).unwrap(), PARENT, u8::try_from(letter).unwrap()))
                }
            }
        }
        round
    }

    fn agreed(votes: &str, quorum: usize, elsewhere: usize) -> Option<char> {
        round(votes).agreed(PARENT, quorum, elsewhere).map(|digest| char::from(digest[0]))
    }

    #[test]
    fn a_quorum_of_equal_answers_is_enough_and_silent_nodes_are_not_waited_for() {
        assert_eq!(agreed("a", 1, 0), Some('a'));
        assert_eq!(agreed("a??", 2, 0), None);
        assert_eq!(agreed("aa?", 2, 0), Some('a'));
        assert_eq!(agreed("aa???", 2, 0), Some('a'));
    }

    #[test]
    fn where_nodes_differ_more_than_half_of_all_who_are_asked_must_agree() {
        assert_eq!(agreed("ab", 1, 0), None);
        assert_eq!(agreed("aab", 1, 0), Some('a'));
        assert_eq!(agreed("aab?", 2, 0), None);
        assert_eq!(agreed("aaab?", 2, 0), Some('a'));
        assert_eq!(agreed("abb", 2, 0), Some('b'));
        assert_eq!(agreed("aab", 3, 0), None);
    }

    #[test]
    fn a_block_of_another_chain_is_never_agreed_on_and_counts_against() {
        assert_eq!(agreed("oo", 1, 0), None);
        assert_eq!(agreed("ao", 1, 0), None);
        assert_eq!(agreed("aao", 2, 0), Some('a'));
        assert_eq!(agreed("a", 1, 1), None);
        assert_eq!(agreed("aa", 2, 1), Some('a'));
        assert_eq!(round("aoa").strangers(PARENT).collect::<Vec<_>>(), [(1, B256::repeat_byte(8))]);
    }

    #[test]
    fn who_gave_something_else_is_told() {
        let mut round = round("aab?");
        round.give(3, verified(b'a', PARENT, b'c'));
        let (block, stances) = round.close(B256::repeat_byte(b'a'));
        let (hash, given) = (B256::repeat_byte(b'a'), B256::repeat_byte(b'b'));
        assert_eq!(block.hash, hash);
        let differs = [Lie::OtherBlock { given, agreed: hash }, Lie::OtherContent { hash }].map(Stance::Differs);
        let [other_block, other_content] = differs;
        let expected = [(0, Stance::Agrees), (1, Stance::Agrees), (2, other_block), (3, other_content)];
        assert_eq!(stances, expected);
    }

    #[test]
    fn what_only_a_forgotten_node_gave_is_dropped() {
        let mut round = round("aab");
        let three = round.bytes();
        round.forget(0);
        assert_eq!(round.bytes(), three);
        round.forget(2);
        assert_eq!((round.bytes(), round.is_asked(2)), (three / 2, false));
    }
}
