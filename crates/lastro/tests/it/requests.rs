//! Requests as in production: a service publishes what it wants, over HTTP against a ledger in another process, and reads from events
//! how it ended.

use crate::ledger_fixture::{CHAIN_ID, Node, TestLedger};
use crate::program::LIMIT;
use alloy_primitives::{Address, U256, hex};
use alloy_sol_types::{SolCall, SolEvent as _};
use bindings::drex::RealDigital;
use chain::{At, Chain, HttpTransport, LaneGroup, Profile, Requester, Requests, Rules, Settlement};
use custody::{Custody, KeyLabel, Purpose};
use journal::consumer::ConsumerError;
use journal::{
    Audience, Cause, Consumer, Expected, Feed, HandlerError, NewEvent, Place, Reaction, Store, StoreConfig, Task,
    UnitOfWork,
};
use messages::ledger::{AddressWatched, LogsSeen, TransactionEnded, TransactionRequested, Watch};
use messages::{Actor, EventBody, EventType, Payload, Position, RecordedEvent, StreamName, TenantId};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Gas limit of the fixture's blocks.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;

fn label(lane: usize) -> KeyLabel {
    KeyLabel::parse(&format!("treasury-{lane}")).unwrap()
}

/// Ledger integration, following the node.
async fn integration(node: &Node, folder: &Path) -> (Chain, Settlement) {
    let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT);
    let mut custody = Custody::new(profile.network());
    for lane in 0..2 {
        let _ = custody.add_test_key(label(lane), Purpose::Transactions).unwrap();
    }
    let place = Place::Sqlite { path: folder.join("chain.db") };
    let transport = Arc::new(HttpTransport::new(&node.http).unwrap());
    let chain = Chain::open(profile, transport, &place, Arc::new(custody)).await.unwrap();
    let settlement = chain.settle().await.unwrap();
    (chain, settlement)
}

fn request(key: &str, target: Option<Address>, data: &[u8]) -> TransactionRequested {
    TransactionRequested {
        key: format!("tokens/{key}"),
        chain_id: CHAIN_ID,
        lane_group: "treasury".to_owned(),
        order_subject: Some("real_digital".to_owned()),
        target: target.map(hex::encode_prefixed),
        data: hex::encode_prefixed(data),
        value_wei: None,
        gas_limit: Some(8_000_000),
        depends_on: Vec::new(),
        description: key.to_owned(),
        approvals: Vec::new(),
    }
}

async fn publish(service: &Store, bodies: &[impl EventBody]) {
    let event = |body: &_| {
        let (event_type, type_version, payload) = EventBody::encode(body).unwrap();
        NewEvent { id: service.event_id(), event_type, type_version, payload, audience: Audience::Published }
    };
    let cause = cause(service);
    let mut unit = UnitOfWork::new();
    let stream = StreamName::parse("asset/real_digital").unwrap();
    let _ = unit.append(&cause, stream, Expected::Any, bodies.iter().map(event).collect());
    let _ = service.append(unit).await.unwrap();
}

fn cause(service: &Store) -> Cause {
    let command = service.entropy().command_id(service.clock().now());
    Cause::beginning(TenantId::parse("bank").unwrap(), Actor::new("ana", "console", None).unwrap(), command)
}

