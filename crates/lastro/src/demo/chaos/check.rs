//! Whether the end is that of a run in which nothing went wrong.

use super::Outcome;
use super::children::{ask, failure_said};
use super::texts::Text;
use crate::cli::Language;
use crate::demo::book_keeper::JOURNAL_FILE;
use crate::demo::books::{Books, PostError, hundredths};
use crate::demo::parties::{PARTIES, Party};
use crate::demo::plan::{Effect, Plan};
use crate::demo::reconcile::assets;
use crate::dispatch::CHAIN_FILE;
use crate::failure::{Failure, FailureKind};
use serde_json::Value;
use std::collections::BTreeSet;

/// Each store of the platform, which has an audit trail.
const STORES: [&str; 2] = [CHAIN_FILE, JOURNAL_FILE];

/// What was compared.
pub(super) struct Checked {
    /// Transactions on the ledger.
    pub(super) transactions: u64,
    /// Balances and supplies.
    pub(super) balances: usize,
    /// Events of all stores.
    pub(super) events: u64,
    /// What is otherwise than it must be: of what, and in words.
    differences: Vec<(Text, String)>,
}

impl Checked {
    /// Whether what a line of the report is about is as it must be.
    pub(super) fn agrees_on(&self, line: Text) -> bool {
        self.differences.iter().all(|(of, _)| *of != line)
    }

    /// What is otherwise than it must be, in words.
    pub(super) fn differences(&self) -> Vec<&str> {
        self.differences.iter().map(|(_, words)| words.as_str()).collect()
    }

    /// The failure, if anything is.
    pub(super) fn failure(&self, language: Language) -> Option<Failure> {
        let text = Text::NotTheSame.in_language(language);
        let failure =
            |words: Vec<&str>| Failure::new(FailureKind::Refused, anyhow::anyhow!("{text}: {}", words.join("; ")));
        Some(self.differences()).filter(|words| !words.is_empty()).map(failure)
    }
}

/// What the books are when all of the plan was played.
///
/// # Errors
/// [`PostError`] if the plan would overdraw somebody.
pub(super) fn books_of(plan: &Plan) -> Result<Books, PostError> {
    let (mut books, mut opened) = (Books::default(), BTreeSet::new());
    for step in plan.stages.iter().flat_map(|stage| &stage.steps) {
        match &step.effect {
            Effect::Nothing | Effect::Fails(_) => {}
            Effect::Moves(postings) => books.post(postings)?,
            // The second of its two commands moves everything.
            Effect::Command(operation) if opened.insert(*operation) => {}
            Effect::Command(operation) => books.post(&plan.operations[*operation].postings)?,
        }
    }
    Ok(books)
}

/// Compares the end with what it must be.
///
/// # Errors
/// [`Failure`] if the ledger or the stores cannot be read at all.
pub(super) async fn check(
    outcome: &Outcome<'_>,
    plan: &Plan,
    expected: &Books,
    language: Language,
) -> Result<Checked, Failure> {
    let mut found = Findings { language, differences: Vec::new() };
    let ledger = outcome.directory.join("ledger").display().to_string();
    let inspected = ask(&["ledger", "inspect", "--data-dir", &ledger]).await?;
    let Some(transactions) = inspected["head"]["transactions"].as_u64() else {
        return Err(failure_said(&inspected, FailureKind::Environment));
    };
    found.compare_count(transactions, plan.step_count());
    let planned = balances(plan, expected);
    found.compare_balances(&outcome.report["balances"], &planned);
    let mut events = 0;
    for store in STORES {
        let path = outcome.directory.join(store).display().to_string();
        events += found.verified(store, &ask(&["journal", "verify", "--state", &path]).await?)?;
    }
    Ok(Checked { transactions, balances: planned.len(), events, differences: found.differences })
}

/// Every balance and supply with its name, in the order of the platform's report.
fn balances(plan: &Plan, books: &Books) -> Vec<(String, String)> {
    let of_asset = |asset| {
        let name = move |holder: &str| format!("{holder}, {}", plan.asset_name(asset));
        let held = PARTIES.map(|party: Party| (name(party.name()), hundredths(books.held(asset, party))));
        held.into_iter().chain([(name("supply"), hundredths(books.supply(asset)))])
    };
    assets(plan).into_iter().flat_map(of_asset).collect()
}

/// What is otherwise than it must be, so far.
struct Findings {
    language: Language,
    differences: Vec<(Text, String)>,
}

