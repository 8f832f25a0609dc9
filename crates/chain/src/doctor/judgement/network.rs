//! Which network this is, by which rules it runs, and which release serves it.

use alloy_primitives::U256;

use super::{Judge, list};
use crate::doctor::LAG_BLOCKS_MAX;
use crate::doctor::finding::{Check, Severity, Trap};
use crate::doctor::observation::{Nothing, SeenRules, Unseen};
use crate::doctor::version::{Client, Condition, KNOWN_FAULTS, KnownFault, Release, client};
use crate::profile::Rules;
use crate::profile::network::{Expected, PoolKind};

impl Judge<'_> {
    pub(super) fn judge_network(&mut self) {
        self.fine(Check::Reach, vec![("node", self.seen.node.clone())]);
        self.judge_chain_id();
        self.judge_genesis();
        self.judge_version();
        match &self.seen.syncing {
            Ok(behind) => {
                let behind = behind.unwrap_or_default();
                let facts = vec![("behind", behind.to_string())];
                if behind > LAG_BLOCKS_MAX {
                    self.trap(Check::Sync, Trap::NodeSyncing, Severity::Warning, facts);
                } else {
                    self.fine(Check::Sync, facts);
                }
            }
            Err(unseen) => self.unseen(Check::Sync, unseen.clone()),
        }
        self.judge_peers();
        self.judge_rules();
        self.judge_fees();
        self.judge_gas_limit();
        self.judge_consensus();
    }

    fn judge_chain_id(&mut self) {
        let chain_id = match &self.seen.chain_id {
            Ok(chain_id) => *chain_id,
            Err(unseen) => return self.unseen(Check::ChainId, unseen.clone()),
        };
        let facts = vec![("chain_id", chain_id.to_string())];
        match self.profile {
            Some(profile) if !profile.is_for(chain_id) => {
                let expected = list(profile.chain_ids());
                let facts =
                    [facts.clone(), vec![("profile", profile.name.to_string()), ("expected", expected)]].concat();
                self.trap(Check::ChainId, Trap::ChainIdUnexpected, Severity::Fault, facts);
            }
            _ => self.fine(Check::ChainId, facts.clone()),
        }
        match &self.seen.network_id {
            Ok(network_id) if *network_id != chain_id => {
                let facts = [facts, vec![("network_id", network_id.to_string())]].concat();
                self.trap(Check::ChainId, Trap::NetworkIdDiffers, Severity::Notice, facts);
            }
            Ok(_) => {}
            Err(unseen) => self.unseen(Check::ChainId, unseen.clone()),
        }
    }

    fn judge_genesis(&mut self) {
        let genesis = match &self.seen.genesis {
            Ok(genesis) => *genesis,
            Err(unseen) => return self.unseen(Check::Genesis, unseen.clone()),
        };
        let facts = vec![("genesis", genesis.to_string())];
        match self.chain.and_then(|chain| chain.genesis_hash) {
            Some(expected) if expected != genesis => {
                let label = self.chain.map(|chain| chain.label.clone()).unwrap_or_default();
                let facts = [facts, vec![("expected", expected.to_string()), ("label", label)]].concat();
                self.trap(Check::Genesis, Trap::GenesisUnexpected, Severity::Fault, facts);
            }
            _ => self.fine(Check::Genesis, facts),
        }
    }

    fn judge_version(&mut self) {
        let said = match &self.seen.client {
            Ok(said) => said.clone(),
            Err(unseen) => return self.unseen(Check::Version, unseen.clone()),
        };
        let facts = vec![("client", said.clone())];
        match client(&said) {
            Client::Embedded => self.fine(Check::Version, facts),
            Client::Other => self.trap(Check::Version, Trap::ClientNotBesu, Severity::Notice, facts),
            Client::Besu(None) => self.trap(Check::Version, Trap::VersionUnreadable, Severity::Notice, facts),
            Client::Besu(Some(release)) => {
                for fault in KNOWN_FAULTS {
                    self.judge_fault(fault, release);
                }
                if !self.has_said(Check::Version) {
                    self.fine(Check::Version, facts);
                }
            }
        }
    }

    fn judge_fault(&mut self, fault: &KnownFault, release: Release) {
        if !fault.is_in(release) {
            return;
        }
        if let Some(unseen) = self.hides(fault.condition) {
            return self.unseen(Check::Version, unseen);
        }
        if !self.holds(fault.condition) {
            return;
        }
        // Whoever named senders, and all of them have something, is not hit himself.
        let balances = self.seen.senders.iter().map(|sender| &sender.balance_wei);
        let has_each_something = balances.clone().count() > 0
            && balances.into_iter().all(|balance| balance.as_ref().is_ok_and(|balance| !balance.is_zero()));
        let is_about_balances = fault.condition == Condition::FreeGasLayeredPool;
        let severity = if is_about_balances && has_each_something { Severity::Notice } else { fault.severity };
        let fixed = fault.before.map_or_else(|| "-".to_owned(), |before| before.to_string());
        let mut facts = vec![("release", release.to_string()), ("fixed", fixed)];
        let severity = match (fault.condition, self.pool_kind()) {
            (Condition::FreeGasLayeredPool | Condition::NoBaseFeeLayeredPool, pool) => {
                facts.push(("pool", pool.map_or_else(|| "?".to_owned(), |pool| pool.to_string())));
                // With a pool that was not seen nobody knows whether the fault bites.
                if pool.is_some() { severity } else { severity.min(Severity::Warning) }
            }
            _ => severity,
        };
        self.trap(Check::Version, fault.trap, severity, facts);
    }

    fn holds(&self, condition: Condition) -> bool {
        let is_layered = self.pool_kind() != Some(PoolKind::Sequenced);
        let from = |rules: Rules| self.is_bft() && self.rules().is_some_and(|seen| seen >= rules);
        match condition {
            Condition::Always => true,
            Condition::FreeGasLayeredPool => self.is_free() && is_layered,
            Condition::NoBaseFeeLayeredPool => {
                is_layered && self.seen.head().is_ok_and(|head| head.base_fee_wei.is_none())
            }
            Condition::BftFromParis => from(Rules::Paris),
            Condition::BftFromShanghai => from(Rules::Shanghai),
            Condition::SeveralValidators => self.validators().is_ok_and(|validators| validators.len() > 1),
            Condition::EmptyBlocksRarer => self.pace.are_empty_blocks_rarer(),
            Condition::PermissioningContracts => {
                let is_expected = self.profile.is_some_and(|profile| !profile.permissioning.is_empty());
                is_expected || self.seen.permissioning.iter().any(|(_, code)| code == &Ok(true))
            }
        }
    }

    /// Why nobody can say whether a condition holds. A pool that was not seen is told with the fault.
    fn hides(&self, condition: Condition) -> Option<Unseen> {
        let head = || self.seen.head().err();
        match condition {
            Condition::Always | Condition::EmptyBlocksRarer => None,
            Condition::FreeGasLayeredPool if self.offered_wei().is_some() => None,
            Condition::FreeGasLayeredPool => self.seen.gas_price_wei.as_ref().err().cloned(),
            Condition::NoBaseFeeLayeredPool => head(),
            Condition::BftFromParis | Condition::BftFromShanghai => {
                head().or_else(|| self.seen.rules.as_ref().err().cloned().filter(|_| self.is_bft()))
            }
            Condition::SeveralValidators => self.validators().err().filter(|_| self.is_bft()),
            Condition::PermissioningContracts if self.holds(condition) => None,
            Condition::PermissioningContracts => {
                self.seen.permissioning.iter().find_map(|(_, code)| code.as_ref().err().cloned())
            }
        }
    }

    fn judge_peers(&mut self) {
        let peers = match &self.seen.peers {
            Ok(peers) => *peers,
            Err(unseen) => return self.unseen(Check::Peers, unseen.clone()),
        };
        let validators = self.validators().ok().map(|validators| validators.len());
        let facts = vec![("peers", peers.to_string())];
        match (peers, validators) {
            (0, Some(2..)) => self.trap(Check::Peers, Trap::NoPeers, Severity::Fault, facts),
            (0, None) => self.trap(Check::Peers, Trap::NoPeers, Severity::Warning, facts),
            _ => self.fine(Check::Peers, facts),
        }
    }

    fn judge_rules(&mut self) {
        let rules = match &self.seen.rules {
            Ok(SeenRules::These(rules)) => *rules,
            Ok(SeenRules::BeforeBerlin) => {
                let expected = self.profile.map_or(Rules::Berlin, |profile| profile.rules.least());
                let facts = vec![("rules", "-".to_owned()), ("expected", expected.to_string())];
                return self.trap(Check::Rules, Trap::RulesOlder, Severity::Fault, facts);
            }
            Ok(SeenRules::Contradictory { whole_up_to, newest }) => {
                let whole = whole_up_to.map_or_else(|| "-".to_owned(), |rules| rules.to_string());
                let facts = vec![("whole", whole), ("newest", newest.to_string())];
                return self.trap(Check::Rules, Trap::RulesContradict, Severity::Warning, facts);
            }
            Err(unseen) => return self.unseen(Check::Rules, unseen.clone()),
        };
        let facts = vec![("rules", rules.to_string())];
        match self.profile.map(|profile| profile.rules) {
            Some(expected) if rules < expected.least() => {
                let facts = [facts, vec![("expected", expected.least().to_string())]].concat();
                self.trap(Check::Rules, Trap::RulesOlder, Severity::Fault, facts);
            }
            Some(Expected::Exactly(expected)) if rules > expected => {
                let facts = [facts, vec![("expected", expected.to_string())]].concat();
                self.trap(Check::Rules, Trap::RulesNewer, Severity::Warning, facts);
            }
            _ => self.fine(Check::Rules, facts),
        }
        if rules < Rules::Shanghai {
            self.trap(Check::Rules, Trap::Push0Missing, Severity::Notice, vec![("rules", rules.to_string())]);
        }
    }

    fn judge_fees(&mut self) {
        let price = self.seen.gas_price_wei.clone();
        let (price, base_fee) = match (price, self.base_fee_wei()) {
            (Ok(price), Ok(base_fee)) => (price, base_fee),
            (Err(unseen), _) | (_, Err(unseen)) => return self.unseen(Check::Fees, unseen),
        };
        let facts = vec![("base_fee", base_fee.to_string()), ("gas_price", price.to_string())];
        match self.offered_wei() {
            Some(offered) if base_fee.max(price) > offered => {
                // The price is what the node advises, the base fee is a rule.
                let severity = if base_fee > offered { Severity::Fault } else { Severity::Warning };
                let facts = [facts, vec![("offered", offered.to_string())]].concat();
                self.trap(Check::Fees, Trap::PriceTooLow, severity, facts);
            }
            _ => self.fine(Check::Fees, facts),
        }
        if self.is_free() && base_fee.max(price) == U256::ZERO {
            self.trap(Check::Fees, Trap::NoReplacement, Severity::Notice, Vec::new());
        }
    }

    fn judge_gas_limit(&mut self) {
        let limit = match self.seen.head() {
            Ok(head) => head.gas_limit,
            Err(unseen) => return self.unseen(Check::GasLimit, unseen),
        };
        let facts = vec![("gas_limit", limit.to_string())];
        match self.profile.map(|profile| profile.block_gas_limit) {
            Some(expected) if !expected.allows(limit) => {
                let facts = [facts, vec![("expected", expected.least().to_string())]].concat();
                self.trap(Check::GasLimit, Trap::GasLimitUnexpected, Severity::Warning, facts);
            }
            _ => self.fine(Check::GasLimit, facts),
        }
    }

    fn judge_consensus(&mut self) {
        let head = match self.seen.head() {
            Ok(head) => head,
            Err(unseen) => return self.unseen(Check::Consensus, unseen),
        };
        let expected = self.profile.and_then(|profile| profile.consensus);
        match (head.extra.as_ref().map(|extra| extra.consensus), expected) {
            (None, None) => self.trap(Check::Consensus, Trap::ConsensusUnknown, Severity::Warning, Vec::new()),
            (seen, Some(expected)) if seen != Some(expected) => {
                let seen = seen.map_or_else(|| "-".to_owned(), |seen| seen.to_string());
                let facts = vec![("seen", seen), ("expected", expected.to_string())];
                self.trap(Check::Consensus, Trap::ConsensusUnexpected, Severity::Fault, facts);
            }
            (Some(seen), _) => self.fine(Check::Consensus, vec![("seen", seen.to_string())]),
            (None, Some(_)) => self.unseen(Check::Consensus, Unseen::Nothing(Nothing::UnknownSeal)),
        }
    }
}
