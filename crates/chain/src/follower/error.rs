//! Why a follower does not give the next block.

use alloy_primitives::B256;

use super::node::NodeStatus;

/// The next block cannot be given.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FollowError {
    /// The ledger is not the one that was followed. The follower has stopped for good: everything that was stored of the ledger
    /// may be void. The cause says what happened and what to do.
    #[error("{nodes} nodes, node `{node}` among them, are not on the ledger that was followed")]
    LedgerChanged {
        /// A node that says so.
        node: String,
        /// How many say so.
        nodes: usize,
        /// What it says.
        #[source]
        change: LedgerChange,
    },
    /// For the longest pause that is allowed, no quorum gave the next block: nodes are silent, behind, not believed, or differ.
    /// Nothing is lost; ask again to go on. The nodes say what each of them does.
    #[error("no {quorum} nodes agreed on block {block} within {waited_ms} ms ({})", list(nodes))]
    Stalled {
        /// The block that is waited for.
        block: u64,
        /// How long there was no progress.
        waited_ms: u128,
        /// How many nodes must agree.
        quorum: usize,
        /// What each node does.
        nodes: Vec<NodeStatus>,
    },
}

fn list(nodes: &[NodeStatus]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<String>>().join("; ")
}

impl FollowError {
    /// Whether asking again can bring the next block.
    pub fn may_go_on(&self) -> bool {
        match self {
            Self::LedgerChanged { .. } => false,
            Self::Stalled { .. } => true,
        }
    }
}

/// How a ledger is another than the one that was followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerChange {
    /// The nodes are on another network: an address is wrong. Correct it; nothing that was stored is void.
    #[error(
        "wrong network: chain {found_chain_id} with genesis {found_genesis} instead of chain {followed_chain_id} with genesis {followed_genesis}; name a node of the network that is followed"
    )]
    WrongNetwork {
        /// The chain id that is followed.
        followed_chain_id: u64,
        /// The node's.
        found_chain_id: u64,
        /// The genesis hash that is followed.
        followed_genesis: B256,
        /// The node's.
        found_genesis: B256,
    },
    /// The network was made anew with the same chain id: all that was stored of the old one is void. Keep the old store for the
    /// record and begin a new one.
    #[error(
        "re-genesis: block 0 is {found} instead of {followed}; the network was made anew, keep the old store and begin a new one"
    )]
    ReGenesis {
        /// The genesis hash that is followed.
        followed: B256,
        /// The node's.
        found: B256,
    },
    /// A block that was final has been replaced, which consensus forbids. Somebody must find out which ledger counts before
    /// anything goes on.
    #[error(
        "reorganisation below finality: block {number} is {found} instead of {followed}; find out which ledger counts before going on"
    )]
    Reorganised {
        /// The followed height.
        number: u64,
        /// The hash that was followed.
        followed: B256,
        /// The node's.
        found: B256,
    },
    /// The ledger's head is below the followed height and stays there, or was there and grew otherwise: its data was rewound
    /// or restored from an older copy. Let the nodes take the missing blocks from others, or rebind the store.
    #[error(
        "rewound ledger: the head is block {head}, {found}, the followed block is {number}, {followed}; restore the nodes' data or begin a new store"
    )]
    Rewound {
        /// The followed height.
        number: u64,
        /// The hash that was followed.
        followed: B256,
        /// The node's head, or the followed height where it has grown past it again.
        head: u64,
        /// The hash of that block.
        found: B256,
    },
}

impl LedgerChange {
    /// Whether two nodes that say this and that speak of the same event: a ledger that was rewound and grew otherwise looks
    /// reorganised to whom did not see it short.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match self {
            Self::WrongNetwork { .. } => matches!(other, Self::WrongNetwork { .. }),
            Self::ReGenesis { .. } => matches!(other, Self::ReGenesis { .. }),
            Self::Reorganised { .. } | Self::Rewound { .. } => {
                matches!(other, Self::Reorganised { .. } | Self::Rewound { .. })
            }
        }
    }
}
