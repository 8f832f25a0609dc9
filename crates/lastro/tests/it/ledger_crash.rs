//! The ledger under SIGKILL while it is sent transactions: whatever it once showed as final stays as it was shown.
//!
//! `LASTRO_CRASHES` sets the number of rounds, `LASTRO_SEED` the moments.

use crate::ledger_fixture::{Node, Payer, SINK, TestLedger};
use crate::program::LIMIT;
use crate::seeded::{Seeded, rounds};
use alloy_primitives::{B256, U256};
use chain::{At, HttpTransport, Receipt, RpcTransport};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// Rounds of the short form.
const ROUNDS: usize = 5;
/// Transactions under way when the ledger dies.
const SENT_IN_ROUND: u64 = 60;

#[tokio::test]
async fn what_was_final_once_is_final_after_every_crash() {
    let (ledger, payer, mut random) = (TestLedger::new(), Payer::new(), Seeded::new(2));
    let seed = random.seed();
    let mut seen: BTreeMap<B256, Receipt> = BTreeMap::new();
    let mut node = ledger.start(&["--block-period", "10ms"]);
    for round in 0..rounds("LASTRO_CRASHES", ROUNDS) {
        let receipts_before_death = usize::try_from(random.below(SENT_IN_ROUND)).unwrap();
        watch_until_death(node, &payer, receipts_before_death, &mut seen).await;
        node = ledger.start(&[]);
        let lost = lost_or_moved(&node, &seen).await;
        assert!(lost.is_empty(), "seed {seed}, round {round}: lost or moved: {lost:?}");
    }
    check_state(&node, &payer, &seen).await;
}

/// Sends payments from the first nonce that the ledger does not know, notes what becomes final, and kills the ledger when
/// so many did.
async fn watch_until_death(node: Node, payer: &Payer, receipts: usize, seen: &mut BTreeMap<B256, Receipt>) {
    let rpc = node.rpc();
    let next = rpc.transaction_count(payer.address, At::Latest).await.unwrap();
    let payments: Vec<_> = (next..next + SENT_IN_ROUND).map(|nonce| payer.payment(nonce)).collect();
    for payment in &payments {
        assert_eq!(rpc.send_raw_transaction(&payment.raw).await.unwrap(), payment.hash);
    }
    let (mut found, began) = (0, Instant::now());
    while found < receipts {
        assert!(began.elapsed() < LIMIT, "{found} of {receipts} receipts within {LIMIT:?}");
        if let Some(receipt) = rpc.receipt(payments[found].hash).await.unwrap() {
            let _ = seen.insert(receipt.transaction_hash, receipt);
            found += 1;
        }
    }
    let _ = node.process.kill();
}

/// What is not where it was.
async fn lost_or_moved(node: &Node, seen: &BTreeMap<B256, Receipt>) -> Vec<B256> {
    let rpc = node.rpc();
    let mut lost = Vec::new();
    for (hash, before) in seen {
        let now = rpc.receipt(*hash).await.unwrap();
        let block = rpc.block(At::Number(before.block_number)).await.unwrap();
        if now.as_ref() != Some(before) || block.is_none_or(|block| block.hash != before.block_hash) {
            lost.push(*hash);
        }
    }
    lost
}

/// Nonce, balances and blocks tell of the same payments, and the ledger takes the next one.
async fn check_state(node: &Node, payer: &Payer, seen: &BTreeMap<B256, Receipt>) {
    let rpc = node.rpc();
    let next = payer.payment(rpc.transaction_count(payer.address, At::Latest).await.unwrap());
    assert_eq!(rpc.send_raw_transaction(&next.raw).await.unwrap(), next.hash);
    let last = crate::ledger_fixture::receipt(&rpc, next.hash).await;
    assert!(last.is_success && next.nonce >= u64::try_from(seen.len()).unwrap());
    let transport = HttpTransport::new(&node.http).unwrap();
    let balance = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": [SINK, "latest"] });
    let answer: Value = serde_json::from_str(&transport.send(balance.to_string()).await.unwrap()).unwrap();
    let received: U256 = answer["result"].as_str().unwrap().parse().unwrap();
    assert_eq!(received, U256::from(next.nonce + 1), "one wei for each nonce");
}
