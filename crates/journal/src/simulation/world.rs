//! A world: its stores, the orders of its callers, and the lives of its processes with their ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use messages::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::bank::{self, Flaw, Order, Wish};
use super::caller::Caller;
use super::faults::{Faults, Tally};
use super::knowledge::Knowledge;
use super::random::Random;
use super::reaction::{self, View};
use crate::aggregate::Streams;
use crate::clock::{Clock, ManualClock};
use crate::entropy::Entropy;
use crate::mutant::Mutant;
use crate::store::{Durability, OpenError, Place, Store, StoreConfig};

/// How many times a process dies at most.
const DEATHS_MAX: u64 = 4;

/// How long one life may take: far more than it needs on a busy machine.
const LIFE_MAX: Duration = Duration::from_secs(60);

/// How long an append is tried again. Short, so that callers often hear that the store is away.
const PATIENCE: Duration = Duration::from_millis(12);

/// When the clock begins: 2026-01-01.
const BEGINNING: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// How long after their promise timers are due at most.
const PROMISE_MAX_S: u64 = 7_200;

/// Where a process dies.
#[derive(Debug, Clone, Copy)]
enum Death {
    /// At this step of its groups, before the step's effect or after it.
    Step(u64),
    /// Before this poll of its writer, wherever that stands then.
    Poll(u64),
}

/// What one process does in its lives.
#[derive(Debug)]
struct Process {
    callers: Vec<Vec<Order>>,
    /// How its lives end; the last one ends by itself.
    deaths: Vec<Death>,
    view: Arc<Mutex<View>>,
    random: Random,
}

/// A world.
#[derive(Debug)]
pub(super) struct World {
    /// The store of the callers.
    pub(super) books: Place,
    /// The store that reactions are written to; it may be the same.
    pub(super) seen: Place,
    pub(super) orders: Vec<Order>,
    pub(super) knowledge: Knowledge,
    pub(super) mutant: Option<Mutant>,
    pub(super) tally: Tally,
    /// Two consumers, and two who fire timers, in each process.
    is_twofold: bool,
    clock: ManualClock,
    processes: Vec<Process>,
}

/// Where a world's stores are.
#[derive(Debug, Clone)]
pub(super) enum Ground {
    /// In files of this folder, for one process.
    Folder(PathBuf),
    /// In schemas of this database, for two processes.
    Database(String),
}

impl Ground {
    fn place(&self, seed: u64, mutant: Option<Mutant>, name: &str) -> Place {
        let name = format!("{name}_{seed}_{}", mutant.map_or(0, |mutant| mutant as u32 + 1));
        match self {
            Self::Folder(folder) => Place::Sqlite { path: folder.join(format!("{name}.db")) },
            Self::Database(url) => Place::Postgres { url: url.clone(), schema: name },
        }
    }
}

impl World {
    pub(super) fn of(seed: u64, mutant: Option<Mutant>, ground: &Ground) -> Self {
        let mut random = Random::new(seed);
        let books = ground.place(seed, mutant, "books");
        let seen = if random.per_mille(500) { books.clone() } else { ground.place(seed, mutant, "seen") };
        let accounts = 2 + random.below(4);
        let processes_count = if matches!(ground, Ground::Database(_)) { 2 } else { 1 };
        let mut orders: Vec<Order> = Vec::new();
        let processes = (0..processes_count).map(|_| {
            let callers = (0..1 + random.below(7)).map(|_| {
                let numbers = 0..1 + random.below(7);
                numbers
                    .map(|_| {
                        let number = orders.len() as u64;
                        orders.push(order(&mut random, number, accounts));
                        orders[orders.len() - 1]
                    })
                    .collect()
            });
            let callers = callers.collect();
            let deaths = (0..random.below(DEATHS_MAX + 1)).map(|_| death(&mut random)).collect();
            Process { callers, deaths, view: Arc::default(), random: random.fork() }
        });
        let processes = processes.collect();
        let knowledge = Knowledge::default();
        knowledge.with(|facts| facts.latest = BEGINNING);
        let clock = ManualClock::at(BEGINNING);
        let is_twofold = random.per_mille(400);
        Self { books, seen, orders, knowledge, mutant, tally: Tally::default(), is_twofold, clock, processes }
    }

