//! Rules of compliance as `ComplianceRules` takes them: a kind, and words of 256 bits whose fields each kind lays out in
//! its own way. Here a rule is made from what it says; the contract refuses what makes no sense (`RuleInvalid`).
//!
//! Source of the layouts: the libraries of the same names in `solidity/src/assets/compliance/rules`. The contracts' tests
//! hold the same words (`solidity/test/assets/compliance/RuleWords.t.sol`).

use super::ComplianceRules::Rule;
use alloy_primitives::aliases::U104;
use alloy_primitives::{Address, B256, U256};
use serde::Deserialize;

/// What a rule is about; its number is `RuleKind` of the contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RuleKind {
    /// Where the receiver lives.
    Country,
    /// Which class of investor the receiver is.
    InvestorClass,
    /// What an investor has at most.
    BalanceMax,
    /// How many holders there are, and what one has at least.
    HolderCount,
    /// What is in issue at most.
    SupplyCap,
    /// How long issued units stay with whom they were issued to.
    HoldingPeriod,
    /// When transfers are made.
    TransferWindow,
    /// Which transfers need an approval.
    Approval,
    /// What an investor is issued at most in a calendar year.
    OfferingCap,
    /// A module of somebody else's making.
    External,
}

/// Classes of investors by CVM Resolution 30 of 2021, articles 11 and 12; each includes those before it, but a rule names
/// every class that it permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum InvestorClass {
    /// No class is known.
    None,
    /// Anybody.
    General,
    /// Qualified (article 12).
    Qualified,
    /// Professional (article 11).
    Professional,
}

/// A list of countries by ISO 3166-1 numeric, such as 76 for Brazil; numbers from 1,024 on are ignored, since there are
/// none.
#[derive(Clone, Copy, Debug)]
pub enum Countries<'a> {
    /// Receivers live in one of these.
    Only(&'a [u16]),
    /// Receivers live in none of these.
    AllBut(&'a [u16]),
}

/// A day of the week, by its bit in a window. In the text of a configuration it is `monday` to `sunday`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Weekday {
    /// Bit 0.
    Monday,
    /// Bit 1.
    Tuesday,
    /// Bit 2.
    Wednesday,
    /// Bit 3.
    Thursday,
    /// Bit 4.
    Friday,
    /// Bit 5.
    Saturday,
    /// Bit 6.
    Sunday,
}

/// Distance of a local clock from UTC in minutes, such as -180 for Brasília; at most 14 hours either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtcOffsetMinutes(pub i16);

/// When transfers are made. Holidays are not known to the rule.
#[derive(Clone, Copy, Debug)]
pub struct TransferWindow<'a> {
    /// On these days of the local week.
    pub weekdays: &'a [Weekday],
    /// From this second of the local day on.
    pub opens_at_second: u32,
    /// Up to this second of the local day, itself excluded; at most 86,400.
    pub closes_at_second: u32,
    /// The local clock.
    pub clock: UtcOffsetMinutes,
    /// First second of the period, since 1970.
    pub period_from: u32,
    /// First second after the period, since 1970; `None` if it has no end.
    pub period_until: Option<u32>,
}

/// Receivers live where it is permitted. Who moved elsewhere may still sell.
pub fn countries(list: Countries<'_>) -> Rule {
    let (numbers, denies) = match list {
        Countries::Only(numbers) => (numbers, false),
        Countries::AllBut(numbers) => (numbers, true),
    };
    let mut words = [U256::ZERO; 4];
    for &number in numbers {
        if let Some(word) = words.get_mut(usize::from(number >> 8)) {
            *word |= U256::ONE << (number & 0xff);
        }
    }
    rule(RuleKind::Country, words.map(|word| if denies { !word } else { word }).to_vec())
}

/// Receivers are of one of these classes. Infrastructure is exempt.
pub fn investor_classes(classes: impl IntoIterator<Item = InvestorClass>) -> Rule {
    rule(RuleKind::InvestorClass, vec![bits(classes.into_iter().map(|class| class as u8))])
}

/// No investor has more than so many units. Infrastructure is exempt; who has more already may send but not receive.
pub fn balance_max(units: U256) -> Rule {
    rule(RuleKind::BalanceMax, vec![units])
}

/// At most so many holders, each with at least so many units; 0 for no such minimum, which lets one holder fill all
/// places with dust.
pub fn holder_count(holders_max: u64, balance_min_units: U256) -> Rule {
    rule(RuleKind::HolderCount, vec![U256::from(holders_max), balance_min_units])
}

/// At most so many units are in issue.
pub fn supply_cap(units: U256) -> Rule {
    rule(RuleKind::SupplyCap, vec![units])
}

/// What an investor was issued stays for so many seconds; what was bought from others does not.
pub fn holding_period(seconds: u32) -> Rule {
    rule(RuleKind::HoldingPeriod, vec![U256::from(seconds)])
}

/// Transfers are made within the window; issues are not bound to it.
pub fn transfer_window(window: &TransferWindow<'_>) -> Rule {
    // A period without an end is one up to the last second that fits its field.
    let until = window.period_until.map_or(U256::from((1_u64 << 48) - 1), U256::from);
    let word = bits(window.weekdays.iter().map(|day| *day as u8))
        | U256::from(window.opens_at_second) << 8
        | U256::from(window.closes_at_second) << 40
        | window.clock.bits() << 72
        | U256::from(window.period_from) << 88
        | until << 136;
    rule(RuleKind::TransferWindow, vec![word])
}

