//! Seeded lives of a chain that carries out a service's requests: each is answered once and has one effect or none, and requests of
//! one subject have their effects in the order in which they were published.
//!
//! The service's log outlives the chain's process, which dies at requests to the node as in the other lives. Consumers work on databases
//! that no simulation holds still, so time is real here, blocks and pauses are short, and many lives go on at once.

mod estimates;
mod facts;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, hex};
use journal::store::Durability;
use journal::{Audience, Cause, Expected, Feed, NewEvent, StoreConfig, UnitOfWork};
use messages::ledger::{TransactionEnded, TransactionRequested};
use messages::{Actor, EventBody as _, Position, RecordedEvent, StreamName, TenantId};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::node::{CHAIN_ID, Effect, Node};
use super::random::Random;
use super::{Mutant, Place, open, profile, seeds};
use crate::{Chain, IntentKey, LaneGroup, Pace, Profile, Requester, Requests, state_differences};

/// The seeds that every test run plays, some 10 s on 2 cores.
const SEEDS: &str = "0..60";

/// How often the process dies at most, in one seed.
const DEATHS_MAX: u64 = 3;

/// How many lives go on at once: they wait most of the time.
const LIVES_AT_ONCE: usize = 24;

/// How often the chain's log is looked at.
const TURN: Duration = Duration::from_millis(10);

/// How long one life may take.
const LIFE_MAX: Duration = Duration::from_secs(30);

/// What a request is to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is a transaction, and this becomes of it.
    Sent(Effect),
    /// It is refused at the door, with this code.
    Refused(&'static str),
    /// It is said again what was said before.
    Repeated,
}

struct Wish {
    request: TransactionRequested,
    fate: Fate,
}

impl Wish {
    /// The number of what is to be done, if it is wanted for the first time.
    fn id(&self) -> Option<u64> {
        self.request.key.strip_prefix("tokens/").filter(|_| matches!(self.fate, Fate::Sent(_)))?.parse().ok()
    }

    /// Whose effect it needs, or would fail.
    fn needs(&self) -> Option<u64> {
        let data = hex::decode(&self.request.data).unwrap_or_default();
        let needs = data.last_chunk().filter(|_| data.len() > Effect::Done.calldata(0).len())?;
        Some(u64::from_be_bytes(*needs))
    }
}

struct Story {
    wishes: Vec<Wish>,
    lanes: u64,
    deaths: Vec<u64>,
    block_period: Duration,
}

fn request(id: u64, subject: Option<u64>, effect: Effect) -> TransactionRequested {
    TransactionRequested {
        key: format!("tokens/{id}"),
        chain_id: CHAIN_ID,
        lane_group: "treasury".to_owned(),
        order_subject: subject.map(|subject| format!("asset/{subject}")),
        target: Some(hex::encode_prefixed(Address::repeat_byte(0xcc))),
        data: hex::encode_prefixed(effect.calldata(id)),
        value_wei: None,
        gas_limit: Some(100_000),
        depends_on: Vec::new(),
        description: format!("wish {id}"),
        approvals: Vec::new(),
    }
}