/// What the service notes of each answer, in the unit of work that moves past it.
fn noted(service: &Store, event: &RecordedEvent) -> Result<Reaction, HandlerError> {
    let (event_type, version) = (&event.metadata.event_type, event.metadata.type_version);
    let poison = |error: messages::DecodeError| HandlerError::Poison { why: error.to_string() };
    if event_type.as_str() == LogsSeen::TYPE {
        let seen = LogsSeen::decode(event_type, version, &event.payload).map_err(poison)?;
        return Ok(note(service, "tokens.logs_noted", &serde_json::to_value(&seen).unwrap()));
    }
    let end = TransactionEnded::decode(event_type, version, &event.payload).map_err(poison)?;
    let what = match &end {
        TransactionEnded::Mined(mined) if mined.is_success => "done",
        TransactionEnded::Mined(_) => "reverted",
        TransactionEnded::Refused(_) | TransactionEnded::RequestRefused(_) => "refused",
    };
    let at =
        if let TransactionEnded::Mined(mined) = &end { (mined.block_number, mined.transaction_index) } else { (0, 0) };
    let created = if let TransactionEnded::Mined(mined) = &end { mined.created_address.clone() } else { None };
    let refused = if let TransactionEnded::RequestRefused(refused) = &end { Some(refused) } else { None };
    let body = serde_json::json!({
        "key": end.key(), "what": what, "at": at, "created": created, "code": refused.map(|refused| &refused.code),
        "reason": refused.map(|refused| &refused.reason), "revert": refused.and_then(|refused| refused.revert_data.as_ref()),
    });
    Ok(note(service, "tokens.answer_noted", &body))
}

fn note(service: &Store, event_type: &'static str, body: &serde_json::Value) -> Reaction {
    let noted = NewEvent {
        id: service.event_id(),
        event_type: EventType::of(event_type),
        type_version: 1,
        payload: Payload::of(body).unwrap(),
        audience: Audience::Private,
    };
    let mut unit = UnitOfWork::new();
    let stream = StreamName::parse("answers").unwrap();
    let _ = unit.append(&cause(service), stream, Expected::Any, vec![noted]);
    Reaction::Unit(Box::new(unit))
}

