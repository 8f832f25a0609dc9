//! Keeps the demonstration's books in the journal: one event for each confirmed movement, under the key of its step.
//!
//! A step's key is used once, so that a run that goes on after it was killed posts nothing twice. The books are the fold of the
//! stream `books/demo`; beside it stand state rows with every balance, which `lastro journal verify --state` compares with the log.
//!
//! What must not happen here: reading a balance from the ledger.

use super::books::{Account, Asset, Books, PostError, Posting};
use super::parties::{BANKS, Bank, PARTIES, Party};
use alloy_primitives::B256;
use journal::aggregate::{Aggregate, Command, DecideError, Decided, Decision, LoadError, Streams};
use journal::limits::PAGE_EVENTS_MAX;
use journal::store::{Migration, StateRows};
use journal::{
    Audience, Cause, Clock, KeyScope, KeyState, KeyUse, OpenError, Parameter, Place, Statement, Store, StoreConfig,
    Value,
};
use messages::event::decode_payload;
use messages::{
    Actor, CommandId, DecodeError, EventBody, EventType, Fingerprint, NameError, Payload, PayloadError, StreamName,
    StreamVersion, TenantId,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// File of the journal in the demonstration's directory.
pub(crate) const JOURNAL_FILE: &str = "journal.db";

/// The state rows: what everybody has of everything. `units` is the balance in the asset's units; an issuer's is the supply.
pub(crate) const STATE_ROWS: StateRows = StateRows {
    name: "state rows",
    migrations: &[Migration {
        version: 1,
        sql: "CREATE TABLE demo_balances (asset TEXT NOT NULL, account TEXT NOT NULL, units TEXT NOT NULL, \
              PRIMARY KEY (asset, account))",
    }],
};

const TENANT: &str = "demo";
const STREAM: &str = "books/demo";
const CLIENT: &str = "lastro-demo";
const OPERATION: &str = "demo.post";

/// The keeper of the books.
#[derive(Debug)]
pub(crate) struct BookKeeper {
    store: Store,
    streams: Streams<BookStream>,
    stream: StreamName,
    tenant: TenantId,
    actor: Actor,
}

/// The journal cannot be used, or does not take a posting.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    /// A name of the demonstration is none: a bug, which a test finds.
    #[error("a name of the demonstration is refused")]
    Name(#[from] NameError),
    /// The store cannot be opened.
    #[error("cannot open the journal")]
    Open(#[from] OpenError),
    /// The books do not take it.
    #[error("the books refuse what moved in `{step}`")]
    Refused {
        /// The step.
        step: String,
        /// Why.
        source: PostError,
    },
    /// The journal did not take it.
    #[error("the journal did not take what moved in `{step}`")]
    Journal {
        /// The step.
        step: String,
        /// Why.
        source: Box<DecideError<PostError>>,
    },
    /// The books cannot be read.
    #[error("the books cannot be read from the journal")]
    Read(#[from] LoadError),
    /// The log holds a posting that its own books refuse, so nobody decided it: somebody else wrote to the store.
    #[error("the log was forged: the event of version {version} in stream `{STREAM}` moves what its own books refuse")]
    Forged {
        /// Its version in the stream.
        version: StreamVersion,
        /// Why the books refuse it.
        source: PostError,
    },
}

impl BookKeeper {
    /// Opens the books in a directory, or makes them.
    ///
    /// # Errors
    /// [`KeepError`] if the journal is held by another process or cannot be used.
    pub(crate) async fn open(directory: &Path) -> Result<Self, KeepError> {
        Self::open_at(Place::Sqlite { path: directory.join(JOURNAL_FILE) }).await
    }

    /// Opens the books in a store.
    ///
    /// # Errors
    /// [`KeepError`] if the journal is held by another process or cannot be used.
    pub(crate) async fn open_at(place: Place) -> Result<Self, KeepError> {
        let config = StoreConfig { state_rows: &[STATE_ROWS], clock: Clock::System, ..StoreConfig::at(place) };
        let store = Store::open(&config).await?;
        Ok(Self {
            streams: Streams::new(store.clone()),
            store,
            stream: StreamName::parse(STREAM)?,
            tenant: TenantId::parse(TENANT)?,
            actor: Actor::new("demo", CLIENT, None)?,
        })
    }

    /// Posts what moved in a step, once: a step that was posted before changes nothing.
    ///
    /// # Errors
    /// [`KeepError`] if somebody would hold less than nothing, or the journal does not take it.
    pub(crate) async fn post(&self, step: &str, transaction: B256, postings: &[Posting]) -> Result<(), KeepError> {
        let moved = Moved::new(step, transaction, postings);
        let command_id = self.store.entropy().command_id(self.store.clock().now());
        let key = Some(self.key(step, &moved, command_id)?);
        let command = Command { cause: self.cause(command_id), stream: self.stream.clone(), key };
        let decide = |books: &Books| {
            let mut after = books.clone();
            after.post(postings)?;
            let mut decision = Decision::of(vec![(moved.clone(), Audience::Private)]);
            for statement in state_rows(&after, postings) {
                let _ = decision.with.statement(statement);
            }
            Ok(decision)
        };
        match self.streams.decide(&command, decide).await {
            Ok(Decided::Done(_) | Decided::Repeated(_)) => Ok(()),
            Err(DecideError::Refused(source)) => Err(KeepError::Refused { step: step.to_owned(), source }),
            Err(error) => Err(KeepError::Journal { step: step.to_owned(), source: Box::new(error) }),
        }
    }

    /// The books, read from the journal.
    ///
    /// # Errors
    /// [`KeepError`] if the journal cannot be read.
    ///
    /// # Panics
    /// If the log holds what its own books refuse.
    pub(crate) async fn books(&self) -> Result<Books, KeepError> {
        Ok(self.streams.read(&self.tenant, &self.stream, |books, _| books.clone()).await?)
    }

    /// The books as an audit reads them: a log that nobody decided is an answer, and no bug of this process.
    async fn audited_books(&self) -> Result<Books, KeepError> {
        let (mut books, mut version) = (Books::default(), StreamVersion::EMPTY);
        loop {
            let page = self.store.stream_after(&self.tenant, &self.stream, version, PAGE_EVENTS_MAX).await;
            let page = page.map_err(LoadError::from)?;
            for event in &page {
                version = event.metadata.stream_version;
                let moved = Moved::decode(&event.metadata.event_type, event.metadata.type_version, &event.payload);
                let moved = moved.map_err(|source| LoadError::Decode { version, source })?;
                // Decoding has looked at every name in it.
                let postings = moved.postings().unwrap_or_default();
                books.post(&postings).map_err(|source| KeepError::Forged { version, source })?;
            }
            if page.len() < PAGE_EVENTS_MAX {
                return Ok(books);
            }
        }
    }

    /// The state rows that are not what the log says, and balances of the log that have no row.
    ///
    /// # Errors
    /// [`KeepError`] if the journal cannot be read, or holds what nobody decided.
    pub(crate) async fn state_differences(&self) -> Result<Vec<StateDifference>, KeepError> {
        let books = self.audited_books().await?;
        let mut by_the_log: BTreeMap<(String, String), String> = BTreeMap::new();
        for (asset, account) in books.accounts() {
            let _ = by_the_log.insert((asset_code(asset), account_code(account)), units_text(&books, asset, account));
        }
        let rows =
            self.store.rows("SELECT asset, account, units FROM demo_balances ORDER BY asset, account", &[]).await;
        let mut differences = Vec::new();
        for row in rows.map_err(LoadError::from)? {
            let text = |column: usize| row.get(column).and_then(Value::text).unwrap_or_default().to_owned();
            let (asset, account, row) = (text(0), text(1), text(2));
            let log = by_the_log.remove(&(asset.clone(), account.clone()));
            if log.as_ref() != Some(&row) {
                differences.push(StateDifference { asset, account, row: Some(row), log });
            }
        }
        let missing = by_the_log.into_iter();
        differences.extend(missing.map(|((asset, account), log)| StateDifference {
            asset,
            account,
            row: None,
            log: Some(log),
        }));
        Ok(differences)
    }

    /// Closes the journal.
    pub(crate) async fn close(&self) {
        self.store.close().await;
    }

    fn cause(&self, command: CommandId) -> Cause {
        Cause::beginning(self.tenant.clone(), self.actor.clone(), command)
    }

    fn key(&self, step: &str, moved: &Moved, command: CommandId) -> Result<KeyUse, KeepError> {
        Ok(KeyUse {
            scope: KeyScope::new(self.tenant.clone(), CLIENT, step)?,
            fingerprint: Fingerprint::of(OPERATION, STREAM, &json!(moved)),
            command,
            state: KeyState::Done,
            location: STREAM.into(),
            answer: None,
        })
    }
}

/// A balance on which the state rows and the log do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateDifference {
    asset: String,
    account: String,
    /// What the row says; `None` if there is none.
    row: Option<String>,
    /// What the log says; `None` if nothing.
    log: Option<String>,
}

impl std::fmt::Display for StateDifference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |units: &Option<String>| match units.as_deref().map(|units| units.trim_start_matches('0')) {
            None => "nothing".to_owned(),
            Some("") => "0".to_owned(),
            Some(units) => units.to_owned(),
        };
        let Self { asset, account, row, log } = self;
        write!(f, "`{account}` has {} of `{asset}` in its row, and {} by the log", shown(row), shown(log))
    }
}

