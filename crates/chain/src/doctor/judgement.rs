//! From what was seen to what it means. Pure: the same observations give the same findings.
//!
//! A room per topic: `network` (which network this is, and by which rules), `blocks` (who builds them, and when), `access` (what
//! we may do there), `nodes` (several against each other).

mod access;
mod blocks;
mod network;
mod nodes;

use std::time::Duration;

use alloy_primitives::{Address, U256};

use super::finding::{Check, Facts, Finding, Severity, Trap, Verdict};
use super::observation::{Nothing, Observation, Seen, SeenBlock, SeenRules, Unseen};
use crate::profile::network::{KnownChain, NetworkProfile, PoolKind};
use crate::profile::{FeeModel, Rules};

/// Everything that there is to say of these nodes: each by itself in the order of the checks, then all together.
pub fn judge(observations: &[Observation], profile: Option<&NetworkProfile>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (node, seen) in observations.iter().enumerate() {
        let mut judge = Judge::new(node, seen, profile);
        if seen.is_silent() {
            judge.judge_silence();
        } else {
            judge.judge_network();
            judge.judge_blocks();
            judge.judge_access();
        }
        findings.append(&mut judge.findings);
    }
    nodes::judge_together(observations, &mut findings);
    findings
}

/// What every check of a node starts from.
struct Judge<'a> {
    node: usize,
    seen: &'a Observation,
    profile: Option<&'a NetworkProfile>,
    /// The profile's network that this is.
    chain: Option<&'a KnownChain>,
    pace: blocks::PaceSeen,
    findings: Vec<Finding>,
}

impl<'a> Judge<'a> {
    fn new(node: usize, seen: &'a Observation, profile: Option<&'a NetworkProfile>) -> Self {
        let chain_id = seen.chain_id.as_ref().ok().copied();
        let genesis = seen.genesis.as_ref().ok().copied();
        let chain = profile.zip(chain_id).and_then(|(profile, chain_id)| profile.chain(chain_id, genesis));
        let pace = blocks::PaceSeen::of(seen.blocks.as_deref().unwrap_or_default(), chain);
        Self { node, seen, profile, chain, pace, findings: Vec::new() }
    }

    fn add(&mut self, check: Check, verdict: Verdict) {
        self.findings.push(Finding { node: Some(self.node), check, verdict });
    }

    fn fine(&mut self, check: Check, facts: Facts) {
        self.add(check, Verdict::Fine(facts));
    }

    fn trap(&mut self, check: Check, trap: Trap, severity: Severity, facts: Facts) {
        self.add(check, Verdict::Trapped { trap, severity, facts });
    }

