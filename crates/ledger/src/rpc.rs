//! JSON-RPC as Besu speaks it: one module of methods, served on HTTP and WebSocket, or called in the same process.
//!
//! A room per topic: `eth` for the chain and its transactions, `calls` for `eth_call` and estimates, `logs` for
//! logs and filters, `subscriptions` for WebSocket. Error codes and texts come from `node-errors` alone.

mod calls;
mod errors;
mod eth;
mod logs;
mod server;
mod subscriptions;
mod views;

pub use server::{ServeError, Served, ServerLimits, serve_http, serve_ws};

use crate::node::Ledger;
use errors::answer;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use node_errors::Meaning;
use serde::de::DeserializeOwned;

type RpcResult<T> = Result<T, ErrorObjectOwned>;

/// What a process may choose for its JSON-RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcOptions {
    /// Most blocks that one log query may span; Besu's `rpc-max-logs-range` is 5,000.
    pub log_blocks_max: u64,
    /// Most logs that one query returns.
    pub logs_max: usize,
    /// Most filters that are open at once.
    pub filters_max: usize,
    /// How long a filter lives without being asked, in seconds.
    pub filter_idle_seconds_max: u64,
}

impl Default for RpcOptions {
    fn default() -> Self {
        Self { log_blocks_max: 5_000, logs_max: 100_000, filters_max: 1_000, filter_idle_seconds_max: 600 }
    }
}

/// What every method sees.
pub(crate) struct Context {
    ledger: Ledger,
    options: RpcOptions,
    filters: logs::Filters,
}

/// All methods over `ledger`.
///
/// # Panics
/// Never: method names are distinct, which a test shows.
pub fn module(ledger: Ledger, options: RpcOptions) -> RpcModule<()> {
    let filters = logs::Filters::new(options);
    let mut module = RpcModule::new(Context { ledger, options, filters });
    register(&mut module).expect("method names are distinct");
    module.remove_context()
}

fn register(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    eth::register(module)?;
    calls::register(module)?;
    logs::register(module)?;
    subscriptions::register(module)?;
    let names: Vec<&'static str> = module.method_names().collect();
    let _ = module.register_method("rpc_modules", move |_, _, _| told(views::rpc_modules(&names)))?;
    Ok(())
}

/// An answer that cannot fail.
fn told<T>(value: T) -> RpcResult<T> {
    Ok(value)
}

/// The first parameters as a tuple; missing optional ones at the end count as null, more than expected are refused.
fn parse<T: DeserializeOwned>(params: &Params<'_>, count: usize, meaning: Meaning) -> RpcResult<T> {
    let text = params.as_str().unwrap_or("[]");
    let mut values: Vec<serde_json::Value> =
        serde_json::from_str(text).map_err(|error| answer(meaning, &error.to_string()))?;
    while values.len() > count && values.last().is_some_and(serde_json::Value::is_null) {
        let _ = values.pop();
    }
    if values.len() > count {
        return Err(answer(meaning, &format!("{} parameters were given, at most {count} are taken", values.len())));
    }
    values.resize(count, serde_json::Value::Null);
    serde_json::from_value(serde_json::Value::Array(values)).map_err(|error| answer(meaning, &error.to_string()))
}

#[cfg(test)]
mod tests;
