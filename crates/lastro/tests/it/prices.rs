//! Gas with a price, on a real ledger: what offers less than blocks ask for is made dearer until one takes it.

use crate::ledger_fixture::{CHAIN_ID, SINK, TestLedger, genesis};
use crate::program::LIMIT;
use alloy_primitives::{Bytes, U256};
use chain::{At, Chain, FeeModel, HttpTransport, Inspection, Intent, IntentKey, Outcome, Profile, Rules, Told};
use custody::{Custody, KeyLabel, Purpose};
use journal::Place;
use serde_json::json;
use std::sync::Arc;

/// What blocks ask for, and what is offered at first, in wei for a unit of gas: two steps of an eighth reach it.
const BASE_FEE_WEI: u64 = 1_200;
const OFFERED_WEI: u128 = 1_000;

#[tokio::test]
async fn what_offers_less_than_the_base_fee_is_made_dearer_until_a_block_takes_it() {
    let mut genesis = genesis(CHAIN_ID);
    genesis["config"]["londonBlock"] = json!(0);
    genesis["config"]["fixedBaseFee"] = json!(BASE_FEE_WEI);
    let (ledger, folder) = (TestLedger::of(&genesis), tempfile::tempdir().unwrap());
    let node = ledger.start(&["--block-period", "50ms"]);
    let fees = FeeModel::Eip1559 { max_fee_per_gas_wei: OFFERED_WEI, max_priority_fee_per_gas_wei: 1 };
    let profile = Profile { fees, ..Profile::embedded(CHAIN_ID, Rules::London, 1_000_000_000) };
    let (mut custody, label) = (Custody::new(profile.network()), KeyLabel::parse("payer").unwrap());
    let _ = custody.add_test_key(label.clone(), Purpose::Transactions).unwrap();
    let store = Place::Sqlite { path: folder.path().join("chain.db") };
    let transport = Arc::new(HttpTransport::new(&node.http).unwrap());
    let chain = Chain::open(profile, transport, &store, Arc::new(custody)).await.unwrap();
    let lane = chain.lane(&label).await.unwrap();

    let intents = [1_u64, 2].map(|number| {
        let key = IntentKey::parse(&format!("pay/{number}")).unwrap();
        let intent = Intent::call(key, SINK, Bytes::new(), 21_000, "a payment");
        Intent { value_wei: U256::from(number), ..intent }
    });
    let submitted = lane.submit_all(&intents).await;
    for (intent, submitted) in intents.iter().zip(submitted) {
        let first = submitted.unwrap();
        let Outcome::Mined(mined) = chain.outcome(&intent.key, LIMIT).await.unwrap() else { panic!("{first:?}") };
        assert!(mined.execution.is_success(), "{mined:?}");
    }
    let sender = lane.sender();
    assert_eq!(chain.rpc().transaction_count(sender, At::Latest).await.unwrap(), 2, "each was carried out once");
    drop(lane);
    chain.close().await;

    let inspection = Inspection::open(&store).await.unwrap();
    for intent in &intents {
        let attempts = inspection.attempts(&intent.key).await.unwrap().lines;
        let newest = &attempts[0];
        assert_eq!(newest.earlier_hashes.len(), 2, "{newest:?}");
        let told = inspection.told(sender, &intent.key).await.unwrap();
        let steps = told.iter().filter(|line| matches!(line.what, Told::Repriced { .. })).count();
        assert_eq!(steps, 2, "{told:?}");
        let Some(Outcome::Mined(mined)) = &newest.outcome else { panic!("{newest:?}") };
        assert_eq!(mined.hash, newest.hash);
    }
    inspection.close().await;
}
