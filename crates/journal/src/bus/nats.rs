//! The bus over NATS JetStream: one stream for a deployment, a subject for each store and type of event.
//!
//! ```text
//! stream   LASTRO (configurable), subjects `lastro.>`
//! subject  lastro.<store's name>.<event type>          as in lastro.tokens.tokens.asset_issued
//! message  an event's frame (`messages::frame`), with `Nats-Msg-Id: <store id>-<position>-<hash>`, of
//!          the event's hash the first 16 hexadecimal digits
//! reader   a durable pull consumer `<reader>__<store's name>` with explicit, confirmed acknowledgement
//! ```
//!
//! The stream drops its oldest messages at its limits: whoever comes too late reads the feed. Two processes that read for one
//! reader share its durable consumer; each gets a part, sees gaps, and reads the feed for the rest: right, but slower than one.
//! Whoever can publish on a store's subject can make its readers apply what the store never said, so each service has a user of
//! its own whose permissions end at its own subject. A publisher that begins compares the newest message of its store with the
//! log; if the log does not have it, the store was restored from a backup or replaced, and its messages are purged. For that its
//! user may ask for messages of the stream and purge them (`$JS.API.STREAM.MSG.GET`, `$JS.API.STREAM.PURGE`). After a restore,
//! start publishers before readers.
//!
//! Works with nats-server 2.9 (Debian 12) and later.

mod config;
mod connection;
mod outbox;
mod poison;
mod publisher;
mod subscription;

pub use config::{ClientCertificate, Login, NatsConfig, NatsStream, NatsTls};
pub use connection::{Nats, NatsConnectError, NatsError};
pub use outbox::{CONSUMER, OutboxError};
pub use publisher::{NatsPublisher, PublishCounts, PublishError};
pub use subscription::{NatsSubscription, SubscriptionConfig, SubscriptionCounts};
