//! The load generators as a program of their own: see the library.

use bench::Benchmark;
use clap::Parser;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Load generators of Lastro.
#[derive(Debug, Parser)]
#[command(name = "bench", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    benchmark: Benchmark,
    /// Print the figures as one JSON object
    #[arg(long, global = true)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let shows_progress = std::io::stderr().is_terminal();
    let progress = |what: &str| {
        if shows_progress {
            // A terminal that is gone needs no progress.
            let _ = writeln!(std::io::stderr().lock(), "{what}");
        }
    };
    let outcome = bench::run(&cli.benchmark, &[], &progress).and_then(|figures| {
        let text = if cli.json { figures.json.to_string() } else { figures.text };
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
