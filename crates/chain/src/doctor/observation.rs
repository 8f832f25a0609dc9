//! What was seen of a node, as data: judgement needs nothing else, and asks nobody.

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};

use super::seal::BftExtra;
use crate::profile::Rules;
use crate::profile::network::{Governs, PermissioningContract};

/// Something that was looked for, or why it was not seen.
pub type Seen<T> = Result<T, Unseen>;

/// Why something was not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unseen {
    /// The node does not offer the method, or not to us.
    NotOffered {
        /// The method.
        method: &'static str,
    },
    /// There is no answer.
    NoAnswer {
        /// The method.
        method: &'static str,
        /// What the transport says.
        reason: String,
    },
    /// There was no answer in time.
    TimedOut {
        /// The method.
        method: &'static str,
        /// How long was waited.
        max_seconds: u64,
    },
    /// The node answered with an error.
    Refused {
        /// The method.
        method: &'static str,
        /// The code.
        code: i64,
        /// The node's words, cut.
        message: String,
    },
    /// The node, or whoever stands before it, answered that it lets nobody ask from here or without a token.
    TurnedAway {
        /// The method.
        method: &'static str,
        /// The words of the answer, cut.
        reason: String,
    },
    /// The answer is not of the method's form.
    Unreadable {
        /// The method.
        method: &'static str,
    },
    /// The node was not asked: it answered none of the questions before.
    NodeSilent,
    /// The node was not asked: the time for it was used up.
    TimeUsedUp {
        /// How long that is.
        max_seconds: u64,
    },
    /// There is nothing on the chain, or nothing was named, from which it could be seen.
    Nothing(Nothing),
}

/// What is missing from which something could be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nothing {
    /// The chain has fewer blocks than a statement needs.
    FewBlocks,
    /// No transaction failed by a revert in the blocks that were read.
    NoRevert,
    /// No sender was named.
    NoSender,
    /// The profile names no permissioning contract, and none stands where they usually do.
    NoPermissioning,
    /// There is no block with transactions beside one without.
    NoComparison,
    /// One validator alone.
    OneValidator,
    /// One node alone.
    OneNode,
    /// The seal is none that is known.
    UnknownSeal,
    /// The node says nothing of its clock.
    NoDate,
    /// Nobody asked to watch.
    NotAsked,
    /// The version says nothing of a release.
    NoRelease,
    /// The profile says nothing of it.
    NotExpected,
    /// The node is too far behind the others to be compared with them.
    Lagging,
}

/// All of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The node as it was named, without user name and password.
    pub node: String,
    /// Our clock when the newest block was answered, in seconds since 1970.
    pub now_seconds: u64,
    /// The node's clock as HTTP said it then, in seconds since 1970.
    pub server_seconds: Option<u64>,
    /// `web3_clientVersion`.
    pub client: Seen<String>,
    /// `eth_chainId`.
    pub chain_id: Seen<u64>,
    /// `net_version`.
    pub network_id: Seen<u64>,
    /// Hash of block 0.
    pub genesis: Seen<B256>,
    /// `eth_syncing`: how far behind, in blocks; `None` if it is not.
    pub syncing: Seen<Option<u64>>,
    /// `net_peerCount`.
    pub peers: Seen<u64>,
    /// `rpc_modules`: names of the namespaces that are on.
    pub modules: Seen<Vec<String>>,
    /// The newest blocks without a gap, oldest first.
    pub blocks: Seen<Vec<SeenBlock>>,
    /// Why there are not more of them, though the chain has more.
    pub blocks_cut: Option<Unseen>,
    /// `eth_gasPrice`, in wei.
    pub gas_price_wei: Seen<U256>,
    /// The EVM's rules.
    pub rules: Seen<SeenRules>,
    /// The validators of the next block.
    pub validators: Seen<Vec<Address>>,
    /// `txpool_besuStatistics`.
    pub pool: Seen<SeenPool>,
    /// The permissioning contracts, and whether there is code.
    pub permissioning: Vec<(PermissioningContract, Seen<bool>)>,
    /// `perm_getAccountsAllowlist`; `None` if the node keeps no list.
    pub allowlist: Seen<Option<Vec<Address>>>,
    /// The senders that were named.
    pub senders: Vec<SeenSender>,
    /// Reverted transactions in the newest blocks.
    pub reverts: Seen<SeenReverts>,
    /// How many blocks one query for logs may span.
    pub log_range: Seen<SeenLogRange>,
    /// What came while it was watched.
    pub watch: Seen<SeenWatch>,
    /// Number of the newest block when all nodes were asked for it, one right after the other.
    pub height: Seen<u64>,
    /// Hash of the block at a height that all nodes had then.
    pub common: Seen<(u64, B256)>,
}

