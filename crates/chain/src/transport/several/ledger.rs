//! Which ledger several nodes are on, and whether one of them is on it.

use std::sync::{Arc, OnceLock};

use alloy_primitives::B256;

use crate::rpc::{At, Rpc, RpcError};
use crate::transport::RpcTransport;

/// Chain id and first block, as the first node said them that did. A chain id alone would not do, since bytes that are signed for
/// one network could be played on another with the same; nor would the block, which does not tell the chain id.
#[derive(Debug, Default)]
pub(super) struct LedgerName(OnceLock<(u64, B256)>);

/// Why a node is not asked.
#[derive(Debug)]
pub(super) enum NotThere {
    /// It did not say which ledger it is on.
    Silent(String),
    /// It is on another one.
    Elsewhere(String),
}

impl LedgerName {
    /// Whether the node is on it; if no node said yet which it is, on this node's from now on.
    pub(super) async fn is_of(&self, transport: &Arc<dyn RpcTransport>) -> Result<(), NotThere> {
        let rpc = Rpc::new(Arc::clone(transport));
        let silent = |error: RpcError| NotThere::Silent(error.to_string());
        let chain_id = rpc.chain_id().await.map_err(silent)?;
        let genesis = rpc.block_name(At::Number(0)).await.map_err(silent)?;
        let genesis = genesis.ok_or_else(|| NotThere::Silent("it has no genesis block".to_owned()))?.hash;
        let &(our_id, ours) = self.0.get_or_init(|| (chain_id, genesis));
        if (chain_id, genesis) == (our_id, ours) {
            return Ok(());
        }
        Err(NotThere::Elsewhere(format!(
            "it is on chain {chain_id} with genesis {genesis}, the others on chain {our_id} with genesis {ours}"
        )))
    }
}
