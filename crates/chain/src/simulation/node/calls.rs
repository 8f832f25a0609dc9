//! Calls and estimates, as the model answers them: one that reverts fails always, and one that needs another transaction fails until that
//! is in a block. Behind the node's address there are some that lag.

use alloy_primitives::{Bytes, U64};
use node_errors::Meaning;
use serde_json::{Value, json};

use super::{Effect, Node, World};

/// What each call that succeeds needs.
pub(in crate::simulation) const CALL_GAS: u64 = 40_000;

/// In how many of a thousand estimates the node that answers is behind, where there are faults.
const BEHIND: u64 = 150;

/// How many blocks it is behind at most.
const BEHIND_BLOCKS_MAX: u64 = 3;

/// What stands after an effect's calldata where another transaction must be done before.
const NEEDS_BYTES: usize = 8;

/// The effect's calldata, and whose effect is needed before.
pub(super) fn split(calldata: &[u8]) -> (&[u8], Option<u64>) {
    match calldata.len() {
        17 => {
            let (effect, needs) = calldata.split_at(calldata.len() - NEEDS_BYTES);
            (effect, needs.try_into().ok().map(u64::from_be_bytes))
        }
        _ => (calldata, None),
    }
}

impl Effect {
    /// Calldata of what fails until the effect of `needs` is there.
    pub(in crate::simulation) fn calldata_after(self, id: u64, needs: u64) -> Vec<u8> {
        [self.calldata(id), needs.to_be_bytes().to_vec()].concat()
    }
}

impl Node {
    /// From now on every call and estimate is answered with this.
    pub(in crate::simulation) fn refuse_calls(&self, meaning: Option<Meaning>) {
        self.world().call_refusal = meaning;
    }
}

impl World {
    pub(super) fn estimate(&mut self, params: &Value) -> Result<Value, Meaning> {
        let is_behind = self.faults.way > 0 && self.is_faulty() && self.random.per_mille(BEHIND);
        let behind = if is_behind { 1 + self.random.below(BEHIND_BLOCKS_MAX) } else { 0 };
        let blocks = self.blocks.len().saturating_sub(usize::try_from(behind).unwrap());
        self.execute(params, blocks).map(|()| json!(U64::from(CALL_GAS)))
    }

    pub(super) fn call(&self, params: &Value) -> Result<Value, Meaning> {
        let blocks = match params[1].as_str().unwrap() {
            "latest" => self.blocks.len(),
            number => 1 + number.parse::<U64>().unwrap().to::<usize>(),
        };
        if blocks > self.blocks.len() {
            return Err(Meaning::BlockNotFound);
        }
        self.execute(params, blocks).map(|()| json!("0x"))
    }

    /// On the state after so many blocks.
    fn execute(&self, params: &Value, blocks: usize) -> Result<(), Meaning> {
        if let Some(meaning) = self.call_refusal {
            return Err(meaning);
        }
        let input: Bytes = params[0]["data"].as_str().unwrap().parse().unwrap();
        let is_done = |id| {
            let mut done = self.blocks[..blocks].iter().flatten();
            done.any(|tx| Effect::read(&tx.input) == Some((Effect::Done, id)))
        };
        match (Effect::read(&input), split(&input).1) {
            (Some((Effect::Reverted, _)), _) => Err(Meaning::ExecutionReverted),
            (_, Some(needs)) if !is_done(needs) => Err(Meaning::ExecutionReverted),
            _ => Ok(()),
        }
    }
}
