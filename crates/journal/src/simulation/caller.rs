//! Callers: each brings its orders to an end, one after another, and holds the answers against each other.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use messages::{CommandId, Position};

use super::bank::{Account, Flaw, Insufficient, Order, Wish};
use super::knowledge::{End, Knowledge};
use super::random::Random;
use crate::aggregate::{DecideError, Decided, Streams};
use crate::appender::AppendError;
use crate::clock::ManualClock;
use crate::group::Refusal;
use crate::key::KeyRecord;
use crate::store::Store;

/// How often one order is sent at most, in one life.
const TRIES_MAX: u32 = 60;

/// How far the clock is moved at most, forwards or backwards.
const CLOCK_STEP_MAX_S: u64 = 3_600;

/// A caller in one life of its process.
pub(super) struct Caller {
    pub(super) store: Store,
    pub(super) streams: Arc<Streams<Account>>,
    pub(super) knowledge: Knowledge,
    pub(super) clock: ManualClock,
    pub(super) random: Random,
}

/// One answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done {
        command: CommandId,
        position: Position,
    },
    Insufficient,
    Refused,
    Reused,
    /// Nothing was written, the same may go better later.
    NotNow,
    /// It may be written or not.
    Unknown,
}

impl Answer {
    fn repeated(record: &KeyRecord) -> Self {
        Self::Done { command: record.command, position: record.position }
    }
}

impl Caller {
    pub(super) async fn serve(mut self, orders: Vec<Order>) {
        for order in orders {
            self.move_clock();
            let is_known = self.knowledge.with(|facts| facts.told.entry(order.number).or_default().end.is_some());
            if !is_known {
                self.bring_to_an_end(&order).await;
            }
            if self.random.per_mille(250) {
                self.ask_again(&order).await;
            }
        }
    }

    fn move_clock(&mut self) {
        let now = self.store.clock().now();
        let step = Duration::from_secs(self.random.below(CLOCK_STEP_MAX_S));
        match self.random.below(4) {
            0 => self.clock.advance(step),
            1 => {
                self.knowledge.count(|counts| &mut counts.set_back);
                let micros = i64::try_from(step.as_micros()).unwrap();
                self.clock.set(messages::Timestamp::from_micros(now.micros() - micros));
            }
            _ => {}
        }
        let now = self.store.clock().now();
        self.knowledge.with(|facts| facts.latest = facts.latest.max(now));
    }

    /// What a sensible caller does: the same key again until the answer is an end.
    async fn bring_to_an_end(&mut self, order: &Order) {
        for _ in 0..TRIES_MAX {
            let first = self.knowledge.with(|facts| {
                let told = facts.told.entry(order.number).or_default();
                told.is_open |= told.is_sent;
                told.is_sent = true;
                facts.acknowledged
            });
            if matches!(order.wish, Wish::Note { .. }) && self.is_open(order) {
                return self.end(order, End::Open);
            }
            let answer = self.send(order).await;
            self.knowledge.with(|facts| {
                let told = facts.told.entry(order.number).or_default();
                told.is_sent = false;
                told.is_open |= answer == Answer::Unknown;
            });
            match answer {
                Answer::Done { command, position } => return self.done(order, command, position).await,
                Answer::Insufficient => {
                    let head = self.store.head().await;
                    let last = head.map_or(Position::new(u64::MAX), |head| head.position);
                    return self.end(order, End::Insufficient { first, last });
                }
                Answer::Refused => return self.end(order, End::Nothing),
                Answer::Reused => return self.knowledge.violated(format!("{order:?}: key used by another")),
                Answer::NotNow if !self.is_open(order) && self.random.per_mille(200) => {
                    self.knowledge.count(|counts| &mut counts.gave_up);
                    return self.end(order, End::Nothing);
                }
                Answer::NotNow | Answer::Unknown => {}
            }
        }
        self.knowledge.violated(format!("{order:?}: no end after {TRIES_MAX} tries"));
    }

    fn is_open(&self, order: &Order) -> bool {
        self.knowledge.with(|facts| facts.told.entry(order.number).or_default().is_open)
    }

    fn end(&self, order: &Order, end: End) {
        self.knowledge.with(|facts| {
            let counts = &mut facts.counts;
            match end {
                End::Done { position, .. } => {
                    counts.done += 1;
                    facts.acknowledged = facts.acknowledged.max(position);
                }
                End::Insufficient { .. } => counts.insufficient += 1,
                End::Nothing => counts.refused += 1,
                End::Open => {}
            }
            facts.told.entry(order.number).or_default().end = Some(end);
        });
    }

    /// Sends it in one of the ways that callers have: once, twice at the same time, or without waiting for the answer.
    async fn send(&mut self, order: &Order) -> Answer {
        let has_key = !matches!(order.wish, Wish::Note { .. });
        match self.random.below(10) {
            0 => {
                let polls = 1 + self.random.below(12);
                self.knowledge.count(|counts| &mut counts.cancelled);
                dropped_after(polls, self.try_once(order, 0)).await.unwrap_or(Answer::Unknown)
            }
            1 | 2 if has_key => {
                let (one, other) = tokio::join!(self.try_once(order, 0), self.try_once(order, 0));
                self.agree(order, one, other)
            }
            _ => self.try_once(order, 0).await,
        }
    }

