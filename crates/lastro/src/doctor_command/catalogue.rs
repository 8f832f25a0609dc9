//! The words of `lastro doctor` and `lastro chain profile`, in Portuguese and English: one file holds both, and this reads it.

use crate::cli::Language;
use chain::doctor::{Check, Facts, Item, Nothing, Severity, Trap, Unseen};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Both forms of one text: Portuguese, English.
type Pair = [String; 2];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    check: BTreeMap<String, CheckWords>,
    trap: BTreeMap<String, TrapWords>,
    unseen: BTreeMap<String, Pair>,
    text: Texts,
    item: BTreeMap<String, Pair>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckWords {
    name: Pair,
    fine: Pair,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrapWords {
    seen: Pair,
    why: Pair,
    cure: Pair,
}

/// The texts that stand alone, by what they say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Texts {
    ok: Pair,
    notice: Pair,
    warning: Pair,
    fault: Pair,
    pub(crate) why: Pair,
    pub(crate) cure: Pair,
    pub(crate) evidence: Pair,
    pub(crate) not_seen: Pair,
    pub(crate) all_nodes: Pair,
    pub(crate) summary: Pair,
    pub(crate) accepted: Pair,
    pub(crate) summary_accepted: Pair,
    pub(crate) looking: Pair,
    pub(crate) profile: Pair,
    pub(crate) chain_ids: Pair,
    pub(crate) rules: Pair,
    pub(crate) gas_limit: Pair,
    pub(crate) fees: Pair,
    pub(crate) any: Pair,
    pub(crate) free: Pair,
    pub(crate) item: Pair,
    pub(crate) expected: Pair,
    pub(crate) seen: Pair,
    pub(crate) agrees: Pair,
    pub(crate) differs: Pair,
    pub(crate) not_expected: Pair,
    pub(crate) at_least: Pair,
    pub(crate) or_later: Pair,
    pub(crate) one_of: Pair,
    pub(crate) seconds: Pair,
    pub(crate) price_at_most: Pair,
    pub(crate) prices: Pair,
    pub(crate) price_alone: Pair,
    pub(crate) contract_there: Pair,
    pub(crate) contract_missing: Pair,
    pub(crate) older_rules: Pair,
    pub(crate) unknown_seal: Pair,
    pub(crate) all_agree: Pair,
    pub(crate) agree_as_seen: Pair,
    pub(crate) profile_form: Pair,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    toml::from_str(include_str!("catalogue.toml")).expect("the catalogue that comes with the binary is whole")
});

/// The words of one language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words(pub(crate) Language);

/// A text with what was seen in the place of each name in braces.
pub(crate) fn filled(text: &str, facts: &[(&'static str, String)]) -> String {
    let replace = |text: String, (name, value): &(&'static str, String)| text.replace(&format!("{{{name}}}"), value);
    facts.iter().fold(text.to_owned(), replace)
}

impl Words {
    fn of(self, pair: &'static Pair) -> &'static str {
        match self.0 {
            Language::PtBr => &pair[0],
            Language::En => &pair[1],
        }
    }

    /// A text that stands alone.
    pub(crate) fn text(self, which: fn(&'static Texts) -> &'static Pair) -> &'static str {
        self.of(which(&CATALOGUE.text))
    }

    /// What a check looks at.
    pub(crate) fn check(self, check: Check) -> &'static str {
        self.of(&CATALOGUE.check[check.code()].name)
    }

    /// That a check found all as it should be.
    pub(crate) fn fine(self, check: Check, facts: &Facts) -> String {
        filled(self.of(&CATALOGUE.check[check.code()].fine), facts)
    }

    /// What was seen of a trap.
    pub(crate) fn seen(self, trap: Trap, facts: &Facts) -> String {
        filled(self.of(&CATALOGUE.trap[trap.code()].seen), facts)
    }

    /// Why a trap matters.
    pub(crate) fn why(self, trap: Trap) -> &'static str {
        self.of(&CATALOGUE.trap[trap.code()].why)
    }

    /// What helps against a trap.
    pub(crate) fn cure(self, trap: Trap, facts: &Facts) -> String {
        filled(self.of(&CATALOGUE.trap[trap.code()].cure), facts)
    }

    /// How bad something is.
    pub(crate) fn severity(self, severity: Severity) -> &'static str {
        match severity {
            Severity::Ok => self.text(|texts| &texts.ok),
            Severity::Notice => self.text(|texts| &texts.notice),
            Severity::Warning => self.text(|texts| &texts.warning),
            Severity::Fault => self.text(|texts| &texts.fault),
        }
    }

    /// What a profile's item is.
    pub(crate) fn item(self, item: Item) -> String {
        let text = self.of(&CATALOGUE.item[item.name()]);
        match item {
            Item::Permissioning(governs, address) => {
                filled(text, &[("governs", governs.to_string()), ("address", address.to_string())])
            }
            _ => text.to_owned(),
        }
    }

    /// Why something was not seen.
    pub(crate) fn unseen(self, unseen: &Unseen) -> String {
        let facts = match unseen {
            Unseen::NotOffered { method } | Unseen::Unreadable { method } => vec![("method", (*method).to_owned())],
            Unseen::NoAnswer { method, reason } | Unseen::TurnedAway { method, reason } => {
                vec![("method", (*method).to_owned()), ("reason", reason.clone())]
            }
            Unseen::TimedOut { method, max_seconds } => {
                vec![("method", (*method).to_owned()), ("seconds", max_seconds.to_string())]
            }
            Unseen::Refused { method, code, message } => {
                vec![("method", (*method).to_owned()), ("code", code.to_string()), ("message", message.clone())]
            }
            Unseen::TimeUsedUp { max_seconds } => vec![("seconds", max_seconds.to_string())],
            Unseen::NodeSilent | Unseen::Nothing(_) => Vec::new(),
        };
        filled(self.of(&CATALOGUE.unseen[unseen_name(unseen)]), &facts)
    }
}

/// The stable name of a reason.
pub(crate) fn unseen_name(unseen: &Unseen) -> &'static str {
    match unseen {
        Unseen::NotOffered { .. } => "not_offered",
        Unseen::NoAnswer { .. } => "no_answer",
        Unseen::TimedOut { .. } => "timed_out",
        Unseen::Refused { .. } => "refused",
        Unseen::TurnedAway { .. } => "turned_away",
        Unseen::Unreadable { .. } => "unreadable",
        Unseen::NodeSilent => "node_silent",
        Unseen::TimeUsedUp { .. } => "time_used_up",
        Unseen::Nothing(nothing) => match nothing {
            Nothing::FewBlocks => "few_blocks",
            Nothing::NoRevert => "no_revert",
            Nothing::NoSender => "no_sender",
            Nothing::NoPermissioning => "no_permissioning",
            Nothing::NoComparison => "no_comparison",
            Nothing::OneValidator => "one_validator",
            Nothing::OneNode => "one_node",
            Nothing::UnknownSeal => "unknown_seal",
            Nothing::NoDate => "no_date",
            Nothing::NotAsked => "not_asked",
            Nothing::NoRelease => "no_release",
            Nothing::NotExpected => "not_expected",
            Nothing::Lagging => "lagging",
        },
    }
}

#[cfg(test)]
mod tests;