/// Transfers of so many units or more need an approval of exactly this transfer; 0 for every transfer.
pub fn approval(from_units: U256) -> Rule {
    rule(RuleKind::Approval, vec![from_units])
}

/// An investor is issued at most so many units in a year of this clock, such as CVM Resolution 88 of 2022 sets for
/// crowdfunding. These classes are exempt, and so is infrastructure. The units have 104 bits in the rule's word: more would run
/// into the classes beside them, which the contract could not tell from a rule that was meant.
pub fn offering_cap(units: U104, exempt: impl IntoIterator<Item = InvestorClass>, calendar: UtcOffsetMinutes) -> Rule {
    let classes = bits(exempt.into_iter().map(|class| class as u8));
    rule(RuleKind::OfferingCap, vec![U256::from(units) | classes << 104 | calendar.bits() << 112])
}

/// A module with `IComplianceModule` judges. It gets 200,000 gas; if it fails, the movement is refused.
pub fn external(module: Address, configuration: B256) -> Rule {
    rule(RuleKind::External, vec![U256::from_be_bytes(module.into_word().0), configuration.into()])
}

fn rule(kind: RuleKind, words: Vec<U256>) -> Rule {
    Rule { kind: kind as u8, words }
}

fn bits(places: impl Iterator<Item = u8>) -> U256 {
    places.fold(U256::ZERO, |word, place| word | U256::ONE << place)
}

impl UtcOffsetMinutes {
    /// Brasília, which has had no summer time since 2019 (Decree 9,772 of 2019).
    pub const BRASILIA: Self = Self(-180);

    /// Two's complement in 16 bits.
    fn bits(self) -> U256 {
        U256::from(self.0.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, uint};

    /// The words are in the contracts' test too: who changes one must change the other.
    #[test]
    fn words_are_those_of_the_contracts() {
        let hours = TransferWindow {
            weekdays: &[Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday],
            opens_at_second: 36_000,
            closes_at_second: 61_200,
            clock: UtcOffsetMinutes::BRASILIA,
            period_from: 1_788_274_800,
            period_until: Some(1_900_000_000),
        };
        assert_eq!(transfer_window(&hours).words, [uint!(0x713fb30000006a96e870ff4c0000ef1000008ca01f_U256)]);
        let classes = [InvestorClass::Qualified, InvestorClass::Professional];
        let cap = offering_cap(U104::from(2_000_000), classes, UtcOffsetMinutes(-180));
        assert_eq!(cap.words, [uint!(0xff4c0c000000000000000000001e8480_U256)]);
        let allowed = countries(Countries::Only(&[76, 840, 620]));
        assert_eq!(allowed.words, [U256::ONE << 76, U256::ZERO, U256::ONE << 108, U256::ONE << 72]);
        let denied = countries(Countries::AllBut(&[192]));
        assert_eq!(denied.words, [!(U256::ONE << 192_usize), U256::MAX, U256::MAX, U256::MAX]);
        assert_eq!(investor_classes([InvestorClass::Qualified, InvestorClass::Professional]).words, [U256::from(0x0c)]);
    }

    #[test]
    fn the_largest_cap_leaves_classes_and_clock_as_they_are_and_a_larger_one_cannot_be_said() {
        let cap = |units| offering_cap(units, [InvestorClass::Qualified], UtcOffsetMinutes::BRASILIA).words[0];
        let units = U256::from(U104::MAX);
        assert_eq!(units, U256::from((1_u128 << 104) - 1));
        assert_eq!(cap(U104::MAX), cap(U104::ZERO) | units);
        assert!(U104::try_from(1_u128 << 104).is_err());
    }

    #[test]
    fn a_country_that_cannot_be_is_in_no_list() {
        assert_eq!(countries(Countries::Only(&[1_024, u16::MAX])).words, [U256::ZERO; 4]);
        assert_eq!(countries(Countries::Only(&[1_023])).words[3], U256::ONE << 255);
    }

    #[test]
    fn a_window_without_an_end_lasts_as_long_as_its_field() {
        let window = TransferWindow {
            weekdays: &[Weekday::Sunday],
            opens_at_second: 0,
            closes_at_second: 86_400,
            clock: UtcOffsetMinutes(0),
            period_from: 0,
            period_until: None,
        };
        let word = transfer_window(&window).words[0];
        assert_eq!(word >> 136, U256::from((1_u64 << 48) - 1));
        assert_eq!(word & U256::from(0xff), U256::from(64));
    }

    #[test]
    fn the_other_rules_are_their_numbers() {
        let module = address!("00000000000000000000000000000000000000a1");
        let made = [
            balance_max(U256::from(5)),
            holder_count(100, U256::from(7)),
            supply_cap(U256::from(9)),
            holding_period(86_400),
            approval(U256::ZERO),
            external(module, B256::repeat_byte(1)),
        ];
        let kinds: Vec<u8> = made.iter().map(|rule| rule.kind).collect();
        assert_eq!(kinds, [2, 3, 4, 5, 7, 9]);
        assert_eq!(made[1].words, [U256::from(100), U256::from(7)]);
        assert_eq!(made[5].words, [U256::from(0xa1), U256::from_be_bytes([1; 32])]);
    }
}
