//! A personal value in memory, sealed, and opened again.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::cipher::{NONCE_BYTES, TAG_BYTES};

/// The most bytes that a value's JSON may have.
pub const PLAIN_BYTES_MAX: usize = 8 * 1024;

/// Sealed texts are made for lengths in these steps, so that a text's length says little of a name's.
const PADDED_BYTES: usize = 32;

/// A person, by a random name that says nothing of who it is. Which person it stands for is sealed too, or known elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(Uuid);

impl PersonId {
    /// The one with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Its 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A value that says something of a person. It prints `***`, and is not to be written as JSON: seal it.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Marks a value as personal.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, to be used where the person may be seen.
    #[must_use]
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// The value itself.
    #[must_use]
    pub fn into_revealed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T> fmt::Display for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a reader gets of a sealed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened<T> {
    /// The value.
    Value(Personal<T>),
    /// The person was erased. This is an answer and no error: nobody can read it any more.
    Erased,
}

/// A sealed value, as it stands in a payload: `sealed.1.<person>.<nonce>.<ciphertext>`.
///
/// Person is a UUID; nonce (24 bytes) and ciphertext (with its tag of 16 bytes) are base64url without padding (RFC 4648, section
/// 5). The plain text is the value's JSON with spaces behind it, so that its length is a multiple of 32. The associated data is
/// given by [`super::Field`].
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    pub(super) person: PersonId,
    pub(super) nonce: [u8; NONCE_BYTES],
    pub(super) ciphertext: Box<[u8]>,
}

/// A text is no sealed value. The text is not repeated: it may be what should have been sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// It does not begin as one does.
    #[error("the text is no sealed value: it does not begin with `{TAG}`")]
    Untagged,
    /// A part is missing or not of its form.
    #[error("the text is no sealed value: its {part} is not of its form")]
    Part {
        /// Which part.
        part: &'static str,
    },
    /// It is longer than any.
    #[error("a sealed value of {bytes} bytes is longer than {max}", max = PLAIN_BYTES_MAX + PADDED_BYTES + TAG_BYTES)]
    TooLong {
        /// The ciphertext's length.
        bytes: usize,
    },
}

/// What a sealed text of this version begins with.
const TAG: &str = "sealed.1.";

impl Sealed {
    /// Whose value it is.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.person
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nonce, ciphertext) = (URL_SAFE_NO_PAD.encode(self.nonce), URL_SAFE_NO_PAD.encode(&self.ciphertext));
        write!(f, "{TAG}{}.{nonce}.{ciphertext}", self.person)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(*** of {})", self.person)
    }
}

impl FromStr for Sealed {
    type Err = SealedError;

    fn from_str(text: &str) -> Result<Self, SealedError> {
        let wrong = |part| SealedError::Part { part };
        let rest = text.strip_prefix(TAG).ok_or(SealedError::Untagged)?;
        let mut parts = rest.splitn(3, '.');
        let person = parts.next().unwrap_or_default();
        let uuid = Uuid::try_parse(person).ok().filter(|uuid| uuid.to_string() == person).ok_or(wrong("person"))?;
        let mut bytes = |part| URL_SAFE_NO_PAD.decode(parts.next().unwrap_or_default()).map_err(|_| wrong(part));
        let nonce = bytes("nonce")?.try_into().map_err(|_| wrong("nonce"))?;
        let ciphertext = bytes("ciphertext")?;
        if ciphertext.len() > PLAIN_BYTES_MAX + PADDED_BYTES + TAG_BYTES {
            return Err(SealedError::TooLong { bytes: ciphertext.len() });
        }
        Ok(Self { person: PersonId(uuid), nonce, ciphertext: ciphertext.into() })
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Puts spaces behind JSON, which its readers pass over, up to the next step.
pub(super) fn pad(json: &mut Vec<u8>) {
    json.resize(json.len().next_multiple_of(PADDED_BYTES), b' ');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealed() -> Sealed {
        let person = PersonId::from_bytes([1; 16]);
        Sealed { person, nonce: [2; NONCE_BYTES], ciphertext: vec![3; 48].into() }
    }

    #[test]
    fn a_sealed_text_has_the_same_form_for_ever() {
        let text = "sealed.1.01010101-0101-0101-0101-010101010101.AgICAgICAgICAgICAgICAgICAgICAgIC.AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD";
        assert_eq!(sealed().to_string(), text);
        assert_eq!(text.parse(), Ok(sealed()));
        assert_eq!(serde_json::to_value(sealed()).unwrap(), serde_json::json!(text));
        assert_eq!(serde_json::from_value::<Sealed>(serde_json::json!(text)).unwrap(), sealed());
    }

    #[test]
    fn nothing_personal_is_printed() {
        let personal = Personal::new("Ana".to_owned());
        assert_eq!(format!("{personal} {personal:?} {:?}", Opened::Value(personal.clone())), "*** *** Value(***)");
        assert_eq!(format!("{:?}", sealed()), "Sealed(*** of 01010101-0101-0101-0101-010101010101)");
        assert_eq!("Ana Souza".parse::<Sealed>().unwrap_err().to_string().find("Ana"), None);
    }

    proptest! {
        /// One sealed value has one text: what is parsed is written as it was.
        #[test]
        fn a_text_is_refused_or_comes_back(text in "sealed\\.1\\.[0-9a-f-]{30,38}\\.[A-Za-z0-9_-]{30,34}\\.[A-Za-z0-9_.-]{0,80}") {
            if let Ok(sealed) = text.parse::<Sealed>() {
                prop_assert_eq!(sealed.to_string(), text);
            }
        }
    }
}
