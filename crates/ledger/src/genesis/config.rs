//! The `config` object of a genesis: chain id, fork schedule, fees and QBFT's settings.

use super::GenesisError;
use super::fields::Object;
use crate::forks::{Activation, Fork, ForkSchedule};
use alloy_primitives::Address;
use std::time::Duration;

/// What all nodes of a network must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkConfig {
    /// EIP-155 chain id, which is also the network id.
    pub chain_id: u64,
    /// Which rules hold when.
    pub forks: ForkSchedule,
    /// Base fee 0 for ever (Besu's `zeroBaseFee`): gas is free.
    pub zero_base_fee: bool,
    /// A base fee in wei that never moves (Besu's `fixedBaseFee`).
    pub fixed_base_fee_wei: Option<u64>,
    /// Longest runtime code in bytes where it differs from EIP-170's 24,576.
    pub contract_bytes_max: Option<usize>,
    /// Consensus settings.
    pub qbft: QbftConfig,
}

/// QBFT's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QbftConfig {
    /// Shortest time between two blocks.
    pub block_period: Duration,
    /// Blocks after which pending votes are dropped.
    pub epoch_length_blocks: u64,
    /// First round's time limit.
    pub request_timeout: Duration,
    /// Who gets fees instead of the block's builder.
    pub mining_beneficiary: Option<Address>,
}

/// Fork keys by block number. Keys whose fork changes nothing for a BFT network map to the rules before them.
const FORKS_BY_BLOCK: &[(&str, Option<Fork>)] = &[
    ("homesteadBlock", None),
    ("eip150Block", None),
    ("eip155Block", None),
    ("eip158Block", None),
    ("byzantiumBlock", Some(Fork::Byzantium)),
    ("constantinopleFixBlock", Some(Fork::Petersburg)),
    ("petersburgBlock", Some(Fork::Petersburg)),
    ("istanbulBlock", Some(Fork::Istanbul)),
    ("muirGlacierBlock", Some(Fork::Istanbul)),
    ("berlinBlock", Some(Fork::Berlin)),
    ("londonBlock", Some(Fork::London)),
    ("arrowGlacierBlock", Some(Fork::London)),
    ("grayGlacierBlock", Some(Fork::London)),
];
/// Fork keys by time.
const FORKS_BY_TIME: &[(&str, Fork)] = &[
    ("shanghaiTime", Fork::Shanghai),
    ("cancunTime", Fork::Cancun),
    ("pragueTime", Fork::Prague),
    ("osakaTime", Fork::Osaka),
];
/// Keys of `config` that Besu knows and that change nothing with one sealer and no peers.
const IGNORED: &[&str] = &["discovery", "comment", "ecCurve", "blobSchedule", "eip150Hash"];
/// Keys of `config` that would change what a block means.
const REFUSED: &[(&str, &str)] = &[
    ("ibft2", "its headers differ; use `qbft`"),
    ("ibft", "its headers differ; use `qbft`"),
    ("clique", "it is no BFT consensus; use `qbft`"),
    ("ethash", "it is no BFT consensus; use `qbft`"),
    ("isQuorum", "GoQuorum's private transactions are not supported"),
    ("daoForkBlock", "it belongs to Ethereum's main network alone"),
    ("terminalTotalDifficulty", "a BFT network has no merge"),
    ("mergeNetSplitBlock", "a BFT network has no merge"),
    ("amsterdamTime", "the newest rules here are `osakaTime`"),
    ("depositContractAddress", "a BFT network has no beacon deposits"),
];
/// Timing and queue keys of `config.qbft` that only matter between several validators.
const QBFT_IGNORED: &[&str] = &[
    "messageQueueLimit",
    "duplicateMessageLimit",
    "futureMessagesLimit",
    "futureMessagesMaxDistance",
    "gossipedHistoryLimit",
];

/// Reads `config` and `config.qbft`.
pub(super) fn read(top: &mut Object<'_>) -> Result<NetworkConfig, GenesisError> {
    let value = top.value("config").ok_or_else(|| top.missing("config", "chain id, forks and `qbft`"))?;
    let mut config = Object::new("config", value, true)?;
    let chain_id = config.quantity("chainId")?.ok_or_else(|| config.missing("chainId", "the network's EIP-155 id"))?;
    let network = NetworkConfig {
        chain_id,
        forks: read_forks(&mut config)?,
        zero_base_fee: config.bool("zeroBaseFee")?.unwrap_or(false),
        fixed_base_fee_wei: config.quantity("fixedBaseFee")?,
        contract_bytes_max: read_size(&mut config, "contractSizeLimit")?,
        qbft: read_qbft(&mut config)?,
    };
    refuse_what_is_not_done(&mut config)?;
    IGNORED.iter().for_each(|key| config.ignore(key));
    config.finish()?;
    Ok(network)
}

