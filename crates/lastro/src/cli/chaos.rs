//! Arguments of `lastro demo --chaos`, and of the processes that it starts.

use clap::{Args, ValueEnum};

/// Most kills of one run, which takes a minute or two then.
const KILLS_MAX: i64 = 100;

/// How the demonstration is played in several processes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Chaos {
    /// Play it in two processes, with a link between them that loses, delays, doubles and falsifies, and kill them again and
    /// again, by this seed; in the end everything must be as without
    #[arg(long = "chaos", value_name = "SEED", conflicts_with = "keep")]
    pub(crate) seed: Option<u64>,
    /// How often `--chaos` kills the platform, the ledger, or both (at most 100)
    #[arg(long, value_name = "N", default_value_t = 6, requires = "seed", value_parser = clap::value_parser!(u32).range(..=KILLS_MAX))]
    pub(crate) kills: u32,
    /// Which of the two processes this is; it ends when its standard input does
    #[arg(long, value_enum, hide = true, conflicts_with = "seed", requires = "data_dir")]
    pub(crate) part: Option<Part>,
    /// Where the platform's process finds the ledger
    #[arg(long, value_name = "URL", hide = true, requires = "part", required_if_eq("part", "platform"))]
    pub(crate) rpc: Option<String>,
}

impl Chaos {
    /// None.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self { seed: None, kills: 0, part: None, rpc: None };
}

/// One of the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The ledger, with its sockets.
    Ledger,
    /// The platform, which sends to it.
    Platform,
}
