//! The way of one JSON-RPC request to a node and of its answer back.
//!
//! Three transports run in production: HTTP ([`HttpTransport`](crate::HttpTransport)), the embedded ledger in the same process, which
//! whoever wires the process together hands over as an [`RpcTransport`] of its own, and one over several nodes
//! ([`SeveralNodes`](crate::SeveralNodes)), each of which has one of the former.

pub(crate) mod dial;
pub(crate) mod http;
pub(crate) mod several;

#[cfg(test)]
mod tls_tests;

use std::future::Future;
use std::pin::Pin;

/// The longest answer that is read, in bytes: a block of logs with room to spare.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a transport gives back.
pub type TransportFuture<'a> = Pin<Box<dyn Future<Output = Result<String, TransportError>> + Send + 'a>>;

/// Carries one JSON-RPC request to a node, and its answer back.
pub trait RpcTransport: Send + Sync + 'static {
    /// Sends the request, one JSON object, and gives the answer's text as the node wrote it, an answer that is an error too.
    ///
    /// # Errors
    ///
    /// There is no answer. Whoever implements this must say [`TransportError::NotSent`] only if not one byte of the request can
    /// have reached the node: on this word a transaction's nonce may be given to something else.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves it unknown whether the node has the request.
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a>;

    /// The same for the one request that is no question, `eth_sendRawTransaction`: whoever knows further nodes may let them have what
    /// one of them took.
    ///
    /// # Errors
    ///
    /// As with [`send`](Self::send). An answer with which a node refuses the transaction must not be given if another node may
    /// have got it in the same call: on the refusal of a first offer, too, its nonce may be given to something else.
    ///
    /// # Cancel safety
    ///
    /// As with [`send`](Self::send).
    fn send_transaction<'a>(&'a self, request: String) -> TransportFuture<'a> {
        self.send(request)
    }

    /// What the other side's clock said when it answered last, as HTTP writes dates (RFC 9110, section 5.6.7); `None` where
    /// it does not say.
    fn server_date(&self) -> Option<String> {
        None
    }
}

/// There is no answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The node cannot have the request: there was no connection, or whoever stands before it turned the request away.
    #[error("the request was not sent: {reason}")]
    NotSent {
        /// Why not, for people.
        reason: String,
    },
    /// Nobody knows whether the node has the request and acted on it.
    #[error("there is no answer, and the request may have arrived: {reason}")]
    OutcomeUnknown {
        /// What was seen, for people.
        reason: String,
    },
}
