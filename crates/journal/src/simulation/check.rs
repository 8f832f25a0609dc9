//! Holds what a world's stores have in the end against what its callers were told.

use std::collections::BTreeMap;

use messages::header::Visibility;
use messages::{CommandId, EventBody as _, Position, RecordedEvent, StreamName, StreamVersion, chain};

use super::bank::{self, BankEvent, Kind, Order, Wish};
use super::knowledge::End;
use super::reaction::CONSUMER;
use super::world::World;
use crate::key::KeyState;
use crate::store::{Place, Store};

/// How many events a page of the check has: few, so that pages meet.
const PAGE: usize = 64;

/// An event with what it says.
struct Entry {
    event: RecordedEvent,
    body: BankEvent,
}

/// The balance of each account after each of its events.
type History = BTreeMap<StreamName, Vec<(Position, i64)>>;

/// Checks everything; the first thing that is wrong is the error.
pub(super) async fn check(world: &World) -> Result<(), String> {
    let books = open(world, &world.books, 1).await?;
    let log = read(&books).await?;
    check_log(&books, &log).await?;
    let history = history(&log)?;
    check_view(world, &history)?;
    check_state_rows(&books, &history).await?;
    check_names(&log)?;
    check_orders(world, &books, &log, &history).await?;
    if world.seen == world.books {
        check_seen(&books, &books, &log, &log).await?;
    } else {
        let seen = open(world, &world.seen, 2).await?;
        let of_seen = read(&seen).await?;
        check_log(&seen, &of_seen).await?;
        check_seen(&books, &seen, &log, &of_seen).await?;
        seen.close().await;
    }
    if let Some(timer) = books.next_due().await.map_err(text)? {
        return Err(format!("a timer is left for {timer}"));
    }
    books.close().await;
    Ok(())
}

async fn open(world: &World, place: &Place, entropy: u64) -> Result<Store, String> {
    Store::open(&world.config(place, entropy)).await.map_err(|error| format!("{error:?}"))
}

fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

async fn read(store: &Store) -> Result<Vec<Entry>, String> {
    let mut log: Vec<Entry> = Vec::new();
    loop {
        let after = log.last().map_or(Position::START, |entry| entry.event.header.position);
        let page = store.events_after(after, PAGE).await.map_err(text)?;
        if page.is_empty() {
            return Ok(log);
        }
        for event in page {
            let body = BankEvent::decode(&event.metadata.event_type, event.metadata.type_version, &event.payload);
            log.push(Entry { event, body: body.map_err(text)? });
        }
    }
}

/// The log is what a log must be: no gap, no break of the chain, streams without holes, published events that know each other.
pub(super) async fn check_chain(store: &Store, log: impl Iterator<Item = &RecordedEvent>) -> Result<(), String> {
    let (mut place, mut hash, mut published) = (Position::START, chain::start(store.id()), Position::START);
    let mut versions: BTreeMap<&StreamName, StreamVersion> = BTreeMap::new();
    for event in log {
        let header = &event.header;
        place = place.next();
        let version = versions.entry(&event.metadata.stream).or_default();
        *version = version.next();
        if (header.store, header.position) != (store.id(), place) {
            return Err(format!("position {} of {} stands where {place} must be", header.position, header.store));
        }
        if event.hash != event.hash_after(hash) {
            return Err(format!("the chain breaks at {place}"));
        }
        if event.metadata.stream_version != *version {
            let stream = &event.metadata.stream;
            return Err(format!("{stream} has version {} at {place}, not {version}", event.metadata.stream_version));
        }
        if let Visibility::Published { previous } = header.visibility {
            if previous != published {
                return Err(format!("{place} names {previous} as the published event before it, not {published}"));
            }
            published = place;
        }
        hash = event.hash;
    }
    let head = store.head().await.map_err(text)?;
    if (head.position, head.hash) == (place, hash) {
        Ok(())
    } else {
        Err(format!("the head is {head:?}, the log ends at {place}"))
    }
}

async fn check_log(store: &Store, log: &[Entry]) -> Result<(), String> {
    check_chain(store, log.iter().map(|entry| &entry.event)).await?;
    let mut by_stream: BTreeMap<&StreamName, Vec<&RecordedEvent>> = BTreeMap::new();
    for entry in log {
        by_stream.entry(&entry.event.metadata.stream).or_default().push(&entry.event);
    }
    for (stream, events) in by_stream {
        let read = store.stream_after(&bank::tenant(), stream, StreamVersion::EMPTY, log.len()).await.map_err(text)?;
        if !read.iter().eq(events) {
            return Err(format!("{stream} reads otherwise than the log"));
        }
    }
    let published = store.published_after(Position::START, log.len().max(1)).await.map_err(text)?;
    let is_published = |entry: &&Entry| matches!(entry.event.header.visibility, Visibility::Published { .. });
    if published.iter().eq(log.iter().filter(is_published).map(|entry| &entry.event)) {
        Ok(())
    } else {
        Err("the published feed is not the published part of the log".to_owned())
    }
}

