//! What waits for the writer, and the group that is made of it.
//!
//! A group takes in what comes until it holds the head. While another process holds it, callers come here all the same: were the
//! group closed when it begins to wait, they would have to wait for a group of their own, behind the other process's next one.

use std::convert::Infallible;
use std::future;

use tokio::sync::mpsc;

use super::Submission;
use crate::group;
use crate::limits::{GROUP_BYTES_MAX, GROUP_UNITS_MAX};
use crate::store::Wanted;

/// The units that wait.
pub(super) struct Waiting {
    queue: mpsc::Receiver<Submission>,
    /// The first of them, if it was taken out of the queue already.
    first: Option<Submission>,
}

impl Waiting {
    pub(super) const fn new(queue: mpsc::Receiver<Submission>) -> Self {
        Self { queue, first: None }
    }

    /// Waits until a unit is there; `false` if there will be none. Whoever gives up waiting loses none.
    async fn is_there(&mut self) -> bool {
        if self.first.is_none() {
            self.first = self.queue.recv().await;
        }
        self.first.is_some()
    }

    fn next(&mut self) -> Option<Submission> {
        self.first.take().or_else(|| self.queue.try_recv().ok())
    }
}

/// The units of a group, in their order.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) units: Vec<Submission>,
    bytes: usize,
    is_full: bool,
}

impl Gathered {
    /// A group of this unit alone, which takes in no other.
    pub(super) fn alone(unit: Submission) -> Self {
        Self { bytes: unit.bytes, units: vec![unit], is_full: true }
    }

    /// Waits for a unit and takes it with those behind it; `None` if there will be none.
    pub(super) async fn next(waiting: &mut Waiting) -> Option<Self> {
        let mut gathered = Self::default();
        if !waiting.is_there().await {
            return None;
        }
        gathered.take(waiting);
        Some(gathered)
    }

    /// Waits until the transaction has begun, and meanwhile takes in what comes. Gives what all units depend on.
    pub(super) async fn until<T>(&mut self, begun: impl Future<Output = T>, waiting: &mut Waiting) -> (T, Wanted) {
        let mut wanted = WantedSoFar::default();
        let taking = async {
            wanted.follow(self);
            while !self.is_full && waiting.is_there().await {
                self.take(waiting);
                wanted.follow(self);
            }
            future::pending::<Infallible>().await
        };
        let begun = tokio::select! {
            biased;
            begun = begun => begun,
            never = taking => match never {},
        };
        // What came in the same moment, or was told of later than the begin.
        self.take(waiting);
        wanted.follow(self);
        (begun, wanted.wanted)
    }

    /// Takes what waits and fits one transaction: at least one unit.
    fn take(&mut self, waiting: &mut Waiting) {
        while !self.is_full {
            let Some(unit) = waiting.next() else { return };
            let bytes = self.bytes.saturating_add(unit.bytes);
            if bytes > GROUP_BYTES_MAX && !self.units.is_empty() {
                waiting.first = Some(unit);
                self.is_full = true;
                return;
            }
            self.bytes = bytes;
            self.units.push(unit);
            self.is_full = self.units.len() >= GROUP_UNITS_MAX;
        }
    }
}

/// What the first so many units of a group depend on.
#[derive(Default)]
struct WantedSoFar {
    units: usize,
    wanted: Wanted,
}

