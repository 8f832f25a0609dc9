//! The listening sockets.

use jsonrpsee::RpcModule;
use jsonrpsee::core::traits::IdProvider;
use jsonrpsee::server::{BatchRequestConfig, Server, ServerConfig, ServerConfigBuilder, ServerHandle};
use jsonrpsee::types::SubscriptionId;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// What one listening socket may be asked for. Besu's defaults, where it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Longest request, in bytes.
    pub request_bytes_max: u32,
    /// Longest response, in bytes.
    pub response_bytes_max: u32,
    /// Most connections at once.
    pub connections_max: u32,
    /// Most requests in a batch.
    pub batch_requests_max: u32,
    /// Most subscriptions of one connection.
    pub subscriptions_max: u32,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            request_bytes_max: 5 * 1024 * 1024,
            response_bytes_max: 64 * 1024 * 1024,
            // Two sockets of 256 leave room below the usual 1,024 open files: a log that cannot open its next segment stops.
            connections_max: 256,
            batch_requests_max: 1_024,
            subscriptions_max: 128,
        }
    }
}

/// Numbers subscriptions from 1, as quantities: Besu's form.
#[derive(Debug, Default)]
struct SubscriptionIds(AtomicU64);

impl IdProvider for SubscriptionIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        let last = self.0.fetch_add(1, Ordering::Relaxed);
        SubscriptionId::Str(format!("{:#x}", last.wrapping_add(1)).into())
    }
}

/// A listening socket. Dropping it stops it.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    handle: ServerHandle,
}

/// A socket cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {protocol}")]
pub struct ServeError {
    /// Where.
    pub address: SocketAddr,
    /// `http` or `ws`.
    pub protocol: &'static str,
    /// What the system said.
    pub source: io::Error,
}

impl ServeError {
    /// Whether another process listens there.
    pub fn is_in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

impl Served {
    /// The address with the port that the system chose, if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and waits until open requests are answered.
    ///
    /// # Cancel safety
    /// If it is dropped, the socket stops all the same.
    pub async fn stop(self) {
        // Already stopped is what is wanted.
        let _ = self.handle.stop();
        self.handle.stopped().await;
    }
}

/// Serves HTTP on `address`.
///
/// # Errors
/// [`ServeError`], among others if the port is in use.
pub async fn serve_http(
    module: RpcModule<()>,
    address: SocketAddr,
    limits: ServerLimits,
) -> Result<Served, ServeError> {
    serve(module, address, "http", config(limits).http_only()).await
}

/// Serves WebSocket on `address`.
///
/// # Errors
/// [`ServeError`], among others if the port is in use.
pub async fn serve_ws(module: RpcModule<()>, address: SocketAddr, limits: ServerLimits) -> Result<Served, ServeError> {
    serve(module, address, "ws", config(limits).ws_only()).await
}

fn config(limits: ServerLimits) -> ServerConfigBuilder {
    ServerConfig::builder()
        .max_request_body_size(limits.request_bytes_max)
        .max_response_body_size(limits.response_bytes_max)
        .max_connections(limits.connections_max)
        .set_batch_request_config(BatchRequestConfig::Limit(limits.batch_requests_max))
        .max_subscriptions_per_connection(limits.subscriptions_max)
        .set_id_provider(SubscriptionIds::default())
}

async fn serve(
    module: RpcModule<()>,
    address: SocketAddr,
    protocol: &'static str,
    config: ServerConfigBuilder,
) -> Result<Served, ServeError> {
    let failed = |source| ServeError { address, protocol, source };
    let server = Server::builder().set_config(config.build()).build(address).await.map_err(failed)?;
    let address = server.local_addr().map_err(failed)?;
    Ok(Served { address, handle: server.start(module) })
}
