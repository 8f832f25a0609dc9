//! Logs: queries over past blocks, and filters that remember how far they were read.

use super::errors::{answer, plain};
use super::{Context, RpcOptions, RpcResult, eth, parse, views};
use crate::node::Ledger;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log as RpcLog};
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;
use node_errors::Meaning;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::broadcast;

pub(super) fn register(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    let _ = module.register_blocking_method("eth_getLogs", |params, context, _| -> RpcResult<Vec<RpcLog>> {
        let (filter,): (Filter,) = parse(&params, 1, Meaning::InvalidFilterParams)?;
        query(&context.ledger, &context.options, &filter)
    })?;
    let _ = module.register_method("eth_newFilter", |params, context, _| -> RpcResult<U64> {
        let (filter,): (Filter,) = parse(&params, 1, Meaning::InvalidFilterParams)?;
        context.filters.open(&context.ledger, Kind::Logs(Box::new(filter)))
    })?;
    let _ = module
        .register_method("eth_newBlockFilter", |_, context, _| context.filters.open(&context.ledger, Kind::Blocks))?;
    let _ = module.register_method("eth_newPendingTransactionFilter", |_, context, _| {
        let pending = context.ledger.subscribe_pending();
        context.filters.open(&context.ledger, Kind::Pending(pending))
    })?;
    let _ = module.register_blocking_method("eth_getFilterChanges", |params, context, _| changes(&params, &context))?;
    let _ = module.register_blocking_method("eth_getFilterLogs", |params, context, _| -> RpcResult<Vec<RpcLog>> {
        let filter = context.filters.logs_filter(filter_id(&params)?)?;
        query(&context.ledger, &context.options, &filter)
    })?;
    let _ = module.register_method("eth_uninstallFilter", |params, context, _| -> RpcResult<bool> {
        Ok(context.filters.close(filter_id(&params)?))
    })?;
    Ok(())
}

/// Logs of the blocks that a filter names.
fn query(ledger: &Ledger, options: &RpcOptions, filter: &Filter) -> RpcResult<Vec<RpcLog>> {
    let (from, to) = match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let number = ledger.number_of(&hash).ok_or_else(|| plain(Meaning::BlockNotFound))?;
            (number, number)
        }
        FilterBlockOption::Range { from_block, to_block } => {
            let head = ledger.head().number;
            (bound(ledger, from_block, head), bound(ledger, to_block, head))
        }
    };
    if from > to {
        return Err(answer(Meaning::InvalidBlockParams, &format!("fromBlock {from} is after toBlock {to}")));
    }
    let blocks = (to - from).saturating_add(1);
    if blocks > options.log_blocks_max {
        let explanation = format!("{blocks} blocks were asked for, at most {} are searched", options.log_blocks_max);
        return Err(answer(Meaning::ExceedsBlockRange, &explanation));
    }
    let head = ledger.head().number;
    if to > head {
        // Besu since 26.1: a range that the chain has not reached is a mistake, not an empty answer.
        return Err(answer(Meaning::InvalidBlockParams, &format!("toBlock {to} is after the newest block {head}")));
    }
    scan(ledger, options, filter, from, to)
}

fn bound(ledger: &Ledger, tag: Option<BlockNumberOrTag>, head: u64) -> u64 {
    match tag {
        Some(BlockNumberOrTag::Number(number)) => number,
        Some(tag) => eth::number(ledger, tag).unwrap_or(head),
        None => head,
    }
}

fn scan(ledger: &Ledger, options: &RpcOptions, filter: &Filter, from: u64, to: u64) -> RpcResult<Vec<RpcLog>> {
    let mut found = Vec::new();
    for number in from..=to {
        let may_hold = ledger.header(number).is_some_and(|header| filter.matches_bloom(header.logs_bloom));
        let Some(block) = may_hold.then(|| ledger.block(number)).flatten() else { continue };
        found.extend(views::logs(&block).into_iter().filter(|log| filter.matches(&log.inner)));
        if found.len() > options.logs_max {
            let explanation = format!("more than {} logs match; ask for fewer blocks", options.logs_max);
            return Err(answer(Meaning::ResponseTooLarge, &explanation));
        }
    }
    Ok(found)
}

