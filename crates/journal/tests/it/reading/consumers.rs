//! One effect per event, whatever happens on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use journal::consumer::{ConsumerError, Pace, Phase, RebindTo, Rebinding};
use journal::feed::FeedError;
use journal::{Consumer, Feed, HandlerError, Place, Reaction, Stop};
use messages::RecordedEvent;

use super::{
    QUICK, cut_after, effect, effects, publish, publish_many, react, said, wait_for_cursor, wait_until, worlds,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_has_its_effect_once_and_in_order() {
    for world in worlds() {
        let (log, mine) = (world.open("log").await, world.open("mine").await);
        for (pace, name) in [(Pace::PageAtOnce, "fast"), (Pace::EachCommitted, "slow")] {
            let before = effects(&mine).await.len();
            let consumer = Consumer::new(name, Feed::Published(log.clone()), mine.clone(), react).with_pace(pace);
            let task = Arc::new(consumer).start();
            let end = publish_many(&log, 300, 5).await;
            wait_for_cursor(&mine, name, end).await;
            task.stop().await.unwrap();
            assert_eq!(effects(&mine).await[before..], (1..=end.number()).collect::<Vec<_>>());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_do_not_concern_it_cost_a_page_one_commit() {
    for world in worlds() {
        let (log, mine) = (world.open("log").await, world.open("mine").await);
        let end = publish_many(&log, 1_000, 5).await;
        let pass_over = |event: &RecordedEvent| match event.header.position.number() {
            700 => react(event),
            _ => Ok(Reaction::Nothing),
        };
        let consumer = Arc::new(Consumer::new("c", Feed::Published(log), mine.clone(), pass_over));
        let mut status = consumer.status();
        let task = consumer.start();
        let mut steps = Vec::new();
        while steps.last() != Some(&end.number()) {
            let cursor = status.wait_for(|status| status.cursor.is_some()).await.unwrap().cursor;
            let position = cursor.unwrap().position.number();
            if steps.last() != Some(&position) {
                steps.push(position);
            }
            if position < end.number() {
                status.changed().await.unwrap();
            }
        }
        task.stop().await.unwrap();
        assert!(steps.iter().all(|step| [512, 1_000].contains(step)), "{steps:?}");
        assert_eq!(effects(&mine).await, [700]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fails_for_a_while_has_its_effect_once_and_is_not_parked() {
    for world in worlds() {
        let (log, mine) = (world.open("log").await, world.open("mine").await);
        let failures = AtomicUsize::new(0);
        let handler = move |event: &RecordedEvent| {
            if said(event) == "busy" && failures.fetch_add(1, Ordering::Relaxed) < 2 {
                return Err(HandlerError::Transient { why: "busy".to_owned() });
            }
            react(event)
        };
        let end = publish(&log, "a:1 b:busy a:2 b:3").await;
        let consumer = Consumer::new("c", Feed::Published(log), mine.clone(), handler).with_retry(QUICK);
        let consumer = Arc::new(consumer);
        let task = consumer.start();
        wait_for_cursor(&mine, "c", end).await;
        task.stop().await.unwrap();
        assert_eq!(effects(&mine).await, [1, 2, 3, 4]);
        assert_eq!(consumer.parked().await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_at_any_poll_and_run_again_each_event_has_one_effect() {
    for world in worlds() {
        let (log, mine) = (world.open("log").await, world.open("mine").await);
        let end = publish_many(&log, 60, 3).await;
        let mut lives = 0;
        // Longer and longer lives, so that each await is an end some time.
        for polls in (1..).map(|life: usize| life / 2) {
            lives += 1;
            let consumer = Consumer::new("c", Feed::Published(log.clone()), mine.clone(), |event: &RecordedEvent| {
                if event.header.position.number().is_multiple_of(4) { Ok(Reaction::Nothing) } else { react(event) }
            });
            let ended = cut_after(polls, consumer.with_pace(Pace::EachCommitted).run(Stop::never())).await;
            assert!(ended.is_none(), "{ended:?}");
            let cursor = mine.cursor("c").await.unwrap();
            if cursor.is_some_and(|cursor| cursor.position == end) {
                break;
            }
        }
        let expected: Vec<u64> = (1..=end.number()).filter(|number| number % 4 != 0).collect();
        // What was queued when its caller died is committed all the same: let it end.
        wait_until("the effects", async || effects(&mine).await.len() >= expected.len()).await;
        assert_eq!(effects(&mine).await, expected, "after {lives} lives");
        assert!(lives > 10, "only {lives} lives");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_rewound_stops_its_consumers_until_a_person_decides() {
    let [world, _] = worlds();
    let (log, mine) = (world.open("log").await, world.open("mine").await);
    let Place::Sqlite { path } = world.config("log").place else { panic!("the first world is SQLite's") };
    let _ = publish(&log, "a:1 a:2 a:3").await;
    log.close().await;
    let backup = path.with_extension("backup");
    let _ = std::fs::copy(&path, &backup).unwrap();
    let log = world.open("log").await;
    let end = publish(&log, "a:4 a:5").await;
    let new = |log: &journal::Store| Arc::new(Consumer::new("c", Feed::Published(log.clone()), mine.clone(), react));
    let task = new(&log).start();
    wait_for_cursor(&mine, "c", end).await;
    task.stop().await.unwrap();
    log.close().await;
    let _ = std::fs::copy(&backup, &path).unwrap();

    let log = world.open("log").await;
    for more in ["", "a:other a:others a:more"] {
        let _ = publish(&log, more).await;
        let consumer = new(&log);
        let error = consumer.start().ended().await.unwrap_err();
        assert!(matches!(error, ConsumerError::Feed { source: FeedError::Rewound { .. }, .. }), "{error:?}");
        assert_eq!(consumer.status().borrow().phase, Phase::Ended);
    }
    assert_eq!(effects(&mine).await, [1, 2, 3, 4, 5]);

    let feed = Feed::Published(log.clone());
    let from_start = Rebinding::plan("c", &feed, &mine, RebindTo::Start).await.unwrap();
    assert_eq!((from_start.handled_again_max, from_start.never_handled_max), (6, 0));
    let at_head = Rebinding::plan("c", &feed, &mine, RebindTo::Head).await.unwrap();
    assert_eq!((at_head.handled_again_max, at_head.never_handled_max), (0, 6));
    let nowhere = Rebinding::plan("c", &feed, &mine, RebindTo::After(messages::Position::new(7))).await;
    assert_eq!(nowhere.unwrap_err().to_string(), "there is no event at 7: the log ends at 6");
    let known = Rebinding::plan("c", &feed, &mine, RebindTo::After(messages::Position::new(3))).await.unwrap();
    assert_eq!(
        known.to_string(),
        "consumer `c` goes on after 3: up to 3 events are handled again (their effects are there twice unless they have \
         idempotency keys), up to 3 events are never handled"
    );
    known.apply(&mine).await.unwrap();
    assert!(at_head.apply(&mine).await.is_err(), "the consumer has moved since the plan was made");
    let task = new(&log).start();
    wait_for_cursor(&mine, "c", messages::Position::new(6)).await;
    task.stop().await.unwrap();
    assert_eq!(effects(&mine).await, [1, 2, 3, 4, 5, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_is_refused_is_decided_anew() {
    for world in worlds() {
        let (log, mine) = (world.open("log").await, world.open("mine").await);
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tries);
        let handler = move |event: &RecordedEvent| {
            let mut unit = effect(event.header.position.number());
            if said(event) == "stale" && counted.fetch_add(1, Ordering::Relaxed) == 0 {
                let version = journal::Expected::Version(messages::StreamVersion::new(9));
                let _ = unit.confirm(super::tenant(), super::stream("elsewhere"), version);
            }
            Ok(Reaction::Unit(Box::new(unit)))
        };
        let end = publish(&log, "a:1 a:stale b:2 a:3").await;
        let consumer = Consumer::new("c", Feed::Published(log), mine.clone(), handler).with_retry(QUICK);
        let task = Arc::new(consumer).start();
        wait_for_cursor(&mine, "c", end).await;
        task.stop().await.unwrap();
        assert_eq!(effects(&mine).await, [1, 2, 3, 4]);
        assert!(tries.load(Ordering::Relaxed) >= 2);
    }
}