impl Story {
    fn of(random: &mut Random) -> Self {
        let lanes = 1 + random.below(3);
        let mut wishes: Vec<Wish> = Vec::new();
        for id in 0..4 + random.below(12) {
            let subject = (random.below(4) > 0).then(|| random.below(2));
            let effect = match random.below(12) {
                0 => Effect::Refused,
                1 => Effect::Reverted,
                _ => Effect::Done,
            };
            let mut wanted = request(id, subject, effect);
            let is_estimated = random.below(3) == 0;
            if is_estimated {
                wanted.gas_limit = None;
            }
            let needed = wishes.get(usize::try_from(random.below(1 + wishes.len() as u64)).unwrap());
            let needed = needed.filter(|_| is_estimated && effect == Effect::Done).and_then(Wish::id);
            if let Some(needs) = needed {
                let before = &wishes.iter().find(|wish| wish.id() == Some(needs)).unwrap().request;
                if before.order_subject.is_none() || before.order_subject != wanted.order_subject {
                    wanted.depends_on = vec![before.key.clone()];
                }
                wanted.data = hex::encode_prefixed(effect.calldata_after(id, needs));
            }
            wishes.push(Wish { request: wanted.clone(), fate: Fate::Sent(effect) });
            if is_estimated && (effect == Effect::Reverted || needed.is_some()) {
                // Where it is refused, whether it is said before or after that is left open.
                continue;
            }
            let (other, fate) = match random.below(16) {
                0 => (wanted, Fate::Repeated),
                1 => (TransactionRequested { gas_limit: Some(100_001), ..wanted }, Fate::Refused("key_used")),
                2 => (TransactionRequested { key: format!("other/{id}"), ..wanted }, Fate::Refused("foreign_key")),
                3 => {
                    let (key, lane_group) = (format!("tokens/group/{id}"), "nobody's".to_owned());
                    let lost = TransactionRequested { key, lane_group, ..wanted };
                    (lost, Fate::Refused("unknown_lane_group"))
                }
                4 => {
                    let (key, data) = (format!("tokens/data/{id}"), "0xabc".to_owned());
                    (TransactionRequested { key, data, ..wanted }, Fate::Refused("malformed"))
                }
                _ => continue,
            };
            // What the node refuses frees its key: what comes then under it is a wish of its own.
            if effect != Effect::Refused {
                wishes.push(Wish { request: other, fate });
            }
        }
        let deaths = (0..random.below(DEATHS_MAX + 1)).map(|_| 5 + random.below(80)).collect();
        let block_period = Duration::from_millis([50, 100, 200][usize::try_from(random.below(3)).unwrap()]);
        Self { wishes, lanes, deaths, block_period }
    }
}

fn service_config(place: &Place, seed: u64, mutant: Option<Mutant>) -> StoreConfig {
    let path = place.folder.path().join(format!("service-{seed}-{mutant:?}.db"));
    StoreConfig { durability: Durability::ProcessOnly, ..StoreConfig::at(journal::Place::Sqlite { path }) }
}

fn tenant() -> TenantId {
    TenantId::parse("bank").unwrap()
}

/// Publishes all that the service wants, in some units of work.
async fn publish(service: &journal::Store, wishes: &[Wish], random: &mut Random) {
    let mut rest = wishes;
    while !rest.is_empty() {
        let (some, others) = rest.split_at(rest.len().min(1 + usize::try_from(random.below(5)).unwrap()));
        rest = others;
        publish_all(service, some).await;
    }
}

/// Publishes it in one unit of work.
async fn publish_all(service: &journal::Store, wishes: &[Wish]) {
    let event = |wish: &Wish| {
        let (event_type, type_version, payload) = wish.request.encode().unwrap();
        NewEvent { id: service.event_id(), event_type, type_version, payload, audience: Audience::Published }
    };
    let command = service.entropy().command_id(service.clock().now());
    let cause = Cause::beginning(tenant(), Actor::new("ana", "console", None).unwrap(), command);
    let mut unit = UnitOfWork::new();
    let stream = StreamName::parse("asset/1").unwrap();
    let _ = unit.append(&cause, stream, Expected::Any, wishes.iter().map(event).collect());
    let _ = service.append(unit).await.unwrap();
}

/// What the chain published.
async fn published(chain: &Chain) -> Result<Vec<RecordedEvent>, String> {
    let journal = chain.core.store.journal();
    journal.published_after(Position::START, 1_000).await.map_err(|error| error.to_string())
}

