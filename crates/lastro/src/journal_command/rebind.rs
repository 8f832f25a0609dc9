//! `lastro journal rebind`: what became of a consumer's log, what each way to go on costs, and the way that a person chose.

use super::environment;
use super::services::open_any;
use super::source::place_of;
use crate::cli::{JournalRebind, JournalSource};
use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use anyhow::anyhow;
use journal::consumer::{RebindError, RebindTo, Rebinding};
use journal::{Cause, Cursor, Feed, Store};
use messages::{Actor, Position, TenantId};
use serde_json::{Value, json};

/// Whose data the record of a rebinding is: nobody's but the operator's.
const TENANT: &str = "operator";
const CLIENT: &str = "lastro-journal";

/// Says what there is, and does what was chosen.
///
/// # Errors
/// [`Failure`] if there is no such consumer, a store cannot be used, or the consumer has moved meanwhile.
pub(super) async fn run(arguments: &JournalRebind, printer: &Printer) -> Result<(), Failure> {
    let store = open_any(place_of(&arguments.store)?).await?;
    let log = match &arguments.feed {
        None => store.clone(),
        Some(feed) => {
            let named = JournalSource { source: feed.clone(), schema: arguments.store.schema.clone() };
            open_any(place_of(&named)?).await?
        }
    };
    let done = rebind(arguments, &store, &log, printer).await;
    log.close().await;
    store.close().await;
    done
}

async fn rebind(arguments: &JournalRebind, store: &Store, log: &Store, printer: &Printer) -> Result<(), Failure> {
    let consumer = arguments.consumer.as_str();
    let Some(cursor) = store.cursor(consumer).await.map_err(environment)? else {
        let error = anyhow!("the store has no consumer `{consumer}`");
        return Err(Failure::new(FailureKind::Refused, error).with_hint("name the store that the consumer writes to"));
    };
    let seen = Seen::of(cursor, log).await?;
    seen.show(printer);
    let feed = Feed::Own(log.clone());
    let here = RebindTo::After(cursor.position.min(seen.head.position));
    let chosen = match (arguments.to_start, arguments.to_position, arguments.accept_here) {
        (true, ..) => Some(RebindTo::Start),
        (_, Some(position), _) => Some(RebindTo::After(Position::new(position))),
        (.., true) => Some(here),
        _ => None,
    };
    let Some(chosen) = chosen else {
        let mut choices = Vec::new();
        for (flag, to) in [("--to-start", RebindTo::Start), ("--accept-here", here)] {
            let plan = Rebinding::plan(consumer, &feed, store, to).await.map_err(failure)?;
            printer.line(&format!("\n`{flag}`: {plan}"));
            choices.push(plan_json(flag, &plan));
        }
        printer.note("nothing was changed: choose, or `--to-position N`, and say why with `--reason`");
        printer.json(&json!({ "seen": seen.as_json(), "choices": choices, "rebound": false }));
        return Ok(());
    };
    let plan = Rebinding::plan(consumer, &feed, store, chosen).await.map_err(failure)?;
    let reason = arguments.reason.as_deref().unwrap_or_default();
    let position = plan.apply_recorded(store, &cause(arguments, store)?, reason).await.map_err(failure)?;
    printer.line(&format!("\n{plan}"));
    printer.done(&format!("done, and recorded at place {position}"));
    let rebound = plan_json("chosen", &plan);
    printer.json(
        &json!({ "seen": seen.as_json(), "choices": [rebound], "rebound": true, "recordedAt": position.number() }),
    );
    Ok(())
}

/// The consumer's place, and what stands there now.
struct Seen {
    cursor: Cursor,
    head: Cursor,
    /// The hash at the cursor's place; `None` if the log ends before.
    there: Option<Cursor>,
}

impl Seen {
    async fn of(cursor: Cursor, log: &Store) -> Result<Self, Failure> {
        let head = log.head().await.map_err(environment)?;
        let there = match cursor.position.number().checked_sub(1) {
            None => Some(Cursor::start(log.id())),
            Some(before) => {
                let event = log.events_after(Position::new(before), 1).await.map_err(environment)?.pop();
                event.as_ref().map(journal::feed::after)
            }
        };
        Ok(Self { cursor, head, there })
    }

    fn verdict(&self) -> &'static str {
        match self.there {
            _ if self.cursor.store != self.head.store => "replaced",
            Some(there) if there.hash == self.cursor.hash => "unchanged",
            _ => "rewound",
        }
    }

    fn show(&self, printer: &Printer) {
        let there = self.there.map_or_else(|| "no event".to_owned(), |there| there.hash.to_string());
        printer.line(&format!("read       store {}", self.cursor.store));
        printer.line(&format!("           place {} with {}", self.cursor.position, self.cursor.hash));
        printer.line(&format!("there now  store {}", self.head.store));
        printer.line(&format!("           place {} with {there}", self.cursor.position));
        printer.line(&format!("           the log ends at {}", self.head.position));
        printer.line(&format!("the log    {}", self.verdict()));
    }

    fn as_json(&self) -> Value {
        json!({
            "cursor": cursor_json(self.cursor),
            "there": self.there.map(cursor_json),
            "head": cursor_json(self.head),
            "log": self.verdict(),
        })
    }
}

fn cursor_json(cursor: Cursor) -> Value {
    let Cursor { store, position, hash } = cursor;
    json!({ "store": store.to_string(), "position": position.number(), "hash": hash.to_string() })
}

fn plan_json(choice: &str, plan: &Rebinding) -> Value {
    json!({
        "choice": choice,
        "to": cursor_json(plan.to),
        "handledAgainMax": plan.handled_again_max,
        "neverHandledMax": plan.never_handled_max,
    })
}

fn cause(arguments: &JournalRebind, store: &Store) -> Result<Cause, Failure> {
    let usage = |error: messages::NameError| Failure::new(FailureKind::Usage, error);
    let who = who_does_it(arguments.who.as_deref())?;
    let command = store.entropy().command_id(store.clock().now());
    let (tenant, actor) = (TenantId::parse(TENANT).map_err(usage)?, Actor::new(&who, CLIENT, None).map_err(usage)?);
    Ok(Cause::beginning(tenant, actor, command))
}

/// Who is named, or else the user of the operating system.
///
/// # Errors
/// [`FailureKind::Usage`] if neither is known.
pub(crate) fn who_does_it(named: Option<&str>) -> Result<String, Failure> {
    let of_the_system = || std::env::var("USER").ok().filter(|user| !user.is_empty());
    named.map(str::to_owned).or_else(of_the_system).ok_or_else(|| {
        Failure::new(FailureKind::Usage, anyhow!("nobody knows who does this")).with_hint("say so with `--who`")
    })
}

fn failure(error: RebindError) -> Failure {
    match error {
        RebindError::NoEvent { .. } | RebindError::Reason { .. } => Failure::new(FailureKind::Usage, error),
        RebindError::Append(_) => {
            Failure::new(FailureKind::Refused, error).with_hint("stop the consumer, then look again")
        }
        RebindError::Payload(_) | RebindError::Stream(_) | RebindError::Store(_) => environment(error),
    }
}
