//! Free loopback ports for servers that are stopped and started again.
//!
//! They are taken from below the range that the system gives to outgoing connections. A port of that range could be given away
//! while its server is down; and a client that tries again and again to reach it would now and then be given the very port that
//! it connects to, and be connected with itself.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use crate::error::ServerError;

/// How often a server is started with another port when its port was taken in the meantime.
pub(crate) const START_TRIES_MAX: u32 = 5;

/// How many ports are tried for one that is free.
const PORT_TRIES_MAX: u32 = 200;

/// Below are the ports of well-known services.
const PORT_MIN: u16 = 12_000;

/// Where outgoing connections begin on Linux, if the system does not say.
const OUTGOING_FROM: u16 = 32_768;

/// A port that was free a moment ago. Another process may take it before the server does: try again with another then.
pub(crate) fn free_port() -> Result<u16, ServerError> {
    let range = range(outgoing_from());
    let ports = u64::from(range.end - range.start);
    for _ in 0..PORT_TRIES_MAX {
        let offset = RandomState::new().hash_one(range.start) % ports;
        let port = range.start.saturating_add(u16::try_from(offset).unwrap_or(0));
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(ServerError::NoPort { tries: PORT_TRIES_MAX })
}

/// A system that gives almost all ports to outgoing connections leaves none below them; then any will do.
fn range(outgoing_from: u16) -> Range<u16> {
    if outgoing_from > PORT_MIN + 1_000 { PORT_MIN..outgoing_from } else { PORT_MIN..u16::MAX }
}

fn outgoing_from() -> u16 {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(OUTGOING_FROM)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_not_free_and_is_free_again_afterwards() {
        let port = free_port().unwrap();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
        drop(taken);
        assert!(is_free(port));
    }

    #[test]
    fn ports_are_below_those_of_outgoing_connections_if_there_are_any() {
        assert_eq!(range(32_768), PORT_MIN..32_768);
        assert_eq!(range(1_024), PORT_MIN..u16::MAX);
    }
}