fn read_forks(config: &mut Object<'_>) -> Result<ForkSchedule, GenesisError> {
    let mut forks = ForkSchedule::default();
    for (key, fork) in FORKS_BY_BLOCK {
        if let (Some(block), Some(fork)) = (config.quantity(key)?, fork) {
            forks.add(*fork, Activation::Block(block));
        }
    }
    for (key, fork) in FORKS_BY_TIME {
        if let Some(time) = config.quantity(key)? {
            forks.add(*fork, Activation::Time(time));
        }
    }
    // Constantinople itself priced storage in a way that was withdrawn at once: it is taken only together with its fix.
    let flawed = config.quantity("constantinopleBlock")?;
    let is_fixed_at_once = flawed.is_none_or(|block| forks.at(block, 0).is_some_and(|fork| fork >= Fork::Petersburg));
    if !is_fixed_at_once {
        let reason = "Constantinople alone was withdrawn; name `constantinopleFixBlock` with the same number";
        return Err(config.unsupported("constantinopleBlock", reason));
    }
    Ok(forks)
}

fn read_size(object: &mut Object<'_>, key: &str) -> Result<Option<usize>, GenesisError> {
    let Some(size) = object.quantity(key)? else { return Ok(None) };
    usize::try_from(size).map(Some).map_err(|_| object.invalid(key, &size.to_string(), "a size in bytes".to_owned()))
}

fn refuse_what_is_not_done(config: &mut Object<'_>) -> Result<(), GenesisError> {
    for (key, reason) in REFUSED {
        if config.value(key).is_some() {
            return Err(config.unsupported(key, reason));
        }
    }
    if config.quantity("evmStackSize")?.is_some_and(|words| words != 1_024) {
        return Err(config.unsupported("evmStackSize", "the stack has 1024 words, as Ethereum's"));
    }
    let transitions = config.value("transitions").and_then(|value| value.as_object());
    if transitions.is_some_and(|map| map.values().any(|list| list.as_array().is_none_or(|list| !list.is_empty()))) {
        return Err(
            config.unsupported("transitions", "settings that change at a block are not supported yet; remove them")
        );
    }
    Ok(())
}

fn read_qbft(config: &mut Object<'_>) -> Result<QbftConfig, GenesisError> {
    let mut qbft = config.object("qbft")?.ok_or_else(|| config.missing("qbft", "the consensus settings of QBFT"))?;
    let seconds = qbft.quantity("blockPeriodSeconds")?.unwrap_or(1);
    let block_period = match qbft.quantity("xBlockPeriodMilliseconds")? {
        Some(milliseconds) if milliseconds > 0 => Duration::from_millis(milliseconds),
        _ => Duration::from_secs(seconds),
    };
    if block_period.is_zero() {
        return Err(qbft.invalid("blockPeriodSeconds", "0", "at least 1".to_owned()));
    }
    let settings = QbftConfig {
        block_period,
        epoch_length_blocks: qbft.quantity("epochLength")?.unwrap_or(30_000),
        request_timeout: Duration::from_secs(qbft.quantity("requestTimeoutSeconds")?.unwrap_or(1)),
        mining_beneficiary: qbft.address("miningBeneficiary")?,
    };
    refuse_qbft_settings(&mut qbft)?;
    QBFT_IGNORED.iter().for_each(|key| qbft.ignore(key));
    qbft.finish()?;
    Ok(settings)
}

fn refuse_qbft_settings(qbft: &mut Object<'_>) -> Result<(), GenesisError> {
    if qbft.wide_quantity("blockReward")?.is_some_and(|reward| !reward.is_zero()) {
        return Err(qbft.unsupported("blockReward", "blocks pay no reward here; set it to 0"));
    }
    if qbft.quantity("emptyBlockPeriodSeconds")?.is_some_and(|seconds| seconds > 0) {
        return Err(
            qbft.unsupported("emptyBlockPeriodSeconds", "empty blocks are sealed at the block period; set it to 0")
        );
    }
    for key in ["validatorContractAddress", "startBlock", "perTxGasLimit"] {
        if qbft.value(key).is_some() {
            return Err(qbft.unsupported(key, "not supported yet; validators stand in `extraData`"));
        }
    }
    Ok(())
}
