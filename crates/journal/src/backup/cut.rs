//! The cut: snapshots of several stores, taken while no appender of any is at work.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::audit::Head as AuditHead;
use crate::store::{Head, Hold, Holder, Place, Snapshot, Store, StoreError};

/// How long the appenders are held at most: then the cut is given up, and they go on.
pub const HOLD_MAX: Duration = Duration::from_secs(5);

/// Snapshots of several stores at one moment. They are read by [`Self::write`]; dropped, they end.
#[derive(Debug)]
pub struct Cut {
    pub(super) parts: Vec<Part>,
    pub(super) held: Duration,
}

/// A store in the cut.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) snapshot: Snapshot,
    pub(super) head: Head,
}

/// No cut was made. The appenders go on.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// A store stands there twice, or two stores have one name.
    #[error("store `{name}` is named twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// A name cannot be a file's name and a schema's.
    #[error(
        "`{name}` is no name of a store in a backup: it has 1 to 40 lower-case letters, digits and `_`, and begins with a letter"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A store cannot be held or read.
    #[error("store `{name}` cannot be cut")]
    Store {
        /// The store.
        name: String,
        /// Why not.
        source: StoreError,
    },
    /// The snapshots were not there in time.
    #[error("the appenders were held for {} ms and the snapshots were not there", max.as_millis())]
    TooSlow {
        /// How long they were held.
        max: Duration,
    },
}

/// A store to be cut: its name, where it is, and its handle if it is open here.
struct Wanted<'a> {
    name: String,
    place: &'a Place,
    store: Option<&'a Store>,
}

impl Cut {
    /// Cuts stores that are open in this process; each has the name of its file or schema.
    ///
    /// # Errors
    ///
    /// See [`CutError`].
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, the appenders go on.
    pub async fn of(stores: &[&Store]) -> Result<Self, CutError> {
        let wanted = stores.iter().map(|store| {
            let place = store.place();
            Wanted { name: place.short_name(), place, store: Some(*store) }
        });
        cut(wanted.collect()).await
    }

    /// Cuts stores that may be at work in other processes, each under a name.
    ///
    /// # Errors
    ///
    /// See [`CutError`].
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, the appenders go on.
    pub async fn at(places: &[(String, Place)]) -> Result<Self, CutError> {
        let wanted = places.iter().map(|(name, place)| Wanted { name: name.clone(), place, store: None });
        cut(wanted.collect()).await
    }

    /// How long the appenders were held.
    #[must_use]
    pub const fn held(&self) -> Duration {
        self.held
    }

    /// How far each store goes, by name.
    #[must_use]
    pub fn heads(&self) -> Vec<(&str, AuditHead)> {
        self.parts.iter().map(|part| (part.name.as_str(), audit_head(&part.head))).collect()
    }
}

pub(super) const fn audit_head(head: &Head) -> AuditHead {
    AuditHead { store: head.store, position: head.position, hash: head.hash }
}

async fn cut(mut wanted: Vec<Wanted<'_>>) -> Result<Cut, CutError> {
    // Two cuts that hold the same stores hold them in the same order: neither waits for the other with something in its hands.
    wanted.sort_by_key(|wanted| wanted.place.order());
    check(&wanted)?;
    // Everything that takes time is done before anybody is held.
    let connecting = wanted.iter().map(async |wanted| {
        let connected = async {
            let snapshot = Snapshot::connect(wanted.place).await?;
            let holder = match wanted.store {
                Some(store) => Holder::Store(store),
                None => Holder::connect(wanted.place).await?,
            };
            Ok((snapshot, holder))
        };
        connected.await.map_err(|source| CutError::Store { name: wanted.name.clone(), source })
    });
    let (mut snapshots, holders): (Vec<Snapshot>, Vec<Holder<'_>>) =
        try_join_all(connecting).await?.into_iter().unzip();
    let mut holds = Vec::with_capacity(holders.len());
    let began = Instant::now();
    let taking = async {
        hold_all(holders, &wanted, &mut holds).await?;
        take(&mut snapshots, &wanted).await
    };
    let heads = tokio::time::timeout(HOLD_MAX, taking).await;
    for hold in holds {
        hold.release().await;
    }
    let held = began.elapsed();
    let heads = heads.unwrap_or(Err(CutError::TooSlow { max: HOLD_MAX }));
    let parts = heads?.into_iter().zip(snapshots).zip(wanted);
    let parts = parts.map(|((head, snapshot), wanted)| Part { name: wanted.name, snapshot, head }).collect();
    Ok(Cut { parts, held })
}

fn check(wanted: &[Wanted<'_>]) -> Result<(), CutError> {
    for (index, one) in wanted.iter().enumerate() {
        if !super::check_name(&one.name) {
            return Err(CutError::Name { name: one.name.clone() });
        }
        if wanted[..index].iter().any(|other| other.name == one.name || other.place == one.place) {
            return Err(CutError::Twice { name: one.name.clone() });
        }
    }
    Ok(())
}

/// Holds one store after the other. What is held is in `holds`, also if the next cannot be.
async fn hold_all(holders: Vec<Holder<'_>>, wanted: &[Wanted<'_>], holds: &mut Vec<Hold>) -> Result<(), CutError> {
    for (holder, wanted) in holders.into_iter().zip(wanted) {
        let held = holder.hold().await;
        holds.push(held.map_err(|source| CutError::Store { name: wanted.name.clone(), source })?);
    }
    Ok(())
}

/// Takes all snapshots at once.
async fn take(snapshots: &mut [Snapshot], wanted: &[Wanted<'_>]) -> Result<Vec<Head>, CutError> {
    let taking = snapshots.iter_mut().zip(wanted).map(async |(snapshot, wanted)| {
        snapshot.take().await.map_err(|source| CutError::Store { name: wanted.name.clone(), source })
    });
    try_join_all(taking).await
}
