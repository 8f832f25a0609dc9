//! Intents as a service's events: published in its own store, taken, sent, and answered by events that it reads.

use super::{END_TIME_MAX, GAS};
use alloy_primitives::{Address, B256, Bytes, hex, keccak256};
use anyhow::{Context, Result, ensure};
use chain::{Chain, LaneGroup, Requester, Requests, RpcTransport, TransportFuture};
use custody::KeyLabel;
use journal::consumer::ConsumerError;
use journal::{
    Audience, Cause, Consumer, Expected, Feed, HandlerError, NewEvent, Place, Reaction, Store, StoreConfig, Task,
    UnitOfWork,
};
use messages::ledger::{TransactionEnded, TransactionRequested};
use messages::{Actor, EventBody as _, RecordedEvent, StreamName, TenantId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const GROUP: &str = "bench";
const REQUESTER: &str = "bench";
/// How many requests are published in one unit of work, where as many are published as are carried out.
const PART: usize = 60;
/// How many requests have no answer at once then.
const UNANSWERED_MAX: usize = 1_500;
/// How many answers wait for the reader at most: more than have none at once.
const ANSWERS_UNREAD_MAX: usize = 65_536;

/// When the node answered that it has which transaction.
#[derive(Default)]
pub(super) struct Taken(Mutex<HashMap<B256, Instant>>);

/// A way to a node on which it is noted when that took a transaction.
pub(super) struct NotedTransport {
    pub(super) way: Arc<dyn RpcTransport>,
    pub(super) taken: Arc<Taken>,
}

impl Taken {
    fn note(&self, hash: B256) {
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, Instant::now());
    }

    fn of(&self, hash: &str) -> Option<Instant> {
        let hash: B256 = hash.parse().ok()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash)
    }
}

impl RpcTransport for NotedTransport {
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
        let raw = request.contains("\"eth_sendRawTransaction\"").then(|| hash_of_raw(&request)).flatten();
        Box::pin(async move {
            let answer = self.way.send(request).await;
            if let (Some(hash), Ok(answer)) = (raw, &answer)
                && answer.contains("\"result\"")
            {
                self.taken.note(hash);
            }
            answer
        })
    }
}

/// The hash of the transaction that the request carries: its one text that begins with `0x`.
fn hash_of_raw(request: &str) -> Option<B256> {
    let raw = request.split('"').find(|text| text.starts_with("0x"))?;
    Some(keccak256(hex::decode(raw).ok()?))
}

/// A service whose requests a chain carries out.
pub(super) struct Service {
    store: Store,
    requests: Requests,
    consumer: Task<ConsumerError>,
    /// Ends as the service reads them.
    answers: mpsc::Receiver<(TransactionEnded, Instant)>,
    cause: Cause,
    stream: StreamName,
    taken: Arc<Taken>,
}

/// From publishing a request until the node has the transaction, and until the service has the answer.
pub(super) struct Times {
    pub(super) number: u32,
    pub(super) submitted: Duration,
    pub(super) ended: Duration,
}

impl Service {
    /// Opens the service's store and has its requests carried out through lanes of these keys.
    pub(super) async fn open(chain: &Chain, place: &Place, keys: &[KeyLabel], taken: Arc<Taken>) -> Result<Self> {
        let store = Store::open(&StoreConfig::at(place.clone())).await?;
        let requester = Requester::new(REQUESTER, Feed::Published(store.clone()))?;
        let group = LaneGroup { name: GROUP.to_owned(), keys: keys.to_vec() };
        let requests = chain.take_requests(vec![requester], vec![group])?;
        let (sender, answers) = mpsc::channel(ANSWERS_UNREAD_MAX);
        let read = move |event: &RecordedEvent| {
            let (event_type, version) = (&event.metadata.event_type, event.metadata.type_version);
            if let Ok(end) = TransactionEnded::decode(event_type, version, &event.payload) {
                let full = |_| HandlerError::Transient { why: "nobody reads the answers".to_owned() };
                sender.try_send((end, Instant::now())).map_err(full)?;
            }
            Ok(Reaction::Nothing)
        };
        let consumer = Arc::new(Consumer::new("answers", chain.published(), store.clone(), read)).start();
        let actor = Actor::new("bench", "bench", None)?;
        let command = store.entropy().command_id(store.clock().now());
        let cause = Cause::beginning(TenantId::parse("bench")?, actor, command);
        Ok(Self { store, requests, consumer, answers, cause, stream: StreamName::parse("bench/1")?, taken })
    }

