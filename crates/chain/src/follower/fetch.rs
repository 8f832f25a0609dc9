//! Reading from one node: a block with its receipts, and which ledger the node is on.

use alloy_primitives::B256;
use node_errors::Meaning;

use super::block::Cursor;
use super::error::LedgerChange;
use super::lie::Lie;
use super::node::Node;
use super::shared::Shared;
use super::verify::{self, Verified};
use crate::rpc::{At, RpcError, SealedBlock, SealedReceipt};

/// A node gave nothing that can be used.
#[derive(Debug)]
pub(super) enum FetchFault {
    /// It does not answer, or does not have it: it is tried again.
    Silent(String),
    /// What it said cannot be.
    Lied(Lie),
}

impl FetchFault {
    pub(super) fn too_slow() -> Self {
        Self::Silent("it does not answer in time".to_owned())
    }
}

impl From<RpcError> for FetchFault {
    fn from(error: RpcError) -> Self {
        Self::Silent(error.to_string())
    }
}

/// What an examination found.
#[derive(Debug)]
pub(super) enum Standing {
    /// The node has the block that was given last.
    Same,
    /// It is on the same ledger as far as can be seen, and its head is below the block that was given last.
    Below { head: u64, hash: B256 },
    /// It is on another ledger.
    Elsewhere(LedgerChange),
}

/// The block with this number, with everything checked that one answer can show.
pub(super) async fn fetch(shared: &Shared, node: usize, number: u64) -> Result<Verified, FetchFault> {
    let node = &shared.nodes[node];
    let block = node.rpc.sealed_block(number).await?;
    let block = block.ok_or_else(|| FetchFault::Silent(format!("it does not have block {number} yet")))?;
    verify::check_number(number, &block).map_err(FetchFault::Lied)?;
    let receipts = receipts(node, &block).await?;
    verify::check_places(&block, &receipts).map_err(FetchFault::Lied)?;
    #[cfg(test)]
    if shared.mutant == Some(super::simulation::Mutant::NoContentCheck) {
        return Ok(verify::assemble(block, receipts));
    }
    verify::check_contents(&block, &receipts).map_err(FetchFault::Lied)?;
    Ok(verify::assemble(block, receipts))
}

/// The block's receipts, by its hash. A block without transactions needs no question: its roots say so.
async fn receipts(node: &Node, block: &SealedBlock) -> Result<Vec<SealedReceipt>, FetchFault> {
    if block.transactions.is_empty() {
        return Ok(Vec::new());
    }
    let is_one_by_one = node.state().is_one_by_one;
    if !is_one_by_one {
        match node.rpc.block_receipts(block.hash).await {
            Ok(Some(receipts)) => return Ok(receipts),
            Ok(None) => return Err(FetchFault::Silent(format!("it does not have block {} any more", block.hash))),
            Err(error) if is_unknown_method(&error) => node.state().is_one_by_one = true,
            Err(error) => return Err(error.into()),
        }
    }
    one_by_one(node, block).await
}

/// For nodes without `eth_getBlockReceipts`. Each receipt names its block, and that is checked.
async fn one_by_one(node: &Node, block: &SealedBlock) -> Result<Vec<SealedReceipt>, FetchFault> {
    let mut receipts = Vec::with_capacity(block.transactions.len());
    for transaction in &block.transactions {
        let receipt = node.rpc.sealed_receipt(transaction.hash).await?;
        let missing = || FetchFault::Silent(format!("it has no receipt of {} yet", transaction.hash));
        receipts.push(receipt.ok_or_else(missing)?);
    }
    Ok(receipts)
}

fn is_unknown_method(error: &RpcError) -> bool {
    matches!(error.meaning(), Some(Meaning::MethodNotFound | Meaning::MethodNotEnabled))
}

/// Which ledger the node is on. What is most likely to change is read first: if the network is made anew meanwhile, all that is
/// read after a difference is read from the new one.
pub(super) async fn examine(shared: &Shared, node: usize, given: Cursor) -> Result<Standing, FetchFault> {
    let (node, ledger) = (&shared.nodes[node], shared.ledger);
    let own = named(node, At::Number(given.number)).await?;
    let genesis = named(node, At::Number(0)).await?;
    let genesis = genesis.ok_or_else(|| FetchFault::Silent("it does not have block 0".to_owned()))?.1;
    let chain_id = node.rpc.chain_id().await?;
    if chain_id != ledger.chain_id {
        return Ok(Standing::Elsewhere(LedgerChange::WrongNetwork {
            followed_chain_id: ledger.chain_id,
            found_chain_id: chain_id,
            followed_genesis: ledger.genesis_hash,
            found_genesis: genesis,
        }));
    }
    if genesis != ledger.genesis_hash {
        let change = LedgerChange::ReGenesis { followed: ledger.genesis_hash, found: genesis };
        return Ok(Standing::Elsewhere(change));
    }
    match own {
        Some((_, hash)) if hash == given.hash => Ok(Standing::Same),
        Some((_, found)) => Ok(Standing::Elsewhere(replaced(node, given, found))),
        None => {
            let head = named(node, At::Latest).await?;
            let (head, hash) = head.ok_or_else(|| FetchFault::Silent("it does not have a head".to_owned()))?;
            if head < given.number {
                Ok(Standing::Below { head, hash })
            } else {
                Err(FetchFault::Silent(format!("it does not have block {} yet", given.number)))
            }
        }
    }
}

/// The followed block is another one there. Whether that was replaced or the ledger was rewound is seen from its head alone.
fn replaced(node: &Node, given: Cursor, found: B256) -> LedgerChange {
    let Cursor { number, hash: followed } = given;
    if node.state().went_below {
        LedgerChange::Rewound { number, followed, head: number, found }
    } else {
        LedgerChange::Reorganised { number, followed, found }
    }
}

async fn named(node: &Node, at: At) -> Result<Option<(u64, B256)>, FetchFault> {
    let Some(name) = node.rpc.block_name(at).await? else { return Ok(None) };
    match at {
        At::Number(number) if number != name.number => Err(FetchFault::Lied(Lie::OtherNumber { found: name.number })),
        At::Number(_) | At::Latest => Ok(Some((name.number, name.hash))),
    }
}
