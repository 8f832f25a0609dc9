//! Ledger integration: the one way in which the platform talks to a node.
//!
//! Whoever wants something done on the ledger makes an [`Intent`] and submits it to a [`Lane`]. The promise: **an intent has
//! exactly one effect on the ledger, or ends in a refusal that says why**, whatever is lost on the way: requests, answers, the
//! node's pool, or this process.
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//! use chain::{Chain, HttpTransport, Intent, IntentKey, Outcome, Profile, Rules};
//! use custody::{Custody, KeyLabel, Purpose};
//! use journal::Place;
//! # use alloy_primitives::Bytes;
//! # async fn deploy(code: Bytes) -> Result<(), Box<dyn std::error::Error>> {
//! let profile = Profile::embedded(1337, Rules::Berlin, 30_000_000);
//! let mut custody = Custody::new(profile.network());
//! let treasury = KeyLabel::parse("treasury")?;
//! let _ = custody.add_test_key(treasury.clone(), Purpose::Transactions)?;
//!
//! let node = Arc::new(HttpTransport::new("http://127.0.0.1:8545")?);
//! let place = Place::Sqlite { path: "chain.db".into() };
//! let chain = Chain::open(profile, node, &place, Arc::new(custody)).await?;
//! let lane = chain.lane(&treasury).await?;
//! let creation = Intent::create(IntentKey::parse("deploy/real-digital")?, code, 5_000_000, "deploy Real Digital");
//! let submitted = lane.submit(&creation).await?; // the node has it; its address is known already
//! match chain.outcome(&submitted.key, Duration::from_secs(30)).await? {
//!     Outcome::Mined(mined) => println!("{:?} in block {}", submitted.created_address, mined.block_number),
//!     Outcome::Refused(refusal) => println!("refused: {}", refusal.reason),
//! }
//! # Ok(()) }
//! ```
//!
//! # The life of a transaction
//!
//! ```text
//!  Intent ── check ──► nonce ──► sign (custody) ──► keccak ──► COMMIT {nonce, bytes, hash}      nothing has left before this
//!     │                                                              │
//!     └─► IntentError (no nonce taken)                               ▼
//!                            same bytes, after a pause ┌───────►  sent  ◄──────── a restart, silence, a lost pool: same bytes
//!                            (unknown, pool full, …),  │         │  │  │
//!                            or its turn in the window └─ offer ─┘  │  └─ refused for good at the very first offer,
//!                                                         │         │     and the nonce is the lane's last ──► refused
//!                       accepted, or known already ◄──────┘         │
//!                            │                                      ├─ refused for good otherwise ──► cancelling: an empty
//!                            ▼                                      │   transaction competes for the nonce, the ledger decides
//!                  our hash in a final block ──► mined              │     ├─ ours is mined  ──► mined
//!                      (succeeded or reverted)                      │     └─ the empty one  ──► refused
//!                                                                   └─ a foreign transaction is found in a block with our
//!                                                                      sender and nonce ──► refused
//! ```
//!
//! * *Unknown is not failed.* After the first byte may have left, only the same signed bytes are sent again.
//! * *The node's hash is not believed.* The hash is computed here; another answer is logged as an error and looked into.
//! * *A nonce is given to something else* only if the node certainly does not have the transaction, which is so after a refusal
//!   of the very first offer alone, and the nonce is the last of its lane; otherwise the ledger itself decides between the
//!   transaction and an empty one.
//! * *A refusal frees the key.* The same key with the same or another intent may then be submitted anew.
//! * *A lane offers what the node takes.* How many nonces ahead of the ledger that is, it learns from refusals ([`LaneWindow`]);
//!   what lies further ahead is stored, and offered when the ledger has moved. No gap in the nonces outlives ten blocks.
//! * *Every retry ends.* [`SubmitError::Unsettled`] says that attempts are used up; the intent stays stored, and the same
//!   key, [`Chain::outcome`] or a restart goes on with the same bytes.
//!
//! # Main types
//!
//! [`Chain`] (one network, one store), [`Lane`] (one sender), [`Intent`], [`Outcome`], [`Profile`] (what is sent with),
//! [`NetworkProfile`] (what a network is expected to be), [`Rpc`] (reading), [`RpcTransport`] (the way to a node), [`SeveralNodes`]
//! (one over several), [`NodeAccess`] (certificates and tokens), [`Revert`];
//! [`doctor`] looks at nodes before anything is entrusted to them; [`follower`] gives each final block once, in order, and
//! [`Settlement`] stores and publishes what ended in it. Without one, whoever waits for an outcome asks for receipts.
//! [`LaneWindow`] is how much of a lane is offered to the node at once.
//! [`Chain::take_requests`] carries out what services ask for by events, and [`Chain::published`] is where they read how it ended.
//! [`Inspection`] looks at a store without keys and without a node; [`Chain::pause_lane`], [`Chain::cancel`], [`Chain::retry`],
//! [`Chain::begin_retirement`] and [`trace()`] are what an operator steps in with.
//!
//! # What it must not know
//!
//! Contracts: it carries bytes and gives back raw logs and raw revert bytes. Keys: custody signs. The embedded ledger: that is
//! a node like any other, behind a transport.
//!
//! # Invariants
//!
//! The signed bytes are committed before they leave. A sender has one lane holder; where processes share a store in PostgreSQL,
//! by a lease ([`LEASE`]) that says who may try, and a token that each statement checks. An end is stored in the unit of work that
//! publishes it. The store belongs to one chain id and genesis, compared at each start, and a ledger that knows fewer transactions
//! than the store saw mined is refused.
//!
//! # How it is tested
//!
//! `simulation` runs thousands of seeded schedules of intents against a model of a node that loses requests, answers and its
//! pool, lies about hashes, stalls, refuses, shares its address with a node that refuses more, and lets foreign transactions take
//! nonces, and whose limit for a sender changes, with others waiting for outcomes beside deliveries and this process killed in
//! between. At each block it is looked for gaps in the nonces. The same over two nodes, of which one is in front.
//! Defects planted on purpose must be caught by it. Two processes share a store in a real PostgreSQL, one of them stopped.
//! Requests of a service are played against the same node: each is answered once, each subject keeps its order, and none is refused as
//! failing while something is in flight that it needs.
//! The follower has a simulation of its own, of several nodes that lie.