    async fn publish(&self, name: &str, numbers: &[u32], chain_id: u64) -> Result<()> {
        let event = |number: &u32| -> Result<NewEvent> {
            let request = TransactionRequested {
                key: format!("{REQUESTER}/{name}/{number}"),
                chain_id,
                lane_group: GROUP.to_owned(),
                order_subject: Some(format!("account/{}", number % 1_000)),
                target: Some(hex::encode_prefixed(Address::repeat_byte(0xcc))),
                data: hex::encode_prefixed(Bytes::from(number.to_be_bytes())),
                value_wei: None,
                gas_limit: Some(GAS),
                depends_on: Vec::new(),
                description: "a call".to_owned(),
                approvals: Vec::new(),
            };
            let (event_type, type_version, payload) = request.encode()?;
            let (id, audience) = (self.store.event_id(), Audience::Published);
            Ok(NewEvent { id, event_type, type_version, payload, audience })
        };
        let mut unit = UnitOfWork::new();
        let events = numbers.iter().map(event).collect::<Result<_>>()?;
        let _ = unit.append(&self.cause, self.stream.clone(), Expected::Any, events);
        let _ = self.store.append(unit).await?;
        Ok(())
    }

    async fn next_answer(&mut self) -> Result<(u32, String, Instant)> {
        let next = tokio::time::timeout(END_TIME_MAX, self.answers.recv()).await;
        let (end, at) = next.context("no answer comes")?.context("the service reads no answers any more")?;
        match end {
            TransactionEnded::Mined(mined) if mined.is_success => {
                let number = mined.key.rsplit('/').next().unwrap_or_default().parse()?;
                Ok((number, mined.hash, at))
            }
            other => anyhow::bail!("a request ended as {other:?}"),
        }
    }

    /// As many as are carried out; until the last answer is read.
    pub(super) async fn flood(&mut self, chain_id: u64, intents: u32) -> Result<Duration> {
        let began = Instant::now();
        let numbers: Vec<u32> = (0..intents).collect();
        let mut unanswered = 0;
        for some in numbers.chunks(PART) {
            while unanswered + some.len() > UNANSWERED_MAX {
                let _ = self.next_answer().await?;
                unanswered -= 1;
            }
            self.publish("flood", some, chain_id).await?;
            unanswered += some.len();
        }
        for _ in 0..unanswered {
            let _ = self.next_answer().await?;
        }
        Ok(began.elapsed())
    }

    /// So many a second for so long.
    pub(super) async fn steadily(&mut self, chain_id: u64, pace: u32, seconds: u32) -> Result<Vec<Times>> {
        self.taken.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let (all, mut begun, mut times) = (pace.saturating_mul(seconds), HashMap::new(), Vec::new());
        let mut turn = tokio::time::interval(Duration::from_secs(1) / pace.max(1));
        let mut published = 0;
        while times.len() < usize::try_from(all)? {
            tokio::select! {
                biased;
                answer = self.next_answer() => {
                    let (number, hash, ended) = answer?;
                    let began: Instant = begun.remove(&number).context("an answer came twice")?;
                    let submitted = self.taken.of(&hash).context("nobody saw the node take it")?;
                    let (submitted, ended) = (submitted.duration_since(began), ended.duration_since(began));
                    times.push(Times { number, submitted, ended });
                }
                _ = turn.tick(), if published < all => {
                    let _ = begun.insert(published, Instant::now());
                    self.publish("steady", &[published], chain_id).await?;
                    published += 1;
                }
            }
        }
        ensure!(begun.is_empty(), "requests have no answer");
        Ok(times)
    }

    pub(super) async fn close(self) -> Result<()> {
        self.requests.stop().await?;
        self.consumer.stop().await?;
        self.store.close().await;
        Ok(())
    }
}
