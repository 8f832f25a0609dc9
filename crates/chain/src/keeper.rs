//! Keeps a lane moving where nobody else does: whoever submitted may be gone, and nobody need wait for an end.
//!
//! While something is stored that the ledger does not have, the lane's keeper looks at each head for the ledger's nonce. It
//! widens the lane's window by that, offers what is held back when its turn comes and nobody waits for it, and where the ledger's
//! nonce has not moved for [`STALL_BLOCKS`] looks whether the node has lost the transaction with that nonce. So a gap in the nonces
//! does not last as long as a silence, but some blocks.
//!
//! A keeper works on a core that it does not own. Whoever closes the core has it rest first, so that closing is what it says.

use std::sync::{Arc, Weak};

use alloy_primitives::Address;
use tokio::sync::{RwLock, RwLockWriteGuard, watch};
use tokio::task::JoinHandle;

use crate::chain::{Core, LaneState};
use crate::head::Heads;
use crate::rpc::{At, Rpc};
use crate::window::Window;

/// After so many blocks in which the ledger's nonce of a lane has not moved, its keeper looks why. A gap may last ten: three leave
/// room for two repairs that are lost on the way.
pub(crate) const STALL_BLOCKS: u64 = 3;

/// Has the keepers of a core rest while that is closed.
#[derive(Debug, Clone)]
pub(crate) struct Keeping {
    working: Arc<RwLock<()>>,
    closing: watch::Sender<usize>,
}

/// No keeper works on the core until this is dropped.
pub(crate) struct Resting<'a> {
    keeping: &'a Keeping,
    _none_works: RwLockWriteGuard<'a, ()>,
}

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        self.keeping.closing.send_modify(|closing| *closing -= 1);
    }
}

impl Keeping {
    pub(crate) fn new() -> Self {
        Self { working: Arc::default(), closing: watch::Sender::new(0) }
    }

    /// Has those who work stop where they are, and waits until they hold the core no more.
    pub(crate) async fn rest(&self) -> Resting<'_> {
        self.closing.send_modify(|closing| *closing += 1);
        Resting { keeping: self, _none_works: self.working.write().await }
    }

    async fn until_closing(&self) {
        drop(self.closing.subscribe().wait_for(|closing| *closing > 0).await);
    }
}

/// A lane's keeper, until it is dropped.
#[derive(Debug)]
pub(crate) struct Keeper(JoinHandle<()>);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a keeper has.
struct Post {
    sender: Address,
    window: Arc<Window>,
    heads: Heads,
    rpc: Arc<Rpc>,
    core: Weak<Core>,
    keeping: Keeping,
}

/// What a keeper does besides looking at heads.
#[derive(Clone, Copy)]
enum Duty {
    /// Offers what is held back and nobody waits for.
    OfferLeft,
    /// Has what the node lost sent again.
    Mend,
}

impl Core {
    /// Gives the lane a keeper, if it has none.
    pub(crate) fn keep(&self, lane: &LaneState) {
        let Some(core) = self.me.get() else { return };
        let _ = lane.keeper.get_or_init(|| {
            let post = Post {
                sender: lane.sender,
                window: self.windows.of(lane.sender),
                heads: self.head.heads(),
                rpc: Arc::clone(&self.rpc),
                core: Weak::clone(core),
                keeping: self.keeping.clone(),
            };
            Keeper(tokio::spawn(async move {
                let _ = tokio::join!(post.look(), post.stands_by_for(Duty::OfferLeft), post.stands_by_for(Duty::Mend));
            }))
        });
    }
}

impl Post {
    /// Looks at the heads as long as something is stored that the ledger does not have.
    async fn look(&self) {
        loop {
            self.window.until_busy().await;
            let mut head = self.heads.subscribe();
            let mut moved_at = None;
            while self.window.is_busy() {
                if head.changed().await.is_err() {
                    return;
                }
                let number = *head.borrow_and_update();
                match self.rpc.transaction_count(self.sender, At::Latest).await {
                    Ok(count) if self.window.ledger_has(count) => moved_at = Some(number),
                    Ok(_) => {}
                    Err(error) => tracing::debug!(sender = %self.sender, %error, "the ledger's nonce is not known"),
                }
                if number.saturating_sub(*moved_at.get_or_insert(number)) >= STALL_BLOCKS {
                    moved_at = Some(number);
                    self.window.tell_stalled();
                }
                // What a node could not take at the last head.
                self.window.wake_if_due();
            }
        }
    }

    async fn stands_by_for(&self, duty: Duty) {
        loop {
            match duty {
                Duty::OfferLeft => self.window.until_due().await,
                Duty::Mend => self.window.until_stalled().await,
            }
            let _working = self.keeping.working.read().await;
            // Dropped before the guard is.
            let Some(core) = self.core.upgrade() else { return };
            tokio::select! {
                biased;
                () = self.keeping.until_closing() => {}
                () = core.serve(duty, self.sender) => {}
            }
        }
    }
}

impl Core {
    /// Whether the lane is ours, and may send.
    async fn is_kept(&self, sender: Address) -> bool {
        let lane = self.held(sender).await;
        self.stopped().is_none() && lane.is_some_and(|lane| lane.paused().is_none())
    }

    /// What is given up half-way is in the store; what was to be offered then is found when the lane stalls.
    async fn serve(&self, duty: Duty, sender: Address) {
        if !self.is_kept(sender).await {
            return;
        }
        let done = match duty {
            Duty::OfferLeft => self.offer_left(sender).await,
            Duty::Mend => self.mend(sender).await,
        };
        if let Err(error) = done {
            tracing::warn!(%sender, %error, "what the lane has open cannot be read");
        }
    }
}
