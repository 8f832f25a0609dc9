//! `lastro keys …`: keys in encrypted files, made, taken over, listed and tried. No key is ever printed, nor its passphrase.

use crate::cli::{KeysCheck, KeysCommand, KeysImport, KeysPlace, Language, NewKey, PassphraseArguments};
use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use crate::table::{Align, Table};
use anyhow::anyhow;
use custody::{KeyInfo, KeyLabel, KeystoreDirectory, KeystoreError, Passphrase, Purpose, ScryptCost};
use serde_json::{Value, json};
use std::fs::File;
use std::io::ErrorKind;

/// What custody calls the reading of a file.
const READ: &str = "read";

/// Runs one of the commands.
pub(crate) fn run(command: &KeysCommand, printer: &Printer) -> Result<(), Failure> {
    match command {
        KeysCommand::New(key) => new(key, printer),
        KeysCommand::Import(arguments) => import(arguments, printer),
        KeysCommand::List(place) => list(place, printer),
        KeysCommand::Check(arguments) => check(arguments, printer),
    }
}

fn new(key: &NewKey, printer: &Printer) -> Result<(), Failure> {
    store(key, printer, |keys, label, passphrase| {
        keys.create_key(label, key.purpose.into(), passphrase, ScryptCost::STANDARD)
    })
}

fn import(KeysImport { file, key }: &KeysImport, printer: &Printer) -> Result<(), Failure> {
    // What cannot be read leaves no folder behind.
    let read = File::open(file);
    let _ = read.map_err(|source| failure(KeystoreError::Io { action: READ, path: file.clone(), source }))?;
    store(key, printer, |keys, label, passphrase| {
        keys.import(file, label, key.purpose.into(), passphrase, ScryptCost::STANDARD)
    })
}

/// Stores a key by `make`, and shows it. What is asked for is read before anything is made.
fn store(
    key: &NewKey,
    printer: &Printer,
    make: impl FnOnce(&KeystoreDirectory, &KeyLabel, &Passphrase) -> Result<KeyInfo, KeystoreError>,
) -> Result<(), Failure> {
    let (label, passphrase, words) = (parse(&key.label)?, read_passphrase(&key.passphrase)?, Words::of(key.place.lang));
    let is_new = !key.place.keystore.exists();
    let keys = KeystoreDirectory::open(&key.place.keystore).map_err(failure)?;
    let stored = make(&keys, &label, &passphrase).map_err(|error| {
        if is_new {
            // Removes no folder that holds anything; if it stays, it is empty.
            let _ = std::fs::remove_dir(&key.place.keystore);
        }
        failure(error)
    })?;
    show_key(&stored, &keys, words, printer);
    printer.done(words.stored);
    printer.note(words.keep_both);
    Ok(())
}

fn list(place: &KeysPlace, printer: &Printer) -> Result<(), Failure> {
    let (keys, words) = (existing(place)?, Words::of(place.lang));
    let found = keys.list().map_err(failure)?;
    let [label, purpose, address, _] = words.headings;
    let mut table = Table::new([(Align::Left, label), (Align::Left, purpose), (Align::Left, address)]);
    for key in &found {
        table.row([key.label.to_string(), words.purpose(key.purpose).to_owned(), key.address.to_string()]);
    }
    if found.is_empty() {
        printer.line(words.no_keys);
    } else {
        table.lines().iter().for_each(|line| printer.line(line));
    }
    let found: Vec<Value> = found.iter().map(|key| as_json(key, &keys)).collect();
    printer.json(&json!({ "keys": found }));
    Ok(())
}

fn check(arguments: &KeysCheck, printer: &Printer) -> Result<(), Failure> {
    let (label, passphrase) = (parse(&arguments.label)?, read_passphrase(&arguments.passphrase)?);
    let (keys, words) = (existing(&arguments.place)?, Words::of(arguments.place.lang));
    let opened = keys.check(&label, &passphrase).map_err(failure)?;
    show_key(&opened, &keys, words, printer);
    printer.done(words.opens);
    Ok(())
}

