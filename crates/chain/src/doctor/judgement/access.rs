//! What we may do on the network, and what the node tells us: pool, permissioning, senders, receipts, logs, open methods.

use super::{Judge, list};
use crate::doctor::finding::{Check, Severity, Trap};
use crate::doctor::observation::{Nothing, SeenPool, SeenSender, Unseen};
use crate::doctor::version::{Client, client};
use crate::profile::network::PoolKind;

/// Namespaces with which whoever reaches the port changes the node: its peers, its permissions, its block production, its head
/// (`debug_setHead`), its plugins.
const CHANGING_APIS: [&str; 5] = ["admin", "miner", "perm", "debug", "plugins"];
/// With these a validator votes on who else is one (`qbft_proposeValidatorVote`); on every other node they only read.
const VOTING_APIS: [&str; 3] = ["qbft", "ibft", "clique"];
/// `--tx-pool-limit-by-account-percentage`: one sender's part of the pool, by default a thousandth.
const DEFAULT_PARTS: u64 = 1_000;

impl Judge<'_> {
    pub(super) fn judge_access(&mut self) {
        self.judge_pool();
        self.judge_permissioning();
        self.judge_senders();
        match &self.seen.reverts {
            Err(unseen) => self.unseen(Check::RevertReasons, unseen.clone()),
            Ok(reverts) => {
                let with = reverts.with_reason.to_string();
                let facts = vec![("with", with), ("without", reverts.without_reason.to_string())];
                if reverts.without_reason > 0 {
                    self.trap(Check::RevertReasons, Trap::RevertReasonsMissing, Severity::Warning, facts);
                } else {
                    self.fine(Check::RevertReasons, facts);
                }
            }
        }
        self.judge_log_range();
        self.judge_apis();
    }

    fn judge_pool(&mut self) {
        let pool = match &self.seen.pool {
            Ok(pool) => *pool,
            Err(unseen) => return self.unseen(Check::Pool, unseen.clone()),
        };
        let kind = if pool.max.is_some() { PoolKind::Sequenced } else { PoolKind::Layered };
        if let Some(expected) = self.profile.and_then(|profile| profile.pool)
            && expected != kind
        {
            let facts = vec![("seen", kind.to_string()), ("expected", expected.to_string())];
            self.trap(Check::Pool, Trap::PoolUnexpected, Severity::Warning, facts);
        }
        match pool {
            SeenPool { max: Some(max), held } => {
                let window = max.div_ceil(DEFAULT_PARTS).max(1);
                let facts = vec![("max", max.to_string()), ("held", held.to_string()), ("window", window.to_string())];
                self.trap(Check::Pool, Trap::PoolWindowSmall, Severity::Warning, facts);
                self.trap(Check::Pool, Trap::PoolNoGossipAgain, Severity::Notice, Vec::new());
                // Nine tenths.
                if held.saturating_mul(10) >= max.saturating_mul(9) {
                    let facts = vec![("max", max.to_string()), ("held", held.to_string())];
                    self.trap(Check::Pool, Trap::PoolNearlyFull, Severity::Warning, facts);
                }
            }
            SeenPool { max: None, held } => {
                self.trap(Check::Pool, Trap::LayeredWindow, Severity::Notice, vec![("held", held.to_string())]);
            }
        }
    }

    fn judge_permissioning(&mut self) {
        let is_expected = self.profile.is_some_and(|profile| !profile.permissioning.is_empty());
        let mut is_any_seen = false;
        for (contract, code) in &self.seen.permissioning {
            let facts = vec![("governs", contract.governs.to_string()), ("address", contract.address.to_string())];
            match code {
                Ok(true) => self.fine(Check::Permissioning, facts),
                Ok(false) if is_expected => {
                    self.trap(Check::Permissioning, Trap::PermissioningMissing, Severity::Fault, facts);
                }
                Ok(false) => continue,
                Err(unseen) => self.unseen(Check::Permissioning, unseen.clone()),
            }
            is_any_seen = true;
        }
        if !is_any_seen {
            self.unseen(Check::Permissioning, Unseen::Nothing(Nothing::NoPermissioning));
        }
    }

    fn judge_senders(&mut self) {
        if self.seen.senders.is_empty() {
            return self.unseen(Check::Senders, Unseen::Nothing(Nothing::NoSender));
        }
        for sender in &self.seen.senders {
            let before = self.findings.len();
            self.judge_sender(sender);
            if !self.findings[before..].iter().any(|finding| finding.trap().is_some()) {
                let balance = sender.balance_wei.as_ref().map_or_else(|_| "-".to_owned(), ToString::to_string);
                self.fine(Check::Senders, vec![("sender", sender.address.to_string()), ("balance", balance)]);
            }
        }
    }

    fn judge_sender(&mut self, sender: &SeenSender) {
        let facts = vec![("sender", sender.address.to_string())];
        match (&sender.may_create, &sender.may_call) {
            (Ok(true), _) => {}
            (Ok(false), Ok(true)) => {
                self.trap(Check::Senders, Trap::SenderCannotCreate, Severity::Warning, facts.clone());
            }
            (Ok(false), Err(unseen)) => {
                self.trap(Check::Senders, Trap::SenderCannotCreate, Severity::Warning, facts.clone());
                self.unseen(Check::Senders, unseen.clone());
            }
            (Ok(false), Ok(false)) => self.trap(Check::Senders, Trap::SenderRefused, Severity::Fault, facts.clone()),
            (Err(unseen), _) => self.unseen(Check::Senders, unseen.clone()),
        }
        match &self.seen.allowlist {
            Ok(Some(listed)) if !listed.contains(&sender.address) => {
                self.trap(Check::Senders, Trap::SenderNotListed, Severity::Fault, facts.clone());
            }
            Ok(_) => {}
            Err(unseen) => self.unseen(Check::Senders, unseen.clone()),
        }
        match &sender.balance_wei {
            Ok(balance) if balance.is_zero() && !self.is_free() => {
                match self.offered_wei().map_or_else(|| self.seen.gas_price_wei.clone(), Ok) {
                    Ok(price) => {
                        let facts = [facts, vec![("price", price.to_string())]].concat();
                        self.trap(Check::Senders, Trap::SenderCannotPay, Severity::Fault, facts);
                    }
                    Err(unseen) => self.unseen(Check::Senders, unseen),
                }
            }
            Ok(_) => {}
            Err(unseen) => self.unseen(Check::Senders, unseen.clone()),
        }
    }

    fn judge_log_range(&mut self) {
        let range = match &self.seen.log_range {
            Ok(range) => *range,
            Err(unseen) => return self.unseen(Check::LogRange, unseen.clone()),
        };
        let facts = vec![("answered", range.answered_blocks.to_string())];
        let Some(refused) = range.refused_blocks else { return self.fine(Check::LogRange, facts) };
        let severity = if range.answered_blocks == 0 { Severity::Warning } else { Severity::Notice };
        let facts = [facts, vec![("refused", refused.to_string())]].concat();
        self.trap(Check::LogRange, Trap::LogRangeShort, severity, facts);
    }

    fn judge_apis(&mut self) {
        let modules = match &self.seen.modules {
            Ok(modules) => modules.clone(),
            Err(unseen) => return self.unseen(Check::Apis, unseen.clone()),
        };
        let is_any = |apis: &[&str]| modules.iter().any(|module| apis.contains(&module.as_str()));
        // The embedded ledger's methods only read.
        let may_vote = !self.seen.client.as_ref().is_ok_and(|said| matches!(client(said), Client::Embedded));
        let severity = match (is_any(&CHANGING_APIS), may_vote && is_any(&VOTING_APIS)) {
            (true, _) => Severity::Warning,
            (false, true) => Severity::Notice,
            (false, false) => return self.fine(Check::Apis, vec![("modules", list(&modules))]),
        };
        let is_open = |module: &&String| [CHANGING_APIS.as_slice(), &VOTING_APIS].concat().contains(&module.as_str());
        self.trap(Check::Apis, Trap::AdminApiOpen, severity, vec![("modules", list(modules.iter().filter(is_open)))]);
    }
}
