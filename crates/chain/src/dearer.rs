//! A transaction that no block takes, or no node at its price, is offered anew at a higher one, where transactions have a price.
//!
//! It is the same but for its price, and has the same nonce, so that one of the two is mined at most: the ledger decides which, and
//! either is the intent's effect. It is stored before it is sent, with the hashes of those before it. What is free has no dearer
//! form: there, waiting is all that helps (Besu's bump of the price zero is zero, hyperledger/besu#6079).

use alloy_consensus::{SignableTransaction as _, TxEnvelope, TypedTransaction};
use alloy_eips::eip2718::Decodable2718 as _;

use crate::chain::Core;
use crate::delivery::{Offer, Outgoing};
use crate::profile::FeeModel;
use crate::store::{StoreError, StoredIntent};

impl Core {
    /// Offers the intent's transaction once at a higher price, if it was found to be slow before. What a node says to that is seen when
    /// the lane stands still for longer.
    pub(crate) async fn quicken(&self, intent: &StoredIntent) -> Result<(), StoreError> {
        let Some(lane) = self.held(intent.sender).await else { return Ok(()) };
        if !lane.is_slow_again(intent.hash) {
            return Ok(());
        }
        let Some(dearer) = self.at_a_higher_price(intent).await? else { return Ok(()) };
        match self.offer(&Outgoing::of(&dearer)).await {
            Offer::Taken => {}
            Offer::Pause(reason) => lane.pause(&reason),
            answer => tracing::warn!(key = %dearer.key, ?answer, "the dearer transaction is not with the node yet"),
        }
        Ok(())
    }

    /// Stores the intent's transaction at a higher price, and gives the intent as it stands then; `None` if that cannot be: it is free,
    /// as dear as the profile lets it be, has ended or is being cancelled, or the lane is not ours. If somebody else made it dearer
    /// meanwhile, that is given.
    pub(crate) async fn at_a_higher_price(&self, intent: &StoredIntent) -> Result<Option<StoredIntent>, StoreError> {
        let (key, nonce, steps) = (&intent.key, intent.nonce, intent.earlier.len());
        if intent.cancelling.is_some() {
            return Ok(None);
        }
        let Some(unsigned) = dearer(intent, self.profile.fees) else { return Ok(None) };
        let Some(lane) = self.held(intent.sender).await else { return Ok(None) };
        if steps >= usize::try_from(self.profile.price_steps_max).unwrap_or(usize::MAX) {
            tracing::warn!(%key, nonce, steps, "the transaction is not taken at the highest price that the profile allows");
            return Ok(None);
        }
        let signed = match self.custody.sign_dearer(&lane.label, &intent.raw, &unsigned, self.profile.chain_id) {
            Ok(signed) => signed,
            Err(error) => {
                tracing::warn!(%key, nonce, %error, "a transaction cannot be signed at a higher price");
                return Ok(None);
            }
        };
        let earlier = intent.earlier.iter().copied().chain([intent.hash]).collect();
        let dearer = StoredIntent { hash: signed.hash, raw: signed.raw, earlier, ..intent.clone() };
        #[cfg(test)]
        let dearer = self.planted_dearer(dearer);
        let fence = lane.row.lock().await.fence;
        if !self.store.reprice(intent, fence, &dearer).await? {
            let now = self.store.attempt(intent).await?;
            let is_another = now.outcome.is_none() && now.cancelling.is_none() && now.hash != intent.hash;
            return Ok(is_another.then_some(now));
        }
        self.turns.send_modify(|turns| *turns += 1);
        tracing::info!(%key, nonce, replaced = %intent.hash, hash = %dearer.hash, "a transaction gets a higher price");
        Ok(Some(dearer))
    }

    /// A planted defect: what was sent before at a lower price is forgotten.
    #[cfg(test)]
    fn planted_dearer(&self, mut dearer: StoredIntent) -> StoredIntent {
        if self.mutant == Some(crate::simulation::Mutant::EarlierForgotten) {
            dearer.earlier.clear();
        }
        dearer
    }
}

/// The transaction, and what it offers.
pub(crate) fn price_of(raw: &[u8]) -> Option<(TypedTransaction, FeeModel)> {
    let transaction = TypedTransaction::from(TxEnvelope::decode_2718_exact(raw).ok()?);
    let fees = FeeModel::of(&transaction);
    Some((transaction, fees))
}

/// What is offered in the place of the intent's transaction: an eighth more, or what the profile says by now if that is more.
pub(crate) fn fees_to_replace(intent: &StoredIntent, fees: FeeModel) -> FeeModel {
    price_of(&intent.raw).map_or(fees, |(_, present)| present.to_replace().or_more(fees))
}

/// The same at a higher price, to be signed; `None` if it is free.
fn dearer(intent: &StoredIntent, fees: FeeModel) -> Option<Vec<u8>> {
    let (mut transaction, present) = price_of(&intent.raw)?;
    match (&mut transaction, fees_to_replace(intent, fees)) {
        (_, next) if next == present => return None,
        (TypedTransaction::Legacy(transaction), FeeModel::Legacy { gas_price_wei }) => {
            transaction.gas_price = gas_price_wei;
        }
        (
            TypedTransaction::Eip1559(transaction),
            FeeModel::Eip1559 { max_fee_per_gas_wei, max_priority_fee_per_gas_wei },
        ) => {
            transaction.max_fee_per_gas = max_fee_per_gas_wei;
            transaction.max_priority_fee_per_gas = max_priority_fee_per_gas_wei;
        }
        _ => return None,
    }
    Some(transaction.encoded_for_signing())
}
