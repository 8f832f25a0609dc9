//! What an examination says: checks, the traps that they find, how bad each is, and on what evidence.
//!
//! Codes are a contract: whoever reads `--json` relies on them. What each means in words, and its cure, is the business of
//! whoever prints, in each of its languages.

use super::observation::Unseen;

/// How bad something is, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing needs to be done now.
    Notice,
    /// It works today and will fail, slow down or mislead under load, in an upgrade, or when something else fails.
    Warning,
    /// What the platform does on this network fails or can be wrong.
    Fault,
}

impl Severity {
    /// All, mildest first.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Notice, Self::Warning, Self::Fault];

    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

/// Makes an enum of named codes, in the order in which they are shown.
macro_rules! codes {
    (
        $(#[$meta:meta])*
        $name:ident { $( $(#[$doc:meta])* $variant:ident = $code:literal $( : $( $evidence:literal ),+ )? ; )+ }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[$doc])* $variant, )+ }

        impl $name {
            /// All, in their order.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The stable name.
            pub fn code(self) -> &'static str {
                match self { $( Self::$variant => $code, )+ }
            }

            /// Where it was read: issues, pull requests and pages, the plainest first.
            pub fn evidence(self) -> &'static [&'static str] {
                match self { $( Self::$variant => &[ $( $( $evidence ),+ )? ], )+ }
            }
        }
    };
}

codes! {
    /// One thing that is looked at.
    Check {
        /// Whether the node answers at all.
        Reach = "reach";
        /// The chain id.
        ChainId = "chain_id";
        /// Hash of block 0.
        Genesis = "genesis";
        /// The node's release and its known faults.
        Version = "version";
        /// Whether the node has all blocks.
        Sync = "sync";
        /// Connected nodes.
        Peers = "peers";
        /// EVM rules.
        Rules = "rules";
        /// Base fee and price of gas.
        Fees = "fees";
        /// Gas limit of blocks.
        GasLimit = "gas_limit";
        /// How the validators agree.
        Consensus = "consensus";
        /// Who the validators are.
        Validators = "validators";
        /// Whether each validator builds blocks.
        Production = "production";
        /// Rounds in which blocks were agreed.
        Rounds = "rounds";
        /// Whether blocks hang together.
        Continuity = "continuity";
        /// Age of the newest block.
        Head = "head";
        /// Time between blocks.
        Interval = "interval";
        /// Blocks without transactions.
        EmptyBlocks = "empty_blocks";
        /// Clocks of network, node and this machine.
        Clock = "clock";
        /// The transaction pool.
        Pool = "pool";
        /// Permissioning contracts.
        Permissioning = "permissioning";
        /// Whether the named senders may and can send.
        Senders = "senders";
        /// Whether receipts say why a transaction reverted.
        RevertReasons = "revert_reasons";
        /// How many blocks a query for logs may span.
        LogRange = "log_range";
        /// Which methods anybody may call.
        Apis = "apis";
        /// What came while it was watched.
        Watch = "watch";
        /// How many nodes there are to send to.
        NodeCount = "node_count";
        /// Whether all nodes are on one chain.
        SameChain = "same_chain";
        /// Whether all nodes have the same block at the same height.
        SameBlock = "same_block";
        /// How far nodes are behind each other.
        Lag = "lag";
        /// Whether the nodes' releases understand each other.
        SameRelease = "same_release";
    }
}

codes! {
    /// Something that is not as it should be.
    Trap {
        /// No answer.
        NodeUnreachable = "node_unreachable";
        /// It answers that it lets nobody ask from here, or without a token.
        NodeTurnsAway = "node_turns_away":
            "https://besu.hyperledger.org/public-networks/how-to/use-besu-api#host-allowlist",
            "https://besu.hyperledger.org/public-networks/how-to/use-besu-api/authenticate";
        /// Another chain than the profile's.
        ChainIdUnexpected = "chain_id_unexpected": "https://eips.ethereum.org/EIPS/eip-155";
        /// Network id and chain id differ.
        NetworkIdDiffers = "network_id_differs":
            "https://besu.hyperledger.org/public-networks/concepts/network-and-chain-id";
        /// Another block 0 than the profile's.
        GenesisUnexpected = "genesis_unexpected":
            "https://besu.hyperledger.org/public-networks/concepts/genesis-file";
        /// Another program than Besu.
        ClientNotBesu = "client_not_besu";
        /// Besu, of a release that cannot be read.
        VersionUnreadable = "version_unreadable";
        /// Transactions of senders without balance are never put into blocks.
        ZeroBalanceSendersShutOut = "zero_balance_senders_shut_out":
            "https://github.com/besu-eth/besu/pull/10751",
            "https://github.com/besu-eth/besu/pull/10175",
            "https://github.com/besu-eth/besu-docs/issues/2067";
        /// Transactions at exactly the least price stay in the pool after a revert.
        PoolStallsAtMinimumPrice = "pool_stalls_at_minimum_price":
            "https://github.com/besu-eth/besu/issues/9598",
            "https://github.com/besu-eth/besu/pull/9635";
        /// Block building takes up to five seconds whatever the period.
        SelectionTimeIgnored = "selection_time_ignored":
            "https://github.com/besu-eth/besu/issues/11005",
            "https://github.com/besu-eth/besu/pull/11044";
        /// Transactions wait for the longer period of empty blocks.
        EmptyBlockDelays = "empty_block_delays":
            "https://github.com/besu-eth/besu/issues/8354",
            "https://github.com/besu-eth/besu/pull/10153",
            "https://github.com/besu-eth/besu/pull/11031";
        /// A fresh node cannot import blocks that older releases made.
        ShanghaiBlocksRefused = "shanghai_blocks_refused":
            "https://github.com/besu-eth/besu/issues/9786",
            "https://github.com/besu-eth/besu/pull/9830";
        /// Restarted validators may fail to agree.
        ValidatorsStuckAfterRestart = "validators_stuck_after_restart":
            "https://github.com/besu-eth/besu/issues/8307",
            "https://github.com/besu-eth/besu/issues/7642";
        /// A network with one validator down may stand still.
        PreparedBlockRefused = "prepared_block_refused":
            "https://github.com/besu-eth/besu/pull/7875",
            "https://github.com/besu-eth/besu/issues/6613",
            "https://github.com/besu-eth/besu/issues/6732";
        /// `eth_subscribe` fails.
        SubscriptionsBroken = "subscriptions_broken":
            "https://github.com/besu-eth/besu/pull/9212";
        /// Blocks with contracts that read `PREVRANDAO` may be refused.
        PrevrandaoDiffers = "prevrandao_differs":
            "https://github.com/besu-eth/besu/pull/10611";
        /// The release asks no permissioning contract any more.
        PermissioningRemoved = "permissioning_removed":
            "https://github.com/besu-eth/besu/pull/8597",
            "https://github.com/RBBNet/besu-permissioning-plugin";
        /// The release lacks security fixes.
        SecurityFixesMissing = "security_fixes_missing":
            "https://github.com/besu-eth/besu/releases/tag/26.9.0",
            "https://github.com/besu-eth/besu/security/advisories";
        /// The node has not all blocks yet.
        NodeSyncing = "node_syncing";
        /// Connected with nobody.
        NoPeers = "no_peers";
        /// Rules older than the profile's.
        RulesOlder = "rules_older": "https://besu.hyperledger.org/public-networks/concepts/genesis-file";
        /// Rules newer than the profile's.
        RulesNewer = "rules_newer": "https://besu.hyperledger.org/public-networks/concepts/genesis-file";
        /// Rules like none.
        RulesContradict = "rules_contradict";
        /// Contracts compiled for Shanghai or later do not run.
        Push0Missing = "push0_missing": "https://eips.ethereum.org/EIPS/eip-3855";
        /// The network asks more for gas than is offered.
        PriceTooLow = "price_too_low":
            "https://besu.hyperledger.org/private-networks/how-to/configure/free-gas",
            "https://github.com/besu-eth/besu/issues/4218";
        /// A stuck transaction cannot be replaced.
        NoReplacement = "no_replacement":
            "https://github.com/besu-eth/besu/issues/7676",
            "https://github.com/besu-eth/besu/pull/6079";
        /// Another gas limit than the profile's.
        GasLimitUnexpected = "gas_limit_unexpected";
        /// Another consensus than the profile's.
        ConsensusUnexpected = "consensus_unexpected";
        /// Finality is not known.
        ConsensusUnknown = "consensus_unknown";
        /// One validator down, and the network stands.
        FewValidators = "few_validators":
            "https://besu.hyperledger.org/private-networks/concepts/poa";
        /// A validator builds no blocks.
        ValidatorSilent = "validator_silent": "https://github.com/besu-eth/besu/issues/6398";
        /// A block was built by nobody of the validators.
        ForeignProposer = "foreign_proposer";
        /// Blocks are agreed after a failed attempt.
        RoundChanges = "round_changes": "https://github.com/besu-eth/besu/issues/6398";
        /// A block does not name the one before it.
        ChainBroken = "chain_broken";
        /// No new block for a long time.
        HeadStalled = "head_stalled": "https://github.com/besu-eth/besu/issues/7642";
        /// Another period than the profile's.
        PeriodUnexpected = "period_unexpected";
        /// Blocks come later than their period.
        BlocksSlow = "blocks_slow": "https://github.com/besu-eth/besu/issues/11005";
        /// A long gap between two blocks.
        BlockGap = "block_gap";
        /// Blocks without transactions come more rarely.
        EmptyBlocksRarer = "empty_blocks_rarer":
            "https://github.com/besu-eth/besu/pull/6965";
        /// Clocks differ.
        ClockSkew = "clock_skew";
        /// The pool takes few transactions of one sender.
        PoolWindowSmall = "pool_window_small":
            "https://github.com/besu-eth/besu/issues/4739",
            "https://github.com/besu-eth/besu/pull/4417",
            "https://github.com/besu-eth/besu/issues/4611";
        /// A dropped transaction that is sent again stays on this node.
        PoolNoGossipAgain = "pool_no_gossip_again": "https://github.com/besu-eth/besu/issues/7081";
        /// The layered pool's window.
        LayeredWindow = "layered_window":
            "https://besu.hyperledger.org/public-networks/concepts/transactions/pool";
        /// The pool is nearly full.
        PoolNearlyFull = "pool_nearly_full";
        /// Another pool than the profile's.
        PoolUnexpected = "pool_unexpected";
        /// A permissioning contract is not there.
        PermissioningMissing = "permissioning_missing";
        /// The accounts contract refuses a sender.
        SenderRefused = "sender_refused";
        /// The accounts contract lets a sender call, and create no contract.
        SenderCannotCreate = "sender_cannot_create";
        /// The node's list lacks a sender.
        SenderNotListed = "sender_not_listed":
            "https://besu.hyperledger.org/private-networks/how-to/use-permissioning/local";
        /// A sender has no balance where gas has a price.
        SenderCannotPay = "sender_cannot_pay";
        /// Receipts do not say why.
        RevertReasonsMissing = "revert_reasons_missing":
            "https://github.com/bacen/pilotord-kit-onboarding/issues/27",
            "https://besu.hyperledger.org/private-networks/how-to/send-transactions/revert-reason";
        /// Queries for logs span few blocks.
        LogRangeShort = "log_range_short":
            "https://besu.hyperledger.org/public-networks/reference/cli/options#rpc-max-logs-range";
        /// Anybody who reaches the port may change the node.
        AdminApiOpen = "admin_api_open":
            "https://besu.hyperledger.org/public-networks/how-to/use-besu-api/authenticate";
        /// No new block while it was watched.
        NothingWhileWatching = "nothing_while_watching": "https://github.com/besu-eth/besu/issues/7642";
        /// One node alone to send to.
        OneNodeOnly = "one_node_only": "https://github.com/besu-eth/besu/issues/7081";
        /// Nodes are on different chains.
        NodesOnOtherChains = "nodes_on_other_chains";
        /// Nodes have different blocks at one height.
        NodesDisagree = "nodes_disagree";
        /// A node is behind.
        NodeLags = "node_lags";
        /// Releases that write proposals differently.
        ReleasesMixed = "releases_mixed":
            "https://github.com/besu-eth/besu/pull/10499",
            "https://github.com/besu-eth/besu/pull/9977";
    }
}

/// What was seen, as named values, in the order in which they are shown. Texts show a value by its name in braces.
pub type Facts = Vec<(&'static str, String)>;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Fine(Facts),
    /// Not as it should be.
    Trapped {
        /// What.
        trap: Trap,
        /// How bad it is here.
        severity: Severity,
        /// What was seen.
        facts: Facts,
    },
    /// It could not be seen.
    NotSeen(Unseen),
}

/// One line of an examination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The node, by its place among those that were examined; `None` if it is about all of them.
    pub node: Option<usize>,
    /// What was looked at.
    pub check: Check,
    /// What came of it.
    pub verdict: Verdict,
}

impl Finding {
    /// How bad it is; `None` if it could not be seen.
    pub fn severity(&self) -> Option<Severity> {
        match &self.verdict {
            Verdict::Fine(_) => Some(Severity::Ok),
            Verdict::Trapped { severity, .. } => Some(*severity),
            Verdict::NotSeen(_) => None,
        }
    }

    /// The trap, if it is one.
    pub fn trap(&self) -> Option<Trap> {
        match &self.verdict {
            Verdict::Trapped { trap, .. } => Some(*trap),
            Verdict::Fine(_) | Verdict::NotSeen(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_distinct_and_of_one_form() {
        let checks = Check::ALL.iter().map(|check| check.code());
        let traps = Trap::ALL.iter().map(|trap| trap.code());
        let codes: Vec<&str> = checks.chain(traps).collect();
        let distinct: BTreeSet<&&str> = codes.iter().collect();
        assert_eq!(distinct.len(), codes.len());
        let is_plain = |code: &&str| code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        assert!(codes.iter().all(is_plain), "{codes:?}");
    }

    #[test]
    fn evidence_is_a_page_that_can_be_opened() {
        let evidence = Trap::ALL.iter().flat_map(|trap| trap.evidence());
        assert!(evidence.into_iter().all(|page| page.starts_with("https://")));
    }
}