    /// Something that could not be seen, each reason once.
    fn unseen(&mut self, check: Check, unseen: Unseen) {
        let finding = Finding { node: Some(self.node), check, verdict: Verdict::NotSeen(unseen) };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Whether something was found about a check, or could not be.
    fn has_said(&self, check: Check) -> bool {
        self.findings.iter().any(|finding| finding.check == check)
    }

    /// A node that does not answer: one fault, and every other check of a node listed as not seen.
    fn judge_silence(&mut self) {
        let (trap, reason) = match &self.seen.chain_id {
            Err(Unseen::TurnedAway { reason, .. }) => (Trap::NodeTurnsAway, reason.clone()),
            Err(Unseen::Refused { code, message, .. }) => (Trap::NodeTurnsAway, format!("{message} ({code})")),
            Err(Unseen::NoAnswer { reason, .. }) => (Trap::NodeUnreachable, reason.clone()),
            Err(Unseen::TimedOut { max_seconds, .. }) => (Trap::NodeUnreachable, format!("> {max_seconds} s")),
            _ => (Trap::NodeUnreachable, "no JSON-RPC".to_owned()),
        };
        let facts = vec![("node", self.seen.node.clone()), ("reason", reason)];
        self.trap(Check::Reach, trap, Severity::Fault, facts);
        for check in Check::ALL.iter().filter(|check| is_of_one_node(**check) && **check != Check::Reach) {
            self.unseen(*check, Unseen::NodeSilent);
        }
    }

    /// The most that a transaction of the platform pays for a unit of gas, if a profile says it.
    fn offered_wei(&self) -> Option<U256> {
        self.profile.map(|profile| match profile.fees {
            FeeModel::Free => U256::ZERO,
            FeeModel::Legacy { gas_price_wei } => U256::from(gas_price_wei),
            FeeModel::Eip1559 { max_fee_per_gas_wei, .. } => U256::from(max_fee_per_gas_wei),
        })
    }

    /// The base fee of the next blocks; zero where there is none.
    fn base_fee_wei(&self) -> Seen<U256> {
        self.seen.head().map(|head| head.base_fee_wei.unwrap_or_default())
    }

    /// Whether gas costs nothing: the profile says so, or without one the node.
    fn is_free(&self) -> bool {
        match self.offered_wei() {
            Some(offered) => offered.is_zero(),
            None => self.seen.gas_price_wei == Ok(U256::ZERO) && self.base_fee_wei().unwrap_or_default().is_zero(),
        }
    }

    /// The kind of the pool, if the node or the profile says it.
    fn pool_kind(&self) -> Option<PoolKind> {
        match &self.seen.pool {
            Ok(pool) if pool.max.is_some() => Some(PoolKind::Sequenced),
            Ok(_) => Some(PoolKind::Layered),
            Err(_) => self.profile.and_then(|profile| profile.pool),
        }
    }

    fn rules(&self) -> Option<Rules> {
        match self.seen.rules {
            Ok(SeenRules::These(rules)) => Some(rules),
            _ => None,
        }
    }

    fn is_bft(&self) -> bool {
        self.seen.head().is_ok_and(|head| head.extra.is_some())
    }

    /// The validators as the node names them, or as the newest block does.
    fn validators(&self) -> Seen<Vec<Address>> {
        let in_block = self.seen.head().ok().and_then(|head| head.extra.as_ref()).map(|extra| &extra.validators);
        match (&self.seen.validators, in_block) {
            (Err(_), Some(validators)) if !validators.is_empty() => Ok(validators.clone()),
            (seen, _) => seen.clone(),
        }
    }

    /// Why there are too few blocks: they were not read, or the chain has no more.
    fn few_blocks(&self) -> Unseen {
        self.seen.blocks_cut.clone().unwrap_or(Unseen::Nothing(Nothing::FewBlocks))
    }

    /// All blocks that were read but block 0.
    fn blocks(&self) -> Seen<&'a [SeenBlock]> {
        let blocks = self.seen.blocks.as_deref().map_err(Clone::clone)?;
        Ok(if blocks.first().is_some_and(|first| first.number == 0) { &blocks[1..] } else { blocks })
    }
}

/// The pace of blocks against the period of a network, for whoever compares.
pub(super) struct Pace {
    /// Seconds between two blocks on the whole; `None` if too few are known.
    pub(super) mean: Option<String>,
    /// Whether it is the period's.
    pub(super) is_kept: bool,
}

pub(super) fn pace(blocks: &[SeenBlock], chain: Option<&KnownChain>) -> Pace {
    let seen = blocks::PaceSeen::of(blocks, chain);
    let period = chain.and_then(|chain| chain.block_period);
    let mean = seen.typical().and(seen.mean()).map(seconds);
    Pace { mean, is_kept: period.is_none_or(|period| seen.keeps(period)) }
}

/// Whether a check is about each node by itself.
fn is_of_one_node(check: Check) -> bool {
    check < Check::NodeCount
}

/// A length of time in seconds, without zeros behind the point.
pub(super) fn seconds(time: Duration) -> String {
    let text = format!("{}.{:03}", time.as_secs(), time.subsec_millis());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<String>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_shown_without_needless_zeros() {
        let shown = [0, 5, 250, 4_000, 4_250, 10_000].map(|ms| seconds(Duration::from_millis(ms)));
        assert_eq!(shown, ["0", "0.005", "0.25", "4", "4.25", "10"]);
    }
}