impl Findings {
    fn add(&mut self, line: Text, words: Text, values: &[(&str, &str)]) {
        let text = words.in_language(self.language).to_owned();
        let words = values.iter().fold(text, |text, (name, value)| text.replace(name, value));
        self.differences.push((line, words));
    }

    fn compare_count(&mut self, found: u64, planned: usize) {
        if found != planned as u64 {
            let values = [("{found}", &*found.to_string()), ("{planned}", &*planned.to_string())];
            self.add(Text::SameCount, Text::OtherCount, &values);
        }
    }

    /// The platform's report against the plan: both what its books say, and what the ledger says.
    fn compare_balances(&mut self, reported: &Value, planned: &[(String, String)]) {
        let reported = reported.as_array().map_or(&[][..], Vec::as_slice);
        for (line, side) in [(Text::SameBooks, "books"), (Text::SameLedger, "ledger")] {
            for (place, (name, planned)) in planned.iter().enumerate() {
                let found = reported.get(place).map_or("-", |one| one[side].as_str().unwrap_or("-"));
                if found != planned {
                    let values = [("{name}", name.as_str()), ("{found}", found), ("{planned}", planned)];
                    self.add(line, Text::OtherBalance, &values);
                }
            }
        }
    }

    /// How many events a store has, by what was said of it.
    fn verified(&mut self, store: &str, said: &Value) -> Result<u64, Failure> {
        let Some(events) = said["events"].as_u64() else {
            // It could not be read to its end: what is wrong with it is the difference, the place stands in its words.
            let Some(error) = said["error"].as_str() else {
                return Err(failure_said(said, FailureKind::Environment));
            };
            self.add(Text::Verified, Text::NotVerified, &[("{store}", store), ("{why}", error)]);
            return Ok(0);
        };
        for difference in said["stateDifferences"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.add(Text::Verified, Text::NotVerified, &[("{store}", store), ("{why}", difference)]);
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::bonds;
    use crate::demo::{Cast, Plan};
    use serde_json::json;

    fn findings() -> Findings {
        Findings { language: Language::En, differences: Vec::new() }
    }

    fn words(findings: Findings) -> Vec<String> {
        findings.differences.into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn another_number_of_transactions_is_found() {
        let mut found = findings();
        found.compare_count(212, 212);
        found.compare_count(213, 212);
        assert_eq!(words(found), ["the ledger has 213 transactions instead of 212"]);
    }

    #[test]
    fn a_balance_that_is_another_or_not_there_is_found_with_its_side() {
        let planned = [("Ana, LTN".to_owned(), "1.00".to_owned()), ("supply, LTN".to_owned(), "5.00".to_owned())];
        let mut found = findings();
        found.compare_balances(
            &json!([{ "books": "1.00", "ledger": "1.00" }, { "books": "5.00", "ledger": "5.00" }]),
            &planned,
        );
        assert_eq!(found.differences, []);
        found.compare_balances(&json!([{ "books": "1.00", "ledger": "1.01" }]), &planned);
        let expected = [
            (Text::SameBooks, "supply, LTN: - instead of 5.00".to_owned()),
            (Text::SameLedger, "Ana, LTN: 1.01 instead of 1.00".to_owned()),
            (Text::SameLedger, "supply, LTN: - instead of 5.00".to_owned()),
        ];
        assert_eq!(found.differences, expected);
    }

    #[test]
    fn a_store_that_does_not_verify_is_found() {
        let mut found = findings();
        assert_eq!(found.verified("a.db", &json!({ "events": 7, "stateDifferences": [] })).unwrap(), 7);
        assert_eq!(found.verified("a.db", &json!({ "events": 7, "stateDifferences": ["row 1"] })).unwrap(), 7);
        assert_eq!(found.verified("b.db", &json!({ "error": "event 3 is not as it was" })).unwrap(), 0);
        assert!(found.verified("b.db", &json!({})).is_err());
        assert_eq!(words(found), ["`a.db` does not verify: row 1", "`b.db` does not verify: event 3 is not as it was"]);
    }

    #[test]
    fn the_books_of_a_plan_have_every_asset_in_circulation() {
        let cast = Cast::new().unwrap();
        let plan = Plan::new(bonds(None).unwrap(), &|party| cast.wallet(party)).unwrap();
        let books = books_of(&plan).unwrap();
        for asset in assets(&plan) {
            let held: i128 = PARTIES.iter().map(|party| books.held(asset, *party)).sum();
            assert!(held > 0 && held == books.supply(asset), "{asset:?}: {held}");
        }
    }
}
