//! Keys in hardware: tokens that are spoken to by PKCS #11 (2.40), through a library of their manufacturer, the *module*.
//!
//! A key is made in its token and never leaves it; this process sends hashes and takes signatures. The token is found by its
//! label, since numbers of slots change. In the token a key is a pair of objects of secp256k1, alike in
//!
//! * `CKA_LABEL`, our [`KeyLabel`], and
//! * `CKA_ID`, the ASCII text `lastro:<purpose>:<label>`, by which a pair is known as ours and keeps its purpose for life.
//!
//! So a key that a ceremony made with other tools is used as soon as it bears both. The public half is not `CKA_PRIVATE`: keys are
//! listed without a PIN. The private half must be sensitive and not extractable.
//!
//! A module is code that this process loads: its path comes from the operator and from nowhere else.
//!
//! Calls block: as long as the token takes, and up to [`TokenPlace::session_wait_max`] for a session.

mod answer;
mod curve;
mod error;
mod sessions;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, Signature, keccak256};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState};

pub use self::error::{TOKEN_LABEL_BYTES_MAX, TokenError, TokenLabelError, TokenStep};
use self::sessions::{Fault, Held, Sessions};
use crate::custody::KeyInfo;
use crate::key::{KeyLabel, Purpose};
use crate::passphrase::Passphrase;

/// Sessions that one process has with a token at once, unless it says otherwise. Two cores sign no faster by more.
pub const SESSIONS_STANDARD: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not 0");

/// How long a signature waits for a session, unless it is said otherwise: some thousand signatures of a software token, so that
/// who waits longer has met a fault.
pub const SESSION_WAIT_STANDARD: Duration = Duration::from_secs(5);

/// What the id of each key of ours begins with.
const ID_PREFIX: &str = "lastro:";

/// Every purpose a key may have.
const PURPOSES: [Purpose; 2] = [Purpose::Transactions, Purpose::Statements];

/// What a key signs when it is opened, to show that it can. It is the hash of this text and so of nothing else.
const PROOF_TEXT: &[u8] = b"lastro: a key in a token shows that it signs";

/// The label of a token: 1 to 32 bytes, without blanks at its ends, which tokens fill up with blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLabel(String);

