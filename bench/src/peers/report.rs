//! What came of it, as tables for people and one object for machines.

use super::tally::Tally;
use super::{BLOCK_PERIOD_TEXT, Options, Played};
use crate::figures::{per_second, seconds};
use crate::machine::Machine;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What a run found.
#[derive(Debug)]
pub struct Report {
    pub(super) options: Options,
    pub(super) machine: Machine,
    pub(super) clear: Vec<Played>,
    pub(super) faulty: Vec<Played>,
}

impl Report {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let Options { intents, at_once, faulty_intents, seed, per_mille, seconds_max, .. } = &self.options;
        let mut text = format!(
            "command    bench peers --intents {intents} --at-once {at_once} --faulty-intents {faulty_intents} --seed {seed} \
             --per-mille {per_mille} --seconds-max {seconds_max}\n\
             clear      {intents} intents of one sender, {at_once} at once, until the client knows their end (blocks of {BLOCK_PERIOD_TEXT})\n"
        );
        line(&mut text, &["client", "a second", "seconds"]);
        for played in &self.clear {
            let rate = per_second(u64::from(*intents), played.run.elapsed).to_string();
            line(&mut text, &[&played.run.client, &rate, &seconds(played.run.elapsed)]);
        }
        if !self.faulty.is_empty() {
            let _ = writeln!(
                text,
                "faults     {faulty_intents} intents, {at_once} at once; of 1,000 requests {per_mille} meet a fault (seed {seed}), and the ledger is \
                 killed once"
            );
            line(
                &mut text,
                &[
                    "client", "nonces", "one", "none", "two+", "lie:fail", "lie:done", "silent", "seconds", "requests",
                    "faults", "lost",
                ],
            );
            for played in &self.faulty {
                line(&mut text, &row(played).each_ref().map(String::as_str));
            }
            text.push_str(
                "           one, none, two+: intents with so many effects; lie:fail: the client says that it failed, and it is done; lie:done: the\n           \
                 other way round; silent: it says nothing until it is ended; lost: transactions in the ledger's pool when it was killed\n",
            );
            for played in &self.faulty {
                if let Some(why) = &played.run.broken_off {
                    let _ = writeln!(text, "broken off {}, {}: {why}", played.run.client, played.client.nonces());
                }
            }
        }
        text + &self.machine.text()
    }

    /// For machines.
    #[must_use]
    pub fn json(&self) -> Value {
        let Options { intents, at_once, faulty_intents, seed, per_mille, seconds_max, .. } = &self.options;
        let clear = self.clear.iter().map(|played| {
            json!({
                "client": played.run.client,
                "per_second": per_second(u64::from(*intents), played.run.elapsed),
                "elapsed_ms": milliseconds(played),
            })
        });
        json!({
            "benchmark": "peers",
            "intents": intents,
            "at_once": at_once,
            "clear": clear.collect::<Vec<_>>(),
            "faulty_intents": faulty_intents,
            "seed": seed,
            "per_mille": per_mille,
            "seconds_max": seconds_max,
            "faulty": self.faulty.iter().map(faulty).collect::<Vec<_>>(),
            "block_period": BLOCK_PERIOD_TEXT,
            "machine": self.machine.json(),
        })
    }
}

/// Cells below each other: the first is wide, and the rest are numbers.
fn line(text: &mut String, cells: &[&str]) {
    let mut row = String::new();
    for (place, cell) in cells.iter().enumerate() {
        let _ = if place == 0 { write!(row, "           {cell:<14}") } else { write!(row, " {cell:>8}") };
    }
    text.push_str(&row);
    text.push('\n');
}

fn row(played: &Played) -> [String; 12] {
    let Tally { one_effect, no_effect, several_effects, told_failed_but_done, told_done_but_not, told_nothing } =
        played.tally;
    let counts = [one_effect, no_effect, several_effects, told_failed_but_done, told_done_but_not, told_nothing];
    let [one, none, several, failed, done, silent] = counts.map(|count| count.to_string());
    let (client, nonces) = (played.run.client.clone(), played.client.nonces().to_owned());
    let (time, lost) =
        (seconds(played.run.elapsed), played.lost_from_pool.map_or("-".to_owned(), |lost| lost.to_string()));
    let (requests, faults) = (played.requests.to_string(), played.faults.to_string());
    [client, nonces, one, none, several, failed, done, silent, time, requests, faults, lost]
}

fn faulty(played: &Played) -> Value {
    let tally = played.tally;
    json!({
        "client": played.run.client,
        "nonces": played.client.nonces(),
        "one_effect": tally.one_effect,
        "no_effect": tally.no_effect,
        "several_effects": tally.several_effects,
        "told_failed_but_done": tally.told_failed_but_done,
        "told_done_but_not": tally.told_done_but_not,
        "told_nothing": tally.told_nothing,
        "is_perfect": tally.is_perfect(),
        "elapsed_ms": milliseconds(played),
        "requests": played.requests,
        "faults": played.faults,
        "lost_from_pool": played.lost_from_pool,
        "broken_off": played.run.broken_off,
    })
}

fn milliseconds(played: &Played) -> u64 {
    u64::try_from(played.run.elapsed.as_millis()).unwrap_or(u64::MAX)
}
