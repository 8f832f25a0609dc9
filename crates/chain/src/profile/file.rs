//! Reading a profile from its file: TOML, with every mistake named by file, field, value and limit.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use custody::ProfileName;
use serde::Deserialize;

use super::network::{Consensus, Expected, Governs, KnownChain, NetworkProfile, PermissioningContract, PoolKind};
use super::{FeeModel, PRICE_STEPS, PRICE_STEPS_MAX, Pace, Rules};
use crate::window::WINDOW_MAX;

/// The longest file of a profile, in bytes: a hundred times the longest that ships.
pub const PROFILE_BYTES_MAX: u64 = 256 * 1024;
/// Most networks, and most contracts, of one profile.
const ENTRIES_MAX: usize = 64;
/// The longest name of a network, in characters.
const LABEL_CHARACTERS_MAX: usize = 64;
/// The least gas limit of a block (yellow paper, section 4.4.4), and the most that a signed integer of 64 bits holds.
const GAS_LIMITS: [u64; 2] = [5_000, i64::MAX.unsigned_abs()];
/// More blocks than any chain waits for.
const FINALITY_BLOCKS_MAX: u64 = 100_000;
/// The shortest and the longest period of blocks and pauses.
const PERIODS: [Duration; 2] = [Duration::from_millis(1), Duration::from_secs(3_600)];
/// Most attempts to offer a transaction.
const ATTEMPTS_MAX: u32 = 1_000;

/// A profile cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProfileFileError {
    /// The file cannot be read. Is it there, and may this process read it?
    #[error("cannot read `{file}`")]
    Read {
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// The file is longer than a profile can be.
    #[error("`{file}` is longer than {max} bytes, which no profile is")]
    TooLong {
        /// The file.
        file: String,
        /// The longest.
        max: u64,
    },
    /// The file is no TOML, or has a key that no profile has, or lacks one.
    #[error("`{file}`, line {line}: {mistake}")]
    Form {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        mistake: String,
    },
    /// A value is none that the field can have.
    #[error("`{file}`: `{field}` is {value}, and must be {limit}")]
    Value {
        /// The file.
        file: String,
        /// The field, with its place among several.
        field: String,
        /// What stands there.
        value: String,
        /// What could.
        limit: String,
    },
}

