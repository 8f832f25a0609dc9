//! The data directory: whose it is, what network it belongs to, and that only one process writes to it.
//!
//! ```text
//! DIR/genesis.json   the genesis as it is in force (with this node's validator, if adopted)
//! DIR/node.key       this node's key, readable by its owner alone
//! DIR/network.json   written last: format, genesis hash, block period if it is not the genesis's
//! DIR/lock           held by the running process, with its id
//! DIR/log/           the append log
//! ```
//! A directory is initialised when `network.json` is there: an `init` that died before is simply done again.

use crate::extra_data::Form;
use crate::genesis::{Genesis, GenesisError};
use crate::header::{SealedHeader, quorum};
use crate::log::{self, DirectoryError, Log};
use crate::node_key::{NodeKey, NodeKeyError};
use crate::state::{WorldState, WorldTries};
use alloy_primitives::{Address, B256};
use process_lock::{Holder, ProcessLock, ProcessLockError};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Version of the directory's layout.
const FORMAT: u32 = 1;
/// Shortest block period: below it, sealing an empty block takes longer than the period.
pub const BLOCK_PERIOD_MIN: Duration = Duration::from_millis(10);
/// Longest block period: a day. More is a mistake of units.
pub const BLOCK_PERIOD_MAX: Duration = Duration::from_secs(86_400);

/// An initialised data directory, locked for this process until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    genesis: Genesis,
    genesis_hash: B256,
    block_period: Duration,
    key: NodeKey,
    _lock: ProcessLock,
}

/// How a new data directory is made.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Take this node key; without it one is made.
    pub key: Option<NodeKey>,
    /// Replace the validators that the genesis names by this node, as a copy of a public network must.
    pub is_adopting: bool,
}

/// What `network.json` holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NetworkFile {
    format: u32,
    genesis_hash: B256,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    block_period_milliseconds: Option<u64>,
}

