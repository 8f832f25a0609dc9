//! Who builds the blocks, and when: rotation, rounds, pace, age, clocks.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::Address;

use super::{Judge, list, seconds};
use crate::doctor::finding::{Check, Severity, Trap};
use crate::doctor::observation::{Nothing, SeenBlock, Unseen};
use crate::profile::network::KnownChain;

/// Fewer intervals between blocks say nothing of a period.
const INTERVALS_MIN: usize = 3;
/// A network stands still when its newest block is older than so many periods (QBFT doubles the time of each failed round: a
/// healthy network with one validator down needs up to two).
const STALL_PERIODS: u32 = 5;
/// And older than this, whatever its period: clocks differ by some seconds.
const STALL_MIN: Duration = Duration::from_secs(15);
/// The period that is assumed of a network of which too few blocks are known.
const PERIOD_ASSUMED: Duration = Duration::from_secs(15);
/// No profile may state a longer period of empty blocks: a network without blocks for so long stands still, whatever its period.
const EMPTY_PERIOD_MAX: Duration = Duration::from_secs(3_600);
/// Clocks that differ by less are well kept.
const SKEW_NOTED_SECONDS: u64 = 5;
/// With more, times in the platform's books are wrong.
const SKEW_MAX_SECONDS: u64 = 30;
/// The fewest validators with which one may fail (3f + 1 with f = 1).
const VALIDATORS_MIN: usize = 4;

/// The time between blocks, as they say it themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct PaceSeen {
    /// The profile's period.
    expected: Option<Duration>,
    /// The profile's period of blocks without transactions.
    expected_empty: Option<Duration>,
    /// Before each block without transactions, in seconds.
    before_empty: Vec<u64>,
    /// Before each block with some, in seconds.
    before_filled: Vec<u64>,
    /// The longest, in seconds, and the number of the block after it.
    longest: (u64, u64),
}

/// The middle one of several, the lower of two.
fn median(mut seconds: Vec<u64>) -> Option<Duration> {
    seconds.sort_unstable();
    let middle = seconds.len().checked_sub(1)? / 2;
    seconds.get(middle).map(|one| Duration::from_secs(*one))
}

impl PaceSeen {
    pub(super) fn of(blocks: &[SeenBlock], chain: Option<&KnownChain>) -> Self {
        let expected = chain.and_then(|chain| chain.block_period);
        let expected_empty = chain.and_then(|chain| chain.empty_block_period);
        let mut seen = Self { expected, expected_empty, ..Self::default() };
        for pair in blocks.windows(2).filter(|pair| pair[0].number > 0) {
            let interval = pair[1].timestamp_seconds.saturating_sub(pair[0].timestamp_seconds);
            if pair[1].transactions.is_empty() {
                seen.before_empty.push(interval);
            } else {
                seen.before_filled.push(interval);
            }
            if interval > seen.longest.0 {
                seen.longest = (interval, pair[1].number);
            }
        }
        seen
    }

    fn all(&self) -> Vec<u64> {
        [self.before_empty.as_slice(), &self.before_filled].concat()
    }

    /// Those that the period rules: all, or those before filled blocks where empty ones have a period of their own.
    fn ruled(&self) -> Vec<u64> {
        if self.are_empty_blocks_rarer() && !self.before_filled.is_empty() {
            return self.before_filled.clone();
        }
        self.all()
    }

    /// Whether empty blocks have a longer period: twice that of the others, or of the profile.
    pub(super) fn are_empty_blocks_rarer(&self) -> bool {
        let filled = (self.before_filled.len() >= INTERVALS_MIN).then(|| median(self.before_filled.clone())).flatten();
        let Some(empty) =
            (self.before_empty.len() >= INTERVALS_MIN).then(|| median(self.before_empty.clone())).flatten()
        else {
            return false;
        };
        let usual = filled.or(self.expected);
        usual.is_some_and(|usual| {
            empty >= usual.saturating_mul(2) && empty >= usual.saturating_add(Duration::from_secs(2))
        })
    }

    /// The period in which most blocks came.
    pub(super) fn typical(&self) -> Option<Duration> {
        let ruled = self.ruled();
        (self.all().len() >= INTERVALS_MIN).then(|| median(ruled)).flatten()
    }

