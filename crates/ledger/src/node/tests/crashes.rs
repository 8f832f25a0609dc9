//! Random lives of a ledger: transactions, blocks, deaths without a goodbye, logs cut at any byte. What survives is
//! compared with a twin that remembers, and with executing every surviving transaction again from block 0.

use crate::data_dir::genesis_block;
use crate::executor::{BlockContext, Executor};
use crate::genesis::Genesis;
use crate::node::{Ledger, Recovered, Sealer};
use crate::state::{WorldState, WorldTries};
use crate::testing::{contract, genesis, init, open, word};
use crate::transaction::testing::{address, call};
use alloy_primitives::{Address, B256, TxKind, U256};
use proptest::collection::vec;
use proptest::prelude::*;
use std::fs::File;
use std::path::PathBuf;

const SENDERS: [&str; 3] = ["ana", "bia", "caio"];

/// One thing that happens to a ledger.
#[derive(Clone, Debug)]
enum Step {
    /// A sender stores a value: even values stick, odd ones revert.
    Submit { sender: usize, value: u64 },
    /// A block is sealed.
    Seal,
    /// The process dies between two blocks and is started again.
    Die,
    /// The process dies, and the disk has lost the newest bytes: so many thousandths of the log from its end.
    LoseBytes { thousandths: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..SENDERS.len(), 0..1_000_u64).prop_map(|(sender, value)| Step::Submit { sender, value }),
        4 => Just(Step::Seal),
        1 => Just(Step::Die),
        1 => (0..400_u64).prop_map(|thousandths| Step::LoseBytes { thousandths }),
    ]
}

/// What the twin remembers of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Remembered {
    hash: B256,
    /// Length of the log up to the end of the block.
    log_bytes: u64,
    stored: u64,
    nonces: [u64; SENDERS.len()],
}

struct Life {
    folder: tempfile::TempDir,
    running: Option<(Ledger, Sealer)>,
    blocks: Vec<Remembered>,
    target: Address,
}

impl Life {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        drop(init(folder.path(), &genesis()));
        let (ledger, _, mut sealer) = open(folder.path());
        let _ = ledger.submit(call("maker", 0, TxKind::Create, contract()).raw().clone()).unwrap();
        let _ = sealer.seal_next().unwrap();
        let mut life =
            Self { folder, running: Some((ledger, sealer)), blocks: Vec::new(), target: address("maker").create(0) };
        life.remember();
        life
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log/blocks-00000000.log")
    }

    fn ledger(&self) -> &Ledger {
        &self.running.as_ref().unwrap().0
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Submit { sender, value } => {
                let name = SENDERS[*sender];
                let nonce = self.ledger().next_nonce(&address(name));
                let transaction = call(name, nonce, TxKind::Call(self.target), word(*value));
                let _ = self.ledger().submit(transaction.raw().clone()).unwrap();
            }
            Step::Seal => {
                let _ = self.running.as_mut().unwrap().1.seal_next().unwrap();
                self.remember();
            }
            Step::Die => {
                let recovered = self.restart();
                assert_eq!(recovered.dropped_tail, None);
            }
            Step::LoseBytes { thousandths } => self.lose_bytes(*thousandths),
        }
        self.compare();
    }

    fn lose_bytes(&mut self, thousandths: u64) {
        self.running = None;
        let length = std::fs::metadata(self.log()).unwrap().len();
        // Blocks 0 and 1 stay: without them there would be no contract to talk to.
        let kept = (length - length * thousandths / 1_000).max(self.blocks[0].log_bytes);
        File::options().write(true).open(self.log()).unwrap().set_len(kept).unwrap();
        let whole = self.blocks.iter().take_while(|block| block.log_bytes <= kept).count();
        self.blocks.truncate(whole);
        let is_cut_inside = self.blocks[whole - 1].log_bytes != kept;
        let recovered = self.restart();
        assert_eq!(recovered.dropped_tail.is_some(), is_cut_inside, "{recovered:?}");
        assert_eq!(recovered.head, whole as u64);
    }

    fn restart(&mut self) -> Recovered {
        self.running = None;
        let (ledger, recovered, sealer) = open(self.folder.path());
        self.running = Some((ledger, sealer));
        recovered
    }

    /// Block 1 is the first that is remembered.
    fn remember(&mut self) {
        let (ledger, _) = self.running.as_ref().unwrap();
        let head = ledger.block(ledger.head().number).unwrap();
        let mut next = self.blocks.last().cloned().unwrap_or(Remembered {
            hash: B256::ZERO,
            log_bytes: 0,
            stored: 0,
            nonces: [0; SENDERS.len()],
        });
        for (transaction, receipt) in head.transactions.iter().zip(&head.receipts) {
            let Some(sender) = SENDERS.iter().position(|name| address(name) == transaction.sender()) else { continue };
            next.nonces[sender] += 1;
            let value: u64 = U256::from_be_slice(alloy_consensus::Transaction::input(transaction.envelope())).to();
            assert_eq!(receipt.is_success, value.is_multiple_of(2));
            if receipt.is_success {
                next.stored = value;
            }
        }
        next.hash = head.header.hash();
        next.log_bytes = std::fs::metadata(self.log()).unwrap().len();
        self.blocks.push(next);
    }

    fn compare(&self) {
        let (head, state) = self.ledger().head_and_state();
        let newest = self.blocks.last().unwrap();
        assert_eq!((head.number, head.hash()), (self.blocks.len() as u64, newest.hash));
        assert_eq!(state.slot(&self.target, &U256::ZERO), U256::from(newest.stored));
        let nonces = SENDERS.map(|name| state.account(&address(name)).map_or(0, |account| account.nonce));
        assert_eq!(nonces, newest.nonces);
    }

    /// Executes every block again, transaction by transaction, and compares each header's state root.
    fn execute_again(&self) {
        let bytes = std::fs::read(self.folder.path().join("genesis.json")).unwrap();
        let (_, diff) = genesis_block(&Genesis::parse(&bytes).unwrap());
        let mut state = WorldState::default();
        state.apply(&diff);
        let executor = Executor { chain_id: 1337, contract_bytes_max: None };
        let hashes = |number: u64| self.ledger().header(number).map(|header| header.hash()).unwrap_or_default();
        for number in 1..=self.ledger().head().number {
            let block = self.ledger().block(number).unwrap();
            let header = &block.header;
            let fork = crate::forks::Fork::Berlin;
            let context = BlockContext::new(number, header.timestamp, header.gas_limit, 0, header.beneficiary, fork);
            for transaction in &block.transactions {
                let before = state.clone();
                let mut run = executor.begin(&before, &hashes, &context, header.parent_hash);
                let _ = run.execute(transaction).unwrap();
                state.apply(&run.finish());
            }
            assert_eq!(WorldTries::of(&state).root(), header.state_root, "block {number}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_happens_whole_blocks_stay_and_the_state_is_theirs(steps in vec(step(), 1..60)) {
        let mut life = Life::begin();
        for step in &steps {
            life.play(step);
        }
        life.execute_again();
    }
}
