//! Events that cannot be handled: parked with what follows them in their stream, seen, retried, skipped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use journal::consumer::{ConsumerError, RebindTo, Rebinding, RetryError, SkipError, skip};
use journal::{Consumer, Feed, Handler, HandlerError, Place, Stop, Store};
use messages::{Position, RecordedEvent};

use super::{
    QUICK, World, cut_after, effects, publish, publish_many, react, said, wait_for_cursor, wait_until, worlds,
};

/// Refuses what says `poison` or `transient` until a person corrects something.
fn until(corrected: &Arc<AtomicBool>) -> impl Handler {
    let corrected = Arc::clone(corrected);
    move |event: &RecordedEvent| match &*said(event) {
        _ if corrected.load(Ordering::Relaxed) => react(event),
        "poison" => Err(HandlerError::Poison { why: "no such asset".to_owned() }),
        "transient" => Err(HandlerError::Transient { why: "no answer".to_owned() }),
        _ => react(event),
    }
}

async fn consumed<H: Handler>(world: &World, handler: H, events: &str) -> (Arc<Consumer<H>>, Store, Store) {
    let (log, mine) = (world.open("log").await, world.open("mine").await);
    let end = publish(&log, events).await;
    let consumer = Consumer::new("c", Feed::Published(log.clone()), mine.clone(), handler).with_retry(QUICK);
    let consumer = Arc::new(consumer);
    let task = consumer.start();
    wait_for_cursor(&mine, "c", end).await;
    task.stop().await.unwrap();
    (consumer, log, mine)
}