    /// Lives all lives, and then one more without faults or callers, in which everything comes to its end.
    pub(super) fn live(&mut self) -> Result<(), String> {
        let mut processes = std::mem::take(&mut self.processes);
        let world = &*self;
        let tallies: Vec<Result<Tally, String>> = match &mut processes[..] {
            [alone] => vec![world.live_as(alone)],
            many => std::thread::scope(|scope| {
                let threads: Vec<_> = many.iter_mut().map(|process| scope.spawn(|| world.live_as(process))).collect();
                let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                    thread.join().unwrap_or_else(|_| Err("a process panicked".to_owned()))
                };
                threads.into_iter().map(join).collect()
            }),
        };
        for tally in tallies {
            self.tally.add(tally?);
        }
        let mut last =
            Process { callers: Vec::new(), deaths: Vec::new(), view: Arc::default(), random: Random::new(0) };
        let _ = self.live_once(&mut last, None, Faults::none(self.mutant))?;
        let balances = |process: &Process| process.view.lock().balances.clone();
        let whole = balances(&last);
        for process in &processes {
            // What a reader saw of an earlier time is a part of what there is; the last life saw all of it.
            let has_all = balances(process).keys().all(|stream| whole.contains_key(stream));
            if !has_all {
                return Err("a reader saw a stream that is not there any more".to_owned());
            }
        }
        self.processes = vec![last];
        Ok(())
    }

    /// What a reader of the whole log has folded.
    pub(super) fn view(&self) -> Arc<Mutex<View>> {
        Arc::clone(&self.processes[0].view)
    }

    fn live_as(&self, process: &mut Process) -> Result<Tally, String> {
        let mut tally = Tally::default();
        let deaths: Vec<_> = process.deaths.iter().copied().map(Some).chain([None]).collect();
        for death in deaths {
            let died = Arc::new(Notify::new());
            let step = if let Some(Death::Step(step)) = death { Some(step) } else { None };
            let faults = Faults::new(process.random.fork(), step, &died, self.mutant);
            let lived = self.live_once(process, death.map(|death| (death, died)), faults);
            let (is_over, of_this_life) = lived?;
            tally.add(of_this_life);
            if is_over {
                break;
            }
            self.knowledge.count(|counts| &mut counts.deaths);
        }
        Ok(tally)
    }

    /// One life: whether it came to its end by itself.
    fn live_once(
        &self,
        process: &mut Process,
        death: Option<(Death, Arc<Notify>)>,
        faults: Faults,
    ) -> Result<(bool, Tally), String> {
        let _ = Faults::install(Some(faults));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (polls, died) = match death {
            Some((Death::Poll(polls), died)) => (Some(polls), died),
            Some((Death::Step(_), died)) => (None, died),
            None => (None, Arc::default()),
        };
        let is_over = runtime.block_on(async {
            let life = async {
                tokio::select! {
                    biased;
                    () = died.notified() => Ok(false),
                    worked = self.work(process, polls, &died) => worked.map(|()| true),
                }
            };
            let ended = tokio::time::timeout(LIFE_MAX, life).await;
            ended.unwrap_or_else(|_| Err(format!("a life did not end within {LIFE_MAX:?}")))
        });
        // Every task of the process ends here, wherever it is.
        drop(runtime);
        let tally = Faults::install(None);
        if let Some(violation) = self.knowledge.violation() {
            return Err(violation);
        }
        Ok((is_over?, tally))
    }

    async fn work(&self, process: &mut Process, polls: Option<u64>, died: &Arc<Notify>) -> Result<(), String> {
        let random = &mut process.random;
        let books = self.open(&self.books, random, polls, died).await?;
        let seen =
            if self.seen == self.books { books.clone() } else { self.open(&self.seen, random, None, died).await? };
        let streams = Arc::new(Streams::new(books.clone()));
        let mut callers = JoinSet::new();
        for orders in &process.callers {
            let caller = Caller {
                store: books.clone(),
                streams: Arc::clone(&streams),
                knowledge: self.knowledge.clone(),
                clock: self.clock.clone(),
                random: random.fork(),
            };
            let _ = callers.spawn(caller.serve(orders.clone()));
        }
        let (timers_over, are_callers_done) = watch::channel(false);
        let (readers_over, are_timers_done) = watch::channel(false);
        let (mut timers, mut readers) = (JoinSet::new(), JoinSet::new());
        for _ in 0..if self.is_twofold { 2 } else { 1 } {
            let knowledge = self.knowledge.clone();
            let _ = timers.spawn(reaction::fire_timers(books.clone(), knowledge, are_callers_done.clone()));
            let knowledge = self.knowledge.clone();
            let _ = readers.spawn(reaction::consume(books.clone(), seen.clone(), knowledge, are_timers_done.clone()));
        }
        let knowledge = self.knowledge.clone();
        let _ = readers.spawn(reaction::follow(books.clone(), Arc::clone(&process.view), knowledge, are_timers_done));
        all(&mut callers).await?;
        self.let_everything_be_due();
        let _ = timers_over.send_replace(true);
        all(&mut timers).await?;
        let _ = readers_over.send_replace(true);
        all(&mut readers).await?;
        Ok(())
    }

    async fn open(
        &self,
        place: &Place,
        random: &mut Random,
        polls: Option<u64>,
        died: &Arc<Notify>,
    ) -> Result<Store, String> {
        let config = StoreConfig { patience: PATIENCE, ..self.config(place, random.next()) };
        let (store, writer) = loop {
            match Store::open_with_writer(&config).await {
                Ok(opened) => break opened,
                // A thread of the life before still closes the file; the death of a real process would have ended it.
                Err(OpenError::Held { .. }) => tokio::task::yield_now().await,
                Err(error) => return Err(format!("{error:?}")),
            }
        };
        drop(tokio::spawn(mortal(polls, Arc::clone(died), writer)));
        Ok(store)
    }

    /// How a store is opened, with randomness from `entropy`.
    pub(super) fn config(&self, place: &Place, entropy: u64) -> StoreConfig {
        StoreConfig {
            clock: Clock::Manual(self.clock.clone()),
            entropy: Entropy::seeded(entropy),
            durability: Durability::ProcessOnly,
            readers_max: 2,
            state_rows: bank::STATE_ROWS,
            ..StoreConfig::at(place.clone())
        }
    }

    fn let_everything_be_due(&self) {
        let latest = self.knowledge.with(|facts| {
            facts.latest = facts.latest.after(Duration::from_secs(2 * PROMISE_MAX_S));
            facts.latest
        });
        self.clock.set(latest);
    }
}