impl TokenLabel {
    /// Reads a label.
    ///
    /// # Errors
    ///
    /// The text is empty or too long, or begins or ends with a blank.
    pub fn parse(text: &str) -> Result<Self, TokenLabelError> {
        if text.is_empty() || text.len() > TOKEN_LABEL_BYTES_MAX || text.trim() != text {
            return Err(TokenLabelError { text: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }

    /// The label's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which token, and how much of it one process takes.
#[derive(Debug, Clone)]
pub struct TokenPlace {
    /// File of the PKCS #11 module, such as `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// Label of the token.
    pub token: TokenLabel,
    /// Most sessions at once for signatures; as many signatures are made at a time. See [`SESSIONS_STANDARD`].
    pub sessions_max: NonZeroUsize,
    /// Longest wait for a session. See [`SESSION_WAIT_STANDARD`].
    pub session_wait_max: Duration,
}

/// A token that was found. Clones share its sessions.
#[derive(Clone)]
pub struct Token {
    sessions: Arc<Sessions>,
}

/// A key in a token.
pub(crate) struct TokenKey {
    sessions: Arc<Sessions>,
    label: KeyLabel,
    address: Address,
}

impl Token {
    /// Loads the module and looks for the token. Nobody logs in yet.
    ///
    /// Each value found here sends one wrong PIN at most, so do not find a token anew by itself after [`TokenError::PinRefused`]: a
    /// person must look first.
    ///
    /// Find a token once in a process and share it by clones: login is the process's, so a token that another value of this type
    /// has open would take any PIN for right.
    ///
    /// # Errors
    ///
    /// The module cannot be loaded, or does not have one token with this label.
    pub fn find(place: &TokenPlace) -> Result<Self, TokenError> {
        let sessions = Sessions::load(place)?;
        let _ = sessions.slot().map_err(|fault| sessions.unopened(fault))?;
        Ok(Self { sessions: Arc::new(sessions) })
    }

    /// Where the token is.
    pub fn place(&self) -> &TokenPlace {
        self.sessions.place()
    }

    /// Makes a key in the token. It cannot be read out, copied or brought back: what the token loses is lost.
    ///
    /// # Errors
    ///
    /// The PIN is wrong, the label is taken, or the token makes no keys of secp256k1. After [`TokenError::Unreachable`] it is
    /// unknown whether there is a key: look it up by [`Token::list`].
    pub fn create_key(&self, label: &KeyLabel, purpose: Purpose, pin: &Passphrase) -> Result<KeyInfo, TokenError> {
        self.sessions.log_in(pin)?;
        // Done twice, the second time finds the key that the first may have made.
        let address = self.sessions.with("make a key", |_| {
            let session = self.sessions.writing_session()?;
            // Public halves are seen also by who was logged out meanwhile.
            for class in [ObjectClass::PUBLIC_KEY, ObjectClass::PRIVATE_KEY] {
                if !session.find_objects(&pattern(class, label))?.is_empty() {
                    return Err(TokenError::LabelTaken { label: label.clone(), token: self.name() }.into());
                }
            }
            let (public, private) = templates(label, purpose);
            let (public, _) = session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)?;
            self.address_of(&session, public, label.as_str())
        })?;
        Ok(KeyInfo { label: label.clone(), purpose, address, is_test_key: false })
    }

    /// The keys of ours in the token, by label, as their public halves say; no PIN is needed. Others are left out.
    ///
    /// # Errors
    ///
    /// The token cannot be read, or a key of ours is broken: it has another label than its id says, or is of another curve.
    pub fn list(&self) -> Result<Vec<KeyInfo>, TokenError> {
        let listed = self.sessions.public_session().and_then(|session| {
            let ours =
                [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::KeyType(KeyType::EC), Attribute::Token(true)];
            let mut keys = Vec::new();
            for object in session.find_objects(&ours)? {
                keys.extend(self.listed(&session, object)?);
            }
            Ok(keys)
        });
        let mut keys = listed.map_err(|fault| match fault {
            Fault::Token(error) => error,
            Fault::Module(answer) => self.sessions.error("list keys", &answer),
        })?;
        keys.sort_by(|a, b| a.label.cmp(&b.label));
        Ok(keys)
    }

    /// Opens the key, has it sign, and lets it go again: shows that PIN and token belong together, and both halves of the key.
    ///
    /// # Errors
    ///
    /// There is no such key, it could leave the token, it does not sign, or the PIN is wrong.
    pub fn check(&self, label: &KeyLabel, pin: &Passphrase) -> Result<KeyInfo, TokenError> {
        let (purpose, key) = self.open_key(label, pin)?;
        Ok(KeyInfo { label: label.clone(), purpose, address: key.address, is_test_key: false })
    }

    pub(crate) fn open_key(&self, label: &KeyLabel, pin: &Passphrase) -> Result<(Purpose, TokenKey), TokenError> {
        self.sessions.log_in(pin)?;
        let (purpose, address) = self.sessions.with("find the key", |held| {
            let purpose = self.private_half(&held.session, label)?;
            let public = self.one(&held.session, ObjectClass::PUBLIC_KEY, label)?;
            Ok((purpose, self.address_of(&held.session, public, label.as_str())?))
        })?;
        let key = TokenKey { sessions: Arc::clone(&self.sessions), label: label.clone(), address };
        let _ = key.sign(keccak256(PROOF_TEXT))?;
        Ok((purpose, key))
    }

    /// The purpose of the private half, which cannot leave the token.
    fn private_half(&self, session: &Session, label: &KeyLabel) -> Result<Purpose, Fault> {
        let private = self.one(session, ObjectClass::PRIVATE_KEY, label)?;
        let wanted = [AttributeType::Sensitive, AttributeType::Extractable, AttributeType::Id];
        let (mut is_sensitive, mut is_extractable, mut id) = (false, true, Vec::new());
        for attribute in session.get_attributes(private, &wanted)? {
            match attribute {
                Attribute::Sensitive(value) => is_sensitive = value,
                Attribute::Extractable(value) => is_extractable = value,
                Attribute::Id(value) => id = value,
                _ => {}
            }
        }
        if !is_sensitive || is_extractable {
            return Err(TokenError::Extractable { label: label.clone(), token: self.name() }.into());
        }
        purpose_of_id(&id, label.as_str()).ok_or_else(|| self.no_purpose(label.as_str(), &id).into())
    }

    /// The one object of this class and label.
    fn one(&self, session: &Session, class: ObjectClass, label: &KeyLabel) -> Result<ObjectHandle, Fault> {
        one_object(session, class, label, &self.name())
    }

    /// What a list says of a public half; none if it is not ours.
    fn listed(&self, session: &Session, object: ObjectHandle) -> Result<Option<KeyInfo>, Fault> {
        let (mut label, mut id) = (Vec::new(), Vec::new());
        for attribute in session.get_attributes(object, &[AttributeType::Label, AttributeType::Id])? {
            match attribute {
                Attribute::Label(value) => label = value,
                Attribute::Id(value) => id = value,
                _ => {}
            }
        }
        if !id.starts_with(ID_PREFIX.as_bytes()) {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&label);
        let known = KeyLabel::parse(&text).ok().zip(purpose_of_id(&id, &text));
        let (label, purpose) = known.ok_or_else(|| self.no_purpose(&text, &id))?;
        let address = self.address_of(session, object, &text)?;
        Ok(Some(KeyInfo { label, purpose, address, is_test_key: false }))
    }

    fn address_of(&self, session: &Session, public: ObjectHandle, label: &str) -> Result<Address, Fault> {
        let attributes = session.get_attributes(public, &[AttributeType::EcPoint])?;
        let address = match attributes.first() {
            Some(Attribute::EcPoint(point)) => curve::address_of_point(point),
            _ => Err("it shows no point".to_owned()),
        };
        let unusable = |reason| TokenError::PublicKey { label: label.to_owned(), token: self.name(), reason };
        address.map_err(|reason| unusable(reason).into())
    }

    fn no_purpose(&self, label: &str, id: &[u8]) -> TokenError {
        let id = id.escape_ascii().to_string();
        TokenError::NoPurpose { label: label.to_owned(), token: self.name(), id }
    }

    fn name(&self) -> String {
        self.place().token.to_string()
    }
}

/// Its place alone.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(self.place()).finish()
    }
}

impl TokenKey {
    pub(crate) fn address(&self) -> Address {
        self.address
    }

