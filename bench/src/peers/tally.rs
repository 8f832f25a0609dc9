//! What became of the intents of one client: what each did on the ledger, held against what the client told of it.

use std::collections::BTreeMap;

/// What a client told its caller of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It was carried out.
    Done,
    /// It was not.
    Failed,
}

/// How many intents ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Intents with exactly one effect on the ledger.
    pub(super) one_effect: u32,
    /// With none.
    pub(super) no_effect: u32,
    /// With two or more: somebody was paid twice.
    pub(super) several_effects: u32,
    /// Of which the client said that they failed, and they have an effect: whoever believes it pays again.
    pub(super) told_failed_but_done: u32,
    /// Of which it said that they are done, and they have none.
    pub(super) told_done_but_not: u32,
    /// Of which it said nothing until its time was up.
    pub(super) told_nothing: u32,
}

impl Tally {
    /// Counts; `effects` has one number for each intent, in order.
    pub(super) fn of(effects: &[u64], told: &BTreeMap<u32, Told>) -> Self {
        let mut tally = Self::default();
        for (intent, effects) in (0..).zip(effects) {
            match effects {
                0 => tally.no_effect += 1,
                1 => tally.one_effect += 1,
                _ => tally.several_effects += 1,
            }
            match (told.get(&intent), effects) {
                (None, _) => tally.told_nothing += 1,
                (Some(Told::Done), 0) => tally.told_done_but_not += 1,
                (Some(Told::Failed), 1..) => tally.told_failed_but_done += 1,
                (Some(Told::Done), 1..) | (Some(Told::Failed), 0) => {}
            }
        }
        tally
    }

    /// Whether each intent has one effect, and the client said so.
    pub(super) fn is_perfect(&self) -> bool {
        let Self { one_effect: _, no_effect, several_effects, told_failed_but_done, told_done_but_not, told_nothing } =
            self;
        [no_effect, several_effects, told_failed_but_done, told_done_but_not, told_nothing]
            .into_iter()
            .all(|count| *count == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_held_against_what_is_there() {
        let told = [Told::Done, Told::Done, Told::Done, Told::Failed, Told::Failed, Told::Failed];
        let told = (0..).zip(told).collect();
        let tally = Tally::of(&[0, 1, 2, 0, 1, 3, 0, 1], &told);
        let expected = Tally {
            one_effect: 3,
            no_effect: 3,
            several_effects: 2,
            told_failed_but_done: 2,
            told_done_but_not: 1,
            told_nothing: 2,
        };
        assert_eq!(tally, expected);
    }

    #[test]
    fn only_one_effect_each_and_told_so_is_perfect() {
        let told = |word| BTreeMap::from([(0, word), (1, Told::Done)]);
        assert!(Tally::of(&[1, 1], &told(Told::Done)).is_perfect());
        for (effects, word) in
            [([0, 1], Told::Done), ([2, 1], Told::Done), ([1, 1], Told::Failed), ([0, 1], Told::Failed)]
        {
            assert!(!Tally::of(&effects, &told(word)).is_perfect(), "{effects:?} {word:?}");
        }
        assert!(!Tally::of(&[1, 1, 1], &told(Told::Done)).is_perfect());
    }
}
