//! Lanes of keys with a policy: what is spent survives, what is refused takes nothing, and a policy changes by two persons alone.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes, U256};
use custody::policy::{Approval, Policy, Statement};
use custody::{Custody, KeyLabel, Purpose, SignError};
use journal::Place;
use messages::Position;
use node_errors::Meaning;
use test_servers::Postgres;

use super::faultless::{WAIT, mined, profile};
use super::node::{CHAIN_ID, Node};
use crate::{Chain, ChangePolicyError, Intent, IntentKey, Lane, LaneError, Outcome, SubmitError};

const TOKEN: Address = Address::repeat_byte(0xaa);
pub(super) const DAY_MAX: u64 = 100;
/// Up to here without approvals.
pub(super) const SMALL: u64 = 60;

fn label(text: &str) -> KeyLabel {
    KeyLabel::parse(text).unwrap()
}

/// Keys of the issuer, of who may come after it, and of two persons.
fn keys() -> Custody {
    let mut custody = Custody::new(profile().network());
    for sender in ["issuer", "heir"] {
        let _ = custody.add_test_key(label(sender), Purpose::Transactions).unwrap();
    }
    for person in ["ana", "bruno"] {
        let _ = custody.add_test_key(label(person), Purpose::Statements).unwrap();
    }
    custody
}

pub(super) fn policy(version: u64) -> Policy {
    let address = |person| keys().address(&label(person)).unwrap();
    let approver = |(person, role)| {
        format!("[[approver]]\nperson = \"{person}\"\nrole = \"{role}\"\naddress = \"{}\"\n", address(person))
    };
    let approvers: String =
        [("ana", "policy"), ("bruno", "policy"), ("ana", "risk")].into_iter().map(approver).collect();
    let text = format!(
        "version = {version}\nchain_id = {CHAIN_ID}\n{approvers}\n[[target]]\naddress = \"{TOKEN}\"\n\
         [[target.function]]\ncall = \"mint(address to, uint256 amount)\"\namount = \"amount\"\n\
         amount_max = \"{DAY_MAX}\"\nday_amount_max = \"{DAY_MAX}\"\napprovals_above = \"{SMALL}\"\n\
         approvals = [{{ role = \"risk\", count = 1 }}]\n"
    );
    Policy::parse(&text).unwrap()
}

pub(super) fn mint(key: &str, amount: u64) -> Intent {
    let selector = alloy_primitives::keccak256("mint(address,uint256)");
    let arguments = [Address::repeat_byte(7).into_word().0, U256::from(amount).to_be_bytes::<32>()].concat();
    let data = Bytes::from([&selector[..4], &arguments].concat());
    Intent::call(IntentKey::parse(key).unwrap(), TOKEN, data, 100_000, "mint")
}

/// A ledger, and a store that outlives its processes.
pub(super) struct Stage {
    place: Place,
    node: Arc<Node>,
    _folder: tempfile::TempDir,
}

impl Stage {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Sqlite { path: folder.path().join("chain.db") };
        Self { place, node: Arc::new(Node::faultless(1)), _folder: folder }
    }

    /// In PostgreSQL, where several processes share the store.
    async fn shared() -> Self {
        let url = tokio::task::spawn_blocking(|| Postgres::shared().unwrap().database().unwrap()).await.unwrap();
        Self { place: Place::Postgres { url, schema: "chain".to_owned() }, ..Self::new() }
    }

    pub(super) async fn open(&self, policy: Option<Policy>) -> Chain {
        let mut custody = keys();
        custody.set_policy(&label("heir"), self::policy(1)).unwrap();
        if let Some(policy) = policy {
            custody.set_policy(&label("issuer"), policy).unwrap();
        }
        Chain::open(profile(), Arc::<Node>::clone(&self.node), &self.place, Arc::new(custody)).await.unwrap()
    }
}

async fn lane(chain: &Chain) -> Lane {
    chain.lane(&label("issuer")).await.unwrap()
}

pub(super) fn approval(person: &str, role: &str, subject: alloy_primitives::B256, chain: &Chain) -> Approval {
    let approver = keys().address(&label(person)).unwrap();
    let issued_at = chain.core.store.now();
    let expires_at = custody::policy::UnixTime(issued_at.0 + 3_600);
    let statement = Statement { approver, role: role.to_owned(), subject, issued_at, expires_at };
    keys().sign_statement(&label(person), statement).unwrap()
}