async fn parked<H: Handler>(consumer: &Consumer<H>) -> String {
    let parked = consumer.parked().await.unwrap();
    let text = parked.iter().map(|event| format!("{} {} x{}", event.event.position, event.reason, event.attempts));
    text.collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_holds_its_stream_alone_and_is_retried_in_order() {
    for world in worlds() {
        let corrected = Arc::new(AtomicBool::new(false));
        let handler = until(&corrected);
        let (consumer, log, mine) = consumed(&world, handler, "a:1 b:1 b:poison a:2 b:2 a:3 b:3").await;
        assert_eq!(effects(&mine).await, [1, 2, 4, 6]);
        let behind = "an earlier event of its stream is parked x0";
        assert_eq!(parked(&consumer).await, format!("3 no such asset x1; 5 {behind}; 7 {behind}"));

        let error = consumer.retry(Position::new(5)).await.unwrap_err();
        assert_eq!(error.to_string(), "the event at 3 fails still: no such asset");
        assert!(parked(&consumer).await.starts_with("3 no such asset x2; 5 "));
        corrected.store(true, Ordering::Relaxed);
        // The consumer goes on while a person retries.
        let task = consumer.start();
        let end = publish(&log, "b:4 a:4").await;
        assert!(consumer.retry(Position::new(7)).await.unwrap() >= 3);
        wait_for_cursor(&mine, "c", end).await;
        wait_until("nothing is parked", async || {
            let left = consumer.parked().await.unwrap();
            if let Some(first) = left.first() {
                let _ = consumer.retry(first.event.position).await;
            }
            left.is_empty()
        })
        .await;
        let end = publish(&log, "b:5").await;
        wait_for_cursor(&mine, "c", end).await;
        task.stop().await.unwrap();
        let all = effects(&mine).await;
        let of_b: Vec<u64> = all.iter().copied().filter(|position| [2, 3, 5, 7, 8, 10].contains(position)).collect();
        assert_eq!(of_b, [2, 3, 5, 7, 8, 10], "{all:?}");
        assert_eq!(all.len(), 10, "{all:?}");
        assert!(matches!(consumer.retry(Position::new(3)).await, Err(RetryError::NotParked { .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_at_a_transient_failure_end_in_parking() {
    for world in worlds() {
        let (consumer, ..) = consumed(&world, until(&Arc::default()), "a:transient a:1 b:1").await;
        let behind = "an earlier event of its stream is parked x0";
        assert_eq!(parked(&consumer).await, format!("1 no answer x3; 2 {behind}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_skipped_is_written_down_with_who_and_why() {
    for world in worlds() {
        let corrected = Arc::new(AtomicBool::new(false));
        let (consumer, _, mine) = consumed(&world, until(&corrected), "a:poison a:1").await;
        skip(&mine, "c", Position::new(1), "ana@bank", "entered twice").await.unwrap();
        let again = skip(&mine, "c", Position::new(1), "ana@bank", "entered twice").await;
        assert!(matches!(again, Err(SkipError::NotParked { .. })));
        let rows = mine.rows("SELECT position, reason, who, why FROM skipped", &[]).await.unwrap();
        let texts: Vec<_> = rows[0][1..].iter().map(|value| value.text().unwrap()).collect();
        assert_eq!((rows.len(), rows[0][0].integer()), (1, Some(1)));
        assert_eq!(texts, ["no such asset", "ana@bank", "entered twice"]);
        assert_eq!(consumer.retry(Position::new(2)).await.unwrap(), 1);
        assert_eq!(effects(&mine).await, [2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_restarts_still_parks_behind_and_a_retry_cut_off_anywhere_has_one_effect() {
    for world in worlds() {
        let corrected = Arc::new(AtomicBool::new(false));
        let (consumer, log, mine) = consumed(&world, until(&corrected), "a:poison a:1").await;
        let end = publish(&log, "a:2 a:3").await;
        let restarted =
            Arc::new(Consumer::new("c", Feed::Published(log), mine.clone(), until(&corrected)).with_retry(QUICK));
        let task = restarted.start();
        wait_for_cursor(&mine, "c", end).await;
        task.stop().await.unwrap();
        assert_eq!(effects(&mine).await, [0_u64; 0]);
        corrected.store(true, Ordering::Relaxed);
        for polls in 0.. {
            match cut_after(polls, consumer.retry(end)).await {
                None => {}
                Some(Ok(_) | Err(RetryError::NotParked { .. })) => break,
                Some(Err(error)) => panic!("{error}"),
            }
        }
        wait_until("the effects", async || effects(&mine).await.len() >= 4).await;
        assert_eq!(effects(&mine).await, [1, 2, 3, 4]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_rewound_log_is_not_taken_for_the_one_that_was_parked_at_its_place() {
    let [world, _] = worlds();
    let Place::Sqlite { path } = world.config("log").place else { panic!("the first world is SQLite's") };
    let log = world.open("log").await;
    let _ = publish(&log, "a:1").await;
    log.close().await;
    let backup = path.with_extension("backup");
    let _ = std::fs::copy(&path, &backup).unwrap();
    let (consumer, log, mine) = consumed(&world, until(&Arc::default()), "a:poison a:2").await;
    assert!(parked(&consumer).await.starts_with("2 no such asset x1; 3 "));
    log.close().await;
    let _ = std::fs::copy(&backup, &path).unwrap();

    let log = world.open("log").await;
    let end = publish(&log, "a:other a:others").await;
    let feed = Feed::Published(log.clone());
    let plan = Rebinding::plan("c", &feed, &mine, RebindTo::After(Position::new(1))).await.unwrap();
    plan.apply(&mine).await.unwrap();
    let again = Arc::new(Consumer::new("c", feed, mine.clone(), until(&Arc::default())).with_retry(QUICK));
    let task = again.start();
    wait_for_cursor(&mine, "c", end).await;
    task.stop().await.unwrap();
    // Their stream had something parked, so that they wait too; retried, each has its effect.
    let behind = "an earlier event of its stream is parked x0";
    assert_eq!(parked(&again).await, format!("2 {behind}; 3 {behind}"));
    assert_eq!(again.retry(Position::new(3)).await.unwrap(), 2);
    assert_eq!(effects(&mine).await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_parks_everything_stops_at_the_limit() {
    let [world, _] = worlds();
    let (log, mine) = (world.open("log").await, world.open("mine").await);
    let _ = publish_many(&log, 10_100, 10_100).await;
    let refuse = |_: &RecordedEvent| Err(HandlerError::Poison { why: "a bug".to_owned() });
    let consumer = Consumer::new("c", Feed::Published(log), mine.clone(), refuse);
    let error = consumer.run(Stop::never()).await.unwrap_err();
    assert!(matches!(error, ConsumerError::TooManyParked { parked: 10_000, max: 10_000, .. }), "{error}");
    assert_eq!(consumer.parked().await.unwrap().len(), 10_000);
    assert_eq!(mine.cursor("c").await.unwrap().unwrap().position, Position::new(10_000));
}
