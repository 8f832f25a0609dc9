//! The contracts as Rust sees them: typed calls, events and results, creation code, and reverts in words.
//!
//! Everything is made from `solidity/artifacts`, which the contracts' own build writes and CI compares byte by byte.
//! There is no other ABI in the platform. The one that is a text is a policy's, which [`call`] reads: whoever writes a policy names
//! the functions of any contract.
//!
//! **What this crate must not know:** nodes, keys, transactions, money's meaning. It is pure: bytes in, values out.
//!
//! * [`drex`] has one module per contract of the Drex family: calls as `XCall`, events, errors, and `BYTECODE`.
//! * [`assets`] has the same for the regulated assets.
//! * [`creation`] joins creation code and constructor arguments.
//! * [`revert::decode`] names what a contract reverted with, whichever contract it was.
//! * [`explanation`] says a revert, and the reason of a refusal by rules, to people in their language.
//! * [`call`] reads calls by a function's text, for whoever has no types of them: a policy.
//! * [`discovery`] has the keys under which contracts are found in `AddressDiscovery`.
//!
//! # Example
//! ```
//! use alloy_primitives::{Address, U256};
//! use alloy_sol_types::SolCall;
//! use bindings::drex::RealDigital;
//!
//! let call = RealDigital::mintCall { to: Address::ZERO, amount: U256::from(100) };
//! assert_eq!(call.abi_encode()[..4], RealDigital::mintCall::SELECTOR);
//! ```

mod artifacts;
pub mod assets;
pub mod call;
mod date;
pub mod discovery;
pub mod drex;
pub mod explanation;
pub mod revert;

use alloy_primitives::Bytes;
use alloy_sol_types::SolConstructor;

/// Creation code followed by the constructor's arguments: the input of a transaction that creates the contract.
pub fn creation(bytecode: &Bytes, arguments: &impl SolConstructor) -> Bytes {
    [bytecode.as_ref(), arguments.abi_encode().as_slice()].concat().into()
}
