//! The head's number, asked for as long as somebody waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::rpc::Rpc;

/// Asks the node for its head while there are watchers, one question for all of them.
pub(crate) struct HeadWatch {
    heads: Heads,
    task: JoinHandle<()>,
}

/// Where the heads are seen.
#[derive(Clone)]
pub(crate) struct Heads {
    head: watch::Sender<u64>,
    wanted: Arc<Notify>,
}

impl Heads {
    /// Sees the head from now on, whenever it moves.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        let watcher = self.head.subscribe();
        self.wanted.notify_one();
        watcher
    }
}

impl HeadWatch {
    pub(crate) fn start(rpc: Arc<Rpc>, poll: Duration) -> Self {
        let (head, wanted) = (watch::Sender::new(0), Arc::new(Notify::new()));
        let task = tokio::spawn(ask(rpc, poll, head.clone(), Arc::clone(&wanted)));
        Self { heads: Heads { head, wanted }, task }
    }

    /// Sees the head from now on, whenever it moves.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.heads.subscribe()
    }

    /// For one who looks at heads now and then; nobody is told when this ends.
    pub(crate) fn heads(&self) -> Heads {
        self.heads.clone()
    }
}

impl Drop for HeadWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn ask(rpc: Arc<Rpc>, poll: Duration, head: watch::Sender<u64>, wanted: Arc<Notify>) {
    loop {
        while head.receiver_count() == 0 {
            wanted.notified().await;
        }
        match rpc.block_number().await {
            Ok(number) => {
                let _ = head.send_if_modified(|known| std::mem::replace(known, number) != number);
            }
            Err(error) => tracing::debug!(%error, "the head is not known"),
        }
        tokio::time::sleep(poll).await;
    }
}
