//! Where the keys of persons are, and what to do when they cannot be had.

use crate::cli::PersonsArguments;
use crate::failure::{Failure, FailureKind};
use crate::journal_command::import::new_place;
use journal::personal::{KeysError, MasterKeySource, OpenKeysError, PersonKeysConfig, RestoreError};
use journal::{Clock, Entropy};

/// The keys that are named, if any are.
///
/// # Errors
/// [`Failure`] if a PostgreSQL is named without its schema, or a file with one.
pub(super) fn config(arguments: &PersonsArguments) -> Result<Option<PersonKeysConfig>, Failure> {
    let (Some(persons), Some(master)) = (&arguments.persons, &arguments.master_key) else { return Ok(None) };
    let place = new_place(persons, arguments.persons_schema.as_deref());
    Ok(Some(PersonKeysConfig {
        place: place
            .map_err(|failure| failure.with_hint("`--persons-schema` goes with `postgres://…`, and with that alone"))?,
        master: MasterKeySource::File { path: master.clone() },
        former_master: None,
        clock: Clock::System,
        entropy: Entropy::System,
    }))
}

/// Keys that are to be backed up cannot be opened.
pub(super) fn open_failure(error: OpenKeysError) -> Failure {
    let (kind, hint) = open_advice(&error);
    Failure::new(kind, error).with_hint(hint)
}

/// Keys were not restored: nothing of them is there.
pub(super) fn restore_failure(error: RestoreError) -> Failure {
    let (kind, hint) = match &error {
        RestoreError::NotEmpty { .. } => (
            FailureKind::Refused,
            "name another place with `--persons`; if an earlier restore brought the keys back, leave `--persons` out",
        ),
        RestoreError::File(_) | RestoreError::Register(_) => (FailureKind::Refused, "take another backup of the keys"),
        RestoreError::Open(error) => open_advice(error),
        RestoreError::Keys(error) => keys_advice(error),
        RestoreError::Write(_) => (FailureKind::Environment, "no key was restored: do it again"),
    };
    Failure::new(kind, error).with_hint(hint)
}

/// The stores failed when the keys were restored already.
pub(super) fn keys_are_there(failure: Failure) -> Failure {
    let keys = "the keys of persons are restored: leave `--persons` out when you do it again";
    let hint = failure.hint.as_ref().map_or_else(|| keys.to_owned(), |hint| format!("{hint}; {keys}"));
    failure.with_hint(hint)
}

fn open_advice(error: &OpenKeysError) -> (FailureKind, &'static str) {
    match error {
        OpenKeysError::Keys(error) => keys_advice(error),
        OpenKeysError::NoKeys { .. } | OpenKeysError::SchemaName { .. } => {
            (FailureKind::Usage, "name the file or schema that holds the keys of persons")
        }
        OpenKeysError::Master(_)
        | OpenKeysError::OtherMaster { .. }
        | OpenKeysError::SameMaster { .. }
        | OpenKeysError::Retired { .. } => (FailureKind::Usage, WRONG_MASTER),
        OpenKeysError::MasterMissing { .. } => {
            (FailureKind::Environment, "end the rotation first, with both master keys")
        }
        OpenKeysError::Newer { .. } => (FailureKind::Environment, "use the release that wrote them, or a newer one"),
    }
}

const WRONG_MASTER: &str = "name the master key that wraps these keys with `--master-key`; nothing was changed";

fn keys_advice(error: &KeysError) -> (FailureKind, &'static str) {
    match error {
        KeysError::Busy => (
            FailureKind::Environment,
            "a process that holds its keys in a file backs them up itself; for this command, stop it first",
        ),
        KeysError::MasterUnknown { .. } | KeysError::Retired { .. } => (FailureKind::Usage, WRONG_MASTER),
        KeysError::DoesNotUnwrap { .. } | KeysError::Damaged { .. } => {
            (FailureKind::Refused, "take another backup of the keys")
        }
        KeysError::Sql { .. } => (FailureKind::Environment, "nothing was changed: do it again"),
    }
}
