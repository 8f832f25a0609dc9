//! Several nodes against each other.

use std::collections::BTreeMap;

use super::super::finding::{Check, Facts, Finding, Severity, Trap, Verdict};
use super::super::observation::{Nothing, Observation, Unseen};
use super::super::version::{Client, PROPOSAL_FORM_CHANGED, client};

/// Nodes that are behind by so many blocks got the newest a moment later, no more.
const LAG_BLOCKS_MAX: u64 = 2;

pub(super) fn judge_together(observations: &[Observation], findings: &mut Vec<Finding>) {
    let mut add = |check, verdict| findings.push(Finding { node: None, check, verdict });
    let answering: Vec<&Observation> = observations.iter().filter(|one| !one.is_silent()).collect();
    let count = vec![("nodes", answering.len().to_string())];
    if answering.len() < 2 {
        let verdict = if answering.is_empty() {
            Verdict::NotSeen(Unseen::NodeSilent)
        } else {
            Verdict::Trapped { trap: Trap::OneNodeOnly, severity: Severity::Notice, facts: count }
        };
        add(Check::NodeCount, verdict);
        for check in [Check::SameChain, Check::SameBlock, Check::Lag, Check::SameRelease] {
            add(check, Verdict::NotSeen(Unseen::Nothing(Nothing::OneNode)));
        }
        return;
    }
    add(Check::NodeCount, Verdict::Fine(count));
    add(Check::SameChain, same_chain(&answering));
    add(Check::SameBlock, same_block(&answering));
    add(Check::Lag, lag(&answering));
    add(Check::SameRelease, same_release(&answering));
}

fn trapped(trap: Trap, severity: Severity, facts: Facts) -> Verdict {
    Verdict::Trapped { trap, severity, facts }
}

/// Values with the nodes that gave them, as `value (node, node); value (node)`.
fn by_value<T: Ord + ToString>(values: impl IntoIterator<Item = (T, String)>) -> (usize, String) {
    let mut groups: BTreeMap<T, Vec<String>> = BTreeMap::new();
    for (value, node) in values {
        groups.entry(value).or_default().push(node);
    }
    let shown = groups.iter().map(|(value, nodes)| format!("{} ({})", value.to_string(), nodes.join(", ")));
    (groups.len(), shown.collect::<Vec<String>>().join("; "))
}

fn same_chain(nodes: &[&Observation]) -> Verdict {
    let said = nodes.iter().filter_map(|one| {
        let (chain_id, genesis) = (one.chain_id.clone().ok()?, one.genesis.clone().ok()?);
        Some((format!("{chain_id} {genesis}"), one.node.clone()))
    });
    match by_value(said) {
        (0, _) => Verdict::NotSeen(Unseen::Nothing(Nothing::OneNode)),
        (1, _) => Verdict::Fine(Vec::new()),
        (_, chains) => trapped(Trap::NodesOnOtherChains, Severity::Fault, vec![("chains", chains)]),
    }
}

fn same_block(nodes: &[&Observation]) -> Verdict {
    let common: Vec<(u64, _)> = nodes
        .iter()
        .filter_map(|one| one.common.clone().ok().map(|(height, hash)| (height, (hash, one.node.clone()))))
        .collect();
    if common.len() < 2 {
        return Verdict::NotSeen(Unseen::Nothing(Nothing::OneNode));
    }
    let height = ("height", common[0].0.to_string());
    match by_value(common.into_iter().map(|(_, said)| said)) {
        (1, _) => Verdict::Fine(vec![height]),
        (_, hashes) => trapped(Trap::NodesDisagree, Severity::Fault, vec![height, ("hashes", hashes)]),
    }
}

fn lag(nodes: &[&Observation]) -> Verdict {
    let heights: Vec<(u64, &str)> =
        nodes.iter().filter_map(|one| one.height.clone().ok().map(|height| (height, one.node.as_str()))).collect();
    let (Some((lowest, node)), Some((highest, _))) = (heights.iter().min(), heights.iter().max()) else {
        return Verdict::NotSeen(Unseen::Nothing(Nothing::OneNode));
    };
    let behind = highest - lowest;
    if behind <= LAG_BLOCKS_MAX {
        return Verdict::Fine(vec![("behind", behind.to_string())]);
    }
    let facts = vec![("node", (*node).to_owned()), ("behind", behind.to_string()), ("height", highest.to_string())];
    trapped(Trap::NodeLags, Severity::Warning, facts)
}

fn same_release(nodes: &[&Observation]) -> Verdict {
    let releases = nodes.iter().filter_map(|one| match client(one.client.as_ref().ok()?) {
        Client::Besu(Some(release)) => Some((release, one.node.clone())),
        Client::Besu(None) | Client::Embedded | Client::Other => None,
    });
    let releases: Vec<_> = releases.collect();
    let is_old = |(release, _): &(_, String)| *release < PROPOSAL_FORM_CHANGED;
    let is_mixed = releases.iter().any(is_old) && !releases.iter().all(is_old);
    match by_value(releases) {
        (0, _) => Verdict::NotSeen(Unseen::Nothing(Nothing::NoRelease)),
        (_, shown) if is_mixed => trapped(Trap::ReleasesMixed, Severity::Warning, vec![("releases", shown)]),
        (_, shown) => Verdict::Fine(vec![("releases", shown)]),
    }
}
