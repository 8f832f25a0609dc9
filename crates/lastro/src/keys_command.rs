//! `lastro keys …`: keys in encrypted files or in a hardware token, made, taken over, listed, tried, and at their end retired. No key
//! is ever printed, nor its passphrase.

mod approval;
mod retirement;
mod shelf;
mod words;

use crate::cli::{KeysCheck, KeysCommand, KeysImport, KeysList, LaneStore, Language, NewKey, PassphraseArguments};
use crate::failure::{Failure, FailureKind};
use crate::journal_command::environment;
use crate::lane_command::{retirement_in_words, retirement_json};
use crate::lane_store::Looking;
use crate::printer::Printer;
use crate::table::{Align, Table};
use alloy_primitives::Address;
use chain::{Inspection, KeyRetirement, StoreError};
use custody::policy::Policy;
use custody::{KeyInfo, KeyLabel, KeystoreError, Passphrase, Purpose};
use serde_json::{Value, json};
use shelf::READ;
pub(crate) use shelf::{Shelf, failure};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

/// Runs one of the commands.
pub(crate) fn run(command: &KeysCommand, printer: &Printer) -> Result<(), Failure> {
    match command {
        KeysCommand::New(key) => new(key, printer),
        KeysCommand::Import(arguments) => import(arguments, printer),
        KeysCommand::List(arguments) => list(arguments, printer),
        KeysCommand::Check(arguments) => check(arguments, printer),
        KeysCommand::Retire(arguments) => retirement::retire(arguments, printer),
        KeysCommand::Rotate(arguments) => retirement::rotate(arguments, printer),
        KeysCommand::Approve(arguments) => approval::approve(arguments, printer),
    }
}

fn new(key: &NewKey, printer: &Printer) -> Result<(), Failure> {
    store(key, printer, |keys, label, passphrase| keys.create(label, key.purpose.into(), passphrase))
}

fn import(KeysImport { file, key }: &KeysImport, printer: &Printer) -> Result<(), Failure> {
    // What cannot be read leaves no folder behind.
    let read = File::open(file);
    let _ = read.map_err(|source| failure(KeystoreError::Io { action: READ, path: file.clone(), source }))?;
    store(key, printer, |keys, label, passphrase| keys.import(file, label, key.purpose.into(), passphrase))
}

/// Stores a key by `make`, and shows it. What is asked for is read before anything is made.
fn store(
    key: &NewKey,
    printer: &Printer,
    make: impl FnOnce(&Shelf, &KeyLabel, &Passphrase) -> Result<KeyInfo, Failure>,
) -> Result<(), Failure> {
    let (label, passphrase, words) = (parse(&key.label)?, read_passphrase(&key.passphrase)?, Words::of(key.place.lang));
    let (keys, new_folder) = Shelf::made(&key.place)?;
    let stored = make(&keys, &label, &passphrase).inspect_err(|_| {
        if let Some(folder) = new_folder {
            // Removes no folder that holds anything; if it stays, it is empty.
            let _ = std::fs::remove_dir(folder);
        }
    })?;
    show_key(&stored, &keys, words, printer);
    let [done, note] = if keys.is_token() { words.in_token } else { words.in_file };
    printer.done(done);
    printer.note(note);
    Ok(())
}

fn list(arguments: &KeysList, printer: &Printer) -> Result<(), Failure> {
    let (keys, words) = (Shelf::existing(&arguments.place)?, Words::of(arguments.place.lang));
    let found = keys.list()?;
    let retirements = arguments.store.as_ref().map(|store| retirements(store, arguments.schema.as_ref(), &found));
    let retirements = retirements.transpose()?;
    if found.is_empty() {
        printer.line(words.no_keys);
    } else {
        let lines = listed(&found, retirements.as_ref(), arguments.place.lang);
        lines.iter().for_each(|line| printer.line(line));
    }
    let found = found.iter().map(|key| {
        let mut shown = as_json(key, &keys);
        if let Some(retirements) = &retirements {
            shown["retirement"] = json!(retirements.get(&key.address).map(retirement_json));
        }
        shown
    });
    printer.json(&json!({ "keys": found.collect::<Vec<Value>>() }));
    Ok(())
}

/// Which of the keys the store knows the end of, by address.
fn retirements(
    store: &str,
    schema: Option<&String>,
    keys: &[KeyInfo],
) -> Result<BTreeMap<Address, KeyRetirement>, Failure> {
    let store = LaneStore { store: store.to_owned(), schema: schema.cloned() };
    let runtime = tokio::runtime::Runtime::new().map_err(environment)?;
    runtime.block_on(async {
        let looking = Looking::open(&store).await?;
        let found = ends(&looking.inspection, keys).await;
        looking.inspection.close().await;
        found.map_err(environment)
    })
}

async fn ends(store: &Inspection, keys: &[KeyInfo]) -> Result<BTreeMap<Address, KeyRetirement>, StoreError> {
    let mut ends = BTreeMap::new();
    for key in keys {
        ends.extend(store.retirement_of(key.address).await?.map(|end| (key.address, end)));
    }
    Ok(ends)
}

