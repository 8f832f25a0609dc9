//! Load generators: programs that put a part of Lastro under load and print what came of it, with the command, the
//! machine and the versions, so that a figure can be made again.
//!
//! A generator must not know the insides of what it measures: it talks to it as any client would, on loopback alone. Everything is
//! bounded: transactions, connections, time.
//!
//! * [`ledger_load`]: ERC-20 transfers against `lastro ledger run`, started as a process of its own.
//! * [`intents`]: intents through lanes, from their submission to their stored end, on such a ledger.
//! * [`peers`]: the same beside scripts that people write with ethers and viem, also under faults.
//! * [`follow`]: a follower that catches up with such a ledger.
//! * [`journal_load`]: commands and events against the journal's stores, with peers on the same database.
//!
//! `lastro bench` runs them too, so that whoever has the binary can measure their own machine.

mod figures;
pub mod follow;
mod ground;
pub mod intents;
pub mod journal_load;
pub mod ledger_load;
mod machine;
pub mod peers;

use anyhow::Result;

/// What can be measured.
#[derive(Debug, clap::Subcommand)]
pub enum Benchmark {
    /// ERC-20 transfers against an embedded ledger that this program starts
    LedgerLoad(ledger_load::Options),
    /// A follower that catches up with an embedded ledger that this program starts
    Follow(follow::Options),
    /// Intents through lanes to an embedded ledger that this program starts, until their ends are stored
    Chain(intents::Options),
    /// Lanes beside scripts with ethers and viem: throughput, and which intents survive faults
    Peers(peers::Options),
    /// Events and commands against the journal on SQLite and PostgreSQL
    Journal(journal_load::Options),
}

/// What a benchmark found.
#[derive(Debug, Clone)]
pub struct Figures {
    /// For people.
    pub text: String,
    /// For machines.
    pub json: serde_json::Value,
}

/// Runs a benchmark. `front` are the words of this program's command line in front of the benchmark's name, by which it starts
/// itself again where two processes are measured.
///
/// # Errors
/// If what is measured cannot be started or used.
pub fn run(benchmark: &Benchmark, front: &[&str], progress: &dyn Fn(&str)) -> Result<Figures> {
    match benchmark {
        Benchmark::LedgerLoad(options) => {
            let report = ledger_load::run(options)?;
            Ok(Figures { text: report.text(), json: report.json() })
        }
        Benchmark::Follow(options) => {
            let report = follow::run(options)?;
            Ok(Figures { text: report.text(), json: report.json() })
        }
        Benchmark::Chain(options) => intents::figures(options, front),
        Benchmark::Peers(options) => {
            let report = peers::run(options, progress)?;
            Ok(Figures { text: report.text(), json: report.json() })
        }
        Benchmark::Journal(options) => {
            if let Some(text) = journal_load::run_worker(options)? {
                return Ok(Figures { text, json: serde_json::Value::Null });
            }
            let report = journal_load::run(options, front, progress)?;
            Ok(Figures { text: report.text(), json: report.json() })
        }
    }
}
