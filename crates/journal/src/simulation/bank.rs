//! What the simulated service keeps: accounts with a balance and a name, and promises that are settled when their time comes.

use std::time::Duration;

use messages::{
    Actor, CommandId, DecodeError, EventBody, EventType, Fingerprint, Payload, PayloadError, StreamName, TenantId,
    event,
};
use serde::{Deserialize, Serialize};

use crate::aggregate::{Aggregate, Command, Decision};
use crate::key::{KeyScope, KeyState, KeyUse};
use crate::store::{Migration, StateRows, Store};
use crate::unit::{Audience, Cause, Claim, Expected, NewEvent, Parameter, Statement, Timer, TimerName, UnitOfWork};

/// Balances as state rows: they must agree with the log at every moment.
pub(super) const STATE_ROWS: &[StateRows] = &[StateRows { name: "state rows", migrations: MIGRATIONS }];

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    sql: "CREATE TABLE accounts (account TEXT NOT NULL PRIMARY KEY, balance BIGINT NOT NULL)",
}];

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Deposited,
    Withdrawn,
    Received,
    Named,
    Noted,
    Promised,
    Settled,
    Seen,
}

const KINDS: [(Kind, &str); 8] = [
    (Kind::Deposited, "bank.deposited"),
    (Kind::Withdrawn, "bank.withdrawn"),
    (Kind::Received, "bank.received"),
    (Kind::Named, "bank.named"),
    (Kind::Noted, "bank.noted"),
    (Kind::Promised, "bank.promised"),
    (Kind::Settled, "bank.settled"),
    (Kind::Seen, "bank.seen"),
];

impl Kind {
    fn type_name(self) -> EventType {
        EventType::of(KINDS.iter().find(|(kind, _)| *kind == self).unwrap().1)
    }

    /// What a private type is: others do not read it.
    const fn audience(self) -> Audience {
        match self {
            Self::Noted | Self::Received | Self::Seen => Audience::Private,
            Self::Deposited | Self::Withdrawn | Self::Named | Self::Promised | Self::Settled => Audience::Published,
        }
    }
}

/// An event: what, by which order, and how much. A [`Kind::Seen`] has the position of what was seen as its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BankEvent {
    pub(super) kind: Kind,
    pub(super) order: u64,
    pub(super) amount: i64,
}

#[derive(Serialize, Deserialize)]
struct Body {
    order: u64,
    amount: i64,
}

impl EventBody for BankEvent {
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError> {
        let body = Body { order: self.order, amount: self.amount };
        Ok((self.kind.type_name(), 1, Payload::of(&body)?))
    }

    fn decode(event_type: &EventType, version: u32, payload: &Payload) -> Result<Self, DecodeError> {
        let kind = KINDS.iter().find(|(_, name)| *name == event_type.as_str());
        let (kind, _) = kind.ok_or_else(|| DecodeError::UnknownType { event_type: event_type.clone() })?;
        let Body { order, amount } = event::decode_payload(event_type, version, payload, &[])?;
        Ok(Self { kind: *kind, order, amount })
    }
}

impl BankEvent {
    /// What it adds to its account's balance.
    pub(super) const fn gain(&self) -> i64 {
        match self.kind {
            Kind::Deposited | Kind::Received => self.amount,
            Kind::Withdrawn => -self.amount,
            _ => 0,
        }
    }

    pub(super) fn appended(self, store: &Store) -> NewEvent {
        let (event_type, type_version, payload) = self.encode().unwrap();
        NewEvent { id: store.event_id(), event_type, type_version, payload, audience: self.kind.audience() }
    }
}

/// The aggregate.
pub(super) struct Account;

/// An account's state.
#[derive(Debug, Default)]
pub(super) struct Balance(pub(super) i64);

impl Aggregate for Account {
    type State = Balance;
    type Event = BankEvent;

    fn apply(state: &mut Balance, event: &BankEvent) {
        state.0 += event.gain();
    }
}