/// The data directory cannot be made or used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// `init` found a ledger.
    #[error("data directory `{}` holds a ledger already, of genesis {genesis_hash}", path.display())]
    AlreadyInitialised {
        /// The directory.
        path: PathBuf,
        /// The genesis hash of what is there.
        genesis_hash: B256,
    },
    /// There is no ledger in the directory.
    #[error("data directory `{}` holds no ledger", path.display())]
    NotInitialised {
        /// The directory.
        path: PathBuf,
    },
    /// Another process has it.
    #[error("data directory `{}` is in use by {holder}", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
        /// The process, unless it has not written itself yet.
        holder: Holder,
    },
    /// The genesis names validators, but not only this node: it could never reach the quorum alone.
    #[error(
        "the genesis names {validators} validators and needs {quorum} seals, but this ledger seals alone as {address}"
    )]
    NotTheValidator {
        /// Validators in the genesis.
        validators: usize,
        /// Seals that a block needs.
        quorum: usize,
        /// This node's address.
        address: Address,
    },
    /// The directory was made by a newer version.
    #[error("data directory `{}` has layout {found}, this program knows {supported}", path.display())]
    NewerFormat {
        /// The directory.
        path: PathBuf,
        /// Layout that was found.
        found: u32,
        /// Layout of this program.
        supported: u32,
    },
    /// The files contradict each other.
    #[error("data directory `{}` belongs to genesis {expected}, but its genesis.json hashes to {found}", path.display())]
    GenesisChanged {
        /// The directory.
        path: PathBuf,
        /// Hash in `network.json`.
        expected: B256,
        /// Hash of `genesis.json`.
        found: B256,
    },
    /// `network.json` cannot be read.
    #[error("`{}` is damaged", path.display())]
    NetworkFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A block period that no header could obey.
    #[error(
        "a block period of {found:?} is not possible: take whole seconds from 1s to {BLOCK_PERIOD_MAX:?}, or milliseconds from {BLOCK_PERIOD_MIN:?} to 999ms"
    )]
    BlockPeriod {
        /// The period that was asked for.
        found: Duration,
    },
    /// `init` found a log that holds blocks, or something else, without the file that says whose it is.
    #[error("`{}` holds blocks, but network.json is missing beside it", path.display())]
    LogWithoutNetwork {
        /// The log's directory.
        path: PathBuf,
    },
    /// `init` was given a key, but another one is there. A key is never replaced.
    #[error("`{}` holds the key of {found}, but `--key` gives that of {given}", path.display())]
    OtherKey {
        /// The key file.
        path: PathBuf,
        /// Address of the key that is there.
        found: Address,
        /// Address of the key that was given.
        given: Address,
    },
    /// The genesis cannot be used.
    #[error("the genesis cannot be used")]
    Genesis(#[from] GenesisError),
    /// The node key cannot be used.
    #[error("the node key cannot be used")]
    Key(#[from] NodeKeyError),
    /// The log cannot be made.
    #[error("cannot make the log in `{}`", path.display())]
    Log {
        /// The log's directory.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file system refused.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DataDirError {
    /// What the user can do about it, where there is one thing to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::AlreadyInitialised { .. } => {
                Some("choose another with `--data-dir`, or look inside with `lastro ledger inspect`")
            }
            Self::NotInitialised { .. } => Some("make one with `lastro ledger init --genesis FILE --data-dir DIR`"),
            Self::Locked { .. } => Some("stop that process first, or choose another with `--data-dir`"),
            Self::NotTheValidator { .. } => {
                Some("pass `--adopt` to take the validators' place, or their key with `--key`")
            }
            Self::NewerFormat { .. } => Some("use the version of lastro that made it, or a newer one"),
            Self::GenesisChanged { .. } => {
                Some("bring back genesis.json as it was: it must not change once blocks exist")
            }
            Self::NetworkFile { .. } => Some("bring the data directory back from a backup"),
            Self::LogWithoutNetwork { .. } => {
                Some("bring network.json back from a backup, or choose another with `--data-dir`")
            }
            Self::OtherKey { .. } => Some("move that file away, or choose another with `--data-dir`"),
            Self::BlockPeriod { .. } | Self::Genesis(_) | Self::Key(_) | Self::Log { .. } | Self::File { .. } => None,
        }
    }
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataDirError {
    let path = path.to_owned();
    move |source| DataDirError::File { action, path, source }
}

/// Checks a block period by what headers can obey: they count whole seconds, and below one second the rule is absent.
///
/// # Errors
/// [`DataDirError::BlockPeriod`] outside the limits, or a fraction above one second.
pub fn check_block_period(period: Duration) -> Result<(), DataDirError> {
    let is_short = period < Duration::from_secs(1) && period.subsec_nanos().is_multiple_of(1_000_000);
    let is_whole = period.subsec_nanos() == 0;
    if (BLOCK_PERIOD_MIN..=BLOCK_PERIOD_MAX).contains(&period) && (is_short || is_whole) {
        return Ok(());
    }
    Err(DataDirError::BlockPeriod { found: period })
}

/// State and header of block 0.
pub(crate) fn genesis_block(genesis: &Genesis) -> (SealedHeader, crate::state::StateDiff) {
    let diff = crate::state::StateDiff::from_genesis(&genesis.accounts);
    let mut state = WorldState::default();
    state.apply(&diff);
    let root = WorldTries::of(&state).root();
    (SealedHeader::genesis(genesis.header(root)), diff)
}