fn order(random: &mut Random, number: u64, accounts: u64) -> Order {
    // Half of all orders are for one account, so that commands for one stream meet.
    let mut account = || if random.per_mille(500) { 0 } else { random.below(accounts) };
    let (account, other) = (account(), account());
    let amount = i64::try_from(1 + random.below(60)).unwrap();
    let wish = match random.below(16) {
        0..=3 => Wish::Deposit { account, amount },
        4..=7 => Wish::Withdraw { account, amount },
        8..=10 if account != other => Wish::Transfer { from: account, to: other, amount },
        8..=10 => Wish::Deposit { account, amount },
        11 | 12 => Wish::Name { account, name: random.below(4) },
        13 => Wish::Note { account },
        _ => Wish::Promise { account, after: Duration::from_secs(random.below(PROMISE_MAX_S)) },
    };
    let flaw = match random.below(10) {
        0 => Some(Flaw::Statement),
        1 => Some(Flaw::Rows),
        _ => None,
    };
    Order { number, wish, flaw }
}

fn death(random: &mut Random) -> Death {
    if random.per_mille(500) { Death::Step(1 + random.below(60)) } else { Death::Poll(1 + random.below(120)) }
}

async fn all(tasks: &mut JoinSet<()>) -> Result<(), String> {
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| format!("a task failed: {error}"))?;
    }
    Ok(())
}

/// A writer whose process dies before so many polls.
async fn mortal(mut polls: Option<u64>, died: Arc<Notify>, writer: impl Future<Output = ()> + Send + 'static) {
    let mut writer = Box::pin(writer);
    std::future::poll_fn(move |context| {
        match &mut polls {
            Some(0) => {
                died.notify_one();
                return Poll::Pending;
            }
            Some(left) => *left -= 1,
            None => {}
        }
        writer.as_mut().poll(context)
    })
    .await;
}
