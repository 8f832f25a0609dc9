//! Which fault the next request meets.

use std::time::Duration;

use fastrand::Rng;

use crate::fault::{Fault, FaultKind};

/// The longest delay of a request.
const DELAY_MAX_MS: u64 = 400;

/// How old a stale head is at most.
const STALE_BLOCKS_MAX: u64 = 5;

/// How often requests meet faults, and which ones are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// Of a thousand requests, so many meet a fault.
    per_mille: u16,
    /// One bit for each of [`FaultKind::ALL`].
    kinds: u16,
}

impl Weather {
    /// Nothing goes wrong.
    pub const CLEAR: Self = Self { per_mille: 0, kinds: 0 };

    /// Every kind of fault; so many of a thousand requests meet one.
    #[must_use]
    pub fn with_everything(per_mille: u16) -> Self {
        Self { per_mille: per_mille.min(1_000), kinds: u16::MAX }
    }

    /// The weather of a seed: 5 to 40 of a hundred requests meet a fault of three to all kinds, so that some seeds have much of
    /// one thing and some a little of everything.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let count = random.usize(3..=FaultKind::ALL.len());
        let kinds = random.choose_multiple(FaultKind::ALL, count).into_iter();
        Self { per_mille: random.u16(50..=400), kinds: kinds.fold(0, |kinds, kind| kinds | bit(kind)) }
    }

    /// Every request that can meets this kind of fault.
    #[cfg(test)]
    pub(crate) fn of_one_kind(kind: FaultKind) -> Self {
        Self { per_mille: 1_000, kinds: bit(kind) }
    }

    fn has(self, kind: FaultKind) -> bool {
        self.kinds & bit(kind) != 0
    }
}

const fn bit(kind: FaultKind) -> u16 {
    1 << kind as u16
}

/// Draws faults: the n-th request meets the n-th, whatever it asks for.
#[derive(Debug)]
pub(crate) struct Dice {
    random: Rng,
    pub(crate) weather: Weather,
    /// How many requests there are until the weather is clear.
    pub(crate) requests_until_clear: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64, weather: Weather) -> Self {
        // Not the numbers that a caller draws from the same seed.
        Self { random: Rng::with_seed(!seed), weather, requests_until_clear: u64::MAX }
    }

    /// What the next request meets, which is for this JSON-RPC method.
    pub(crate) fn draw(&mut self, method: &str) -> Option<Fault> {
        // As many numbers for each request, so that what one asks for does not change what another meets.
        let (chance, choice, amount) = (self.random.u16(0..1_000), self.random.usize(..), self.random.u64(..));
        if self.requests_until_clear == 0 {
            return None;
        }
        self.requests_until_clear -= 1;
        if chance >= self.weather.per_mille {
            return None;
        }
        let about = |kind: &&FaultKind| self.weather.has(**kind) && kind.concerns(method);
        let kinds: Vec<FaultKind> = FaultKind::ALL.iter().filter(about).copied().collect();
        let kind = *kinds.get(choice.checked_rem(kinds.len())?)?;
        Some(match kind {
            FaultKind::RequestLost => Fault::RequestLost,
            FaultKind::AnswerLost => Fault::AnswerLost,
            FaultKind::Delayed => Fault::Delayed(Duration::from_millis(1 + amount % DELAY_MAX_MS)),
            FaultKind::Doubled => Fault::Doubled,
            FaultKind::Overtaken => Fault::Overtaken,
            FaultKind::TooManyRequests => Fault::TooManyRequests,
            FaultKind::BadGateway => Fault::BadGateway { is_passed_on: amount % 2 == 0 },
            FaultKind::HalfAnswer => Fault::HalfAnswer,
            FaultKind::CutAnswer => Fault::CutAnswer,
            FaultKind::WrongHash => Fault::WrongHash,
            FaultKind::StaleHead => Fault::StaleHead { blocks: 1 + amount % STALE_BLOCKS_MAX },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const METHODS: [&str; 3] = ["eth_sendRawTransaction", "eth_blockNumber", "eth_call"];

    fn drawn(seed: u64, weather: Weather) -> Vec<Option<Fault>> {
        let mut dice = Dice::new(seed, weather);
        (0..3_000).map(|request| dice.draw(METHODS[request % METHODS.len()])).collect()
    }

    #[test]
    fn a_seed_repeats_its_weather_and_another_has_another() {
        let weather = Weather::with_everything(200);
        assert_eq!(drawn(7, weather), drawn(7, weather));
        assert_ne!(drawn(7, weather), drawn(8, weather));
    }

    #[test]
    fn the_weather_of_a_seed_is_its_own() {
        assert_eq!(Weather::of_seed(7), Weather::of_seed(7));
        let all: Vec<Weather> = (0..50).map(Weather::of_seed).collect();
        assert!(all.iter().all(|weather| weather.kinds.count_ones() >= 3 && (50..=400).contains(&weather.per_mille)));
        assert!(FaultKind::ALL.iter().all(|kind| all.iter().any(|weather| !weather.has(*kind))));
    }

    #[test]
    fn every_kind_comes_and_none_where_it_makes_no_sense() {
        let met: HashSet<FaultKind> =
            drawn(1, Weather::with_everything(500)).into_iter().flatten().map(Fault::kind).collect();
        assert_eq!(met.len(), FaultKind::ALL.len());
        let mut dice = Dice::new(1, Weather::with_everything(1_000));
        for _ in 0..1_000 {
            let kind = dice.draw("eth_call").unwrap().kind();
            assert!(!matches!(kind, FaultKind::WrongHash | FaultKind::StaleHead), "{kind:?}");
        }
    }

    #[test]
    fn as_many_requests_meet_a_fault_as_the_weather_says() {
        let met = drawn(3, Weather::with_everything(200)).into_iter().flatten().count();
        assert!((500..700).contains(&met), "{met} of 3,000");
        assert!(drawn(3, Weather::CLEAR).iter().all(Option::is_none));
        let mut dice = Dice::new(3, Weather::with_everything(1_000));
        dice.requests_until_clear = 2;
        let met: Vec<bool> = (0..4).map(|_| dice.draw("eth_call").is_some()).collect();
        assert_eq!(met, [true, true, false, false]);
    }
}
