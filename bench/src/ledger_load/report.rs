//! What a run prints: for people, or as one JSON object.

use super::{Measured, Options};
use crate::figures::{Sample, milliseconds, per_second, seconds};
use crate::machine::Machine;
use serde_json::{Value, json};

/// The figures of a run.
#[derive(Debug)]
pub struct Report {
    pub(super) options: Options,
    pub(super) machine: Machine,
    pub(super) measured: Measured,
}

impl Report {
    /// Transfers per second that the ledger accepted, and that durable blocks held.
    fn rates(&self) -> (u64, u64) {
        let (driven, watched) = (&self.measured.driven, &self.measured.watched);
        (per_second(driven.accepted, driven.elapsed), per_second(watched.included, watched.elapsed))
    }

    fn largest_block(&self) -> usize {
        self.measured.watched.blocks.iter().map(|(_, transactions)| *transactions).max().unwrap_or_default()
    }

    /// The command that makes such a figure.
    fn command(&self) -> String {
        let Options { transfers, holders, connections, batch, block_period, .. } = &self.options;
        format!(
            "bench ledger-load --transfers {transfers} --holders {holders} --connections {connections} --batch {batch} \
             --block-period {block_period}"
        )
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let Measured { driven, watched, transfer_gas, ledger_time, own_time, ledger_memory_mib } = &self.measured;
        let (accepted, included) = self.rates();
        let requests = Sample::new(driven.requests_us.clone());
        let inclusion = Sample::new(watched.inclusion_us.clone());
        let ms = |sample: &Sample, percent| milliseconds(sample.percentile_us(percent));
        format!(
            "command    {command}\n\
             token      RealDigital, {transfer_gas} gas for a transfer; every receipt checked, balances compared\n\
             accepted   {accepted} transfers/s: {all} in {sent_in} s, {refused} refused\n\
             included   {included} transfers/s end to end: {in_blocks} in {included_in} s, {blocks} blocks, largest {largest}\n\
             request    ms p50 {r50}, p95 {r95}, p99 {r99}, max {r100} ({count} requests)\n\
             inclusion  ms p50 {i50}, p95 {i95}, p99 {i99}, max {i100}\n\
             processor  ledger {ledger} s, generator {own} s; the ledger's memory at most {ledger_memory_mib} MiB\n\
             {machine}",
            command = self.command(),
            all = driven.accepted,
            sent_in = seconds(driven.elapsed),
            refused = driven.refused,
            in_blocks = watched.included,
            included_in = seconds(watched.elapsed),
            blocks = watched.blocks.len(),
            largest = self.largest_block(),
            r50 = ms(&requests, 50),
            r95 = ms(&requests, 95),
            r99 = ms(&requests, 99),
            r100 = ms(&requests, 100),
            count = requests.len(),
            i50 = ms(&inclusion, 50),
            i95 = ms(&inclusion, 95),
            i99 = ms(&inclusion, 99),
            i100 = ms(&inclusion, 100),
            ledger = seconds(*ledger_time),
            own = seconds(*own_time),
            machine = self.machine.text(),
        )
    }

    /// For machines: rates per second, times in microseconds where the name says so.
    #[must_use]
    pub fn json(&self) -> Value {
        let measured = &self.measured;
        let (accepted, included) = self.rates();
        let percentiles = |sample: &Sample| {
            let [p50, p95, p99, max] = [50, 95, 99, 100].map(|percent| sample.percentile_us(percent));
            json!({ "p50": p50, "p95": p95, "p99": p99, "max": max })
        };
        json!({
            "command": self.command(),
            "transfer_gas": measured.transfer_gas,
            "accepted": measured.driven.accepted,
            "refused": measured.driven.refused,
            "accepted_per_second": accepted,
            "included": measured.watched.included,
            "included_per_second": included,
            "included_in_ms": u64::try_from(measured.watched.elapsed.as_millis()).unwrap_or(u64::MAX),
            "blocks": measured.watched.blocks.len(),
            "largest_block": self.largest_block(),
            "request_us": percentiles(&Sample::new(measured.driven.requests_us.clone())),
            "inclusion_us": percentiles(&Sample::new(measured.watched.inclusion_us.clone())),
            "ledger_processor_ms": u64::try_from(measured.ledger_time.as_millis()).unwrap_or(u64::MAX),
            "generator_processor_ms": u64::try_from(measured.own_time.as_millis()).unwrap_or(u64::MAX),
            "ledger_memory_mib": measured.ledger_memory_mib,
            "machine": self.machine.json(),
        })
    }
}
