//! Tests of the crate from outside: keys in a real token, of SoftHSM.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod faults;
mod keys;
mod softhsm;
