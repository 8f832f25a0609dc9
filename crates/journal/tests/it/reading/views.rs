//! Views: equal to the fold of their feed at every cursor, rebuilt beside the live one, never going back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use journal::projection::{Query, TableRows, ViewError, Write};
use journal::{Feed, Parameter, Place, Projection, Statement, Stop, Store, Value, View};
use messages::{DecodeError, RecordedEvent};
use proptest::prelude::*;

use super::{LIMIT, cut_after, publish, publish_many, said, wait_until, worlds};

/// How many events each stream has, as text that is added up in Rust, and how many letters they said.
#[derive(Debug, Default)]
pub(super) struct Totals<const VERSION: u32 = 1>;

impl<const VERSION: u32> Projection for Totals<VERSION> {
    type Batch = BTreeMap<String, u64>;

    const NAME: &'static str = "totals";
    const VERSION: u32 = VERSION;
    const TABLES: &'static str = "CREATE TABLE totals (stream TEXT NOT NULL PRIMARY KEY, events TEXT NOT NULL);
        CREATE TABLE letters (one BIGINT PRIMARY KEY, count BIGINT NOT NULL);
        INSERT INTO letters (one, count) VALUES (1, 0)";

    fn fold(&self, batch: &mut Self::Batch, event: &RecordedEvent) -> Result<(), DecodeError> {
        let metadata = &event.metadata;
        if metadata.type_version > 1 {
            let (event_type, found) = (metadata.event_type.clone(), metadata.type_version);
            return Err(DecodeError::UnknownVersion { event_type, found, known: 1 });
        }
        *batch.entry(metadata.stream.as_str().to_owned()).or_default() += 1;
        Ok(())
    }

    fn questions(&self, batch: &Self::Batch) -> Vec<Query> {
        let question = |stream: &String| Query {
            sql: "SELECT events FROM totals WHERE stream = $1",
            parameters: vec![Parameter::Text(stream.clone())],
        };
        batch.keys().map(question).collect()
    }

    fn write(&self, batch: Self::Batch, answers: Vec<Vec<Vec<Value>>>) -> Vec<Write> {
        let letters = Statement {
            sql: "UPDATE letters SET count = count + $1 WHERE one = 1",
            parameters: vec![Parameter::Integer(batch.values().sum::<u64>().try_into().unwrap())],
            rows_expected: Some(1),
        };
        let rows = batch.into_iter().zip(answers).map(|((stream, more), answer)| {
            let before = answer.first().map_or(0, |row| row[0].text().unwrap().parse::<u64>().unwrap());
            vec![Parameter::Text(stream), Parameter::Text(format!("{:039}", before + more))]
        });
        let rows = TableRows {
            insert: "INSERT INTO totals (stream, events)",
            conflict: "ON CONFLICT (stream) DO UPDATE SET events = excluded.events",
            rows: rows.collect(),
        };
        vec![Write::Rows(rows), Write::Statement(letters)]
    }
}

impl<const VERSION: u32> Totals<VERSION> {
    pub(super) async fn all(view: &View<Self>) -> BTreeMap<String, u64> {
        let rows = view.rows("SELECT stream, events FROM totals", &[]).await.unwrap();
        rows.iter().map(|row| (row[0].text().unwrap().to_owned(), row[1].text().unwrap().parse().unwrap())).collect()
    }

    pub(super) async fn sum(view: &View<Self>) -> u64 {
        let rows = view.rows("SELECT count FROM letters", &[]).await.unwrap();
        rows[0][0].integer().unwrap().try_into().unwrap()
    }
}

async fn open<const VERSION: u32>(store: &Store, place: &Place) -> View<Totals<VERSION>> {
    View::open(Totals, Feed::Own(store.clone()), store.clone(), place).await.unwrap()
}

