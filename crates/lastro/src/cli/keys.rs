//! The command line of `lastro keys`.

use super::{LaneReport, LaneStore, Language, LedgerArguments, PassphraseArguments, WhoArgument};
use alloy_primitives::Address;
use clap::{Args, Subcommand, ValueEnum};
use custody::Purpose;
use std::path::PathBuf;

/// For how long an approval counts if nothing is said, in hours.
const APPROVAL_HOURS: u64 = 24;
/// The longest that any may count, in hours: custody's limit.
const APPROVAL_HOURS_MAX: u64 = custody::policy::APPROVAL_LIFE_S_MAX / 3_600;

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key, in an encrypted file or in a hardware token
    New(NewKey),
    /// Take over a keystore file of another program, encrypted anew
    Import(KeysImport),
    /// Which keys there are; nothing is decrypted
    List(KeysList),
    /// Open a key and let it go again: file and passphrase still belong together
    Check(KeysCheck),
    /// End the use of a sender's key: drain its lane, and let no process store anything in it ever again
    Retire(Box<KeysRetire>),
    /// The same, with a key in its place: one that is there, or one that is made
    Rotate(Box<KeysRotate>),
    /// Approve that a key with a policy is retired: what one of two persons signs, as one line of JSON
    Approve(Box<KeysApprove>),
}

/// Arguments of `lastro keys list`.
#[derive(Debug, Args)]
pub(crate) struct KeysList {
    #[command(flatten)]
    pub(crate) place: KeysPlace,
    /// A store of lanes (file, data directory or `postgres://…`) that knows which keys are retired
    #[arg(long, value_name = "STORE")]
    pub(crate) store: Option<String>,
    /// That store's schema, for PostgreSQL
    #[arg(long, value_name = "NAME", requires = "store")]
    pub(crate) schema: Option<String>,
}

/// What the end of a key takes.
#[derive(Debug, Args)]
pub(crate) struct RetirementArguments {
    /// Whose key: the address of its lane
    #[arg(value_name = "SENDER")]
    pub(crate) sender: Address,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
    /// Why; it is kept in the store, and told to whoever submits
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) who: WhoArgument,
    /// File of the key's policy, if it has one
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// File of a person's approval (`lastro keys approve`); two are needed where the key has a policy
    #[arg(long = "approval", value_name = "FILE", requires = "policy")]
    pub(crate) approvals: Vec<PathBuf>,
}

/// Arguments of `lastro keys retire`.
#[derive(Debug, Args)]
pub(crate) struct KeysRetire {
    #[command(flatten)]
    pub(crate) report: LaneReport,
    #[command(flatten)]
    pub(crate) retirement: RetirementArguments,
    /// Address of the key that comes after it, if one does
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) successor: Option<Address>,
}

/// Arguments of `lastro keys rotate`.
#[derive(Debug, Args)]
pub(crate) struct KeysRotate {
    #[command(flatten)]
    pub(crate) store: LaneStore,
    #[command(flatten)]
    pub(crate) retirement: RetirementArguments,
    /// Label of the key that comes after it; it is made if it is not there
    #[arg(long, value_name = "LABEL")]
    pub(crate) successor: String,
    #[command(flatten)]
    pub(crate) place: KeysPlace,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
}

/// Arguments of `lastro keys approve`.
#[derive(Debug, Args)]
pub(crate) struct KeysApprove {
    /// Address of the key that is to be retired
    #[arg(value_name = "SENDER")]
    pub(crate) sender: Address,
    /// Address of the key that comes after it, if one does
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) successor: Option<Address>,
    /// File of the policy that the key was used under last
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Label of the approver's key, which is for statements
    #[arg(long = "key", value_name = "LABEL")]
    pub(crate) label: String,
    /// For how long the approval counts, up to 168
    #[arg(long, value_name = "HOURS", default_value_t = APPROVAL_HOURS, value_parser = clap::value_parser!(u64).range(1..=APPROVAL_HOURS_MAX))]
    pub(crate) hours: u64,
    #[command(flatten)]
    pub(crate) place: KeysPlace,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
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