fn history(log: &[Entry]) -> Result<History, String> {
    let mut history = History::new();
    for entry in log {
        let balances = history.entry(entry.event.metadata.stream.clone()).or_default();
        let before = balances.last().map_or(0, |(_, balance)| *balance);
        let position = entry.event.header.position;
        if before + entry.body.gain() < 0 {
            return Err(format!("{} is overdrawn at {position}", entry.event.metadata.stream));
        }
        balances.push((position, before + entry.body.gain()));
    }
    Ok(history)
}

fn balances(history: &History) -> BTreeMap<StreamName, i64> {
    history
        .iter()
        .map(|(stream, balances)| (stream.clone(), balances.last().map_or(0, |(_, balance)| *balance)))
        .collect()
}

fn check_view(world: &World, history: &History) -> Result<(), String> {
    let (view, log) = (world.view().lock().balances.clone(), balances(history));
    if view == log { Ok(()) } else { Err(format!("the view has {view:?}, the log {log:?}")) }
}

/// State rows are the fold of the log too.
async fn check_state_rows(books: &Store, history: &History) -> Result<(), String> {
    let rows = books.rows("SELECT account, balance FROM accounts", &[]).await.map_err(text)?;
    let rows = rows.iter().filter_map(|row| Some((row[0].text()?.to_owned(), row[1].integer()?)));
    let rows: BTreeMap<String, i64> = rows.filter(|(_, balance)| *balance != 0).collect();
    let log = balances(history).into_iter().filter(|(_, balance)| *balance != 0);
    let log: BTreeMap<String, i64> = log.map(|(stream, balance)| (stream.to_string(), balance)).collect();
    if rows == log { Ok(()) } else { Err(format!("state rows are {rows:?}, the log says {log:?}")) }
}

fn check_names(log: &[Entry]) -> Result<(), String> {
    let mut holders: BTreeMap<i64, &StreamName> = BTreeMap::new();
    for entry in log.iter().filter(|entry| entry.body.kind == Kind::Named) {
        let stream = &entry.event.metadata.stream;
        let holder = holders.entry(entry.body.amount).or_insert(stream);
        if *holder != stream {
            return Err(format!("name {} belongs to {holder} and to {stream}", entry.body.amount));
        }
    }
    Ok(())
}

/// Exactly one reaction to each published event, in their order, and the cursor at the end.
async fn check_seen(source: &Store, target: &Store, log: &[Entry], seen: &[Entry]) -> Result<(), String> {
    let is_published = |entry: &&Entry| matches!(entry.event.header.visibility, Visibility::Published { .. });
    let published: Vec<&Entry> = log.iter().filter(is_published).collect();
    let expected: Vec<u64> = published.iter().map(|entry| entry.event.header.position.number()).collect();
    let reactions = seen.iter().filter(|entry| entry.body.kind == Kind::Seen);
    let reactions: Vec<u64> = reactions.map(|entry| entry.body.order).collect();
    if reactions != expected {
        return Err(format!("reactions are to {reactions:?}, published are {expected:?}"));
    }
    let cursor = target.cursor(CONSUMER).await.map_err(text)?;
    let stands_at = cursor.map(|cursor| (cursor.store, cursor.position, cursor.hash));
    let end = published.last().map(|entry| (source.id(), entry.event.header.position, entry.event.hash));
    if stands_at == end {
        Ok(())
    } else {
        Err(format!("the consumer stands at {stands_at:?}, the feed ends at {end:?}"))
    }
}

/// What an order did.
#[derive(Debug, PartialEq, Eq)]
struct Effect {
    kind: Kind,
    stream: StreamName,
    amount: i64,
}

