//! `eth_subscribe` over WebSocket: new heads, logs, pending transactions, syncing.

use super::errors::answer;
use super::{Context, parse, views};
use crate::block::Block;
use alloy_rpc_types_eth::Filter;
use jsonrpsee::core::server::SubscriptionMessage;
use jsonrpsee::core::{RegisterMethodError, SubscriptionResult};
use jsonrpsee::{PendingSubscriptionSink, RpcModule, SubscriptionSink};
use node_errors::Meaning;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tracing::warn;

/// What can be subscribed to.
enum Wanted {
    NewHeads,
    Logs(Box<Filter>),
    Pending,
    Syncing,
}

pub(super) fn register(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    let _ = module.register_subscription(
        "eth_subscribe",
        "eth_subscription",
        "eth_unsubscribe",
        |params, pending, context, _| async move {
            let wanted = wanted(&params);
            match wanted {
                Ok(wanted) => feed(pending, context, wanted).await,
                Err(error) => {
                    pending.reject(error).await;
                    Ok(())
                }
            }
        },
    )?;
    Ok(())
}

fn wanted(params: &jsonrpsee::types::Params<'_>) -> super::RpcResult<Wanted> {
    let (kind, argument): (String, Option<serde_json::Value>) = parse(params, 2, Meaning::InvalidSubscriptionParams)?;
    match kind.as_str() {
        "newHeads" => Ok(Wanted::NewHeads),
        "newPendingTransactions" => Ok(Wanted::Pending),
        "syncing" => Ok(Wanted::Syncing),
        "logs" => {
            let filter = argument.map_or_else(|| Ok(Filter::default()), serde_json::from_value);
            let filter = filter.map_err(|error| answer(Meaning::InvalidSubscriptionParams, &error.to_string()))?;
            Ok(Wanted::Logs(Box::new(filter)))
        }
        other => {
            let known = "newHeads, logs, newPendingTransactions, syncing";
            Err(answer(Meaning::InvalidSubscriptionParams, &format!("`{other}` is none of {known}")))
        }
    }
}

async fn feed(pending: PendingSubscriptionSink, context: Arc<Context>, wanted: Wanted) -> SubscriptionResult {
    // Subscribed before the client is told so: what follows its answer is never missed. And only to what is read: a
    // receiver that nobody reads would hold on to every block.
    match wanted {
        Wanted::NewHeads => {
            let blocks = context.ledger.subscribe_blocks();
            let sink = pending.accept().await?;
            forward(&sink, blocks, |block: Arc<Block>| vec![views::header(&block.header)]).await;
        }
        Wanted::Logs(filter) => {
            let blocks = context.ledger.subscribe_blocks();
            let sink = pending.accept().await?;
            forward(&sink, blocks, |block: Arc<Block>| matching_logs(&filter, &block)).await;
        }
        Wanted::Pending => {
            let transactions = context.ledger.subscribe_pending();
            let sink = pending.accept().await?;
            forward(&sink, transactions, |hash| vec![hash]).await;
        }
        Wanted::Syncing => {
            let sink = pending.accept().await?;
            let _ = send(&sink, &false).await;
            sink.closed().await;
        }
    }
    Ok(())
}

fn matching_logs(filter: &Filter, block: &Block) -> Vec<alloy_rpc_types_eth::Log> {
    if !filter.matches_bloom(block.header.logs_bloom) {
        return Vec::new();
    }
    views::logs(block).into_iter().filter(|log| filter.matches(&log.inner)).collect()
}

/// Forwards what `events` brings until the client goes. A client that falls too far behind is cut off rather than left
/// with a gap that it cannot see: it subscribes again and reads what it missed by `eth_getLogs`.
async fn forward<E: Clone, T: Serialize>(sink: &SubscriptionSink, mut events: Receiver<E>, view: impl Fn(E) -> Vec<T>) {
    loop {
        let event = tokio::select! {
            () = sink.closed() => return,
            event = events.recv() => event,
        };
        match event {
            Ok(event) => {
                for item in view(event) {
                    if !send(sink, &item).await {
                        return;
                    }
                }
            }
            Err(RecvError::Lagged(missed)) => {
                warn!(missed, "a subscriber was too slow and was cut off");
                return;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

async fn send<T: Serialize>(sink: &SubscriptionSink, item: &T) -> bool {
    let message = SubscriptionMessage::new(sink.method_name(), sink.subscription_id(), item);
    match message {
        Ok(message) => sink.send(message).await.is_ok(),
        Err(_) => false,
    }
}