/// The keys as a table, with what a store says of their ends if one was asked.
fn listed(found: &[KeyInfo], retirements: Option<&BTreeMap<Address, KeyRetirement>>, lang: Language) -> Vec<String> {
    let words = Words::of(lang);
    let [label, purpose, address] = words.headings.map(|heading| (Align::Left, heading));
    let cells = |key: &KeyInfo| [key.label.to_string(), words.purpose(key.purpose).to_owned(), key.address.to_string()];
    let Some(retirements) = retirements else {
        let mut table = Table::new([label, purpose, address]);
        found.iter().for_each(|key| table.row(cells(key)));
        return table.lines();
    };
    let mut table = Table::new([label, purpose, address, (Align::Left, words.retired)]);
    for key in found {
        let end = retirements.get(&key.address);
        let [label, purpose, address] = cells(key);
        let end = end.map_or_else(|| "-".to_owned(), |end| retirement_in_words(end, lang));
        table.row([label, purpose, address, end]);
    }
    table.lines()
}

fn check(arguments: &KeysCheck, printer: &Printer) -> Result<(), Failure> {
    let (label, passphrase) = (parse(&arguments.label)?, read_passphrase(&arguments.passphrase)?);
    let (keys, words) = (Shelf::existing(&arguments.place)?, Words::of(arguments.place.lang));
    let opened = keys.check(&label, &passphrase)?;
    show_key(&opened, &keys, words, printer);
    printer.done(if keys.is_token() { words.signs } else { words.opens });
    Ok(())
}

fn show_key(key: &KeyInfo, keys: &Shelf, words: &Words, printer: &Printer) {
    let place = keys.place_of(&key.label);
    let values = [key.label.to_string(), words.purpose(key.purpose).to_owned(), key.address.to_string(), place];
    let mut table = Table::new([(Align::Left, ""), (Align::Left, "")]);
    let heading = if keys.is_token() { "token" } else { words.file };
    for (heading, value) in words.headings.into_iter().chain([heading]).zip(values) {
        table.row([heading.to_owned(), value]);
    }
    // Its first line are the headings, which are empty.
    table.lines().iter().skip(1).for_each(|line| printer.line(line));
    printer.json(&as_json(key, keys));
}

fn as_json(key: &KeyInfo, keys: &Shelf) -> Value {
    let (name, place) = keys.place_json(&key.label);
    json!({
        "label": key.label.to_string(),
        "purpose": key.purpose.to_string(),
        "address": key.address.to_string(),
        name: place,
    })
}

/// The label, as the command line gives it.
pub(crate) fn parse(label: &str) -> Result<KeyLabel, Failure> {
    KeyLabel::parse(label).map_err(|error| Failure::new(FailureKind::Usage, error))
}

/// The passphrase from where the command line says.
pub(crate) fn read_passphrase(arguments: &PassphraseArguments) -> Result<Passphrase, Failure> {
    let read = match (&arguments.passphrase_file, &arguments.passphrase_env) {
        (Some(file), _) => Passphrase::from_file(file),
        (None, Some(name)) => Passphrase::from_env(name),
        // The command line asks for one of both.
        (None, None) => Passphrase::from_env("LASTRO_PASSPHRASE"),
    };
    read.map_err(|error| Failure::new(FailureKind::Usage, error))
}

/// The policy in a file.
pub(crate) fn policy_of(file: &Path) -> Result<Policy, Failure> {
    let usage = |error: anyhow::Error| Failure::new(FailureKind::Usage, error);
    let text = std::fs::read_to_string(file)
        .map_err(|error| usage(anyhow::Error::new(error).context(format!("cannot read `{}`", file.display()))))?;
    Policy::parse(&text).map_err(|error| usage(error.into()))
}

/// Everything that the commands on keys alone say when they succeed.
struct Words {
    headings: [&'static str; 3],
    retired: &'static str,
    file: &'static str,
    transactions: &'static str,
    statements: &'static str,
    /// What was done, and what to do now, for a key in a file and one in a token.
    in_file: [&'static str; 2],
    in_token: [&'static str; 2],
    no_keys: &'static str,
    opens: &'static str,
    signs: &'static str,
}

impl Words {
    const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::PtBr => &PORTUGUESE,
        }
    }

    const fn purpose(&self, purpose: Purpose) -> &'static str {
        match purpose {
            Purpose::Transactions => self.transactions,
            Purpose::Statements => self.statements,
        }
    }
}

const ENGLISH: Words = Words {
    headings: ["key", "signs", "address"],
    retired: "retired",
    file: "file",
    transactions: "transactions",
    statements: "statements",
    in_file: [
        "the key is stored, encrypted under the passphrase",
        "Keep a copy of the file, and the passphrase in another place: without either the key is lost, and nobody can \
         bring it back.",
    ],
    in_token: [
        "the key is in the token, and never leaves it",
        "What the token loses is lost: copy whole tokens in its manufacturer's way.",
    ],
    no_keys: "no keys",
    opens: "the passphrase opens the key",
    signs: "the PIN opens the token, and the key signs",
};

const PORTUGUESE: Words = Words {
    headings: ["chave", "assina", "endereço"],
    retired: "aposentada",
    file: "arquivo",
    transactions: "transações",
    statements: "declarações",
    in_file: [
        "a chave está guardada, cifrada pela frase secreta",
        "Guarde uma cópia do arquivo e, em outro lugar, a frase secreta: sem um dos dois a chave se perde, e ninguém pode \
         recuperá-la.",
    ],
    in_token: [
        "a chave está no token e nunca sai dele",
        "O que o token perde está perdido: copie tokens inteiros pelo caminho do fabricante.",
    ],
    no_keys: "nenhuma chave",
    opens: "a frase secreta abre a chave",
    signs: "o PIN abre o token, e a chave assina",
};
