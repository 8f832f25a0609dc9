//! `lastro backup` and `lastro restore`: one cut of all stores of a process, brought back, and the drill that proves it.

mod persons;
mod sources;

use crate::cli::{Backup as Arguments, BackupCommand, BackupDrill, Restore};
use crate::failure::{Failure, FailureKind};
use crate::interruption::Interruption;
use crate::journal_command::environment;
use crate::journal_command::import::import_failure;
use crate::journal_command::services::KNOWN_STATE_ROWS;
use crate::printer::Printer;
use anyhow::anyhow;
use journal::backup::{Backup, BackupError, BackupStore, Cut, CutError, Manifest, RestoreStoresError, check_folder};
use journal::personal::{MasterKeySource, PersonKeys, PersonsBackedUp};
use journal::{Clock, Place, StoreConfig};
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Runs `lastro backup …`.
pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(environment)?;
    match &arguments.command {
        Some(BackupCommand::Drill(arguments)) => runtime.block_on(drill(arguments, printer)),
        None => runtime.block_on(backup(arguments, printer)),
    }
}

/// Runs `lastro restore`.
pub(crate) fn restore(arguments: &Restore, printer: &Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(environment)?;
    runtime.block_on(restore_all(arguments, printer))
}

async fn backup(arguments: &Arguments, printer: &Printer) -> Result<(), Failure> {
    let Some(out) = &arguments.out else {
        return Err(
            Failure::new(FailureKind::Usage, anyhow!("no folder to write is named")).with_hint("name it by `--out`")
        );
    };
    let places = sources::places_of(&arguments.sources, &arguments.schemas)?;
    check_folder(out).map_err(backup_failure)?;
    let persons = match persons::config(&arguments.persons)? {
        None => None,
        Some(config) => Some(PersonKeys::open_existing(&config).await.map_err(persons::open_failure)?),
    };
    let interruption = Interruption::watch(printer)?;
    let cut = Cut::at(&places).await.map_err(cut_failure)?;
    let on_progress = |name: &str| interruption.on_progress(name);
    let manifest = cut.write(out, persons.as_ref(), Clock::System.now(), on_progress).await;
    printer.progress_end();
    let manifest = manifest.map_err(backup_failure)?;
    let counted = Backup::open(out).map_err(restore_failure)?.persons(None).await.map_err(restore_failure)?;
    show(&manifest, counted, printer);
    printer.done(&format!("wrote `{}`", out.display()));
    printer.note(&format!("prove it with `lastro backup drill --from {}`", out.display()));
    printer.json(&as_json(&manifest, counted, out));
    Ok(())
}

fn show(manifest: &Manifest, persons: Option<PersonsBackedUp>, printer: &Printer) {
    for store in &manifest.stores {
        printer.line(&line_of(store));
    }
    if let (Some(file), Some(persons)) = (&manifest.persons, persons) {
        printer.line(&persons_line(persons));
        printer.note(&format!("keep `{}` for a shorter time, and elsewhere", file.name));
    }
    printer.line(&format!("held       {} µs", manifest.held_us()));
}

fn line_of(store: &BackupStore) -> String {
    let head = store.head().map_or_else(|| "nothing".to_owned(), |head| format!("{}:{}", head.position, head.hash));
    format!("{:<10} {head}", store.name)
}

fn persons_line(PersonsBackedUp { living, erased }: PersonsBackedUp) -> String {
    format!("persons    {living} with a key, {erased} erased")
}

fn as_json(manifest: &Manifest, persons: Option<PersonsBackedUp>, folder: &Path) -> Value {
    let stores: Vec<Value> = manifest.stores.iter().map(store_json).collect();
    json!({
        "folder": folder.display().to_string(),
        "madeMicroseconds": manifest.made().micros(),
        "heldMicroseconds": manifest.held_us(),
        "stores": stores,
        "persons": persons.map(|persons| json!({ "living": persons.living, "erased": persons.erased })),
    })
}

fn store_json(store: &BackupStore) -> Value {
    let head = store.head();
    json!({
        "name": store.name,
        "store": head.map(|head| head.store.to_string()),
        "position": head.map(|head| head.position.number()),
        "hash": head.map(|head| head.hash.to_string()),
        "rows": store.rows,
    })
}

async fn restore_all(arguments: &Restore, printer: &Printer) -> Result<(), Failure> {
    let backup = Backup::open(&arguments.from).map_err(restore_failure)?;
    let persons = persons::config(&arguments.persons)?;
    if persons.is_some() && backup.manifest().persons.is_none() {
        return Err(restore_failure(RestoreStoresError::NoPersons));
    }
    let configs = match &arguments.into {
        Some(into) => targets(&backup, into)?,
        // `--persons-only`
        None => Vec::new(),
    };
    if arguments.into.is_some() {
        backup.check_into(&configs).await.map_err(restore_failure)?;
    }
    let counted = backup.persons(None).await.map_err(restore_failure)?;
    // The keys come first: what is most likely to be wrong is their master key, and nothing is there then.
    if let Some(config) = &persons {
        let keys = backup.restore_persons(config, &[]).await.map_err(restore_failure)?;
        keys.close().await;
        counted.map(persons_line).iter().for_each(|line| printer.line(line));
        printer.warning(
            "whoever was erased after the backup was made is there again: the process that uses the keys must erase them \
             anew, by the register",
        );
    } else if counted.is_some() {
        printer.note("the keys of persons are in the backup and were not restored: `--persons FILE --master-key FILE`");
    }
    if arguments.into.is_some() {
        let restored = restore_stores(&backup, &configs, printer).await;
        restored.map_err(|failure| if persons.is_some() { persons::keys_are_there(failure) } else { failure })?;
    }
    printer.json(&as_json(backup.manifest(), counted, &arguments.from));
    Ok(())
}

