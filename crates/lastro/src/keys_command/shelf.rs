//! Where the commands find keys: a folder of encrypted files, or a hardware token.

use crate::cli::KeysPlace;
use crate::failure::{Failure, FailureKind};
use anyhow::anyhow;
use custody::{
    KeyInfo, KeyLabel, KeyStore, KeystoreDirectory, KeystoreError, Passphrase, Purpose, SESSION_WAIT_STANDARD,
    SESSIONS_STANDARD, ScryptCost, Token, TokenError, TokenLabel, TokenPlace,
};
use serde_json::Value;
use std::io::ErrorKind;
use std::path::Path;

/// One of the two.
pub(crate) enum Shelf {
    /// A folder.
    Files(KeystoreDirectory),
    /// A token.
    Token(Token),
}

impl Shelf {
    /// What the command line names, if it is there. Reading makes no folder.
    ///
    /// # Errors
    /// [`Failure`] if it is not there, or the token's module does not start.
    pub(crate) fn existing(place: &KeysPlace) -> Result<Self, Failure> {
        match &place.keystore {
            Some(folder) if !folder.is_dir() => {
                let error = anyhow!("there is no folder `{}`", folder.display());
                Err(Failure::new(FailureKind::Usage, error).with_hint("name the folder that `lastro keys new` made"))
            }
            Some(folder) => KeystoreDirectory::open(folder).map(Self::Files).map_err(failure),
            None => token(place).map(Self::Token),
        }
    }

    /// The same, where a folder is made if it is not there; and whether it was.
    ///
    /// # Errors
    /// As with [`Shelf::existing`].
    pub(super) fn made(place: &KeysPlace) -> Result<(Self, Option<&Path>), Failure> {
        let Some(folder) = place.keystore.as_deref() else { return Ok((Self::Token(token(place)?), None)) };
        let is_new = !folder.exists();
        let keys = KeystoreDirectory::open(folder).map_err(failure)?;
        Ok((Self::Files(keys), is_new.then_some(folder)))
    }

    pub(super) fn create(
        &self,
        label: &KeyLabel,
        purpose: Purpose,
        passphrase: &Passphrase,
    ) -> Result<KeyInfo, Failure> {
        match self {
            Self::Files(keys) => keys.create_key(label, purpose, passphrase, ScryptCost::STANDARD).map_err(failure),
            Self::Token(token) => token.create_key(label, purpose, passphrase).map_err(token_failure),
        }
    }

    /// Takes over a file of another program. A token takes over nothing: what was a file may be elsewhere as well.
    pub(super) fn import(
        &self,
        file: &Path,
        label: &KeyLabel,
        purpose: Purpose,
        passphrase: &Passphrase,
    ) -> Result<KeyInfo, Failure> {
        match self {
            Self::Files(keys) => keys.import(file, label, purpose, passphrase, ScryptCost::STANDARD).map_err(failure),
            Self::Token(_) => {
                let error = anyhow!("a token takes over no key from a file, since that may be elsewhere as well");
                Err(Failure::new(FailureKind::Usage, error).with_hint("make a key there with `lastro keys new`"))
            }
        }
    }

    pub(super) fn list(&self) -> Result<Vec<KeyInfo>, Failure> {
        match self {
            Self::Files(keys) => keys.list().map_err(failure),
            Self::Token(token) => token.list().map_err(token_failure),
        }
    }

    pub(super) fn check(&self, label: &KeyLabel, passphrase: &Passphrase) -> Result<KeyInfo, Failure> {
        match self {
            Self::Files(keys) => keys.check(label, passphrase).map_err(failure),
            Self::Token(token) => token.check(label, passphrase).map_err(token_failure),
        }
    }

    /// Where the key is, in words: its file, or the token's label.
    pub(super) fn place_of(&self, label: &KeyLabel) -> String {
        match self {
            Self::Files(keys) => keys.file_of(label).display().to_string(),
            Self::Token(token) => token.place().token.to_string(),
        }
    }

    /// What a machine reads it by.
    pub(super) fn place_json(&self, label: &KeyLabel) -> (&'static str, Value) {
        let name = if self.is_token() { "token" } else { "file" };
        (name, Value::String(self.place_of(label)))
    }

    pub(super) const fn is_token(&self) -> bool {
        matches!(self, Self::Token(_))
    }

    /// As custody opens keys from it.
    pub(crate) fn into_store(self) -> KeyStore {
        match self {
            Self::Files(keys) => KeyStore::Directory(keys),
            Self::Token(token) => KeyStore::Token(token),
        }
    }
}

fn token(place: &KeysPlace) -> Result<Token, Failure> {
    // The command line asks for both where there is no folder.
    let (module, label) = (place.module.clone().unwrap_or_default(), place.token.as_deref().unwrap_or_default());
    let label = TokenLabel::parse(label).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let place =
        TokenPlace { module, token: label, sessions_max: SESSIONS_STANDARD, session_wait_max: SESSION_WAIT_STANDARD };
    Token::find(&place).map_err(token_failure)
}

fn token_failure(error: TokenError) -> Failure {
    let (kind, hint) = token_judgement(&error);
    Failure::new(kind, error).with_hint_if(hint)
}

/// What a person named wrongly is the command's matter, what a token does not do is the machine's.
fn token_judgement(error: &TokenError) -> (FailureKind, Option<&'static str>) {
    match error {
        TokenError::LabelTaken { .. } => (
            FailureKind::Refused,
            Some("choose another label: a key is never overwritten, since nobody could bring it back"),
        ),
        TokenError::NoSuchKey { .. } => (FailureKind::Usage, Some("`lastro keys list` names the keys that are there")),
        TokenError::NoToken { .. } | TokenError::AmbiguousToken { .. } => (FailureKind::Usage, None),
        TokenError::PinRefused { .. } | TokenError::PinDiffers { .. } => (FailureKind::Usage, None),
        _ => (FailureKind::Environment, None),
    }
}

/// What custody calls the reading of a file.
pub(super) const READ: &str = "read";

/// What the operating system refuses is the machine's matter, but for a file that is not there to be read; all else is the
/// command's.
pub(crate) fn failure(error: KeystoreError) -> Failure {
    let (kind, hint) = match &error {
        KeystoreError::Io { action: READ, source, .. } if source.kind() == ErrorKind::NotFound => {
            (FailureKind::Usage, None)
        }
        KeystoreError::Io { .. } | KeystoreError::Random { .. } => (FailureKind::Environment, None),
        KeystoreError::LabelTaken { .. } => (
            FailureKind::Refused,
            Some("choose another label: a key is never overwritten, since nobody could bring it back"),
        ),
        KeystoreError::NoSuchKey { .. } => {
            (FailureKind::Usage, Some("`lastro keys list` names the keys that are there"))
        }
        KeystoreError::NotImported { .. } => (FailureKind::Usage, Some("`lastro keys import` takes it over")),
        KeystoreError::LabelDiffers { .. } => {
            (FailureKind::Usage, Some("give the file the name of its label again, or find out who exchanged it"))
        }
        KeystoreError::TooLong { .. } | KeystoreError::File { .. } => (FailureKind::Usage, None),
        KeystoreError::Token { source, .. } => token_judgement(source),
    };
    Failure::new(kind, error).with_hint_if(hint)
}
