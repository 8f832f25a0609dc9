//! A ledger in a directory of its own, run as a process.

use crate::program::{LIMIT, Process, lastro, text, wait_until};
use alloy_consensus::{SignableTransaction, TxLegacy};
use alloy_primitives::{Address, B256, U256, address};
use chain::{HttpTransport, Receipt, Rpc};
use custody::{Custody, KeyLabel, Network, ProfileName, Purpose, SignedTransaction};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The embedded profile's chain.
pub(crate) const CHAIN_ID: u64 = 1337;
/// Where test transactions send one wei each.
pub(crate) const SINK: Address = address!("00000000000000000000000000000000000051ac");
/// What the payer has in block 0.
const ENDOWMENT_WEI: &str = "1000000000000000000";

/// A data directory, and the genesis it is made from.
#[derive(Debug)]
pub(crate) struct TestLedger {
    folder: TempDir,
}

/// A running ledger.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its process.
    pub(crate) process: Process,
    /// Where it answers.
    pub(crate) http: String,
    /// Where it tells of new heads.
    pub(crate) ws: String,
}

impl Node {
    /// Typed questions to it.
    pub(crate) fn rpc(&self) -> Rpc {
        Rpc::new(Arc::new(HttpTransport::new(&self.http).unwrap()))
    }

    /// `127.0.0.1:PORT`, to listen there again.
    pub(crate) fn address(&self) -> String {
        self.http.trim_start_matches("http://").to_owned()
    }
}

/// A genesis that this ledger can adopt.
pub(crate) fn genesis(chain_id: u64) -> Value {
    let extra_data = format!("0xf83aa0{}d594{}c080c0", "00".repeat(32), "11".repeat(20));
    json!({
        "config": { "chainId": chain_id, "berlinBlock": 0, "qbft": { "blockPeriodSeconds": 1 } },
        "gasLimit": "0x3b9aca00",
        "extraData": extra_data,
        "alloc": { payer().1.to_string(): { "balance": ENDOWMENT_WEI } },
    })
}

/// Who sends test transactions.
fn payer() -> (Custody, Address, KeyLabel) {
    let mut custody = Custody::new(Network { profile: ProfileName::embedded(), chain_id: CHAIN_ID });
    let label = KeyLabel::parse("payer").unwrap();
    let address = custody.add_test_key(label.clone(), Purpose::Transactions).unwrap();
    (custody, address, label)
}

/// Signs payments of one wei each.
pub(crate) struct Payer {
    custody: Custody,
    label: KeyLabel,
    /// Its address.
    pub(crate) address: Address,
}

impl Payer {
    pub(crate) fn new() -> Self {
        let (custody, address, label) = payer();
        Self { custody, label, address }
    }

    /// The payment with this nonce.
    pub(crate) fn payment(&self, nonce: u64) -> SignedTransaction {
        let (chain_id, to, value) = (Some(CHAIN_ID), SINK.into(), U256::ONE);
        let unsigned = TxLegacy { chain_id, nonce, gas_limit: 21_000, to, value, ..Default::default() };
        self.sign(&unsigned.encoded_for_signing())
    }

    /// The transaction whose signing bytes these are.
    pub(crate) fn sign(&self, unsigned: &[u8]) -> SignedTransaction {
        self.custody.sign_transaction(&self.label, unsigned, CHAIN_ID).unwrap()
    }
}

impl TestLedger {
    /// An initialised ledger of the embedded chain.
    pub(crate) fn new() -> Self {
        Self::of(&genesis(CHAIN_ID))
    }

    /// An initialised ledger of a genesis.
    pub(crate) fn of(genesis: &Value) -> Self {
        let ledger = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(ledger.genesis_file(), genesis.to_string()).unwrap();
        let (file, dir) = (ledger.genesis_file(), ledger.dir());
        let _ = lastro(&["ledger", "init", "--adopt", "--genesis", text(&file), "--data-dir", text(&dir)]).ok();
        ledger
    }

