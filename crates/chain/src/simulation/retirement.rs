//! The end of a key: nothing new is stored in its lane by anybody, nothing is lost or doubled on the way to its successor, and
//! whoever dies between two steps leaves what the same order goes on from.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::Address;
use custody::policy::Approval;
use custody::{Custody, KeyLabel, Purpose};
use journal::Place;
use messages::Position;
use test_servers::Postgres;
use tokio::task::JoinSet;

use super::again::left_alone;
use super::faultless::{Bench, WAIT, first_lane, intent, mined};
use super::node::{CHAIN_ID, Effect, Node};
use super::operator::{differences, words};
use super::policies::{self, DAY_MAX, SMALL, Stage, approval, code, mint};
use super::random::Random;
use super::{Knowledge, Plan, check, gaps, outcome_in_time, profile, seeds};
use crate::{
    Chain, Consent, Intent, Lane, LaneError, Outcome, PauseError, Refusal, Resumed, RetireError, RetirementOrder,
    SubmitError,
};

/// The seeds that every test run plays, some 3 s on 2 cores.
const SEEDS: &str = "0..150";

/// How often an operator or a caller tries again, a second of virtual time each.
const TURNS_MAX: u32 = 600;

fn label(text: &str) -> KeyLabel {
    KeyLabel::parse(text).unwrap()
}

fn address(chain: &Chain, text: &str) -> Address {
    chain.core.custody.address(&label(text)).unwrap()
}

/// Begins the end of the first lane's key in favour of the second's.
async fn begin(chain: &Chain) -> Result<crate::RetirementBegun, RetireError> {
    begin_for(chain, Some(address(chain, "lane-1"))).await
}

async fn begin_for(chain: &Chain, successor: Option<Address>) -> Result<crate::RetirementBegun, RetireError> {
    order(chain, address(chain, "lane-0"), successor).await
}

async fn order(
    chain: &Chain,
    sender: Address,
    successor: Option<Address>,
) -> Result<crate::RetirementBegun, RetireError> {
    let (why, who) = (words("the officer has left"), words("ana"));
    chain.begin_retirement(&RetirementOrder { sender, successor, why: &why, who: &who, consent: None }).await
}

async fn finish(chain: &Chain) -> Result<crate::KeyRetirement, RetireError> {
    chain.finish_retirement(address(chain, "lane-0")).await
}

async fn heir(chain: &Chain) -> Lane {
    chain.lane(&label("lane-1")).await.unwrap()
}

/// How often the log tells this.
async fn told(chain: &Chain, name: &str) -> usize {
    let events = chain.core.store.events(Position::START).await;
    events.iter().filter(|event| event.metadata.event_type.as_str() == name).count()
}

fn is_paused(told: &Result<crate::Submitted, SubmitError>) -> bool {
    matches!(told, Err(SubmitError::Paused { .. }))
}

