//! Keys in a token: SoftHSM, made for the run. Its module reads where the token is from the environment of the process that loads
//! it, so the measurement is a child process that this program starts.

use super::{KeyKind, Options};
use crate::Figures;
use crate::figures::per_second;
use crate::ledger_load::signer::CHAIN_ID;
use alloy_consensus::{SignableTransaction, TxLegacy};
use alloy_primitives::{Address, TxKind};
use anyhow::{Context, Result, ensure};
use custody::{Custody, KeyLabel, KeyStore, Passphrase, Purpose, Token, TokenLabel, TokenPlace};
use custody::{SESSION_WAIT_STANDARD, SESSIONS_STANDARD};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use test_servers::SoftToken;

/// Where the child leaves what it found, in the token's folder.
const FIGURES_FILE: &str = "figures.json";
/// How long custody signs with nothing around it.
const ALONE: Duration = Duration::from_secs(2);

/// The token of a child process, as it is said on its command line.
#[derive(Clone, Debug)]
pub(super) struct TokenOfRun {
    module: PathBuf,
    pin_file: PathBuf,
    figures: PathBuf,
}

/// What custody signs with the token's keys when nothing else is to be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alone {
    pub(super) threads: u32,
    pub(super) per_second: u64,
}

/// Makes a token, has a child process measure with it, and gives what that found.
pub(super) fn in_child(options: &Options, front: &[&str]) -> Result<Figures> {
    let token = SoftToken::make()?;
    let figures = token.folder().join(FIGURES_FILE);
    let mut child = Command::new(std::env::current_exe().context("this program has no path")?);
    let (variable, configuration) = token.environment();
    let _ = child.env(variable, configuration).args(front).args(arguments(options));
    let _ = child.arg("--token").arg(token.module()).arg(token.pin_file()).arg(&figures);
    let output = child.stdin(Stdio::null()).stdout(Stdio::null()).output().context("a child cannot be started")?;
    ensure!(output.status.success(), "the measurement failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let text = std::fs::read_to_string(&figures).context("the measurement left no figures")?;
    let mut found: Value = serde_json::from_str(&text).context("the measurement left no figures")?;
    let text = found["text"].as_str().context("the measurement left no text")?.to_owned();
    Ok(Figures { text, json: found["json"].take() })
}

/// The options again, as a command line.
fn arguments(options: &Options) -> Vec<OsString> {
    let Options { intents, lanes, pace, seconds, store, heads, asked: _, keys, token: _, ground } = options;
    let numbers = [("--intents", intents), ("--lanes", lanes), ("--pace", pace), ("--seconds", seconds)];
    let numbers = numbers.into_iter().flat_map(|(name, number)| [name.to_owned(), number.to_string()]);
    let choices = [("--store", store.name()), ("--heads", heads.name()), ("--keys", keys.name())];
    let choices = choices.into_iter().flat_map(|(name, choice)| [name.to_owned(), choice.to_owned()]);
    let own = ["chain".to_owned()].into_iter().chain(numbers).chain(choices).map(Into::into);
    own.chain(ground.arguments()).collect()
}

impl KeyKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Softhsm => "softhsm",
        }
    }
}

impl TokenOfRun {
    /// What the options say of it: none, or all three.
    pub(super) fn of(options: &Options) -> Option<Self> {
        let [module, pin_file, figures] = options.token.as_deref()? else { return None };
        Some(Self { module: module.clone(), pin_file: pin_file.clone(), figures: figures.clone() })
    }

    /// Leaves what was found for whoever started this process.
    pub(super) fn leave(&self, figures: &Figures) -> Result<()> {
        let found = json!({ "text": figures.text, "json": figures.json });
        std::fs::write(&self.figures, found.to_string()).context("the figures cannot be left")
    }

    /// Makes a key for each label in the token, and opens it.
    pub(super) fn open_keys(&self, custody: &mut Custody, labels: &[KeyLabel]) -> Result<()> {
        let token = TokenLabel::parse(SoftToken::LABEL)?;
        let place = TokenPlace {
            module: self.module.clone(),
            token,
            sessions_max: SESSIONS_STANDARD,
            session_wait_max: SESSION_WAIT_STANDARD,
        };
        let (token, pin) = (Token::find(&place)?, Passphrase::from_file(&self.pin_file)?);
        for label in labels {
            let _ = token.create_key(label, Purpose::Transactions, &pin)?;
        }
        let store = KeyStore::Token(token);
        for label in labels {
            let _ = custody.open_key(&store, label, &pin)?;
        }
        Ok(())
    }
}

/// What custody signs a second in one thread, and in one for each processor: each with the key of a lane of its own.
pub(super) fn alone(custody: &Custody, labels: &[KeyLabel]) -> Result<Vec<Alone>> {
    let cores = thread::available_parallelism().map_or(1, |cores| NonZeroU32::try_from(cores).map_or(1, u32::from));
    let mut measured = vec![alone_in(custody, labels, 1)?];
    if cores > 1 {
        measured.push(alone_in(custody, labels, cores)?);
    }
    Ok(measured)
}

fn alone_in(custody: &Custody, labels: &[KeyLabel], threads: u32) -> Result<Alone> {
    let began = Instant::now();
    let signed = thread::scope(|scope| {
        let signers = (0..threads).zip(labels.iter().cycle());
        let signers: Vec<_> = signers.map(|(_, label)| scope.spawn(move || signed_by(custody, label, began))).collect();
        // A panic in a thread is one here.
        signers.into_iter().map(|signer| signer.join().expect("a signer gives its count")).sum::<Result<u64>>()
    })?;
    Ok(Alone { threads, per_second: per_second(signed, began.elapsed()) })
}

fn signed_by(custody: &Custody, label: &KeyLabel, began: Instant) -> Result<u64> {
    let mut signed = 0;
    while began.elapsed() < ALONE {
        let to = TxKind::Call(Address::repeat_byte(0xcc));
        let unsigned =
            TxLegacy { chain_id: Some(CHAIN_ID), nonce: signed, gas_limit: 30_000, to, ..TxLegacy::default() };
        let _ = custody.sign_transaction(label, &unsigned.encoded_for_signing(), CHAIN_ID)?;
        signed += 1;
    }
    Ok(signed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn a_child_is_asked_for_the_same_as_its_parent() {
        let words = ["chain", "--intents", "7", "--lanes", "3", "--pace", "0", "--seconds", "2", "--store", "postgres"];
        let rest = ["--keys", "softhsm", "--lastro", "/a/lastro", "--data-in", "/b"];
        let options = Line::parse_from(words.into_iter().chain(rest)).options;
        let again = Line::parse_from(arguments(&options)).options;
        assert_eq!(format!("{again:?}"), format!("{options:?}"));
    }
}
