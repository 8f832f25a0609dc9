//! A follower whose node is honest and whose subscription is not: it costs a question now and then, and no block.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::quiet::{Quiet, give};
use crate::follower::{FollowSettings, Follower, HINT_PAUSE_MIN, SubscriptionHealth, SubscriptionStatus};
use crate::new_heads::NewHeads;
use crate::new_heads::hostile::{PING, TEXT, frame, head, shaken, taken};

/// How long a condition is waited for on a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_secs(60);

/// The same, for what nobody but the subscription brings: after 30 s the follower and the connection look for themselves.
const BEFORE_OTHERS: Duration = Duration::from_secs(20);

/// How many blocks are followed beside each mischief.
const BLOCKS: u64 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mischief {
    TurnsAway,
    ClosesAtOnce,
    Silence,
    Garbage,
    HugeFrame,
    Pings,
    /// Heads that were long ago, as fast as they are taken.
    OldHeads,
    /// Heads that will not be for long, as fast as they are taken.
    FutureHeads,
}

const ALL: [Mischief; 8] = [
    Mischief::TurnsAway,
    Mischief::ClosesAtOnce,
    Mischief::Silence,
    Mischief::Garbage,
    Mischief::HugeFrame,
    Mischief::Pings,
    Mischief::OldHeads,
    Mischief::FutureHeads,
];

/// A server that does this on each connection.
struct Hostile {
    url: String,
    dialled: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Hostile {
    async fn start(mischief: Mischief) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let (dialled, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut serving = JoinSet::new();
        let counts = (Arc::clone(&dialled), Arc::clone(&ended));
        let _ = serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let _ = counts.0.fetch_add(1, Ordering::Relaxed);
                let ended = Arc::clone(&counts.1);
                let _ = connections.spawn(async move {
                    let _ = misbehave(socket, mischief).await;
                    let _ = ended.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Self { url, dialled, ended, _serving: serving }
    }
}

/// Until the other side ends the connection.
async fn misbehave(mut socket: TcpStream, mischief: Mischief) -> Option<()> {
    if mischief == Mischief::TurnsAway {
        let _ = socket.read(&mut [0; 4096]).await.ok()?;
        return socket.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.ok();
    }
    let mut socket = shaken(socket).await?;
    socket.write_all(&taken()).await.ok()?;
    let often = match mischief {
        Mischief::TurnsAway | Mischief::ClosesAtOnce => return Some(()),
        Mischief::Silence => Vec::new(),
        Mischief::Garbage => frame(TEXT, b"garbage"),
        Mischief::HugeFrame => b"\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00".to_vec(),
        Mischief::Pings => frame(PING, b""),
        Mischief::OldHeads => head(0),
        Mischief::FutureHeads => head(u64::MAX),
    };
    while !often.is_empty() {
        socket.write_all(&often).await.ok()?;
    }
    while socket.read(&mut [0; 4096]).await.ok()? > 0 {}
    Some(())
}

fn told_by(quiet: &Quiet, url: &str, settings: FollowSettings) -> Follower {
    quiet.follower_told_by(settings, Some(NewHeads::at(url).unwrap()))
}

fn status(follower: &Follower) -> SubscriptionStatus {
    follower.view().nodes().remove(0).new_heads.unwrap()
}

async fn until(mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, waiting).await.unwrap();
}

#[tokio::test]
async fn no_mischief_of_a_subscription_keeps_a_block_back_or_asks_without_end() {
    let mut suffering = JoinSet::new();
    for mischief in ALL {
        let _ = suffering.spawn(suffer(mischief));
    }
    while let Some(suffered) = suffering.join_next().await {
        suffered.unwrap();
    }
}

async fn suffer(mischief: Mischief) {
    let hostile = Hostile::start(mischief).await;
    let quiet = Quiet::new(1, usize::try_from(BLOCKS).unwrap());
    quiet.set_head(0);
    let began = Instant::now();
    let mut follower = told_by(&quiet, &hostile.url, quiet.settings());
    for block in 1..=BLOCKS {
        quiet.set_head(block);
        timeout(LIMIT, give(&mut follower, 1)).await.unwrap();
    }
    let status = || status(&follower);
    match mischief {
        Mischief::Silence => until(|| status().health == SubscriptionHealth::Live).await,
        _ => until(|| status().failures_in_a_row > 0).await,
    }
    // Polls and hints, two requests a block, and some to see which ledger it is on.
    let asked_max = 2 * (began.elapsed().as_micros() / HINT_PAUSE_MIN.as_micros()) + 2 * u128::from(BLOCKS) + 20;
    let asked = u128::from(quiet.requests());
    assert!(asked <= asked_max, "{mischief:?}: the node was asked {asked} times, at most {asked_max} are right");
    assert_eq!(follower.view().findings(), [], "{mischief:?}");
}

#[tokio::test]
async fn a_node_that_ends_each_subscription_is_not_dialled_without_pause_and_counts_as_down() {
    let hostile = Hostile::start(Mischief::ClosesAtOnce).await;
    let quiet = Quiet::new(1, 3);
    let mut follower = told_by(&quiet, &hostile.url, quiet.settings());
    timeout(LIMIT, give(&mut follower, 3)).await.unwrap();
    let began = Instant::now();
    until(|| status(&follower).failures_in_a_row >= 4).await;
    assert!(began.elapsed() >= Duration::from_millis(100 + 200), "{:?}", began.elapsed());
    assert!(hostile.dialled.load(Ordering::Relaxed) <= 5);
    let last = status(&follower).last_failure.unwrap();
    assert!(last.starts_with("the connection ended: "), "{last}");
}

#[tokio::test]
async fn a_head_is_asked_for_when_it_is_told_of_and_one_that_nobody_heard_of_when_somebody_begins_to_listen() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let quiet = Quiet::new(1, 3);
    quiet.set_head(1);
    let never = Duration::from_secs(100_000);
    let mut follower = told_by(&quiet, &url, FollowSettings { head_poll: never, ..quiet.settings() });
    timeout(BEFORE_OTHERS, give(&mut follower, 1)).await.unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    quiet.set_head(2);
    // The node takes the subscription, and has nothing to tell: its last head came before.
    let mut node = shaken(socket).await.unwrap();
    node.write_all(&taken()).await.unwrap();
    timeout(BEFORE_OTHERS, give(&mut follower, 1)).await.unwrap();
    quiet.set_head(3);
    node.write_all(&head(3)).await.unwrap();
    timeout(BEFORE_OTHERS, give(&mut follower, 1)).await.unwrap();
}

#[tokio::test]
async fn a_follower_that_is_dropped_leaves_no_connection() {
    let hostile = Hostile::start(Mischief::Silence).await;
    let quiet = Quiet::new(1, 3);
    let mut follower = told_by(&quiet, &hostile.url, quiet.settings());
    timeout(LIMIT, give(&mut follower, 3)).await.unwrap();
    until(|| status(&follower).health == SubscriptionHealth::Live).await;
    assert_eq!(hostile.ended.load(Ordering::Relaxed), 0);
    drop(follower);
    until(|| hostile.ended.load(Ordering::Relaxed) == 1).await;
}
