//! Policies of keys that a custody holds: set, asked, changed, and not to be gone around.

use alloy_consensus::{SignableTransaction as _, TxLegacy};
use alloy_primitives::Bytes;

use super::*;
use crate::custody::{Custody, SetPolicyError, SignError, SignedTransaction};
use crate::key::Purpose;
use crate::keystore::{KeyStore, KeystoreDirectory, ScryptCost};
use crate::network::{Network, ProfileName};
use crate::passphrase::Passphrase;

fn custody() -> Custody {
    Custody::new(Network { profile: ProfileName::embedded(), chain_id: CHAIN_ID })
}

fn unsigned(input: &[u8]) -> Vec<u8> {
    let (chain_id, to, input) = (Some(CHAIN_ID), TOKEN.into(), Bytes::copy_from_slice(input));
    TxLegacy { chain_id, to, input, ..Default::default() }.encoded_for_signing()
}

fn sign(
    custody: &Custody,
    key: &str,
    input: &[u8],
    approvals: &[Approval],
) -> Result<(SignedTransaction, Spent), SignError> {
    custody.sign_transaction_approved(
        &label(key),
        &unsigned(input),
        CHAIN_ID,
        REFERENCE,
        &by(approvals, &Spent::default()),
    )
}

/// Code of the refusal by the key's policy.
fn code_of<T>(signed: Result<T, SignError>) -> Option<&'static str> {
    match signed {
        Err(SignError::Policy { source, .. }) => Some(source.code()),
        _ => None,
    }
}

#[test]
fn a_key_with_a_policy_signs_what_that_allows_and_nothing_else() {
    let mut custody = custody();
    let sender = custody.add_test_key(label("mint"), Purpose::Transactions).unwrap();
    let input = mint(700);
    assert!(matches!(sign(&custody, "mint", &input, &[]), Err(SignError::NoPolicy { .. })));
    custody.set_policy(&label("mint"), policy()).unwrap();
    let again = custody.set_policy(&label("mint"), policy());
    assert!(matches!(again, Err(SetPolicyError::AlreadySet { version: 1, .. })));
    let bypass = custody.sign_transaction(&label("mint"), &unsigned(&input), CHAIN_ID);
    assert!(matches!(bypass, Err(SignError::PolicyNotAsked { .. })));
    assert_eq!(code_of(sign(&custody, "mint", &input, &[])), Some("approvals_missing"));

    let approval = approval("ana", "treasury", Command { sender, ..command(&input) }.hash());
    let (signed, spent) = sign(&custody, "mint", &input, &[approval]).unwrap();
    assert_eq!((signed.sender, spent.amounts[&(TOKEN, mintCall::SELECTOR)]), (sender, U256::from(700)));
}

#[test]
fn a_key_with_a_policy_may_always_take_its_own_nonce() {
    let mut custody = custody();
    let sender = custody.add_test_key(label("mint"), Purpose::Transactions).unwrap();
    custody.set_policy(&label("mint"), policy()).unwrap();
    let to = |to: Address| {
        let empty =
            TxLegacy { chain_id: Some(CHAIN_ID), nonce: 7, gas_limit: 21_000, to: to.into(), ..Default::default() };
        let (unsigned, spent) = (empty.encoded_for_signing(), Spent::default());
        custody.sign_transaction_approved(&label("mint"), &unsigned, CHAIN_ID, REFERENCE, &by(&[], &spent))
    };
    let (signed, spent) = to(sender).unwrap();
    assert_eq!((signed.sender, signed.nonce), (sender, 7));
    assert_eq!(spent, Spent { latest: NOW, ..Spent::default() });
    assert_eq!(code_of(to(SENDER)), Some("target_not_allowed"));
}

#[test]
fn a_statement_is_signed_by_the_key_that_it_names_and_no_other() {
    let mut custody = custody();
    let _ = custody.add_test_key(label("mint"), Purpose::Transactions).unwrap();
    let approver = custody.add_test_key(label("ana"), Purpose::Statements).unwrap();
    let statement = Statement { approver, ..approval("ana", "treasury", B256::ZERO).statement };
    assert!(matches!(
        custody.sign_statement(&label("mint"), statement.clone()),
        Err(SignError::NotForStatements { .. })
    ));
    let stolen = Statement { approver: SENDER, ..statement.clone() };
    assert!(matches!(custody.sign_statement(&label("ana"), stolen), Err(SignError::OtherApprover { .. })));
    assert!(custody.sign_statement(&label("ana"), statement).unwrap().is_genuine());
}

