//! The command line of `lastro keys`.

use super::{Language, PassphraseArguments};
use clap::{Args, Subcommand, ValueEnum};
use custody::Purpose;
use std::path::PathBuf;

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key, in an encrypted file or in a hardware token
    New(NewKey),
    /// Take over a keystore file of another program, encrypted anew
    Import(KeysImport),
    /// Which keys there are; nothing is decrypted
    List(KeysPlace),
    /// Open a key and let it go again: file and passphrase still belong together
    Check(KeysCheck),
}

/// A key that is to be.
#[derive(Debug, Args)]
pub(crate) struct NewKey {
    /// Its label: small letters, digits, `-` and `_`
    #[arg(value_name = "LABEL")]
    pub(crate) label: String,
    /// What it may sign, for life
    #[arg(long, value_enum, default_value_t = KeyPurpose::Transactions)]
    pub(crate) purpose: KeyPurpose,
    #[command(flatten)]
    pub(crate) place: KeysPlace,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
}

/// Arguments of `lastro keys import`.
#[derive(Debug, Args)]
pub(crate) struct KeysImport {
    /// Keystore file (Web3 secret storage, version 3) that the passphrase opens; it stays as it is
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) key: NewKey,
}

/// Arguments of `lastro keys check`.
#[derive(Debug, Args)]
pub(crate) struct KeysCheck {
    /// The key's label
    #[arg(value_name = "LABEL")]
    pub(crate) label: String,
    #[command(flatten)]
    pub(crate) place: KeysPlace,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
}

/// Where keys rest, and in which words that is told.
#[derive(Debug, Args)]
pub(crate) struct KeysPlace {
    /// Folder of the keys, one encrypted file for each
    #[arg(long, value_name = "DIR", required_unless_present = "module", conflicts_with = "module")]
    pub(crate) keystore: Option<PathBuf>,
    /// In place of a folder: the PKCS #11 module of a hardware token, a library of its manufacturer. The passphrase is its PIN
    #[arg(long, value_name = "FILE", requires = "token")]
    pub(crate) module: Option<PathBuf>,
    /// Label of the token
    #[arg(long, value_name = "LABEL", requires = "module")]
    pub(crate) token: Option<String>,
    /// Language of the report: `pt-BR` or `en`; by default that of the environment
    #[arg(long, value_enum, hide_possible_values = true, hide_default_value = true, default_value_t = Language::of_the_user())]
    pub(crate) lang: Language,
}

/// What a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyPurpose {
    /// Transactions: the key is a sender
    Transactions,
    /// Statements outside of transactions
    Statements,
}

impl From<KeyPurpose> for Purpose {
    fn from(purpose: KeyPurpose) -> Self {
        match purpose {
            KeyPurpose::Transactions => Self::Transactions,
            KeyPurpose::Statements => Self::Statements,
        }
    }
}