/// A block's header, as far as it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// The hash of the block before.
    pub parent_hash: B256,
    /// When it was made, in seconds since 1970.
    pub timestamp_seconds: u64,
    /// Who built it.
    pub proposer: Address,
    /// Its gas limit.
    pub gas_limit: u64,
    /// The base fee, where the rules have one.
    pub base_fee_wei: Option<U256>,
    /// Its transactions.
    pub transactions: Vec<B256>,
    /// What its `extraData` says, if it is a known consensus's.
    pub extra: Option<BftExtra>,
}

/// What probing instructions showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenRules {
    /// Older than Berlin.
    BeforeBerlin,
    /// These.
    These(Rules),
    /// A newer instruction works and an older one does not: no set of rules is like that.
    Contradictory {
        /// The rules up to which all works.
        whole_up_to: Option<Rules>,
        /// The newest of which something works.
        newest: Rules,
    },
}

/// A transaction pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenPool {
    /// Most transactions; `None` for the layered pool, which counts bytes (Besu answers -1).
    pub max: Option<u64>,
    /// Transactions that it holds.
    pub held: u64,
}

/// Somebody who wants to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSender {
    /// Its address.
    pub address: Address,
    /// Its balance, in wei.
    pub balance_wei: Seen<U256>,
    /// Whether the accounts contract lets it create contracts.
    pub may_create: Seen<bool>,
    /// Whether the accounts contract lets it call a contract (the accounts contract itself).
    pub may_call: Seen<bool>,
}

/// Reverted transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenReverts {
    /// Receipts with the reason.
    pub with_reason: u64,
    /// Receipts without, though the gas was not used up.
    pub without_reason: u64,
}

/// Ranges of a query for logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenLogRange {
    /// The longest that was answered, in blocks; 0 if none.
    pub answered_blocks: u64,
    /// The shortest that was refused.
    pub refused_blocks: Option<u64>,
}

/// Heads that came while a node was watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenWatch {
    /// How long it was watched.
    pub watched: Duration,
    /// How many blocks came.
    pub blocks: u64,
    /// The longest time without a new one.
    pub longest_wait: Duration,
}

impl Observation {
    /// Whether nothing that says what this is was answered: no chain id, no release, no block.
    pub fn is_silent(&self) -> bool {
        self.chain_id.is_err() && self.client.is_err() && self.blocks.is_err()
    }

    /// The newest block.
    pub fn head(&self) -> Seen<&SeenBlock> {
        let blocks = self.blocks.as_ref().map_err(Clone::clone)?;
        blocks.last().ok_or(Unseen::Nothing(Nothing::FewBlocks))
    }

    /// The contract that decides on accounts, where there is code, or why there is none to ask.
    pub fn accounts_contract(&self) -> Seen<Address> {
        let of_accounts = || self.permissioning.iter().filter(|(contract, _)| contract.governs == Governs::Accounts);
        if let Some((contract, _)) = of_accounts().find(|(_, code)| code == &Ok(true)) {
            return Ok(contract.address);
        }
        let unseen = of_accounts().find_map(|(_, code)| code.clone().err());
        Err(unseen.unwrap_or(Unseen::Nothing(Nothing::NoPermissioning)))
    }
}