/// What the view must hold.
async fn fold(store: &Store) -> BTreeMap<String, u64> {
    let mut batch = BTreeMap::new();
    let mut after = messages::Position::START;
    loop {
        let page = store.events_after(after, 4_096).await.unwrap();
        let Some(last) = page.last() else { return batch };
        after = last.header.position;
        page.iter().for_each(|event| Totals::<1>.fold(&mut batch, event).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_built_followed_and_found_again() {
    for world in worlds() {
        let (store, place) = (world.open("log").await, world.config("log").place);
        let _ = publish_many(&store, 500, 7).await;
        let view = open::<1>(&store, &place).await;
        let error = view.rows("SELECT 1 FROM totals", &[]).await.unwrap_err();
        assert!(matches!(error, ViewError::Building { .. }), "{error}");
        let task = view.start();
        let end = publish_many(&store, 500, 7).await;
        view.wait_for(end, LIMIT).await.unwrap();
        assert_eq!(Totals::all(&view).await, fold(&store).await);
        task.stop().await.unwrap();

        let view = open::<1>(&store, &place).await;
        assert_eq!(Totals::sum(&view).await, 1_000);
        let end = publish(&store, "s1:x").await;
        let error = view.wait_for(end, Duration::from_millis(10)).await.unwrap_err();
        assert_eq!(error.to_string(), "view `totals` has come to 1000 and not to 1001 within 10 ms");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_goes_on_beside_the_live_view_and_readers_never_go_back() {
    for world in worlds() {
        let (store, place) = (world.open("log").await, world.config("log").place);
        let end = publish_many(&store, 20_000, 50).await;
        let view = open::<1>(&store, &place).await;
        let task = view.start();
        view.wait_for(end, LIMIT).await.unwrap();
        let rebuilding = {
            let view = view.clone();
            tokio::spawn(async move {
                for _ in 0..3 {
                    view.rebuild(&Stop::never()).await.unwrap();
                }
            })
        };
        let mut highest = 0;
        while !rebuilding.is_finished() {
            let end = publish(&store, "s1:x s2:y").await;
            let sum = Totals::sum(&view).await;
            assert!(sum >= highest, "{sum} after {highest}");
            highest = sum;
            view.wait_for(end, LIMIT).await.unwrap();
        }
        rebuilding.await.unwrap();
        let end = publish(&store, "s3:z").await;
        view.wait_for(end, LIMIT).await.unwrap();
        assert_eq!(Totals::all(&view).await, fold(&store).await);
        task.stop().await.unwrap();
        if let Place::Sqlite { path } = &place {
            let folder = format!("{}.views", path.display());
            let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
            let databases: Vec<_> = files.filter(|name| name.ends_with(".db")).collect();
            assert_eq!(databases, ["totals.4.db"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_built_anew_and_takes_the_place_of_the_old() {
    for world in worlds() {
        let (store, place) = (world.open("log").await, world.config("log").place);
        let end = publish_many(&store, 300, 5).await;
        let old = open::<1>(&store, &place).await;
        let task = old.start();
        old.wait_for(end, LIMIT).await.unwrap();
        task.stop().await.unwrap();
        let new = open::<2>(&store, &place).await;
        assert!(matches!(new.rows("SELECT 1 FROM totals", &[]).await, Err(ViewError::Building { .. })));
        let task = new.start();
        new.wait_for(end, LIMIT).await.unwrap();
        wait_until("it is live", async || new.rows("SELECT 1 FROM letters", &[]).await.is_ok()).await;
        assert_eq!(Totals::sum(&new).await, 300);
        task.stop().await.unwrap();
        // The older release finds that its tables are gone, and says so. Only PostgreSQL has two releases beside each other: a file
        // that was removed is there for the one process that had it open.
        if matches!(place, Place::Postgres { .. }) {
            assert!(old.rows("SELECT 1 FROM totals", &[]).await.is_err());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_cut_off_anywhere_goes_on() {
    for world in worlds() {
        let (store, place) = (world.open("log").await, world.config("log").place);
        let _ = publish_many(&store, 2_000, 20).await;
        for polls in (0..).step_by(2) {
            let view = open::<1>(&store, &place).await;
            if cut_after(polls, view.rebuild(&Stop::never())).await.is_some_and(|built| built.is_ok()) {
                assert_eq!(Totals::all(&view).await, fold(&store).await);
                assert!(polls > 4, "only {polls} polls");
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_tomorrow_stops_the_view_by_its_position() {
    for world in worlds() {
        let (store, place) = (world.open("log").await, world.config("log").place);
        let _ = publish(&store, "a:1").await;
        let mut event = super::event(&store, "x", journal::Audience::Private);
        event.type_version = 2;
        let mut unit = journal::UnitOfWork::new();
        let _ = unit.append(&super::cause(&store), super::stream("a"), journal::Expected::Any, vec![event]);
        let _ = store.append(unit).await.unwrap();
        let error = open::<1>(&store, &place).await.run(Stop::never()).await.unwrap_err();
        assert_eq!(error.to_string(), "view `totals` cannot fold the event at 2");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_view_that_dies_and_lives_equals_the_fold_of_its_feed(
        lives in prop::collection::vec((0_usize..300, 1_usize..9, 0_usize..40), 1..5),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let [world, _] = worlds();
            let (store, place) = (world.open("log").await, world.config("log").place);
            for (events, streams, polls) in lives {
                let _ = publish_many(&store, events, streams).await;
                let view = open::<1>(&store, &place).await;
                let _ = cut_after(polls, view.run(Stop::never())).await;
            }
            let end = publish(&store, "last:x").await;
            let view = open::<1>(&store, &place).await;
            let task = view.start();
            view.wait_for(end, LIMIT).await.unwrap();
            wait_until("it is live", async || view.rows("SELECT 1 FROM letters", &[]).await.is_ok()).await;
            assert_eq!(Totals::all(&view).await, fold(&store).await);
            task.stop().await.unwrap();
        });
    }
}

/// One row for each event: the costliest kind of view.
#[derive(Debug)]
struct EachEvent;

impl Projection for EachEvent {
    type Batch = Vec<Vec<Parameter>>;

    const NAME: &'static str = "each";
    const VERSION: u32 = 1;
    const TABLES: &'static str =
        "CREATE TABLE each_event (position BIGINT PRIMARY KEY, stream TEXT NOT NULL, said TEXT NOT NULL)";

    fn fold(&self, batch: &mut Self::Batch, event: &RecordedEvent) -> Result<(), DecodeError> {
        let position = Parameter::Integer(event.header.position.number().try_into().unwrap());
        batch.push(vec![position, Parameter::Text(event.metadata.stream.to_string()), Parameter::Text(said(event))]);
        Ok(())
    }

    fn write(&self, rows: Self::Batch, _: Vec<Vec<Vec<Value>>>) -> Vec<Write> {
        vec![Write::Rows(TableRows { insert: "INSERT INTO each_event (position, stream, said)", conflict: "", rows })]
    }
}

/// Prints what a rebuild reaches here: a figure to look at, with a floor that only a defect falls below.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_is_fast() {
    for world in worlds() {
        let (store, place) = (world.open("log").await, world.config("log").place);
        let events: u32 = 50_000;
        let _ = publish_many(&store, events as usize, 1_000).await;
        let totals = open::<1>(&store, &place).await;
        let each = View::open(EachEvent, Feed::Own(store.clone()), store.clone(), &place).await.unwrap();
        let began = Instant::now();
        totals.rebuild(&Stop::never()).await.unwrap();
        let first = began.elapsed();
        each.rebuild(&Stop::never()).await.unwrap();
        let second = began.elapsed() - first;
        let rate = |took: Duration| u128::from(events) * 1_000 / took.as_millis().max(1);
        println!(
            "{}: rebuilt {}/s into 1,000 rows, {}/s into a row each",
            place_name(&place),
            rate(first),
            rate(second)
        );
        assert!(rate(first) > 2_000 && rate(second) > 2_000);
    }
}

const fn place_name(place: &Place) -> &'static str {
    match place {
        Place::Sqlite { .. } => "sqlite",
        Place::Postgres { .. } => "postgresql",
    }
}
