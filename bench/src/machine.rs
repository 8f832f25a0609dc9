//! Where a figure was made: processor, memory, file system, versions.

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Linux counts the processor time of processes in hundredths of a second, on every architecture (proc(5), USER_HZ).
const TICKS_PER_SECOND: u64 = 100;
const UNKNOWN: &str = "unknown";

/// The machine and the versions.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    cores: usize,
    processor: String,
    memory_mib: u64,
    file_system: String,
    load_average: String,
    commit: String,
    rustc: String,
    lastro: String,
}

impl Machine {
    /// Looks around, before the load; `data` is where the ledger writes, `lastro` the binary under load.
    pub(crate) fn look(data: &Path, lastro: &Path) -> Self {
        let is_changed = !output(Command::new("git").args(["status", "--porcelain"])).is_empty();
        let commit = first_line(Command::new("git").args(["rev-parse", "--short", "HEAD"]));
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| UNKNOWN.to_owned()),
            memory_mib: kibibytes("/proc/meminfo", "MemTotal") / 1_024,
            file_system: file_system(data),
            load_average: load_average(),
            commit: if is_changed { format!("{commit} with changes") } else { commit },
            rustc: first_line(Command::new("rustc").arg("--version")),
            lastro: first_line(Command::new(lastro).arg("--version")),
        }
    }

    pub(crate) fn text(&self) -> String {
        let Self { cores, processor, memory_mib, file_system, load_average, commit, rustc, lastro } = self;
        format!(
            "machine    {cores} cores of {processor}, {memory_mib} MiB of memory, data on {file_system}, load average {load_average} before\n\
             versions   {lastro}, commit {commit}, {rustc}\n"
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "cores": self.cores,
            "processor": self.processor,
            "memory_mib": self.memory_mib,
            "file_system": self.file_system,
            "load_average_before": self.load_average,
            "commit": self.commit,
            "rustc": self.rustc,
            "lastro": self.lastro,
        })
    }
}

/// Processor time, of user and system together, that a process has used; `self` is this one.
pub(crate) fn processor_time(process: &str) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name of the program stands in parentheses and may hold anything; utime and stime are fields 14 and 15.
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

/// Most memory, in MiB, that a process has had at once.
pub(crate) fn peak_memory_mib(process: &str) -> u64 {
    kibibytes(&format!("/proc/{process}/status"), "VmHWM") / 1_024
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kibibytes(file: &str, name: &str) -> u64 {
    let value = field(file, name).unwrap_or_default();
    value.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Processes that wanted a processor in the last minute, on average: what else the machine was doing.
fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|average| !average.is_empty()).unwrap_or(UNKNOWN).to_owned()
}

/// Type of the file system that holds `path`: of the mount whose path is the longest that fits.
fn file_system(path: &Path) -> String {
    let Ok(path) = path.canonicalize() else { return UNKNOWN.to_owned() };
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let fitting = mounts.filter(|(mount, _)| path.starts_with(mount));
    fitting.max_by_key(|(mount, _)| mount.len()).map_or(UNKNOWN, |(_, kind)| kind).to_owned()
}

fn first_line(command: &mut Command) -> String {
    let text = output(command);
    text.lines().next().unwrap_or(UNKNOWN).to_owned()
}

fn output(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
