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

use reqwest::Url;

pub(crate) use self::connection::Connection;
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
    #[error("`{url}` is not a ws URL: heads are told over WebSocket, at an address of its own")]
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
}

impl NewHeads {
    /// Remembers where; no connection is made yet.
    ///
    /// # Errors
    ///
    /// The text is no URL of a WebSocket, or has a user name or a password in it.
    pub fn at(url: &str) -> Result<Self, NewHeadsError> {
        let shown = || without_credentials(url);
        let parsed =
            Url::parse(url).map_err(|source| NewHeadsError::NotAUrl { text: shown(), source: Box::new(source) })?;
        if parsed.scheme() != "ws" || !parsed.has_host() {
            return Err(NewHeadsError::Scheme { url: shown() });
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(NewHeadsError::Credentials { url: shown() });
        }
        Ok(Self { url: parsed })
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
