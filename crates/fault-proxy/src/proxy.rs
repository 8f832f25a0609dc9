//! The server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::exchange::carry;
use crate::fault::{Counters, Fault, Survived};
use crate::weather::{Dice, Weather};

/// How many connections are served at once.
const CONNECTIONS_MAX: usize = 256;

/// The pause after a connection that the system did not give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A proxy on a free port of loopback. It stops when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    node: Mutex<Option<SocketAddr>>,
    dice: Mutex<Dice>,
    counters: Counters,
    /// How many requests have reached the node.
    passed: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn node(&self) -> Option<SocketAddr> {
        *self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_fault(&self, method: &str) -> Option<Fault> {
        let fault = self.dice.lock().unwrap_or_else(PoisonError::into_inner).draw(method);
        self.counters.count(fault);
        fault
    }

    pub(crate) fn has_passed(&self) {
        self.passed.send_modify(|passed| *passed += 1);
    }

    pub(crate) fn passed(&self) -> watch::Receiver<u64> {
        self.passed.subscribe()
    }
}

impl FaultProxy {
    /// Begins to listen. Until [`FaultProxy::lead_to`] there is no node, and no request has an answer.
    ///
    /// # Errors
    ///
    /// There is no port.
    pub async fn start(seed: u64, weather: Weather) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            node: Mutex::new(None),
            dice: Mutex::new(Dice::new(seed, weather)),
            counters: Counters::default(),
            passed: watch::Sender::new(0),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, serving })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on requests go to the node at this address.
    pub fn lead_to(&self, node: SocketAddr) {
        *self.shared.node.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
    }

    /// Requests that come from now on meet this weather.
    pub fn change_weather(&self, weather: Weather) {
        self.shared.dice.lock().unwrap_or_else(PoisonError::into_inner).weather = weather;
    }

    /// So many more requests meet the weather; those after them meet none.
    pub fn clear_after(&self, requests: u64) {
        self.shared.dice.lock().unwrap_or_else(PoisonError::into_inner).requests_until_clear = requests;
    }

    /// What came so far, and what it met.
    #[must_use]
    pub fn survived(&self) -> Survived {
        self.shared.counters.survived()
    }

    /// Closes all connections and the port.
    pub async fn stop(mut self) {
        self.serving.abort();
        // It was cancelled, which is what it ends with.
        drop((&mut self.serving).await);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Accepts connections until it is aborted, which ends all of them.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS_MAX {
            drop(connections.join_next().await);
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                // Most likely there are too many open files: some close in time.
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let shared = Arc::clone(&shared);
        let _ = connections.spawn(async move {
            let service = service_fn(|request| carry(&shared, request));
            if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}
