//! Unique claims within a group.

use std::collections::{BTreeSet, HashMap, HashSet};

use messages::StreamName;

use super::Refusal;
use crate::store::Rows;
use crate::unit::{Claim, UnitOfWork};

/// Claims as they stand after the units admitted so far.
pub(super) struct Claims {
    now: HashMap<Claim, StreamName>,
    stored: HashSet<Claim>,
    touched: BTreeSet<Claim>,
}

impl Claims {
    pub(super) fn new(found: HashMap<Claim, StreamName>) -> Self {
        Self { stored: found.keys().cloned().collect(), now: found, touched: BTreeSet::new() }
    }

    /// Within one unit, what is given back is free before anything is taken.
    pub(super) fn check(&self, unit: &UnitOfWork) -> Result<(), Refusal> {
        for (claim, stream) in &unit.claims_released {
            if self.now.get(claim) != Some(stream) {
                let (kind, value) = (claim.kind.clone(), claim.value.clone());
                return Err(Refusal::ClaimNotHeld { kind, value, stream: stream.clone() });
            }
        }
        for (index, (claim, stream)) in unit.claims.iter().enumerate() {
            let is_released = unit.claims_released.iter().any(|(released, _)| released == claim);
            let stored = if is_released { None } else { self.now.get(claim) };
            let mine = unit.claims[..index].iter().find(|(other, _)| other == claim).map(|(_, stream)| stream);
            if let Some(holder) = stored.into_iter().chain(mine).find(|holder| *holder != stream) {
                let (kind, value) = (claim.kind.clone(), claim.value.clone());
                return Err(Refusal::ClaimTaken { kind, value, holder: holder.clone() });
            }
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, unit: &UnitOfWork) {
        for (claim, _) in &unit.claims_released {
            drop(self.now.remove(claim));
            let _ = self.touched.insert(claim.clone());
        }
        for (claim, stream) in &unit.claims {
            drop(self.now.insert(claim.clone(), stream.clone()));
            let _ = self.touched.insert(claim.clone());
        }
    }

    /// A stored claim that changed hands is removed and made anew.
    pub(super) fn write(mut self, rows: &mut Rows) {
        for claim in self.touched {
            if self.stored.contains(&claim) {
                rows.claims_removed.push(claim.clone());
            }
            if let Some(stream) = self.now.remove(&claim) {
                rows.claims_new.push((claim, stream));
            }
        }
    }
}
