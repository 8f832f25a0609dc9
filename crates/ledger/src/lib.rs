//! An embedded EVM ledger that looks like one node of a Hyperledger Besu network with QBFT: Besu's genesis files, QBFT's
//! headers, Besu's JSON-RPC with its error codes and words. One process, one sealer, nothing else needed.
//!
//! # What it must not know
//! The platform: tokens, assets, banks, the journal, custody's keys, command lines. Of this workspace it uses
//! `node-errors` alone. Only `executor` names revm; only [`rpc`] names jsonrpsee; only `log` and [`data_dir`] write
//! files.
//!
//! # The way of a transaction
//! ```text
//! eth_sendRawTransaction ─► transaction (decode, sender) ─► node::admission (chain, gas, balance) ─► pool
//!                                                                                                    │ ready, in order
//!   node::sealer: executor (one journal per block) ─► state::StateDiff ─► tries (root) ─► header ─► seal
//!                                                            │
//!                            log: header, transactions, receipts, diff; fdatasync ═ the commit point
//!                                                            │
//! eth_call, receipts, logs, subscriptions ◄── chain (newest blocks and states, indexes) ◄── publish
//! ```
//! After a start the way is shorter: the log's diffs are applied one after another, nothing is executed again, and the
//! root of the result must be the one in the newest header, whose seal is checked.
//!
//! # Main types
//! * [`data_dir::DataDir`]: a directory that belongs to one network and, while it is open, to one process.
//! * [`node::Ledger`]: the running ledger, cheap to clone; [`node::Sealer`] is what the sealing thread owns, and
//!   [`node::Sealing`] that thread.
//! * [`rpc::module`]: all JSON-RPC methods, to be served on sockets or called in the same process.
//! * [`maintenance`]: looking inside a directory, and cutting a damaged log, while no ledger runs on it.
//! * Inside: `state::WorldState` (persistent maps: a reader's state never changes under it), `trie` (incremental
//!   Merkle-Patricia trie), `log` (append log), `pool`, `chain`.
//!
//! # Invariants
//! * What JSON-RPC shows as a block is on disk, synced. With one sealer that is durability, not Byzantine agreement.
//! * Once an append fails, nothing is sealed any more, and [`node::Ledger::failed`] tells the process to stop: what is
//!   on disk is unknown until it is opened anew.
//! * A whole block is never lost and a partial one never shown. A record that the process died in is dropped and told;
//!   bytes that changed are refused with their place.
//! * Hashes of headers are kept, not computed again: a QBFT hash is not that of the header's bytes.
//! * A transaction's sender is recovered once.
//! * Everything that comes from outside has a limit with a name: [`node::NodeOptions`], [`rpc::RpcOptions`],
//!   [`rpc::ServerLimits`].
//!
//! # How it is tested
//! Ethereum's own state, trie and RLP tests go through the executor, the diffs and the tries, wherever the variable
//! `LASTRO_ETHEREUM_TESTS` says they are: `cargo test --release -p ledger ethereum -- --nocapture`. Random lives with
//! deaths and cut logs are compared with a twin that remembers and with executing all again. The log is cut and changed at
//! every byte; the trie is compared with alloy's builder; every JSON-RPC method is called, and every refusal reached.
//! Genesis files of real networks are read where `LASTRO_SHARED` is.

mod block;
mod chain;
pub mod clock;
pub mod data_dir;
mod executor;
mod extra_data;
mod forks;
pub mod genesis;
mod header;
mod log;
pub mod maintenance;
pub mod node;
pub mod node_key;
mod pool;
mod receipt;
pub mod rpc;
mod state;
mod transaction;
mod trie;

#[cfg(test)]
mod ethereum_tests;
#[cfg(test)]
mod testing;