async fn check_orders(world: &World, books: &Store, log: &[Entry], history: &History) -> Result<(), String> {
    let mut effects: BTreeMap<u64, Vec<&Entry>> = BTreeMap::new();
    for entry in log.iter().filter(|entry| entry.body.kind != Kind::Seen) {
        effects.entry(entry.body.order).or_default().push(entry);
    }
    let ends: BTreeMap<u64, Option<End>> =
        world.knowledge.with(|facts| facts.told.iter().map(|(number, told)| (*number, told.end)).collect());
    for order in &world.orders {
        let found = effects.remove(&order.number).unwrap_or_default();
        let end = ends.get(&order.number).copied().flatten();
        let end = end.ok_or_else(|| format!("{order:?} has no end"))?;
        check_effect(order, end, &found)?;
        if let End::Insufficient { first, last } = end {
            check_insufficient(order, history, first, last)?;
        }
        check_key(order, end, books).await?;
    }
    if effects.is_empty() { Ok(()) } else { Err(format!("effects that nobody ordered: {:?}", effects.keys())) }
}

fn effects_of(order: &Order) -> Vec<Effect> {
    let effect = |kind, account, amount| Effect { kind, stream: bank::stream(account), amount };
    match order.wish {
        Wish::Deposit { account, amount } => vec![effect(Kind::Deposited, account, amount)],
        Wish::Withdraw { account, amount } => vec![effect(Kind::Withdrawn, account, amount)],
        Wish::Transfer { from, to, amount } => {
            vec![effect(Kind::Received, to, amount), effect(Kind::Withdrawn, from, amount)]
        }
        Wish::Name { account, name } => vec![effect(Kind::Named, account, i64::try_from(name).unwrap())],
        Wish::Note { account } => vec![effect(Kind::Noted, account, 0)],
        Wish::Promise { account, .. } => vec![effect(Kind::Promised, account, 0), effect(Kind::Settled, account, 0)],
    }
}

fn check_effect(order: &Order, end: End, found: &[&Entry]) -> Result<(), String> {
    let is_promise = matches!(order.wish, Wish::Promise { .. });
    let effects: Vec<Effect> = found
        .iter()
        .map(|entry| Effect {
            kind: entry.body.kind,
            stream: entry.event.metadata.stream.clone(),
            amount: if is_promise { 0 } else { entry.body.amount },
        })
        .collect();
    let is_right = match end {
        End::Done { .. } => effects == effects_of(order),
        End::Insufficient { .. } | End::Nothing => effects.is_empty(),
        End::Open => effects.is_empty() || effects == effects_of(order),
    };
    if !is_right {
        return Err(format!("{order:?} ended as {end:?}, its effects are {effects:?}"));
    }
    let End::Done { command, position } = end else { return Ok(()) };
    let last_of_unit = if is_promise { found.first() } else { found.last() };
    let place: Option<(CommandId, Position)> =
        last_of_unit.map(|entry| (entry.event.metadata.command, entry.event.header.position));
    if place == Some((command, position)) {
        Ok(())
    } else {
        Err(format!("{order:?} ended as {end:?}, but its effect is {place:?}"))
    }
}

/// At some place between the question and the answer the account really had too little.
fn check_insufficient(order: &Order, history: &History, first: Position, last: Position) -> Result<(), String> {
    let (Wish::Withdraw { account, amount } | Wish::Transfer { from: account, amount, .. }) = order.wish else {
        return Err(format!("{order:?} takes nothing and was refused for want of money"));
    };
    let balances = history.get(&bank::stream(account)).map_or(&[][..], Vec::as_slice);
    let before = balances.iter().rev().find(|(position, _)| *position <= first).map_or(0, |(_, balance)| *balance);
    let during = balances.iter().filter(|(position, _)| *position > first && *position <= last);
    let least = during.map(|(_, balance)| *balance).chain([before]).min().unwrap_or(0);
    if least < amount {
        Ok(())
    } else {
        Err(format!("{order:?} was refused between {first} and {last}, when there was never less than {least}"))
    }
}

async fn check_key(order: &Order, end: End, books: &Store) -> Result<(), String> {
    let record = books.key(&order.scope()).await.map_err(text)?;
    let has_key = !matches!(order.wish, Wish::Note { .. });
    match (end, record) {
        (End::Done { command, position }, Some(record)) if has_key => {
            let is_right = record.state == KeyState::Done
                && (record.command, record.position) == (command, position)
                && record.fingerprint == order.fingerprint(0)
                && *record.location == format!("/v1/wishes/{}", order.number)
                && record.answer.as_deref() == Some(&order.number.to_be_bytes()[..]);
            if is_right { Ok(()) } else { Err(format!("{order:?} ended as {end:?}, its key is {record:?}")) }
        }
        (End::Done { .. }, None) if !has_key => Ok(()),
        (End::Insufficient { .. } | End::Nothing | End::Open, None) => Ok(()),
        (end, record) => Err(format!("{order:?} ended as {end:?}, its key is {record:?}")),
    }
}
