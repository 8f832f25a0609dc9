//! `lastro chain …`: what networks are expected to be, and whether a live one is.

use crate::cli::{ChainCommand, Language, ProfileCheck, ProfileCommand, ProfileName};
use crate::doctor_command::catalogue::{Words, filled, unseen_name};
use crate::failure::{Failure, FailureKind};
use crate::network_arguments::{node_access, now_seconds, patient, profile, shipped};
use crate::printer::Printer;
use crate::table::{Align, Table};
use chain::doctor::{self, Agreement, Examination, Item, Line, Observation, Shown, Unseen};
use chain::{Expected, FeeModel, NetworkProfile};
use serde_json::{Value, json};
use std::time::Duration;

/// The profile that a network is compared with if none is named.
const DEFAULT_PROFILE: &str = "besu-private";

/// Runs one of the commands.
pub(crate) fn run(command: ChainCommand, printer: &Printer) -> Result<(), Failure> {
    let ChainCommand::Profile(command) = command;
    match command {
        ProfileCommand::List(arguments) => {
            list(Words(arguments.lang), printer);
            Ok(())
        }
        ProfileCommand::Show(arguments) => show(&arguments, printer),
        ProfileCommand::Check(arguments) => {
            let runtime =
                tokio::runtime::Runtime::new().map_err(|error| Failure::new(FailureKind::Environment, error))?;
            runtime.block_on(check(&arguments, printer))
        }
    }
}

fn list(words: Words, printer: &Printer) {
    let headings = [
        words.text(|texts| &texts.profile),
        words.text(|texts| &texts.chain_ids),
        words.text(|texts| &texts.rules),
        words.text(|texts| &texts.gas_limit),
        words.text(|texts| &texts.fees),
    ];
    let mut table = Table::new(headings.map(|heading| (Align::Left, heading)));
    for profile in NetworkProfile::shipped() {
        let ids = profile.chain_ids();
        let ids = if ids.is_empty() { words.text(|texts| &texts.any).to_owned() } else { joined(&ids) };
        let fees = match profile.fees {
            FeeModel::Free => words.text(|texts| &texts.free).to_owned(),
            FeeModel::Legacy { gas_price_wei } => format!("{gas_price_wei} wei"),
            FeeModel::Eip1559 { max_fee_per_gas_wei, .. } => format!("{max_fee_per_gas_wei} wei"),
        };
        let rules = match profile.rules {
            Expected::Exactly(rules) => rules.to_string(),
            Expected::AtLeast(rules) => or_more(words, Item::Rules, &rules.to_string()),
        };
        let gas_limit = match profile.block_gas_limit {
            Expected::Exactly(gas) => gas.to_string(),
            Expected::AtLeast(gas) => or_more(words, Item::BlockGasLimit, &gas.to_string()),
        };
        table.row([profile.name.to_string(), ids, rules, gas_limit, fees]);
    }
    table.lines().iter().for_each(|line| printer.line(line));
    let profiles: Vec<Value> = NetworkProfile::shipped().iter().map(as_json).collect();
    printer.json(&json!({ "profiles": profiles }));
}

fn joined(ids: &[u64]) -> String {
    ids.iter().map(u64::to_string).collect::<Vec<String>>().join(", ")
}

/// The file as it is in the sources, with the source of each value.
fn show(arguments: &ProfileName, printer: &Printer) -> Result<(), Failure> {
    let profile = shipped(&arguments.name)?;
    let text = NetworkProfile::shipped_text(&arguments.name).unwrap_or_default();
    text.lines().for_each(|line| printer.line(line));
    printer.note(Words(arguments.lang).text(|texts| &texts.profile_form));
    printer.json(&as_json(profile));
    Ok(())
}