/// Waits until the service has noted what is wanted, and gives it.
async fn notes(
    service: &Store,
    event_type: &str,
    are_all: impl Fn(&[serde_json::Value]) -> bool,
) -> Vec<serde_json::Value> {
    let mut committed = service.committed();
    let all = async {
        loop {
            let _ = committed.borrow_and_update();
            let events = service.events_after(Position::START, 1_000).await.unwrap();
            let notes = events.iter().filter(|event| event.metadata.event_type.as_str() == event_type);
            let notes: Vec<serde_json::Value> =
                notes.map(|event| serde_json::from_slice(event.payload.as_bytes()).unwrap()).collect();
            if are_all(&notes) {
                return notes;
            }
            committed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(LIMIT, all).await.expect("what is waited for does not come")
}

/// Waits until the service has noted so many answers, and gives them by key.
async fn answers(service: &Store, count: usize) -> BTreeMap<String, serde_json::Value> {
    let notes = notes(service, "tokens.answer_noted", |notes| notes.len() >= count).await;
    let by_key: BTreeMap<_, _> =
        notes.iter().map(|note| (note["key"].as_str().unwrap().to_owned(), note.clone())).collect();
    assert_eq!(by_key.len(), notes.len(), "an answer was noted twice: {notes:?}");
    by_key
}

/// A service, and ledger integration that carries out what it asks for.
struct Stage {
    ledger: TestLedger,
    folder: tempfile::TempDir,
    service: Store,
}

/// What of it runs until it is stopped.
struct Running {
    chain: Chain,
    settlement: Settlement,
    requests: Requests,
    answers: Task<ConsumerError>,
}

impl Stage {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Sqlite { path: folder.path().join("tokens.db") };
        Self { ledger: TestLedger::new(), folder, service: Store::open(&StoreConfig::at(place)).await.unwrap() }
    }

    async fn start(&self, node: &Node) -> Running {
        let (chain, settlement) = integration(node, self.folder.path()).await;
        let group = LaneGroup { name: "treasury".to_owned(), keys: (0..2).map(label).collect() };
        let requester = Requester::new("tokens", Feed::Published(self.service.clone())).unwrap();
        let requests = chain.take_requests(vec![requester], vec![group]).unwrap();
        let service = self.service.clone();
        let noted = move |event: &RecordedEvent| noted(&service, event);
        let answers = Arc::new(Consumer::new("answers", chain.published(), self.service.clone(), noted)).start();
        Running { chain, settlement, requests, answers }
    }

    async fn publish(&self, bodies: &[impl EventBody]) {
        publish(&self.service, bodies).await;
    }
}

impl Running {
    async fn stop(self) {
        self.requests.stop().await.unwrap();
        self.answers.stop().await.unwrap();
        self.settlement.stop().await;
        self.chain.close().await;
    }
}

fn deployment(authority: Address) -> TransactionRequested {
    let arguments = RealDigital::constructorCall {
        name_: "Real Digital".to_owned(),
        symbol_: "BRL".to_owned(),
        authority_: authority,
        admin_: authority,
    };
    request("deploy", None, &bindings::creation(&RealDigital::BYTECODE, &arguments))
}

fn mints(contract: Address, to: Address, range: std::ops::Range<u64>) -> Vec<TransactionRequested> {
    let mint = |number: u64| {
        let call = RealDigital::mintCall { to, amount: U256::from(number) };
        request(&format!("mint/{number}"), Some(contract), &call.abi_encode())
    };
    range.map(mint).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_asks_by_events_and_learns_by_events_how_it_ended() {
    let stage = Stage::new().await;
    let node = stage.ledger.start(&[]);
    let running = stage.start(&node).await;
    let authority = running.requests.lanes()[0].sender;
    stage.publish(&[deployment(authority)]).await;
    let created = answers(&stage.service, 1).await["tokens/deploy"]["created"].as_str().unwrap().parse().unwrap();
    let watched = AddressWatched { chain_id: CHAIN_ID, address: hex::encode_prefixed(created) };
    stage.publish(&[Watch::Begun(watched.clone())]).await;

    // What comes later needs what comes before: one subject keeps its order, and nobody waits for an end.
    let enable = RealDigital::enableAccountCall { member: authority };
    stage.publish(&[request("enable", Some(created), &enable.abi_encode())]).await;
    stage.publish(&mints(created, authority, 1..15)).await;
    let nobodys = RealDigital::mintCall { to: Address::repeat_byte(7), amount: U256::from(1) };
    stage.publish(&[request("mint/nobodys", Some(created), &nobodys.abi_encode())]).await;
    let lost = TransactionRequested { lane_group: "nobodys".to_owned(), ..request("lost", None, &[]) };
    stage.publish(&[lost]).await;

    // The process ends in the middle, and another goes on; the service's consumer too.
    running.stop().await;
    let running = stage.start(&node).await;
    stage.publish(&mints(created, authority, 15..25)).await;
    let answers = answers(&stage.service, 28).await;
    let what = |key: &str| answers[&format!("tokens/{key}")]["what"].as_str().unwrap();
    assert_eq!((what("enable"), what("mint/nobodys"), what("lost")), ("done", "reverted", "refused"));
    let at = |number: u64| {
        let at = &answers[&format!("tokens/mint/{number}")]["at"];
        (at[0].as_u64().unwrap(), at[1].as_u64().unwrap())
    };
    assert!((1..25).all(|number| what(&format!("mint/{number}")) == "done"), "{answers:?}");
    assert!((1..24).all(|number| at(number) < at(number + 1)), "{answers:?}");

    each_log_was_read_once(&stage.service).await;
    let read = notes(&stage.service, "tokens.logs_noted", |_| true).await.len();
    stage.publish(&[Watch::Ended(watched)]).await;
    stage.publish(&mints(created, authority, 25..26)).await;
    let _ = self::answers(&stage.service, 29).await;
    let after = notes(&stage.service, "tokens.logs_noted", |_| true).await.len();
    assert_eq!(after, read, "nothing is read of what is watched no more");

    running.stop().await;
    assert!(differences(stage.folder.path()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gas_is_estimated_of_what_gives_none_and_a_failure_counts_when_all_before_it_has_ended() {
    let stage = Stage::new().await;
    let node = stage.ledger.start(&[]);
    let running = stage.start(&node).await;
    let authority = running.requests.lanes()[0].sender;
    let without_gas = |request| TransactionRequested { gas_limit: None, ..request };
    stage.publish(&[without_gas(deployment(authority))]).await;
    let created = answers(&stage.service, 1).await["tokens/deploy"]["created"].as_str().unwrap().parse().unwrap();

    // Each of these fails until the one before it is in a block, and the last one for ever.
    let (other, nobody) = (Address::repeat_byte(7), Address::repeat_byte(8));
    let call = |key, data: Vec<u8>| without_gas(request(key, Some(created), &data));
    let transfer = call("transfer", RealDigital::transferCall { to: other, value: U256::from(60) }.abi_encode());
    let to_nobody = RealDigital::mintCall { to: nobody, amount: U256::from(1) }.abi_encode();
    let depends_on = vec!["tokens/transfer".to_owned()];
    stage
        .publish(&[
            call("enable", RealDigital::enableAccountCall { member: authority }.abi_encode()),
            call("enable/other", RealDigital::enableAccountCall { member: other }.abi_encode()),
            call("mint", RealDigital::mintCall { to: authority, amount: U256::from(100) }.abi_encode()),
            transfer.clone(),
            TransactionRequested { order_subject: None, depends_on, ..call("mint/nobody", to_nobody) },
        ])
        .await;
    let answers = answers(&stage.service, 6).await;
    let of = |key: &str| &answers[&format!("tokens/{key}")];
    assert!(["enable", "enable/other", "mint", "transfer"].iter().all(|key| of(key)["what"] == "done"), "{answers:?}");
    let refused = of("mint/nobody");
    assert_eq!(refused["code"], "would_fail", "{refused}");
    assert!(refused["reason"].as_str().unwrap().starts_with("reverted with the contract's error 0x"), "{refused}");
    let revert = hex::decode(refused["revert"].as_str().unwrap()).unwrap();
    assert!(matches!(bindings::revert::decode(&revert), bindings::revert::Revert::Custom { .. }), "{refused}");

    // What is said again is the same, though its gas was estimated; what was refused took no nonce.
    stage.publish(&[transfer, without_gas(mints(created, authority, 1..2).remove(0))]).await;
    assert_eq!(self::answers(&stage.service, 7).await["tokens/mint/1"]["what"], "done");
    let mut nonces = 0;
    for lane in running.requests.lanes() {
        nonces += running.chain.rpc().transaction_count(lane.sender, At::Latest).await.unwrap();
    }
    assert_eq!(nonces, 6);
    running.stop().await;
    assert!(differences(stage.folder.path()).await.is_empty());
}

async fn each_log_was_read_once(service: &Store) {
    let logs = notes(service, "tokens.logs_noted", |notes| notes.iter().map(transfers).sum::<usize>() >= 24).await;
    let mut places: Vec<(u64, u64)> = Vec::new();
    for seen in &logs {
        let number = seen["block_number"].as_u64().unwrap();
        places.extend(seen["logs"].as_array().unwrap().iter().map(|log| (number, log["index"].as_u64().unwrap())));
    }
    assert!(places.is_sorted_by(|one, next| one < next), "{places:?}");
    assert_eq!(logs.iter().map(transfers).sum::<usize>(), 24);
}

/// Transfers among the logs.
fn transfers(seen: &serde_json::Value) -> usize {
    let transfer = hex::encode_prefixed(RealDigital::Transfer::SIGNATURE_HASH);
    seen["logs"].as_array().unwrap().iter().filter(|log| log["topics"][0] == transfer.as_str()).count()
}

/// What `lastro journal verify --state` compares.
async fn differences(folder: &Path) -> Vec<String> {
    let place = Place::Sqlite { path: folder.join("chain.db") };
    let config = StoreConfig { state_rows: &[chain::STATE_ROWS], ..StoreConfig::at(place) };
    let store = Store::open(&config).await.unwrap();
    chain::state_differences(&store).await.unwrap()
}
