//! `lastro lane …`: lanes, looked at, paused, resumed and drained. No key is ever used.

pub(crate) mod drain;

use crate::cli::{LaneCommand, LaneDrain, LaneList, LanePauseArguments, LaneResume, Language};
use crate::doctor_command::catalogue::filled;
use crate::failure::{Failure, FailureKind};
use crate::journal_command::environment;
use crate::lane_store::{Looking, moment, reason_of, who_of};
use crate::printer::{Mark, Printer};
use crate::table::{Align, Table};
use alloy_primitives::Address;
use anyhow::anyhow;
use chain::{KeyRetirement, LaneLine, LanePause, Listed, PauseError, Paused, Resumed};
use custody::Custody;
use drain::{Left, Waiting};
use serde_json::{Value, json};

/// Runs one of the commands.
pub(crate) fn run(command: &LaneCommand, printer: &Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(environment)?;
    match command {
        LaneCommand::List(arguments) => runtime.block_on(list(arguments, printer)),
        LaneCommand::Pause(arguments) => runtime.block_on(pause(arguments, printer)),
        LaneCommand::Resume(arguments) => runtime.block_on(resume(arguments, printer)),
        LaneCommand::Drain(arguments) => runtime.block_on(drain(arguments, printer)),
    }
}

async fn list(arguments: &LaneList, printer: &Printer) -> Result<(), Failure> {
    let looking = Looking::open(&arguments.report.store).await?;
    let listed = looking.inspection.lanes().await.map_err(environment);
    let (chain_id, genesis) = (looking.inspection.chain_id(), looking.inspection.genesis());
    looking.inspection.close().await;
    let listed = listed?;
    show_lanes(&listed, arguments.report.lang, printer);
    let lanes: Vec<Value> = listed.lines.iter().map(lane_json).collect();
    printer.json(&json!({ "chainId": chain_id, "genesisHash": genesis, "lanes": lanes, "hasMore": listed.has_more }));
    Ok(())
}

fn show_lanes(listed: &Listed<LaneLine>, lang: Language, printer: &Printer) {
    let words = Words::of(lang);
    if listed.lines.is_empty() {
        return printer.line(words.no_lanes);
    }
    let [sender, next, open, waiting, taken, paused, retired] = words.columns;
    let mut table = Table::new([
        (Align::Left, sender),
        (Align::Right, next),
        (Align::Right, open),
        (Align::Right, waiting),
        (Align::Right, taken),
        (Align::Left, paused),
        (Align::Left, retired),
    ]);
    for lane in &listed.lines {
        table.row([
            lane.sender.to_string(),
            lane.next_nonce.to_string(),
            lane.open_count.to_string(),
            lane.waiting_count.to_string(),
            lane.taken_count.to_string(),
            lane.paused.as_ref().map_or_else(|| "-".to_owned(), |pause| pause_in_words(pause, words)),
            lane.retirement.as_ref().map_or_else(|| "-".to_owned(), |one| retirement_in_words(one, lang)),
        ]);
    }
    table.lines().iter().for_each(|line| printer.line(line));
    if listed.has_more {
        printer.line(words.has_more);
    }
}

fn pause_in_words(pause: &LanePause, words: &Words) -> String {
    let facts = [("reason", pause.reason.clone()), ("who", pause.who.clone()), ("since", moment(pause.since))];
    filled(words.pause, &facts)
}

async fn pause(arguments: &LanePauseArguments, printer: &Printer) -> Result<(), Failure> {
    let (why, who) = (reason_of(&arguments.reason)?, who_of(&arguments.who)?);
    let looking = Looking::open(&arguments.report.store).await?;
    let paused = looking.inspection.pause_lane(arguments.sender, &why, &who).await;
    looking.inspection.close().await;
    let (paused, words) = (paused.map_err(pause_failure)?, Words::of(arguments.report.lang));
    tell_paused(&paused, words, printer);
    printer.note(words.still_sent);
    let (reason, by) = match &paused {
        Paused::Now => (why.to_string(), who.to_string()),
        Paused::Before(pause) => (pause.reason.clone(), pause.who.clone()),
    };
    printer.json(&json!({
        "sender": arguments.sender.to_string(),
        "isPaused": true,
        "wasPaused": matches!(paused, Paused::Before(_)),
        "reason": reason,
        "who": by,
    }));
    Ok(())
}

