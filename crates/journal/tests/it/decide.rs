//! Commands for one stream, from many callers at once: no update is lost, nobody is refused because of what never was, and a
//! caller that has gone leaves no mark. On SQLite in one process, on PostgreSQL through two handles, as two processes would.

pub(crate) mod counter;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use journal::store::Durability;
use journal::{
    Audience, Command, DecideError, Decided, Decision, Parameter, Place, Statement, Store, StoreConfig, Streams,
};
use messages::{Position, StreamVersion};
use tokio::task::JoinSet;

use self::counter::{Counted, Counter};

const CALLERS: u64 = 64;

const COMMANDS_EACH: u64 = 12;

type Counters = Arc<Streams<Counter>>;

/// One store, through as many handles as processes may have.
struct Ground {
    stores: Vec<Store>,
    counters: Vec<Counters>,
    _folder: tempfile::TempDir,
}

impl Ground {
    async fn at(place: &Place, handles: usize, folder: tempfile::TempDir) -> Self {
        let config = StoreConfig { durability: Durability::ProcessOnly, ..StoreConfig::at(place.clone()) };
        let mut stores = Vec::new();
        for _ in 0..handles {
            stores.push(Store::open(&config).await.unwrap());
        }
        let counters = stores.iter().map(|store| Arc::new(Streams::new(store.clone()))).collect();
        Self { stores, counters, _folder: folder }
    }

    async fn all() -> [Self; 2] {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = Place::Sqlite { path: folder.path().join("decide.db") };
        let server = tokio::task::spawn_blocking(|| test_servers::Postgres::shared().unwrap().database().unwrap());
        let postgres = Place::Postgres { url: server.await.unwrap(), schema: "decide".to_owned() };
        [Self::at(&sqlite, 1, folder).await, Self::at(&postgres, 2, tempfile::tempdir().unwrap()).await]
    }

    /// The handle of this caller, and its streams.
    fn of(&self, caller: u64) -> (Store, Counters) {
        let index = usize::try_from(caller).unwrap() % self.stores.len();
        (self.stores[index].clone(), Arc::clone(&self.counters[index]))
    }

    /// The stream's numbers, as they are in the store.
    async fn numbers(&self) -> Vec<u64> {
        let (name, store) = (counter::stream("hot"), &self.stores[0]);
        let events = store.stream_after(&counter::tenant(), &name, StreamVersion::EMPTY, 4_000).await.unwrap();
        events.iter().map(|event| serde_json::from_slice::<Counted>(event.payload.as_bytes()).unwrap().number).collect()
    }
}

fn count(state: u64, key: &str) -> Decision<Counted> {
    Decision::of(vec![(Counted { number: state + 1, key: key.to_owned() }, Audience::Published)])
}

/// Its unit is refused by the database, after it was decided and others were decided on it.
fn flawed(state: u64, key: &str) -> Decision<Counted> {
    let mut decision = count(state, key);
    let _ = decision.with.statement(Statement {
        sql: "INSERT INTO nowhere (number) VALUES ($1)",
        parameters: vec![Parameter::Integer(1)],
        rows_expected: None,
    });
    decision
}

/// Decides until somebody had the time to: a busy stream is no answer.
async fn decide(
    counters: &Counters,
    command: &Command,
    choose: impl Fn(u64) -> Result<Decision<Counted>, ()>,
) -> Result<Decided, DecideError<()>> {
    loop {
        match counters.decide(command, |state| choose(*state)).await {
            Err(DecideError::Busy { .. }) => {}
            other => return other,
        }
    }
}

async fn all(mut callers: JoinSet<()>) {
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_update_of_a_hot_stream_is_lost() {
    for ground in Ground::all().await {
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let (store, counters) = ground.of(caller);
            let _ = callers.spawn(async move {
                for number in 0..COMMANDS_EACH {
                    let key = format!("{caller}-{number}");
                    let command = counter::command(&store, "hot", &key);
                    let decided = decide(&counters, &command, |state| Ok(count(state, &key))).await.unwrap();
                    assert!(matches!(decided, Decided::Done(_)), "{decided:?}");
                }
            });
        }
        all(callers).await;
        assert_eq!(ground.numbers().await, (1..=CALLERS * COMMANDS_EACH).collect::<Vec<_>>());
    }
}

/// A stream takes so many counts and no more; every third command fails after others were decided on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_because_of_what_never_was() {
    const ROOM: u64 = 300;
    for ground in Ground::all().await {
        let (done, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let ((store, counters), done, refused) = (ground.of(caller), Arc::clone(&done), Arc::clone(&refused));
            let _ = callers.spawn(async move {
                for number in 0..COMMANDS_EACH {
                    let key = format!("{caller}-{number}");
                    let is_flawed = (caller + number) % 3 == 0;
                    let command = counter::command(&store, "hot", &key);
                    let choose = |state| match state {
                        ROOM => Err(()),
                        _ if is_flawed => Ok(flawed(state, &key)),
                        _ => Ok(count(state, &key)),
                    };
                    match decide(&counters, &command, choose).await {
                        Ok(_) if !is_flawed => {
                            let _ = done.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(DecideError::Append(_)) if is_flawed => {}
                        Err(DecideError::Refused(())) => {
                            // Counts are never taken back: who is told that there is no room can see so from then on.
                            let count =
                                counters.read(&counter::tenant(), &counter::stream("hot"), |state, _| *state).await;
                            assert_eq!(count.unwrap(), ROOM, "{key} was refused on a state that never was");
                            let _ = refused.fetch_add(1, Ordering::Relaxed);
                        }
                        other => panic!("{key}: {other:?}"),
                    }
                }
            });
        }
        all(callers).await;
        assert_eq!(ground.numbers().await, (1..=ROOM).collect::<Vec<_>>());
        assert_eq!(done.load(Ordering::Relaxed), ROOM);
        assert!(refused.load(Ordering::Relaxed) > 0, "nobody was refused: the test shows nothing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_go_away_and_come_back_with_their_key_are_counted_once() {
    for ground in Ground::all().await {
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let (store, counters) = ground.of(caller);
            let _ = callers.spawn(async move {
                for number in 0..COMMANDS_EACH {
                    let key = format!("{caller}-{number}");
                    for patience in 0..4 {
                        let command = counter::command(&store, "hot", &key);
                        let asked = decide(&counters, &command, |state| Ok(count(state, &key)));
                        tokio::select! {
                            biased;
                            answer = asked => drop(answer.unwrap()),
                            () = yields((caller + number) % 5 + patience) => {}
                        }
                    }
                    let command = counter::command(&store, "hot", &key);
                    drop(decide(&counters, &command, |state| Ok(count(state, &key))).await.unwrap());
                }
            });
        }
        all(callers).await;
        assert_eq!(ground.numbers().await, (1..=CALLERS * COMMANDS_EACH).collect::<Vec<_>>());
        let events = ground.stores[0].events_after(Position::START, 4_000).await.unwrap();
        let keys = events.iter().map(|event| serde_json::from_slice::<Counted>(event.payload.as_bytes()).unwrap().key);
        let keys: std::collections::BTreeSet<String> = keys.collect();
        assert_eq!(keys.len() as u64, CALLERS * COMMANDS_EACH, "a key was counted twice, and another not at all");
    }
}

async fn yields(times: u64) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}