    /// What two answers to the same request say together.
    fn agree(&self, order: &Order, one: Answer, other: Answer) -> Answer {
        match (one, other) {
            (Answer::Done { .. }, Answer::Done { .. }) if one != other => {
                self.knowledge.violated(format!("{order:?}: answered {one:?} and {other:?}"));
                one
            }
            (done @ Answer::Done { .. }, _) | (_, done @ Answer::Done { .. }) => done,
            (Answer::Unknown, _) | (_, Answer::Unknown) => Answer::Unknown,
            (Answer::NotNow, _) => Answer::NotNow,
            (_, other) => other,
        }
    }

    /// It is done: then it is there to be read, and not later.
    async fn done(&mut self, order: &Order, command: CommandId, position: Position) {
        self.end(order, End::Done { command, position });
        if self.random.per_mille(400) {
            let before = Position::new(position.number() - 1);
            match self
                .store
                .events_after(before, 1)
                .await
                .map(|events| events.first().map(|event| event.metadata.command))
            {
                Ok(Some(found)) if found == command => {}
                Ok(found) => {
                    self.knowledge.violated(format!("{order:?}: {command} is done, but {found:?} is at {position}"))
                }
                Err(_) => {}
            }
        }
    }

    /// The answer does not change, and another request does not get it.
    async fn ask_again(&mut self, order: &Order) {
        let end = self.knowledge.with(|facts| facts.told.get(&order.number).and_then(|told| told.end));
        let Some(End::Done { command, position }) = end else { return };
        if matches!(order.wish, Wish::Note { .. }) {
            return;
        }
        match self.try_once(order, 0).await {
            Answer::NotNow | Answer::Unknown => {}
            answer if answer == (Answer::Done { command, position }) => {
                self.knowledge.count(|counts| &mut counts.repeated)
            }
            answer => {
                self.knowledge.violated(format!("{order:?}: done by {command} at {position}, and again {answer:?}"));
            }
        }
        match self.try_once(order, 1).await {
            Answer::NotNow | Answer::Unknown => {}
            Answer::Reused => self.knowledge.count(|counts| &mut counts.reused),
            answer => self.knowledge.violated(format!("{order:?}: another request under its key got {answer:?}")),
        }
    }

    async fn try_once(&self, order: &Order, body: u64) -> Answer {
        let command = self.store.entropy().command_id(self.store.clock().now());
        let Some(account) = order.decided_on() else {
            return match self.store.append(order.unit(&self.store, command, body)).await {
                Ok(appended) => Answer::Done { command, position: appended.position },
                Err(error) => self.not_appended(order, &error),
            };
        };
        let asked = order.command(account, command, body);
        match self.streams.decide(&asked, |state| order.decide(state, &self.store, command)).await {
            Ok(Decided::Done(appended)) => Answer::Done { command, position: appended.position },
            Ok(Decided::Repeated(record)) => Answer::repeated(&record),
            Err(DecideError::Refused(Insufficient)) => Answer::Insufficient,
            Err(DecideError::Busy { .. } | DecideError::Load { .. }) => Answer::NotNow,
            Err(DecideError::Append(error)) => self.not_appended(order, &error),
            Err(DecideError::Payload(error)) => {
                self.knowledge.violated(format!("{order:?}: {error}"));
                Answer::Refused
            }
        }
    }

    fn not_appended(&self, order: &Order, error: &AppendError) -> Answer {
        match error {
            AppendError::Refused(Refusal::KeyRepeated { record }) => Answer::repeated(record),
            AppendError::Refused(Refusal::KeyReused { .. }) => Answer::Reused,
            AppendError::Refused(Refusal::ClaimTaken { .. }) if matches!(order.wish, Wish::Name { .. }) => {
                Answer::Refused
            }
            AppendError::Refused(Refusal::StateRows { .. }) if order.flaw == Some(Flaw::Rows) => Answer::Refused,
            AppendError::Store { .. } if order.flaw == Some(Flaw::Statement) => Answer::Refused,
            AppendError::Unknown { .. } => {
                self.knowledge.count(|counts| &mut counts.unknown);
                Answer::Unknown
            }
            AppendError::Unavailable { .. } | AppendError::Store { .. } | AppendError::Closed => {
                self.knowledge.count(|counts| &mut counts.unavailable);
                Answer::NotNow
            }
            AppendError::Refused(_) | AppendError::Limit(_) => {
                self.knowledge.violated(format!("{order:?}: {error}"));
                Answer::Refused
            }
        }
    }
}

/// Polls a future so many times and drops it then, if it is not done before.
async fn dropped_after<T>(mut polls: u64, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(move |context| {
        if polls == 0 {
            return Poll::Ready(None);
        }
        polls -= 1;
        let polled = future.as_mut().poll(context).map(Some);
        if polls == 0 && polled.is_pending() {
            context.waker().wake_by_ref();
        }
        polled
    })
    .await
}
