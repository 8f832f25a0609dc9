//! `lastro journal …`: the audit trail, checked and carried elsewhere without the platform.

pub(crate) mod import;
pub(crate) mod rebind;
pub(crate) mod services;
pub(crate) mod source;

use crate::cli::{JournalCommand, JournalExport, JournalVerify};
use crate::demo::book_keeper::KeepError;
use crate::failure::{Failure, FailureKind};
use crate::interruption::Interruption;
use crate::printer::Printer;
use anyhow::anyhow;
use journal::audit::{self, Progress, Report, Scope, Source, VerifyError, VerifyOptions};
use journal::{Clock, OpenError, Place};
use messages::{Hash, Position, StoreId, TenantId};
use serde_json::{Value, json};
use source::{place_of, source_of};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;

/// Runs one of the journal's commands.
pub(crate) fn run(command: JournalCommand, printer: &Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(environment)?;
    match command {
        JournalCommand::Verify(arguments) => runtime.block_on(verify(&arguments, printer)),
        JournalCommand::Export(arguments) => runtime.block_on(export(&arguments, printer)),
        JournalCommand::Import(arguments) => runtime.block_on(import::run(&arguments, printer)),
        JournalCommand::Rebind(arguments) => runtime.block_on(rebind::run(&arguments, printer)),
    }
}

pub(crate) fn environment(error: impl Into<anyhow::Error>) -> Failure {
    Failure::new(FailureKind::Environment, error)
}

async fn verify(arguments: &JournalVerify, printer: &Printer) -> Result<(), Failure> {
    let source = source_of(&arguments.source)?;
    let state_of = if arguments.state { Some(place_with_state_rows(&source).await?) } else { None };
    let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let line = printer.progress_line();
    let on_progress = move |progress: Progress| {
        line.show(&format!("{} of {} events", progress.events, progress.events_total));
        ControlFlow::Continue(())
    };
    let anchors = arguments.anchors.iter().map(|anchor| anchor.0).collect();
    let options = VerifyOptions { anchors, workers, on_progress: Box::new(on_progress) };
    let verified = audit::verify(source.clone(), options).await;
    printer.progress_end();
    let report = verified.map_err(verify_failure)?;
    let differences = match state_of {
        Some((place, name)) => Some(services::state_differences(place, &name).await?),
        None => None,
    };
    show(&report, differences.as_deref(), printer);
    printer.json(&as_json(&report, differences.as_deref()));
    match differences.unwrap_or_default().first() {
        None => {
            printer.done("every event is as it was written");
            Ok(())
        }
        Some(first) => {
            let error = anyhow!("a state row is not what the log says: {first}");
            Err(Failure::new(FailureKind::Refused, error).with_hint("the log decides: find out who wrote to the rows"))
        }
    }
}

/// The store whose state rows are to be compared, before anything is read at length. A store without any is not opened for
/// them: that would make them, and agree with what it made.
async fn place_with_state_rows(source: &Source) -> Result<(&Place, String), Failure> {
    let usage = |what: &'static str, hint: &str| Err(Failure::new(FailureKind::Usage, anyhow!(what)).with_hint(hint));
    match source {
        Source::Export(_) => usage("an export has no state rows to compare", "name the store itself"),
        Source::Store(place) => match audit::state_rows_of(place).await.map_err(environment)? {
            Some(name) => Ok((place, name)),
            None => {
                usage("the store has no state rows to compare", "leave `--state` out: the log is checked all the same")
            }
        },
    }
}

fn keep_failure(error: KeepError) -> Failure {
    match error {
        KeepError::Open(error) => open_failure(error),
        KeepError::Forged { .. } => {
            let hint = "its hashes are right, so whoever wrote it could write to the store: find out who, and compare the \
                        head with one that was anchored or kept elsewhere";
            Failure::new(FailureKind::Refused, error).with_hint(hint)
        }
        KeepError::Name(_) | KeepError::Refused { .. } | KeepError::Journal { .. } | KeepError::Read(_) => {
            environment(error)
        }
    }
}

fn verify_failure(error: VerifyError) -> Failure {
    match error {
        VerifyError::Event { .. } | VerifyError::End { .. } | VerifyError::AnchorBeyond { .. } => {
            let hint = "what comes before this place holds; restore a backup, and find out who wrote to the store";
            Failure::new(FailureKind::Refused, error).with_hint(hint)
        }
        VerifyError::File(_) => {
            Failure::new(FailureKind::Refused, error).with_hint("ask for the export again, and compare its SHA-256")
        }
        VerifyError::Store(_) | VerifyError::BrokenOff { .. } => environment(error),
    }
}

