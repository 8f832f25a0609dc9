//! One lane's requests: signed in their order, many to a commit, and delivered side by side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use custody::{KeyLabel, SignError};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::bell::{Bell, Call, until_called};
use super::estimate::Estimates;
use super::groups::{Groups, Place};
use super::part::Part;
use super::{LaneActivity, with_cause};
use crate::chain::{Chain, LaneError};
use crate::lane::{Lane, SubmitError, Wanted};
use crate::store::{RequestRefusal, StoreError, StoredIntent, WaitingRequest};

/// How many transactions of a lane are delivered at once. Whatever is further, the lane's window holds back.
const DELIVERIES_MAX: usize = 256;

/// How long a lane rests between two looks at requests that wait for their gas.
const OPEN_REST: Duration = Duration::from_millis(20);

/// How often a lane that another process holds is tried.
const HELD_TURN: Duration = Duration::from_millis(500);

/// The shortest and the longest pause before a lane is tried again that cannot go on. What a person does is heard of sooner.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long a lane rests that the node paused, before it offers again what is stored: nobody else asks whether the sender is funded
/// or permitted meanwhile.
const NODE_PAUSE: Duration = Duration::from_secs(30);

/// Why a lane does not go on.
enum Halt {
    /// It is another process's now.
    Lost,
    /// Not now.
    Later { reason: String, is_by_node: bool },
    /// Its key is retired.
    Retired,
    /// Never here: the ledger is another.
    Stopped,
}

/// Sends what waits for a lane until it is dropped.
pub(super) async fn send(
    chain: Chain,
    groups: Arc<Groups>,
    place: Place,
    bell: Arc<Bell>,
    underway: Arc<Mutex<JoinSet<()>>>,
) {
    let mut estimates = Estimates::new(Arc::clone(&underway));
    let deliveries = Deliveries { underway, places: Arc::new(Semaphore::new(DELIVERIES_MAX)) };
    loop {
        let (group, label) = groups.at(place);
        let halt = match chain.lane(&label).await {
            Ok(lane) => {
                groups.set(place, LaneActivity::Sending);
                let halt = send_through(&lane, (&groups, place), &bell, &deliveries, &mut estimates).await;
                estimates.forget_found();
                halt
            }
            Err(LaneError::Held { .. }) => {
                groups.set(place, LaneActivity::HeldElsewhere);
                sleep(HELD_TURN).await;
                continue;
            }
            Err(LaneError::Retired { .. }) => Halt::Retired,
            Err(error) => Halt::Later { reason: with_cause(&error), is_by_node: false },
        };
        match halt {
            Halt::Lost => {}
            Halt::Stopped => return,
            Halt::Later { reason, is_by_node } => {
                groups.set(place, LaneActivity::Waiting { reason });
                if is_by_node {
                    rest_of_node(&chain, &label).await;
                } else {
                    rest(&chain).await;
                }
            }
            Halt::Retired => match give_over(&chain, &groups, place, &group).await {
                Ok(true) => {}
                Ok(false) => sleep(PAUSE_MAX).await,
                Err(error) => {
                    tracing::warn!(%error, "what waits for a retired key cannot be given to another");
                    sleep(PAUSE_MAX).await;
                }
            },
        }
    }
}

/// Until the lane is resumed, by somebody here or when its time is up.
async fn rest_of_node(chain: &Chain, label: &KeyLabel) {
    let until = Instant::now() + NODE_PAUSE;
    while let Ok(lane) = chain.lane(label).await {
        if lane.state.paused().is_none() {
            return;
        }
        if Instant::now() >= until {
            return lane.resume();
        }
        sleep(PAUSE_MIN).await;
    }
}

/// A person lifts a pause by a commit.
async fn rest(chain: &Chain) {
    let mut committed = chain.core.store.journal().committed_by_all();
    sleep(PAUSE_MIN).await;
    let _ = timeout(PAUSE_MAX, committed.changed()).await;
}

/// Gives what waits for a retired key to its successor, or to another lane of the group; says whether there is somebody.
async fn give_over(chain: &Chain, groups: &Groups, place: Place, group: &str) -> Result<bool, StoreError> {
    let core = &chain.core;
    let (_, label) = groups.at(place);
    let Ok(sender) = core.custody.address(&label) else { return Ok(false) };
    let retirement = core.store.retirement_of(sender).await?;
    if let Some(successor) = retirement.and_then(|retirement| retirement.successor)
        && let Some(label) = core.key_of(successor)
        && !groups.is_in_a_group(&label)
    {
        // The store gave it what waited when the key was retired.
        groups.succeed(place, label, successor);
        return Ok(true);
    }
    groups.set(place, LaneActivity::Retired);
    if let Some(other) = groups.other(place) {
        core.store.move_waiting(group, sender, other).await?;
    }
    Ok(false)
}

/// Sends until the lane cannot go on.
async fn send_through(
    lane: &Lane,
    (groups, place): (&Groups, Place),
    bell: &Bell,
    deliveries: &Deliveries,
    estimates: &mut Estimates,
) -> Halt {
    let mut heard = bell.hear();
    loop {
        match send_part(lane, deliveries, estimates).await {
            Ok(0) => {
                groups.set(place, activity(estimates));
                let call = until_something(&mut heard, lane, groups, estimates).await;
                if call == Call::Look && is_retired(lane).await {
                    return Halt::Retired;
                }
            }
            Ok(_) => groups.set(place, LaneActivity::Sending),
            Err(halt) => return halt,
        }
        if lane.core.stopped().is_some() {
            return Halt::Stopped;
        }
        // A delivery has found it out; nothing need wait for the lane.
        if let Some(reason) = lane.state.paused() {
            return Halt::Later { reason, is_by_node: true };
        }
    }
}