fn tell_paused(paused: &Paused, words: &Words, printer: &Printer) {
    match paused {
        Paused::Now => printer.line(words.paused_now),
        Paused::Before(pause) => {
            printer.line(&filled(words.paused_before, &[("pause", pause_in_words(pause, words))]));
        }
    }
}

async fn resume(arguments: &LaneResume, printer: &Printer) -> Result<(), Failure> {
    let who = who_of(&arguments.who)?;
    let looking = Looking::open(&arguments.report.store).await?;
    let resumed = looking.inspection.resume_lane(arguments.sender, &who).await;
    looking.inspection.close().await;
    let (resumed, words) = (resumed.map_err(pause_failure)?, Words::of(arguments.report.lang));
    printer.line(match resumed {
        Resumed::Now => words.resumed_now,
        Resumed::GivenUp => words.resumed_given_up,
        Resumed::Before => words.resumed_before,
    });
    printer.json(&json!({
        "sender": arguments.sender.to_string(),
        "isPaused": false,
        "wasPaused": resumed != Resumed::Before,
        "isRetirementGivenUp": resumed == Resumed::GivenUp,
        "who": who.to_string(),
    }));
    Ok(())
}

async fn drain(arguments: &LaneDrain, printer: &Printer) -> Result<(), Failure> {
    let (why, who) = (reason_of(&arguments.reason)?, who_of(&arguments.who)?);
    let words = Words::of(arguments.report.lang);
    let looking = Looking::open(&arguments.report.store).await?;
    let chain = looking.chain(&arguments.ledger, |profile| Ok(Custody::new(profile.network()))).await?;
    let drained = async {
        let mut waiting = Waiting::of(&chain, arguments.sender, &arguments.ledger)?;
        let paused = chain.pause_lane(arguments.sender, &why, &who).await.map_err(pause_failure)?;
        tell_paused(&paused, words, printer);
        let left = waiting.until_drained(arguments.report.lang, printer).await?;
        Ok(Drained { was_paused: matches!(paused, Paused::Before(_)), left })
    };
    let drained: Result<Drained, Failure> = drained.await;
    chain.close().await;
    let drained = drained?;
    printer.json(&json!({
        "sender": arguments.sender.to_string(),
        "isPaused": true,
        "wasPaused": drained.was_paused,
        "isDrained": drained.left.open_count == 0,
        "openCount": drained.left.open_count,
    }));
    drained.judged(arguments.sender, words, printer)
}

/// How a drain ended.
struct Drained {
    was_paused: bool,
    left: Left,
}

impl Drained {
    fn judged(&self, sender: Address, words: &Words, printer: &Printer) -> Result<(), Failure> {
        let count = self.left.open_count;
        if count == 0 {
            printer.marked_line(Mark::Good, words.drained, words.nothing_open);
            return Ok(());
        }
        let left = filled(words.left_open, &[("count", count.to_string())]);
        printer.marked_line(Mark::Doubtful, words.not_drained, &left);
        let error = anyhow!("{}; the lane of {sender} stays paused", self.left);
        let hint = "`lastro tx list STORE --open` names them; drain it again, or `lastro lane resume`";
        Err(Failure::new(FailureKind::Unknown, error).with_hint(hint))
    }
}

fn pause_failure(error: PauseError) -> Failure {
    match error {
        PauseError::NoSuchLane { .. } => {
            Failure::new(FailureKind::Usage, error).with_hint("`lastro lane list STORE` names those that it has")
        }
        PauseError::Contended { .. } => {
            Failure::new(FailureKind::Refused, error).with_hint("look at it with `lastro lane list`, and do it again")
        }
        PauseError::Retired { .. } => Failure::new(FailureKind::Refused, error),
        PauseError::Store(_) => environment(error),
    }
}

fn lane_json(lane: &LaneLine) -> Value {
    let paused = lane
        .paused
        .as_ref()
        .map(|pause| json!({ "reason": pause.reason, "who": pause.who, "sinceMicroseconds": pause.since.micros() }));
    json!({
        "sender": lane.sender.to_string(),
        "nextNonce": lane.next_nonce,
        "openCount": lane.open_count,
        "waitingCount": lane.waiting_count,
        "takenCount": lane.taken_count,
        "leasedUntilMicroseconds": lane.leased_until.map(messages::Timestamp::micros),
        "paused": paused,
        "retirement": lane.retirement.as_ref().map(retirement_json),
    })
}

