//! Timers: never before they are due, once, and none forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use journal::timers::{TimerRetryError, parked_timers, retry_timer, skip_timer};
use journal::{HandlerError, Stop, Store, Timer, TimerHandler, TimerName, Timers, UnitOfWork};
use messages::{Payload, Timestamp};

use super::{QUICK, cut_after, effect, effects, tenant, wait_until, worlds};

/// The clock's time at the beginning, in seconds.
const BEGIN: i64 = 1_700_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

pub(super) fn timer(name: &str, due_second: i64) -> Timer {
    let name = TimerName { tenant: tenant(), name: name.into() };
    Timer { name, due: at(due_second), payload: Payload::of(&"ring").unwrap() }
}

pub(super) async fn set(store: &Store, timer: Timer) {
    let mut unit = UnitOfWork::new();
    let _ = unit.set_timer(timer);
    let _ = store.append(unit).await.unwrap();
}

/// The effect of a timer is the number that it is called by.
fn ring(timer: &Timer) -> Result<UnitOfWork, HandlerError> {
    assert_eq!(timer.payload, Payload::of(&"ring").unwrap());
    Ok(effect(timer.name.name.parse().unwrap()))
}

async fn wait_for_effects(store: &Store, expected: &[u64]) {
    wait_until("the effects", async || effects(store).await.len() >= expected.len()).await;
    assert_eq!(effects(store).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires_when_the_clock_comes_to_it_forwards_or_after_a_jump_back() {
    for world in worlds() {
        let store = world.open("mine").await;
        let task = Arc::new(Timers::new(store.clone(), ring)).start();
        set(&store, timer("1", BEGIN + 10)).await;
        set(&store, timer("2", BEGIN + 20)).await;
        world.clock.set(at(BEGIN + 9));
        set(&store, timer("3", BEGIN + 8)).await;
        wait_for_effects(&store, &[3]).await;
        world.clock.set(at(BEGIN - 1_000_000));
        // One that is due shows that the runner has looked at the clock since.
        set(&store, timer("4", BEGIN - 1_000_001)).await;
        wait_for_effects(&store, &[3, 4]).await;
        world.clock.set(at(BEGIN + 10));
        wait_for_effects(&store, &[3, 4, 1]).await;
        world.clock.set(at(BEGIN + 1_000_000));
        wait_for_effects(&store, &[3, 4, 1, 2]).await;
        task.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_does_not_fire_and_what_is_set_anew_fires_once_at_its_new_time() {
    for world in worlds() {
        let store = world.open("mine").await;
        let task = Arc::new(Timers::new(store.clone(), ring)).start();
        for (name, due) in [("1", 10), ("2", 10), ("2", 30), ("3", 20)] {
            set(&store, timer(name, BEGIN + due)).await;
        }
        let mut unit = UnitOfWork::new();
        let _ = unit.cancel_timer(timer("1", 0).name);
        let _ = store.append(unit).await.unwrap();
        world.clock.set(at(BEGIN + 20));
        wait_for_effects(&store, &[3]).await;
        world.clock.set(at(BEGIN + 30));
        wait_for_effects(&store, &[3, 2]).await;
        task.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_pending_timers_do_not_delay_one_that_is_due() {
    for world in worlds() {
        let store = world.open("mine").await;
        for first in (0..100_000).step_by(1_000) {
            let mut unit = UnitOfWork::new();
            for number in first..first + 1_000 {
                let _ = unit.set_timer(timer(&number.to_string(), BEGIN + 1_000 + number));
            }
            let _ = store.append(unit).await.unwrap();
        }
        let task = Arc::new(Timers::new(store.clone(), ring)).start();
        let began = Instant::now();
        for number in 1..=20 {
            set(&store, timer(&(200_000 + number).to_string(), BEGIN)).await;
            wait_until("it fired", async || effects(&store).await.len() == number).await;
        }
        let each = began.elapsed() / 20;
        assert!(each < Duration::from_millis(500), "{each:?} a timer");
        assert_eq!(store.next_due().await.unwrap(), Some(at(BEGIN + 1_000)));
        task.stop().await.unwrap();
    }
}

/// Cannot fire timer 2 until a person corrects something.
fn until(corrected: &Arc<AtomicBool>) -> impl TimerHandler {
    let corrected = Arc::clone(corrected);
    move |timer: &Timer| match &*timer.name.name {
        "2" if !corrected.load(Ordering::Relaxed) => Err(HandlerError::Transient { why: "no answer".to_owned() }),
        "5" => Err(HandlerError::Poison { why: "no such order".to_owned() }),
        _ => ring(timer),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_cannot_be_fired_is_parked_and_the_others_go_on() {
    for world in worlds() {
        let store = world.open("mine").await;
        let corrected = Arc::new(AtomicBool::new(false));
        for name in ["1", "2", "3", "5"] {
            set(&store, timer(name, BEGIN)).await;
        }
        let task = Arc::new(Timers::new(store.clone(), until(&corrected)).with_retry(QUICK)).start();
        wait_until("two are parked", async || parked_timers(&store).await.unwrap().len() == 2).await;
        let mut fired = effects(&store).await;
        fired.sort_unstable();
        assert_eq!(fired, [1, 3]);
        let parked = parked_timers(&store).await.unwrap();
        let texts: Vec<_> = parked.iter().map(|timer| (&*timer.name.name, &*timer.reason, timer.attempts)).collect();
        assert_eq!(texts, [("2", "no answer", 3), ("5", "no such order", 1)]);

        corrected.store(true, Ordering::Relaxed);
        retry_timer(&store, &parked[0]).await.unwrap();
        wait_until("it fired", async || effects(&store).await.len() == 3).await;
        skip_timer(&store, &parked[1], "ana@bank", "the order is void").await.unwrap();
        assert_eq!(parked_timers(&store).await.unwrap(), []);
        assert!(matches!(retry_timer(&store, &parked[0]).await, Err(TimerRetryError::NotParked { .. })));
        let rows = store.rows("SELECT name, who FROM skipped WHERE what = 'timer'", &[]).await.unwrap();
        assert_eq!((rows.len(), rows[0][0].text(), rows[0][1].text()), (1, Some("5"), Some("ana@bank")));
        assert_eq!(store.next_due().await.unwrap(), None);

        task.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_timer_that_is_set_anew_or_cancelled_is_not_parked_any_more() {
    for world in worlds() {
        let store = world.open("mine").await;
        let name = || timer("5", BEGIN).name;
        let changes: [fn(&mut UnitOfWork, TimerName); 3] = [
            |unit, _| drop(unit.set_timer(timer("5", BEGIN + 100)).clone()),
            // The same time again: it is due, and has all its attempts.
            |unit, _| drop(unit.set_timer(timer("5", BEGIN)).clone()),
            |unit, name| drop(unit.cancel_timer(name).clone()),
        ];
        for change in changes {
            set(&store, timer("5", BEGIN)).await;
            let task = Arc::new(Timers::new(store.clone(), until(&Arc::default())).with_retry(QUICK)).start();
            wait_until("it is parked", async || !parked_timers(&store).await.unwrap().is_empty()).await;
            task.stop().await.unwrap();
            let mut unit = UnitOfWork::new();
            change(&mut unit, name());
            let _ = store.append(unit).await.unwrap();
            assert_eq!(parked_timers(&store).await.unwrap(), []);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_at_any_poll_and_run_again_each_timer_is_applied_once() {
    for world in worlds() {
        let store = world.open("mine").await;
        for number in 1..=40 {
            set(&store, timer(&number.to_string(), BEGIN)).await;
        }
        for polls in 0.. {
            let ended = cut_after(polls, Timers::new(store.clone(), ring).run(Stop::never())).await;
            assert!(ended.is_none(), "{ended:?}");
            if store.next_due().await.unwrap().is_none() {
                break;
            }
        }
        let mut fired = effects(&store).await;
        fired.sort_unstable();
        assert_eq!(fired, (1..=40).collect::<Vec<_>>());
    }
}
