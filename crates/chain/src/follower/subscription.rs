//! Keeps a node's subscription to new heads: begun anew after each fault, and what it told, held against what the node answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::node::{Node, Trouble};
use super::shared::Shared;
use crate::new_heads::{Connection, NewHeads, SubscriptionFault};
use crate::profile::Pace;

/// How a subscription is begun anew. After so many faults in a row it counts as down, which a person is told once; it is still
/// tried, with the longest pause, because the node may serve WebSocket again.
pub(super) const SUBSCRIBE_PACE: Pace =
    Pace { first_pause: Duration::from_millis(100), pause_max: Duration::from_secs(30), attempts_max: 8 };

/// After so long without a fault the faults before are forgotten. A node that takes subscriptions and ends them at once must not be
/// dialled without pause.
const STEADY_AFTER: Duration = Duration::from_secs(30);

/// How a node's subscription to new heads stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionStatus {
    /// Where it is.
    pub url: String,
    /// Whether heads are told.
    pub health: SubscriptionHealth,
    /// How many heads it told of so far, true or not.
    pub heads_told: u64,
    /// How often it failed in a row. Forgotten when a subscription has lasted for half a minute.
    pub failures_in_a_row: u32,
    /// What happened at its last fault.
    pub last_failure: Option<String>,
}

/// Whether a node tells of new heads. Where it does not, it is polled as often as without a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionHealth {
    /// There was none yet.
    Beginning,
    /// The node has taken the subscription.
    Live,
    /// It ended, and is begun anew after a pause.
    Failing,
    /// It failed eight times in a row. It is still tried, every 30 s.
    Down,
}

impl fmt::Display for SubscriptionHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beginning => "begins",
            Self::Live => "is live",
            Self::Failing => "fails",
            Self::Down => "is down",
        })
    }
}

/// What is known of a node's subscription.
#[derive(Debug)]
pub(super) struct Subscription {
    live_since: Option<Instant>,
    /// The number in its last word, while it is live.
    told: Option<u64>,
    heads_told: u64,
    trouble: Trouble,
    /// Whether the log's last word of it is that it does not work.
    is_loss_logged: bool,
}

impl Subscription {
    pub(super) fn none(now: Instant) -> Self {
        Self { live_since: None, told: None, heads_told: 0, trouble: Trouble::none(now), is_loss_logged: false }
    }

    /// Whether the subscription's last word was this head. One that told of less is behind or silent, one that told of more is
    /// early or lies: in both cases the node is to be asked as often as without it.
    pub(super) fn told_of(&self, head: u64) -> bool {
        self.told == Some(head)
    }

    pub(super) fn tell(&mut self, number: u64) {
        self.told = Some(number);
        self.heads_told += 1;
    }

    /// Gives whether the log should say so.
    fn begin(&mut self, now: Instant) -> bool {
        let is_news = self.heads_told == 0 && self.trouble.in_a_row == 0 || self.is_loss_logged;
        (self.live_since, self.is_loss_logged) = (Some(now), false);
        is_news
    }

    /// Gives the pause before the next attempt, and whether the log should say so: at the first of faults in a row, and when it
    /// counts as down.
    fn fail(&mut self, fault: &SubscriptionFault, now: Instant) -> (Duration, bool) {
        if self.is_steady(now) {
            self.trouble.end();
        }
        (self.live_since, self.told) = (None, None);
        let pause = self.trouble.add(fault.to_string(), SUBSCRIBE_PACE);
        let is_news = [1, SUBSCRIBE_PACE.attempts_max].contains(&self.trouble.in_a_row);
        self.is_loss_logged |= is_news;
        (pause, is_news)
    }

    fn is_steady(&self, now: Instant) -> bool {
        self.live_since.is_some_and(|since| now >= since + STEADY_AFTER)
    }

    pub(super) fn status(&self, new_heads: &NewHeads) -> SubscriptionStatus {
        let failures_in_a_row = if self.is_steady(Instant::now()) { 0 } else { self.trouble.in_a_row };
        let health = match failures_in_a_row {
            _ if self.live_since.is_some() => SubscriptionHealth::Live,
            0 => SubscriptionHealth::Beginning,
            failures if failures >= SUBSCRIBE_PACE.attempts_max => SubscriptionHealth::Down,
            _ => SubscriptionHealth::Failing,
        };
        SubscriptionStatus {
            url: new_heads.shown_url().to_owned(),
            health,
            heads_told: self.heads_told,
            failures_in_a_row,
            last_failure: self.trouble.why.clone(),
        }
    }
}