mod access;
mod cancel;
mod chain;
mod dearer;
mod delivery;
pub mod doctor;
pub mod follower;
mod head;
mod inspect;
mod intent;
mod keeper;
mod lane;
mod new_heads;
mod outcome;
mod pause;
mod policy;
mod profile;
mod requests;
mod resend;
mod retirement;
mod revert;
mod rpc;
mod settlement;
mod stand_by;
mod store;
mod trace;
mod transport;
mod window;

#[cfg(test)]
mod simulation;

pub use crate::access::{ClientCertificateFiles, NODE_TOKEN_BYTES_MAX, NodeAccess, NodeAccessError, NodeAccessFiles};
pub use crate::cancel::{CancelBegun, CancelError, Winner};
pub use crate::chain::{Chain, Counters, LaneError, OpenError};
pub use crate::inspect::{
    ATTEMPTS_SHOWN_MAX, Cancelling, InspectError, Inspection, LIST_LINES_MAX, LaneLine, Listed, LogLine, Told,
    TransactionDetail, TransactionLine, TransactionState, Which,
};
pub use crate::intent::{
    CODE_BYTES_MAX, DATA_BYTES_MAX, INITCODE_BYTES_MAX, INTENT_KEY_BYTES_MAX, Intent, IntentError, IntentKey,
    IntentKeyError, TRANSACTION_GAS_MAX, intrinsic_gas,
};
pub use crate::lane::{ESTIMATE_MARGIN_PERCENT, EstimateError, Lane, SubmitError, Submitted};
pub use crate::new_heads::{
    HEAD_BYTES_A_SECOND_MAX, HEAD_MESSAGE_BYTES_MAX, HEAD_WRITES_A_SECOND_MAX, NewHeads, NewHeadsError,
    SILENCE_BEFORE_PING, SUBSCRIBE_TIME_MAX,
};
pub use crate::outcome::{Execution, Mined, Outcome, OutcomeError, REVERT_BYTES_MAX, Refusal};
pub use crate::pause::{
    LanePause, OPERATOR_TEXT_BYTES_MAX, OperatorText, OperatorTextError, PauseError, Paused, Resumed,
};
pub use crate::policy::ChangePolicyError;
pub use crate::profile::file::{PROFILE_BYTES_MAX, ProfileFileError};
pub use crate::profile::network::{
    Consensus, Expected, Governs, KnownChain, NetworkProfile, OtherChain, PermissioningContract, PoolKind,
};
pub use crate::profile::{FeeModel, PRICE_STEPS_MAX, Pace, Profile, Rules};
pub use crate::requests::{
    LANE_GROUP_NAME_BYTES_MAX, LaneActivity, LaneGroup, LaneGroupError, LaneStanding, REQUEST_DEPENDENCIES_MAX,
    REQUESTER_BYTES_MAX, Requester, RequesterNameError, Requests, RequestsError,
};
pub use crate::retirement::{Consent, KeyRetirement, RetireError, RetirementBegun, RetirementOrder};
pub use crate::revert::Revert;
pub use crate::rpc::{
    At, Block, BlockTransaction, CallRequest, LogEntry, LogFilter, NodeAnswer, Receipt, Rpc, RpcError, SeenTransaction,
};
pub use crate::settlement::{DELAYS_MAX, Settlement, SettlementError, SettlementState, SettlingNode};
pub use crate::stand_by::{OpenOfLane, RetryError};
pub use crate::store::{AuditError, LEASE, STATE_ROWS, StoreError, StoreOpenError, state_differences};
pub use crate::trace::{NodeView, Sight, TraceError, USER_BLOCKS_MAX, UsedBy, Verdict, trace};
pub use crate::transport::http::{HttpTransport, HttpTransportError};
pub use crate::transport::several::{
    COPIES_AT_ONCE_MAX, COPY_TIME_MAX, FAILED_NODE_REST, FAILURES_IN_A_ROW_MAX, NODES_PER_TRANSACTION, NodeOfSeveral,
    RETURN_LAG_BLOCKS_MAX, RETURNS_MAX, SeveralNodes, SeveralNodesView,
};
pub use crate::transport::{ANSWER_BYTES_MAX, RpcTransport, TransportError, TransportFuture};
pub use crate::window::{LaneWindow, WINDOW_MAX};
