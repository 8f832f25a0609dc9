//! What two requests with one idempotency key are compared by: operation, path and the parsed command, not its spelling.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::chain::Hash;

/// SHA-256 over operation, path and command.
///
/// The command is written with sorted keys and no spaces. Its numbers are integers, since a command with others is refused
/// before (see [`crate::payload`]); so one value has one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(Hash);

impl Fingerprint {
    /// Of a request: `operation` as the API names it, `path` with its parameters filled in, `command` as parsed.
    #[must_use]
    pub fn of(operation: &str, path: &str, command: &Value) -> Self {
        let mut text = String::new();
        write_canonical(command, &mut text);
        let mut hasher = Sha256::new();
        for part in [operation, path, &text] {
            // The length in front keeps `ab` + `c` apart from `a` + `bc`.
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(Hash::new(hasher.finalize().into()))
    }

    /// The one with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Hash::new(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                // Writing to a string does not fail.
                let _ = write!(text, "{}:", Value::from(key.as_str()));
                write_canonical(item, text);
            }
            text.push('}');
        }
        plain => {
            let _ = write!(text, "{plain}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_spelling_of_the_json_does_not_count_and_everything_else_does() {
        let parse = |text: &str| Fingerprint::of("issue", "/v1/assets", &serde_json::from_str(text).unwrap());
        let first = parse(r#"{"a": 1, "b": ["x", {"c": null, "d": "\u0041"}]}"#);
        assert_eq!(first, parse(r#"{"b":["x",{"d":"A","c":null}],"a":1}"#));
        assert_ne!(first, parse(r#"{"b":["x",{"d":"A","c":null}],"a":2}"#));
        let body = json!({});
        assert_ne!(Fingerprint::of("ab", "c", &body), Fingerprint::of("a", "bc", &body));
    }
}
