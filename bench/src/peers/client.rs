//! Who carries out the intents, and what it is given.

use super::tally::Told;
use super::{lane, script};
use alloy_primitives::{Address, U160};
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Gas of a transfer to an account without code (Yellow Paper, G_transaction).
pub(super) const TRANSFER_GAS: u64 = 21_000;
/// The first of the accounts that are paid: beyond all that networks reserve.
const FIRST_RECEIVER: u64 = 0x5000_0000;

/// A client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// A lane of ours.
    Lane,
    /// A script with this library.
    Script(Library, Nonces),
}

/// A library for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Library {
    Ethers,
    Viem,
}

/// Where a script's nonces come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nonces {
    /// A counter of its own. After an error the same transaction goes again.
    OwnCounter,
    /// The library's manager. After an error that reads the node's count anew, and the intent takes the next nonce.
    LibraryManager,
}

/// What a client is to do: pay 1 wei for each intent, to an account of the intent's own.
#[derive(Clone, Debug)]
pub(super) struct Task<'a> {
    /// The node, or who stands before it.
    pub(super) url: String,
    pub(super) intents: u32,
    pub(super) at_once: u32,
    /// Calls that a library which makes JSON-RPC batches may put into one request.
    pub(super) batch_max: u32,
    /// A client that has not ended by then is ended.
    pub(super) time_max: Duration,
    /// The private key of the sender, which anybody can derive.
    pub(super) private_key: &'a str,
    /// A folder that is gone afterwards.
    pub(super) folder: &'a Path,
    /// The folder of the scripts' packages.
    pub(super) packages: &'a Path,
}

/// What a client did.
#[derive(Debug)]
pub(super) struct Run {
    /// Name and version.
    pub(super) client: String,
    /// What it told of each intent.
    pub(super) told: BTreeMap<u32, Told>,
    /// From the first send to the last word, or until it was ended.
    pub(super) elapsed: Duration,
    /// `None` if it came to its end; else why not.
    pub(super) broken_off: Option<String>,
}

/// The account that an intent pays.
pub(super) fn receiver(intent: u32) -> Address {
    Address::from(U160::from(FIRST_RECEIVER + u64::from(intent)))
}

impl Client {
    /// All who are measured under faults; in clear weather those without a manager.
    pub(super) const ALL: [Self; 5] = [
        Self::Lane,
        Self::Script(Library::Ethers, Nonces::OwnCounter),
        Self::Script(Library::Ethers, Nonces::LibraryManager),
        Self::Script(Library::Viem, Nonces::OwnCounter),
        Self::Script(Library::Viem, Nonces::LibraryManager),
    ];

    /// What is said of its nonces.
    pub(super) fn nonces(self) -> &'static str {
        match self {
            Self::Lane => "lane's",
            Self::Script(_, Nonces::OwnCounter) => "counter",
            Self::Script(_, Nonces::LibraryManager) => "manager",
        }
    }

    /// Does the task.
    pub(super) async fn run(self, task: &Task<'_>) -> Result<Run> {
        match self {
            Self::Lane => lane::run(task).await,
            Self::Script(library, nonces) => script::run(library, nonces, task).await,
        }
    }
}
