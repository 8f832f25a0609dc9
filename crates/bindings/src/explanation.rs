//! What a refusal says to people, in the languages of the product.
//!
//! The texts stand in `solidity/errors`, one file per language: the page of all errors in `docs/` is made of the same
//! files, and the contracts' own check holds them complete. A text shows an argument by `{name}`, or by `{name:kind}`
//! where the bare number says nothing; the kinds are those of [`Kind`].

use crate::date::{Date, Moment};
use crate::revert::{Revert, shown};
use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, B256, U256, keccak256};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A language that refusals are explained in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, for developers.
    English,
    /// Português do Brasil, for the market's people.
    BrazilianPortuguese,
}

/// Every text of a language.
#[derive(Deserialize)]
struct Catalogue {
    /// What stands for a time that is not set, or so late that it never comes.
    #[serde(rename = "noTime")]
    no_time: String,
    /// By an error's name and the names of its arguments: `HoldExists(holdId)`.
    errors: BTreeMap<String, String>,
    /// By the code of a refusal by rules.
    reasons: BTreeMap<u64, String>,
    /// Words for the values of an enum, in the order of their numbers.
    enums: BTreeMap<String, Vec<String>>,
    /// By a role's name, whose hash it is known by in the contracts.
    roles: BTreeMap<String, String>,
    others: OtherTexts,
}

/// Texts of what is no custom error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OtherTexts {
    unknown_reason: String,
    silent: String,
    panic: String,
    foreign: String,
}

/// How a placeholder shows its argument.
enum Kind<'a> {
    /// As its type is written: digits, a checksummed address, hexadecimal bytes.
    Plain,
    /// Seconds since 1970, as date and time in UTC.
    Time,
    /// Days since 1970, as a date.
    Day,
    /// The hash of a role's name, as what people call the role.
    Role,
    /// The code of a refusal by rules, as its text; that text may show the argument `argument`.
    Reason,
    /// A number that is an address.
    Address,
    /// A number that is a value of this enum, as its word.
    Enum(&'a str),
}

/// The largest `uint48`, which contracts write for a time that never comes.
const NEVER: u64 = (1 << 48) - 1;

static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../../../solidity/errors/en.json")));
static PORTUGUESE: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../../../solidity/errors/pt-BR.json")));

fn read(json: &str) -> Catalogue {
    // Compiled in; the tests read both.
    serde_json::from_str(json).unwrap_or_else(|error| panic!("a catalogue of errors cannot be read: {error}"))
}

impl Language {
    fn catalogue(self) -> &'static Catalogue {
        match self {
            Self::English => &ENGLISH,
            Self::BrazilianPortuguese => &PORTUGUESE,
        }
    }
}

impl Revert {
    /// What to tell a person: one sentence, lower case, without a full stop. Texts that a contract reverts with come as
    /// they are, in the language of whoever wrote the contract.
    ///
    /// ```
    /// use alloy_primitives::U256;
    /// use alloy_sol_types::SolError;
    /// use bindings::assets::IRegulatedToken;
    /// use bindings::explanation::Language;
    /// use bindings::revert;
    ///
    /// let error = IRegulatedToken::TokenPermitExpired { deadline: U256::from(1_788_274_800) };
    /// let sentence = revert::decode(&error.abi_encode()).explain(Language::English);
    /// assert_eq!(sentence, "the permit could be used until 2026-09-01 15:00:00 UTC");
    /// ```
    pub fn explain(&self, language: Language) -> String {
        let catalogue = language.catalogue();
        match self {
            Self::Custom { name, arguments } => {
                let names: Vec<&str> = arguments.iter().map(|(name, _)| name.as_str()).collect();
                let text = catalogue.errors.get(&format!("{name}({})", names.join(", ")));
                text.map_or_else(|| self.to_string(), |text| catalogue.fill(text, arguments))
            }
            Self::Text(text) => text.clone(),
            Self::Panic(code) => catalogue.others.panic.replace("{code}", &format!("0x{code:02x}")),
            Self::Empty => catalogue.others.silent.clone(),
            Self::Unknown(bytes) => catalogue.others.foreign.replace("{data}", &bytes.to_string()),
        }
    }
}

/// Why rules refuse a movement: what `transferRefusals` and `ComplianceRefused` give as code and argument, in words.
///
/// Codes from 1,000 on are a module's own and have no text here; they are shown as numbers.
pub fn explain_refusal(reason: u16, argument: U256, language: Language) -> String {
    let number = DynSolValue::Uint(U256::from(reason), 16);
    let arguments = [("reason".to_owned(), number), ("argument".to_owned(), DynSolValue::Uint(argument, 256))];
    language.catalogue().fill("{reason:reason}", &arguments)
}