fn play(seed: u64, mutant: Option<Mutant>, place: &Place) -> Result<(), String> {
    let mut random = Random::new(seed);
    let story = Story::of(&mut random);
    let node = Arc::new(Node::new(random.fork()));
    let chain = journal::Place::Sqlite { path: place.folder.path().join(format!("chain-{seed}-{mutant:?}.db")) };
    let service = service_config(place, seed, mutant);
    let mut is_published = false;
    for death in story.deaths.iter().map(|&requests| Some(requests)).chain([None]) {
        node.set_death(death);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let is_over = runtime.block_on(async {
            let log = journal::Store::open(&service).await.map_err(|error| error.to_string())?;
            if !is_published {
                publish(&log, &story.wishes, &mut random).await;
                is_published = true;
            }
            tokio::select! {
                biased;
                () = node.died() => Ok(false),
                lived = live(&node, &chain, place, mutant, &story, &log) => lived.map(|()| true),
            }
        })?;
        drop(runtime);
        if is_over {
            return Ok(());
        }
    }
    Err("it died when it should not".to_owned())
}

/// One life of the chain's process, until each request is answered.
async fn live(
    node: &Arc<Node>,
    store: &journal::Place,
    place: &Place,
    mutant: Option<Mutant>,
    story: &Story,
    log: &journal::Store,
) -> Result<(), String> {
    let profile = Profile {
        head_poll: Duration::from_millis(5),
        silence_max: Duration::from_millis(150),
        offers: Pace { first_pause: Duration::from_millis(2), pause_max: Duration::from_millis(50), attempts_max: 8 },
        ..profile()
    };
    let chain = open(&profile, Arc::<Node>::clone(node), store, Arc::clone(&place.custody), mutant).await?;
    let keys = place.custody.keys().map(|key| key.label).take(usize::try_from(story.lanes).unwrap());
    let group = LaneGroup { name: "treasury".to_owned(), keys: keys.collect() };
    let requester = Requester::new("tokens", Feed::Published(log.clone())).unwrap();
    let requests = chain.take_requests(vec![requester], vec![group]).map_err(|error| error.to_string())?;
    let lived = tokio::select! {
        biased;
        never = make_blocks(node, &chain, story.block_period) => match never {},
        left = carried_out(&chain, story, &requests, log, node) => left,
    };
    let checked = match lived {
        Ok(()) => check(&chain, story, node).await,
        Err(left) => Err(left),
    };
    requests.stop().await.map_err(|error| error.to_string())?;
    chain.close().await;
    checked
}

/// Makes blocks, and is the operator who resumes lanes that the node paused.
async fn make_blocks(node: &Node, chain: &Chain, period: Duration) -> Infallible {
    loop {
        tokio::time::sleep(period).await;
        node.make_block();
        for key in chain.core.custody.keys() {
            if let Some(lane) = chain.core.held(key.address).await {
                lane.resume();
            }
        }
    }
}

/// Looks for ends, as a follower does, until nothing is left.
async fn carried_out(
    chain: &Chain,
    story: &Story,
    requests: &Requests,
    log: &journal::Store,
    node: &Node,
) -> Result<(), String> {
    let mut looking = JoinSet::new();
    for wish in story.wishes.iter().filter(|wish| matches!(wish.fate, Fate::Sent(_))) {
        let (chain, key) = (chain.clone(), IntentKey::parse(&wish.request.key).unwrap());
        let _ = looking.spawn(async move {
            // A key that is refused may be used again.
            loop {
                drop(chain.outcome(&key, LIFE_MAX).await);
                tokio::time::sleep(TURN).await;
            }
        });
    }
    let head = log.head().await.map_err(|error| error.to_string())?;
    let left = async || -> Result<Option<String>, String> {
        if requests.taking()[0].1.cursor != Some(head) {
            return Ok(Some(format!("not all are taken: {:?}", requests.taking())));
        }
        // In this order: what waits is open then, and what is open ends.
        let waiting = chain.core.store.waiting_counts().await.map_err(|error| error.to_string())?;
        let open = chain.open_intents().await.map_err(|error| error.to_string())?;
        let is_left = !waiting.is_empty() || !open.is_empty();
        let lanes = requests.lanes().into_iter().map(|lane| {
            let (window, next) = (chain.core.windows.of(lane.sender).view(), node.next_of(lane.sender));
            format!("{lane:?} {window:?}, the node has (next nonce, whether it is in the pool, mishaps) {next:?}")
        });
        Ok(is_left.then(|| format!("{waiting:?} wait, {open:?} are open: {:?}", lanes.collect::<Vec<_>>())))
    };
    let until = Instant::now() + LIFE_MAX;
    while let Some(left) = left().await? {
        if Instant::now() > until {
            let mut open = Vec::new();
            for key in chain.open_intents().await.map_err(|error| error.to_string())? {
                let told = chain.core.store.intent(&key).await.map_err(|error| error.to_string())?;
                open.extend(told.map(|one| (one.key, one.attempt, one.nonce, one.cancelling.map(|(why, _)| why))));
            }
            return Err(format!("{left}: {open:?}"));
        }
        tokio::time::sleep(TURN).await;
    }
    Ok(())
}

