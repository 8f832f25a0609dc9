//! `lastro drex deploy`: the suite on a network, by the administrator's and the central bank's keys.
//!
//! The directory holds what makes a second run safe: the store of sent transactions, and the record of what is deployed
//! where, written before the first of them. Keys stay in their keystore files: each run opens them there.

use super::network::{Account, Network};
use super::participants::{self, Participants, Use, Wallets};
use super::report::{Deployment, Report};
use super::texts::{Text, Texts};
use super::{Played, Stage, play};
use crate::cli::DrexDeploy;
use crate::dispatch::{CHAIN_FILE, Dispatch, Limits, Order, fingerprint, open_failure};
use crate::drex_suite::{Setup, Suite, Wallet};
use crate::failure::{Failure, FailureKind};
use crate::keys_command::read_passphrase;
use crate::ledger_command::run::StopSignals;
use crate::network_arguments::{node_access, sending_nodes, shipped, way_over};
use crate::own_ledger::{keep, make_directory, read_kept};
use crate::printer::Printer;
use alloy_primitives::Address;
use chain::doctor::Patient;
use chain::{At, Chain, FeeModel, IntentKey, NewHeads, OpenError, Profile, Rpc, RpcError, RpcTransport, SettlingNode};
use custody::{Custody, KeyLabel, Network as KeyNetwork, Passphrase, Purpose};
use journal::Place;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// What a directory is the record of.
const RECORD_FILE: &str = "deployment.json";
/// Changes whenever the plan for the same participants changes.
const PLAN_VERSION: &str = "lastro drex deploy 2";

/// From so many nodes on each is followed for itself: of fewer, one that is away would hold up the others.
const FOLLOWED_EACH_FROM: usize = 3;

/// Deploys, and shows what stands where.
pub(super) async fn run(arguments: &DrexDeploy, printer: &Printer) -> Result<(), Failure> {
    let participants = participants::read(&arguments.participants, Use::Deployment)?;
    let profile = profile(arguments)?;
    let access = node_access(&arguments.access)?;
    let nodes = sending_nodes(&arguments.rpc, &access)?;
    let new_heads = arguments.ws.as_deref().map(|url| NewHeads::with(url, &access)).transpose();
    let new_heads = new_heads.map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let (path, way) = (&arguments.data_dir, way_over(&nodes));
    let keys = Keys::open(arguments, profile.network())?;
    let first_nonce = first_nonce(path, &Rpc::new(Arc::clone(&way)), arguments.chain_id, keys.admin).await?;
    let plan = Plan::new(&participants, keys.admin, keys.central_bank, first_nonce)?;
    make_directory(path)?;
    plan.claim(path, arguments.chain_id, &participants)?;
    let mut signals = StopSignals::take()?;
    let store = Place::Sqlite { path: path.join(CHAIN_FILE) };
    let chain = Chain::open(profile, Arc::clone(&way), &store, Arc::new(keys.custody)).await;
    let lanes = [(Wallet::Admin, keys.admin_label), (Wallet::CentralBank, keys.central_bank_label)];
    let followed = followed(&nodes, way, new_heads);
    let dispatch = Dispatch::open(chain.map_err(open_failure)?, followed, lanes, Limits::REMOTE).await?;
    let texts = Texts(arguments.lang);
    let played = tokio::select! {
        played = plan.play(&dispatch, texts, printer) => played,
        () = signals.received() => Err(stopped(path)),
    };
    printer.progress_end();
    dispatch.close().await;
    let network = plan.network(arguments, &participants);
    let rpc: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    let deployment = Deployment { path, rpc: &rpc, left: &plan.left };
    Report { network: &network, played: played?, texts }.show_deployment(&deployment, printer);
    Ok(())
}

/// Of three nodes each is followed for itself, since two of them make more than half. Fewer are followed as one, by whichever is in
/// front: of two, each would have to answer.
fn followed(nodes: &[Patient], way: Arc<dyn RpcTransport>, new_heads: Option<NewHeads>) -> Vec<SettlingNode> {
    if nodes.len() < FOLLOWED_EACH_FROM {
        return vec![SettlingNode { name: nodes[0].name.clone(), transport: way, new_heads }];
    }
    let each = nodes.iter().map(|Patient { name, transport }| (name.clone(), Arc::clone(transport)));
    let mut followed: Vec<SettlingNode> =
        each.map(|(name, transport)| SettlingNode { name, transport, new_heads: None }).collect();
    followed[0].new_heads = new_heads;
    followed
}

fn stopped(path: &Path) -> Failure {
    let error = anyhow::anyhow!("the deployment was stopped before its end");
    let hint =
        format!("run it again with `--data-dir {}`: it goes on where it was, nothing is sent twice", path.display());
    Failure::new(FailureKind::Unknown, error).with_hint(hint)
}

/// What is sent with: the named profile's, on the chain and at the price that the arguments say.
fn profile(arguments: &DrexDeploy) -> Result<Profile, Failure> {
    let profile = shipped(arguments.profile.name())?.sending(arguments.chain_id);
    let profile = profile.map_err(|error| {
        let hint = "name the profile of that network by `--profile`; `besu-private` takes any chain id";
        Failure::new(FailureKind::Usage, error).with_hint(hint)
    })?;
    let fees = match arguments.gas_price {
        0 => FeeModel::Free,
        gas_price_wei => FeeModel::Legacy { gas_price_wei },
    };
    Ok(Profile { fees, ..profile })
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
        let passphrase = read_passphrase(&arguments.passphrase)?;
        let mut custody = Custody::new(network);
        let mut open = |name: &str, file: &Path| open_key(&mut custody, name, file, &passphrase);
        let (admin_label, admin) = open("drex-admin", &arguments.admin_key)?;
        let (central_bank_label, central_bank) = match &arguments.central_bank_key {
            Some(file) => open("drex-central-bank", file)?,
            None => (admin_label.clone(), admin),
        };
        Ok(Self { custody, admin_label, admin, central_bank_label, central_bank })
    }
}

