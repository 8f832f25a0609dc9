//! `lastro drex deploy`: the suite on a network, by the administrator's and the central bank's keys.
//!
//! The directory holds what makes a second run safe: the store of sent transactions, and the record of what is deployed
//! where, written before the first of them. Keystore files are taken over into the directory, encrypted as they were.

use super::network::{Account, Network};
use super::participants::{self, Participants, Use, Wallets};
use super::report::Report;
use super::texts::{Text, Texts};
use super::{Stage, play};
use crate::cli::{DrexDeploy, PassphraseArguments};
use crate::dispatch::{Dispatch, Limits, fingerprint, open_failure};
use crate::drex_suite::{Setup, Suite, Wallet};
use crate::failure::{Failure, FailureKind};
use crate::ledger_command::run::StopSignals;
use crate::own_ledger::{keep, make_directory, read_kept};
use crate::printer::Printer;
use alloy_primitives::{Address, hex, keccak256};
use anyhow::Context;
use chain::{At, Chain, FeeModel, HttpTransport, Pace, Profile, Rpc, Rules};
use custody::{
    Custody, KeyLabel, KeyStore, KeystoreDirectory, KeystoreError, Network as KeyNetwork, Passphrase, ProfileName,
    Purpose, ScryptCost,
};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What a directory is the record of.
const RECORD_FILE: &str = "deployment.json";
/// Changes whenever the plan for the same participants changes.
const PLAN_VERSION: &str = "lastro drex deploy 2";
/// What custody and store take as a block's limit; a node with less says so for each transaction.
const BLOCK_GAS_LIMIT: u64 = 30_000_000;

/// Deploys, and shows what stands where.
pub(super) async fn run(arguments: &DrexDeploy, printer: &Printer) -> Result<(), Failure> {
    let participants = participants::read(&arguments.participants, Use::Deployment)?;
    let profile = profile(arguments)?;
    let transport = HttpTransport::new(&arguments.rpc).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let path = &arguments.data_dir;
    make_directory(path)?;
    let keys = Keys::open(arguments, profile.network())?;
    let transport = Arc::new(transport);
    let first_nonce = first_nonce(path, &Rpc::new(transport.clone()), keys.admin).await?;
    let plan = Plan::new(&participants, &keys, first_nonce)?;
    plan.claim(path, arguments.chain_id, &participants)?;
    let mut signals = StopSignals::take()?;
    let chain = Chain::open(profile, transport, &path.join("chain.db"), Arc::new(keys.custody)).await;
    let lanes = [(Wallet::Admin, keys.admin_label), (Wallet::CentralBank, keys.central_bank_label)];
    let dispatch = Dispatch::open(chain.map_err(open_failure)?, lanes, Limits::REMOTE).await?;
    let texts = Texts(arguments.lang);
    let played = tokio::select! {
        played = play(&dispatch, &plan.stages, texts, printer) => played,
        () = signals.received() => Err(stopped(path)),
    };
    printer.progress_end();
    dispatch.close().await;
    let network = plan.network(arguments, &participants);
    Report { network: &network, played: played?, texts }.show_deployment(&arguments.rpc, path, printer);
    Ok(())
}

fn stopped(path: &Path) -> Failure {
    let error = anyhow::anyhow!("the deployment was stopped before its end");
    let hint =
        format!("run it again with `--data-dir {}`: it goes on where it was, nothing is sent twice", path.display());
    Failure::new(FailureKind::Unknown, error).with_hint(hint)
}

/// A network as the arguments describe it. Old transactions and Berlin's rules hold on every network of the profiles.
fn profile(arguments: &DrexDeploy) -> Result<Profile, Failure> {
    let name = ProfileName::parse(arguments.profile.name());
    let fees = match arguments.gas_price {
        0 => FeeModel::Free,
        gas_price_wei => FeeModel::Legacy { gas_price_wei },
    };
    Ok(Profile {
        name: name.map_err(|error| Failure::new(FailureKind::Usage, error))?,
        chain_id: arguments.chain_id,
        rules: Rules::Berlin,
        fees,
        block_gas_limit: BLOCK_GAS_LIMIT,
        finality_blocks: 0,
        head_poll: Duration::from_millis(250),
        silence_max: Duration::from_secs(15),
        offers: Pace { first_pause: Duration::from_millis(100), pause_max: Duration::from_secs(2), attempts_max: 20 },
    })
}

/// The two keys that deploy.
struct Keys {
    custody: Custody,
    admin_label: KeyLabel,
    admin: Address,
    central_bank_label: KeyLabel,
    central_bank: Address,
}

impl Keys {
    fn open(arguments: &DrexDeploy, network: KeyNetwork) -> Result<Self, Failure> {
        let passphrase = passphrase(&arguments.passphrase)?;
        let directory = KeystoreDirectory::open(&arguments.data_dir.join("keys")).map_err(key_failure)?;
        let mut custody = Custody::new(network);
        let admin_file = &arguments.admin_key;
        let mut open = |file: &Path| open_key(&mut custody, &directory, file, &passphrase);
        let (admin_label, admin) = open(admin_file)?;
        let (central_bank_label, central_bank) = open(arguments.central_bank_key.as_deref().unwrap_or(admin_file))?;
        Ok(Self { custody, admin_label, admin, central_bank_label, central_bank })
    }
}

