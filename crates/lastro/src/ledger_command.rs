//! `lastro ledger …`: the embedded ledger from the command line.

pub(crate) mod run;

use crate::cli::{DataDirArgument, LedgerCommand, LedgerInit};
use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use anyhow::Context;
use ledger::data_dir::{DataDir, DataDirError, InitOptions};
use ledger::maintenance::{self, Inspection, MaintenanceError};
use ledger::node_key::NodeKey;
use serde_json::json;
use std::path::Path;

/// Runs one of the ledger's commands.
pub(crate) fn run(command: LedgerCommand, printer: &Printer) -> Result<(), Failure> {
    match command {
        LedgerCommand::Init(arguments) => init(&arguments, printer),
        LedgerCommand::Run(arguments) => run::run(&arguments, printer),
        LedgerCommand::Inspect(DataDirArgument { path }) => inspect(&path, printer),
        LedgerCommand::Repair(arguments) => repair(&arguments.data_dir.path, printer),
    }
}

/// A failure of the data directory: wrong input is the user's, all else is the machine's.
pub(crate) fn data_dir_failure(error: DataDirError) -> Failure {
    let kind = match &error {
        DataDirError::Genesis(_) | DataDirError::NotTheValidator { .. } | DataDirError::BlockPeriod { .. } => {
            FailureKind::Usage
        }
        _ => FailureKind::Environment,
    };
    let hint = error.hint();
    Failure::new(kind, error).with_hint_if(hint)
}

fn maintenance_failure(error: MaintenanceError) -> Failure {
    match error {
        MaintenanceError::DataDir(error) => data_dir_failure(error),
        other => Failure::new(FailureKind::Environment, other),
    }
}

fn init(arguments: &LedgerInit, printer: &Printer) -> Result<(), Failure> {
    let path = &arguments.genesis;
    let genesis = std::fs::read(path).with_context(|| format!("cannot read the genesis file `{}`", path.display()));
    let genesis = genesis.map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let key = arguments.key.as_deref().map(NodeKey::load).transpose();
    let key = key.map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let options = InitOptions { key, is_adopting: arguments.adopt };
    let data_dir = DataDir::init(&arguments.data_dir.path, &genesis, options).map_err(data_dir_failure)?;
    let chain_id = data_dir.genesis().config.chain_id;
    let shown = data_dir.path().display();
    printer.done(&format!("made a ledger of chain {chain_id} in `{shown}`"));
    printer.line(&format!("genesis   {}", data_dir.genesis_hash()));
    printer.line(&format!("validator {}", data_dir.key().address()));
    printer.note(&format!("run it with `lastro ledger run --data-dir {shown}`"));
    printer.json(&json!({
        "dataDir": shown.to_string(),
        "chainId": chain_id,
        "genesisHash": data_dir.genesis_hash().to_string(),
        "validator": data_dir.key().address().to_string(),
    }));
    Ok(())
}

fn inspect(path: &Path, printer: &Printer) -> Result<(), Failure> {
    let inspection = maintenance::inspect(path).map_err(maintenance_failure)?;
    show_inspection(&inspection, printer);
    let Some(damage) = &inspection.damage else { return Ok(()) };
    Err(Failure::new(FailureKind::Environment, anyhow::anyhow!("{}", damage.what)).with_hint(damage.hint))
}

fn show_inspection(inspection: &Inspection, printer: &Printer) {
    let period = format!("{:?}", inspection.block_period);
    printer.line(&format!("chain         {}", inspection.chain_id));
    printer.line(&format!("genesis       {}", inspection.genesis_hash));
    printer.line(&format!("validator     {}", inspection.validator));
    printer.line(&format!("block period  {period}"));
    printer.line(&format!(
        "log           {} blocks, {} bytes, {} segments",
        inspection.blocks, inspection.bytes, inspection.segments
    ));
    if let Some(head) = &inspection.head {
        printer.line(&format!("head          block {} {}", head.number, head.hash));
        printer.line(&format!("state root    {}", head.state_root));
        printer.line(&format!("transactions  {}", head.transactions));
    }
    if let Some(tail) = &inspection.torn_tail {
        printer
            .warning(&format!("the log ends with {tail}; the next `lastro ledger run` drops it, it was never final"));
    }
    printer.json(&json!({
        "chainId": inspection.chain_id,
        "genesisHash": inspection.genesis_hash.to_string(),
        "validator": inspection.validator.to_string(),
        "blockPeriod": period,
        "blocks": inspection.blocks,
        "bytes": inspection.bytes,
        "segments": inspection.segments,
        "head": inspection.head.as_ref().map(|head| json!({
            "number": head.number,
            "hash": head.hash.to_string(),
            "stateRoot": head.state_root.to_string(),
            "timestamp": head.timestamp,
            "transactions": head.transactions,
        })),
        "tornTail": inspection.torn_tail,
        "damage": inspection.damage.as_ref().map(|damage| damage.what.clone()),
    }));
}

fn repair(path: &Path, printer: &Printer) -> Result<(), Failure> {
    let repaired = maintenance::repair_drop_tail(path).map_err(maintenance_failure)?;
    let kept_in: Vec<String> = repaired.kept_in.iter().map(|file| file.display().to_string()).collect();
    if repaired.dropped_bytes == 0 {
        printer.done("nothing is damaged, nothing was dropped");
    } else {
        let dropped = repaired.dropped_blocks.map_or("an unknown number of".to_owned(), |blocks| blocks.to_string());
        printer.done(&format!(
            "dropped {} bytes with {dropped} blocks; {} blocks are left",
            repaired.dropped_bytes, repaired.kept_blocks
        ));
        printer.line(&format!("the dropped bytes are kept in {}", kept_in.join(", ")));
    }
    printer.json(&json!({
        "droppedBytes": repaired.dropped_bytes,
        "droppedBlocks": repaired.dropped_blocks,
        "keptBlocks": repaired.kept_blocks,
        "keptIn": kept_in,
    }));
    Ok(())
}
