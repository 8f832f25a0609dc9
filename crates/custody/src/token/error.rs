//! Why a token did not do what it was asked, and who can mend it.

use std::path::PathBuf;
use std::time::Duration;

use crate::key::KeyLabel;

/// The longest text of a token's label, in bytes (PKCS #11 2.40, `CK_TOKEN_INFO`).
pub const TOKEN_LABEL_BYTES_MAX: usize = 32;

/// What was asked of a token was not done. None of these holds a PIN or key material.
///
/// Texts of modules are kept as texts: no behaviour hangs on them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The module could not be loaded or did not start. Install it, or correct its path.
    #[error("cannot load the PKCS #11 module `{}`: {answer}; install it or correct its path", module.display())]
    Module {
        /// File of the module.
        module: PathBuf,
        /// What the linker or the module says.
        answer: String,
    },
    /// No token of the module bears the label. Connect it, or correct the label.
    #[error(
        "module `{}` has no token `{token}`, only {present:?}: connect the token or correct its label",
        module.display()
    )]
    NoToken {
        /// The label that was asked for.
        token: String,
        /// File of the module.
        module: PathBuf,
        /// Labels of the tokens that are there.
        present: Vec<String>,
    },
    /// Several tokens bear the label, and keys of one might be taken for the other's. Give them different labels.
    #[error("{count} tokens are labelled `{token}`, and it must be one")]
    AmbiguousToken {
        /// The label.
        token: String,
        /// How many bear it.
        count: usize,
    },
    /// The token refused the PIN, or has none, or is locked. No PIN is sent to it until it is found anew, neither this one nor
    /// another: tokens lock themselves after a few wrong ones. Find out which PIN is right, then start again.
    #[error(
        "token `{token}` refused a PIN ({answer}) and gets no other until it is found anew, so that it does not lock itself: correct the PIN and start again"
    )]
    PinRefused {
        /// The token.
        token: String,
        /// What the module says.
        answer: String,
    },
    /// The token is open with another PIN, and a token has one. The PIN was not sent.
    #[error("token `{token}` is open already, with another PIN than this")]
    PinDiffers {
        /// The token.
        token: String,
    },
    /// The token has no key with this label.
    #[error("token `{token}` has no key `{label}`")]
    NoSuchKey {
        /// The label.
        label: KeyLabel,
        /// The token.
        token: String,
    },
    /// There is a key with this label, and keys are never overwritten.
    #[error("token `{token}` has a key `{label}` already")]
    LabelTaken {
        /// The label.
        label: KeyLabel,
        /// The token.
        token: String,
    },
    /// Several objects bear the label and kind of one. Give all but one another label, with the token's own tools.
    #[error("token `{token}` has {count} {kind}s `{label}`, and it must be one")]
    AmbiguousKey {
        /// The label.
        label: KeyLabel,
        /// The token.
        token: String,
        /// `private key` or `public key`.
        kind: &'static str,
        /// How many there are: none, or several.
        count: usize,
    },
    /// The key's `CKA_ID` names no purpose of this label. Give it one of the two, with the token's own tools.
    #[error(
        "key `{label}` in token `{token}` has the id `{id}`, not `lastro:transactions:{label}` or `lastro:statements:{label}`"
    )]
    NoPurpose {
        /// The label, as it stands in the token.
        label: String,
        /// The token.
        token: String,
        /// The id, escaped.
        id: String,
    },
    /// The key could leave the token, so it may be elsewhere as well. Make another.
    #[error("key `{label}` in token `{token}` could leave it: it must be sensitive and not extractable")]
    Extractable {
        /// The label.
        label: KeyLabel,
        /// The token.
        token: String,
    },
    /// The public half is no point of secp256k1 in a form that is known.
    #[error("the public half of key `{label}` in token `{token}` is no key of secp256k1: {reason}")]
    PublicKey {
        /// The label, as it stands in the token.
        label: String,
        /// The token.
        token: String,
        /// What is wrong.
        reason: String,
    },
    /// What came back is no signature of the key over what was sent: the halves of the key do not belong together, or the token
    /// is broken. It was thrown away.
    #[error("token `{token}` gave {length_bytes} bytes for key `{label}` that are not its signature")]
    WrongSignature {
        /// The label.
        label: KeyLabel,
        /// The token.
        token: String,
        /// How many bytes came.
        length_bytes: usize,
    },
    /// All sessions were in use for as long as a caller waits. Try again, or allow more.
    #[error("all {max} sessions of token `{token}` were in use for {} ms", waited.as_millis())]
    SessionsExhausted {
        /// The token.
        token: String,
        /// How many there may be.
        max: usize,
        /// How long it waited.
        waited: Duration,
    },
    /// The token was lost and not found again at once, or has no room now. Try again later.
    #[error("cannot {action} with token `{token}` now: {answer}")]
    Unreachable {
        /// The token.
        token: String,
        /// What was tried.
        action: &'static str,
        /// What the module says.
        answer: String,
    },
    /// The module refuses, and would again. Its text says why: a mechanism or curve that it lacks, most of all.
    #[error("token `{token}` does not {action}: {answer}")]
    Refused {
        /// The token.
        token: String,
        /// What was tried.
        action: &'static str,
        /// What the module says.
        answer: String,
    },
}

/// Who can do something about a [`TokenError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStep {
    /// The caller: the same call may succeed later.
    TryAgain,
    /// A person: the same call fails again until somebody mends the token or the configuration.
    AskAPerson,
}

impl TokenError {
    /// What comes next.
    pub const fn next_step(&self) -> TokenStep {
        match self {
            Self::SessionsExhausted { .. } | Self::Unreachable { .. } => TokenStep::TryAgain,
            Self::Module { .. }
            | Self::NoToken { .. }
            | Self::AmbiguousToken { .. }
            | Self::PinRefused { .. }
            | Self::PinDiffers { .. }
            | Self::NoSuchKey { .. }
            | Self::LabelTaken { .. }
            | Self::AmbiguousKey { .. }
            | Self::NoPurpose { .. }
            | Self::Extractable { .. }
            | Self::PublicKey { .. }
            | Self::WrongSignature { .. }
            | Self::Refused { .. } => TokenStep::AskAPerson,
        }
    }
}

/// The text is no label of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("token label `{text}` is not 1 to {max} bytes without blanks at its ends", max = TOKEN_LABEL_BYTES_MAX)]
pub struct TokenLabelError {
    pub(super) text: String,
}