fn as_json(profile: &NetworkProfile) -> Value {
    let expected = |value: Value, is_exact: bool| json!({ "value": value, "isExact": is_exact });
    let rules = match profile.rules {
        Expected::Exactly(rules) => expected(json!(rules.to_string()), true),
        Expected::AtLeast(rules) => expected(json!(rules.to_string()), false),
    };
    let gas_limit = match profile.block_gas_limit {
        Expected::Exactly(gas) => expected(json!(gas), true),
        Expected::AtLeast(gas) => expected(json!(gas), false),
    };
    let fees = match profile.fees {
        FeeModel::Free => json!({ "model": "free" }),
        FeeModel::Legacy { gas_price_wei } => json!({ "model": "legacy", "gasPriceWei": gas_price_wei.to_string() }),
        FeeModel::Eip1559 { max_fee_per_gas_wei, max_priority_fee_per_gas_wei } => json!({
            "model": "eip1559",
            "maxFeePerGasWei": max_fee_per_gas_wei.to_string(),
            "maxPriorityFeePerGasWei": max_priority_fee_per_gas_wei.to_string(),
        }),
    };
    let milliseconds = |period: Duration| u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
    let chains = profile.chains.iter().map(|chain| {
        json!({
            "label": chain.label,
            "chainId": chain.chain_id,
            "genesisHash": chain.genesis_hash,
            "blockPeriodMilliseconds": chain.block_period.map(milliseconds),
            "emptyBlockPeriodMilliseconds": chain.empty_block_period.map(milliseconds),
        })
    });
    let contracts = profile
        .permissioning
        .iter()
        .map(|contract| json!({ "governs": contract.governs.to_string(), "address": contract.address.to_string() }));
    json!({
        "name": profile.name.as_str(),
        "rules": rules,
        "blockGasLimit": gas_limit,
        "fees": fees,
        "consensus": profile.consensus.map(|consensus| consensus.to_string()),
        "finalityBlocks": profile.finality_blocks,
        "pool": profile.pool.map(|pool| pool.to_string()),
        "permissioning": contracts.collect::<Vec<Value>>(),
        "chains": chains.collect::<Vec<Value>>(),
    })
}

async fn check(arguments: &ProfileCheck, printer: &Printer) -> Result<(), Failure> {
    let words = Words(arguments.lang);
    let profile = match profile(&arguments.profile)? {
        Some(profile) => profile,
        None => shipped(DEFAULT_PROFILE)?.clone(),
    };
    let patients = [patient(&arguments.rpc, &node_access(&arguments.access)?)?];
    let (senders, watch) = (Vec::new(), None);
    let examination = Examination { profile: Some(profile.clone()), senders, watch, now_seconds };
    let line = printer.progress_line();
    let on_progress = |progress: doctor::Progress| line.show(words.check(progress.check));
    let observations = doctor::examine(&patients, &examination, on_progress).await;
    printer.progress_end();
    let observation = &observations[0];
    if observation.is_silent() {
        return Err(silent(observation));
    }
    let lines = doctor::compare(observation, &profile);
    show_check(observation, &profile, &lines, words, printer);
    conclude(&profile, &lines, words, printer)
}

/// That a node says nothing that could be compared. One that refuses is running.
fn silent(node: &Observation) -> Failure {
    let reason = node.chain_id.as_ref().err();
    let (what, hint) = match reason {
        Some(Unseen::TurnedAway { .. } | Unseen::Refused { .. }) => (
            "answered, and refused",
            "does `--host-allowlist` take the name in this URL, and does the node ask for user and password?",
        ),
        _ => ("does not answer", "is the node running, and at this URL?"),
    };
    let reason = reason.map(|unseen| Words(Language::En).unseen(unseen)).unwrap_or_default();
    let error = anyhow::anyhow!(reason).context(format!("{} {what}", node.node));
    Failure::new(FailureKind::Unreachable, error).with_hint(hint)
}

/// The items of which this came, each once: contracts have one name together.
fn items(lines: &[Line], is_meant: fn(&Agreement) -> bool) -> Vec<&'static str> {
    let mut names: Vec<&'static str> =
        lines.iter().filter(|line| is_meant(&line.agreement)).map(|line| line.item.name()).collect();
    names.dedup();
    names
}

fn agreeing(lines: &[Line]) -> Vec<&'static str> {
    items(lines, |agreement| *agreement == Agreement::Agrees)
}

fn differing(lines: &[Line]) -> Vec<&'static str> {
    items(lines, |agreement| *agreement == Agreement::Differs)
}

fn not_seen(lines: &[Line]) -> Vec<&'static str> {
    items(lines, |agreement| matches!(agreement, Agreement::NotSeen(_)))
}

/// Whether the network is the profile's; `None` if nobody can say: something expected was not seen, or nothing is expected.
fn agrees(lines: &[Line]) -> Option<bool> {
    let is_whole = not_seen(lines).is_empty() && !agreeing(lines).is_empty();
    if differing(lines).is_empty() { is_whole.then_some(true) } else { Some(false) }
}