impl Catalogue {
    /// `text` with its placeholders filled. One that names no argument stays as it stands.
    fn fill(&self, text: &str, arguments: &[(String, DynSolValue)]) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, placeholder, after)) = next_placeholder(rest) {
            filled.push_str(before);
            let (name, kind) =
                placeholder.split_once(':').map_or((placeholder, Kind::Plain), |(n, k)| (n, Kind::of(k)));
            match arguments.iter().find(|(argument, _)| argument == name) {
                Some((_, value)) => filled.push_str(&self.show(value, &kind, arguments)),
                None => filled.push_str(placeholder),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn show(&self, value: &DynSolValue, kind: &Kind<'_>, arguments: &[(String, DynSolValue)]) -> String {
        let number = value.as_uint().map(|(number, _)| number);
        let in_words = match (kind, number) {
            (Kind::Plain, _) | (Kind::Time | Kind::Day | Kind::Reason | Kind::Address | Kind::Enum(_), None) => None,
            (Kind::Time, Some(seconds)) => self.time(seconds),
            (Kind::Day, Some(days)) => u64::try_from(days).ok().and_then(Date::of_day).map(|date| date.to_string()),
            (Kind::Role, _) => self.role(value),
            (Kind::Reason, Some(code)) => Some(self.reason(code, arguments)),
            (Kind::Address, Some(word)) => Some(Address::from_word(B256::from(word)).to_checksum(None)),
            (Kind::Enum(name), Some(place)) => self.word(name, place),
        };
        in_words.unwrap_or_else(|| shown(value))
    }

    /// Zero is a time that is not set; one from [`NEVER`] on does not come.
    fn time(&self, seconds: U256) -> Option<String> {
        match u64::try_from(seconds).ok().filter(|&seconds| seconds != 0) {
            Some(seconds) if seconds < NEVER => Moment::of_second(seconds).map(|at| at.to_string()),
            _ => Some(self.no_time.clone()),
        }
    }

    fn role(&self, value: &DynSolValue) -> Option<String> {
        let (hash, _) = value.as_fixed_bytes()?;
        // The admin's role is zero, by OpenZeppelin's convention, and no hash.
        let is_meant = |name: &str| match name {
            "DEFAULT_ADMIN_ROLE" => hash == B256::ZERO.as_slice(),
            _ => hash == keccak256(name).as_slice(),
        };
        self.roles.iter().find(|(name, _)| is_meant(name)).map(|(_, text)| text.clone())
    }

    fn reason(&self, code: U256, arguments: &[(String, DynSolValue)]) -> String {
        let text = u64::try_from(code).ok().and_then(|code| self.reasons.get(&code));
        self.fill(text.unwrap_or(&self.others.unknown_reason), arguments)
    }

    fn word(&self, name: &str, place: U256) -> Option<String> {
        let place = usize::try_from(place).ok()?;
        self.enums.get(name)?.get(place).cloned()
    }
}

impl<'a> Kind<'a> {
    fn of(text: &'a str) -> Self {
        match text {
            "time" => Self::Time,
            "day" => Self::Day,
            "role" => Self::Role,
            "reason" => Self::Reason,
            "address" => Self::Address,
            name => Self::Enum(name),
        }
    }
}

/// What stands before the first placeholder, its inside, and what stands after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (inside, after) = rest.split_once('}')?;
    Some((before, inside, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifacts;
    use crate::assets::{ComplianceRules, IRegulatedToken, Settlement};
    use crate::drex::RealDigital;
    use crate::revert::decode;
    use alloy_primitives::{Bytes, address};
    use alloy_sol_types::{Panic, SolError};

    const BOTH: [Language; 2] = [Language::English, Language::BrazilianPortuguese];
    const INVESTOR: Address = address!("00000000000000000000000000000000000000a1");

    fn explained(error: &impl SolError) -> [String; 2] {
        BOTH.map(|language| decode(&error.abi_encode()).explain(language))
    }

    #[test]
    fn every_error_of_every_artifact_has_a_text_in_both_languages() {
        for (contract, abi) in artifacts::abis() {
            for error in abi.errors() {
                let names: Vec<&str> = error.inputs.iter().map(|input| input.name.as_str()).collect();
                let key = format!("{}({})", error.name, names.join(", "));
                for language in BOTH {
                    let text = language.catalogue().errors.get(&key);
                    assert!(text.is_some_and(|text| !text.is_empty()), "{contract}: {key} in {language:?}");
                }
            }
        }
    }

    #[test]
    fn every_placeholder_shows_something_else_than_itself() {
        for (_, abi) in artifacts::abis() {
            for error in abi.errors() {
                let arguments: Vec<(String, DynSolValue)> = error
                    .inputs
                    .iter()
                    .map(|input| (input.name.clone(), DynSolValue::Uint(U256::from(1), 256)))
                    .collect();
                let revert = Revert::Custom { name: error.name.clone(), arguments };
                for language in BOTH {
                    let sentence = revert.explain(language);
                    assert!(!sentence.contains('{') && !sentence.contains('}'), "{sentence}");
                }
            }
        }
    }

    #[test]
    fn a_missing_role_is_called_by_its_name() {
        let role = |name: &str| RealDigital::AccessControlUnauthorizedAccount {
            account: INVESTOR,
            neededRole: keccak256(name),
        };
        let [english, portuguese] = explained(&role("COMPLIANCE_ROLE"));
        assert_eq!(english, "0x00000000000000000000000000000000000000A1 does not have the role compliance");
        assert!(portuguese.ends_with("conformidade"), "{portuguese}");
        let unheard_of = explained(&role("UNHEARD_OF_ROLE"));
        assert!(unheard_of[0].ends_with(&keccak256("UNHEARD_OF_ROLE").to_string()), "{}", unheard_of[0]);
        let admin = RealDigital::AccessControlUnauthorizedAccount { account: INVESTOR, neededRole: B256::ZERO };
        assert!(explained(&admin)[1].ends_with("administrador"));
    }

    #[test]
    fn a_refusal_by_rules_says_which_rule_and_of_what() {
        let refused = |reason, argument| ComplianceRules::ComplianceRefused {
            module: INVESTOR,
            reason,
            argument: U256::from(argument),
        };
        let sentences = explained(&refused(22, 10_000_000_u64));
        assert_eq!(
            sentences[0],
            "a rule of the token forbids this: the receiver would have more than the largest balance of 10000000 units"
        );
        let class = explained(&refused(21, 1));
        assert!(class[0].ends_with("is not permitted: general"), "{}", class[0]);
        assert!(explained(&refused(2, 0xa1))[0].contains("0x00000000000000000000000000000000000000A1"));
        assert!(explained(&refused(1_000, 7))[0].ends_with("reason 1000, with 7"));
        assert_eq!(
            explain_refusal(23, U256::from(100), Language::BrazilianPortuguese),
            "haveria mais de 100 titulares"
        );
    }

    #[test]
    fn times_are_dates_and_no_time_is_said_in_words() {
        let expired = |deadline| IRegulatedToken::TokenPermitExpired { deadline };
        let sentences = explained(&expired(U256::from(1_788_274_800)));
        assert!(sentences.iter().all(|sentence| sentence.contains("2026-09-01 15:00:00 UTC")), "{sentences:?}");
        for never in [U256::ZERO, U256::MAX, U256::from((1_u64 << 48) - 1), U256::from(u64::MAX)] {
            assert!(explained(&expired(never))[0].contains("no limit"), "{never}");
        }
    }

    #[test]
    fn a_status_is_a_word_and_one_that_is_not_known_a_number() {
        let closed = |status: u64| Revert::Custom {
            name: "SettlementNotOpen".to_owned(),
            arguments: vec![
                ("orderId".to_owned(), DynSolValue::FixedBytes(B256::ZERO, 32)),
                ("status".to_owned(), DynSolValue::Uint(U256::from(status), 8)),
            ],
        };
        assert!(closed(2).explain(Language::English).ends_with(": executed"));
        assert!(closed(200).explain(Language::English).ends_with(": 200"));
        assert_eq!(Settlement::SettlementNotOpen::SIGNATURE, "SettlementNotOpen(bytes32,uint8)");
    }

    #[test]
    fn what_is_no_custom_error_is_explained_too() {
        let english = |bytes: &[u8]| decode(bytes).explain(Language::English);
        assert_eq!(english(&[]), "the contract refused and gave no reason");
        assert_eq!(
            english(&Panic { code: U256::from(0x11) }.abi_encode()),
            "a check inside the contract failed, with code 0x11"
        );
        assert!(english(&[1, 2, 3, 4]).ends_with("0x01020304"));
        assert_eq!(Revert::Text("as it is".to_owned()).explain(Language::BrazilianPortuguese), "as it is");
        let nameless = Revert::Custom { name: "Nameless".to_owned(), arguments: Vec::new() };
        assert_eq!(nameless.explain(Language::English), "Nameless()");
        assert!(Revert::Unknown(Bytes::new()).explain(Language::BrazilianPortuguese).contains("0x"));
    }
}
