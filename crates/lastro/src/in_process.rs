//! The way from the platform to the embedded ledger in the same process: the same JSON-RPC methods, without a socket.

use chain::{RpcTransport, TransportError, TransportFuture};
use jsonrpsee::RpcModule;

/// Room for notifications of subscriptions, of which the platform opens none this way.
const NOTIFICATIONS_KEPT: usize = 1;

/// A transport that calls the ledger's RPC module.
#[derive(Clone, Debug)]
pub(crate) struct InProcess(pub(crate) RpcModule<()>);

impl RpcTransport for InProcess {
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
        Box::pin(async move {
            let answered = self.0.raw_json_request(&request, NOTIFICATIONS_KEPT).await;
            // Only a request that is no JSON-RPC fails here, and it has reached nothing.
            let (answer, _) = answered.map_err(|error| TransportError::NotSent { reason: error.to_string() })?;
            Ok(answer.get().to_owned())
        })
    }
}