fn show(report: &Report, differences: Option<&[String]>, printer: &Printer) {
    printer.line(&format!("store      {}", report.store));
    printer.line(&format!("events     {} after place {}", report.events, report.after));
    printer.line(&format!("published  {}", report.published));
    if report.sealed > 0 {
        printer.line(&format!("sealed     {} of other tenants: hashes alone", report.sealed));
    }
    printer.line(&format!("streams    {}", report.streams));
    for (tenant, events) in &report.tenants {
        printer.line(&format!("tenant     {tenant}: {events} events"));
    }
    // As `--anchor` takes it.
    printer.line(&format!("head       {}:{}:{}", report.store, report.head.position, report.head.hash));
    match report.anchors {
        0 => printer
            .note("keep the head elsewhere; `--anchor HEAD` with one that was kept checks that the log still holds it"),
        anchors => printer.line(&format!("anchors    {anchors} agree")),
    }
    if let Some(differences) = differences {
        printer.line(&format!("state      {} rows differ from the log", differences.len()));
        for difference in differences {
            printer.line(&format!("           {difference}"));
        }
    }
}

fn as_json(report: &Report, differences: Option<&[String]>) -> Value {
    let tenants: serde_json::Map<String, Value> =
        report.tenants.iter().map(|(tenant, events)| (tenant.to_string(), json!(events))).collect();
    json!({
        "store": report.store.to_string(),
        "after": report.after.number(),
        "position": report.head.position.number(),
        "hash": report.head.hash.to_string(),
        "events": report.events,
        "published": report.published,
        "sealed": report.sealed,
        "streams": report.streams,
        "tenants": tenants,
        "anchors": report.anchors,
        "firstRecordedMicroseconds": report.first.map(messages::Timestamp::micros),
        "lastRecordedMicroseconds": report.last.map(messages::Timestamp::micros),
        "stateDifferences": differences,
    })
}

async fn export(arguments: &JournalExport, printer: &Printer) -> Result<(), Failure> {
    let place = place_of(&arguments.store)?;
    let scope = match &arguments.tenant {
        None => Scope::Whole,
        Some(tenant) => {
            let tenant = TenantId::parse(tenant).map_err(|error| Failure::new(FailureKind::Usage, error))?;
            Scope::Tenant(tenant)
        }
    };
    let interruption = Interruption::watch(printer)?;
    let (made, on_progress) = (Clock::System.now(), interruption.on_progress("exporting"));
    let exported = audit::export_place(&place, made, scope, &arguments.out, on_progress).await;
    printer.progress_end();
    let trailer = exported.map_err(environment)?;
    printer.done(&format!("wrote `{}`", arguments.out.display()));
    printer.note(&format!("check it with `lastro journal verify {}`", arguments.out.display()));
    printer
        .json(&json!({ "file": arguments.out.display().to_string(), "events": trailer.events, "rows": trailer.rows }));
    Ok(())
}

/// A store that another process holds is a matter of the machine, as is all else here.
pub(crate) fn open_failure(error: OpenError) -> Failure {
    let hint = match &error {
        OpenError::Held { .. } => Some("stop that process first, or name another store"),
        OpenError::Newer { .. } => Some("use the release that wrote it, or a newer one"),
        OpenError::OtherService { .. } | OpenError::NoStore { .. } => {
            Some("name another place: this one stays as it is")
        }
        OpenError::HalfImported { .. } => {
            Some("import or restore it again: that begins anew and replaces what is there")
        }
        _ => None,
    };
    environment(error).with_hint_if(hint)
}

/// A head that is known from elsewhere, as `STORE:POSITION:HASH`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchor(pub(crate) audit::Head);

impl std::str::FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected a store, a place and a hash, as `018f…:42:9c0f…`".to_owned();
        let mut parts = text.split(':');
        let (Some(store), Some(position), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(expected());
        };
        let store = store.parse::<uuid::Uuid>().map_err(|_| expected())?;
        let position = position.parse().map_err(|_| expected())?;
        let hash: alloy_primitives::B256 = hash.parse().map_err(|_| expected())?;
        Ok(Self(audit::Head { store: StoreId::new(store), position: Position::new(position), hash: Hash::new(hash.0) }))
    }
}

/// Whether the path holds a SQLite database.
pub(crate) fn is_sqlite(path: &Path) -> bool {
    use std::io::Read;
    let mut magic = [0; 16];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && &magic == b"SQLite format 3\0"
}