/// What a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Deposit {
        account: u64,
        amount: i64,
    },
    Withdraw {
        account: u64,
        amount: i64,
    },
    /// Two streams in one unit.
    Transfer {
        from: u64,
        to: u64,
        amount: i64,
    },
    /// A name that only one account may have.
    Name {
        account: u64,
        name: u64,
    },
    /// Without a key and without regard to what is there.
    Note {
        account: u64,
    },
    /// Accepted now, done when a timer fires.
    Promise {
        account: u64,
        after: Duration,
    },
}

/// What makes a unit fail that was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A statement that the database refuses.
    Statement,
    /// A statement that finds no row to change.
    Rows,
}

/// A wish with its number, which is also its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) number: u64,
    pub(super) wish: Wish,
    pub(super) flaw: Option<Flaw>,
}

/// An account has less than is taken from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Insufficient;

pub(super) fn tenant() -> TenantId {
    TenantId::parse("bank").unwrap()
}

pub(super) fn stream(account: u64) -> StreamName {
    StreamName::parse(&format!("account/{account}")).unwrap()
}

/// The stream that reactions are written to.
pub(super) fn seen_stream() -> StreamName {
    StreamName::parse("seen").unwrap()
}

pub(super) fn cause(command: CommandId) -> Cause {
    let actor = Actor::new("ana", "app", None).unwrap();
    Cause { tenant: tenant(), actor, command, correlation: command, causation: None, trace_parent: None }
}

impl Order {
    pub(super) fn scope(&self) -> KeyScope {
        KeyScope::new(tenant(), "app", &format!("k{}", self.number)).unwrap()
    }

    /// `body` is 0, or another number for a request that is not the same.
    pub(super) fn fingerprint(&self, body: u64) -> Fingerprint {
        Fingerprint::of("wish", "/v1/wishes", &serde_json::json!([self.number, body]))
    }

    pub(super) fn key(&self, command: CommandId, body: u64) -> KeyUse {
        let is_open = self.finishes_later();
        KeyUse {
            scope: self.scope(),
            fingerprint: self.fingerprint(body),
            command,
            state: if is_open { KeyState::Accepted } else { KeyState::Done },
            location: format!("/v1/wishes/{}", self.number).into(),
            answer: (!is_open).then(|| self.number.to_be_bytes().into()),
        }
    }

    /// Whether its key is finished by its timer; of promises that is every other one.
    pub(super) const fn finishes_later(&self) -> bool {
        matches!(self.wish, Wish::Promise { .. }) && self.number.is_multiple_of(2)
    }

    pub(super) fn timer(&self) -> TimerName {
        TimerName { tenant: tenant(), name: format!("settle/{}", self.number).into() }
    }

    const fn event(&self, kind: Kind, amount: i64) -> BankEvent {
        BankEvent { kind, order: self.number, amount }
    }

    /// The stream that it is decided on, if it is decided on one.
    pub(super) const fn decided_on(&self) -> Option<u64> {
        match self.wish {
            Wish::Deposit { account, .. } | Wish::Withdraw { account, .. } | Wish::Name { account, .. } => {
                Some(account)
            }
            Wish::Transfer { from, .. } => Some(from),
            Wish::Note { .. } | Wish::Promise { .. } => None,
        }
    }

    pub(super) fn command(&self, account: u64, command: CommandId, body: u64) -> Command {
        Command { cause: cause(command), stream: stream(account), key: Some(self.key(command, body)) }
    }

