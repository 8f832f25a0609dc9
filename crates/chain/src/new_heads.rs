//! A node's word that there is a new head: `eth_subscribe` to `newHeads` over WebSocket (Ethereum's RPC PubSub; Besu serves it
//! with `--rpc-ws-enabled`, on port 8546 by default).
//!
//! What is told is a hint and nothing more: whoever hears of a head asks the node for it, and proves what that answers. So a
//! subscription that lies, is silent or floods costs a question at most; it has limits of its own on time, bytes and writes.
//! A connection that does anything unexpected is given up, and begun anew by whoever keeps it (`follower`).

mod connection;
mod message;
mod metered;

#[cfg(test)]
pub(crate) mod hostile;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use hyper::header::HeaderValue;
use url::Url;

pub(crate) use self::connection::Connection;
use crate::access::{NodeAccess, NodeAccessError};
use crate::transport::dial::Dialer;
use crate::transport::http::without_credentials;

/// The longest message that is read, in bytes. The header of a network with 300 validators has some 60,000 in hexadecimal, most
/// of them their seals.
pub const HEAD_MESSAGE_BYTES_MAX: usize = 128 * 1024;

/// What one connection may bring in a second, in bytes, its handshake and its pings included: some hundred heads. More is a flood.
pub const HEAD_BYTES_A_SECOND_MAX: usize = 256 * 1024;

/// How often one connection may make us write in a second. We write when a ping is answered; more is a flood of pings.
pub const HEAD_WRITES_A_SECOND_MAX: u32 = 64;

/// How long address, connection, handshake and subscription may take in all.
pub const SUBSCRIBE_TIME_MAX: Duration = Duration::from_secs(10);

/// After so long without a message the node is asked for a sign of life, and after as long again given up.
pub const SILENCE_BEFORE_PING: Duration = Duration::from_secs(15);

/// Where a node tells of new heads.
#[derive(Clone)]
pub struct NewHeads {
    url: Url,
    dialer: Dialer,
    /// A token that is shown in the handshake.
    authorization: Option<HeaderValue>,
}

impl fmt::Debug for NewHeads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewHeads").field("url", &self.shown_url()).finish_non_exhaustive()
    }
}

/// The address of a node's heads cannot be used. Texts of URLs are shown without user name and password.
#[derive(Debug, thiserror::Error)]
pub enum NewHeadsError {
    /// The text is no URL.
    #[error("`{text}` is no URL of a node's WebSocket: it looks like `ws://10.0.0.1:8546`")]
    NotAUrl {
        /// The text.
        text: String,
        /// What the parser says, printed apart.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The URL is of another kind.
    #[error("`{url}` is not a ws or wss URL: heads are told over WebSocket, at an address of its own")]
    Scheme {
        /// The URL.
        url: String,
    },
    /// The URL has a user name or a password, which would stand in lists of processes.
    #[error("`{url}` has a user name or a password, which is not taken from a WebSocket's URL")]
    Credentials {
        /// The URL.
        url: String,
    },
    /// TLS cannot be set up.
    #[error("the node at `{url}` cannot be reached in TLS")]
    Access {
        /// The URL.
        url: String,
        /// Why not.
        source: NodeAccessError,
    },
}

impl NewHeads {
    /// The same as [`with`](Self::with), with nothing but what the system trusts.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn at(url: &str) -> Result<Self, NewHeadsError> {
        Self::with(url, &NodeAccess::plain())
    }

    /// Remembers where; no connection is made yet.
    ///
    /// # Errors
    ///
    /// The text is no URL of a WebSocket, or has a user name or a password in it; TLS cannot be set up.
    pub fn with(url: &str, access: &NodeAccess) -> Result<Self, NewHeadsError> {
        let shown = || without_credentials(url);
        let parsed =
            Url::parse(url).map_err(|source| NewHeadsError::NotAUrl { text: shown(), source: Box::new(source) })?;
        let is_tls = match parsed.scheme() {
            "ws" if parsed.has_host() => false,
            "wss" if parsed.has_host() => true,
            _ => return Err(NewHeadsError::Scheme { url: shown() }),
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(NewHeadsError::Credentials { url: shown() });
        }
        let dialer = Dialer::new(&parsed, is_tls, access);
        let dialer = dialer.map_err(|source| NewHeadsError::Access { url: shown(), source })?;
        Ok(Self { url: parsed, dialer, authorization: access.authorization().cloned() })
    }

    /// The URL, for people and files.
    pub fn shown_url(&self) -> &str {
        self.url.as_str()
    }
}

/// Why a subscription could not begin, or ended. None of it says anything of the ledger.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SubscriptionFault {
    /// There is no connection.
    #[error("no connection to the node: {0}")]
    Unreachable(String),
    /// Not all that comes before the first head was there in time.
    #[error("the node did not take the subscription within {} s", SUBSCRIBE_TIME_MAX.as_secs())]
    TooSlow,
    /// Whoever answers does not speak WebSocket there.
    #[error("no WebSocket at this address: {0}; is it the node's port for WebSocket?")]
    Handshake(String),
    /// The node says no.
    #[error("the node refused the subscription: {0}")]
    Refused(String),
    /// The node closed the connection, or it broke.
    #[error("the connection ended: {0}")]
    Ended(String),
    /// Neither a head nor a sign of life.
    #[error("the node said nothing for {} s, also when it was asked for a sign of life", 2 * SILENCE_BEFORE_PING.as_secs())]
    Silent,
    /// More bytes, or more pings, than any node has reason to send.
    #[error("the node floods the connection: {0}")]
    Flood(&'static str),
    /// A message that was not asked for.
    #[error("the node sent something else than a new head: {0}")]
    Garbage(String),
}
