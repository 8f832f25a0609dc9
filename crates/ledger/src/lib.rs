//! The embedded EVM ledger.

pub mod block;
pub mod chain;
pub mod clock;
pub mod data_dir;
pub mod executor;
pub mod extra_data;
pub mod forks;
pub mod genesis;
pub mod header;
mod log;
pub mod maintenance;
pub mod node;
pub mod node_key;
pub mod pool;
pub mod receipt;
pub mod rpc;
pub mod state;
pub mod transaction;
mod trie;

#[cfg(test)]
mod ethereum_tests;
#[cfg(test)]
mod testing;
