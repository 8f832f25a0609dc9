//! A log that is not as it was written: what a death explains is dropped and said, anything else is refused with its place.

use crate::ledger_fixture::TestLedger;
use crate::program::{lastro, text};
use alloy_primitives::B256;
use chain::{At, Receipt};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// Payments of a test ledger; the last block holds the last of them.
const PAYMENTS: u64 = 4;

/// Bytes of a record beside its payload: header 20, trailer 12. The trailer repeats the payload's length before its mark.
const FRAME_BYTES: usize = 32;

/// Where the last record of a log begins.
fn last_record(log: &[u8]) -> usize {
    let length = log.len();
    let payload = u32::from_le_bytes(log[length - 8..length - 4].try_into().unwrap());
    length - FRAME_BYTES - usize::try_from(payload).unwrap()
}

/// A ledger that has stopped, with the bytes of its log.
struct Stopped {
    ledger: TestLedger,
    receipts: Vec<Receipt>,
    log: Vec<u8>,
    blocks: u64,
}

impl Stopped {
    async fn new() -> Self {
        let (ledger, receipts) = TestLedger::with_payments(PAYMENTS).await;
        // A record under way when the ledger was killed is dropped first.
        let repaired = lastro(&["ledger", "repair", "--drop-tail", "--data-dir", text(&ledger.dir())]);
        assert_eq!(repaired.code, 0);
        let log = fs::read(ledger.log_file()).unwrap();
        let blocks = ledger.inspect()["blocks"].as_u64().unwrap();
        Self { ledger, receipts, log, blocks }
    }

    fn write(&self, log: &[u8]) {
        fs::write(self.ledger.log_file(), log).unwrap();
    }

    fn inspect(&self) -> (i32, Value) {
        let answer = lastro(&["ledger", "inspect", "--json", "--data-dir", text(&self.ledger.dir())]);
        assert_eq!(answer.stdout.lines().count(), 1);
        (answer.code, answer.json())
    }

    /// Runs it, with what it says while it starts, and checks that every block up to here is as it was.
    async fn runs_with_blocks(&self, blocks: u64) -> String {
        let node = self.ledger.start(&[]);
        let rpc = node.rpc();
        for receipt in self.receipts.iter().filter(|receipt| receipt.block_number < blocks) {
            assert_eq!(rpc.receipt(receipt.transaction_hash).await.unwrap().as_ref(), Some(receipt));
            let block = rpc.block(At::Number(receipt.block_number)).await.unwrap();
            assert_eq!(block.map(|block| block.hash), Some(receipt.block_hash));
        }
        node.process.terminate().stderr
    }

    async fn hash_of_block(&self, number: u64) -> B256 {
        let node = self.ledger.start(&[]);
        node.rpc().block(At::Number(number)).await.unwrap().unwrap().hash
    }
}

#[tokio::test]
async fn a_record_cut_anywhere_is_dropped_and_said() {
    let stopped = Stopped::new().await;
    let (begin, end) = (last_record(&stopped.log), stopped.log.len());
    for cut in [end - 1, end - 9, begin + 25, begin + 20, begin + 7, begin + 1] {
        stopped.write(&stopped.log[..cut]);
        let (code, found) = stopped.inspect();
        let torn = format!("{} bytes of an unfinished record at offset {begin} of log segment 00000000", cut - begin);
        assert_eq!((code, &found["tornTail"], &found["damage"]), (0, &json!(torn), &Value::Null), "cut at {cut}");
        assert_eq!(found["blocks"], json!(stopped.blocks - 1));
        let said = stopped.runs_with_blocks(stopped.blocks - 1).await;
        assert!(said.contains(&format!("warning: dropped {torn}")), "{said}");
    }
}

#[tokio::test]
async fn a_record_that_ends_in_zeros_is_dropped_and_said() {
    let stopped = Stopped::new().await;
    let (begin, end) = (last_record(&stopped.log), stopped.log.len());
    for (zero_from, length) in
        [(end - 4, end), (begin + 40, end), (begin + 3, end), (begin, end), (end - 1, end + 4096)]
    {
        let mut log = stopped.log.clone();
        log[zero_from..].fill(0);
        log.resize(length, 0);
        stopped.write(&log);
        let (code, found) = stopped.inspect();
        let torn =
            format!("{} bytes of an unfinished record at offset {begin} of log segment 00000000", length - begin);
        assert_eq!(
            (code, &found["tornTail"], &found["damage"]),
            (0, &json!(torn), &Value::Null),
            "zero from {zero_from}"
        );
        let said = stopped.runs_with_blocks(stopped.blocks - 1).await;
        assert!(said.contains(&format!("warning: dropped {torn}")), "{said}");
    }
}

#[tokio::test]
async fn a_flipped_bit_is_refused_with_its_place_in_the_last_record_too() {
    let stopped = Stopped::new().await;
    let begin = last_record(&stopped.log);
    let middle = last_record(&stopped.log[..begin]);
    for (record, place) in [(stopped.blocks - 1, begin), (stopped.blocks - 2, middle)] {
        for offset in [place + 2, place + 6, place + 21, place + 60] {
            let mut log = stopped.log.clone();
            log[offset] ^= 0x10;
            stopped.write(&log);
            let what = format!("log segment 00000000 is damaged at offset {place}, where record {record} begins: ");
            let (code, found) = stopped.inspect();
            let damage = found["damage"].as_str().unwrap_or_default();
            assert!(code == 3 && damage.starts_with(&what), "bit at {offset}: {code} {found}");
            let refused = lastro(&stopped.ledger.run_arguments());
            assert_eq!((refused.code, refused.stdout.as_str()), (3, ""), "{}", refused.shown(&[]));
            assert!(refused.stderr.contains(&what), "{}", refused.stderr);
            assert!(refused.stderr.contains("lastro ledger repair --drop-tail"), "{}", refused.stderr);
            assert_eq!(fs::read(stopped.ledger.log_file()).unwrap(), log, "what is refused is left as it was");
        }
    }
    stopped.write(&stopped.log);
    let _ = stopped.runs_with_blocks(stopped.blocks).await;
}

#[tokio::test]
async fn dropping_the_tail_is_the_way_on_and_keeps_the_bytes() {
    let stopped = Stopped::new().await;
    let begin = last_record(&stopped.log);
    let before = last_record(&stopped.log[..begin]);
    let mut log = stopped.log.clone();
    log[before + 21] ^= 0x10;
    stopped.write(&log);
    let repaired = lastro(&["ledger", "repair", "--drop-tail", "--json", "--data-dir", text(&stopped.ledger.dir())]);
    let repaired = repaired.ok().json();
    assert_eq!((&repaired["droppedBlocks"], &repaired["keptBlocks"]), (&json!(2), &json!(stopped.blocks - 2)));
    let kept_in = PathBuf::from(repaired["keptIn"][0].as_str().unwrap());
    assert_eq!(fs::read(&kept_in).unwrap(), log[before..], "no byte is lost");
    assert_eq!(fs::read(stopped.ledger.log_file()).unwrap(), log[..before]);
    let again = lastro(&["ledger", "repair", "--drop-tail", "--data-dir", text(&stopped.ledger.dir())]);
    assert_eq!(again.ok().stdout, "nothing is damaged, nothing was dropped\n");
    let _ = stopped.runs_with_blocks(stopped.blocks - 2).await;

    stopped.write(&stopped.log);
    let last = stopped.receipts.last().unwrap();
    assert_eq!(stopped.hash_of_block(last.block_number).await, last.block_hash, "the true bytes are taken again");
    assert!(kept_in.exists());
}
