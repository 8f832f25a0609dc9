//! `lastro keys …`: keys in encrypted files or in a hardware token, made, taken over, listed and tried. No key is ever printed, nor
//! its passphrase.

mod shelf;

use crate::cli::{KeysCheck, KeysCommand, KeysImport, KeysPlace, Language, NewKey, PassphraseArguments};
use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use crate::table::{Align, Table};
use custody::{KeyInfo, KeyLabel, KeystoreError, Passphrase, Purpose};
use serde_json::{Value, json};
use shelf::READ;
pub(crate) use shelf::{Shelf, failure};
use std::fs::File;

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

fn list(place: &KeysPlace, printer: &Printer) -> Result<(), Failure> {
    let (keys, words) = (Shelf::existing(place)?, Words::of(place.lang));
    let found = keys.list()?;
    let [label, purpose, address] = words.headings;
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

/// Everything that the commands say when they succeed.
struct Words {
    headings: [&'static str; 3],
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
