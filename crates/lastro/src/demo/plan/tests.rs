//! Tests of the plan: it balances before anything is sent.

use super::*;
use crate::demo::books::{Asset, Books};
use crate::demo::parties::{Bank, PARTIES};
use alloy_primitives::keccak256;

pub(crate) fn wallet(party: Party) -> Address {
    Address::from_slice(&keccak256(party.key_label().as_str())[12..])
}

fn bonds() -> Vec<BondQuote> {
    market::bond_list::parse(include_bytes!("../../../../../examples/tpf-anbima-2026-09-01.csv")).unwrap()
}

fn planned(bonds: Vec<BondQuote>) -> Plan {
    Plan::new(bonds, &wallet).unwrap()
}

/// Books after everything that should happen has happened.
fn played(plan: &Plan) -> Books {
    let mut books = Books::default();
    let mut commanded = std::collections::BTreeSet::new();
    for step in plan.stages.iter().flat_map(|stage| &stage.steps) {
        match &step.effect {
            Effect::Moves(postings) => books.post(postings).unwrap(),
            Effect::Command(operation) if !commanded.insert(*operation) => {
                books.post(&plan.operations[*operation].postings).unwrap();
            }
            Effect::Command(_) | Effect::Nothing | Effect::Fails(_) => {}
        }
    }
    books
}

#[test]
fn the_plan_overdraws_nobody_whatever_the_length_of_the_list() {
    for length in 1..=6 {
        let plan = planned(bonds()[..length].to_vec());
        let books = played(&plan);
        for bank in [Bank::Ipe, Bank::Jatoba] {
            let backing = books.held(Asset::RealDigital, Party::Reserve(bank));
            assert_eq!(books.supply(Asset::RealTokenizado(bank)), backing, "{length} bonds");
        }
    }
}

#[test]
fn bruno_cannot_pay_the_last_trade() {
    let plan = planned(bonds());
    let has = played(&plan).held(Asset::RealTokenizado(Bank::Jatoba), Party::Client(Bank::Jatoba));
    assert!(has < i128::from(plan.operations.last().unwrap().value));
}

#[test]
fn keys_and_operation_ids_are_distinct() {
    let plan = planned(bonds());
    let keys: std::collections::BTreeSet<&str> =
        plan.stages.iter().flat_map(|stage| &stage.steps).map(|step| step.key.as_str()).collect();
    let ids: std::collections::BTreeSet<u64> = plan.operations.iter().map(|operation| operation.id).collect();
    assert_eq!((keys.len(), ids.len()), (plan.step_count(), plan.operations.len()));
}

#[test]
fn the_same_list_is_the_same_plan_and_another_list_another() {
    assert_eq!(planned(bonds()).fingerprint(), planned(bonds()).fingerprint());
    assert_ne!(planned(bonds()).fingerprint(), planned(bonds()[1..].to_vec()).fingerprint());
}

#[test]
fn lists_that_cannot_be_played_are_refused_in_words() {
    let refused = |bonds: Vec<BondQuote>| Plan::new(bonds, &wallet).unwrap_err().to_string();
    assert_eq!(refused(Vec::new()), "the list has 0 bonds, the demonstration takes 1 to 50");
    let twice = vec![bonds()[0].clone(), bonds()[0].clone()];
    assert_eq!(refused(twice), "lines 1 and 2 of the list are the same series: title, code and maturity are equal");
}

#[test]
fn every_party_has_a_wallet_of_its_own() {
    let wallets: std::collections::BTreeSet<Address> = PARTIES.iter().map(|party| wallet(*party)).collect();
    assert_eq!(wallets.len(), PARTIES.len());
}
