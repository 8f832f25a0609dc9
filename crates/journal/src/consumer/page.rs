//! A session of a consumer: from where its cursor stands, page after page, until something interrupts.
//!
//! Units of a page are queued in order without waiting for each other. Each moves the cursor from where the one before puts it:
//! if one is refused, so are all behind it, and the next session begins at the last that was committed.

use std::collections::HashMap;

use messages::{Position, RecordedEvent};

use super::failure::{Interruption, Purpose, Trouble, Verdict, chain, judge};
use super::{CONSUMER_PAGE_EVENTS_MAX, Consumer, Handler, HandlerError, PARKED_EVENTS_MAX, Pace, Phase, Reaction};
use crate::appender::{self, Answer, AppendError};
use crate::cursor::Cursor;
use crate::feed;
use crate::store::StreamKey;
use crate::task::Stop;
use crate::unit::UnitOfWork;

/// What a session knows.
pub(super) struct Session {
    /// Where the units queued so far put the cursor.
    queued: Option<Cursor>,
    /// The last event that is handled; it may be ahead of the cursor by events that did not concern the consumer.
    handled: Cursor,
    /// Streams with parked events, and the first of these.
    parked: HashMap<StreamKey, Position>,
    /// How many events are parked.
    parked_events: usize,
    /// Units that were queued and not answered yet.
    flight: Vec<(Position, Purpose, Result<Answer, AppendError>)>,
}

/// What an event comes to.
enum Step {
    PassOver,
    Commit(Box<UnitOfWork>, Purpose),
}

impl<H: Handler> Consumer<H> {
    /// Handles events until it is stopped or interrupted.
    pub(super) async fn session(&self, stop: &Stop, trouble: &mut Trouble) -> Result<(), Interruption> {
        let queued = self.store.cursor(&self.name).await?;
        let handled = queued.unwrap_or_else(|| Cursor::start(self.feed.store().id()));
        let (parked, parked_events) = self.parked_streams().await?;
        let mut session = Session { queued, handled, parked, parked_events, flight: Vec::new() };
        let mut follower = self.feed.follow(handled, CONSUMER_PAGE_EVENTS_MAX);
        self.status.send_modify(|status| status.cursor = queued);
        loop {
            let events = tokio::select! {
                () = stop.requested() => return Ok(()),
                events = follower.next() => events?,
            };
            self.set_phase(Phase::Working);
            self.handle_page(&mut session, &events, trouble).await?;
        }
    }

    /// Handles a page of events that follow the cursor, and awaits its commits.
    async fn handle_page(
        &self,
        session: &mut Session,
        events: &[RecordedEvent],
        trouble: &mut Trouble,
    ) -> Result<(), Interruption> {
        let mut failed = None;
        for event in events {
            match self.handle(session, event, trouble).await {
                Ok(Step::PassOver) => session.handled = feed::after(event),
                Ok(Step::Commit(unit, purpose)) => {
                    session.handled = feed::after(event);
                    self.queue(session, *unit, purpose).await;
                    if self.pace == Pace::EachCommitted {
                        self.await_commits(session, trouble).await?;
                    }
                }
                Err(interruption) => {
                    failed = Some(interruption);
                    break;
                }
            }
        }
        // Events that did not concern the consumer move the cursor once per page, not one by one.
        if session.queued.is_none_or(|queued| queued != session.handled) && !is_at_start(session) {
            self.queue(session, UnitOfWork::new(), Purpose::Bookkeeping).await;
        }
        self.await_commits(session, trouble).await?;
        failed.map_or(Ok(()), Err)
    }

    async fn handle(
        &self,
        session: &mut Session,
        event: &RecordedEvent,
        trouble: &Trouble,
    ) -> Result<Step, Interruption> {
        let position = event.header.position;
        let stream = stream_of(event);
        if session.parked.get(&stream).is_some_and(|first| *first <= position) {
            session.count_parked()?;
            return Ok(Step::Commit(Box::new(self.park_behind(event)), Purpose::Behind));
        }
        let failures = match trouble.verdict(position, self.retry.attempts_max) {
            Some((Verdict::PassOver, ..)) => return Ok(Step::PassOver),
            Some((Verdict::Park, failures, why)) => return self.park_step(session, event, failures, why),
            Some((Verdict::Again, failures, _)) => failures,
            None => 0,
        };
        match self.handler.handle(event).await {
            Ok(Reaction::Nothing) => Ok(Step::PassOver),
            Ok(Reaction::Unit(unit)) => Ok(Step::Commit(unit, Purpose::Effect)),
            Err(error @ HandlerError::Poison { .. }) => self.park_step(session, event, failures + 1, &chain(&error)),
            Err(error @ HandlerError::Transient { .. }) => {
                Err(Interruption::Event { position, why: chain(&error), verdict: Verdict::Again })
            }
        }
    }

    fn park_step(
        &self,
        session: &mut Session,
        event: &RecordedEvent,
        failures: u32,
        why: &str,
    ) -> Result<Step, Interruption> {
        session.count_parked()?;
        let position = event.header.position;
        tracing::error!(consumer = %self.name, %position, failures, why, "an event is parked, and its stream waits behind it");
        let _ = session.parked.insert(stream_of(event), position);
        Ok(Step::Commit(Box::new(self.park(event, failures, why)), Purpose::Bookkeeping))
    }

    /// Queues the unit with the cursor's step to what is handled.
    async fn queue(&self, session: &mut Session, mut unit: UnitOfWork, purpose: Purpose) {
        let _ = unit.advance(&self.name, session.queued, session.handled);
        session.queued = Some(session.handled);
        let answer = self.store.submit(unit).await;
        session.flight.push((session.handled.position, purpose, answer));
    }

    /// Awaits all units that were queued, also behind one that failed: only then the cursor tells what was committed.
    async fn await_commits(&self, session: &mut Session, trouble: &mut Trouble) -> Result<(), Interruption> {
        let mut failed = None;
        for (position, purpose, answer) in session.flight.drain(..) {
            let ended = match answer {
                Ok(answer) => appender::answered(answer).await,
                Err(error) => Err(error),
            };
            match ended {
                Ok(_) => trouble.outage_ended(),
                Err(error) if failed.is_none() => failed = Some(judge(&self.name, position, purpose, error)),
                // It was built on the one that failed.
                Err(_) => {}
            }
        }
        if failed.is_none() {
            self.status.send_modify(|status| status.cursor = session.queued);
        }
        failed.map_or(Ok(()), Err)
    }
}

impl Session {
    const fn count_parked(&mut self) -> Result<(), Interruption> {
        if self.parked_events >= PARKED_EVENTS_MAX {
            return Err(Interruption::TooManyParked { parked: self.parked_events });
        }
        self.parked_events += 1;
        Ok(())
    }
}

/// Whether nothing was handled ever: there is no cursor to be stored yet.
fn is_at_start(session: &Session) -> bool {
    session.handled.position == Position::START
}

fn stream_of(event: &RecordedEvent) -> StreamKey {
    StreamKey::new(event.metadata.tenant.clone(), event.metadata.stream.clone())
}