/// The rows of every balance that the postings touch, as the books say them afterwards.
fn state_rows(after: &Books, postings: &[Posting]) -> Vec<Statement> {
    let mut touched: Vec<(Asset, Account)> =
        postings.iter().flat_map(|posting| [(posting.asset, posting.from), (posting.asset, posting.to)]).collect();
    touched.sort_unstable();
    touched.dedup();
    touched.into_iter().map(|(asset, account)| state_row(after, asset, account)).collect()
}

/// A balance as a state row has it: 39 digits, which is what 128 bits may need.
fn units_text(books: &Books, asset: Asset, account: Account) -> String {
    let units = match account {
        Account::Issued => books.supply(asset),
        Account::Held(party) => books.held(asset, party),
    };
    format!("{units:039}")
}

fn state_row(books: &Books, asset: Asset, account: Account) -> Statement {
    Statement {
        sql: "INSERT INTO demo_balances (asset, account, units) VALUES ($1, $2, $3) \
              ON CONFLICT (asset, account) DO UPDATE SET units = excluded.units",
        parameters: vec![
            Parameter::Text(asset_code(asset)),
            Parameter::Text(account_code(account)),
            Parameter::Text(units_text(books, asset, account)),
        ],
        rows_expected: Some(1),
    }
}

/// The stream of the books.
struct BookStream;