fn filter_id(params: &Params<'_>) -> RpcResult<u64> {
    let (id,): (U64,) = parse(params, 1, Meaning::InvalidFilterIdParams)?;
    Ok(id.to())
}

fn changes(params: &Params<'_>, context: &Context) -> RpcResult<Value> {
    let id = filter_id(params)?;
    let head = context.ledger.head().number;
    match context.filters.step(id)? {
        Step::Logs(filter, from) if from <= head => {
            let filter = filter.select(from..=head);
            let logs = scan(&context.ledger, &context.options, &filter, from, head)?;
            // Only now: a search that was refused must not lose what it did not tell.
            context.filters.passed(id, head);
            Ok(json!(logs))
        }
        Step::Logs(..) => Ok(json!([])),
        Step::Blocks(from) => {
            context.filters.passed(id, head);
            let hashes = (from..=head).filter_map(|number| context.ledger.header(number)).map(|header| header.hash());
            Ok(json!(hashes.collect::<Vec<B256>>()))
        }
        Step::Pending(hashes) => Ok(json!(hashes)),
    }
}

/// What a filter looks for.
enum Kind {
    Logs(Box<Filter>),
    Blocks,
    Pending(broadcast::Receiver<B256>),
}

struct OpenFilter {
    kind: Kind,
    next_block: u64,
    last_used: Instant,
}

/// What is new for a filter.
enum Step {
    Logs(Box<Filter>, u64),
    Blocks(u64),
    Pending(Vec<B256>),
}

/// Open filters. They live in this process alone; one that nobody asks for is closed.
pub(super) struct Filters {
    count_max: usize,
    idle_max: Duration,
    open: Mutex<(u64, HashMap<u64, OpenFilter>)>,
}

impl Filters {
    pub(super) fn new(options: RpcOptions) -> Self {
        let idle_max = Duration::from_secs(options.filter_idle_seconds_max);
        Self { count_max: options.filters_max, idle_max, open: Mutex::new((0, HashMap::new())) }
    }

    fn open(&self, ledger: &Ledger, kind: Kind) -> RpcResult<U64> {
        let next_block = ledger.head().number + 1;
        let now = Instant::now();
        let mut guard = self.open.lock();
        let (last_id, filters) = &mut *guard;
        filters.retain(|_, filter| now.saturating_duration_since(filter.last_used) <= self.idle_max);
        if filters.len() >= self.count_max {
            return Err(answer(
                Meaning::ExceedsFilters,
                &format!("at most {} filters are open at once", self.count_max),
            ));
        }
        *last_id += 1;
        let _ = filters.insert(*last_id, OpenFilter { kind, next_block, last_used: now });
        Ok(U64::from(*last_id))
    }

    fn close(&self, id: u64) -> bool {
        self.open.lock().1.remove(&id).is_some()
    }

    fn logs_filter(&self, id: u64) -> RpcResult<Filter> {
        match self.open.lock().1.get_mut(&id) {
            Some(OpenFilter { kind: Kind::Logs(filter), last_used, .. }) => {
                *last_used = Instant::now();
                Ok(Filter::clone(filter))
            }
            _ => Err(plain(Meaning::LogsFilterNotFound)),
        }
    }

    /// What a filter was told up to block `head`.
    fn passed(&self, id: u64, head: u64) {
        if let Some(filter) = self.open.lock().1.get_mut(&id) {
            filter.next_block = filter.next_block.max(head + 1);
        }
    }

    /// Where a filter stands.
    fn step(&self, id: u64) -> RpcResult<Step> {
        let mut guard = self.open.lock();
        let filter = guard.1.get_mut(&id).ok_or_else(|| plain(Meaning::FilterNotFound))?;
        filter.last_used = Instant::now();
        let from = filter.next_block;
        Ok(match &mut filter.kind {
            Kind::Logs(wanted) => Step::Logs(wanted.clone(), from),
            Kind::Blocks => Step::Blocks(from),
            Kind::Pending(pending) => {
                let mut hashes = Vec::new();
                loop {
                    match pending.try_recv() {
                        Ok(hash) => hashes.push(hash),
                        Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                        Err(_) => break,
                    }
                }
                Step::Pending(hashes)
            }
        })
    }
}