    /// All the time divided by the number of blocks.
    pub(super) fn mean(&self) -> Option<Duration> {
        let ruled = self.ruled();
        let total = ruled.iter().fold(0_u64, |sum, one| sum.saturating_add(*one));
        let count = u32::try_from(ruled.len()).ok().filter(|count| *count > 0)?;
        Some(Duration::from_secs(total) / count)
    }

    /// Whether blocks come as the period says: mostly, or on the whole, to a tenth. Times are whole seconds, so for periods
    /// below one only the mean says something. A block with transactions ends the wait for an empty one: where that is longer by
    /// the profile, blocks may come anywhere between both.
    pub(super) fn keeps(&self, period: Duration) -> bool {
        let longest = self.expected_empty.unwrap_or(period).max(period);
        let is_near = |seen: Duration| {
            let seen = seen.saturating_mul(10);
            seen >= period.saturating_mul(9) && seen <= longest.saturating_mul(11)
        };
        self.typical().is_some_and(is_near) || self.mean().is_some_and(is_near)
    }

    /// After how long without a block a network stands still.
    fn stall_after(&self) -> Duration {
        let usual = self.expected.or_else(|| self.typical()).unwrap_or(PERIOD_ASSUMED);
        let empty = median(self.before_empty.clone()).max(self.expected_empty).unwrap_or_default();
        usual.max(empty).saturating_mul(STALL_PERIODS).max(STALL_MIN)
    }

    /// How bad it is to be without a block for so long. Where neither a block nor a profile shows the period of empty blocks, it
    /// may be a long one (`emptyblockperiodseconds`), and nobody have sent anything.
    fn stall_severity(&self, waited: Duration) -> Severity {
        let is_period_seen = self.expected_empty.is_some() || !self.before_empty.is_empty();
        if is_period_seen || waited > EMPTY_PERIOD_MAX { Severity::Fault } else { Severity::Warning }
    }

    /// Blocks that came so much later than most are late.
    fn late_after(&self, typical: Duration) -> Duration {
        let longest = self.expected_empty.unwrap_or_default();
        typical.saturating_mul(2).max(longest.saturating_mul(11) / 10)
    }
}

