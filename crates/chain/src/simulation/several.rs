//! The same lives over two nodes of the ledger, one in front and one that stands by and refuses more: each loses requests and answers,
//! the front moves between them, and copies come late. Whatever one of them takes, both have, as if they gossiped without delay.

use std::sync::{Arc, Mutex};

use super::node::{Node, SecondFace};
use super::{Mutant, Place, Way, play, seeds};
use crate::{RpcTransport, SeveralNodes};

/// The seeds that every test run plays.
const SEEDS: &str = "0..300";

/// Both nodes.
pub(super) fn over(node: &Arc<Node>, mutant: Option<Mutant>) -> Arc<dyn RpcTransport> {
    let (first, second) = (Arc::<Node>::clone(node), Arc::new(SecondFace(Arc::clone(node))));
    let mut several = SeveralNodes::first("first", first).then("second", second);
    several.mutant = mutant;
    Arc::new(several)
}

#[test]
fn each_intent_has_exactly_one_effect_or_a_refusal_over_several_nodes() {
    let (place, coverage) = (Place::new(), Mutex::default());
    let seeds = seeds::chosen(SEEDS);
    let violations = seeds::play_all(seeds.clone(), |seed| play(seed, Way::SeveralNodes, None, &place, &coverage));
    let coverage = coverage.into_inner().unwrap();
    assert!(violations.is_empty(), "(seed, violation): {violations:#?}");
    let least = coverage.least().min(coverage.second_face);
    assert!(seeds.count() < 300 || least > 0, "something never came to pass: {coverage:?}");
}

#[test]
fn planted_defects_of_several_nodes_are_caught() {
    let (place, coverage) = (Place::new(), Mutex::default());
    for mutant in [Mutant::AnotherNodeAfterUnknown, Mutant::CopiedBeforeItsAnswer] {
        // Only a lane's last intent shows it, once in some hundred seeds: the others' nonces are not given back.
        let play = |seed| play(seed, Way::SeveralNodes, Some(mutant), &place, &coverage);
        assert!(seeds::is_caught(0..4_000, play), "{mutant:?} went unnoticed in 4,000 seeds");
    }
}
