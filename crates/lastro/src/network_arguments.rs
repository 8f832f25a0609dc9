//! What commands about networks take from their arguments: nodes and profiles.

use crate::cli::{NodeAccessArguments, ProfileArguments};
use crate::failure::{Failure, FailureKind};
use chain::doctor::Patient;
use chain::{
    ClientCertificateFiles, HttpTransport, NetworkProfile, NodeAccess, NodeAccessError, NodeAccessFiles, RpcTransport,
    SeveralNodes,
};
use ledger::clock::Clock;
use std::sync::Arc;

/// The most nodes that a command sends over: each is one more whose ledger is examined, and three get a transaction at most.
const SENDING_NODES_MAX: usize = 8;

/// The way to a node, and what it is called.
pub(crate) fn patient(url: &str, access: &NodeAccess) -> Result<Patient, Failure> {
    let transport = HttpTransport::with(url, access).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    Ok(Patient { name: transport.shown_url().to_owned(), transport: Arc::new(transport) })
}

/// Reads the files that say how nodes are reached.
///
/// # Errors
/// [`FailureKind::Usage`] if one of them cannot be read, or does not hold what it should.
pub(crate) fn node_access(arguments: &NodeAccessArguments) -> Result<NodeAccess, Failure> {
    let NodeAccessArguments { node_ca, node_certificate, node_key, node_token } = arguments;
    let client = node_certificate.clone().zip(node_key.clone());
    let client = client.map(|(certificate, key)| ClientCertificateFiles { certificate, key });
    let files = NodeAccessFiles { authority: node_ca.clone(), client, token: node_token.clone() };
    NodeAccess::read(&files).map_err(|error| {
        let hint = match &error {
            NodeAccessError::File { .. } => Some("is the name right, and may you read the file?"),
            NodeAccessError::Pem { .. } => Some(
                "PEM has lines such as `-----BEGIN CERTIFICATE-----` and `-----BEGIN PRIVATE KEY-----`; a key with a passphrase \
                 is not taken: `openssl pkey -in FILE` takes it off",
            ),
            NodeAccessError::ClientKey { .. } => Some("give `--node-key` the key that the certificate was made for"),
            NodeAccessError::Token { .. } | NodeAccessError::NoSystemAuthorities { .. } | NodeAccessError::Setup { .. } => None,
        };
        Failure::new(FailureKind::Usage, error).with_hint_if(hint)
    })
}

/// The nodes that a command sends over, the first of which is in front.
///
/// # Errors
/// [`FailureKind::Usage`] if a URL cannot be used, there are too many, or one is named twice.
pub(crate) fn sending_nodes(urls: &[String], access: &NodeAccess) -> Result<Vec<Patient>, Failure> {
    let usage = |error| Failure::new(FailureKind::Usage, error);
    if urls.len() > SENDING_NODES_MAX {
        let given = urls.len();
        return Err(usage(anyhow::anyhow!("`--rpc` is given {given} times, at most {SENDING_NODES_MAX} are taken")));
    }
    let nodes = urls.iter().map(|url| patient(url, access)).collect::<Result<Vec<Patient>, Failure>>()?;
    check_nodes(&nodes)?;
    Ok(nodes)
}

/// A node that is named twice would agree with itself, and stand by for itself.
///
/// # Errors
/// [`FailureKind::Usage`] if one is.
pub(crate) fn check_nodes(patients: &[Patient]) -> Result<(), Failure> {
    let name = |patient: &Patient| patient.name.trim_end_matches('/').to_ascii_lowercase();
    for (place, patient) in patients.iter().enumerate() {
        if patients[..place].iter().any(|before| name(before) == name(patient)) {
            let error = anyhow::anyhow!("`--rpc {}` is given twice", patient.name);
            return Err(Failure::new(FailureKind::Usage, error).with_hint("name each node once"));
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_to_send_over_are_different_ones_and_not_too_many() {
        let refused =
            |urls: &[String]| sending_nodes(urls, &NodeAccess::plain()).map(|_| ()).unwrap_err().error.to_string();
        let url = |port: usize| format!("http://user:secret@10.0.0.1:{port}");
        assert_eq!(refused(&[url(1), url(2), url(1) + "/"]), "`--rpc http://***@10.0.0.1:1/` is given twice");
        let many: Vec<String> = (0..=SENDING_NODES_MAX).map(url).collect();
        assert_eq!(refused(&many), "`--rpc` is given 9 times, at most 8 are taken");
        assert_eq!(
            sending_nodes(&many[1..], &NodeAccess::plain()).map(|nodes| nodes.len()).unwrap(),
            SENDING_NODES_MAX
        );
    }
}
