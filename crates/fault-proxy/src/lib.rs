//! A proxy before a node that loses, delays, doubles and falsifies, by a seed: what a bad link, a load balancer or a node under
//! pressure does to whoever sends transactions.
//!
//! ```no_run
//! use fault_proxy::{FaultProxy, Weather};
//! # async fn demonstrate() -> std::io::Result<()> {
//! let proxy = FaultProxy::start(7, Weather::with_everything(150)).await?;
//! proxy.lead_to("127.0.0.1:8545".parse().expect("an address"));
//! println!("send to {}", proxy.url());
//! proxy.change_weather(Weather::CLEAR);
//! println!("{} requests met a fault", proxy.survived().faults());
//! proxy.stop().await;
//! # Ok(()) }
//! ```
//!
//! What it does not do: lie about receipts and blocks. One node alone could not be found out; `chain`'s simulation of several
//! nodes does that. It serves loopback only.
//!
//! The seed decides which fault the n-th request meets. Which request that is, the timing of real processes decides, so a seed
//! repeats the weather and not the run.

mod exchange;
mod fault;
mod proxy;
mod weather;

pub use crate::fault::{Fault, FaultKind, Survived};
pub use crate::proxy::FaultProxy;
pub use crate::weather::Weather;