/// Keeps the node's subscription for ever. Whenever one begins or ends the node is asked for its head: nobody knows what was not
/// told meanwhile.
pub(super) async fn keep(shared: Arc<Shared>, node: usize) {
    let node = &shared.nodes[node];
    let Some(new_heads) = &node.new_heads else { return };
    loop {
        let fault = match Connection::open(new_heads).await {
            Ok(connection) => {
                begun(node, new_heads);
                shared.hint_gap();
                let tell = |number| {
                    node.state().subscription.tell(number);
                    shared.hint(number);
                };
                connection.listen(tell).await
            }
            Err(fault) => fault,
        };
        let pause = ended(node, new_heads, &fault);
        shared.hint_gap();
        shared.tick.send_replace(());
        sleep(pause).await;
    }
}

fn begun(node: &Node, new_heads: &NewHeads) {
    let is_news = node.state().subscription.begin(Instant::now());
    if is_news {
        tracing::info!(node = node.name, url = new_heads.shown_url(), "the node tells of new heads");
    }
}

fn ended(node: &Node, new_heads: &NewHeads, fault: &SubscriptionFault) -> Duration {
    let (pause, is_news) = node.state().subscription.fail(fault, Instant::now());
    let (node, url) = (&node.name, new_heads.shown_url());
    if is_news {
        tracing::warn!(node, url, %fault, "the node does not tell of new heads, and is polled; it is tried again");
    } else {
        tracing::debug!(node, url, %fault, "the node still does not tell of new heads");
    }
    pause
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> SubscriptionFault {
        SubscriptionFault::Ended("it broke off".to_owned())
    }

    #[test]
    fn pauses_grow_to_half_a_minute_however_often_a_subscription_begins_in_between() {
        let now = Instant::now();
        let mut subscription = Subscription::none(now);
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let _ = subscription.begin(now);
            subscription.tell(1);
            pauses.push(subscription.fail(&fault(), now + Duration::from_secs(29)).0.as_millis());
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000]);
        let _ = subscription.begin(now);
        assert_eq!(subscription.fail(&fault(), now + STEADY_AFTER).0, SUBSCRIBE_PACE.first_pause);
    }

    #[test]
    fn the_log_is_told_of_changes_and_not_of_each_attempt() {
        let now = Instant::now();
        let mut subscription = Subscription::none(now);
        assert!(subscription.begin(now));
        let told: Vec<_> = (1..=20).filter(|_| subscription.fail(&fault(), now).1).collect();
        assert_eq!(told, [1, 8]);
        assert!(subscription.begin(now), "that it works again is a change");
        for _ in 0..20 {
            assert!(!subscription.fail(&fault(), now).1 && !subscription.begin(now), "a flutter fills the log");
        }
    }

    #[test]
    fn only_the_head_that_was_told_last_is_told_of_and_none_after_the_end() {
        let now = Instant::now();
        let mut subscription = Subscription::none(now);
        assert!(!subscription.told_of(0));
        let _ = subscription.begin(now);
        subscription.tell(7);
        assert_eq!([6, 7, 8].map(|head| subscription.told_of(head)), [false, true, false]);
        let _ = subscription.fail(&fault(), now);
        assert!(!subscription.told_of(7));
    }

    #[test]
    fn a_person_sees_how_it_stands() {
        let (now, new_heads) = (Instant::now(), NewHeads::at("ws://10.0.0.1:8546").unwrap());
        let mut subscription = Subscription::none(now);
        let health = |subscription: &Subscription| subscription.status(&new_heads).health;
        assert_eq!(health(&subscription), SubscriptionHealth::Beginning);
        let _ = subscription.fail(&fault(), now);
        assert_eq!(health(&subscription), SubscriptionHealth::Failing);
        for _ in 2..=SUBSCRIBE_PACE.attempts_max {
            let _ = subscription.fail(&fault(), now);
        }
        let status = subscription.status(&new_heads);
        assert_eq!((status.health, status.failures_in_a_row), (SubscriptionHealth::Down, 8));
        assert_eq!(status.last_failure.as_deref(), Some("the connection ended: it broke off"));
        let _ = subscription.begin(now);
        subscription.tell(3);
        let status = subscription.status(&new_heads);
        assert_eq!(
            (status.health, status.heads_told, status.url.as_str()),
            (SubscriptionHealth::Live, 1, "ws://10.0.0.1:8546/")
        );
    }
}
