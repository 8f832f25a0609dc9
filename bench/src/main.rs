//! Load generators: programs that put a part of Lastro under load and print what came of it, with the command, the
//! machine and the versions, so that a figure can be made again.
//!
//! A generator must not know the insides of what it measures: it starts the built product as a process of its own and
//! talks to it as any client would, on loopback alone. Everything is bounded: transactions, connections, time.
//!
//! * `bench ledger-load`: ERC-20 transfers against `lastro ledger run`.

mod figures;
mod ledger_load;
mod machine;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// Load generators of Lastro.
#[derive(Debug, Parser)]
#[command(name = "bench", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// ERC-20 transfers against an embedded ledger that this program starts
    LedgerLoad(ledger_load::Options),
}

fn main() -> ExitCode {
    let Cli { command: Command::LedgerLoad(options) } = Cli::parse();
    let outcome = ledger_load::run(&options).and_then(|report| {
        let text = if options.json { report.json().to_string() } else { report.text() };
        Ok(writeln!(std::io::stdout().lock(), "{}", text.trim_end())?)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing more can be done if the terminal is gone.
            let _ = writeln!(std::io::stderr().lock(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
