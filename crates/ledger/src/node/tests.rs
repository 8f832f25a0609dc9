//! Tests of the whole ledger in one process: sealing, recovery, damage, limits.

mod crashes;

use super::*;
use crate::data_dir::{DataDirError, InitOptions};
use crate::header::SealedHeader;
use crate::receipt::Receipt;
use crate::testing::{contract, genesis, init, open, word};
use crate::transaction::SignedTransaction;
use crate::transaction::testing::{address, call, priced};
use alloy_primitives::{Bytes, TxKind, U256, bytes};
use process_lock::Holder;
use serde_json::json;

fn fresh() -> (tempfile::TempDir, Ledger, Sealer) {
    let folder = tempfile::tempdir().unwrap();
    drop(init(folder.path(), &genesis()));
    let (ledger, _, sealer) = open(folder.path());
    (folder, ledger, sealer)
}

fn slot_0(ledger: &Ledger, contract: &Address) -> u64 {
    ledger.head_and_state().1.slot(contract, &U256::ZERO).to()
}

#[test]
fn a_contract_is_deployed_called_and_reverted_and_receipts_tell() {
    let (_folder, ledger, mut sealer) = fresh();
    let target = address("ana").create(0);
    let hashes: Vec<B256> = [
        call("ana", 0, TxKind::Create, contract()),
        call("ana", 1, TxKind::Call(target), word(8)),
        call("ana", 2, TxKind::Call(target), word(9)),
    ]
    .into_iter()
    .map(|transaction| ledger.submit(transaction.raw().clone()).unwrap())
    .collect();
    let block = sealer.seal_next().unwrap();
    assert_eq!(block.transactions.len(), 3);
    let receipts: Vec<Receipt> = hashes.iter().map(|hash| ledger.mined(hash).unwrap().receipt().clone()).collect();
    assert_eq!(receipts[0].contract_address(), Some(target));
    assert_eq!((receipts[1].is_success, receipts[1].logs.len()), (true, 1));
    assert_eq!((receipts[2].is_success, receipts[2].revert.clone()), (false, word(9)));
    assert_eq!(receipts[2].cumulative_gas_used, block.header.gas_used);
    assert_eq!(slot_0(&ledger, &target), 8);
    assert!(ledger.state(0).unwrap().account(&target).is_none(), "the state before the block is still what it was");
}

#[test]
fn sealed_headers_obey_qbfts_rules() {
    let (_folder, ledger, mut sealer) = fresh();
    let (first, second) = (sealer.seal_next().unwrap(), sealer.seal_next().unwrap());
    assert_eq!((second.header.number, second.header.parent_hash), (2, first.header.hash()));
    assert_eq!(SealedHeader::check(second.header.header().clone()).unwrap(), *second.header);
    assert_eq!((second.header.beneficiary, second.header.difficulty), (ledger.validator(), U256::from(1)));
    assert_eq!(second.header.mix_hash, crate::genesis::BFT_MIX_HASH);
    assert!(second.header.timestamp >= first.header.timestamp);
}

#[test]
fn a_reopened_ledger_has_the_same_head_state_and_goes_on() {
    let (folder, ledger, mut sealer) = fresh();
    let target = address("ana").create(0);
    let _ = ledger.submit(call("ana", 0, TxKind::Create, contract()).raw().clone()).unwrap();
    let sent = ledger.submit(call("ana", 1, TxKind::Call(target), word(42)).raw().clone()).unwrap();
    let _ = sealer.seal_next().unwrap();
    let _ = sealer.seal_next().unwrap();
    let head = ledger.head();
    drop((ledger, sealer));
    let (again, recovered, mut sealer) = open(folder.path());
    assert_eq!((again.head(), recovered.head, recovered.dropped_tail), (head, 2, None));
    assert_eq!((slot_0(&again, &target), again.mined(&sent).unwrap().block.header.number), (42, 1));
    let _ = again.submit(call("ana", 2, TxKind::Call(target), word(44)).raw().clone()).unwrap();
    let _ = sealer.seal_next().unwrap();
    assert_eq!(slot_0(&again, &target), 44);
}