fn ended(event: &RecordedEvent) -> TransactionEnded {
    TransactionEnded::decode(&event.metadata.event_type, event.metadata.type_version, &event.payload).unwrap()
}

async fn check(chain: &Chain, story: &Story, node: &Node) -> Result<(), String> {
    if node.stuck() > 0 {
        return Err("transactions are stuck behind a gap".to_owned());
    }
    let differences = state_differences(chain.core.store.journal()).await.map_err(|error| error.to_string())?;
    if !differences.is_empty() {
        return Err(format!("log and rows differ: {differences:?}"));
    }
    let events = published(chain).await?;
    if let Some(other) = events.iter().find(|event| {
        let metadata = &event.metadata;
        metadata.tenant != tenant() || metadata.causation.is_none() || metadata.actor.on_behalf_of() != Some("ana")
    }) {
        return Err(format!("whose this is was forgotten: {:?}", other.metadata));
    }
    let mut told: BTreeMap<String, Vec<TransactionEnded>> = BTreeMap::new();
    for end in events.iter().map(ended) {
        told.entry(end.key().to_owned()).or_default().push(end);
    }
    let mut places: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for wish in &story.wishes {
        let Wish { request, fate } = wish;
        let ends = told.get(&request.key).ok_or_else(|| format!("{} has no answer", request.key))?;
        match fate {
            Fate::Refused(code) if *code != "key_used" => check_refusal(ends, code)?,
            // What is said under a key that is in use is answered below, with what was said first.
            Fate::Refused(_) | Fate::Repeated => {}
            Fate::Sent(effect) if would_fail(ends) || (request.gas_limit.is_none() && *effect == Effect::Reverted) => {
                check_would_fail(wish, &told, node)?;
            }
            Fate::Sent(effect) => {
                let others = story.wishes.iter().filter(|other| other.request.key == request.key).skip(1);
                check_sent(request, *effect, others.map(|other| other.fate).next(), ends, node)?;
                if let (TransactionEnded::Mined(mined), Some(subject)) = (&ends[0], &request.order_subject) {
                    let place = (mined.block_number, mined.transaction_index);
                    if places.insert(subject, place).is_some_and(|before| before > place) {
                        return Err(format!("{} overtook another of `{subject}`", request.key));
                    }
                }
            }
        }
    }
    Ok(())
}

fn check_refusal(ends: &[TransactionEnded], code: &str) -> Result<(), String> {
    match ends {
        [TransactionEnded::RequestRefused(refused)] if refused.code == code => Ok(()),
        ends => Err(format!("it was to be refused as {code}, told is {ends:?}")),
    }
}

fn would_fail(ends: &[TransactionEnded]) -> bool {
    matches!(ends, [TransactionEnded::RequestRefused(refused)] if refused.code == "would_fail")
}

