//! Which network the keys are used on, as far as custody must know it.

use std::fmt;

/// The profile whose ledger is the one that the binary carries. Test keys work on this one alone.
const EMBEDDED: &str = "embedded";

/// The longest name of a profile, in characters.
const PROFILE_NAME_CHARACTERS_MAX: usize = 32;

/// Chain ids on which a test key is refused even if the profile calls itself embedded: public networks, where anybody could
/// spend what a published key holds. 1, 10, 56, 100, 137, 8453, 42161 and 11155111 are the public Ethereum networks in wide
/// use; 12120014 and 648629 are RBB's (production and laboratory); 381660001 is the Drex pilot's, with the one exception of
/// [`sandbox`](crate::sandbox).
const PUBLIC_CHAIN_IDS: &[u64] = &[1, 10, 56, 100, 137, 8453, 42_161, 648_629, 11_155_111, 12_120_014, 381_660_001];

/// The name of a network profile, such as `embedded` or `besu-private`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProfileName(String);

/// The text is no name of a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profile name `{text}` is not 1 to {max} characters of a-z, 0-9 and -", max = PROFILE_NAME_CHARACTERS_MAX)]
pub struct ProfileNameError {
    text: String,
}

impl ProfileName {
    /// The profile of the ledger that the binary carries.
    pub fn embedded() -> Self {
        Self::of_literal(EMBEDDED)
    }

    /// Reads a name: 1 to 32 characters of `a-z`, `0-9` and `-`.
    ///
    /// # Errors
    ///
    /// The text is something else.
    pub fn parse(text: &str) -> Result<Self, ProfileNameError> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.len() > PROFILE_NAME_CHARACTERS_MAX || !text.chars().all(is_plain) {
            return Err(ProfileNameError { text: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }

    /// A name that stands in this crate's code.
    pub(crate) fn of_literal(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// Whether this is the profile of the ledger that the binary carries.
    pub fn is_embedded(&self) -> bool {
        self.0 == EMBEDDED
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The network that the keys are used on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its profile.
    pub profile: ProfileName,
    /// Its chain id (EIP-155). Nothing is signed for another.
    pub chain_id: u64,
}

impl Network {
    /// Whether keys that anybody can derive may be used here.
    pub(crate) fn allows_test_keys(&self) -> bool {
        self.profile.is_embedded() && !PUBLIC_CHAIN_IDS.contains(&self.chain_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_chain_id_is_no_place_for_test_keys_whatever_the_profile_says() {
        for &chain_id in PUBLIC_CHAIN_IDS {
            assert!(!Network { profile: ProfileName::embedded(), chain_id }.allows_test_keys());
        }
        assert!(Network { profile: ProfileName::embedded(), chain_id: 1337 }.allows_test_keys());
        assert!(!Network { profile: ProfileName::parse("besu-private").unwrap(), chain_id: 1337 }.allows_test_keys());
    }

    #[test]
    fn a_profile_name_is_plain() {
        for bad in ["", "Embedded", "a b", "a_b", &"a".repeat(33)] {
            assert!(ProfileName::parse(bad).is_err(), "{bad}");
        }
    }
}
