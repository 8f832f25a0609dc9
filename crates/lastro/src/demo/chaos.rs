//! `lastro demo --chaos SEED`: the same demonstration in two processes with a bad link between them, killed again and again.
//!
//! ```text
//!  this process ──starts, kills──► platform ──JSON-RPC──► fault proxy ──► ledger ◄──starts, kills── this process
//!                                  chain.db, journal.db   (in this one)   ledger/
//! ```
//!
//! In the end the books must be those of a run in which nothing went wrong, the ledger must have each transaction once, and the
//! journals must verify. The seed decides the weather on the link, and when who is killed; what is under way then, the machine
//! decides.

mod check;
mod children;
mod report;
mod texts;

use super::plan::Plan;
use crate::cli::{Demo, Language};
use crate::failure::{Failure, FailureKind};
use crate::ledger_command::run::StopSignals;
use crate::own_ledger::{fresh_directory, make_directory, program};
use crate::printer::Printer;
use check::{books_of, check};
use children::{Children, PlatformEnd};
use fastrand::Rng;
use fault_proxy::{FaultProxy, Survived, Weather};
use report::show;
use std::path::{Path, PathBuf};
use std::time::Duration;
use texts::Text;
use tokio::time::{Instant, sleep, sleep_until};

/// Of a thousand requests so many meet a fault: far more than on any network that is still used.
const FAULTS_PER_MILLE: u16 = 150;
/// From one kill to the next: from before a process has come to its work until it has done a tenth of it or so. Without kills
/// all of it takes some four seconds.
const KILL_PAUSE_MS: std::ops::Range<u64> = 100..1_000;
/// How often the platform may end of itself beyond the number of kills, because nobody answers it, and be started again.
const GIVE_UPS_MAX: u32 = 20;
/// How long all of it may take, beside [`KILL_TIME_MAX`] for each kill: a hundred times what it takes on a machine that has time.
const TIME_MAX: Duration = Duration::from_secs(300);
/// How long one kill may hold it up: the pause before it, two starts, and what is silent then until it is sent again.
const KILL_TIME_MAX: Duration = Duration::from_secs(15);
/// How often the line of progress is renewed.
const PROGRESS_PAUSE: Duration = Duration::from_millis(200);

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Platform,
    Ledger,
    Both,
}

impl Victim {
    /// The platform has more to lose, so it is killed more often.
    fn drawn(random: &mut Rng) -> Self {
        match random.u8(0..10) {
            0..5 => Self::Platform,
            5..8 => Self::Ledger,
            _ => Self::Both,
        }
    }

    fn is_platform(self) -> bool {
        matches!(self, Self::Platform | Self::Both)
    }

    fn is_ledger(self) -> bool {
        matches!(self, Self::Ledger | Self::Both)
    }
}

/// What happened on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    platform_kills: u32,
    ledger_kills: u32,
    both_kills: u32,
    /// How often the platform ended of itself and was started again.
    give_ups: u32,
}

impl Tally {
    fn kills(&self) -> u32 {
        self.platform_kills + self.ledger_kills + self.both_kills
    }

    fn count(&mut self, victim: Victim) {
        *match victim {
            Victim::Platform => &mut self.platform_kills,
            Victim::Ledger => &mut self.ledger_kills,
            Victim::Both => &mut self.both_kills,
        } += 1;
    }
}

/// How the run ended.
struct Outcome<'a> {
    seed: u64,
    tally: Tally,
    survived: Survived,
    took: Duration,
    directory: &'a Path,
    /// The platform's report.
    report: serde_json::Value,
}

/// Plays the demonstration under chaos.
///
/// # Errors
/// [`Failure`] if it does not come to its end, or ends otherwise than it must.
pub(super) async fn run(arguments: &Demo, seed: u64, plan: &Plan, printer: &Printer) -> Result<(), Failure> {
    let directory = arguments.data_dir.clone().unwrap_or_else(|| fresh_directory("chaos"));
    make_directory(&directory)?;
    let expected = books_of(plan).map_err(|error| Failure::new(FailureKind::Refused, error))?;
    let proxy = FaultProxy::start(seed, Weather::with_everything(FAULTS_PER_MILLE)).await;
    let proxy = proxy.map_err(|error| Failure::new(FailureKind::Environment, error))?;
    let mut signals = StopSignals::take()?;
    let mut storm = Storm {
        seed,
        random: Rng::with_seed(seed),
        kills: arguments.chaos.kills,
        tally: Tally::default(),
        children: Children::new(arguments, directory.clone(), proxy.url()),
        proxy,
        language: arguments.lang,
        began: Instant::now(),
    };
    let played = tokio::select! {
        played = storm.play(printer) => played,
        () = signals.received() => Err(stopped(arguments, &directory)),
    };
    printer.progress_end();
    let (tally, survived, took) = (storm.tally, storm.proxy.survived(), storm.began.elapsed());
    storm.children.stop().await?;
    storm.proxy.stop().await;
    let report = played.map_err(|failure| with_logs(failure, &directory))?;
    let outcome = Outcome { seed, tally, survived, took, directory: &directory, report };
    let checked = check(&outcome, plan, &expected, arguments.lang).await?;
    show(&outcome, &checked, arguments, printer);
    match checked.failure(arguments.lang) {
        None => Ok(()),
        Some(failure) => Err(with_logs(failure, &directory)),
    }
}

