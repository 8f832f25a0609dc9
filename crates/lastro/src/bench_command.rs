//! `lastro bench …`: the load generators, for whoever wants the figures of their own machine.

use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use bench::Benchmark;

/// Runs a benchmark and prints what it found.
pub(crate) fn run(benchmark: &Benchmark, printer: &Printer) -> Result<(), Failure> {
    let result = bench::run(benchmark, &["bench"], &|what| printer.progress(what));
    printer.progress_end();
    let figures = result.map_err(|error| Failure::new(FailureKind::Environment, error))?;
    printer.line(figures.text.trim_end());
    printer.json(&figures.json);
    Ok(())
}