#[test]
fn a_log_cut_inside_its_last_block_loses_that_block_alone_and_says_so() {
    let (folder, ledger, mut sealer) = fresh();
    let (_, second) = (sealer.seal_next().unwrap(), sealer.seal_next().unwrap());
    drop((ledger, sealer));
    let segment = folder.path().join("log/blocks-00000000.log");
    let length = std::fs::metadata(&segment).unwrap().len();
    std::fs::File::options().write(true).open(&segment).unwrap().set_len(length - 7).unwrap();
    let (again, recovered, mut sealer) = open(folder.path());
    assert_eq!((recovered.head, again.head().hash()), (1, second.header.parent_hash));
    assert!(recovered.dropped_tail.unwrap().contains("unfinished record"));
    assert_eq!(sealer.seal_next().unwrap().header.number, 2);
}

#[test]
fn a_flipped_bit_is_refused_with_its_place_until_the_tail_is_dropped() {
    let (folder, ledger, mut sealer) = fresh();
    let _ = (sealer.seal_next().unwrap(), sealer.seal_next().unwrap());
    drop((ledger, sealer));
    let segment = folder.path().join("log/blocks-00000000.log");
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes.len() - 60;
    bytes[at] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let error = Ledger::open(DataDir::open(folder.path()).unwrap(), NodeOptions::default()).unwrap_err();
    let OpenError::Log { source, hint } = error else { panic!("{error}") };
    assert!(source.to_string().contains("record 2") && hint.unwrap().contains("repair --drop-tail"), "{source}");
    let inspection = crate::maintenance::inspect(folder.path()).unwrap();
    assert!(inspection.damage.is_some() && inspection.blocks == 2);
    let repaired = crate::maintenance::repair_drop_tail(folder.path()).unwrap();
    assert_eq!((repaired.kept_blocks, repaired.dropped_blocks), (2, Some(1)));
    assert_eq!(open(folder.path()).1.head, 1);
}

#[test]
fn a_data_directory_has_one_user_one_chain_and_one_beginning() {
    let (folder, ledger, sealer) = fresh();
    let locked = DataDir::open(folder.path()).unwrap_err();
    assert!(
        matches!(&locked, DataDirError::Locked { holder: Holder(Some(process)), .. } if *process == std::process::id()),
        "{locked}"
    );
    drop((ledger, sealer));
    let options = InitOptions { key: None, is_adopting: true };
    let twice = DataDir::init(folder.path(), genesis().to_string().as_bytes(), options.clone()).unwrap_err();
    assert!(matches!(twice, DataDirError::AlreadyInitialised { .. }));
    let mut other = genesis();
    other["config"]["chainId"] = json!(1338);
    let elsewhere = tempfile::tempdir().unwrap();
    drop(DataDir::init(elsewhere.path(), other.to_string().as_bytes(), options).unwrap());
    let _ = std::fs::copy(elsewhere.path().join("genesis.json"), folder.path().join("genesis.json")).unwrap();
    // The chain id is not part of block 0, but the validator of the other directory is.
    assert!(matches!(DataDir::open(folder.path()).unwrap_err(), DataDirError::GenesisChanged { .. }));
    let nowhere = DataDir::open(&folder.path().join("nowhere")).unwrap_err();
    assert!(matches!(nowhere, DataDirError::NotInitialised { .. }));
}

#[test]
fn a_genesis_of_others_needs_to_be_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let options = InitOptions { key: None, is_adopting: false };
    let error = DataDir::init(folder.path(), genesis().to_string().as_bytes(), options).unwrap_err();
    assert!(matches!(error, DataDirError::NotTheValidator { validators: 1, .. }), "{error}");
    assert!(error.hint().unwrap().contains("--adopt"));
    drop(init(folder.path(), &genesis()));
}