impl DataDir {
    /// Makes a data directory for the network of `genesis_json`.
    ///
    /// # Errors
    /// [`DataDirError`]. After one, the directory holds no ledger that `open` would take, and `init` can be repeated.
    pub fn init(path: &Path, genesis_json: &[u8], options: InitOptions) -> Result<Self, DataDirError> {
        let mut genesis = Genesis::parse(genesis_json)?;
        fs::create_dir_all(path).map_err(file_error("make directory", path))?;
        let lock = lock(path)?;
        if let Some(network) = read_network(path)? {
            return Err(DataDirError::AlreadyInitialised { path: path.into(), genesis_hash: network.genesis_hash });
        }
        let key = settle_key(path, options.key)?;
        let mut genesis_json = genesis_json.to_vec();
        if options.is_adopting {
            genesis.extra_data.validators = vec![key.address()];
            genesis_json = with_extra_data(&genesis_json, &genesis);
        }
        check_validator(&genesis, &key)?;
        check_block_period(genesis.config.qbft.block_period)?;
        let (header, _) = genesis_block(&genesis);
        let network = NetworkFile { format: FORMAT, genesis_hash: header.hash(), block_period_milliseconds: None };
        write_durably(&path.join("genesis.json"), &genesis_json)?;
        make_log(&path.join("log"), header.hash())?;
        sync_parent(path)?;
        write_network(path, &network)?;
        let block_period = genesis.config.qbft.block_period;
        Ok(Self { path: path.into(), genesis, genesis_hash: header.hash(), block_period, key, _lock: lock })
    }

    /// Opens a data directory and locks it.
    ///
    /// # Errors
    /// [`DataDirError`], among others if another process has it.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let not_initialised = || DataDirError::NotInitialised { path: path.into() };
        // Before the lock, so that nothing is written into a folder that is no data directory; and again under it.
        let _ = read_network(path)?.ok_or_else(not_initialised)?;
        let lock = lock(path)?;
        let network = read_network(path)?.ok_or_else(not_initialised)?;
        let genesis = read_genesis(path)?;
        let (header, _) = genesis_block(&genesis);
        if header.hash() != network.genesis_hash {
            let (expected, found) = (network.genesis_hash, header.hash());
            return Err(DataDirError::GenesisChanged { path: path.into(), expected, found });
        }
        let key = NodeKey::load(&path.join("node.key"))?;
        check_validator(&genesis, &key)?;
        let kept = network.block_period_milliseconds.map(Duration::from_millis);
        let block_period = kept.unwrap_or(genesis.config.qbft.block_period);
        check_block_period(block_period)?;
        Ok(Self { path: path.into(), genesis, genesis_hash: header.hash(), block_period, key, _lock: lock })
    }

    /// Keeps another block period as the network's, from the next block on.
    ///
    /// # Errors
    /// [`DataDirError::BlockPeriod`] if headers could not obey it, [`DataDirError::File`] if it cannot be kept.
    pub fn set_block_period(&mut self, period: Duration) -> Result<(), DataDirError> {
        check_block_period(period)?;
        let is_own = period != self.genesis.config.qbft.block_period;
        let milliseconds = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        let block_period_milliseconds = is_own.then_some(milliseconds);
        let network = NetworkFile { format: FORMAT, genesis_hash: self.genesis_hash, block_period_milliseconds };
        write_network(&self.path, &network)?;
        self.block_period = period;
        Ok(())
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the log is.
    pub fn log_path(&self) -> PathBuf {
        self.path.join("log")
    }

    /// The genesis in force.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Hash of block 0.
    pub fn genesis_hash(&self) -> B256 {
        self.genesis_hash
    }

    /// Shortest time between two blocks.
    pub fn block_period(&self) -> Duration {
        self.block_period
    }

    /// This node's key.
    pub fn key(&self) -> &NodeKey {
        &self.key
    }
}

fn read_genesis(path: &Path) -> Result<Genesis, DataDirError> {
    let file = path.join("genesis.json");
    let bytes = fs::read(&file).map_err(file_error("read", &file))?;
    Ok(Genesis::parse(&bytes)?)
}

fn read_network(path: &Path) -> Result<Option<NetworkFile>, DataDirError> {
    let file = path.join("network.json");
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error("read", &file)(error)),
    };
    let damaged = |source| DataDirError::NetworkFile { path: file.clone(), source };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    let found = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or_default();
    if found > u64::from(FORMAT) {
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        return Err(DataDirError::NewerFormat { path: path.into(), found, supported: FORMAT });
    }
    serde_json::from_value(value).map(Some).map_err(damaged)
}