#[test]
fn a_policy_binds_its_key_under_every_label_and_no_other_key() {
    let folder = tempfile::tempdir().unwrap();
    let (passphrase, cost) = (Passphrase::of_text("open sesame"), ScryptCost::new(2, 8, 1).unwrap());
    let directory = KeystoreDirectory::open(folder.path()).unwrap();
    let made = directory.create_key(&label("mint"), Purpose::Transactions, &passphrase, cost).unwrap();
    let mut custody = custody();
    let _ = custody.open_key(&KeyStore::Directory(directory), &label("mint"), &passphrase).unwrap();
    let file = folder.path().join("mint.json");
    let again = custody.open_file(&file, &label("again"), Purpose::Transactions, &passphrase).unwrap();
    let other = custody.add_test_key(label("other"), Purpose::Transactions).unwrap();
    assert!(again == made.address && other != made.address);

    custody.set_policy(&label("mint"), policy()).unwrap();
    // Neither by the other label nor by one that the key is given later does it sign without being asked.
    let _ = custody.open_file(&file, &label("later"), Purpose::Transactions, &passphrase).unwrap();
    let input = mint(600);
    for key in ["mint", "again", "later"] {
        let bypass = custody.sign_transaction(&label(key), &unsigned(&input), CHAIN_ID);
        assert!(matches!(bypass, Err(SignError::PolicyNotAsked { .. })), "{key}");
        assert_eq!(sign(&custody, key, &input, &[]).unwrap().0.sender, made.address);
        let set = custody.set_policy(&label(key), policy());
        assert!(matches!(set, Err(SetPolicyError::AlreadySet { .. })), "{key}");
    }
    assert!(matches!(sign(&custody, "other", &input, &[]), Err(SignError::NoPolicy { .. })));
    assert!(custody.sign_transaction(&label("other"), &unsigned(&input), CHAIN_ID).is_ok());
}

#[test]
fn a_key_for_statements_has_no_policy() {
    let mut custody = custody();
    let _ = custody.add_test_key(label("ana"), Purpose::Statements).unwrap();
    let set = custody.set_policy(&label("ana"), policy());
    assert!(matches!(&set, Err(SetPolicyError::WrongPurpose { purpose: Purpose::Statements, .. })), "{set:?}");
    let changed = custody.change_policy(&label("ana"), policy(), &by(&[], &Spent::default()));
    assert!(matches!(changed, Err(SetPolicyError::WrongPurpose { .. })));
}

#[test]
fn a_policy_is_changed_by_two_persons_for_one_key() {
    let mut custody = custody();
    let [mint_key, other] = ["mint", "other"].map(label);
    let key = custody.add_test_key(mint_key.clone(), Purpose::Transactions).unwrap();
    let _ = custody.add_test_key(other.clone(), Purpose::Transactions).unwrap();
    let next = || Policy::parse(&text(2).replace("\"1000\"", "\"500\"")).unwrap();
    let none = custody.change_policy(&mint_key, next(), &by(&[], &Spent::default()));
    assert!(matches!(none, Err(SetPolicyError::NotSet { .. })));
    for label in [&mint_key, &other] {
        custody.set_policy(label, policy()).unwrap();
    }
    let code = |changed| match changed {
        Err(SetPolicyError::Refused { source, .. }) => source.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(custody.change_policy(&mint_key, next(), &by(&[], &Spent::default()))), "approvals_missing");
    let subject = policy().change_hash(key, &next());
    let approvals = ["ana", "carla"].map(|person| approval(person, "policy", subject));
    assert_eq!(code(custody.change_policy(&other, next(), &by(&approvals, &Spent::default()))), "approval_for_other");
    assert!(sign(&custody, "mint", &mint(600), &[]).is_ok());

    let spent = custody.change_policy(&mint_key, next(), &by(&approvals, &Spent::default())).unwrap();
    assert_eq!(spent, Spent { latest: NOW, ..Spent::default() });
    assert_eq!(code_of(sign(&custody, "mint", &mint(600), &[])), Some("amount_above_limit"));
    assert!(sign(&custody, "mint", &mint(500), &[]).is_ok());
    // The other key's policy is as it was, and the change is not made twice.
    assert!(sign(&custody, "other", &mint(600), &[]).is_ok());
    assert_eq!(code(custody.change_policy(&mint_key, next(), &by(&approvals, &Spent::default()))), "version_not_next");
}