#[test]
fn an_init_that_died_is_done_again_with_the_key_it_made() {
    let folder = tempfile::tempdir().unwrap();
    let key = init(folder.path(), &genesis()).key().address();
    std::fs::remove_file(folder.path().join("network.json")).unwrap();
    assert_eq!(init(folder.path(), &genesis()).key().address(), key);
}

#[test]
fn a_block_period_is_kept_with_the_network_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut data_dir = init(folder.path(), &genesis());
    for wrong in
        [Duration::ZERO, Duration::from_micros(1_500), Duration::from_millis(1_500), Duration::from_secs(90_000)]
    {
        assert!(matches!(data_dir.set_block_period(wrong), Err(DataDirError::BlockPeriod { .. })), "{wrong:?}");
    }
    data_dir.set_block_period(Duration::from_secs(3)).unwrap();
    drop(data_dir);
    assert_eq!(DataDir::open(folder.path()).unwrap().block_period(), Duration::from_secs(3));
}

#[test]
fn every_refusal_of_a_transaction_is_reached() {
    let (_folder, ledger, mut sealer) = fresh();
    let submit = |transaction: SignedTransaction| ledger.submit(transaction.raw().clone()).unwrap_err();
    assert!(matches!(ledger.submit(bytes!("c0")).unwrap_err(), SubmitError::Transaction(_)));
    assert!(matches!(submit(priced("ana", 0, 1, TxKind::Create, Bytes::new())), SubmitError::Balance { .. }));
    let tight = |gas_limit| {
        let transaction =
            alloy_consensus::TxLegacy { chain_id: Some(1337), gas_limit, to: TxKind::Create, ..Default::default() };
        crate::transaction::testing::sign(transaction, "ana")
    };
    assert_eq!(submit(tight(52_999)), SubmitError::IntrinsicGas { gas_limit: 52_999, intrinsic: 53_000 });
    assert!(matches!(submit(tight(1_000_000_001)), SubmitError::TransactionGasLimit { max: 1_000_000_000, .. }));
    assert!(matches!(submit(call("ana", 200, TxKind::Create, Bytes::new())), SubmitError::Pool(_)));
    let first = call("ana", 0, TxKind::Create, Bytes::new());
    let _ = ledger.submit(first.raw().clone()).unwrap();
    assert_eq!(submit(first.clone()), SubmitError::Pool(crate::pool::PoolError::AlreadyKnown));
    let _ = sealer.seal_next().unwrap();
    assert_eq!(submit(first), SubmitError::AlreadyMined { block: 1 });
}

#[test]
fn the_block_gas_limit_leaves_the_rest_for_the_next_block() {
    let folder = tempfile::tempdir().unwrap();
    let mut small = genesis();
    small["gasLimit"] = json!("0x10c8e0"); // 1,100,000: a limit of 1,000,000 fits twice, since the first uses far less
    drop(init(folder.path(), &small));
    let (ledger, _, mut sealer) = open(folder.path());
    for nonce in 0..3 {
        let _ = ledger.submit(call("ana", nonce, TxKind::Create, contract()).raw().clone()).unwrap();
    }
    assert_eq!(sealer.seal_next().unwrap().transactions.len(), 2);
    assert_eq!(sealer.seal_next().unwrap().transactions.len(), 1);
}

#[test]
fn a_sealing_thread_stops_when_asked_and_frees_the_directory() {
    let (folder, ledger, sealer) = fresh();
    let mut blocks = ledger.subscribe_blocks();
    let sealing = sealer.start();
    assert_eq!(blocks.blocking_recv().unwrap().header.number, 1);
    assert_eq!(blocks.blocking_recv().unwrap().header.number, 2);
    sealing.stop();
    drop(ledger);
    assert!(open(folder.path()).1.head >= 2);
}

