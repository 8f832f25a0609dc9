//! Lanes over two addresses of one real ledger, each behind a link of its own. While intents are sent, the link to the node in front
//! goes bad, and then away for good.

use super::{CALLERS, Ends, Played, carry_through, deployed, intents, label, lane_of, open, way_to};
use crate::ledger_fixture::TestLedger;
use chain::{NODES_PER_TRANSACTION, RpcTransport, SeveralNodes};
use fastrand::Rng;
use fault_proxy::{FaultKind, FaultProxy, Weather};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const SEED: u64 = 7;
/// After so many ends the link goes bad.
const BAD_AFTER: usize = 6;
/// After so many it is gone.
const GONE_AFTER: usize = 12;
/// Of a thousand requests over the bad link, so many meet a fault.
const BAD: u16 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_intent_has_one_effect_when_the_link_to_the_node_in_front_goes_away() {
    let ledger = TestLedger::new();
    let node = ledger.start(&["--block-period", "100ms"]);
    let contract = deployed(&node).await;
    let mut links = Vec::new();
    for seed in 0..2 {
        let link = FaultProxy::start(seed, Weather::CLEAR).await.unwrap();
        link.lead_to(node.address().parse().unwrap());
        links.push(link);
    }
    let second = links.pop().unwrap();
    let first = links.pop().unwrap();
    let several = SeveralNodes::first("first", way_to(&first.url())).then("second", way_to(&second.url()));
    let several = Arc::new(several);
    let way: Arc<dyn RpcTransport> = Arc::<SeveralNodes>::clone(&several);

    let folder = tempfile::tempdir().unwrap();
    let chain = open(&way, &folder.path().join("chain.db"), SEED).await;
    let settlement = chain.settle().await.unwrap();
    let lanes = [lane_of(&chain, &label(SEED, 0)).await, lane_of(&chain, &label(SEED, 1)).await];
    let wanted = intents(&mut Rng::with_seed(SEED), SEED, contract);
    let (ended, mut ends) = mpsc::channel(wanted.len());
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let mine: Vec<_> = wanted.iter().skip(caller).step_by(CALLERS).cloned().collect();
        let (chain, lanes, ended) = (chain.clone(), lanes.clone(), ended.clone());
        let _ = callers.spawn(async move {
            for (lane, _, intent) in mine {
                let key = intent.key.clone();
                let end = carry_through(chain.clone(), lanes[lane].clone(), intent).await;
                ended.send((key, end)).await.unwrap();
            }
        });
    }
    drop((lanes, ended));
    let (told, mut first) = (Ends::default(), Some(first));
    while let Some((key, end)) = ends.recv().await {
        let _ = told.lock().unwrap().insert(key, end);
        let count = told.lock().unwrap().len();
        if count == BAD_AFTER {
            first.as_ref().unwrap().change_weather(Weather::with_everything(BAD));
        }
        if count == GONE_AFTER {
            first.take().unwrap().stop().await;
        }
    }
    let _ = callers.join_all().await;
    assert!(chain.open_intents().await.unwrap().is_empty(), "something was left open");
    settlement.stop().await;
    chain.close().await;

    let view = several.view();
    assert_eq!(view.in_front, "second");
    assert!(view.moves > 0 && view.nodes[0].not_sent > 0, "{view:?}");
    assert!(NODES_PER_TRANSACTION > 1 && view.nodes[1].copies_answered > 0, "{view:?}");
    let ends = told.lock().unwrap().clone();
    let played = Played { seed: SEED, wanted, ends, faults: [0; FaultKind::ALL.len()] };
    played.check(&node.rpc(), contract).await;
    second.stop().await;
}
