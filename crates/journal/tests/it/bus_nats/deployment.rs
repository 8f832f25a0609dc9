//! A service that speaks, a service that listens, and what is between them.

use std::path::Path;
use std::time::{Duration, Instant};

use journal::bus::nats::{
    Login, Nats, NatsConfig, NatsStream, NatsSubscription, SubscriptionConfig, SubscriptionCounts,
};
use journal::bus::{BusName, Next};
use journal::store::{Durability, Migration, StateRows};
use journal::{
    AppendError, Audience, Cause, Cursor, Entropy, Expected, NewEvent, Parameter, Place, Refusal, Statement, Store,
    StoreConfig, UnitOfWork,
};
use messages::{Actor, CommandId, EventType, Payload, Position, RecordedEvent, StreamName, TenantId};
use tempfile::TempDir;
use test_servers::Nats as Server;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

/// How long anything may take. Servers are killed meanwhile, and the machine is busy.
const LIMIT: Duration = Duration::from_secs(120);

/// The reader's cursor in its own store.
const CONSUMER: &str = "test.reader";

/// One row for each event that had its effect. A second effect is refused by the primary key.
const EFFECTS: &[Migration] = &[Migration {
    version: 1,
    sql: "CREATE TABLE effects (position BIGINT NOT NULL PRIMARY KEY, after BIGINT NOT NULL)",
}];

/// Few enough statements for one unit of work.
const UNIT_EFFECTS: usize = 200;

pub(crate) fn entropy() -> Entropy {
    Entropy::System
}

pub(crate) fn name(text: &str) -> BusName {
    BusName::parse(text).unwrap()
}

/// Waits until the condition holds.
pub(crate) async fn wait_until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let deadline = Instant::now() + LIMIT;
    while !condition().await {
        assert!(Instant::now() < deadline, "not so after {LIMIT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn nats_config(server: &Server) -> NatsConfig {
    config_of(vec![server.url()], 1)
}

pub(crate) fn config_of(servers: Vec<String>, replicas: usize) -> NatsConfig {
    NatsConfig {
        servers,
        connection_name: "test".to_owned(),
        login: Login::None,
        tls: None,
        stream: NatsStream { bytes_max: 64 << 20, ..NatsStream::usual(replicas) },
        connect_wait_max: Duration::from_secs(30),
    }
}

pub(crate) async fn connect(server: &Server) -> Nats {
    Nats::connect(&nats_config(server), &entropy()).await.unwrap()
}

/// Short waits, so that what is not seen by one way is soon seen by the other.
pub(crate) const IMPATIENT: SubscriptionConfig = SubscriptionConfig {
    batch_events_max: 128,
    acknowledge_within: Duration::from_secs(2),
    heartbeat: Duration::from_secs(1),
    idle_read_after: Duration::from_secs(1),
};

const FILE: &str = "store.sqlite";

async fn open(folder: &Path, state_rows: &'static [StateRows]) -> Store {
    let place = Place::Sqlite { path: folder.join(FILE) };
    let config = StoreConfig { durability: Durability::ProcessOnly, state_rows, ..StoreConfig::at(place) };
    Store::open(&config).await.unwrap()
}

/// A service whose events are published.
pub(crate) struct Source {
    pub(crate) store: Store,
    publishers: std::sync::Mutex<JoinSet<()>>,
    /// Where its store is, and those of its readers: whoever goes on after a reader finds its store.
    folder: TempDir,
}

impl Source {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), &[]).await;
        Self { store, publishers: std::sync::Mutex::default(), folder }
    }

    /// The store as it is now, with all that belongs to it, for a later [`Self::restored`]. It is closed for that.
    pub(crate) async fn back_up(self) -> (Self, TempDir) {
        self.publishers.lock().unwrap().abort_all();
        self.store.close().await;
        let backup = tempfile::tempdir().unwrap();
        let _ = std::fs::copy(self.folder.path().join(FILE), backup.path().join(FILE)).unwrap();
        (Self { store: open(self.folder.path(), &[]).await, ..self }, backup)
    }

    /// The store as it was when it was backed up.
    pub(crate) async fn restored(backup: TempDir) -> Self {
        let store = open(backup.path(), &[]).await;
        Self { store, publishers: std::sync::Mutex::default(), folder: backup }
    }

    /// Publishes what is said, from now until the source is dropped.
    pub(crate) fn publish_by(&self, nats: &Nats, store_name: &str) {
        let (store, mut publisher) = (self.store.clone(), nats.publisher(name(store_name)));
        let _ = self.publishers.lock().unwrap().spawn(async move {
            let Err(error) = publisher.run(&store).await;
            panic!("the publisher ended: {error}");
        });
    }

    /// Waits until the bus has confirmed all that was said.
    pub(crate) async fn wait_for_outbox(&self) {
        let last = self.last_published().await;
        wait_until("the outbox is empty", || async {
            let cursor = self.store.cursor(journal::bus::nats::CONSUMER).await.unwrap();
            cursor.is_some_and(|cursor| cursor.position >= last)
        })
        .await;
    }

    /// Appends published events, all in one unit.
    pub(crate) async fn say(&self, count: u64) {
        self.append(count, Audience::Published).await;
    }

    /// Appends private events.
    pub(crate) async fn whisper(&self, count: u64) {
        self.append(count, Audience::Private).await;
    }

    async fn append(&self, count: u64, audience: Audience) {
        if count == 0 {
            return;
        }
        let command = self.store.entropy().command_id(self.store.clock().now());
        let cause = Cause {
            tenant: TenantId::parse("bank_a").unwrap(),
            actor: Actor::new("ana@bank", "console", None).unwrap(),
            command,
            correlation: command,
            causation: None,
            trace_parent: None,
        };
        let event = |number: u64| NewEvent {
            id: self.store.event_id(),
            event_type: EventType::of("test.happened"),
            type_version: 1,
            payload: Payload::parse(format!("{{\"number\":\"{number}\"}}").into_bytes()).unwrap(),
            audience,
        };
        let mut unit = UnitOfWork::new();
        let stream = StreamName::parse("asset/1").unwrap();
        let _ = unit.append(&cause, stream, Expected::Any, (0..count).map(event).collect());
        let _ = self.store.append(unit).await.unwrap();
    }

    /// All published events.
    pub(crate) async fn published(&self) -> Vec<RecordedEvent> {
        let mut events: Vec<RecordedEvent> = Vec::new();
        loop {
            let after = events.last().map_or(Position::START, |event| event.header.position);
            let page = self.store.published_after(after, 1_000).await.unwrap();
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }

    async fn last_published(&self) -> Position {
        self.published().await.last().map_or(Position::START, |event| event.header.position)
    }
}

