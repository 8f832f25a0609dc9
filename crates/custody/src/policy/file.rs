//! A policy's form in TOML.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, U256, keccak256};
use bindings::assets::rules::Weekday;
use bindings::call::CallShape;
use serde::Deserialize;

use crate::policy::time::{Window, minute_of_day};
use crate::policy::{Approver, CHANGE_APPROVALS, CHANGE_ROLE, Limits, Policy, Requirement, Rule};

/// The longest text of a policy, in bytes: some thousand functions.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;

/// The text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is longer than any policy.
    #[error("the policy has {bytes} bytes, more than {max}", max = POLICY_BYTES_MAX)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It is no TOML of this form: a key is unknown or missing, or has a value of another kind.
    #[error("the policy is not in its form: {reason}")]
    Form {
        /// What the reader says, with the place.
        reason: String,
    },
    /// A value is not what its key asks for.
    #[error("`{key}` of the policy is `{text}`: {reason}")]
    Value {
        /// The key.
        key: &'static str,
        /// The value.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// Something is named twice, so that it is not clear which holds.
    #[error("the policy names {what} twice")]
    Twice {
        /// What.
        what: String,
    },
    /// A limit on amounts is not whole: the argument and both limits belong together.
    #[error("function `{call}` needs `amount`, `amount_max` and `day_amount_max` together, or none of them")]
    HalfLimit {
        /// The function.
        call: String,
    },
    /// Fewer persons have a role than must approve in it. Two must have the role `policy`, or nobody could change the policy.
    #[error("{persons} persons have the role `{role}`, and {needed} must approve")]
    TooFewApprovers {
        /// The role.
        role: String,
        /// How many persons have it.
        persons: usize,
        /// How many it takes.
        needed: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    version: u64,
    chain_id: u64,
    creation: Option<CreationFile>,
    #[serde(default)]
    window: Vec<WindowFile>,
    #[serde(default)]
    approver: Vec<ApproverFile>,
    #[serde(default)]
    target: Vec<TargetFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreationFile {
    approvals: Vec<RequirementFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowFile {
    weekdays: Vec<Weekday>,
    from: String,
    until: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApproverFile {
    person: String,
    role: String,
    address: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetFile {
    address: String,
    function: Vec<FunctionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionFile {
    call: String,
    amount: Option<String>,
    amount_max: Option<String>,
    day_amount_max: Option<String>,
    approvals_above: Option<String>,
    #[serde(default)]
    approvals: Vec<RequirementFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequirementFile {
    role: String,
    count: usize,
}

pub(super) fn parse(text: &str) -> Result<Policy, PolicyError> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(PolicyError::TooLong { bytes: text.len() });
    }
    let file: PolicyFile = toml::from_str(text).map_err(|error| PolicyError::Form { reason: error.to_string() })?;
    let approvers = approvers(file.approver)?;
    let creation = file.creation.map(|creation| requirements(creation.approvals, &approvers)).transpose()?;
    let windows = file.window.iter().map(window).collect::<Result<Vec<Window>, PolicyError>>()?;
    let mut targets = BTreeMap::new();
    for target in file.target {
        let address = address(&target.address)?;
        let mut functions = BTreeMap::new();
        for function in target.function {
            let (call, rule) = (function.call.clone(), rule(function, &approvers)?);
            if functions.insert(rule.shape.selector(), rule).is_some() {
                return Err(PolicyError::Twice { what: format!("function `{call}` of {address}") });
            }
        }
        if targets.insert(address, functions).is_some() {
            return Err(PolicyError::Twice { what: format!("target {address}") });
        }
    }
    check_role(CHANGE_ROLE, CHANGE_APPROVALS, &approvers)?;
    let (version, chain_id, hash) = (file.version, file.chain_id, keccak256(text));
    Ok(Policy { version, chain_id, creation, windows, approvers, targets, hash })
}

fn approvers(files: Vec<ApproverFile>) -> Result<Vec<Approver>, PolicyError> {
    let mut approvers: Vec<Approver> = Vec::new();
    for ApproverFile { person, role, address: text } in files {
        let address = address(&text)?;
        // A key is one person's, in however many roles; and a person has one key in a role.
        let is_same = |known: &&Approver| {
            (known.person == person && known.role == role) || (known.person != person && known.address == address)
        };
        if approvers.iter().any(|known| is_same(&known)) {
            return Err(PolicyError::Twice { what: format!("approver `{person}` or {address} in role `{role}`") });
        }
        approvers.push(Approver { person, role, address });
    }
    Ok(approvers)
}

fn window(file: &WindowFile) -> Result<Window, PolicyError> {
    let minute = |key, text: &str| {
        minute_of_day(text).ok_or_else(|| value(key, text, "it is no time from 00:00 to 24:00".to_owned()))
    };
    let (from_minute, until_minute) = (minute("window.from", &file.from)?, minute("window.until", &file.until)?);
    if until_minute <= from_minute {
        return Err(value("window.until", &file.until, format!("it is not after `{}`", file.from)));
    }
    Ok(Window { weekdays: file.weekdays.clone(), from_minute, until_minute })
}

fn rule(file: FunctionFile, approvers: &[Approver]) -> Result<Rule, PolicyError> {
    let shape = CallShape::parse(&file.call).map_err(|error| value("function.call", &file.call, error.to_string()))?;
    let approvals_above =
        file.approvals_above.as_deref().map(|text| amount("function.approvals_above", text)).transpose()?;
    let limits = match (&file.amount, &file.amount_max, &file.day_amount_max) {
        (None, None, None) if approvals_above.is_none() => None,
        (Some(name), Some(amount_max), Some(day_amount_max)) => {
            let argument = shape.uint_argument(name);
            Some(Limits {
                argument: argument.map_err(|error| value("function.amount", name, error.to_string()))?,
                amount_max: amount("function.amount_max", amount_max)?,
                day_amount_max: amount("function.day_amount_max", day_amount_max)?,
                approvals_above,
            })
        }
        _ => return Err(PolicyError::HalfLimit { call: file.call }),
    };
    Ok(Rule { shape, limits, approvals: requirements(file.approvals, approvers)? })
}

fn requirements(files: Vec<RequirementFile>, approvers: &[Approver]) -> Result<Vec<Requirement>, PolicyError> {
    let mut roles = BTreeSet::new();
    let mut needed = Vec::new();
    for RequirementFile { role, count } in files {
        if !roles.insert(role.clone()) {
            return Err(PolicyError::Twice { what: format!("role `{role}` among the approvals of one thing") });
        }
        if count == 0 {
            return Err(value("approvals.count", "0", "it is at least 1".to_owned()));
        }
        check_role(&role, count, approvers)?;
        needed.push(Requirement { role, count });
    }
    Ok(needed)
}

fn check_role(role: &str, needed: usize, approvers: &[Approver]) -> Result<(), PolicyError> {
    let persons = approvers.iter().filter(|approver| approver.role == role).count();
    if persons < needed {
        return Err(PolicyError::TooFewApprovers { role: role.to_owned(), persons, needed });
    }
    Ok(())
}

fn address(text: &str) -> Result<Address, PolicyError> {
    text.parse().map_err(|_| value("address", text, "it is not 0x and 40 hexadecimal digits".to_owned()))
}

fn amount(key: &'static str, text: &str) -> Result<U256, PolicyError> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let read = if is_plain { U256::from_str_radix(text, 10).ok() } else { None };
    read.ok_or_else(|| value(key, text, "it is no whole number below 2^256".to_owned()))
}

fn value(key: &'static str, text: &str, reason: String) -> PolicyError {
    PolicyError::Value { key, text: text.to_owned(), reason }
}