/// The file as it is written. Texts that have a form of their own are read afterwards, so that a mistake names its field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileText {
    name: String,
    rules: Expected<Rules>,
    block_gas_limit: Expected<u64>,
    fees: FeesText,
    consensus: Option<Consensus>,
    finality_blocks: u64,
    pool: Option<PoolKind>,
    #[serde(default)]
    permissioning: Vec<ContractText>,
    #[serde(default)]
    chains: Vec<ChainText>,
    sending: SendingText,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum FeesText {
    Free,
    Legacy { gas_price_wei: u64 },
    Eip1559 { max_fee_per_gas_wei: u64, max_priority_fee_per_gas_wei: u64 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractText {
    governs: Governs,
    address: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChainText {
    label: String,
    chain_id: u64,
    genesis_hash: Option<String>,
    block_period: Option<String>,
    empty_block_period: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendingText {
    head_poll: String,
    silence_max: String,
    first_pause: String,
    pause_max: String,
    attempts_max: u32,
    window_start: Option<u64>,
    price_steps_max: Option<u32>,
}

impl NetworkProfile {
    /// Reads a profile of the user's own.
    ///
    /// # Errors
    ///
    /// See [`ProfileFileError`]; also if it takes the name of one that ships, on which other parts rely.
    pub fn read(path: &Path) -> Result<Self, ProfileFileError> {
        let file = path.display().to_string();
        let read = |source| ProfileFileError::Read { file: file.clone(), source };
        let mut text = Vec::new();
        let length =
            File::open(path).map_err(read)?.take(PROFILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(read)?;
        if length as u64 > PROFILE_BYTES_MAX {
            return Err(ProfileFileError::TooLong { file, max: PROFILE_BYTES_MAX });
        }
        let text = String::from_utf8(text).map_err(|error| read(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        let profile = parse(&file, &text)?;
        if Self::named(profile.name.as_str()).is_some() {
            let limit = "a name that no profile of the platform has".to_owned();
            return Err(ProfileFileError::Value { file, field: "name".to_owned(), value: shown(&profile.name), limit });
        }
        Ok(profile)
    }
}

/// Reads the text of a file.
pub(super) fn parse(file: &str, text: &str) -> Result<NetworkProfile, ProfileFileError> {
    let read: ProfileText = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        ProfileFileError::Form { file: file.to_owned(), line, mistake: error.message().trim_end().to_owned() }
    })?;
    Reader { file }.profile(read)
}

/// A value as it is shown in a mistake: short, and on one line.
fn shown(value: &impl ToString) -> String {
    let text: String = value.to_string().chars().take(80).collect();
    format!("`{}`", text.escape_debug())
}

struct Reader<'a> {
    file: &'a str,
}

impl Reader<'_> {
    fn profile(&self, read: ProfileText) -> Result<NetworkProfile, ProfileFileError> {
        let name = ProfileName::parse(&read.name)
            .map_err(|_| self.mistake("name", &read.name, "1 to 32 characters of a-z, 0-9 and -"))?;
        let gas = read.block_gas_limit.least();
        self.within("block_gas_limit", gas, GAS_LIMITS[0], GAS_LIMITS[1])?;
        self.within("finality_blocks", read.finality_blocks, 0, FINALITY_BLOCKS_MAX)?;
        self.within("permissioning", read.permissioning.len(), 0, ENTRIES_MAX)?;
        self.within("chains", read.chains.len(), 0, ENTRIES_MAX)?;
        let permissioning = read.permissioning.iter().enumerate().map(|(place, one)| self.contract(place, one));
        let chains = read.chains.iter().enumerate().map(|(place, one)| self.chain(place, one));
        let sending = &read.sending;
        let attempts_max = sending.attempts_max;
        self.within("sending.attempts_max", attempts_max, 1, ATTEMPTS_MAX)?;
        let first_pause = self.period("sending.first_pause", &sending.first_pause)?;
        let pause_max = self.period("sending.pause_max", &sending.pause_max)?;
        if first_pause > pause_max {
            let limit = format!("`sending.pause_max`, {}, or shorter", shown(&sending.pause_max));
            return Err(self.mistake("sending.first_pause", &sending.first_pause, &limit));
        }
        let offers = Pace { first_pause, pause_max, attempts_max };
        // Besu's layered pool is what a network has of which nothing is said.
        let window_start =
            sending.window_start.unwrap_or_else(|| read.pool.unwrap_or(PoolKind::Layered).window_start());
        self.within("sending.window_start", window_start, 1, WINDOW_MAX)?;
        let price_steps_max = sending.price_steps_max.unwrap_or(PRICE_STEPS);
        self.within("sending.price_steps_max", price_steps_max, 0, PRICE_STEPS_MAX)?;
        Ok(NetworkProfile {
            name,
            rules: read.rules,
            block_gas_limit: read.block_gas_limit,
            fees: self.fees(&read.fees, read.rules.least())?,
            consensus: read.consensus,
            finality_blocks: read.finality_blocks,
            pool: read.pool,
            permissioning: permissioning.collect::<Result<_, _>>()?,
            chains: chains.collect::<Result<_, _>>()?,
            head_poll: self.period("sending.head_poll", &sending.head_poll)?,
            silence_max: self.period("sending.silence_max", &sending.silence_max)?,
            offers,
            window_start,
            price_steps_max,
        })
    }

    fn fees(&self, fees: &FeesText, rules: Rules) -> Result<FeeModel, ProfileFileError> {
        match *fees {
            FeesText::Free => Ok(FeeModel::Free),
            FeesText::Legacy { gas_price_wei } => Ok(FeeModel::Legacy { gas_price_wei: gas_price_wei.into() }),
            FeesText::Eip1559 { .. } if rules < Rules::London => {
                Err(self.mistake("fees", "eip1559", "legacy or free where the rules are older than London"))
            }
            FeesText::Eip1559 { max_fee_per_gas_wei: most, max_priority_fee_per_gas_wei: priority } => {
                self.within("fees.eip1559.max_priority_fee_per_gas_wei", priority, 0, most)?;
                let (max_fee_per_gas_wei, max_priority_fee_per_gas_wei) = (most.into(), priority.into());
                Ok(FeeModel::Eip1559 { max_fee_per_gas_wei, max_priority_fee_per_gas_wei })
            }
        }
    }

    fn contract(&self, place: usize, read: &ContractText) -> Result<PermissioningContract, ProfileFileError> {
        let field = format!("permissioning[{place}].address");
        let address = Address::from_str(&read.address);
        let address = address.map_err(|_| self.mistake(&field, &read.address, "an address: 0x and 40 digits"))?;
        Ok(PermissioningContract { governs: read.governs, address })
    }

    fn chain(&self, place: usize, read: &ChainText) -> Result<KnownChain, ProfileFileError> {
        let field = |name: &str| format!("chains[{place}].{name}");
        let length = read.label.chars().count();
        if length == 0 || length > LABEL_CHARACTERS_MAX || read.label.chars().any(char::is_control) {
            let limit = format!("1 to {LABEL_CHARACTERS_MAX} printable characters");
            return Err(self.mistake(&field("label"), &read.label, &limit));
        }
        self.within(&field("chain_id"), read.chain_id, 1, GAS_LIMITS[1])?;
        let hash = |text: &String| {
            B256::from_str(text)
                .map_err(|_| self.mistake(&field("genesis_hash"), text, "a hash: 0x and 64 hexadecimal digits"))
        };
        let period =
            |name: &str, text: &Option<String>| text.as_ref().map(|text| self.period(&field(name), text)).transpose();
        let block_period = period("block_period", &read.block_period)?;
        let empty_block_period = period("empty_block_period", &read.empty_block_period)?;
        if let Some(text) = &read.empty_block_period
            && (block_period.is_none() || empty_block_period < block_period)
        {
            return Err(self.mistake(
                &field("empty_block_period"),
                text,
                "as long as `block_period` or longer, and that must be there",
            ));
        }
        Ok(KnownChain {
            label: read.label.clone(),
            chain_id: read.chain_id,
            genesis_hash: read.genesis_hash.as_ref().map(hash).transpose()?,
            block_period,
            empty_block_period,
        })
    }

    fn within<T>(&self, field: &str, value: T, least: T, most: T) -> Result<(), ProfileFileError>
    where
        T: Copy + Ord + ToString,
    {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(self.mistake(field, &value.to_string(), &format!("{} to {}", least.to_string(), most.to_string())))
    }

    fn period(&self, field: &str, text: &str) -> Result<Duration, ProfileFileError> {
        let found = duration(text).filter(|period| (PERIODS[0]..=PERIODS[1]).contains(period));
        found.ok_or_else(|| self.mistake(field, text, "a length of time from `1ms` to `60m`, such as `250ms` or `4s`"))
    }

    fn mistake(&self, field: &str, value: &str, limit: &str) -> ProfileFileError {
        let (file, field, value) = (self.file.to_owned(), field.to_owned(), shown(&value));
        ProfileFileError::Value { file, field, value, limit: limit.to_owned() }
    }
}

/// A whole number with its unit: `250ms`, `4s`, `1m`.
fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = digits.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
