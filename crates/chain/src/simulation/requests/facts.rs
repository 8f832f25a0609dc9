//! Facts about requests on a node that does what it should.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::{Address, hex};
use custody::KeyLabel;
use journal::{Feed, Parameter, Place, Statement, StoreConfig, UnitOfWork};
use messages::ledger::{ApprovalRecord, RequestRefused, TransactionEnded, TransactionRequested};
use messages::{Position, RecordedEvent};
use node_errors::Meaning;
use test_servers::Postgres;
use tokio::time::timeout;

use super::super::faultless::{Bench, WAIT};
use super::super::node::Effect;
use super::super::policies::{self, DAY_MAX, SMALL, Stage, approval, mint};
use super::{Fate, Wish, ended, publish_all, request};
use crate::{
    Chain, Intent, IntentKey, LaneActivity, LaneGroup, OperatorText, OutcomeError, Requester, Requests,
    RetirementOrder, state_differences,
};

/// A service, and the chain that carries out what it wants.
pub(super) struct Served {
    service: journal::Store,
    pub(super) chain: Chain,
    pub(super) requests: Requests,
    _folder: tempfile::TempDir,
}

fn label(text: &str) -> KeyLabel {
    KeyLabel::parse(text).unwrap()
}

pub(super) fn group(name: &str, keys: &[&str]) -> LaneGroup {
    LaneGroup { name: name.to_owned(), keys: keys.iter().map(|key| label(key)).collect() }
}

impl Served {
    pub(super) async fn by(chain: Chain, group: LaneGroup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Sqlite { path: folder.path().join("service.db") };
        let service = journal::Store::open(&StoreConfig::at(place)).await.unwrap();
        let requests = take(&chain, &service, group);
        Self { service, chain, requests, _folder: folder }
    }

    pub(super) async fn publish(&self, requests: impl IntoIterator<Item = TransactionRequested>) {
        let wishes: Vec<Wish> =
            requests.into_iter().map(|request| Wish { request, fate: Fate::Sent(Effect::Done) }).collect();
        publish_all(&self.service, &wishes).await;
    }

    /// The answers, as soon as there are so many; ends are looked for meanwhile.
    pub(super) async fn answers(&self, count: usize) -> Vec<TransactionEnded> {
        answers(&self.chain, count).await
    }

    /// Waits until so many requests wait, for whichever lanes.
    pub(super) async fn until_waiting(&self, count: u64) {
        until(async || {
            let counts = self.chain.core.store.waiting_counts().await.unwrap();
            counts.iter().map(|(_, count)| count).sum::<u64>() == count
        })
        .await;
    }
}

/// The first lane, which a person has paused.
async fn paused_lane(chain: &Chain) -> Address {
    let sender = chain.lane(&label("lane-0")).await.unwrap().sender();
    let [why, who] = ["audit", "ana"].map(|text| OperatorText::parse(text).unwrap());
    let _ = chain.pause_lane(sender, &why, &who).await.unwrap();
    sender
}

/// The first key at its end, with this successor.
async fn ending_key(chain: &Chain, successor: Option<Address>) -> Address {
    let sender = chain.lane(&label("lane-0")).await.unwrap().sender();
    let [why, who] = ["left", "ana"].map(|text| OperatorText::parse(text).unwrap());
    let order = RetirementOrder { sender, successor, why: &why, who: &who, consent: None };
    let _ = chain.begin_retirement(&order).await.unwrap();
    sender
}

fn take(chain: &Chain, service: &journal::Store, group: LaneGroup) -> Requests {
    let requester = Requester::new("tokens", Feed::Published(service.clone())).unwrap();
    chain.take_requests(vec![requester], vec![group]).unwrap()
}

pub(super) async fn until(condition: impl AsyncFn() -> bool) {
    let held = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(WAIT, held).await.expect("the condition does not come to hold");
}

