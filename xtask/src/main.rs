//! The project's own checks, run as `cargo xtask <command>`.
//!
//! `tidy` holds what no compiler holds: the walls between crates, licences and sources of what is depended on, and the
//! bans of the style. `artifacts` shows that the committed contract artifacts are those of the committed contracts.
//!
//! It must not know what the product does: it reads manifests, the lock file and sources, never runs the product, and
//! depends on none of its crates. Each rule is tested in its own file with a sample that it catches and one that it passes.

mod artifacts;
mod finding;
mod printer;
mod rust_source;
mod tidy;
mod tree;
mod walls;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::printer::Printer;
use crate::tree::Tree;

/// The command line; its help texts are the documentation of the commands.
#[derive(Parser)]
#[command(name = "cargo xtask", about = "Checks of the house: walls, licences, sources, style, artifacts")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks walls, licences, sources, dependencies and style; lists every finding, then exits with 1 if there is one
    Tidy,
    /// Rebuilds the contracts with the pinned compiler and compares the committed artifacts byte by byte
    Artifacts,
}

fn main() -> ExitCode {
    let printer = Printer;
    match run(&Arguments::parse().command, &printer) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            printer.failure(&error);
            ExitCode::from(3)
        }
    }
}

/// Runs one command; `Ok(false)` means that it ran and found something.
fn run(command: &Command, printer: &Printer) -> Result<bool> {
    let root = workspace::root();
    match command {
        Command::Tidy => {
            let report = tidy::run(&Tree::read(&root)?, &workspace::load(&root)?)?;
            printer.findings(&report);
            Ok(report.findings.is_empty())
        }
        Command::Artifacts => artifacts::check(&root, printer),
    }
}
