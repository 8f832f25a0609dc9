//! Tests of the crate from outside: files, servers, and other people's programs.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod audit_export;
mod audit_store;
mod bad_input;
mod bus_nats;
mod crash;
mod decide;
mod personal;
mod portable;
mod reading;
