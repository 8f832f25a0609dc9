//! Several intents at once: looked up, signed side by side, and put in the store's queue in their order.
//!
//! A token takes a millisecond or some for a signature and makes several at once, so that one after another is far below what it can
//! do. What is signed here is for the nonces that follow the lane's next one. If one of them is not signed or not queued, the nonces
//! of those behind it are wrong, and these are signed again, each in its turn.

use tokio::task::JoinSet;

use super::{Known, Lane, Queued, SubmitError};
use crate::intent::Intent;
use crate::store::{RequestedBy, StoredIntent};

/// How many signatures of a lane are made at once.
const SIGNERS: usize = 8;

/// An intent that is to be a transaction.
pub(crate) struct Wanted<'a> {
    pub(crate) intent: &'a Intent,
    /// The request for it, if a service asked by an event.
    pub(crate) requested: Option<RequestedBy>,
}

/// What is to be signed, and the how manieth of the free ones it is.
struct Draft {
    at: usize,
    nonce: u64,
    intent: Intent,
    attempt: i64,
}

/// What the store says of it.
enum Place<'a> {
    /// This attempt is the next.
    Free(Wanted<'a>, i64),
    /// It was submitted before.
    Repeated,
    Failed(SubmitError),
}

impl Lane {
    /// Puts the intents in the store's queue, in the order of the list and of nonces. Each has its own result, in that order: `None` if it
    /// was submitted before, or its key was taken meanwhile. After an error with which `goes_on` does not agree nothing more is
    /// queued, and the results end with that.
    pub(crate) async fn queue_part(
        &self,
        wanted: Vec<Wanted<'_>>,
        goes_on: impl Fn(&SubmitError) -> bool,
    ) -> Vec<Result<Option<Queued>, SubmitError>> {
        let mut places = Vec::with_capacity(wanted.len());
        for one in wanted {
            let place = self.place(one).await;
            let is_last = matches!(&place, Place::Failed(error) if !goes_on(error));
            places.push(place);
            if is_last {
                break;
            }
        }
        let mut row = self.state.row.lock().await;
        let mut signed = self.sign_side_by_side(&places, row.next_nonce).await.into_iter();
        let mut results = Vec::with_capacity(places.len());
        for place in places {
            let result = match place {
                Place::Free(Wanted { intent, requested }, attempt) => {
                    let signed = signed.next().flatten();
                    self.queue_next(&mut row, intent, attempt, requested, signed).await
                }
                Place::Repeated => Ok(None),
                Place::Failed(error) => Err(error),
            };
            let is_last = matches!(&result, Err(error) if !goes_on(error));
            results.push(result);
            if is_last {
                break;
            }
        }
        results
    }

    async fn place<'a>(&self, wanted: Wanted<'a>) -> Place<'a> {
        if let Err(error) = self.check(wanted.intent) {
            return Place::Failed(error);
        }
        match self.known(wanted.intent).await {
            Ok(Known::Free { attempt }) => Place::Free(wanted, attempt),
            // Somebody called for the same under the key of a request: it cannot be told whose it is.
            Ok(Known::Repeated(_)) if wanted.requested.is_some() => {
                Place::Failed(SubmitError::KeyUsedOtherwise { key: wanted.intent.key.clone() })
            }
            Ok(Known::Repeated(_)) => Place::Repeated,
            Err(error) => Place::Failed(error),
        }
    }

    /// Those that are free, signed for the nonces from this one on, where that can be: a policy decides one after another. If one is not
    /// signed, nothing is told or kept of that: who signs it in its turn says why.
    async fn sign_side_by_side(&self, places: &[Place<'_>], nonce: u64) -> Vec<Option<StoredIntent>> {
        let mut drafts: Vec<Draft> = Vec::new();
        for place in places {
            if let Place::Free(Wanted { intent, .. }, attempt) = place {
                let at = drafts.len();
                drafts.push(Draft { at, nonce: nonce + at as u64, intent: (*intent).clone(), attempt: *attempt });
            }
        }
        if drafts.len() < 2 || self.core.custody.policy(&self.state.label).is_some() {
            return Vec::new();
        }
        let mut signed = vec![None; drafts.len()];
        let mut parts: Vec<Vec<Draft>> = Vec::new();
        parts.resize_with(SIGNERS.min(drafts.len()), Vec::new);
        for draft in drafts {
            let part = draft.at % parts.len();
            parts[part].push(draft);
        }
        let mut signers = JoinSet::new();
        for part in parts {
            let lane = self.clone();
            let sign = move |Draft { at, nonce, intent, attempt }: Draft| {
                (at, lane.sign_without_policy(&intent, attempt, nonce).ok())
            };
            let _ = signers.spawn_blocking(move || part.into_iter().map(sign).collect::<Vec<_>>());
        }
        while let Some(part) = signers.join_next().await {
            // One that panicked has signed nothing.
            for (at, one) in part.unwrap_or_default() {
                signed[at] = one;
            }
        }
        signed
    }
}