/// Whether it had to fail: in any case, or because nothing has, or had once, the effect that it needs.
fn check_would_fail(wish: &Wish, told: &BTreeMap<String, Vec<TransactionEnded>>, node: &Node) -> Result<(), String> {
    let (key, ends) = (&wish.request.key, &told[&wish.request.key]);
    let is_done = |end: &TransactionEnded| matches!(end, TransactionEnded::Mined(mined) if mined.is_success);
    let must_fail = match wish.needs() {
        Some(needs) => !told[&format!("tokens/{needs}")].iter().all(is_done),
        None => wish.fate == Fate::Sent(Effect::Reverted),
    };
    if !must_fail || !would_fail(ends) {
        return Err(format!("{key} was refused as failing, and what it needs is done: {ends:?}"));
    }
    match wish.id().map(|id| node.effects(id)) {
        Some((0, 0)) => Ok(()),
        effects => Err(format!("{key} was refused, and has effects: {effects:?}")),
    }
}

/// Whether the key has one effect and its answers. `other` is what was said under it once more.
fn check_sent(
    request: &TransactionRequested,
    effect: Effect,
    other: Option<Fate>,
    ends: &[TransactionEnded],
    node: &Node,
) -> Result<(), String> {
    let key = &request.key;
    let kinds: Vec<_> = ends
        .iter()
        .map(|end| match end {
            TransactionEnded::Mined(mined) if mined.is_success == (effect == Effect::Done) => "mined",
            TransactionEnded::Mined(_) => "mined otherwise",
            TransactionEnded::Refused(_) => "refused",
            TransactionEnded::RequestRefused(refused) if refused.code == "key_used" => "key used",
            TransactionEnded::RequestRefused(_) => "refused at the door",
        })
        .collect();
    let is_right = match (&kinds[..], other) {
        (["mined" | "refused"], None | Some(Fate::Repeated)) => true,
        (["key used", "mined" | "refused"] | ["mined" | "refused", "key used"], Some(Fate::Refused(_))) => true,
        // The node refused it, or a foreign transaction displaced it, before it was said once more: that is another attempt.
        (["refused", "mined" | "refused"], Some(_)) => true,
        _ => false,
    };
    if !is_right {
        return Err(format!("{key} was to be {effect:?}, and then {other:?}; told is {kinds:?}"));
    }
    let id = key.trim_start_matches("tokens/").parse().map_err(|_| format!("{key} has no number"))?;
    let mined = kinds.iter().filter(|kind| **kind == "mined").count();
    let expected = if effect == Effect::Reverted { (0, mined) } else { (mined, 0) };
    match node.effects(id) {
        found if found == expected => Ok(()),
        found => Err(format!("{key}: effects {found:?}, told {kinds:?}")),
    }
}

#[test]
fn each_request_is_answered_once_and_subjects_keep_their_order() {
    let place = Place::new();
    let violations = seeds::play_all_on(LIVES_AT_ONCE, seeds::chosen(SEEDS), |seed| play(seed, None, &place));
    assert!(violations.is_empty(), "(seed, violation): {violations:#?}");
}

#[test]
fn a_subject_that_is_not_kept_in_one_lane_is_caught() {
    let place = Place::new();
    let caught = seeds::play_all_on(LIVES_AT_ONCE, 0..40, |seed| play(seed, Some(Mutant::NotPinned), &place));
    let is_told = |(_, error): &(u64, String)| error.contains("overtook another");
    assert!(caught.iter().any(is_told), "it went unnoticed in 40 seeds: {caught:?}");
}

#[test]
fn a_failure_that_is_taken_for_final_too_early_is_caught() {
    let place = Place::new();
    for mutant in [Mutant::EstimateFinalAtOnce, Mutant::EstimateBelievedAtOnce] {
        let caught = seeds::play_all_on(LIVES_AT_ONCE, 0..60, |seed| play(seed, Some(mutant), &place));
        let is_told = |(_, error): &(u64, String)| error.contains("what it needs is done");
        assert!(caught.iter().any(is_told), "{mutant:?} went unnoticed in 60 seeds: {caught:?}");
    }
}