/// Takes a keystore file over, once, under a label that names its content: another file is another key.
fn open_key(
    custody: &mut Custody,
    directory: &KeystoreDirectory,
    file: &Path,
    passphrase: &Passphrase,
) -> Result<(KeyLabel, Address), Failure> {
    let content = std::fs::read(file).with_context(|| format!("cannot read the keystore file `{}`", file.display()));
    let content = content.map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let label = KeyLabel::parse(&format!("drex-{}", hex::encode(&keccak256(content)[..8])));
    let label = label.map_err(|error| Failure::new(FailureKind::Usage, error))?;
    match directory.import(file, &label, Purpose::Transactions, passphrase, ScryptCost::STANDARD) {
        Ok(_) | Err(KeystoreError::LabelTaken { .. }) => {}
        Err(error) => return Err(key_failure(error)),
    }
    let store = KeyStore::Directory(directory.clone());
    let address = custody.open_key(&store, &label, passphrase).map_err(key_failure)?;
    Ok((label, address))
}

fn key_failure(error: KeystoreError) -> Failure {
    let kind = match &error {
        KeystoreError::Io { .. } | KeystoreError::Random { .. } => FailureKind::Environment,
        _ => FailureKind::Usage,
    };
    Failure::new(kind, error)
}

fn passphrase(arguments: &PassphraseArguments) -> Result<Passphrase, Failure> {
    let read = match (&arguments.passphrase_file, &arguments.passphrase_env) {
        (Some(file), _) => Passphrase::from_file(file),
        (None, Some(name)) => Passphrase::from_env(name),
        // The command line asks for one of both.
        (None, None) => Passphrase::from_env("LASTRO_PASSPHRASE"),
    };
    read.map_err(|error| Failure::new(FailureKind::Usage, error))
}

/// The administrator's first nonce: of the record, or what the node says before anything is sent.
async fn first_nonce(path: &Path, rpc: &Rpc, admin: Address) -> Result<u64, Failure> {
    let kept = read_kept(&path.join(RECORD_FILE))?;
    let recorded = kept.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    if let Some(nonce) = recorded.as_ref().and_then(|record| record["firstNonce"].as_u64()) {
        return Ok(nonce);
    }
    rpc.transaction_count(admin, At::Latest).await.map_err(|error| {
        let error = anyhow::Error::new(error).context("the node does not answer");
        Failure::new(FailureKind::Unreachable, error).with_hint("is the node running, and at this URL?")
    })
}

/// What is deployed, and by which transactions.
struct Plan {
    suite: Suite,
    stages: Vec<Stage>,
    admin: Address,
    central_bank: Address,
    wallets: Wallets,
    first_nonce: u64,
}

impl Plan {
    fn new(participants: &Participants, keys: &Keys, first_nonce: u64) -> Result<Self, Failure> {
        let Some(wallets) = participants.wallets.clone() else {
            return Err(Failure::new(FailureKind::Usage, anyhow::anyhow!("the list of participants has no wallets")));
        };
        let suite = Suite::new(keys.admin, first_nonce, participants.institutions.clone());
        let (admin, central_bank) = (keys.admin, keys.central_bank);
        let mut plan = Self { suite, stages: Vec::new(), admin, central_bank, wallets, first_nonce };
        let wallet = |wallet: Wallet| plan.wallet(wallet);
        let setup = Setup { suite: &plan.suite, wallet: &wallet, prefix: "deploy" };
        let stages = vec![
            Stage { title: Text::Deploying, orders: setup.deploy() },
            Stage { title: Text::Admitting, orders: setup.admit() },
        ];
        plan.stages = stages;
        Ok(plan)
    }

    fn wallet(&self, wallet: Wallet) -> Address {
        match wallet {
            Wallet::Admin => self.admin,
            Wallet::CentralBank => self.central_bank,
            Wallet::Treasury => self.wallets.treasury,
            Wallet::Bank(place) => self.wallets.institutions[place].0,
            Wallet::Reserve(place) => self.wallets.institutions[place].1,
            Wallet::Client(..) => unreachable!("a deployment's institutions admit their clients themselves"),
        }
    }

    /// Ties the directory to this deployment, before anything is sent.
    ///
    /// # Errors
    /// [`FailureKind::Usage`] if it is the record of another.
    fn claim(&self, path: &Path, chain_id: u64, participants: &Participants) -> Result<(), Failure> {
        let file = path.join(RECORD_FILE);
        let record = json!({
            "plan": fingerprint(PLAN_VERSION, self.stages.iter().flat_map(|stage| &stage.orders)).to_string(),
            "chainId": chain_id,
            "administrator": self.admin.to_string(),
            "centralBank": self.central_bank.to_string(),
            "firstNonce": self.first_nonce,
            "participants": participants.as_json(),
        });
        match read_kept(&file)? {
            None => keep(&file, &record.to_string()),
            Some(kept) if serde_json::from_str::<Value>(&kept).is_ok_and(|kept| kept == record) => Ok(()),
            Some(_) => {
                let shown = path.display();
                let error = anyhow::anyhow!(
                    "`{shown}` is the record of another deployment: of other participants, keys, network or version"
                );
                let hint = "choose another directory with `--data-dir`, or give what this one began with";
                Err(Failure::new(FailureKind::Usage, error).with_hint(hint))
            }
        }
    }

    fn network(&self, arguments: &DrexDeploy, participants: &Participants) -> Network {
        let institutions =
            (0..participants.institutions.len()).flat_map(|place| [Wallet::Bank(place), Wallet::Reserve(place)]);
        let wallets = [Wallet::Admin, Wallet::CentralBank, Wallet::Treasury].into_iter().chain(institutions);
        let account = |wallet| Account { wallet, address: self.wallet(wallet), test_key: None };
        Network {
            suite: self.suite.clone(),
            chain_id: arguments.chain_id,
            gas_price_wei: arguments.gas_price,
            accounts: wallets.map(account).collect(),
        }
    }
}