async fn answers(chain: &Chain, count: usize) -> Vec<TransactionEnded> {
    let told = async || -> Vec<RecordedEvent> {
        for key in chain.open_intents().await.unwrap() {
            match chain.outcome(&key, Duration::from_millis(50)).await {
                Ok(_) | Err(OutcomeError::TimedOut { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        chain.core.store.journal().published_after(Position::START, 1_000).await.unwrap()
    };
    until(async || told().await.len() >= count).await;
    told().await.iter().map(ended).collect()
}

pub(super) fn refusal(answer: &TransactionEnded) -> &RequestRefused {
    let TransactionEnded::RequestRefused(refused) = answer else { panic!("{answer:?}") };
    refused
}

#[tokio::test]
async fn a_paused_lane_keeps_what_waits_for_it_and_others_go_on() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let sender = paused_lane(&chain).await;
    let served = Served::by(chain, group("treasury", &["lane-0", "lane-1"])).await;
    // Those of the first subject go to the first lane, those of the second to the other.
    served.publish([0, 1].map(|id| request(id, Some(id), Effect::Done))).await;
    assert_eq!(served.answers(1).await[0].key(), "tokens/1");
    served.until_waiting(1).await;
    until(async || matches!(served.requests.lanes()[0].activity, LaneActivity::Waiting { .. })).await;
    // A subject stays in its lane also while that cannot go on; what has none goes elsewhere.
    served.publish([request(2, Some(0), Effect::Done), request(3, None, Effect::Done)]).await;
    assert_eq!(served.answers(2).await[1].key(), "tokens/3");
    served.until_waiting(2).await;
    let lines = served.chain.core.store.lane_lines(9).await.unwrap();
    let waiting: Vec<_> = lines.iter().map(|line| (line.sender == sender, line.waiting_count)).collect();
    assert!(waiting.contains(&(true, 2)) && waiting.contains(&(false, 0)), "{waiting:?}");
    assert!(state_differences(served.chain.core.store.journal()).await.unwrap().is_empty());
    let who = OperatorText::parse("ana").unwrap();
    let _ = served.chain.resume_lane(sender, &who).await.unwrap();
    let mut nonces = BTreeMap::new();
    for answer in served.answers(4).await {
        let TransactionEnded::Mined(mined) = answer else { panic!("{answer:?}") };
        let _ = nonces.insert(mined.key, mined.nonce);
    }
    assert_eq!((nonces["tokens/0"], nonces["tokens/2"]), (0, 1), "one subject keeps its order");
}

#[tokio::test]
async fn what_waits_for_a_key_at_its_end_is_sent_by_its_successor() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let new = chain.core.custody.address(&label("lane-5")).unwrap();
    let old = ending_key(&chain, Some(new)).await;
    let served = Served::by(chain, group("treasury", &["lane-0"])).await;
    served.publish([0, 1].map(|id| request(id, None, Effect::Done))).await;
    served.until_waiting(2).await;
    let _ = served.chain.finish_retirement(old).await.unwrap();
    for answer in served.answers(2).await {
        let TransactionEnded::Mined(mined) = answer else { panic!("{answer:?}") };
        assert_eq!(mined.sender, hex::encode_prefixed(new));
    }
    assert_eq!(served.requests.lanes()[0].label, label("lane-5"));
    assert!(state_differences(served.chain.core.store.journal()).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_waits_for_a_key_without_a_successor_goes_to_another_of_its_group() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let old = ending_key(&chain, None).await;
    let served = Served::by(chain, group("treasury", &["lane-0", "lane-1"])).await;
    served.publish([request(0, Some(1), Effect::Done)]).await;
    served.until_waiting(1).await;
    let _ = served.chain.finish_retirement(old).await.unwrap();
    let answer = served.answers(1).await.remove(0);
    assert!(matches!(answer, TransactionEnded::Mined(mined) if mined.sender != hex::encode_prefixed(old)));
}

fn requested(intent: &Intent) -> TransactionRequested {
    let record = |approval: &custody::policy::Approval| ApprovalRecord {
        approver: hex::encode_prefixed(approval.statement.approver),
        role: approval.statement.role.clone(),
        subject: hex::encode_prefixed(approval.statement.subject),
        issued_at: approval.statement.issued_at.0,
        expires_at: approval.statement.expires_at.0,
        signature: hex::encode_prefixed(approval.signature.as_bytes()),
    };
    TransactionRequested {
        key: intent.key.to_string(),
        target: intent.target.to().map(hex::encode_prefixed),
        data: hex::encode_prefixed(&intent.data),
        gas_limit: Some(intent.gas_limit),
        approvals: intent.approvals.iter().map(record).collect(),
        ..request(0, None, Effect::Done)
    }
}

#[tokio::test]
async fn a_policy_is_asked_with_the_approvals_that_a_request_brings() {
    let stage = Stage::new();
    let chain = stage.open(Some(policies::policy(1))).await;
    let served = Served::by(chain, group("treasury", &["issuer"])).await;
    let issuer = served.requests.lanes()[0].sender;
    let large = mint("tokens/large", SMALL + 1);
    served.publish([requested(&mint("tokens/too_large", DAY_MAX + 1)), requested(&large)]).await;
    let refused = served.answers(2).await;
    let codes: Vec<_> = refused.iter().map(|answer| refusal(answer).code.as_str()).collect();
    assert_eq!(codes, ["policy.amount_above_limit", "policy.approvals_missing"]);
    // A refused key is free, and what is approved is the same.
    let subject = large.command_hash(issuer, super::CHAIN_ID);
    let approved = large.approved_by(vec![approval("ana", "risk", subject, &served.chain)]);
    served.publish([requested(&approved)]).await;
    let answers = served.answers(3).await;
    assert!(matches!(&answers[2], TransactionEnded::Mined(mined) if mined.key == "tokens/large"), "{answers:?}");
    assert!(state_differences(served.chain.core.store.journal()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_that_the_node_refused_is_free_and_one_that_is_done_is_not_done_again() {
    let bench = Bench::new();
    let served = Served::by(bench.open().await, group("treasury", &["lane-0"])).await;
    bench.node.refuse(Some(Meaning::ExceedsBlockGasLimit));
    let wanted = request(1, None, Effect::Done);
    served.publish([wanted.clone()]).await;
    assert!(matches!(&served.answers(1).await[0], TransactionEnded::Refused(refused) if refused.attempt == 1));
    bench.node.refuse(None);
    served.publish([wanted.clone()]).await;
    assert!(matches!(&served.answers(2).await[1], TransactionEnded::Mined(mined) if mined.attempt == 2));
    let other = TransactionRequested { gas_limit: Some(100_001), ..wanted.clone() };
    served.publish([wanted, other, request(2, None, Effect::Done)]).await;
    let answers = served.answers(4).await;
    assert_eq!(refusal(&answers[2]).code, "key_used");
    assert_eq!((answers[3].key(), bench.node.effects(1), bench.node.effects(2)), ("tokens/2", (1, 0), (1, 0)));
    // What it did is told under its key, as of any other intent.
    let told = served.chain.core.store.told(served.requests.lanes()[0].sender, &key("tokens/1")).await.unwrap();
    assert_eq!(told.len(), 4, "{told:?}");
}

pub(super) fn key(text: &str) -> IntentKey {
    IntentKey::parse(text).unwrap()
}

#[tokio::test]
async fn what_somebody_changes_while_it_waits_is_named() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let _ = paused_lane(&chain).await;
    let served = Served::by(chain, group("treasury", &["lane-0"])).await;
    served.publish([request(0, Some(1), Effect::Done)]).await;
    served.until_waiting(1).await;
    let store = &served.chain.core.store;
    for (sql, expected) in [
        ("UPDATE chain_requests SET content = replace(content, '100000', '100001')", "content 0x"),
        ("UPDATE chain_requests SET order_subject = 'another'", "subject `another`"),
        ("DELETE FROM chain_requests", "there is no row, the log says waiting"),
    ] {
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(Statement { sql, parameters: Vec::<Parameter>::new(), rows_expected: Some(1) });
        let _ = store.journal().append(unit).await.unwrap();
        let differences = state_differences(store.journal()).await.unwrap().join("\n");
        assert!(differences.contains(expected), "{sql}: {differences}");
    }
}

#[tokio::test]
async fn a_request_for_another_network_is_passed_over() {
    let bench = Bench::new();
    let served = Served::by(bench.open().await, group("treasury", &["lane-0"])).await;
    let other = TransactionRequested { chain_id: 12_120_014, ..request(1, None, Effect::Done) };
    served.publish([other, request(2, None, Effect::Done)]).await;
    assert_eq!(served.answers(1).await[0].key(), "tokens/2");
    assert_eq!(bench.node.effects(1), (0, 0));
}

/// Two processes take the requests of one service for one store; one is stopped, and the other goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_each_request_is_carried_out_by_one() {
    let databases = || [(); 2].map(|()| Postgres::shared().unwrap().database().unwrap());
    let [chain_url, service_url] = tokio::task::spawn_blocking(databases).await.unwrap();
    let bench = Bench::new();
    let place = Place::Postgres { url: chain_url, schema: "chain".to_owned() };
    let service_place = Place::Postgres { url: service_url, schema: "tokens".to_owned() };
    let lanes = ["lane-0", "lane-1", "lane-2"];
    let mut processes = Vec::new();
    for _ in 0..2 {
        let chain = bench.open_at(&place).await;
        let service = journal::Store::open(&StoreConfig::at(service_place.clone())).await.unwrap();
        let requests = take(&chain, &service, group("treasury", &lanes));
        processes.push(Served { service, chain, requests, _folder: tempfile::tempdir().unwrap() });
    }
    processes[0].publish((0..30).map(|id| request(id, (id % 3 == 0).then_some(id), Effect::Done))).await;
    let _ = processes[1].answers(10).await;
    let Served { chain, requests, .. } = processes.remove(0);
    // It dies: nothing is finished or given free.
    chain.core.store.freeze();
    drop(requests);
    let left = &processes[0];
    left.publish((30..40).map(|id| request(id, None, Effect::Done))).await;
    let answers = left.answers(40).await;
    assert_eq!(answers.len(), 40);
    for id in 0..40 {
        assert_eq!(bench.node.effects(id), (1, 0), "{id}");
    }
    assert!(state_differences(left.chain.core.store.journal()).await.unwrap().is_empty());
}