fn show_key(key: &KeyInfo, keys: &KeystoreDirectory, words: &Words, printer: &Printer) {
    let file = keys.file_of(&key.label).display().to_string();
    let values = [key.label.to_string(), words.purpose(key.purpose).to_owned(), key.address.to_string(), file];
    let mut table = Table::new([(Align::Left, ""), (Align::Left, "")]);
    for (heading, value) in words.headings.into_iter().zip(values) {
        table.row([heading.to_owned(), value]);
    }
    // Its first line are the headings, which are empty.
    table.lines().iter().skip(1).for_each(|line| printer.line(line));
    printer.json(&as_json(key, keys));
}

fn as_json(key: &KeyInfo, keys: &KeystoreDirectory) -> Value {
    json!({
        "label": key.label.to_string(),
        "purpose": key.purpose.to_string(),
        "address": key.address.to_string(),
        "file": keys.file_of(&key.label).display().to_string(),
    })
}

/// The folder, which reading must not make.
pub(crate) fn existing(place: &KeysPlace) -> Result<KeystoreDirectory, Failure> {
    if !place.keystore.is_dir() {
        let error = anyhow!("there is no folder `{}`", place.keystore.display());
        return Err(Failure::new(FailureKind::Usage, error).with_hint("name the folder that `lastro keys new` made"));
    }
    KeystoreDirectory::open(&place.keystore).map_err(failure)
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

/// What the operating system refuses is the machine's matter, but for a file that is not there to be read; all else is the
/// command's.
pub(crate) fn failure(error: KeystoreError) -> Failure {
    let (kind, hint) = match &error {
        KeystoreError::Io { action: READ, source, .. } if source.kind() == ErrorKind::NotFound => {
            (FailureKind::Usage, None)
        }
        KeystoreError::Io { .. } | KeystoreError::Random { .. } => (FailureKind::Environment, None),
        KeystoreError::LabelTaken { .. } => (
            FailureKind::Refused,
            Some("choose another label: a key is never overwritten, since nobody could bring it back"),
        ),
        KeystoreError::NoSuchKey { .. } => {
            (FailureKind::Usage, Some("`lastro keys list` names the keys that are there"))
        }
        KeystoreError::NotImported { .. } => (FailureKind::Usage, Some("`lastro keys import` takes it over")),
        KeystoreError::LabelDiffers { .. } => {
            (FailureKind::Usage, Some("give the file the name of its label again, or find out who exchanged it"))
        }
        KeystoreError::TooLong { .. } | KeystoreError::File { .. } => (FailureKind::Usage, None),
        KeystoreError::Token { .. } => (FailureKind::Environment, None),
    };
    Failure::new(kind, error).with_hint_if(hint)
}

/// Everything that the commands say when they succeed.
struct Words {
    headings: [&'static str; 4],
    transactions: &'static str,
    statements: &'static str,
    stored: &'static str,
    keep_both: &'static str,
    no_keys: &'static str,
    opens: &'static str,
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
    headings: ["key", "signs", "address", "file"],
    transactions: "transactions",
    statements: "statements",
    stored: "the key is stored, encrypted under the passphrase",
    keep_both: "Keep a copy of the file, and the passphrase in another place: without either the key is lost, and nobody can \
                bring it back.",
    no_keys: "no keys",
    opens: "the passphrase opens the key",
};

const PORTUGUESE: Words = Words {
    headings: ["chave", "assina", "endereço", "arquivo"],
    transactions: "transações",
    statements: "declarações",
    stored: "a chave está guardada, cifrada pela frase secreta",
    keep_both: "Guarde uma cópia do arquivo e, em outro lugar, a frase secreta: sem um dos dois a chave se perde, e ninguém pode \
                recuperá-la.",
    no_keys: "nenhuma chave",
    opens: "a frase secreta abre a chave",
};