    /// Has the token sign the hash, and gives the signature with low `s` that recovers to the key's address.
    ///
    /// # Errors
    ///
    /// The token does not sign, or gives something else than the key's signature.
    pub(crate) fn sign(&self, hash: B256) -> Result<Signature, TokenError> {
        let token = self.sessions.place().token.as_str();
        let raw = self.sessions.with("sign", |held| {
            let key = private_key(held, &self.label, token)?;
            Ok(held.session.sign(&Mechanism::Ecdsa, key, hash.as_slice())?)
        })?;
        curve::recoverable(&raw, hash, self.address).ok_or_else(|| TokenError::WrongSignature {
            label: self.label.clone(),
            token: token.to_owned(),
            length_bytes: raw.len(),
        })
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({} of {} in {})", self.label, self.address, self.sessions.place().token)
    }
}

/// The handle of the private half, which is looked up once in each session.
fn private_key(held: &mut Held, label: &KeyLabel, token: &str) -> Result<ObjectHandle, Fault> {
    if let Some(&known) = held.private_keys.get(label) {
        return Ok(known);
    }
    let found = one_object(&held.session, ObjectClass::PRIVATE_KEY, label, token)?;
    let _ = held.private_keys.insert(label.clone(), found);
    Ok(found)
}

fn one_object(session: &Session, class: ObjectClass, label: &KeyLabel, token: &str) -> Result<ObjectHandle, Fault> {
    let is_private = class == ObjectClass::PRIVATE_KEY;
    let mut found = session.find_objects(&pattern(class, label))?;
    if is_private && found.is_empty() {
        // Who is logged out finds nothing private; and another thread may have logged in again since.
        if !is_logged_in(session)? {
            return Err(answer::logged_out().into());
        }
        found = session.find_objects(&pattern(class, label))?;
    }
    let (label, token) = (label.clone(), token.to_owned());
    match found[..] {
        [one] => Ok(one),
        [] if is_private => Err(TokenError::NoSuchKey { label, token }.into()),
        _ => {
            let kind = if is_private { "private key" } else { "public key" };
            Err(TokenError::AmbiguousKey { label, token, kind, count: found.len() }.into())
        }
    }
}

fn is_logged_in(session: &Session) -> Result<bool, Fault> {
    let state = session.get_session_info()?.session_state();
    Ok(matches!(state, SessionState::RoUser | SessionState::RwUser))
}

fn pattern(class: ObjectClass, label: &KeyLabel) -> [Attribute; 3] {
    [Attribute::Class(class), Attribute::Token(true), Attribute::Label(label.as_str().as_bytes().to_vec())]
}

/// What the halves of a new key are told to be.
fn templates(label: &KeyLabel, purpose: Purpose) -> (Vec<Attribute>, Vec<Attribute>) {
    let names = [
        Attribute::Token(true),
        Attribute::Label(label.as_str().as_bytes().to_vec()),
        Attribute::Id(id_of(purpose, label.as_str()).into_bytes()),
    ];
    let public =
        [Attribute::Private(false), Attribute::Verify(true), Attribute::EcParams(curve::SECP256K1_OID_DER.to_vec())];
    let private = [
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
    ];
    (names.iter().cloned().chain(public).collect(), names.iter().cloned().chain(private).collect())
}

fn id_of(purpose: Purpose, label: &str) -> String {
    format!("{ID_PREFIX}{purpose}:{label}")
}

fn purpose_of_id(id: &[u8], label: &str) -> Option<Purpose> {
    PURPOSES.into_iter().find(|&purpose| id_of(purpose, label).as_bytes() == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_label_is_what_a_token_can_hold() {
        for bad in ["", " a", "a ", &"a".repeat(33)] {
            assert!(TokenLabel::parse(bad).is_err(), "{bad}");
        }
        for good in ["a", "Lastro producao 1", &"a".repeat(32)] {
            assert_eq!(TokenLabel::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn an_id_names_the_purpose_and_the_label() {
        assert_eq!(id_of(Purpose::Transactions, "bank-a"), "lastro:transactions:bank-a");
        for purpose in PURPOSES {
            let id = id_of(purpose, "bank-a");
            assert_eq!(purpose_of_id(id.as_bytes(), "bank-a"), Some(purpose));
            assert_eq!(purpose_of_id(id.as_bytes(), "bank"), None);
        }
        assert_eq!(purpose_of_id(b"\x01", "bank-a"), None);
    }
}