    /// A ledger with some blocks, the last one with a payment; and the receipts of all payments.
    pub(crate) async fn with_payments(count: u64) -> (Self, Vec<Receipt>) {
        let (ledger, payer) = (Self::new(), Payer::new());
        let node = ledger.start(&["--block-period", "20ms"]);
        let rpc = node.rpc();
        let mut receipts = Vec::new();
        for nonce in 0..count {
            let payment = payer.payment(nonce);
            assert_eq!(rpc.send_raw_transaction(&payment.raw).await.unwrap(), payment.hash);
            receipts.push(receipt(&rpc, payment.hash).await);
        }
        let _ = node.process.kill();
        (ledger, receipts)
    }

    /// The genesis file from which it was made.
    pub(crate) fn genesis_file(&self) -> PathBuf {
        self.folder.path().join("genesis.json")
    }

    /// Its data directory.
    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The first segment of its log, which is the only one of so short a log.
    pub(crate) fn log_file(&self) -> PathBuf {
        log_file(&self.dir())
    }

    /// Arguments of `lastro ledger run` on free ports.
    pub(crate) fn run_arguments(&self) -> Vec<String> {
        let fixed = ["ledger", "run", "--http", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--data-dir"];
        fixed.into_iter().map(str::to_owned).chain([text(&self.dir()).to_owned()]).collect()
    }

    /// Runs it on free ports, until it answers.
    pub(crate) fn start(&self, further: &[&str]) -> Node {
        self.started(self.run_arguments(), further)
    }

    /// Runs it where it listened before.
    pub(crate) fn start_at(&self, http: &str) -> Node {
        self.start_at_with(http, &[])
    }

    /// The same, with further arguments.
    pub(crate) fn start_at_with(&self, http: &str, further: &[&str]) -> Node {
        let mut arguments = self.run_arguments();
        http.clone_into(&mut arguments[3]);
        self.started(arguments, further)
    }

    /// Runs it where both its servers listened before.
    pub(crate) fn start_again_at(&self, http: &str, ws: &str, further: &[&str]) -> Node {
        let mut arguments = self.run_arguments();
        http.trim_start_matches("http://").clone_into(&mut arguments[3]);
        ws.trim_start_matches("ws://").clone_into(&mut arguments[5]);
        self.started(arguments, further)
    }

    fn started(&self, mut arguments: Vec<String>, further: &[&str]) -> Node {
        arguments.extend(further.iter().map(|argument| (*argument).to_owned()));
        let mut process = Process::start(&arguments);
        let (http, ws) = wait_until("the ledger listens", LIMIT, || {
            let stdout = process.stdout_so_far();
            let said = |words: &str| stdout.lines().find_map(|line| line.strip_prefix(words).map(str::to_owned));
            let addresses = said("listening http ").zip(said("listening ws "));
            assert!(addresses.is_some() || !process.has_ended(), "the ledger ended");
            addresses
        });
        Node { process, http, ws }
    }

    /// What `lastro ledger inspect` finds, if it finds nothing wrong.
    pub(crate) fn inspect(&self) -> Value {
        inspect(&self.dir())
    }
}

/// The first segment of the log of a data directory.
pub(crate) fn log_file(data_dir: &Path) -> PathBuf {
    data_dir.join("log/blocks-00000000.log")
}

/// What `lastro ledger inspect` finds in a data directory, if it finds nothing wrong.
pub(crate) fn inspect(data_dir: &Path) -> Value {
    lastro(&["ledger", "inspect", "--json", "--data-dir", text(data_dir)]).ok().json()
}

/// Waits for a receipt.
pub(crate) async fn receipt(rpc: &Rpc, hash: B256) -> Receipt {
    let began = std::time::Instant::now();
    loop {
        if let Some(receipt) = rpc.receipt(hash).await.unwrap() {
            return receipt;
        }
        assert!(began.elapsed() < LIMIT, "no receipt of {hash} within {LIMIT:?}");
        tokio::task::yield_now().await;
    }
}