/// What a reader has seen so far.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    has_read_feed: bool,
    counts: SubscriptionCounts,
}

/// A service that reads the source, with a store of its own.
pub(crate) struct Reader {
    pub(crate) name: String,
    pub(crate) store: Store,
    task: JoinHandle<SubscriptionCounts>,
    stop: oneshot::Sender<()>,
    progress: watch::Receiver<Progress>,
}

impl Reader {
    pub(crate) async fn new(source: &Source, nats: &Nats, store_name: &str) -> Self {
        let store = Self::new_store(source).await;
        let reader_name = format!("reader-{}", CommandId::new(store.id().uuid()));
        Self::with_store(store, source, nats, store_name, &reader_name)
    }

    /// A reader that the servers know by this name already, with a store in which nothing was written yet.
    pub(crate) async fn named(source: &Source, nats: &Nats, store_name: &str, reader_name: &str) -> Self {
        Self::with_store(Self::new_store(source).await, source, nats, store_name, reader_name)
    }

    async fn new_store(source: &Source) -> Store {
        let folder = tempfile::tempdir_in(source.folder.path()).unwrap().keep();
        open(&folder, &[StateRows { name: "state rows", migrations: EFFECTS }]).await
    }

    /// Another process of a reader, or a later one: it goes on with the effects and the cursor that are in the store.
    pub(crate) fn with_store(store: Store, source: &Source, nats: &Nats, store_name: &str, reader_name: &str) -> Self {
        let subscription = nats.subscribe(name(reader_name), name(store_name), IMPATIENT);
        let (stop, stopped) = oneshot::channel();
        let (progresses, progress) = watch::channel(Progress::default());
        let (feed, own) = (source.store.clone(), store.clone());
        let task = tokio::spawn(async move { read(subscription, &feed, &own, stopped, &progresses).await });
        Self { name: reader_name.to_owned(), store, task, stop, progress }
    }