#[tokio::test]
async fn a_retired_key_stores_nothing_new_and_its_lane_opens_nowhere() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    let first = lane.submit(&intent(1, Effect::Done)).await.unwrap();
    let _ = mined(&chain, &first.key).await;
    left_alone(&bench, &chain, &lane, 2).await;
    assert!(begin(&chain).await.unwrap().paused.is_some());
    assert!(is_paused(&lane.submit(&intent(3, Effect::Done)).await));
    let open = finish(&chain).await;
    assert!(matches!(&open, Err(RetireError::Open { count: 1, lowest, .. }) if *lowest == intent(2, Effect::Done).key));
    // What is open can still be ended.
    let _ = chain.cancel(&intent(2, Effect::Done).key, &words("not wanted"), &words("ana")).await.unwrap();
    assert!(matches!(chain.outcome(&intent(2, Effect::Done).key, WAIT).await, Ok(Outcome::Refused(_))));
    let retired = finish(&chain).await.unwrap();
    assert!(retired.retired.is_some());
    assert_eq!(finish(&chain).await.unwrap(), retired, "it is retired once");
    assert!(begin(&chain).await.unwrap().paused.is_none());
    assert!(matches!(begin_for(&chain, None).await, Err(RetireError::OtherSuccessor(_))));

    match lane.submit(&intent(3, Effect::Done)).await {
        Err(SubmitError::Retired { retirement, .. }) => assert_eq!(*retirement, retired),
        told => panic!("{told:?}"),
    }
    assert_eq!(lane.submit(&intent(1, Effect::Done)).await.unwrap().hash, first.hash, "what has ended is told");
    let resumed = chain.resume_lane(lane.sender(), &words("bia")).await;
    assert!(matches!(resumed, Err(PauseError::Retired { .. })), "{resumed:?}");
    assert_eq!(heir(&chain).await.submit(&intent(3, Effect::Done)).await.unwrap().nonce, 0);
    let _ = mined(&chain, &intent(3, Effect::Done).key).await;
    assert_eq!((told(&chain, "chain.retirement_begun").await, told(&chain, "chain.key_retired").await), (1, 1));
    drop(lane);
    chain.close().await;

    let chain = bench.open().await;
    let refused = chain.lane(&label("lane-0")).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, LaneError::Retired { .. }), "{refused:?}");
    let successor = address(&chain, "lane-1");
    assert!(
        refused
            .to_string()
            .ends_with(&format!("is retired, by ana: the officer has left; its successor is {successor}"))
    );
    chain.close().await;
    assert_eq!(differences(&bench.store()).await, Vec::<String>::new());
}

