//! In a simulation time stands while the store works: databases have threads of their own, whose pace no seed decides.
//!
//! Tokio's paused clock does not run on while a blocking task is there. So one is, as long as anything waits for the store.

use std::sync::{Arc, Mutex, mpsc};

use journal::store::Durability;

/// Holds the paused clock. Clones share it.
#[derive(Clone)]
pub(super) struct Still {
    is_simulated: bool,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    count: usize,
    /// The blocking task lasts until this is dropped.
    held: Option<mpsc::Sender<()>>,
}

/// Somebody waits.
struct Turn(Arc<Mutex<Waiting>>);

impl Drop for Turn {
    fn drop(&mut self) {
        let mut waiting = self.0.lock().unwrap();
        waiting.count -= 1;
        if waiting.count == 0 {
            waiting.held = None;
        }
    }
}

impl Still {
    /// What survives no loss of power is a simulation's.
    pub(super) fn of(durability: Durability) -> Self {
        Self { is_simulated: durability == Durability::ProcessOnly, waiting: Arc::default() }
    }

    fn turn(&self) -> Option<Turn> {
        if !self.is_simulated {
            return None;
        }
        let mut waiting = self.waiting.lock().unwrap();
        waiting.count += 1;
        if waiting.held.is_none() {
            let (held, end) = mpsc::channel();
            drop(tokio::task::spawn_blocking(move || {
                let _ = end.recv();
            }));
            waiting.held = Some(held);
        }
        Some(Turn(Arc::clone(&self.waiting)))
    }

    /// The clock stands until the future has ended.
    pub(super) async fn until<F: Future>(&self, future: F) -> F::Output {
        let _turn = self.turn();
        future.await
    }

    /// The same, whether or not somebody polls what is given back.
    pub(super) fn beside<F>(&self, future: F) -> impl Future<Output = F::Output> + Send + use<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let still = self.clone();
        let task = tokio::spawn(async move { still.until(future).await });
        async move { task.await.expect("waiting for the store does not panic") }
    }
}
