//! Lives in which gas has a price and blocks ask for more than was offered: what stays in the pool is made dearer, step by step, and
//! has its one effect at whichever price.

use super::*;
use crate::FeeModel;

/// The seeds that every test run plays: lives are long where steps of the price take six blocks each.
const SEEDS: &str = "0..60";

fn priced(random: &mut Random) -> Plan {
    let plan = Plan::of(random);
    let fees = match random.per_mille(500) {
        true => FeeModel::Legacy { gas_price_wei: market::PRICE_WEI },
        false => FeeModel::Eip1559 {
            max_fee_per_gas_wei: market::PRICE_WEI,
            max_priority_fee_per_gas_wei: market::PRICE_WEI,
        },
    };
    Plan { profile: Profile { fees, rules: Rules::London, ..plan.profile }, ..plan }
}

fn play_priced(seed: u64, mutant: Option<Mutant>, place: &Place, coverage: &Mutex<Coverage>) -> Result<(), String> {
    let mut random = Random::new(seed);
    let plan = priced(&mut random);
    // Where the floor often falls again, a block takes what was replaced.
    let moves = if random.per_mille(500) { 50 } else { 300 };
    let node = Arc::new(Node::priced(random.fork(), moves));
    play_out(&plan, &node, &format!("priced-{seed}-{mutant:?}"), mutant, place, coverage)
}

#[test]
fn each_intent_has_one_effect_at_whichever_price() {
    let (place, coverage) = (Place::new(), Mutex::default());
    let seeds = seeds::chosen(SEEDS);
    let violations = seeds::play_all(seeds.clone(), |seed| play_priced(seed, None, &place, &coverage));
    let coverage = coverage.into_inner().unwrap();
    println!("{coverage:?}");
    assert!(violations.is_empty(), "(seed, violation): {violations:#?}");
    let is_covered = coverage.replaced > 0 && coverage.too_cheap > 0;
    assert!(seeds.count() < 60 || is_covered, "something never came to pass: {coverage:?}");
}

#[test]
fn a_lower_price_that_is_forgotten_is_caught() {
    let (place, coverage) = (Place::new(), Mutex::default());
    let play = |seed| play_priced(seed, Some(Mutant::EarlierForgotten), &place, &coverage);
    // One in some hundred: the first that is known comes first.
    assert!(seeds::is_caught(385..1_385, play), "nobody noticed");
}