#[test]
fn what_follows_an_invalid_transaction_waits_for_its_replacement() {
    let (_folder, ledger, mut sealer) = fresh();
    let pay = |nonce, value: u64| {
        let (chain_id, to) = (Some(1337), TxKind::Call(address("ana")));
        let value = U256::from(value);
        let transaction =
            alloy_consensus::TxLegacy { chain_id, nonce, gas_limit: 21_000, to, value, ..Default::default() };
        ledger.submit(crate::transaction::testing::sign(transaction, "rico").raw().clone()).unwrap()
    };
    // Each could be paid alone; the first leaves too little for the second.
    let (first, second, third) = (pay(0, 900_000_000_000_000_000), pay(1, 900_000_000_000_000_000), pay(2, 1));
    assert_eq!(sealer.seal_next().unwrap().transactions.len(), 1);
    assert!(ledger.mined(&first).is_some() && ledger.waiting(&second).is_none() && ledger.waiting(&third).is_some());
    let replacement = pay(1, 2);
    assert_eq!(sealer.seal_next().unwrap().transactions.len(), 2);
    assert!(ledger.mined(&replacement).is_some() && ledger.mined(&third).is_some());
}

#[test]
fn init_removes_nothing_that_it_did_not_make() {
    let folder = tempfile::tempdir().unwrap();
    let diary = folder.path().join("log/diary.txt");
    std::fs::create_dir(folder.path().join("log")).unwrap();
    std::fs::write(&diary, "mine").unwrap();
    drop(init(folder.path(), &genesis()));
    assert_eq!(std::fs::read_to_string(&diary).unwrap(), "mine");
    let (ledger, _, mut sealer) = open(folder.path());
    let _ = sealer.seal_next().unwrap();
    drop((ledger, sealer));
    std::fs::remove_file(folder.path().join("network.json")).unwrap();
    let again = |key| {
        let options = InitOptions { key, is_adopting: true };
        DataDir::init(folder.path(), genesis().to_string().as_bytes(), options).unwrap_err()
    };
    assert!(matches!(again(None), DataDirError::LogWithoutNetwork { .. }));
    assert!(matches!(again(Some(crate::node_key::NodeKey::generate())), DataDirError::OtherKey { .. }));
}

#[test]
fn a_genesis_with_a_period_that_no_header_can_obey_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut odd = genesis();
    odd["config"]["qbft"]["xBlockPeriodMilliseconds"] = json!(1_500);
    let options = InitOptions { key: None, is_adopting: true };
    let error = DataDir::init(folder.path(), odd.to_string().as_bytes(), options).unwrap_err();
    assert!(matches!(error, DataDirError::BlockPeriod { .. }), "{error}");
}

#[test]
fn a_disk_that_refuses_ends_sealing_for_good_and_shows_nothing_that_is_not_on_it() {
    let (folder, ledger, mut sealer) = fresh();
    let _ = sealer.seal_next().unwrap();
    sealer.log.break_disk();
    let sent = ledger.submit(call("ana", 0, TxKind::Create, contract()).raw().clone()).unwrap();
    let sealing = sealer.start();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let failure = runtime.block_on(ledger.failed());
    assert_eq!(failure.to_string(), "block 2 could not be written to the log");
    assert_eq!((ledger.head().number, ledger.mined(&sent).is_none(), ledger.waiting(&sent).is_some()), (1, true, true));
    sealing.stop();
    drop(ledger);
    assert_eq!(open(folder.path()).1.head, 1);
}

#[test]
fn a_contract_sends_no_transactions_but_a_delegated_account_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut with_code = genesis();
    with_code["alloc"][address("ana").to_string()] = json!({ "code": "0x00" });
    with_code["alloc"][address("bia").to_string()] = json!({ "code": format!("0xef0100{}", "11".repeat(20)) });
    drop(init(folder.path(), &with_code));
    let (ledger, _, _sealer) = open(folder.path());
    let submit = |name| ledger.submit(call(name, 0, TxKind::Call(Address::ZERO), Bytes::new()).raw().clone());
    assert_eq!(submit("ana"), Err(SubmitError::SenderIsContract { sender: address("ana") }));
    assert!(submit("bia").is_ok());
}
