//! The catalogue against the codes, and the page of documentation against both.

use super::*;
use chain::doctor::KNOWN_FAULTS;
use std::collections::BTreeSet;

const UNSEEN: [Unseen; 21] = [
    Unseen::NotOffered { method: "m" },
    Unseen::NoAnswer { method: "m", reason: String::new() },
    Unseen::TimedOut { method: "m", max_seconds: 1 },
    Unseen::Refused { method: "m", code: 1, message: String::new() },
    Unseen::TurnedAway { method: "m", reason: String::new() },
    Unseen::Unreadable { method: "m" },
    Unseen::NodeSilent,
    Unseen::TimeUsedUp { max_seconds: 1 },
    Unseen::Nothing(Nothing::FewBlocks),
    Unseen::Nothing(Nothing::NoRevert),
    Unseen::Nothing(Nothing::NoSender),
    Unseen::Nothing(Nothing::NoPermissioning),
    Unseen::Nothing(Nothing::NoComparison),
    Unseen::Nothing(Nothing::OneValidator),
    Unseen::Nothing(Nothing::OneNode),
    Unseen::Nothing(Nothing::UnknownSeal),
    Unseen::Nothing(Nothing::NoDate),
    Unseen::Nothing(Nothing::NotAsked),
    Unseen::Nothing(Nothing::NoRelease),
    Unseen::Nothing(Nothing::NotExpected),
    Unseen::Nothing(Nothing::Lagging),
];

fn codes<T: Copy>(all: &[T], code: fn(T) -> &'static str) -> BTreeSet<String> {
    all.iter().map(|one| code(*one).to_owned()).collect()
}

#[test]
fn every_code_has_its_words_and_no_words_are_of_no_code() {
    let keys = |keys: Vec<&String>| keys.into_iter().cloned().collect::<BTreeSet<String>>();
    assert_eq!(keys(CATALOGUE.check.keys().collect()), codes(Check::ALL, Check::code));
    assert_eq!(keys(CATALOGUE.trap.keys().collect()), codes(Trap::ALL, Trap::code));
    let unseen: BTreeSet<String> = UNSEEN.iter().map(|one| unseen_name(one).to_owned()).collect();
    assert_eq!(keys(CATALOGUE.unseen.keys().collect()), unseen);
    for words in CATALOGUE.trap.values().flat_map(|trap| [&trap.seen, &trap.why, &trap.cure]) {
        assert!(words.iter().all(|text| !text.trim().is_empty()), "{words:?}");
        let names = words.each_ref().map(|text| placeholders(text));
        assert_eq!(names[0], names[1], "both languages show the same values: {words:?}");
    }
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
}

#[test]
fn every_trap_is_said_in_both_languages() {
    let lines = Trap::ALL.iter().map(|trap| {
        let words = &CATALOGUE.trap[trap.code()];
        let [seen, why, cure] = [&words.seen, &words.why, &words.cure].map(|pair| pair.join("\n    "));
        format!("{}\n  seen\n    {seen}\n  why\n    {why}\n  cure\n    {cure}", trap.code())
    });
    insta::assert_snapshot!(lines.collect::<Vec<String>>().join("\n"));
}

#[test]
fn every_check_and_every_reason_is_said_in_both_languages() {
    let checks = Check::ALL.iter().map(|check| {
        let words = &CATALOGUE.check[check.code()];
        format!("{}\n  {}\n  {}", check.code(), words.name.join(" / "), words.fine.join("\n  "))
    });
    let reasons = UNSEEN.into_iter().map(|one| {
        format!("{}\n  {}", unseen_name(&one), Language::ALL.map(|language| Words(language).unseen(&one)).join("\n  "))
    });
    insta::assert_snapshot!(checks.chain(reasons).collect::<Vec<String>>().join("\n"));
}

/// Rows of the table of codes as they must stand in the documentation.
fn documented() -> String {
    let words = Words(Language::En);
    let rows = Trap::ALL.iter().map(|trap| {
        let evidence: Vec<String> = trap.evidence().iter().map(|page| format!("[{}]({page})", short(page))).collect();
        let plain = |text: &str| text.replace(['{', '}'], "*").replace('|', "\\|");
        let cure = plain(&words.cure(*trap, &Vec::new()));
        format!("| `{}` | {} | {cure} | {} |", trap.code(), plain(words.why(*trap)), evidence.join(", "))
    });
    rows.collect::<Vec<String>>().join("\n")
}

/// What a page is called in a table: the number of an issue, or its last word.
fn short(page: &str) -> String {
    let last = page.rsplit('/').next().unwrap_or(page);
    let last = last.split('#').next_back().unwrap_or(last);
    if last.chars().all(|c| c.is_ascii_digit()) { format!("#{last}") } else { last.to_owned() }
}

/// Rows of the table of releases as they must stand in the documentation.
fn documented_releases() -> String {
    let rows = KNOWN_FAULTS.iter().map(|fault| {
        let shown =
            |release: Option<chain::doctor::Release>| release.map_or_else(|| "—".to_owned(), |one| one.to_string());
        format!("| `{}` | {} | {} |", fault.trap.code(), shown(fault.since), shown(fault.before))
    });
    rows.collect::<Vec<String>>().join("\n")
}

#[test]
fn the_documentation_has_every_code_with_its_evidence_and_cure() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md");
    let page = std::fs::read_to_string(path).unwrap();
    for (name, table) in [("codes", documented()), ("releases", documented_releases())] {
        assert!(page.contains(&table), "`docs/doctor.md` lacks this table of {name}:\n{table}");
    }
}