#[tokio::test]
async fn whoever_dies_between_two_steps_leaves_what_the_same_order_goes_on_from() {
    for steps in 0..=3 {
        let bench = Bench::new();
        let chain = bench.open().await;
        let lane = first_lane(&chain).await;
        left_alone(&bench, &chain, &lane, 1).await;
        drop(lane);
        if steps >= 1 {
            let (why, who) = (words("the officer has left"), words("ana"));
            let _ = chain.pause_lane(address(&chain, "lane-0"), &why, &who).await.unwrap();
        }
        if steps >= 2 {
            let _ = begin(&chain).await.unwrap();
        }
        if steps >= 3 {
            let _ = mined(&chain, &intent(1, Effect::Done).key).await;
        }
        chain.close().await;

        let chain = bench.open().await;
        assert_eq!(begin(&chain).await.unwrap().paused.is_none(), steps >= 2);
        let _ = mined(&chain, &intent(1, Effect::Done).key).await;
        assert!(finish(&chain).await.unwrap().retired.is_some());
        let counts = (told(&chain, "chain.lane_paused").await, told(&chain, "chain.key_retired").await);
        assert_eq!((counts, bench.node.effects(1)), ((1, 1), (1, 0)), "after {steps} steps");
        chain.close().await;
        assert_eq!(differences(&bench.store()).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_successor_waits_until_its_predecessor_is_retired_or_that_is_given_up() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let (lane, heir) = (first_lane(&chain).await, heir(&chain).await);
    let _ = heir.submit(&intent(1, Effect::Done)).await.unwrap();
    let _ = begin(&chain).await.unwrap();
    assert!(is_paused(&heir.submit(&intent(2, Effect::Done)).await));
    assert!(heir.submit(&intent(1, Effect::Done)).await.unwrap().is_repeated);
    // Nobody is retired in a circle, nor out of turn.
    let turned = order(&chain, heir.sender(), Some(lane.sender())).await;
    assert!(matches!(turned, Err(RetireError::SuccessorRetired(_))), "{turned:?}");
    let early = order(&chain, heir.sender(), None).await;
    assert!(matches!(early, Err(RetireError::PredecessorOpen(_))), "{early:?}");
    assert_eq!(chain.resume_lane(heir.sender(), &words("bia")).await.unwrap(), Resumed::Now, "it was paused for that");

    assert_eq!(chain.resume_lane(lane.sender(), &words("bia")).await.unwrap(), Resumed::GivenUp);
    for (lane, id) in [(&heir, 2), (&lane, 3)] {
        let _ = lane.submit(&intent(id, Effect::Done)).await.unwrap();
        let _ = mined(&chain, &intent(id, Effect::Done).key).await;
    }
    assert!(matches!(finish(&chain).await, Err(RetireError::NotBegun { .. })));
    let itself = begin_for(&chain, Some(lane.sender())).await;
    assert!(matches!(itself, Err(RetireError::OwnSuccessor { .. })), "{itself:?}");
    let _ = begin_for(&chain, None).await.unwrap();
    assert_eq!(finish(&chain).await.unwrap().successor, None);
    let nobody = order(&chain, Address::repeat_byte(9), None).await;
    assert!(matches!(nobody, Err(RetireError::NoSuchLane { .. })), "{nobody:?}");
    let to_the_dead = order(&chain, heir.sender(), Some(lane.sender())).await;
    assert!(matches!(to_the_dead, Err(RetireError::SuccessorRetired(_))), "{to_the_dead:?}");
    drop((lane, heir));
    chain.close().await;
    assert_eq!(differences(&bench.store()).await, Vec::<String>::new());
}

/// Both keys are under one and the same text.
async fn end_of_issuer(chain: &Chain, approvals: &[Approval], has_policy: bool) -> Result<(), RetireError> {
    let policy = policies::policy(1);
    let (why, who) = (words("rotation of the year"), words("ana"));
    let order = RetirementOrder {
        sender: address(chain, "issuer"),
        successor: Some(address(chain, "heir")),
        why: &why,
        who: &who,
        consent: has_policy.then_some(Consent { policy: &policy, approvals }),
    };
    chain.begin_retirement(&order).await.map(|_| ())
}

#[tokio::test]
async fn two_persons_retire_a_key_with_a_policy_and_no_limit_is_had_twice() {
    let stage = Stage::new();
    let chain = stage.open(Some(policies::policy(1))).await;
    let [issuer, heir] = [chain.lane(&label("issuer")).await.unwrap(), chain.lane(&label("heir")).await.unwrap()];
    let by = |persons: &[&str], successor| {
        let subject = policies::policy(1).retirement_hash(issuer.sender(), successor);
        persons.iter().map(|person| approval(person, "policy", subject, &chain)).collect::<Vec<Approval>>()
    };
    for (lane, key, amount) in [(&issuer, "first", SMALL), (&heir, "second", 10)] {
        let submitted = lane.submit(&mint(key, amount)).await.unwrap();
        let _ = mined(&chain, &submitted.key).await;
    }
    let successor = Some(heir.sender());
    let without = end_of_issuer(&chain, &[], false).await;
    assert!(matches!(without, Err(RetireError::OtherPolicy { stored: Some(1), found: None, .. })), "{without:?}");
    for approvals in [by(&[], successor), by(&["ana"], successor), by(&["ana", "bruno"], None)] {
        let refused = end_of_issuer(&chain, &approvals, true).await;
        assert!(matches!(refused, Err(RetireError::Refused { .. })), "{refused:?}");
    }
    assert_eq!(issuer.submit(&mint("third", 1)).await.unwrap().nonce, 1, "nothing is paused without them");
    let _ = mined(&chain, &mint("third", 1).key).await;

    end_of_issuer(&chain, &by(&["ana", "bruno"], successor), true).await.unwrap();
    assert!(is_paused(&heir.submit(&mint("fourth", 1)).await), "not beside its predecessor");
    assert!(chain.finish_retirement(issuer.sender()).await.unwrap().retired.is_some());
    // The heir's lane was open all the time, and knew its own part alone.
    let rest = DAY_MAX - SMALL - 1 - 10;
    assert_eq!(code(heir.submit(&mint("fifth", rest + 1)).await), "day_amount_above_limit");
    let _ = heir.submit(&mint("sixth", rest)).await.unwrap();
    assert_eq!(code(heir.submit(&mint("seventh", 1)).await), "day_amount_above_limit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_retires_a_key_in_the_middle_of_its_submissions() {
    let url = tokio::task::spawn_blocking(|| Postgres::shared().unwrap().database().unwrap()).await.unwrap();
    let place = Place::Postgres { url, schema: "chain".to_owned() };
    let bench = Bench::new();
    let (holder, other) = (bench.open_at(&place).await, bench.open_at(&place).await);
    let lane = first_lane(&holder).await;
    let mut submitting = JoinSet::new();
    for first in 0..8_u64 {
        let lane = lane.clone();
        let _ = submitting.spawn(async move {
            let mut told = Vec::new();
            // Until it is refused, so that it is always in the middle of something.
            for id in (0..1_000).map(|turn| 1 + first + 8 * turn) {
                let submitted = lane.submit(&intent(id, Effect::Done)).await;
                let is_over = submitted.is_err();
                told.push((id, submitted));
                if is_over {
                    break;
                }
            }
            told
        });
    }
    while other.open_of(lane.sender()).await.unwrap().count == 0 {
        tokio::task::yield_now().await;
    }
    let _ = begin(&other).await.unwrap();
    let told: Vec<_> = submitting.join_all().await.into_iter().flatten().collect();
    let ids: Vec<u64> = told.iter().map(|(id, _)| *id).collect();
    let mut refused = 0;
    for (id, told) in told {
        let key = intent(id, Effect::Done).key;
        match told {
            Ok(_) => {
                let _ = mined(&other, &key).await;
            }
            Err(SubmitError::Paused { .. }) => {
                assert!(!other.has_intent(&key).await.unwrap(), "{id}");
                refused += 1;
            }
            Err(error) => panic!("{id}: {error:?}"),
        }
    }
    assert_eq!(refused, 8, "each was in the middle of it");
    assert!(finish(&other).await.unwrap().retired.is_some());
    // Neither the holder, which has known the lane all the time, nor anybody else goes on.
    for &id in &ids {
        let told = lane.submit(&intent(id, Effect::Done)).await;
        assert!(matches!(&told, Ok(known) if known.is_repeated) || matches!(told, Err(SubmitError::Retired { .. })));
    }
    assert!(matches!(other.lane(&label("lane-0")).await, Err(LaneError::Retired { .. })));
    let heir = heir(&other).await;
    for &id in &ids {
        match heir.submit(&intent(id, Effect::Done)).await {
            Ok(_) => drop(mined(&other, &intent(id, Effect::Done).key).await),
            Err(error) => assert!(matches!(error, SubmitError::KeyUsedOtherwise { .. }), "{error:?}"),
        }
    }
    assert!(ids.iter().all(|&id| bench.node.effects(id) == (1, 0)), "each exactly once");
}

/// Keys of all senders of a plan, and of the successor of the first of them.
fn custody() -> Arc<Custody> {
    let mut custody = Custody::new(profile().network());
    for name in ["sender-0", "sender-1", "sender-2", "heir"] {
        let _ = custody.add_test_key(label(name), Purpose::Transactions).unwrap();
    }
    Arc::new(custody)
}

/// Begins and finishes, whatever the node does meanwhile, after some time.
async fn operate(chain: &Chain, after: Duration) -> Result<(), String> {
    tokio::time::sleep(after).await;
    let [sender, successor] = ["sender-0", "heir"].map(|name| address(chain, name));
    let mut last = String::new();
    for _ in 0..TURNS_MAX {
        let ended = match order(chain, sender, Some(successor)).await {
            Ok(_) => chain.finish_retirement(sender).await,
            Err(error) => Err(error),
        };
        match ended {
            Ok(_) => return Ok(()),
            Err(error @ (RetireError::Open { .. } | RetireError::NoSuchLane { .. })) => last = format!("{error:?}"),
            Err(error) => return Err(format!("not retired: {error:?}")),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(format!("not retired in time: {last}"))
}

/// What a sensible caller does: the same key again, and to the successor where the key is retired.
async fn carry_through(chain: &Chain, first: &KeyLabel, intent: &Intent) -> Result<Outcome, String> {
    let mut label = first.clone();
    for _ in 0..TURNS_MAX {
        let lane = match chain.lane(&label).await {
            Ok(lane) => lane,
            Err(LaneError::Retired { .. }) => {
                label = self::label("heir");
                continue;
            }
            Err(LaneError::Node { .. }) => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            Err(error) => return Err(format!("{error:?}")),
        };
        match lane.submit(intent).await {
            Ok(_) => break,
            Err(SubmitError::Refused { reason, .. }) => return Ok(Outcome::Refused(Refusal { reason })),
            Err(SubmitError::Retired { .. }) => label = self::label("heir"),
            Err(SubmitError::Unsettled { .. } | SubmitError::Contended { .. } | SubmitError::Paused { .. }) => {
                lane.resume();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(format!("{error:?}")),
        }
    }
    outcome_in_time(chain, &intent.key).await
}

/// One life of the process, with an operator in it.
async fn work(
    node: &Arc<Node>,
    store: &Place,
    custody: &Arc<Custody>,
    plan: &Plan,
    after: Duration,
    knowledge: &Arc<Mutex<Knowledge>>,
) -> Result<(), String> {
    let chain = super::open(&plan.profile, Arc::<Node>::clone(node), store, Arc::clone(custody), None).await?;
    let mut tasks = JoinSet::new();
    let _ = tasks.spawn({
        let chain = chain.clone();
        async move {
            // So that there is a lane, also where the plan sends nothing in it.
            while matches!(chain.lane(&label("sender-0")).await, Err(LaneError::Node { .. })) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            operate(&chain, after).await
        }
    });
    for (id, (label, intent)) in (0_u64..).zip(&plan.intents) {
        if !knowledge.lock().unwrap().ends.contains_key(&id) {
            let (chain, label, intent, knowledge) =
                (chain.clone(), label.clone(), intent.clone(), Arc::clone(knowledge));
            let _ = tasks.spawn(async move {
                let end = carry_through(&chain, &label, &intent).await;
                let _ = knowledge.lock().unwrap().ends.insert(id, end);
                Ok(())
            });
        }
    }
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|error| format!("a task failed: {error}"))??;
        }
        Ok(())
    };
    tokio::select! {
        biased;
        gap = gaps::make_blocks(node, &chain, plan.block_period) => Err(gap),
        ended = all => ended,
    }?;
    let sender = address(&chain, "sender-0");
    let retirement = chain.retirement_of(sender).await.map_err(|error| error.to_string())?;
    let open = chain.open_intents().await.map_err(|error| error.to_string())?;
    chain.close().await;
    if !open.is_empty() || retirement.is_none_or(|retirement| retirement.retired.is_none()) {
        return Err(format!("left open: {open:?}, or not retired"));
    }
    Ok(())
}

fn play(seed: u64, folder: &tempfile::TempDir, custody: &Arc<Custody>) -> Result<(), String> {
    let mut random = Random::new(seed);
    let plan = Plan::of(&mut random);
    let node = Arc::new(Node::new(random.fork()));
    let after = Duration::from_millis(random.below(2_000));
    let store = Place::Sqlite { path: folder.path().join(format!("retirement-{seed}.db")) };
    let knowledge = Arc::new(Mutex::new(Knowledge::default()));
    for death in plan.deaths.iter().map(|&requests| Some(requests)).chain([None]) {
        node.set_death(death);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let worked = runtime.block_on(async {
            tokio::select! {
                biased;
                () = node.died() => None,
                worked = work(&node, &store, custody, &plan, after, &knowledge) => Some(worked),
            }
        });
        let _ = worked.transpose()?;
    }
    // In real time: a database that is opened is waited for by the clock.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let differences = runtime.block_on(differences(&store));
    if !differences.is_empty() {
        return Err(format!("rows and log differ: {differences:?}"));
    }
    let ends = &knowledge.lock().unwrap().ends;
    check(&plan, &node, ends)
}

#[test]
fn a_key_that_is_retired_at_any_moment_loses_and_doubles_nothing() {
    let (folder, custody) = (tempfile::tempdir().unwrap(), custody());
    assert_eq!(custody.network().chain_id, CHAIN_ID);
    let violations = seeds::play_all(seeds::chosen(SEEDS), |seed| play(seed, &folder, &custody));
    assert!(violations.is_empty(), "(seed, violation): {violations:#?}");
}
