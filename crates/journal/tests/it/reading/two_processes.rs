//! Two processes on one PostgreSQL store, each with a handle of its own: one effect of each event, timer and fold.

use std::sync::Arc;

use journal::consumer::Phase;
use journal::{Consumer, Feed, TimerHandler, Timers, View};
use messages::{Position, Timestamp};

use super::timers::{set, timer};
use super::views::Totals;
use super::{LIMIT, effect, effects, publish_many, react, wait_for_cursor, wait_until, worlds};

#[tokio::test(flavor = "multi_thread")]
async fn of_two_instances_of_a_consumer_one_works_and_the_other_takes_over() {
    let [_, world] = worlds();
    let log = world.open("log").await;
    let stores = [world.open("mine").await, world.open("mine").await];
    let consumers =
        stores.each_ref().map(|store| Arc::new(Consumer::new("c", Feed::Published(log.clone()), store.clone(), react)));
    let tasks = consumers.each_ref().map(|consumer| consumer.start());
    let end = publish_many(&log, 2_000, 20).await;
    wait_for_cursor(&stores[0], "c", end).await;
    let is_standing_by = |consumer: &Arc<Consumer<_>>| consumer.status().borrow().phase == Phase::StandingBy;
    // Both may believe that they work until both have tried to write.
    let mut end = end;
    wait_until("one stands by", async || {
        if consumers.iter().any(is_standing_by) {
            return true;
        }
        end = publish_many(&log, 50, 20).await;
        wait_for_cursor(&stores[1], "c", end).await;
        false
    })
    .await;
    let [first, second] = tasks;
    let (worker, other, left) =
        if is_standing_by(&consumers[0]) { (second, first, &consumers[0]) } else { (first, second, &consumers[1]) };
    worker.stop().await.unwrap();
    let end = publish_many(&log, 500, 20).await;
    wait_for_cursor(&stores[0], "c", end).await;
    assert_eq!(left.status().borrow().phase, Phase::Working);
    other.stop().await.unwrap();
    assert_eq!(effects(&stores[0]).await, (1..=end.number()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_woken_by_another_process() {
    let [_, world] = worlds();
    let (writer, reader) = (world.open("log").await, world.open("log").await);
    let mut follower = Feed::Own(reader.clone()).follow(journal::Cursor::start(reader.id()), 10);
    for number in 1..=20 {
        let _ = publish_many(&writer, 1, 1).await;
        let page = tokio::time::timeout(LIMIT, follower.next()).await.unwrap().unwrap();
        assert_eq!(page.last().unwrap().header.position, Position::new(number));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_runners_one_fires_each_timer() {
    fn firing() -> impl TimerHandler {
        |timer: &journal::Timer| Ok(effect(timer.name.name.parse().unwrap()))
    }
    let [_, world] = worlds();
    let stores = [world.open("mine").await, world.open("mine").await];
    let tasks = stores.each_ref().map(|store| Arc::new(Timers::new(store.clone(), firing())).start());
    let now = world.clock.clone();
    for number in 1..=200 {
        set(&stores[number % 2], timer(&number.to_string(), 1_700_000_000 + 10)).await;
    }
    now.set(Timestamp::from_micros(1_700_000_020_000_000));
    wait_until("all fired", async || stores[0].next_due().await.unwrap().is_none()).await;
    for task in tasks {
        task.stop().await.unwrap();
    }
    let mut fired = effects(&stores[0]).await;
    fired.sort_unstable();
    assert_eq!(fired, (1..=200).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_fold_one_view_and_both_see_a_swap() {
    let [_, world] = worlds();
    let stores = [world.open("log").await, world.open("log").await];
    let place = world.config("log").place;
    let mut views: Vec<View<Totals>> = Vec::new();
    for store in &stores {
        views.push(View::open(Totals, Feed::Own(store.clone()), store.clone(), &place).await.unwrap());
    }
    let tasks: Vec<_> = views.iter().map(View::start).collect();
    let mut end = publish_many(&stores[0], 3_000, 10).await;
    views[0].rebuild(&journal::Stop::never()).await.unwrap();
    end = end.max(publish_many(&stores[1], 1_000, 10).await);
    for view in &views {
        wait_until("the view has come so far", async || view.wait_for(end, LIMIT).await.is_ok()).await;
        assert_eq!(Totals::sum(view).await, 4_000);
    }
    for task in tasks {
        task.stop().await.unwrap();
    }
}
