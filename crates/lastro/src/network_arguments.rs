//! What commands about networks take from their arguments: nodes and profiles.

use crate::cli::ProfileArguments;
use crate::failure::{Failure, FailureKind};
use chain::doctor::Patient;
use chain::{HttpTransport, NetworkProfile};
use ledger::clock::Clock;
use std::sync::Arc;

/// The way to a node, and what it is called.
pub(crate) fn patient(url: &str) -> Result<Patient, Failure> {
    let transport = HttpTransport::new(url).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    Ok(Patient { name: transport.shown_url().to_owned(), transport: Arc::new(transport) })
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
