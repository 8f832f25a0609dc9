//! Each trap, made on nodes that are well: what is changed, and which other traps come with it.

use alloy_primitives::B256;
use serde_json::json;
use std::time::Duration;

use super::scripted::{ACCOUNTS, Behaviour, NODES};
use super::{Case, permissioned, version};
use crate::doctor::finding::Trap;
use crate::profile::network::{Consensus, Expected, PoolKind};
use crate::profile::{FeeModel, Rules};

/// Makes a trap, and says what comes with it.
pub(super) fn planted(trap: Trap, case: &mut Case) -> &'static [Trap] {
    let rooms = [of_version, of_network, of_blocks, of_access_and_nodes];
    rooms.into_iter().find_map(|room| room(trap, case)).unwrap_or_else(|| panic!("{trap:?} is planted nowhere"))
}

fn of_version(trap: Trap, case: &mut Case) -> Option<&'static [Trap]> {
    match trap {
        Trap::ZeroBalanceSendersShutOut => {
            case.both(version("26.4.0"));
            case.both(|one| one.balance = 0);
            return Some(&[Trap::SecurityFixesMissing, Trap::SelectionTimeIgnored, Trap::PrevrandaoDiffers]);
        }
        Trap::PoolStallsAtMinimumPrice => {
            case.both(version("25.12.0"));
            case.both(|one| (one.base_fee, one.rules) = (None, Some(Rules::Berlin)));
            case.profile().rules = Expected::Exactly(Rules::Berlin);
            return Some(&[Trap::SecurityFixesMissing, Trap::Push0Missing]);
        }
        Trap::SelectionTimeIgnored => {
            case.both(version("26.8.0"));
            return Some(&[Trap::SecurityFixesMissing]);
        }
        Trap::EmptyBlockDelays => {
            case.both(version("26.8.0"));
            case.both(|one| one.pace = |number| if number % 5 == 0 { (4, 1) } else { (12, 0) });
            return Some(&[Trap::SecurityFixesMissing, Trap::SelectionTimeIgnored, Trap::EmptyBlocksRarer]);
        }
        Trap::ShanghaiBlocksRefused => {
            case.both(version("26.1.0"));
            return Some(&[Trap::SecurityFixesMissing, Trap::SelectionTimeIgnored, Trap::PrevrandaoDiffers]);
        }
        Trap::ValidatorsStuckAfterRestart | Trap::PreparedBlockRefused => {
            case.both(version(if trap == Trap::PreparedBlockRefused { "24.10.0" } else { "25.2.2" }));
            return Some(&[
                Trap::SecurityFixesMissing,
                Trap::SelectionTimeIgnored,
                Trap::PrevrandaoDiffers,
                Trap::ValidatorsStuckAfterRestart,
            ]);
        }
        Trap::SubscriptionsBroken => {
            case.both(version("25.9.0"));
            return Some(&[Trap::SecurityFixesMissing, Trap::SelectionTimeIgnored, Trap::PrevrandaoDiffers]);
        }
        Trap::PrevrandaoDiffers => {
            case.both(version("26.6.0"));
            case.both(|one| one.pool = (4_096, 0));
            return Some(&[
                Trap::SecurityFixesMissing,
                Trap::SelectionTimeIgnored,
                Trap::PoolWindowSmall,
                Trap::PoolNoGossipAgain,
            ]);
        }
        Trap::PermissioningRemoved => {
            case.profile().permissioning = permissioned();
            case.both(|one| one.contracts = vec![ACCOUNTS, NODES]);
        }
        Trap::SecurityFixesMissing => case.both(version("26.8.1")),
        _ => return None,
    }
    Some(&[])
}

fn of_network(trap: Trap, case: &mut Case) -> Option<&'static [Trap]> {
    match trap {
        Trap::NodeUnreachable => {
            let _ = case.nodes[1].behaviours.insert("*", Behaviour::Refused);
            return Some(&[Trap::OneNodeOnly]);
        }
        Trap::NodeTurnsAway => {
            let host = r#"{"message":"Host not authorized."}"#.to_owned();
            let _ = case.nodes[1].behaviours.insert("*", Behaviour::Says(host));
            return Some(&[Trap::OneNodeOnly]);
        }
        Trap::ChainIdUnexpected => case.profile().chains[0].chain_id = 1,
        Trap::NetworkIdDiffers => case.both(|one| one.network_id = 1),
        Trap::GenesisUnexpected => case.profile().chains[0].genesis_hash = Some(B256::ZERO),
        Trap::ClientNotBesu => case.both(|one| one.client = "Geth/v1.13.0".to_owned()),
        Trap::VersionUnreadable => case.both(|one| one.client = "besu/unknown".to_owned()),
        Trap::NodeSyncing => case.both(|one| one.syncing = json!({ "currentBlock": "0x1", "highestBlock": "0xb" })),
        Trap::NoPeers => case.both(|one| one.peers = 0),
        Trap::RulesOlder => case.profile().rules = Expected::AtLeast(Rules::Cancun),
        Trap::RulesNewer => {
            case.profile().rules = Expected::Exactly(Rules::London);
        }
        Trap::RulesContradict => case.both(|one| one.hole = Some(Rules::London)),
        Trap::Push0Missing => {
            case.both(|one| one.rules = Some(Rules::Paris));
            case.profile().rules = Expected::Exactly(Rules::Paris);
        }
        Trap::PriceTooLow => case.both(|one| one.gas_price = 1_000),
        Trap::NoReplacement => {}
        Trap::GasLimitUnexpected => case.both(|one| one.gas_limit = 29_999_999),
        Trap::ConsensusUnexpected => {
            case.profile().consensus = Some(Consensus::Ibft2);
        }
        Trap::ConsensusUnknown => {
            case.profile().consensus = None;
            case.both(|one| one.has_seal = false);
        }
        _ => return None,
    }
    Some(&[])
}