impl Aggregate for BookStream {
    type State = Books;
    type Event = Moved;

    fn apply(books: &mut Books, moved: &Moved) {
        // What the log holds was decided on these very books: it fits.
        let postings = moved.postings();
        let posted = postings.and_then(|postings| books.post(&postings).ok());
        assert!(posted.is_some(), "the journal holds a posting of `{}` that its own books refuse", moved.step);
    }
}

/// What moved in a step's transaction, as it was ordered and confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Moved {
    /// The step's key.
    step: String,
    /// Hash of its transaction.
    transaction: String,
    /// What moved.
    postings: Vec<PostingRecord>,
}

/// A posting as it is written: units are text, since they may be more than JSON holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PostingRecord {
    asset: String,
    from: String,
    to: String,
    units: String,
}

/// Type and version of [`Moved`].
const MOVED: (&str, u32) = ("demo.moved", 1);

impl Moved {
    fn new(step: &str, transaction: B256, postings: &[Posting]) -> Self {
        let record = |posting: &Posting| PostingRecord {
            asset: asset_code(posting.asset),
            from: account_code(posting.from),
            to: account_code(posting.to),
            units: posting.amount.to_string(),
        };
        let postings = postings.iter().map(record).collect();
        Self { step: step.to_owned(), transaction: transaction.to_string(), postings }
    }

