//! A connection with a limit on what the other side may send in a second, and on how often it may make us write.
//!
//! The limits lie below everything that reads WebSocket: a handshake without end, a flood of pings, of fragments or of empty
//! messages meet the same one.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::{HEAD_BYTES_A_SECOND_MAX, HEAD_WRITES_A_SECOND_MAX, SubscriptionFault};
use crate::transport::dial::Link;

/// Over what the limits count.
const WINDOW: Duration = Duration::from_secs(1);

/// Which limit was met, if one was: libraries above tell of it as of any broken connection.
#[derive(Debug, Clone, Default)]
pub(super) struct LimitMet(Arc<OnceLock<&'static str>>);

impl LimitMet {
    /// Why the connection ended, where a fault is seen.
    pub(super) fn or(&self, fault: SubscriptionFault) -> SubscriptionFault {
        self.0.get().map_or(fault, |limit| SubscriptionFault::Flood(limit))
    }
}

/// A link, and what came over it in this window.
pub(super) struct Metered {
    link: Box<dyn Link>,
    window_ends: Instant,
    bytes_read: usize,
    writes: u32,
    limit_met: LimitMet,
}

impl Metered {
    pub(super) fn new(link: Box<dyn Link>, limit_met: LimitMet) -> Self {
        Self { link, window_ends: Instant::now() + WINDOW, bytes_read: 0, writes: 0, limit_met }
    }

    fn flood(&self, limit: &'static str) -> io::Error {
        io::Error::other(*self.limit_met.0.get_or_init(|| limit))
    }

    fn count(&mut self) {
        let now = Instant::now();
        if now >= self.window_ends {
            (self.window_ends, self.bytes_read, self.writes) = (now + WINDOW, 0, 0);
        }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.count();
        if self.bytes_read >= HEAD_BYTES_A_SECOND_MAX {
            return Poll::Ready(Err(self.flood("more bytes in a second than heads need")));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.link).poll_read(context, buffer);
        self.bytes_read += buffer.filled().len() - before;
        polled
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.count();
        if self.writes >= HEAD_WRITES_A_SECOND_MAX {
            return Poll::Ready(Err(self.flood("more pings in a second than show that somebody is there")));
        }
        let polled = Pin::new(&mut self.link).poll_write(context, bytes);
        self.writes += u32::from(polled.is_ready());
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.link).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.link).poll_shutdown(context)
    }
}