/// The code of the policy's refusal.
pub(super) fn code(refused: Result<crate::Submitted, SubmitError>) -> &'static str {
    let SubmitError::Sign { source, .. } = refused.unwrap_err() else { panic!("it was custody that refused") };
    let SignError::Policy { source, .. } = *source else { panic!("it was the policy that refused") };
    source.code()
}

/// The names of what the log tells.
async fn told(chain: &Chain) -> Vec<String> {
    let events = chain.core.store.events(Position::START).await;
    events.iter().map(|event| event.metadata.event_type.to_string()).collect()
}

#[tokio::test]
async fn what_was_spent_survives_the_process_and_a_refusal_takes_no_nonce() {
    let stage = Stage::new();
    let chain = stage.open(Some(policy(1))).await;
    let first = lane(&chain).await.submit(&mint("first", SMALL)).await.unwrap();
    let _ = mined(&chain, &first.key).await;
    chain.close().await;

    let chain = stage.open(Some(policy(1))).await;
    let issuer = lane(&chain).await;
    assert_eq!(code(issuer.submit(&mint("second", DAY_MAX - SMALL + 1)).await), "day_amount_above_limit");
    assert_eq!(code(issuer.submit(&mint("third", DAY_MAX + 1)).await), "amount_above_limit");
    // A whole list shares one decision after another.
    let list = [mint("fourth", DAY_MAX - SMALL), mint("fifth", 1)];
    let mut results = issuer.submit_all(&list).await;
    assert_eq!(code(results.remove(1)), "day_amount_above_limit");
    assert_eq!(results.remove(0).unwrap().nonce, 1, "what was refused took no nonce");
    assert_eq!(
        issuer.submit(&mint("first", SMALL)).await.unwrap().hash,
        first.hash,
        "what is stored is not decided anew"
    );
    let told = told(&chain).await;
    assert_eq!(told.iter().filter(|name| *name == "chain.policy_refused").count(), 3);
    assert_eq!(told.iter().filter(|name| *name == "chain.policy_set").count(), 1);
}

#[tokio::test]
async fn an_approval_is_for_one_intent_once_and_stays_in_the_log() {
    let stage = Stage::new();
    let chain = stage.open(Some(policy(1))).await;
    let issuer = lane(&chain).await;
    let large = mint("large", SMALL + 1);
    assert_eq!(code(issuer.submit(&large).await), "approvals_missing");
    let approved = |intent: &Intent| {
        let subject = intent.command_hash(issuer.sender(), CHAIN_ID);
        intent.clone().approved_by(vec![approval("ana", "risk", subject, &chain)])
    };
    let other = Intent { approvals: approved(&large).approvals, ..mint("other", SMALL + 1) };
    assert_eq!(code(issuer.submit(&other).await), "approval_for_other");
    // The node refuses it for good. What was signed by approvals is not signed again.
    stage.node.refuse(Some(Meaning::ExceedsBlockGasLimit));
    let refused = issuer.submit(&approved(&large)).await;
    assert!(matches!(refused, Err(SubmitError::Refused { .. })), "{refused:?}");
    stage.node.refuse(None);
    assert_eq!(code(issuer.submit(&approved(&mint("larger", DAY_MAX))).await), "day_amount_above_limit");
    let again = Intent { gas_limit: 90_000, ..approved(&large) };
    assert_eq!(code(issuer.submit(&again).await), "day_amount_above_limit", "what was signed was spent");
    drop(issuer);
    let told = told(&chain).await;
    assert!(told.contains(&"chain.transaction_approved".to_owned()), "{told:?}");
    chain.close().await;

    let chain = stage.open(Some(policy(1))).await;
    let commands = chain.core.store.spent(lane(&chain).await.sender()).await.unwrap().commands;
    let hash = large.command_hash(lane(&chain).await.sender(), CHAIN_ID);
    assert_eq!(commands.keys().collect::<Vec<_>>(), [&hash]);
}

#[tokio::test]
async fn a_key_with_a_policy_cancels_what_its_node_refuses() {
    let stage = Stage::new();
    let chain = stage.open(Some(policy(1))).await;
    let issuer = lane(&chain).await;
    stage.node.refuse_nonce(Some(0));
    let results = issuer.submit_all(&[mint("doomed", 1), mint("later", 1)]).await;
    stage.node.refuse_nonce(None);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let _ = mined(&chain, &results[1].as_ref().unwrap().key).await;
    let doomed = chain.outcome(&results[0].as_ref().unwrap().key, WAIT).await;
    assert!(matches!(doomed, Ok(Outcome::Refused(_))), "{doomed:?}");
}

