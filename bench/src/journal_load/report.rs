//! What a run prints.

use super::{Line, Measured, Options};
use crate::figures::milliseconds;
use crate::machine::Machine;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The figures of a run with the machine that made them.
#[derive(Clone, Debug)]
pub struct Report {
    pub(crate) options: Options,
    pub(crate) machine: Machine,
    pub(crate) measured: Measured,
}

impl Report {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.machine.text();
        for store in &self.measured.stores {
            let _ = write!(
                text,
                "\n{}\n{:<52}{:>10}{:>12}{:>12}   promised\n",
                store.name, "", "per second", "p50 in ms", "p99 in ms"
            );
            if let Some(remark) = store.remark {
                let _ = writeln!(text, "({remark})");
            }
            for line in &store.lines {
                let _ = writeln!(text, "{}", row(line));
            }
        }
        text
    }

    /// For machines.
    #[must_use]
    pub fn json(&self) -> Value {
        let stores = self.measured.stores.iter().map(|store| {
            let lines: Vec<Value> = store.lines.iter().map(line_json).collect();
            json!({ "store": store.name, "remark": store.remark, "figures": lines })
        });
        json!({
            "benchmark": "journal",
            "seconds": self.options.seconds,
            "machine": self.machine.json(),
            "stores": stores.collect::<Vec<Value>>(),
        })
    }
}

fn row(line: &Line) -> String {
    let sample = &line.figure.latencies;
    let percentile =
        |percent| if sample.len() == 0 { "-".to_owned() } else { milliseconds(sample.percentile_us(percent)) };
    let mut promised = Vec::new();
    if let Some(goal) = line.goal_per_second {
        promised.push(format!("{goal}/s {}", mark(line.figure.per_second() >= goal)));
    }
    if let Some(goal) = line.goal_p99_ms {
        promised.push(format!("p99 {goal} ms {}", mark(sample.percentile_us(99) <= goal * 1_000)));
    }
    let rate = line.figure.per_second();
    format!("{:<52}{rate:>10}{:>12}{:>12}   {}", line.what, percentile(50), percentile(99), promised.join(", "))
}

const fn mark(is_kept: bool) -> &'static str {
    if is_kept { "kept" } else { "missed" }
}

fn line_json(line: &Line) -> Value {
    json!({
        "what": line.what,
        "per_second": line.figure.per_second(),
        "p50_us": line.figure.latencies.percentile_us(50),
        "p99_us": line.figure.latencies.percentile_us(99),
        "samples": line.figure.latencies.len(),
        "promised_per_second": line.goal_per_second,
        "promised_p99_ms": line.goal_p99_ms,
    })
}
