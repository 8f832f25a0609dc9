//! A person's approval as a file: one line of JSON, which `lastro keys approve` writes and `retire` and `rotate` read.

use super::{Shelf, failure, parse, policy_of, read_passphrase};
use crate::cli::KeysApprove;
use crate::doctor_command::catalogue::filled;
use crate::failure::{Failure, FailureKind};
use crate::keys_command::words::Succession;
use crate::network_arguments::now_seconds;
use crate::printer::Printer;
use alloy_primitives::{Address, B256, Signature};
use anyhow::{Context as _, anyhow};
use custody::policy::{Approval, CHANGE_ROLE, Statement, UnixTime};
use custody::{Custody, Network, ProfileName};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr as _;

/// The longest file of an approval, in bytes: some 500 are used.
const APPROVAL_BYTES_MAX: u64 = 4_096;

/// An approval as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    approver: Address,
    role: String,
    subject: B256,
    /// Seconds since 1970, as the next one.
    issued_at: u64,
    expires_at: u64,
    /// 65 bytes in hexadecimal.
    signature: String,
}

/// Signs a person's approval that a key is retired.
///
/// # Errors
/// [`Failure`] if policy or key cannot be read, or the key is not for statements.
pub(super) fn approve(arguments: &KeysApprove, printer: &Printer) -> Result<(), Failure> {
    let (label, policy) = (parse(&arguments.label)?, policy_of(&arguments.policy)?);
    let passphrase = read_passphrase(&arguments.passphrase)?;
    let store = Shelf::existing(&arguments.place)?.into_store();
    // What is signed names the policy's chain; the network of the key decides on test keys alone, which no store has.
    let mut custody = Custody::new(Network { profile: ProfileName::embedded(), chain_id: 0 });
    let approver = custody.open_key(&store, &label, &passphrase).map_err(failure)?;
    let now = now_seconds();
    let statement = Statement {
        approver,
        role: CHANGE_ROLE.to_owned(),
        subject: policy.retirement_hash(arguments.sender, arguments.successor),
        issued_at: UnixTime(now),
        expires_at: UnixTime(now.saturating_add(arguments.hours.saturating_mul(3_600))),
    };
    let signed = custody.sign_statement(&label, statement).map_err(|error| {
        Failure::new(FailureKind::Refused, error).with_hint(
            "approvals are signed by a key of purpose `statements`: `lastro keys new LABEL --purpose statements`",
        )
    })?;
    let written =
        serde_json::to_value(Written::of(&signed)).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    // The same line for people, who keep it in a file, and for machines.
    printer.line(&written.to_string());
    printer.json(&written);
    let words = Succession::of(arguments.place.lang);
    let successor =
        arguments.successor.map_or_else(|| words.no_successor.to_owned(), |successor| successor.to_string());
    let version = policy.version().to_string();
    let facts = [("sender", arguments.sender.to_string()), ("successor", successor), ("version", version)];
    printer.note(&filled(words.approved, &facts));
    Ok(())
}

/// Reads an approval.
///
/// # Errors
/// [`FailureKind::Usage`] if there is none in the file.
pub(super) fn read(file: &Path) -> Result<Approval, Failure> {
    let mut text = String::new();
    let read = File::open(file).and_then(|opened| opened.take(APPROVAL_BYTES_MAX + 1).read_to_string(&mut text));
    let parsed = read.context("it cannot be read").and_then(|_| parsed(&text));
    parsed.map_err(|error| {
        let error = error.context(format!("`{}` holds no approval", file.display()));
        Failure::new(FailureKind::Usage, error).with_hint("name a file that `lastro keys approve` wrote")
    })
}

fn parsed(text: &str) -> Result<Approval, anyhow::Error> {
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > APPROVAL_BYTES_MAX {
        return Err(anyhow!("it has more than {APPROVAL_BYTES_MAX} bytes"));
    }
    let written: Written = serde_json::from_str(text).context("it is not of the form of an approval")?;
    let signature = Signature::from_str(&written.signature).context("its signature is none")?;
    let Written { approver, role, subject, issued_at, expires_at, signature: _ } = written;
    let (issued_at, expires_at) = (UnixTime(issued_at), UnixTime(expires_at));
    Ok(Approval { statement: Statement { approver, role, subject, issued_at, expires_at }, signature })
}

impl Written {
    fn of(approval: &Approval) -> Self {
        let Statement { approver, ref role, subject, issued_at, expires_at } = approval.statement;
        Self {
            approver,
            role: role.clone(),
            subject,
            issued_at: issued_at.0,
            expires_at: expires_at.0,
            signature: approval.signature.to_string(),
        }
    }
}