/// The end of a key in the words of a list.
pub(crate) fn retirement_in_words(retirement: &KeyRetirement, lang: Language) -> String {
    let words = Words::of(lang);
    let (text, since) = match retirement.retired {
        Some(retired) => (words.retired, retired),
        None => (words.retiring, retirement.begun),
    };
    let successor = retirement.successor.map_or_else(|| words.no_successor.to_owned(), |one| one.to_string());
    let (reason, who) = (retirement.reason.clone(), retirement.who.clone());
    filled(text, &[("since", moment(since)), ("successor", successor), ("reason", reason), ("who", who)])
}

pub(crate) fn retirement_json(retirement: &KeyRetirement) -> Value {
    json!({
        "isRetired": retirement.retired.is_some(),
        "successor": retirement.successor.map(|successor| successor.to_string()),
        "reason": retirement.reason,
        "who": retirement.who,
        "begunMicroseconds": retirement.begun.micros(),
        "retiredMicroseconds": retirement.retired.map(messages::Timestamp::micros),
    })
}

/// Everything that the commands say when they succeed.
struct Words {
    /// Sender, next nonce, open, waiting, taken, paused, retired.
    columns: [&'static str; 7],
    no_lanes: &'static str,
    has_more: &'static str,
    pause: &'static str,
    paused_now: &'static str,
    paused_before: &'static str,
    still_sent: &'static str,
    resumed_now: &'static str,
    resumed_given_up: &'static str,
    resumed_before: &'static str,
    retired: &'static str,
    retiring: &'static str,
    no_successor: &'static str,
    drained: &'static str,
    nothing_open: &'static str,
    not_drained: &'static str,
    left_open: &'static str,
}

impl Words {
    const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::PtBr => &PORTUGUESE,
        }
    }
}

const ENGLISH: Words = Words {
    columns: ["sender", "next nonce", "open", "waiting", "times taken", "paused", "retired"],
    no_lanes: "no lanes",
    has_more: "there are more lanes than are shown",
    pause: "{reason} ({who}, since {since})",
    paused_now: "the lane is paused: no process stores anything new in it until it is resumed",
    paused_before: "the lane was paused before, and stays so: {pause}",
    still_sent: "What is stored already is still sent, and ends.",
    resumed_now: "the lane is resumed",
    resumed_given_up: "the lane is resumed, and the retirement of its key is given up",
    resumed_before: "the lane was not paused",
    retired: "since {since}, successor {successor}: {reason} ({who})",
    retiring: "begun {since}, successor {successor}: {reason} ({who})",
    no_successor: "none",
    drained: "drained",
    nothing_open: "nothing in the lane is without an end; it stays paused until `lastro lane resume`",
    not_drained: "not drained",
    left_open: "without an end: {count}; the lane stays paused",
};

const PORTUGUESE: Words = Words {
    columns: ["remetente", "próximo nonce", "abertas", "à espera", "vezes tomada", "pausada", "aposentada"],
    no_lanes: "nenhuma fila",
    has_more: "há mais filas do que as mostradas",
    pause: "{reason} ({who}, desde {since})",
    paused_now: "a fila está pausada: nenhum processo guarda nada novo nela até que seja retomada",
    paused_before: "a fila já estava pausada, e continua: {pause}",
    still_sent: "O que já está guardado ainda é enviado, e termina.",
    resumed_now: "a fila foi retomada",
    resumed_given_up: "a fila foi retomada, e a aposentadoria da sua chave foi abandonada",
    resumed_before: "a fila não estava pausada",
    retired: "desde {since}, sucessora {successor}: {reason} ({who})",
    retiring: "iniciada {since}, sucessora {successor}: {reason} ({who})",
    no_successor: "nenhuma",
    drained: "esvaziada",
    nothing_open: "nada na fila está sem desfecho; ela continua pausada até `lastro lane resume`",
    not_drained: "não esvaziada",
    left_open: "sem desfecho: {count}; a fila continua pausada",
};
