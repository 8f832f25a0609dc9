//! The follower as in production: over HTTP, against a ledger in another process, beginning anew in the middle.

use crate::ledger_fixture::{CHAIN_ID, Node, Payer, TestLedger, receipt};
use crate::program::LIMIT;
use alloy_consensus::{SignableTransaction, TxLegacy};
use alloy_primitives::{B256, Bytes, TxKind};
use chain::follower::{
    Cursor, FollowError, FollowSettings, FollowedBlock, FollowedLedger, FollowedNode, FollowedTransaction, Follower,
    LedgerChange,
};
use chain::{At, HttpTransport, Profile, Receipt, Rpc, Rules};
use serde_json::json;
use std::sync::Arc;
use tokio::time::timeout;

/// Gas limit of the fixture's blocks.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
/// Creation code that writes three logs of 32 bytes and leaves a contract without code.
const THREE_LOGS: &str = "0x60206000a060206000a060206000a000";
/// Creation code that reverts with 32 bytes.
const REVERTS: &str = "0x60206000fd";
/// Transactions that are sent.
const TRANSACTIONS: u64 = 30;

async fn ledger_of(node: &Node) -> FollowedLedger {
    let genesis = node.rpc().block(At::Number(0)).await.unwrap().unwrap();
    FollowedLedger { chain_id: CHAIN_ID, genesis_hash: genesis.hash }
}

fn follower(node: &Node, ledger: FollowedLedger, cursor: Cursor) -> Follower {
    let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT);
    let transport = HttpTransport::new(&node.http).unwrap();
    let node = FollowedNode::new(transport.shown_url().to_owned(), Rpc::new(Arc::new(transport)));
    Follower::new(vec![node], ledger, cursor, FollowSettings::of(&profile, 1)).unwrap()
}

/// A payment, a creation that writes logs, or one that reverts, by turns.
fn transaction(payer: &Payer, nonce: u64) -> (Bytes, B256) {
    let signed = match nonce % 3 {
        0 => payer.payment(nonce),
        turn => {
            let code: Bytes = if turn == 1 { THREE_LOGS } else { REVERTS }.parse().unwrap();
            let (chain_id, to) = (Some(CHAIN_ID), TxKind::Create);
            let unsigned = TxLegacy { chain_id, nonce, gas_limit: 100_000, to, input: code, ..Default::default() };
            payer.sign(&unsigned.encoded_for_signing())
        }
    };
    (signed.raw, signed.hash)
}

/// Follows until the transactions were given, and drops the follower after every seventh block.
async fn followed(node: &Node, ledger: FollowedLedger) -> Vec<FollowedBlock> {
    let mut blocks: Vec<FollowedBlock> = Vec::new();
    let given = |blocks: &[FollowedBlock]| blocks.iter().map(|block| block.transactions.len() as u64).sum::<u64>();
    while given(&blocks) < TRANSACTIONS {
        let cursor = blocks.last().map_or(ledger.beginning(), FollowedBlock::cursor);
        let mut follower = follower(node, ledger, cursor);
        for _ in 0..7 {
            if given(&blocks) < TRANSACTIONS {
                blocks.push(timeout(LIMIT, follower.next()).await.unwrap().unwrap());
            }
        }
        assert_eq!(follower.view().findings(), []);
    }
    blocks
}

fn as_receipt(block: &FollowedBlock, followed: &FollowedTransaction) -> Receipt {
    Receipt {
        transaction_hash: followed.hash,
        block_hash: block.hash,
        block_number: block.number,
        transaction_index: followed.index,
        gas_used: followed.gas_used,
        is_success: followed.is_success,
        contract_address: followed.created_address,
        revert_data: followed.revert_data.clone(),
        logs: followed.logs.clone(),
    }
}

#[tokio::test]
async fn each_block_comes_once_with_what_its_receipts_say_while_transactions_run() {
    let (ledger, payer) = (TestLedger::new(), Payer::new());
    let node = ledger.start(&["--block-period", "20ms"]);
    let identity = ledger_of(&node).await;
    let send = async {
        let rpc = node.rpc();
        let mut hashes = Vec::new();
        for nonce in 0..TRANSACTIONS {
            let (raw, hash) = transaction(&payer, nonce);
            assert_eq!(rpc.send_raw_transaction(&raw).await.unwrap(), hash);
            if nonce % 4 == 0 {
                let _ = receipt(&rpc, hash).await;
            }
            hashes.push(hash);
        }
        hashes
    };
    let (hashes, blocks) = tokio::join!(send, followed(&node, identity));
    assert!(blocks.len() > 7, "the follower did not begin anew");
    let numbers: Vec<u64> = blocks.iter().map(|block| block.number).collect();
    assert_eq!(numbers, (1..=blocks.len() as u64).collect::<Vec<_>>());
    let transactions = || blocks.iter().flat_map(|block| block.transactions.iter().map(move |found| (block, found)));
    assert_eq!(transactions().map(|(_, followed)| followed.hash).collect::<Vec<_>>(), hashes);
    let rpc = node.rpc();
    for (nonce, (block, followed)) in (0..).zip(transactions()) {
        let mut expected = receipt(&rpc, followed.hash).await;
        // Besu and geth name a contract for a creation that failed too; the follower does not.
        expected.contract_address = expected.contract_address.filter(|_| expected.is_success);
        assert_eq!(as_receipt(block, followed), expected);
        assert_eq!((followed.nonce, followed.from), (nonce, payer.address));
        assert_eq!(followed.logs.len(), if nonce % 3 == 1 { 3 } else { 0 });
    }
}

#[tokio::test]
async fn a_network_that_was_made_anew_stops_the_follower_and_says_so() {
    let (old, payer) = (TestLedger::new(), Payer::new());
    let node = old.start(&["--block-period", "20ms"]);
    let identity = ledger_of(&node).await;
    let (raw, hash) = transaction(&payer, 0);
    let _ = node.rpc().send_raw_transaction(&raw).await.unwrap();
    let _ = receipt(&node.rpc(), hash).await;
    let mut follower = follower(&node, identity, identity.beginning());
    let block = timeout(LIMIT, follower.next()).await.unwrap().unwrap();
    let address = node.address();
    let _ = node.process.kill();
    let mut genesis = crate::ledger_fixture::genesis(CHAIN_ID);
    genesis["timestamp"] = json!("0x1");
    let anew = TestLedger::of(&genesis).start_at(&address);
    let stopped = loop {
        match timeout(LIMIT, follower.next()).await.unwrap() {
            Ok(further) => assert!(further.number > block.number),
            Err(stopped) => break stopped,
        }
    };
    let FollowError::LedgerChanged { change: LedgerChange::ReGenesis { followed, found }, .. } = stopped else {
        panic!("{stopped}");
    };
    assert_eq!((followed, found), (identity.genesis_hash, ledger_of(&anew).await.genesis_hash));
}
