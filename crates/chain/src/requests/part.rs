//! Which of a lane's requests are signed next: those whose gas is known, without one overtaking another of its subject.

use std::collections::HashSet;

use super::estimate::{Estimates, Gas};
use super::reading;
use super::with_cause;
use crate::intent::Intent;
use crate::lane::Lane;
use crate::store::{Placed, RequestRefusal, StoreError, WaitingRequest};

/// How many requests are signed before their commits are awaited.
const PART_MAX: usize = 64;

/// How many parts are looked through for something that can be signed: past 512 requests that wait for their gas, or behind one that
/// does, nothing goes on.
const PARTS_LOOKED_AT_MAX: usize = 8;

/// What is to be done next.
#[derive(Default)]
pub(super) struct Part {
    /// To be signed, in this order.
    pub(super) ready: Vec<(WaitingRequest, Intent)>,
    /// To be told that they are never signed.
    pub(super) refused: Vec<(WaitingRequest, RequestRefusal)>,
}

/// Subjects of which an earlier request is not signed yet: lane group and subject.
#[derive(Default, Clone)]
struct HeldUp(HashSet<(String, String)>);

impl HeldUp {
    fn has(&self, placed: &Placed) -> bool {
        subject_of(placed).is_some_and(|subject| self.0.contains(&subject))
    }

    fn add(&mut self, placed: &Placed) {
        self.0.extend(subject_of(placed));
    }
}

fn subject_of(placed: &Placed) -> Option<(String, String)> {
    let request = &placed.waiting.request;
    request.order_subject.clone().map(|subject| (request.lane_group.clone(), subject))
}

impl Part {
    /// Looks at what waits for the lane, and has estimated what needs that.
    pub(super) async fn next(lane: &Lane, estimates: &mut Estimates) -> Result<Self, StoreError> {
        let (mut part, mut after, mut held_up) = (Self::default(), 0, HeldUp::default());
        estimates.begin_turn(lane);
        for _ in 0..PARTS_LOOKED_AT_MAX {
            let page = lane.core.store.waiting(lane.sender(), after, PART_MAX).await?;
            let Some(last) = page.last() else { break };
            after = last.place;
            ask(lane, &page, held_up.clone(), estimates).await;
            let is_last = page.len() < PART_MAX;
            part.sort(page, &mut held_up, estimates);
            if part.count() > 0 || is_last {
                break;
            }
        }
        Ok(part)
    }

    /// How many requests are done with then.
    pub(super) fn count(&self) -> usize {
        self.ready.len() + self.refused.len()
    }

    fn sort(&mut self, page: Vec<Placed>, held_up: &mut HeldUp, estimates: &mut Estimates) {
        for placed in page {
            if held_up.has(&placed) {
                continue;
            }
            let intent = match reading::read(&placed.waiting.request) {
                Ok(asked) => asked.intent,
                Err(error) => {
                    let refusal = RequestRefusal::new("malformed", with_cause(&error));
                    self.refused.push((placed.waiting, refusal));
                    continue;
                }
            };
            if placed.waiting.request.gas_limit.is_some() {
                self.ready.push((placed.waiting, intent));
                continue;
            }
            match estimates.gas_of(&placed) {
                Gas::Found(gas_limit) => self.ready.push((placed.waiting, Intent { gas_limit, ..intent })),
                Gas::Refused(refusal) => self.refused.push((placed.waiting, refusal)),
                Gas::NotYet => held_up.add(&placed),
            }
        }
    }
}

/// Has the gas estimated of those that give none, of a subject only the first: what comes after it may need it.
async fn ask(lane: &Lane, page: &[Placed], mut held_up: HeldUp, estimates: &mut Estimates) {
    for placed in page {
        if placed.waiting.request.gas_limit.is_some() || held_up.has(placed) {
            continue;
        }
        // What cannot be read is refused.
        let Ok(asked) = reading::read(&placed.waiting.request) else { continue };
        held_up.add(placed);
        estimates.ask(lane, placed, asked).await;
    }
    estimates.await_answers(lane).await;
}
