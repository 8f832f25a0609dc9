//! The `lastro` binary: command line, and wiring of the parts into one process.
//!
//! What it must not know: how any part works inside. It reads arguments, opens parts, hands them to each other, and says
//! what came of it. Only [`printer`] prints and only `main` exits.

mod backup_command;
mod bench_command;
mod bond_command;
mod chain_command;
mod cli;
mod demo;
mod dispatch;
mod doctor_command;
mod drex_command;
mod drex_suite;
mod failure;
mod in_process;
mod interruption;
mod journal_command;
mod keys_command;
mod lane_command;
mod lane_store;
mod ledger_command;
mod network_arguments;
mod own_ledger;
mod printer;
mod table;
mod tx_command;

use clap::Parser;
use cli::{Cli, Command};
use failure::Failure;
use printer::Printer;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(&cli.output);
    start_logging(&cli);
    match run(cli.command, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            printer.failure(&failure);
            failure.kind.exit_code()
        }
    }
}

fn run(command: Command, printer: &Printer) -> Result<(), Failure> {
    match command {
        Command::Demo(arguments) => demo::run(&arguments, printer),
        Command::Drex(command) => drex_command::run(command, printer),
        Command::Doctor(arguments) => doctor_command::run(&arguments, printer),
        Command::Chain(command) => chain_command::run(command, printer),
        Command::Tx(command) => tx_command::run(&command, printer),
        Command::Lane(command) => lane_command::run(&command, printer),
        Command::Ledger(command) => ledger_command::run(command, printer),
        Command::Journal(command) => journal_command::run(command, printer),
        Command::Keys(command) => keys_command::run(&command, printer),
        Command::Backup(command) => backup_command::run(&command, printer),
        Command::Restore(command) => backup_command::restore(&command, printer),
        Command::Bond(command) => bond_command::run(&command, printer),
        Command::Bench(benchmark) => bench_command::run(&benchmark, printer),
    }
}

/// Logs go to standard error: warnings by default, more with `--verbose`, all by `LASTRO_LOG` (as `tracing` reads it).
fn start_logging(cli: &Cli) {
    let default = if cli.output.verbose { "info,lastro=debug,ledger=debug,chain=debug" } else { "warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_env("LASTRO_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