    /// Waits until it has read the feed for the first time: what is said from now on comes by the bus.
    pub(crate) async fn wait_for_beginning(&self) {
        let _ = self.progress.clone().wait_for(|progress| progress.has_read_feed).await.unwrap();
    }

    /// Says more until some of it comes by the bus: it works again.
    pub(crate) async fn wait_for_bus(&self, source: &Source) {
        let before = self.progress.borrow().counts.events;
        wait_until("events come by the bus", || async {
            source.say(1).await;
            self.progress.borrow().counts.events > before
        })
        .await;
    }

    /// Waits until it stands behind all that the source has published, and checks every effect.
    pub(crate) async fn wait_for_all(&self, source: &Source) {
        let last = source.last_published().await;
        wait_until("the reader has all", || async {
            assert!(!self.task.is_finished(), "the reader has ended");
            self.store.cursor(CONSUMER).await.unwrap().is_some_and(|cursor| cursor.position >= last)
        })
        .await;
        self.check(source).await;
    }

    /// Exactly one effect for each published event, each after the effect of the one before.
    pub(crate) async fn check(&self, source: &Source) {
        let rows = self.store.rows("SELECT position, after FROM effects ORDER BY position", &[]).await.unwrap();
        let found: Vec<(i64, i64)> =
            rows.iter().map(|row| (row[0].integer().unwrap(), row[1].integer().unwrap())).collect();
        let published = source.published().await;
        let places = published.iter().map(|event| i64::try_from(event.header.position.number()).unwrap());
        let before = std::iter::once(0).chain(places.clone());
        assert_eq!(found, places.zip(before).collect::<Vec<_>>());
    }

    pub(crate) async fn stop(self) -> SubscriptionCounts {
        drop(self.stop);
        self.task.await.unwrap()
    }
}

async fn read(
    mut subscription: NatsSubscription,
    feed: &Store,
    own: &Store,
    mut stopped: oneshot::Receiver<()>,
    progresses: &watch::Sender<Progress>,
) -> SubscriptionCounts {
    let mut cursor = cursor_of(own, feed).await;
    loop {
        let next = tokio::select! {
            next = subscription.next(&cursor) => next,
            _ = &mut stopped => return subscription.close(&cursor).await,
        };
        let counts = subscription.counts();
        match next {
            Next::Events(events) => {
                cursor = apply(own, feed, cursor, &events).await;
                progresses.send_modify(|progress| progress.counts = counts);
            }
            Next::ReadFeed(_) => {
                loop {
                    let page = feed.published_after(cursor.position, 1_000).await.unwrap();
                    if page.is_empty() {
                        break;
                    }
                    cursor = apply(own, feed, cursor, &page).await;
                }
                let _ = progresses.send_replace(Progress { has_read_feed: true, counts });
            }
        }
    }
}

async fn cursor_of(own: &Store, feed: &Store) -> Cursor {
    own.cursor(CONSUMER).await.unwrap().unwrap_or_else(|| Cursor::start(feed.id()))
}

/// Commits effects and cursor together. Where another process of the reader was faster, its cursor is taken.
async fn apply(own: &Store, feed: &Store, mut cursor: Cursor, events: &[RecordedEvent]) -> Cursor {
    for chunk in events.chunks(UNIT_EFFECTS) {
        let from = (cursor.position != Position::START).then_some(cursor);
        let mut unit = UnitOfWork::new();
        for event in chunk {
            assert!(event.header.position > cursor.position, "{} after {}", event.header.position, cursor.position);
            let places = [event.header.position, cursor.position].map(|place| i64::try_from(place.number()).unwrap());
            let _ = unit.statement(Statement {
                sql: "INSERT INTO effects (position, after) VALUES ($1, $2)",
                parameters: places.map(Parameter::Integer).into(),
                rows_expected: Some(1),
            });
            cursor = Cursor { store: event.header.store, position: event.header.position, hash: event.hash };
        }
        let _ = unit.advance(CONSUMER, from, cursor);
        match own.append(unit).await {
            Ok(_) => {}
            Err(AppendError::Refused(Refusal::CursorMoved { .. })) => return cursor_of(own, feed).await,
            Err(error) => panic!("effects are refused: {error}"),
        }
    }
    cursor
}
