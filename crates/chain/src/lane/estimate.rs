//! How much gas an intent needs, where nobody has measured it: the node is asked, and a failure is told apart from what says nothing
//! about the intent.

use alloy_primitives::{Address, Bytes};
use node_errors::NextStep;

use super::Lane;
use crate::intent::{Intent, IntentError, IntentKey};
use crate::revert::Revert;
use crate::rpc::{At, CallRequest, NodeAnswer, RpcError};

/// How much is added to what the node found, in per cent of that: the state at the transaction's turn is another than at the head, and
/// a slot that was written meanwhile, or one call more, costs some thousands. What is not used is not paid.
pub const ESTIMATE_MARGIN_PERCENT: u64 = 50;

/// There is no gas limit for the intent. Nothing was stored, and its key is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EstimateError {
    /// It can never succeed as it stands, whatever its gas.
    #[error("intent `{key}` cannot be sent")]
    Intent {
        /// The key.
        key: IntentKey,
        /// Why not.
        source: IntentError,
    },
    /// The node tried it at its head, and it fails there. Final only if nothing is in flight that it may need, and the node knows all
    /// that has ended: else wait for that, and estimate it again.
    #[error("intent `{key}` fails: {reason}")]
    Fails {
        /// The key.
        key: IntentKey,
        /// Why, as far as Solidity defines the error, and what the node said.
        reason: String,
        /// The raw error, if the call reverted: whoever knows the contract decodes it.
        revert_data: Option<Bytes>,
    },
    /// The sender cannot pay or is not permitted: that says nothing about the intent. Fund or permit it, then estimate again.
    #[error("the node tries nothing for {sender}: {reason}")]
    Sender {
        /// The sender.
        sender: Address,
        /// What the node said.
        reason: String,
    },
    /// The node said neither how much it needs nor that it fails. Estimate it again some times, then give a gas limit of your own.
    #[error("the gas of intent `{key}` is not known: {reason}")]
    Unclear {
        /// The key.
        key: IntentKey,
        /// What the node said.
        reason: String,
    },
    /// The node did not answer, or cannot serve now. Estimate it again later, as long as it takes.
    #[error("the node estimates no gas now")]
    Node {
        /// What happened.
        source: RpcError,
    },
}

impl Lane {
    /// A gas limit with which the intent would succeed at the node's head, sent by this lane: what the node found and
    /// [`ESTIMATE_MARGIN_PERCENT`] more, at most what one transaction may ask for here. The intent's own gas limit is not looked at.
    /// For contracts that nobody has measured; what is in flight before the intent, the node does not count.
    ///
    /// # Errors
    ///
    /// See [`EstimateError`]. [`EstimateError::Fails`] is final only if nothing that the intent may need is in flight.
    ///
    /// # Cancel safety
    ///
    /// Only asks; can be dropped at any time.
    pub async fn estimate(&self, intent: &Intent) -> Result<u64, EstimateError> {
        let bounds = intent.gas_bounds(&self.core.profile);
        let bounds = bounds.map_err(|source| EstimateError::Intent { key: intent.key.clone(), source })?;
        let (least, most) = bounds.into_inner();
        let found = self.core.rpc.estimate_gas(&self.as_call(intent, most)).await;
        let found = found.map_err(|error| self.meant(intent, error))?;
        if found > most {
            let reason = format!("it needs {found} gas, and one transaction may ask for {most} here");
            return Err(EstimateError::Fails { key: intent.key.clone(), reason, revert_data: None });
        }
        let margin = found.saturating_mul(ESTIMATE_MARGIN_PERCENT) / 100;
        Ok(found.saturating_add(margin).clamp(least, most))
    }

    /// What is to be thought of an intent whose estimate failed, by a block that holds everything up to `settled`: it fails there too,
    /// or that is not certain. The estimate may have come from a node that is behind.
    pub(crate) async fn judge(&self, intent: &Intent, settled: u64) -> EstimateError {
        let most = match intent.gas_bounds(&self.core.profile) {
            Ok(bounds) => *bounds.end(),
            Err(source) => return EstimateError::Intent { key: intent.key.clone(), source },
        };
        let unclear = |reason| EstimateError::Unclear { key: intent.key.clone(), reason };
        // The head by its number: another node behind the same address has that very block, or says that it does not.
        let head = match self.core.rpc.block_number().await {
            Ok(head) if head < settled => {
                return unclear(format!("the node is at block {head}, and what ended in block {settled} counts"));
            }
            Ok(head) => head,
            Err(error) => return self.meant(intent, error),
        };
        match self.core.rpc.call(&self.as_call(intent, most), At::Number(head)).await {
            Ok(_) => unclear(format!("no gas could be estimated, and at block {head} the call succeeds")),
            Err(error) => self.meant(intent, error),
        }
    }

    /// The intent as a call with so much gas. Without a price, so that nobody asks whether the sender can pay for the gas.
    fn as_call(&self, intent: &Intent, gas: u64) -> CallRequest {
        let (to, data, value_wei) = (intent.target.to().copied(), intent.data.clone(), intent.value_wei);
        CallRequest { from: Some(self.state.sender), to, data, value_wei, gas: Some(gas) }
    }

    /// What the node's error means for an intent that was tried.
    fn meant(&self, intent: &Intent, error: RpcError) -> EstimateError {
        let key = intent.key.clone();
        let RpcError::Answered { answer, .. } = &error else { return EstimateError::Node { source: error } };
        let Some(row) = answer.row else { return EstimateError::Unclear { key, reason: said(answer) } };
        match row.meaning.next_step() {
            NextStep::DecodeRevert | NextStep::Refuse => {
                let revert_data = error.revert_data();
                let reason = match &revert_data {
                    Some(data) => format!("{}; the node says: {}", Revert::decode(data), said(answer)),
                    None => said(answer),
                };
                EstimateError::Fails { key, reason, revert_data }
            }
            NextStep::PauseSender => EstimateError::Sender { sender: self.state.sender, reason: said(answer) },
            NextStep::OtherNode | NextStep::StopAndAlarm => EstimateError::Node { source: error },
            NextStep::AwaitReceipt
            | NextStep::SendSameBytesAgain
            | NextStep::WaitAndSendSameBytes
            | NextStep::ShrinkWindow
            | NextStep::LookUpByHash
            | NextStep::RepairLowerNonce
            | NextStep::Reprice
            | NextStep::AskForLess
            | NextStep::NotThere
            | NextStep::SubscribeAgain
            | NextStep::OtherMethod
            | NextStep::FixRequest => EstimateError::Unclear { key, reason: said(answer) },
        }
    }
}

fn said(answer: &NodeAnswer) -> String {
    format!("{} ({})", answer.message, answer.code)
}