async fn restore_stores(backup: &Backup, configs: &[StoreConfig], printer: &Printer) -> Result<(), Failure> {
    let interruption = Interruption::watch(printer)?;
    let restored = backup.restore(configs, workers(), |name| interruption.on_progress(name)).await;
    printer.progress_end();
    let _ = restored.map_err(restore_failure)?;
    for store in &backup.manifest().stores {
        printer.line(&line_of(store));
    }
    printer.done(&format!("restored {} stores", configs.len()));
    Ok(())
}

/// Where each store of the backup goes.
fn targets(backup: &Backup, into: &str) -> Result<Vec<StoreConfig>, Failure> {
    let is_url = into.starts_with("postgres://") || into.starts_with("postgresql://");
    if !is_url && !Path::new(into).is_dir() {
        let error = anyhow!("`{into}` is neither a directory nor `postgres://…`");
        return Err(Failure::new(FailureKind::Usage, error).with_hint("make the directory first"));
    }
    let place = |store: &BackupStore| {
        if is_url {
            return Place::Postgres { url: into.to_owned(), schema: store.name.clone() };
        }
        Place::Sqlite { path: PathBuf::from(into).join(format!("{}.db", store.name)) }
    };
    let config = |store| StoreConfig { state_rows: KNOWN_STATE_ROWS, ..StoreConfig::at(place(store)) };
    Ok(backup.manifest().stores.iter().map(config).collect())
}

async fn drill(arguments: &BackupDrill, printer: &Printer) -> Result<(), Failure> {
    let backup = Backup::open(&arguments.from).map_err(restore_failure)?;
    let folder = Temporary::make()?;
    let interruption = Interruption::watch(printer)?;
    let drilled = backup.drill(&folder.0, KNOWN_STATE_ROWS, workers(), |name| interruption.on_progress(name)).await;
    printer.progress_end();
    let drilled = drilled.map_err(restore_failure)?;
    let master = arguments.master_key.clone().map(|path| MasterKeySource::File { path });
    let is_unwrapped = master.is_some();
    let counted = backup.persons(master).await.map_err(restore_failure)?;
    for store in &drilled {
        let (name, head) = (&store.name, store.head);
        printer.line(&format!(
            "{name:<10} {} events, {} rows, head {}:{}",
            store.events, store.rows, head.position, head.hash
        ));
    }
    if let Some(persons) = counted {
        printer.line(&persons_line(persons));
        if !is_unwrapped {
            printer.note("whether the keys of persons unwrap was not tried: `--master-key FILE`");
        }
    }
    printer.done(
        "restored elsewhere, every store verifies, stands where the manifest says, and is the one that was backed up",
    );
    printer.json(&as_json(backup.manifest(), counted, &arguments.from));
    Ok(())
}

/// A folder that goes with this.
struct Temporary(PathBuf);

impl Temporary {
    fn make() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("lastro-drill-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path).map_err(environment)?;
        let folder = Self(path);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o700)).map_err(environment)?;
        }
        Ok(folder)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // It was made here under a name of its own.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn workers() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn cut_failure(error: CutError) -> Failure {
    match error {
        CutError::Twice { .. } | CutError::Name { .. } => {
            Failure::new(FailureKind::Usage, error).with_hint("give a store another name with `NAME=SOURCE`")
        }
        CutError::Store { .. } | CutError::TooSlow { .. } => {
            environment(error).with_hint("nothing was written: do it again")
        }
    }
}

fn backup_failure(error: BackupError) -> Failure {
    let hint = match &error {
        BackupError::There { .. } | BackupError::NoName { .. } => "name another folder with `--out`",
        BackupError::Unfinished { .. } => "if no other process writes it, remove that folder",
        BackupError::Io { .. } | BackupError::Store { .. } | BackupError::Persons(_) => {
            "no backup was written: do it again"
        }
    };
    environment(error).with_hint(hint)
}

fn restore_failure(error: RestoreStoresError) -> Failure {
    use RestoreStoresError as E;
    let (kind, hint) = match error {
        E::Manifest { .. } | E::File { .. } | E::Verify { .. } | E::Head { .. } | E::Differs { .. } => {
            (FailureKind::Refused, "take another backup; nothing was restored")
        }
        E::Unverified { .. } => {
            (FailureKind::Environment, "nothing was restored, and nothing wrong was found so far: do it again")
        }
        E::There { .. } | E::InTheWay { .. } => {
            (FailureKind::Refused, "name another place with `--into`: nothing is overwritten")
        }
        E::NoPersons => (FailureKind::Refused, "leave `--persons` out"),
        E::Places { .. } => (FailureKind::Usage, "name as many places as there are stores"),
        E::Release { .. } => (FailureKind::Environment, "restore again: it goes on where it was"),
        E::Place { .. } | E::Export { .. } => (FailureKind::Environment, "nothing was left behind: do it again"),
        E::Import { name, source } => {
            let mut failure = import_failure(*source);
            failure.error = failure.error.context(format!("store `{name}` was not restored"));
            return failure;
        }
        E::Persons(error) => return persons::restore_failure(error),
    };
    Failure::new(kind, error).with_hint(hint)
}