fn of_blocks(trap: Trap, case: &mut Case) -> Option<&'static [Trap]> {
    match trap {
        Trap::FewValidators => {
            case.both(|one| (one.validators, one.proposer) = (3, |number| usize::try_from(number % 3).unwrap()));
        }
        Trap::ValidatorSilent => case.both(|one| one.proposer = |number| usize::try_from(number % 3).unwrap()),
        Trap::ForeignProposer => case.both(|one| one.proposer = |number| usize::try_from(number % 5).unwrap()),
        Trap::RoundChanges => case.both(|one| one.round = |number| u32::from(number % 8 == 0)),
        Trap::ChainBroken => case.both(|one| one.torn_at = Some(9_990)),
        Trap::HeadStalled => case.both(|one| one.head_age = 21),
        Trap::PeriodUnexpected => case.both(|one| one.pace = |_| (2, 1)),
        Trap::BlocksSlow => case.both(|one| one.pace = |_| (5, 1)),
        Trap::BlockGap => case.both(|one| one.pace = |number| if number == 9_980 { (21, 1) } else { (4, 1) }),
        Trap::EmptyBlocksRarer => {
            case.both(|one| one.pace = |number| if number % 5 == 0 { (4, 1) } else { (12, 0) });
        }
        Trap::ClockSkew => case.both(|one| one.head_age = -6),
        _ => return None,
    }
    Some(&[])
}

fn of_access_and_nodes(trap: Trap, case: &mut Case) -> Option<&'static [Trap]> {
    match trap {
        Trap::PoolWindowSmall | Trap::PoolNoGossipAgain => {
            case.both(|one| one.pool = (4_096, 0));
            return Some(&[Trap::PoolWindowSmall, Trap::PoolNoGossipAgain]);
        }
        Trap::LayeredWindow => {}
        Trap::PoolNearlyFull => {
            case.both(|one| one.pool = (4_096, 3_687));
            return Some(&[Trap::PoolWindowSmall, Trap::PoolNoGossipAgain]);
        }
        Trap::PoolUnexpected => case.profile().pool = Some(PoolKind::Sequenced),
        Trap::PermissioningMissing => {
            case.profile().permissioning = permissioned();
            case.both(|one| one.contracts = vec![NODES]);
            return Some(&[Trap::PermissioningRemoved]);
        }
        Trap::SenderRefused | Trap::SenderCannotCreate => {
            case.both(version("25.5.0"));
            case.both(|one| one.contracts = vec![ACCOUNTS]);
            let may_call = trap == Trap::SenderCannotCreate;
            case.both(|one| one.allowed = (false, may_call));
            return Some(&[Trap::SecurityFixesMissing, Trap::SelectionTimeIgnored, Trap::PrevrandaoDiffers]);
        }
        Trap::SenderNotListed => case.both(|one| one.allowlist = Some(vec![ACCOUNTS])),
        Trap::SenderCannotPay => {
            case.both(|one| (one.balance, one.gas_price) = (0, 1_000));
            case.profile().fees = FeeModel::Legacy { gas_price_wei: 1_000 };
        }
        Trap::RevertReasonsMissing => case.both(|one| one.reverts = Some(false)),
        Trap::LogRangeShort => case.both(|one| one.log_blocks_max = 1_000),
        Trap::AdminApiOpen => case.both(|one| one.modules.push("admin")),
        Trap::NothingWhileWatching => case.watch = Some(Duration::from_secs(21)),
        Trap::OneNodeOnly => case.nodes.truncate(1),
        Trap::NodesOnOtherChains => {
            case.nodes[1].chain_id = 7_008;
            case.nodes[1].network_id = 7_008;
            case.profile().chains.clear();
            return Some(&[Trap::NodesDisagree]);
        }
        Trap::NodesDisagree => case.nodes[1].history = 1,
        Trap::NodeLags => case.nodes[1].head -= 3,
        Trap::ReleasesMixed => {
            case.nodes.iter_mut().zip(["25.12.0", "26.9.0"]).for_each(|(one, release)| version(release)(one));
            return Some(&[Trap::SecurityFixesMissing, Trap::SelectionTimeIgnored, Trap::PrevrandaoDiffers]);
        }
        _ => return None,
    }
    Some(&[])
}
