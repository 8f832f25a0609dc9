//! What commands about networks take from their arguments: nodes and profiles.

use crate::cli::ProfileArguments;
use crate::failure::{Failure, FailureKind};
use chain::doctor::Patient;
use chain::{HttpTransport, NetworkProfile, RpcTransport, SeveralNodes};
use ledger::clock::Clock;
use std::sync::Arc;

/// The most nodes that a command sends over: each is one more whose ledger is examined, and three get a transaction at most.
const SENDING_NODES_MAX: usize = 8;

/// The way to a node, and what it is called.
pub(crate) fn patient(url: &str) -> Result<Patient, Failure> {
    let transport = HttpTransport::new(url).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    Ok(Patient { name: transport.shown_url().to_owned(), transport: Arc::new(transport) })
}

/// The nodes that a command sends over, the first of which is in front.
///
/// # Errors
/// [`FailureKind::Usage`] if a URL cannot be used, there are too many, or one is named twice.
pub(crate) fn sending_nodes(urls: &[String]) -> Result<Vec<Patient>, Failure> {
    let usage = |error| Failure::new(FailureKind::Usage, error);
    if urls.len() > SENDING_NODES_MAX {
        let given = urls.len();
        return Err(usage(anyhow::anyhow!("`--rpc` is given {given} times, at most {SENDING_NODES_MAX} are taken")));
    }
    let nodes = urls.iter().map(|url| patient(url)).collect::<Result<Vec<Patient>, Failure>>()?;
    let twice = (1..urls.len()).find(|&place| urls[..place].contains(&urls[place]));
    match twice {
        Some(place) => {
            Err(usage(anyhow::anyhow!("`--rpc {}` is given twice: one node stands by for no other", nodes[place].name)))
        }
        None => Ok(nodes),
    }
}

/// One way over all of them.
pub(crate) fn way_over(nodes: &[Patient]) -> Arc<dyn RpcTransport> {
    let [first, others @ ..] = nodes else { unreachable!("the command line asks for `--rpc`") };
    if others.is_empty() {
        return Arc::clone(&first.transport);
    }
    let several = SeveralNodes::first(first.name.clone(), Arc::clone(&first.transport));
    let then = |several: SeveralNodes, node: &Patient| several.then(node.name.clone(), Arc::clone(&node.transport));
    Arc::new(others.iter().fold(several, then))
}

/// The profile that the arguments name; `None` if they name none.
///
/// # Errors
/// [`FailureKind::Usage`] if there is no such profile, or its file has a mistake.
pub(crate) fn profile(arguments: &ProfileArguments) -> Result<Option<NetworkProfile>, Failure> {
    if let Some(file) = &arguments.profile_file {
        let read = NetworkProfile::read(file).map_err(|error| {
            Failure::new(FailureKind::Usage, error).with_hint("`docs/network-profiles.md` has the form of a profile")
        });
        return read.map(Some);
    }
    arguments.profile.as_deref().map(|name| shipped(name).cloned()).transpose()
}

/// A profile that ships.
///
/// # Errors
/// [`FailureKind::Usage`] if there is none of this name.
pub(crate) fn shipped(name: &str) -> Result<&'static NetworkProfile, Failure> {
    NetworkProfile::named(name).ok_or_else(|| {
        let names: Vec<&str> = NetworkProfile::shipped().iter().map(|profile| profile.name.as_str()).collect();
        let error = anyhow::anyhow!("`{name}` is no profile that ships: there are {}", names.join(", "));
        Failure::new(FailureKind::Usage, error).with_hint("name a profile of your own with `--profile-file FILE`")
    })
}

/// This machine's clock, in seconds since 1970.
pub(crate) fn now_seconds() -> u64 {
    Clock::System.unix_seconds()
}