fn write_network(path: &Path, network: &NetworkFile) -> Result<(), DataDirError> {
    let mut text = serde_json::to_string_pretty(network).expect("numbers and a hash are JSON");
    text.push('\n');
    write_durably(&path.join("network.json"), text.as_bytes())
}

/// Writes a file so that after a crash it has its old content or the new one, never a part.
fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), DataDirError> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary).map_err(file_error("write", &temporary))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(file_error("write", &temporary))?;
    fs::rename(&temporary, path).map_err(file_error("replace", path))?;
    let parent = path.parent().unwrap_or(Path::new("."));
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(file_error("sync directory", parent))
}

/// Makes the directory's own entry in its parent last.
fn sync_parent(path: &Path) -> Result<(), DataDirError> {
    let path = path.canonicalize().map_err(file_error("resolve", path))?;
    let Some(parent) = path.parent() else { return Ok(()) };
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(file_error("sync directory", parent))
}

fn lock(path: &Path) -> Result<ProcessLock, DataDirError> {
    ProcessLock::take(&path.join("lock")).map_err(|error| match error {
        ProcessLockError::Held { holder, .. } => DataDirError::Locked { path: path.into(), holder },
        ProcessLockError::Io { action, path, source } => DataDirError::File { action, path, source },
    })
}

/// The key that is given, or the one that an interrupted `init` left, or a new one.
fn settle_key(path: &Path, given: Option<NodeKey>) -> Result<NodeKey, DataDirError> {
    let file = path.join("node.key");
    if file.exists() && given.is_none() {
        return Ok(NodeKey::load(&file)?);
    }
    if let Some(given) = &given
        && file.exists()
    {
        let kept = NodeKey::load(&file)?;
        if kept.address() != given.address() {
            return Err(DataDirError::OtherKey { path: file, found: kept.address(), given: given.address() });
        }
        return Ok(kept);
    }
    let key = given.unwrap_or_else(NodeKey::generate);
    key.save_new(&file)?;
    Ok(key)
}

fn check_validator(genesis: &Genesis, key: &NodeKey) -> Result<(), DataDirError> {
    let validators = &genesis.extra_data.validators;
    let needed = quorum(validators.len());
    if needed == 1 && validators.contains(&key.address()) {
        return Ok(());
    }
    Err(DataDirError::NotTheValidator { validators: validators.len(), quorum: needed, address: key.address() })
}

/// The genesis file with another `extraData`, everything else as it was.
fn with_extra_data(genesis_json: &[u8], genesis: &Genesis) -> Vec<u8> {
    let mut value: serde_json::Value = serde_json::from_slice(genesis_json).expect("it was parsed before");
    value["extraData"] = serde_json::Value::String(genesis.extra_data.encode(Form::Full).to_string());
    let mut text = serde_json::to_vec_pretty(&value).expect("JSON values are JSON");
    text.push(b'\n');
    text
}

fn make_log(path: &Path, genesis_hash: B256) -> Result<(), DataDirError> {
    match log::inspect(path) {
        Err(DirectoryError::NoLog { .. }) => {}
        // An empty log is what an interrupted init left; nothing else is ever removed.
        Ok(left) if left.records == 0 && left.first_damage.is_none() && left.segments.len() == 1 => {
            let segment = path.join(format!("blocks-{}.log", left.segments[0].segment));
            fs::remove_file(&segment).map_err(file_error("remove", &segment))?;
        }
        Ok(_) => return Err(DataDirError::LogWithoutNetwork { path: path.into() }),
        Err(DirectoryError::File(_)) if !path.exists() => {}
        Err(source) => return Err(DataDirError::Log { path: path.into(), source: Box::new(source) }),
    }
    Log::create(path, genesis_hash).map_err(|source| DataDirError::Log { path: path.into(), source: Box::new(source) })
}