impl Judge<'_> {
    pub(super) fn judge_blocks(&mut self) {
        self.judge_validators();
        let blocks = match self.blocks() {
            Ok(blocks) => blocks,
            Err(unseen) => {
                let of_blocks = [
                    Check::Production,
                    Check::Rounds,
                    Check::Continuity,
                    Check::Head,
                    Check::Interval,
                    Check::EmptyBlocks,
                    Check::Clock,
                ];
                of_blocks.into_iter().for_each(|check| self.unseen(check, unseen.clone()));
                return self.judge_watch();
            }
        };
        self.judge_production(blocks);
        self.judge_rounds(blocks);
        self.judge_continuity(blocks);
        self.judge_head(blocks);
        self.judge_interval();
        self.judge_empty_blocks();
        self.judge_clock(blocks);
        self.judge_watch();
    }

    fn judge_validators(&mut self) {
        match self.validators() {
            Err(unseen) => self.unseen(Check::Validators, unseen),
            Ok(validators) => {
                let facts = vec![("validators", validators.len().to_string())];
                if validators.len() < VALIDATORS_MIN {
                    self.trap(Check::Validators, Trap::FewValidators, Severity::Notice, facts);
                } else {
                    self.fine(Check::Validators, facts);
                }
            }
        }
    }

    fn judge_production(&mut self, blocks: &[SeenBlock]) {
        let validators = match self.validators() {
            Ok(validators) => validators,
            Err(unseen) => return self.unseen(Check::Production, unseen),
        };
        if let Some(foreign) = blocks.iter().find(|block| is_foreign(block)) {
            let facts = vec![("block", foreign.number.to_string()), ("proposer", foreign.proposer.to_string())];
            return self.trap(Check::Production, Trap::ForeignProposer, Severity::Fault, facts);
        }
        if validators.len() == 1 {
            return self.unseen(Check::Production, Unseen::Nothing(Nothing::OneValidator));
        }
        if validators.is_empty() || blocks.len() < validators.len() * 2 {
            return self.unseen(Check::Production, self.few_blocks());
        }
        let mut built: BTreeMap<Address, usize> = validators.iter().map(|one| (*one, 0)).collect();
        for block in blocks {
            if let Some(count) = built.get_mut(&block.proposer) {
                *count += 1;
            }
        }
        let silent: Vec<Address> = built.iter().filter(|(_, count)| **count == 0).map(|(one, _)| *one).collect();
        let facts = vec![("validators", built.len().to_string()), ("blocks", blocks.len().to_string())];
        if silent.is_empty() {
            let least = built.values().min().copied().unwrap_or_default();
            let most = built.values().max().copied().unwrap_or_default();
            let shown = if least == most { least.to_string() } else { format!("{least}–{most}") };
            let built = vec![("least", least.to_string()), ("most", most.to_string()), ("built", shown)];
            let facts = [facts, built].concat();
            return self.fine(Check::Production, facts);
        }
        // With more than f of 3f + 1 silent, blocks should not come at all: the network is at its edge, or others hide it.
        let severity = if silent.len() * 3 < built.len() { Severity::Warning } else { Severity::Fault };
        let facts = [facts, vec![("silent", list(silent))]].concat();
        self.trap(Check::Production, Trap::ValidatorSilent, severity, facts);
    }

    fn judge_rounds(&mut self, blocks: &[SeenBlock]) {
        let rounds: Vec<u32> =
            blocks.iter().filter_map(|block| block.extra.as_ref()).map(|extra| extra.round).collect();
        if rounds.is_empty() {
            let nothing = if blocks.is_empty() { Nothing::FewBlocks } else { Nothing::UnknownSeal };
            return self.unseen(Check::Rounds, Unseen::Nothing(nothing));
        }
        let changed = rounds.iter().filter(|round| **round > 0).count();
        let worst = rounds.iter().max().copied().unwrap_or_default();
        let facts = vec![("blocks", rounds.len().to_string()), ("changed", changed.to_string())];
        let severity = match changed {
            0 => return self.fine(Check::Rounds, facts),
            // One in ten: more than a validator that was restarted.
            _ if changed * 10 >= rounds.len() => Severity::Warning,
            _ => Severity::Notice,
        };
        let facts = [facts, vec![("worst", worst.to_string())]].concat();
        self.trap(Check::Rounds, Trap::RoundChanges, severity, facts);
    }

    fn judge_continuity(&mut self, blocks: &[SeenBlock]) {
        if blocks.len() < 2 {
            return self.unseen(Check::Continuity, self.few_blocks());
        }
        let is_broken = |pair: &&[SeenBlock]| pair[1].parent_hash != pair[0].hash;
        match blocks.windows(2).find(is_broken) {
            Some(pair) => {
                let facts = vec![("block", pair[1].number.to_string()), ("parent", pair[1].parent_hash.to_string())];
                self.trap(Check::Continuity, Trap::ChainBroken, Severity::Fault, facts);
            }
            None => self.fine(Check::Continuity, vec![("blocks", blocks.len().to_string())]),
        }
        if let Some(cut) = &self.seen.blocks_cut {
            self.unseen(Check::Continuity, cut.clone());
        }
    }

    fn judge_head(&mut self, blocks: &[SeenBlock]) {
        let Some(head) = blocks.last() else {
            return self.unseen(Check::Head, Unseen::Nothing(Nothing::FewBlocks));
        };
        let age = Duration::from_secs(self.seen.now_seconds.saturating_sub(head.timestamp_seconds));
        let limit = self.pace.stall_after();
        let facts = vec![("block", head.number.to_string()), ("age", seconds(age))];
        if age > limit {
            let facts = [facts, vec![("limit", seconds(limit))]].concat();
            self.trap(Check::Head, Trap::HeadStalled, self.pace.stall_severity(age), facts);
        } else {
            self.fine(Check::Head, facts);
        }
    }

    fn judge_interval(&mut self) {
        let (Some(typical), Some(mean)) = (self.pace.typical(), self.pace.mean()) else {
            return self.unseen(Check::Interval, self.few_blocks());
        };
        let expected = self.pace.expected;
        let facts = vec![("mean", seconds(mean)), ("typical", seconds(typical))];
        let with = |period: Duration| [facts.clone(), vec![("expected", seconds(period))]].concat();
        let late_after = self.pace.late_after(typical);
        let late = self.pace.ruled().iter().filter(|one| Duration::from_secs(**one) > late_after).count();
        match expected {
            Some(period) if !self.pace.keeps(period) && mean > period => {
                self.trap(Check::Interval, Trap::BlocksSlow, Severity::Warning, with(period));
            }
            Some(period) if !self.pace.keeps(period) => {
                self.trap(Check::Interval, Trap::PeriodUnexpected, Severity::Warning, with(period));
            }
            // One in ten takes twice as long as most.
            _ if !typical.is_zero() && late * 10 >= self.pace.ruled().len() => {
                self.trap(Check::Interval, Trap::BlocksSlow, Severity::Warning, with(expected.unwrap_or(typical)));
            }
            _ => self.fine(Check::Interval, facts),
        }
        let (longest, block) = self.pace.longest;
        if Duration::from_secs(longest) > self.pace.stall_after() {
            let facts = vec![("gap", longest.to_string()), ("block", block.to_string())];
            self.trap(Check::Interval, Trap::BlockGap, Severity::Notice, facts);
        }
    }

    fn judge_empty_blocks(&mut self) {
        let [empty, filled] = [&self.pace.before_empty, &self.pace.before_filled].map(|one| median(one.clone()));
        let shown = |one: Option<Duration>| one.map_or_else(|| "-".to_owned(), seconds);
        let facts = vec![("empty", shown(empty)), ("filled", shown(filled))];
        if self.pace.are_empty_blocks_rarer() {
            self.trap(Check::EmptyBlocks, Trap::EmptyBlocksRarer, Severity::Notice, facts);
        } else if [&self.pace.before_empty, &self.pace.before_filled].iter().all(|one| one.len() >= INTERVALS_MIN) {
            self.fine(Check::EmptyBlocks, facts);
        } else {
            self.unseen(Check::EmptyBlocks, Unseen::Nothing(Nothing::NoComparison));
        }
    }

    /// A block's time lies at most a second ahead of its proposer's clock; how far it lies behind ours says only how old it is.
    fn judge_clock(&mut self, blocks: &[SeenBlock]) {
        let now = self.seen.now_seconds;
        let chain_ahead = blocks.last().map(|head| head.timestamp_seconds.saturating_sub(now)).unwrap_or_default();
        let node_apart = self.seen.server_seconds.map(|server| server.abs_diff(now));
        let worst = chain_ahead.max(node_apart.unwrap_or_default());
        let shown = node_apart.map_or_else(|| "-".to_owned(), |apart| apart.to_string());
        let facts = vec![("chain_ahead", chain_ahead.to_string()), ("node_apart", shown)];
        if worst > SKEW_NOTED_SECONDS {
            let severity = if worst > SKEW_MAX_SECONDS { Severity::Fault } else { Severity::Warning };
            self.trap(Check::Clock, Trap::ClockSkew, severity, facts);
        } else {
            self.fine(Check::Clock, facts);
        }
        if node_apart.is_none() {
            self.unseen(Check::Clock, Unseen::Nothing(Nothing::NoDate));
        }
    }

    fn judge_watch(&mut self) {
        let watch = match &self.seen.watch {
            Ok(watch) => *watch,
            Err(unseen) => return self.unseen(Check::Watch, unseen.clone()),
        };
        let facts = vec![
            ("watched", seconds(watch.watched)),
            ("blocks", watch.blocks.to_string()),
            ("longest", seconds(watch.longest_wait)),
        ];
        if watch.longest_wait > self.pace.stall_after() {
            let severity = self.pace.stall_severity(watch.longest_wait);
            self.trap(Check::Watch, Trap::NothingWhileWatching, severity, facts);
        } else {
            self.fine(Check::Watch, facts);
        }
    }
}

/// Whether a block names its validators, and its proposer is none of them.
fn is_foreign(block: &SeenBlock) -> bool {
    let validators = block.extra.as_ref().map(|extra| extra.validators.as_slice()).unwrap_or_default();
    !validators.is_empty() && !validators.contains(&block.proposer)
}