fn stopped(arguments: &Demo, directory: &Path) -> Failure {
    let error = anyhow::anyhow!("the demonstration was stopped before its end");
    let hint = format!("go on with `{}`: nothing is sent twice", again(arguments, directory));
    Failure::new(FailureKind::Unknown, error).with_hint(hint)
}

/// The command that goes on in the directory, without chaos.
fn again(arguments: &Demo, directory: &Path) -> String {
    let list = arguments.bonds.as_ref().map_or_else(String::new, |list| format!(" --bonds {}", list.display()));
    format!("{} demo --data-dir {}{list}", program(), directory.display())
}

/// Where somebody may look who wants to know more, if nothing better is known.
fn with_logs(failure: Failure, directory: &Path) -> Failure {
    if failure.hint.is_some() {
        return failure;
    }
    let [platform, ledger] = children::LOG_FILES.map(|file| PathBuf::from(directory).join(file));
    failure.with_hint(format!("what the two processes said is in `{}` and `{}`", platform.display(), ledger.display()))
}

/// The run.
struct Storm {
    seed: u64,
    random: Rng,
    kills: u32,
    tally: Tally,
    children: Children,
    proxy: FaultProxy,
    language: Language,
    began: Instant,
}

impl Storm {
    /// Starts, kills and starts again until the platform has played everything and was killed as often as it was to be; gives
    /// its last report.
    async fn play(&mut self, printer: &Printer) -> Result<serde_json::Value, Failure> {
        self.proxy.lead_to(self.children.start_ledger().await?);
        self.children.start_platform()?;
        let time_max = TIME_MAX + KILL_TIME_MAX * self.kills;
        let mut next_kill = self.next_kill();
        loop {
            self.show_progress(printer);
            tokio::select! {
                end = self.children.ended() => match end? {
                    PlatformEnd::Played(report) if !self.has_kills_left() => return Ok(report),
                    // All is played: whoever plays it again must send nothing, killed or not.
                    PlatformEnd::Played(_) => self.children.start_platform()?,
                    PlatformEnd::GaveUp(why) => {
                        self.tally.give_ups += 1;
                        if self.tally.give_ups > GIVE_UPS_MAX + self.kills {
                            return Err(why);
                        }
                        self.children.start_platform()?;
                    }
                },
                () = sleep_until(next_kill), if self.has_kills_left() => {
                    self.kill().await?;
                    next_kill = self.next_kill();
                }
                () = sleep_until(self.began + time_max) => {
                    let error = anyhow::anyhow!("seed {}: not at its end after {time_max:?}", self.seed);
                    return Err(Failure::new(FailureKind::Unknown, error));
                }
                () = sleep(PROGRESS_PAUSE) => {}
            }
        }
    }

    fn has_kills_left(&self) -> bool {
        self.tally.kills() < self.kills
    }

    fn next_kill(&mut self) -> Instant {
        Instant::now() + Duration::from_millis(self.random.u64(KILL_PAUSE_MS))
    }

    async fn kill(&mut self) -> Result<(), Failure> {
        let victim = Victim::drawn(&mut self.random);
        self.tally.count(victim);
        if victim.is_platform() {
            self.children.kill_platform().await?;
        }
        if victim.is_ledger() {
            self.children.kill_ledger().await?;
            self.proxy.lead_to(self.children.start_ledger().await?);
        }
        if victim.is_platform() {
            self.children.start_platform()?;
        }
        Ok(())
    }

    fn show_progress(&self, printer: &Printer) {
        let (kills, survived) = (self.tally.kills(), self.proxy.survived());
        let text = Text::Progress.in_language(self.language);
        let text = text.replace("{seed}", &self.seed.to_string()).replace("{kills}", &kills.to_string());
        let text = text.replace("{requests}", &survived.requests.to_string());
        printer.progress(&text.replace("{faults}", &survived.faults().to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_killed_and_the_platform_most_often() {
        let mut tally = Tally::default();
        let mut random = Rng::with_seed(1);
        (0..1_000).for_each(|_| tally.count(Victim::drawn(&mut random)));
        assert_eq!(tally.kills(), 1_000);
        let Tally { platform_kills, ledger_kills, both_kills, .. } = tally;
        assert!(platform_kills > ledger_kills && ledger_kills > both_kills && both_kills > 0, "{tally:?}");
    }
}
