//! Several nodes against each other.

use std::collections::BTreeMap;

use super::super::LAG_BLOCKS_MAX;
use super::super::finding::{Check, Facts, Finding, Severity, Trap, Verdict};
use super::super::observation::{Nothing, Observation, Seen, Unseen};
use super::super::version::{Client, PROPOSAL_FORM_CHANGED, client};

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
    same_block(&answering).into_iter().for_each(|verdict| add(Check::SameBlock, verdict));
    add(Check::Lag, lag(&answering));
    same_release(&answering).into_iter().for_each(|verdict| add(Check::SameRelease, verdict));
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

/// Why of some nodes it was not seen, each reason once.
fn unseen<'a, T: 'a>(seen: impl IntoIterator<Item = &'a Seen<T>>) -> Vec<Verdict> {
    let mut reasons: Vec<Verdict> = Vec::new();
    for reason in seen.into_iter().filter_map(|one| one.as_ref().err()).cloned().map(Verdict::NotSeen) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

fn same_chain(nodes: &[&Observation]) -> Verdict {
    let chain = |one: &&Observation| Ok(format!("{} {}", one.chain_id.clone()?, one.genesis.clone()?));
    let seen: Vec<Seen<String>> = nodes.iter().map(chain).collect();
    let said = seen.iter().zip(nodes).filter_map(|(one, node)| Some((one.clone().ok()?, node.node.clone())));
    match by_value(said) {
        (2.., chains) => trapped(Trap::NodesOnOtherChains, Severity::Fault, vec![("chains", chains)]),
        // What one node does not say may be another chain.
        _ => unseen(&seen).into_iter().next().unwrap_or(Verdict::Fine(Vec::new())),
    }
}

/// What those that were compared have, and why others were not.
fn same_block(nodes: &[&Observation]) -> Vec<Verdict> {
    let common: Vec<_> = nodes
        .iter()
        .filter_map(|one| one.common.clone().ok().map(|(height, hash)| (height, (hash, one.node.clone()))))
        .collect();
    let not_seen = unseen(nodes.iter().map(|one| &one.common));
    if common.len() < 2 {
        return if not_seen.is_empty() { vec![Verdict::NotSeen(Unseen::Nothing(Nothing::OneNode))] } else { not_seen };
    }
    let facts = vec![("height", common[0].0.to_string()), ("nodes", common.len().to_string())];
    let verdict = match by_value(common.into_iter().map(|(_, said)| said)) {
        (1, _) => Verdict::Fine(facts),
        (_, hashes) => trapped(Trap::NodesDisagree, Severity::Fault, [facts, vec![("hashes", hashes)]].concat()),
    };
    [vec![verdict], not_seen].concat()
}

fn lag(nodes: &[&Observation]) -> Verdict {
    let heights: Vec<(u64, &str)> =
        nodes.iter().filter_map(|one| one.height.clone().ok().map(|height| (height, one.node.as_str()))).collect();
    let (Some((lowest, node)), Some((highest, _))) = (heights.iter().min(), heights.iter().max()) else {
        return Verdict::NotSeen(Unseen::Nothing(Nothing::OneNode));
    };
    let behind = highest - lowest;
    if behind > LAG_BLOCKS_MAX {
        let facts = vec![("node", (*node).to_owned()), ("behind", behind.to_string()), ("height", highest.to_string())];
        return trapped(Trap::NodeLags, Severity::Warning, facts);
    }
    let not_seen = unseen(nodes.iter().map(|one| &one.height));
    not_seen.into_iter().next().unwrap_or(Verdict::Fine(vec![("behind", behind.to_string())]))
}

fn same_release(nodes: &[&Observation]) -> Vec<Verdict> {
    let releases = nodes.iter().filter_map(|one| match client(one.client.as_ref().ok()?) {
        Client::Besu(Some(release)) => Some((release, one.node.clone())),
        Client::Besu(None) | Client::Embedded | Client::Other => None,
    });
    let releases: Vec<_> = releases.collect();
    let is_old = |(release, _): &(_, String)| *release < PROPOSAL_FORM_CHANGED;
    let is_mixed = releases.iter().any(is_old) && !releases.iter().all(is_old);
    let not_seen = unseen(nodes.iter().map(|one| &one.client));
    let verdict = match by_value(releases) {
        (0, _) if !not_seen.is_empty() => return not_seen,
        (0, _) => Verdict::NotSeen(Unseen::Nothing(Nothing::NoRelease)),
        (_, shown) if is_mixed => trapped(Trap::ReleasesMixed, Severity::Warning, vec![("releases", shown)]),
        (_, shown) => Verdict::Fine(vec![("releases", shown)]),
    };
    [vec![verdict], not_seen].concat()
}