    /// The decision on an account's state.
    pub(super) fn decide(
        &self,
        state: &Balance,
        store: &Store,
        command: CommandId,
    ) -> Result<Decision<BankEvent>, Insufficient> {
        let mut with = UnitOfWork::new();
        self.spoil(&mut with);
        let event = match self.wish {
            Wish::Deposit { account, amount } => {
                let _ = with.statement(add(account, amount));
                self.event(Kind::Deposited, amount)
            }
            Wish::Withdraw { amount, .. } | Wish::Transfer { amount, .. } if state.0 < amount => {
                return Err(Insufficient);
            }
            Wish::Withdraw { account, amount } => {
                let _ = with.statement(take(account, amount));
                self.event(Kind::Withdrawn, amount)
            }
            Wish::Transfer { from, to, amount } => {
                let received = self.event(Kind::Received, amount).appended(store);
                let _ = with.append(&cause(command), stream(to), Expected::Any, vec![received]);
                let _ = with.statement(take(from, amount)).statement(add(to, amount));
                self.event(Kind::Withdrawn, amount)
            }
            Wish::Name { account, name } => {
                let claim = Claim { tenant: tenant(), kind: "name".into(), value: name.to_string().into() };
                let _ = with.claim(claim, stream(account));
                self.event(Kind::Named, i64::try_from(name).unwrap())
            }
            Wish::Note { .. } | Wish::Promise { .. } => unreachable!("it is not decided on a stream"),
        };
        Ok(Decision { events: vec![(event, event.kind.audience())], with })
    }

    /// The unit of a wish that is not decided on a stream's state.
    pub(super) fn unit(&self, store: &Store, command: CommandId, body: u64) -> UnitOfWork {
        let mut unit = UnitOfWork::new();
        self.spoil(&mut unit);
        match self.wish {
            Wish::Note { account } => {
                let noted = self.event(Kind::Noted, 0).appended(store);
                let _ = unit.append(&cause(command), stream(account), Expected::Any, vec![noted]);
            }
            Wish::Promise { account, after } => {
                let promised = self.event(Kind::Promised, i64::try_from(account).unwrap());
                let due = store.clock().now().after(after);
                let payload = Payload::of(&Body { order: self.number, amount: promised.amount }).unwrap();
                let _ = unit
                    .append(&cause(command), stream(account), Expected::Any, vec![promised.appended(store)])
                    .set_timer(Timer { name: self.timer(), due, payload })
                    .use_key(self.key(command, body));
            }
            _ => unreachable!("it is decided on a stream"),
        }
        unit
    }

    fn spoil(&self, unit: &mut UnitOfWork) {
        match self.flaw {
            None => {}
            Some(Flaw::Statement) => {
                let sql = "INSERT INTO accounts (account, balance) VALUES ($1, NULL)";
                let parameters = vec![Parameter::Text(format!("flawed {}", self.number))];
                let _ = unit.statement(Statement { sql, parameters, rows_expected: None });
            }
            Some(Flaw::Rows) => {
                let sql = "UPDATE accounts SET balance = 0 WHERE account = $1";
                let parameters = vec![Parameter::Text("nobody's".to_owned())];
                let _ = unit.statement(Statement { sql, parameters, rows_expected: Some(1) });
            }
        }
    }
}

/// What a timer's payload says: the order that is due, and its account.
pub(super) fn due_order(timer: &Timer) -> (u64, u64) {
    let Body { order, amount } = serde_json::from_slice(timer.payload.as_bytes()).unwrap();
    (order, u64::try_from(amount).unwrap())
}

fn add(account: u64, amount: i64) -> Statement {
    Statement {
        sql: "INSERT INTO accounts (account, balance) VALUES ($1, $2)
            ON CONFLICT (account) DO UPDATE SET balance = accounts.balance + excluded.balance",
        parameters: vec![Parameter::Text(stream(account).to_string()), Parameter::Integer(amount)],
        rows_expected: Some(1),
    }
}

/// The statement does not look whether there is enough: the decision did.
fn take(account: u64, amount: i64) -> Statement {
    Statement {
        sql: "UPDATE accounts SET balance = balance - $2 WHERE account = $1",
        parameters: vec![Parameter::Text(stream(account).to_string()), Parameter::Integer(amount)],
        rows_expected: Some(1),
    }
}
