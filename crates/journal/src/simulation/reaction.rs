//! What runs beside the callers: a consumer of the published events, whoever fires timers, and a reader who follows the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use messages::{CommandId, Hash, Position, RecordedEvent, StreamName, Timestamp, chain};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::bank::{self, BankEvent, Kind, Order, Wish};
use super::knowledge::Knowledge;
use crate::appender::{self, AppendError};
use crate::cursor::Cursor;
use crate::group::Refusal;
use crate::key::KeyChange;
use crate::store::{Store, StoreError};
use crate::unit::{Expected, UnitOfWork};

/// The consumer's name.
pub(super) const CONSUMER: &str = "seen";

/// How many events or timers are taken at once: few, so that there are many places to die.
const PAGE: usize = 5;

/// After how long somebody looks again who was not woken: another process may have written.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Writes one event into `target` for each published event of `source`, until the source is at its end and `is_over`.
pub(super) async fn consume(source: Store, target: Store, knowledge: Knowledge, is_over: watch::Receiver<bool>) {
    let mut committed = source.committed();
    loop {
        let may_end = *is_over.borrow();
        match consume_page(&source, &target, &knowledge).await {
            Ok(0) if may_end => return,
            Ok(0) => drop(tokio::time::timeout(LOOK_AGAIN, committed.changed()).await),
            Ok(_) => {}
            // Another instance was faster, or the store is away: what it holds is read anew.
            Err(()) => tokio::task::yield_now().await,
        }
    }
}

async fn consume_page(source: &Store, target: &Store, knowledge: &Knowledge) -> Result<usize, ()> {
    let mut from = target.cursor(CONSUMER).await.map_err(drop)?;
    let after = from.map_or(Position::START, |cursor| cursor.position);
    let page = source.published_after(after, PAGE).await.map_err(drop)?;
    let mut answers = Vec::new();
    for event in &page {
        let to = Cursor { store: source.id(), position: event.header.position, hash: event.hash };
        let seen = BankEvent { kind: Kind::Seen, order: event.header.position.number(), amount: 0 };
        let mut unit = UnitOfWork::new();
        let _ = unit
            .append(
                &bank::cause(event.metadata.command),
                bank::seen_stream(),
                Expected::Any,
                vec![seen.appended(target)],
            )
            .advance(CONSUMER, from, to);
        answers.push(target.submit(unit).await.map_err(drop)?);
        from = Some(to);
    }
    for answer in answers {
        match appender::answered(answer).await {
            Ok(_) => {}
            Err(AppendError::Refused(Refusal::CursorMoved { .. })) => {
                knowledge.count(|counts| &mut counts.cursor_lost);
                return Err(());
            }
            Err(AppendError::Refused(refusal)) => {
                knowledge.violated(format!("the consumer is refused: {refusal}"));
                return Err(());
            }
            Err(_) => return Err(()),
        }
    }
    Ok(page.len())
}

/// Settles promises when their time comes, until none is left and `is_over`.
pub(super) async fn fire_timers(store: Store, knowledge: Knowledge, is_over: watch::Receiver<bool>) {
    let mut committed = store.committed();
    loop {
        let may_end = *is_over.borrow();
        match fire_due(&store, &knowledge).await {
            Ok(0) if may_end && matches!(store.next_due().await, Ok(None)) => return,
            Ok(0) => drop(tokio::time::timeout(LOOK_AGAIN, committed.changed()).await),
            Ok(_) | Err(_) => {}
        }
    }
}

async fn fire_due(store: &Store, knowledge: &Knowledge) -> Result<usize, StoreError> {
    let now = store.clock().now();
    knowledge.with(|facts| facts.latest = facts.latest.max(now));
    let due = store.timers_due(now, PAGE).await?;
    for timer in &due {
        if timer.due > now {
            knowledge.violated(format!("timer {} is given at {now}, before {}", timer.name.name, timer.due));
        }
        let (number, account) = bank::due_order(timer);
        let order = Order { number, wish: Wish::Promise { account, after: Duration::ZERO }, flaw: None };
        let command = CommandId::new(store.event_id().uuid());
        let settled = BankEvent { kind: Kind::Settled, order: number, amount: timer.due.micros() };
        let mut unit = UnitOfWork::new();
        let _ = unit
            .append(&bank::cause(command), bank::stream(account), Expected::Any, vec![settled.appended(store)])
            .fire_timer(timer.name.clone(), timer.due);
        if order.finishes_later() {
            let _ = unit.change_key(order.scope(), KeyChange::Finish(Some(number.to_be_bytes().into())));
        }
        match store.append(unit).await {
            Ok(_) => knowledge.count(|counts| &mut counts.settled),
            Err(AppendError::Refused(Refusal::TimerGone { .. } | Refusal::KeyState { .. })) => {
                knowledge.count(|counts| &mut counts.timer_lost);
            }
            Err(AppendError::Refused(refusal)) => {
                knowledge.violated(format!("settling {number} is refused: {refusal}"))
            }
            Err(_) => {}
        }
    }
    Ok(due.len())
}

/// What a reader of the whole log has seen and folded. It outlives every process: what was seen once must stay.
#[derive(Debug, Default)]
pub(super) struct View {
    newest: Option<(Position, Hash)>,
    recorded: Timestamp,
    pub(super) balances: BTreeMap<StreamName, i64>,
}

impl View {
    fn place(&self) -> Position {
        self.newest.map_or(Position::START, |(position, _)| position)
    }

    /// Takes the next event; an error if it is not the next.
    fn take(&mut self, store: &Store, event: &RecordedEvent) -> Result<(), String> {
        let (place, hash) = self.newest.unwrap_or_else(|| (Position::START, chain::start(store.id())));
        let position = event.header.position;
        if position != place.next() {
            return Err(format!("a reader saw {position} after {place}"));
        }
        if event.hash != event.hash_after(hash) {
            return Err(format!("a reader saw another history before {position}"));
        }
        if event.header.recorded < self.recorded {
            return Err(format!("time runs backwards at {position}"));
        }
        let metadata = &event.metadata;
        let decoded = <BankEvent as messages::EventBody>::decode(&metadata.event_type, 1, &event.payload);
        let decoded = decoded.map_err(|error| error.to_string())?;
        *self.balances.entry(metadata.stream.clone()).or_default() += decoded.gain();
        self.recorded = event.header.recorded;
        self.newest = Some((position, event.hash));
        Ok(())
    }
}

/// Follows the log until it is at its end and `is_over`.
pub(super) async fn follow(store: Store, view: Arc<Mutex<View>>, knowledge: Knowledge, is_over: watch::Receiver<bool>) {
    let mut committed = store.committed();
    loop {
        let may_end = *is_over.borrow();
        let after = view.lock().place();
        let page = store.events_after(after, PAGE + 2).await.unwrap_or_default();
        for event in &page {
            if let Err(violation) = view.lock().take(&store, event) {
                return knowledge.violated(violation);
            }
        }
        if page.is_empty() {
            if may_end {
                return;
            }
            drop(tokio::time::timeout(LOOK_AGAIN, committed.changed()).await);
        }
    }
}