impl WantedSoFar {
    fn follow(&mut self, gathered: &Gathered) {
        for submission in &gathered.units[self.units..] {
            group::want(&submission.unit, &mut self.wanted);
        }
        self.units = gathered.units.len();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use messages::TenantId;
    use tokio::sync::oneshot;

    use super::*;
    use crate::unit::{TimerName, UnitOfWork};

    fn submission(name: &str, bytes: usize) -> Submission {
        let name = TimerName { tenant: TenantId::parse("bank-a").unwrap(), name: name.into() };
        let mut unit = UnitOfWork::new();
        let _ = unit.cancel_timer(name);
        Submission { unit: Box::new(unit), bytes, submitted: Instant::now(), reply: oneshot::channel().0 }
    }

    fn queue() -> (mpsc::Sender<Submission>, Waiting) {
        let (queue, submissions) = mpsc::channel(2 * GROUP_UNITS_MAX);
        (queue, Waiting::new(submissions))
    }

    fn names(gathered: &Gathered) -> Vec<&str> {
        gathered.units.iter().map(|submission| &*submission.unit.timers[0].name().name).collect()
    }

    fn wanted_names(wanted: &Wanted) -> Vec<&str> {
        wanted.timers.iter().map(|timer| &*timer.name).collect()
    }

    /// The group, gathered until it held the head, which others had until all of these were out of the queue.
    async fn gathered_until(
        gathered: &mut Gathered,
        queue: &mpsc::Sender<Submission>,
        waiting: &mut Waiting,
        later: Vec<Submission>,
    ) -> Wanted {
        let (begin, begun) = oneshot::channel();
        let others = async {
            // The group waits by now.
            tokio::task::yield_now().await;
            for submission in later {
                queue.send(submission).await.unwrap();
                while queue.capacity() < queue.max_capacity() {
                    tokio::task::yield_now().await;
                }
            }
            begin.send(()).unwrap();
        };
        let ((begun, wanted), ()) = tokio::join!(gathered.until(begun, waiting), others);
        begun.unwrap();
        wanted
    }

    #[tokio::test]
    async fn what_comes_while_the_head_is_waited_for_is_of_the_group() {
        let (queue, mut waiting) = queue();
        for name in ["a", "b"] {
            queue.send(submission(name, 1)).await.unwrap();
        }
        let mut gathered = Gathered::next(&mut waiting).await.unwrap();
        assert_eq!(names(&gathered), ["a", "b"]);
        let later = ["c", "d"].map(|name| submission(name, 1)).into();
        let wanted = gathered_until(&mut gathered, &queue, &mut waiting, later).await;
        assert_eq!(names(&gathered), ["a", "b", "c", "d"]);
        assert_eq!(wanted_names(&wanted), ["a", "b", "c", "d"]);
        // It is tried again, and all of them are asked for again.
        let later = vec![submission("e", 1)];
        let wanted = gathered_until(&mut gathered, &queue, &mut waiting, later).await;
        assert_eq!(wanted_names(&wanted), ["a", "b", "c", "d", "e"]);
    }

    #[tokio::test]
    async fn what_comes_with_the_head_is_of_the_group_and_what_comes_later_of_the_next() {
        let (queue, mut waiting) = queue();
        queue.send(submission("a", 1)).await.unwrap();
        let mut gathered = Gathered::next(&mut waiting).await.unwrap();
        queue.send(submission("b", 1)).await.unwrap();
        let ((), wanted) = gathered.until(future::ready(()), &mut waiting).await;
        assert_eq!((names(&gathered), wanted_names(&wanted)), (vec!["a", "b"], vec!["a", "b"]));
        queue.send(submission("c", 1)).await.unwrap();
        assert_eq!(names(&Gathered::next(&mut waiting).await.unwrap()), ["c"]);
        drop(queue);
        assert!(Gathered::next(&mut waiting).await.is_none());
    }

    #[tokio::test]
    async fn a_group_has_no_more_than_its_limits_and_none_is_lost() {
        let (queue, mut waiting) = queue();
        for _ in 0..=GROUP_UNITS_MAX {
            queue.send(submission("many", 1)).await.unwrap();
        }
        let mut gathered = Gathered::next(&mut waiting).await.unwrap();
        let ((), _) = gathered.until(future::ready(()), &mut waiting).await;
        assert_eq!(gathered.units.len(), GROUP_UNITS_MAX);

        let mut gathered = Gathered::next(&mut waiting).await.unwrap();
        assert_eq!(names(&gathered), ["many"]);
        let later = vec![submission("fits", GROUP_BYTES_MAX - 1), submission("too large", 1), submission("behind", 1)];
        let sent = async {
            for submission in later {
                queue.send(submission).await.unwrap();
            }
        };
        let (_, ()) = tokio::join!(gathered.until(tokio::task::yield_now(), &mut waiting), sent);
        assert_eq!(names(&gathered), ["many", "fits"]);
        let ((), _) = gathered.until(future::ready(()), &mut waiting).await;
        assert_eq!(names(&gathered), ["many", "fits"], "it is full for as long as it lives");
        assert_eq!(names(&Gathered::next(&mut waiting).await.unwrap()), ["too large", "behind"]);
    }

    #[tokio::test]
    async fn a_unit_that_is_tried_alone_stays_alone_and_may_have_any_size() {
        let (queue, mut waiting) = queue();
        queue.send(submission("huge", GROUP_BYTES_MAX + 1)).await.unwrap();
        queue.send(submission("next", 1)).await.unwrap();
        let mut gathered = Gathered::next(&mut waiting).await.unwrap();
        assert_eq!(names(&gathered), ["huge"]);
        let mut alone = Gathered::alone(gathered.units.remove(0));
        let ((), wanted) = alone.until(future::ready(()), &mut waiting).await;
        assert_eq!((names(&alone), wanted_names(&wanted)), (vec!["huge"], vec!["huge"]));
    }
}