/// What was compared decides the exit code.
fn conclude(profile: &NetworkProfile, lines: &[Line], words: Words, printer: &Printer) -> Result<(), Failure> {
    let (agreeing, differing, not_seen) = (agreeing(lines), differing(lines), not_seen(lines));
    let name = ("profile", profile.name.to_string());
    if !differing.is_empty() {
        let differing = differing.join(", ");
        let error = anyhow::anyhow!("the network is not what profile `{}` expects: {differing}", profile.name);
        let hint =
            "name another with `--profile`, or one of your own with `--profile-file`; see `lastro chain profile list`";
        return Err(Failure::new(FailureKind::Refused, error).with_hint(hint));
    }
    if agreeing.is_empty() {
        let not_seen = not_seen.join(", ");
        let error = anyhow::anyhow!("nothing that profile `{}` expects was seen: {not_seen}", profile.name);
        return Err(Failure::new(FailureKind::Refused, error).with_hint("the list says why; ask another node"));
    }
    if not_seen.is_empty() {
        printer.done(&filled(words.text(|texts| &texts.all_agree), &[name]));
    } else {
        let facts = [name, ("compared", agreeing.join(", ")), ("not_seen", not_seen.join(", "))];
        printer.done(&filled(words.text(|texts| &texts.agree_as_seen), &facts));
    }
    Ok(())
}

fn show_check(node: &Observation, profile: &NetworkProfile, lines: &[Line], words: Words, printer: &Printer) {
    let headings =
        [words.text(|texts| &texts.item), words.text(|texts| &texts.expected), words.text(|texts| &texts.seen), ""];
    let mut table = Table::new(headings.map(|heading| (Align::Left, heading)));
    for line in lines {
        let value = |value: &Option<Shown>| {
            value.as_ref().map_or_else(|| "-".to_owned(), |shown| in_words(shown, line.item, words))
        };
        table.row([words.item(line.item), value(&line.expected), value(&line.seen), agreement(&line.agreement, words)]);
    }
    table.lines().iter().for_each(|line| printer.line(line));
    let items = lines.iter().map(|line| {
        let value = |value: &Option<Shown>| value.as_ref().map(|shown| in_words(shown, line.item, Words(Language::En)));
        let address = match line.item {
            Item::Permissioning(_, address) => Some(address.to_string()),
            _ => None,
        };
        json!({
            "item": line.item.name(),
            "address": address,
            "expected": value(&line.expected),
            "seen": value(&line.seen),
            "agreement": line.agreement.name(),
            "reason": match &line.agreement {
                Agreement::NotSeen(unseen) => json!({ "code": unseen_name(unseen), "inWords": words.unseen(unseen) }),
                Agreement::Agrees | Agreement::Differs | Agreement::NotExpected => Value::Null,
            },
        })
    });
    printer.json(&json!({
        "node": node.node,
        "profile": profile.name.as_str(),
        "agrees": agrees(lines),
        "items": items.collect::<Vec<Value>>(),
    }));
}

fn agreement(agreement: &Agreement, words: Words) -> String {
    match agreement {
        Agreement::Agrees => format!("✓ {}", words.text(|texts| &texts.agrees)),
        Agreement::Differs => format!("✗ {}", words.text(|texts| &texts.differs)),
        Agreement::NotExpected => format!("  {}", words.text(|texts| &texts.not_expected)),
        Agreement::NotSeen(unseen) => format!("? {}", words.unseen(unseen)),
    }
}

fn or_more(words: Words, item: Item, value: &str) -> String {
    let text = match item {
        Item::Rules => words.text(|texts| &texts.or_later),
        _ => words.text(|texts| &texts.at_least),
    };
    filled(text, &[("value", value.to_owned())])
}

fn in_words(shown: &Shown, item: Item, words: Words) -> String {
    match shown {
        Shown::Text(text) => text.clone(),
        Shown::AtLeast(value) => or_more(words, item, value),
        Shown::OneOf(values) => filled(words.text(|texts| &texts.one_of), &[("values", values.join(", "))]),
        Shown::Seconds(value) => filled(words.text(|texts| &texts.seconds), &[("value", value.clone())]),
        Shown::PriceAtMost(price) if price.is_zero() => words.text(|texts| &texts.free).to_owned(),
        Shown::PriceAtMost(price) => filled(words.text(|texts| &texts.price_at_most), &[("value", price.to_string())]),
        Shown::Prices { base_fee: Some(base_fee), gas_price } => {
            let facts = [("base_fee", base_fee.to_string()), ("gas_price", gas_price.to_string())];
            filled(words.text(|texts| &texts.prices), &facts)
        }
        Shown::Prices { base_fee: None, gas_price } => {
            filled(words.text(|texts| &texts.price_alone), &[("gas_price", gas_price.to_string())])
        }
        Shown::Contract { is_there: true } => words.text(|texts| &texts.contract_there).to_owned(),
        Shown::Contract { is_there: false } => words.text(|texts| &texts.contract_missing).to_owned(),
        Shown::OlderRules => words.text(|texts| &texts.older_rules).to_owned(),
        Shown::UnknownSeal => words.text(|texts| &texts.unknown_seal).to_owned(),
    }
}