/// What a lane is at that has nothing to sign.
fn activity(estimates: &Estimates) -> LaneActivity {
    match estimates.trouble() {
        Some(trouble) => LaneActivity::Waiting { reason: format!("no gas can be estimated: {trouble}") },
        None => LaneActivity::Sending,
    }
}

/// Waits until the lane is called, or an estimate is there or due.
async fn until_something(
    heard: &mut watch::Receiver<BTreeMap<Address, u64>>,
    lane: &Lane,
    groups: &Groups,
    estimates: &mut Estimates,
) -> Call {
    if estimates.are_open() {
        // Each commit calls a lane for which something waits, and most of them end nothing that it waits for.
        sleep(OPEN_REST).await;
    }
    tokio::select! {
        call = until_called(heard, lane.sender(), groups) => call,
        () = estimates.until_due(lane) => Call::Requests,
    }
}

/// Whether the key is at its end: what waited for it may be its successor's, and then nothing that waits says so.
async fn is_retired(lane: &Lane) -> bool {
    match lane.core.store.retirement_of(lane.sender()).await {
        Ok(retirement) => retirement.is_some_and(|retirement| retirement.retired.is_some()),
        Err(error) => {
            tracing::debug!(sender = %lane.sender(), %error, "it cannot be read whether the key is retired");
            false
        }
    }
}

/// Signs, stores and begins to deliver what can be of what waits, up to a part; gives how many requests were done with.
async fn send_part(lane: &Lane, deliveries: &Deliveries, estimates: &mut Estimates) -> Result<usize, Halt> {
    let part = Part::next(lane, estimates).await.map_err(later)?;
    let count = part.count();
    for (request, refusal) in part.refused {
        refuse(lane, &request, refusal).await?;
    }
    let intents = part.ready;
    let wanted = intents.iter().map(|(request, intent)| Wanted { intent, requested: Some(request.requested_by()) });
    // After what is no refusal nothing more is queued: what comes later must not come before it.
    let results = lane.queue_part(wanted.collect(), |error| refusal_of(error).is_some()).await;
    let (mut queued, mut halted) = (Vec::with_capacity(results.len()), Ok(()));
    for ((request, intent), result) in intents.iter().zip(results) {
        match result {
            Ok(Some(place)) => queued.push((intent, place)),
            // Another process has it, or the lane moved: the next part is read anew.
            Ok(None) => halted = halted.and(Err(Halt::Lost)),
            Err(error) => match refusal_of(&error) {
                Some(refusal) => halted = halted.and(refuse(lane, request, refusal).await),
                None => halted = halted.and(Err(halt_of(lane, error))),
            },
        }
    }
    // Each that was queued is awaited, also behind one that was not stored: what is stored is to be delivered.
    for (intent, place) in queued {
        match lane.admitted(intent, place).await {
            Ok(Some(stored)) => deliveries.begin(lane, stored).await,
            // It waits still, and so does what was queued behind it: a nonce that was not used holds all of them up.
            Ok(None) => {}
            Err(error) => halted = halted.and(Err(halt_of(lane, error))),
        }
    }
    halted.map(|()| count)
}

/// Tells that what waits is never signed.
async fn refuse(lane: &Lane, waiting: &WaitingRequest, refusal: RequestRefusal) -> Result<(), Halt> {
    tracing::warn!(key = %waiting.key, refusal.code, refusal.reason, "a request is refused");
    let refused = lane.core.store.refuse_waiting(waiting, lane.sender(), refusal).await;
    refused.map(drop).map_err(later)
}

/// Why it can never be signed, if that is so.
fn refusal_of(error: &SubmitError) -> Option<RequestRefusal> {
    match error {
        SubmitError::Intent { source, .. } => Some(RequestRefusal::new("cannot_succeed", source.to_string())),
        SubmitError::KeyUsedOtherwise { .. } => {
            Some(RequestRefusal::new("key_used", "the key was used for another transaction".to_owned()))
        }
        SubmitError::Sign { source, .. } => match source.as_ref() {
            SignError::Policy { source, .. } => {
                Some(RequestRefusal::new(&format!("policy.{}", source.code()), source.to_string()))
            }
            // Of the transaction. The others are of the key: a person mends that, and it is signed then.
            SignError::NotATransaction { .. } | SignError::Type { .. } => {
                Some(RequestRefusal::new("cannot_sign", source.to_string()))
            }
            _ => None,
        },
        _ => None,
    }
}

/// What an error that is no refusal means for the lane.
fn halt_of(lane: &Lane, error: SubmitError) -> Halt {
    match error {
        SubmitError::LaneLost { .. } | SubmitError::Contended { .. } => Halt::Lost,
        SubmitError::Retired { .. } => Halt::Retired,
        error => Halt::Later { reason: with_cause(&error), is_by_node: lane.state.paused().is_some() },
    }
}

fn later(error: StoreError) -> Halt {
    Halt::Later { reason: with_cause(&error), is_by_node: false }
}

/// Deliveries under way. What they come to is in the store, or is looked after by the lane's keeper.
struct Deliveries {
    /// Of all lanes, so that whoever stops this awaits them.
    underway: Arc<Mutex<JoinSet<()>>>,
    places: Arc<Semaphore>,
}

impl Deliveries {
    /// Begins a delivery when there is a place for it.
    async fn begin(&self, lane: &Lane, stored: StoredIntent) {
        // It is never closed.
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
        let (lane, mut underway) = (lane.clone(), self.underway.lock().await);
        while underway.try_join_next().is_some() {}
        let _ = underway.spawn(async move {
            let _place = place;
            let key = stored.key.clone();
            if let Err(error) = lane.core.deliver_new(&lane.state, stored).await {
                tracing::warn!(%key, error = with_cause(&error), "a requested transaction is not with the node yet");
            }
        });
    }
}