#[tokio::test]
async fn another_text_is_refused_until_two_persons_have_changed_it() {
    let stage = Stage::new();
    let chain = stage.open(Some(policy(1))).await;
    let sender = lane(&chain).await.sender();
    chain.close().await;
    for (next, expected) in [(None, "has none now"), (Some(policy(2)), "has version 2 now")] {
        let chain = stage.open(next).await;
        let refused = chain.lane(&label("issuer")).await.map(|_| ());
        assert!(matches!(refused, Err(LaneError::OtherPolicy { stored: 1, .. })), "{refused:?}");
        assert!(refused.unwrap_err().to_string().contains(expected));
        chain.close().await;
    }
    let chain = stage.open(Some(policy(2))).await;
    let subject = policy(1).change_hash(sender, &policy(2));
    let approvals = ["ana", "bruno"].map(|person| approval(person, "policy", subject, &chain));
    let change = async |present: &Policy, approvals: &[Approval]| {
        chain.change_policy(&label("issuer"), present, approvals).await
    };
    let alone = change(&policy(1), &approvals[..1]).await;
    assert!(matches!(alone, Err(ChangePolicyError::Refused { .. })), "{alone:?}");
    let other = change(&policy(3), &approvals).await;
    assert!(matches!(other, Err(ChangePolicyError::NotPresent { found: 3, stored: Some(1) })), "{other:?}");
    change(&policy(1), &approvals).await.unwrap();
    assert_eq!(lane(&chain).await.submit(&mint("first", 1)).await.unwrap().nonce, 0);
    assert!(told(&chain).await.contains(&"chain.policy_changed".to_owned()));
    chain.close().await;
    let back = stage.open(Some(policy(1))).await;
    assert!(matches!(back.lane(&label("issuer")).await, Err(LaneError::OtherPolicy { stored: 2, found: Some(1), .. })));
}

#[tokio::test]
async fn the_same_approved_key_at_the_same_time_is_one_transaction_and_no_refusal() {
    let stage = Stage::new();
    let chain = stage.open(Some(policy(1))).await;
    let issuer = lane(&chain).await;
    let large = mint("large", SMALL + 1);
    let subject = large.command_hash(issuer.sender(), CHAIN_ID);
    let approved = large.approved_by(vec![approval("ana", "risk", subject, &chain)]);
    let (one, other) = tokio::join!(issuer.submit(&approved), issuer.submit(&approved));
    assert_eq!(one.unwrap().hash, other.unwrap().hash);
    let twice = issuer.submit_all(&[mint("small", 1), mint("small", 1)]).await;
    assert!(twice.iter().all(Result::is_ok), "{twice:?}");
    let told = told(&chain).await;
    assert!(!told.contains(&"chain.policy_refused".to_owned()), "{told:?}");
    assert_eq!(told.iter().filter(|name| *name == "chain.transaction_approved").count(), 1);
}

#[tokio::test]
async fn a_process_that_was_away_does_not_sign_under_the_policy_of_before() {
    let stage = Stage::shared().await;
    let old = stage.open(Some(policy(1))).await;
    let issuer = lane(&old).await;
    let first = issuer.submit(&mint("first", 1)).await.unwrap();
    let _ = mined(&old, &first.key).await;
    // It is stopped for longer than its lease; meanwhile two persons change the policy elsewhere, and that process ends.
    old.core.store.freeze();
    let new = stage.open(Some(policy(2))).await;
    let subject = policy(1).change_hash(issuer.sender(), &policy(2));
    let approvals = ["ana", "bruno"].map(|person| approval(person, "policy", subject, &new));
    let deadline = tokio::time::Instant::now() + WAIT;
    while let Err(error) = new.change_policy(&label("issuer"), &policy(1), &approvals).await {
        let is_held = matches!(error, ChangePolicyError::Held { .. });
        assert!(is_held && tokio::time::Instant::now() < deadline, "{error:?}");
    }
    let refused = issuer.submit(&mint("second", 1)).await;
    assert!(matches!(refused, Err(SubmitError::OtherPolicy { .. })), "{refused:?}");
    assert!(matches!(old.lane(&label("issuer")).await, Err(LaneError::OtherPolicy { stored: 2, found: Some(1), .. })));
    // It does not keep the lane from those who have the right one, either.
    assert_eq!(lane(&new).await.submit(&mint("second", 1)).await.unwrap().nonce, 1);
    let without = stage.open(None).await;
    assert!(without.lane(&label("issuer")).await.is_err());
    drop(issuer);
    new.close().await;
    let again = stage.open(Some(policy(2))).await;
    assert_eq!(lane(&again).await.submit(&mint("third", 1)).await.unwrap().nonce, 2);
}
