//! Real servers for tests and benchmarks: PostgreSQL and NATS from the distribution's packages, each on a free loopback port and
//! in a temporary folder of its own. And a token in software, which is no server but comes and goes alike.
//!
//! A server ends with its value, also when the test panics; and with the process, also when that is killed: it runs under a
//! *keeper*, a shell that ends it as soon as the owner's end of a pipe is closed (see [`process`]). Nothing is awaited by sleeping:
//! a server is ready when it says so in its log, and gone when its log ends.
//!
//! All calls block. From a test on tokio, use a runtime of several threads, or `spawn_blocking`, so that what else the test does
//! goes on meanwhile.
//!
//! Must not know: what is tested with the servers. Only tests and benchmarks depend on it.
//!
//! Tested against the servers themselves: started, used, restarted, killed, and left alone by a process that was killed.

pub mod nats;
pub mod postgres;
pub mod soft_token;

mod error;
mod log;
mod ports;
mod process;
mod program;

pub use error::ServerError;
pub use nats::{Nats, NatsCluster};
pub use postgres::Postgres;
pub use soft_token::SoftToken;