    /// The postings; `None` if a name in them is none.
    fn postings(&self) -> Option<Vec<Posting>> {
        let posting = |record: &PostingRecord| {
            Some(Posting {
                asset: asset_of(&record.asset)?,
                from: account_of(&record.from)?,
                to: account_of(&record.to)?,
                amount: record.units.parse().ok()?,
            })
        };
        self.postings.iter().map(posting).collect()
    }
}

impl EventBody for Moved {
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError> {
        Ok((EventType::of(MOVED.0), MOVED.1, Payload::of(self)?))
    }

    fn decode(event_type: &EventType, version: u32, payload: &Payload) -> Result<Self, DecodeError> {
        if event_type.as_str() != MOVED.0 {
            return Err(DecodeError::UnknownType { event_type: event_type.clone() });
        }
        let moved: Self = decode_payload(event_type, version, payload, &[])?;
        if moved.postings().is_none() {
            let why = "a posting names an asset, account or amount that there is not".to_owned();
            return Err(DecodeError::Form { event_type: event_type.clone(), version, why });
        }
        Ok(moved)
    }
}

fn asset_code(asset: Asset) -> String {
    match asset {
        Asset::RealDigital => "real_digital".to_owned(),
        Asset::RealTokenizado(bank) => format!("real_tokenizado/{}", bank_code(bank)),
        Asset::Bond(place) => format!("bond/{place}"),
    }
}

fn asset_of(code: &str) -> Option<Asset> {
    match code.split_once('/') {
        None => (code == "real_digital").then_some(Asset::RealDigital),
        Some(("real_tokenizado", bank)) => {
            BANKS.into_iter().find(|known| bank_code(*known) == bank).map(Asset::RealTokenizado)
        }
        Some(("bond", place)) => place.parse().ok().map(Asset::Bond),
        Some(_) => None,
    }
}

const fn bank_code(bank: Bank) -> &'static str {
    match bank {
        Bank::Ipe => "ipe",
        Bank::Jatoba => "jatoba",
    }
}

fn account_code(account: Account) -> String {
    match account {
        Account::Issued => "issued".to_owned(),
        Account::Held(party) => party.key_label().to_string(),
    }
}

fn account_of(code: &str) -> Option<Account> {
    if code == "issued" {
        return Some(Account::Issued);
    }
    PARTIES.into_iter().find(|party: &Party| party.key_label().to_string() == code).map(Account::Held)
}

#[cfg(test)]
mod tests {
    use super::super::session::keep_failure;
    use super::*;
    use crate::failure::FailureKind;
    use journal::{Expected, NewEvent, UnitOfWork};

    fn every_account() -> Vec<Account> {
        let held = PARTIES.into_iter().map(Account::Held);
        std::iter::once(Account::Issued).chain(held).collect()
    }

    fn minted(amount: u64) -> Posting {
        let to = Account::Held(Party::Bank(Bank::Ipe));
        Posting { asset: Asset::RealDigital, from: Account::Issued, to, amount }
    }

