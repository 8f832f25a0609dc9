//! The built binary as its users meet it: real processes, real ports, real directories, and SIGKILL.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod bad_input;
mod chain_over_http;
mod cli;
mod damaged_log;
mod demo;
mod demo_chaos;
mod demo_killed;
mod doctor;
mod drex_deploy;
mod drex_sandbox;
mod follow_over_http;
mod journal_carried;
mod journal_verify;
mod keys;
mod ledger_crash;
mod ledger_fixture;
mod link_schedules;
mod new_heads;
mod prices;
mod program;
mod requests;
mod seeded;
mod tx_lane;