/// Opens a key in the file that the command names: whatever is wrong with it is the command's matter.
fn open_key(
    custody: &mut Custody,
    name: &str,
    file: &Path,
    passphrase: &Passphrase,
) -> Result<(KeyLabel, Address), Failure> {
    let label = KeyLabel::parse(name).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let address = custody.open_file(file, &label, Purpose::Transactions, passphrase);
    let address = address.map_err(|error| Failure::new(FailureKind::Usage, error))?;
    Ok((label, address))
}

/// The administrator's first nonce: of the record, or what the node says before anything is sent. Only the node of the chain
/// that was named is asked: what it says is recorded, and every contract's address hangs on it.
async fn first_nonce(path: &Path, rpc: &Rpc, chain_id: u64, admin: Address) -> Result<u64, Failure> {
    let kept = read_kept(&path.join(RECORD_FILE))?;
    let recorded = kept.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    if let Some(nonce) = recorded.as_ref().and_then(|record| record["firstNonce"].as_u64()) {
        return Ok(nonce);
    }
    let found = rpc.chain_id().await.map_err(unreachable)?;
    if found != chain_id {
        return Err(open_failure(OpenError::NodeOfOtherChain { found, expected: chain_id }));
    }
    rpc.transaction_count(admin, At::Latest).await.map_err(unreachable)
}

fn unreachable(source: RpcError) -> Failure {
    open_failure(OpenError::Node { source })
}

/// What is deployed, and by which transactions.
struct Plan {
    suite: Suite,
    stages: Vec<Stage>,
    /// What is left to others, with their own keys.
    left: Vec<Order>,
    admin: Address,
    central_bank: Address,
    wallets: Wallets,
    first_nonce: u64,
}

impl Plan {
    fn new(
        participants: &Participants,
        admin: Address,
        central_bank: Address,
        first_nonce: u64,
    ) -> Result<Self, Failure> {
        let Some(wallets) = participants.wallets.clone() else {
            return Err(Failure::new(FailureKind::Usage, anyhow::anyhow!("the list of participants has no wallets")));
        };
        for (whose, key) in [("the administrator", admin), ("the central bank", central_bank)] {
            if let Some(name) = wallets.name_of(key) {
                let error = anyhow::anyhow!("{name} is the wallet of {whose}, {key}: every wallet is one's own");
                return Err(Failure::new(FailureKind::Usage, error));
            }
        }
        let suite = Suite::new(admin, first_nonce, participants.institutions.clone());
        let (stages, left) = (Vec::new(), Vec::new());
        let mut plan = Self { suite, stages, left, admin, central_bank, wallets, first_nonce };
        let wallet = |wallet: Wallet| plan.wallet(wallet);
        let setup = Setup { suite: &plan.suite, wallet: &wallet, prefix: "deploy" };
        // The central bank's key is here, so what it does for itself is done too.
        let (own, left) = setup.enable().into_iter().partition(|order| order.sender == Wallet::CentralBank);
        let stages = vec![
            Stage { title: Text::Deploying, orders: setup.deploy() },
            Stage { title: Text::Admitting, orders: setup.admit() },
            Stage { title: Text::Approving, orders: own },
        ];
        (plan.stages, plan.left) = (stages, left);
        Ok(plan)
    }

    /// Sends everything that the two keys can.
    async fn play(&self, dispatch: &Dispatch, texts: Texts, printer: &Printer) -> Result<Played, Failure> {
        self.check_beginning(dispatch.chain()).await?;
        play(dispatch, &self.stages, texts, printer).await
    }

    /// Looks whether the record still holds before the first transaction is stored: if the administrator's key was used since,
    /// every contract would come to stand elsewhere.
    ///
    /// # Errors
    /// [`FailureKind::Refused`] if it was.
    async fn check_beginning(&self, chain: &Chain) -> Result<(), Failure> {
        let first = self.orders().next().map(|order| IntentKey::parse(&order.key)).transpose();
        let first = first.map_err(|error| Failure::new(FailureKind::Usage, error))?;
        if let Some(key) = first {
            let has_begun = chain.has_intent(&key).await;
            if has_begun.map_err(|error| Failure::new(FailureKind::Environment, error))? {
                return Ok(());
            }
        }
        let count = chain.rpc().transaction_count(self.admin, At::Latest).await.map_err(unreachable)?;
        if count == self.first_nonce {
            return Ok(());
        }
        let (admin, expected) = (self.admin, self.first_nonce);
        let error = anyhow::anyhow!(
            "the administrator {admin} has sent {count} transactions, and this deployment was to begin after {expected}: \
             its contracts would not stand where they were announced"
        );
        let hint = "nothing was sent from this directory: choose another with `--data-dir`";
        Err(Failure::new(FailureKind::Refused, error).with_hint(hint))
    }

    fn orders(&self) -> impl Iterator<Item = &Order> {
        self.stages.iter().flat_map(|stage| &stage.orders)
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
            "plan": fingerprint(PLAN_VERSION, self.orders()).to_string(),
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