    #[test]
    fn every_asset_and_account_is_read_back_from_its_code() {
        let assets =
            [Asset::RealDigital, Asset::RealTokenizado(Bank::Ipe), Asset::RealTokenizado(Bank::Jatoba), Asset::Bond(7)];
        for asset in assets {
            assert_eq!(asset_of(&asset_code(asset)), Some(asset));
        }
        for account in every_account() {
            assert_eq!(account_of(&account_code(account)), Some(account));
        }
        assert_eq!((asset_of("bond/x"), account_of("nobody")), (None, None));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_step_is_posted_once_whoever_posts_it_again() {
        let directory = tempfile::tempdir().unwrap();
        let keeper = BookKeeper::open(directory.path()).await.unwrap();
        for _ in 0..2 {
            keeper.post("demo/fund/001", B256::ZERO, &[minted(100)]).await.unwrap();
        }
        keeper.close().await;
        let keeper = BookKeeper::open(directory.path()).await.unwrap();
        keeper.post("demo/fund/001", B256::ZERO, &[minted(100)]).await.unwrap();
        keeper.post("demo/fund/002", B256::ZERO, &[minted(20)]).await.unwrap();
        let books = keeper.books().await.unwrap();
        assert_eq!((books.supply(Asset::RealDigital), books.postings()), (120, 2));
        keeper.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_state_row_that_somebody_changed_is_named_with_both_figures() {
        let directory = tempfile::tempdir().unwrap();
        let keeper = BookKeeper::open(directory.path()).await.unwrap();
        keeper.post("demo/fund/001", B256::ZERO, &[minted(100)]).await.unwrap();
        assert_eq!(keeper.state_differences().await.unwrap(), []);
        let mut unit = UnitOfWork::new();
        let sql = "UPDATE demo_balances SET units = $1 WHERE account = $2";
        let parameters = vec![Parameter::Text(format!("{:039}", 101)), Parameter::Text("demo-bank-ipe".to_owned())];
        let _ = unit.statement(Statement { sql, parameters, rows_expected: Some(1) });
        drop(keeper.store.append(unit).await.unwrap());
        let differences = keeper.state_differences().await.unwrap();
        let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["`demo-bank-ipe` has 101 of `real_digital` in its row, and 100 by the log"]);
        keeper.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_posting_that_nobody_decided_is_named_by_its_version() {
        let directory = tempfile::tempdir().unwrap();
        let keeper = BookKeeper::open(directory.path()).await.unwrap();
        keeper.post("demo/fund/001", B256::ZERO, &[minted(100)]).await.unwrap();
        // Written by the store itself, so that every hash is right.
        let overdraw = Posting { from: Account::Held(Party::Treasury), ..minted(5) };
        let (event_type, type_version, payload) = Moved::new("forged", B256::ZERO, &[overdraw]).encode().unwrap();
        let audience = Audience::Private;
        let forged = NewEvent { id: keeper.store.event_id(), event_type, type_version, payload, audience };
        let command = keeper.store.entropy().command_id(keeper.store.clock().now());
        let (cause, expected) = (keeper.cause(command), Expected::Version(StreamVersion::EMPTY.next()));
        let mut unit = UnitOfWork::new();
        let _ = unit.append(&cause, keeper.stream.clone(), expected, vec![forged]);
        drop(keeper.store.append(unit).await.unwrap());
        let refused = keeper.state_differences().await.unwrap_err();
        let expected =
            "the log was forged: the event of version 2 in stream `books/demo` moves what its own books refuse";
        assert_eq!(refused.to_string(), expected);
        assert!(matches!(refused, KeepError::Forged { source: PostError::Overdrawn { amount: 5, .. }, .. }));
        assert_eq!(keep_failure(refused).kind, FailureKind::Refused);
        keeper.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_nobody_has_is_refused_and_leaves_the_books_as_they_were() {
        let directory = tempfile::tempdir().unwrap();
        let keeper = BookKeeper::open(directory.path()).await.unwrap();
        let overdraw = Posting { from: Account::Held(Party::Treasury), ..minted(5) };
        let refused = keeper.post("demo/fund/003", B256::ZERO, &[overdraw]).await.unwrap_err();
        assert!(
            matches!(refused, KeepError::Refused { source: PostError::Overdrawn { amount: 5, .. }, .. }),
            "{refused}"
        );
        assert_eq!(keeper.books().await.unwrap(), Books::default());
        keeper.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_same_step_with_other_postings_is_not_taken_for_a_repetition() {
        let directory = tempfile::tempdir().unwrap();
        let keeper = BookKeeper::open(directory.path()).await.unwrap();
        keeper.post("demo/fund/001", B256::ZERO, &[minted(100)]).await.unwrap();
        let refused = keeper.post("demo/fund/001", B256::ZERO, &[minted(101)]).await.unwrap_err();
        assert!(matches!(refused, KeepError::Journal { .. }), "{refused}");
        // It would be refused each time: nobody is told to try again.
        let failure = keep_failure(refused);
        assert_eq!(failure.kind, FailureKind::Refused);
        assert!(failure.hint.unwrap().contains("choose another directory"));
        assert_eq!(keeper.books().await.unwrap().supply(Asset::RealDigital), 100);
        keeper.close().await;
    }
}
