//! `lastro drex sandbox`: the pilot's network on one machine, set up and kept running.

use super::network::{Account, Network};
use super::participants::{self, Participants, Use};
use super::report::{Report, Sandbox};
use super::texts::{Text, Texts};
use super::{Stage, funding, play, sandbox_ledger};
use crate::cli::DrexSandbox;
use crate::dispatch::{Dispatch, fingerprint};
use crate::drex_suite::{Institution, Setup, Suite, Wallet};
use crate::failure::{Failure, FailureKind};
use crate::ledger_command::run::StopSignals;
use crate::own_ledger::{OwnLedger, Sockets, fresh_directory, keep, program, read_kept};
use crate::printer::Printer;
use alloy_primitives::Address;
use custody::sandbox::{SANDBOX_CHAIN_ID, SANDBOX_GENESIS_HASH};
use custody::{Custody, KeyLabel, Purpose};
use ledger::clock::Clock;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Who takes part if nobody is named.
const DEFAULT_PARTICIPANTS: &str = include_str!("../../../../examples/drex-participants.toml");
/// What a sandbox's directory belongs to, in the directory.
const CLAIM_FILE: &str = "sandbox.json";
/// Changes whenever the plan for the same participants changes.
const PLAN_VERSION: &str = "lastro drex sandbox 2";

/// Runs the sandbox until it is told to stop.
pub(super) async fn run(arguments: &DrexSandbox, printer: &Printer) -> Result<(), Failure> {
    let given = arguments.participants.as_deref().map(|path| participants::read(path, Use::Sandbox)).transpose()?;
    let mut signals = StopSignals::take()?;
    let path = arguments.data_dir.clone().unwrap_or_else(|| fresh_directory("drex-sandbox"));
    let directory = sandbox_ledger::open(&path, arguments.block_period)?;
    let plan = Plan::claim(&path, given)?;
    let sockets = Sockets { http: arguments.http, ws: arguments.ws };
    let ledger = directory.run(Clock::System, Some(sockets), printer).await?;
    let texts = Texts(arguments.lang);
    let mut result = tokio::select! {
        result = set_up(&ledger, &plan, texts, printer) => result,
        // Without blocks nothing would ever come of what is waited for: the cause is said at once.
        failure = ledger.failed() => Err(failure),
        () = signals.received() => Err(stopped(&path)),
    };
    printer.progress_end();
    if result.is_ok() {
        result = ledger.wait(&mut signals).await;
    }
    ledger.stop().await;
    result
}

fn stopped(path: &Path) -> Failure {
    let error = anyhow::anyhow!("the sandbox was stopped before it was set up");
    let hint = format!("go on with `{} drex sandbox --data-dir {}`: nothing is sent twice", program(), path.display());
    Failure::new(FailureKind::Unknown, error).with_hint(hint)
}

/// Sends what is not on the ledger yet, and shows what stands there.
async fn set_up(ledger: &OwnLedger, plan: &Plan, texts: Texts, printer: &Printer) -> Result<(), Failure> {
    let mut custody = sandbox_ledger::custody(ledger.genesis_hash())?;
    let accounts = plan.cast.accounts(&mut custody)?;
    let chain = ledger.chain(sandbox_ledger::profile(), custody).await?;
    let keys = plan.cast.labels.iter().map(|(wallet, label)| (*wallet, label.clone()));
    let dispatch = Dispatch::open(chain, Vec::new(), keys, ledger.limits()).await?;
    let played = play(&dispatch, &plan.stages, texts, printer).await;
    dispatch.close().await;
    let network = Network { suite: plan.suite.clone(), chain_id: SANDBOX_CHAIN_ID, gas_price_wei: 0, accounts };
    let sandbox = Sandbox { path: ledger.path(), genesis_hash: ledger.genesis_hash(), urls: ledger.urls() };
    Report { network: &network, played: played?, texts }.show_sandbox(&sandbox, printer);
    Ok(())
}

/// Everybody's key, by label.
struct Cast {
    labels: BTreeMap<Wallet, KeyLabel>,
}

impl Cast {
    fn new(institutions: &[Institution]) -> Self {
        let mut wallets = vec![Wallet::Admin, Wallet::CentralBank, Wallet::Treasury];
        for (place, institution) in institutions.iter().enumerate() {
            wallets.extend([Wallet::Bank(place), Wallet::Reserve(place)]);
            wallets.extend((0..institution.clients.len()).map(|client| Wallet::Client(place, client)));
        }
        Self { labels: wallets.into_iter().map(|wallet| (wallet, label(wallet, institutions))).collect() }
    }

    /// Makes everybody's test key in custody.
    fn accounts(&self, custody: &mut Custody) -> Result<Vec<Account>, Failure> {
        let refused = |error: anyhow::Error| Failure::new(FailureKind::Refused, error);
        let account = |(wallet, label): (&Wallet, &KeyLabel)| {
            let address = custody.add_test_key(label.clone(), Purpose::Transactions)?;
            Ok(Account { wallet: *wallet, address, test_key: Some(custody.reveal_test_key(label)?) })
        };
        self.labels.iter().map(account).collect::<Result<Vec<Account>, anyhow::Error>>().map_err(refused)
    }
}

/// The label of a key. It holds the institution's root, so that its keys do not depend on who else takes part.
///
/// # Panics
/// Never: roots are eight letters or digits.
fn label(wallet: Wallet, institutions: &[Institution]) -> KeyLabel {
    let root = |place: usize| institutions[place].root.as_str().to_lowercase();
    let text = match wallet {
        Wallet::Admin => "drex-admin".to_owned(),
        Wallet::CentralBank => "drex-central-bank".to_owned(),
        Wallet::Treasury => "drex-treasury".to_owned(),
        Wallet::Bank(place) => format!("drex-{}", root(place)),
        Wallet::Reserve(place) => format!("drex-{}-reserve", root(place)),
        Wallet::Client(place, client) => format!("drex-{}-client-{}", root(place), client + 1),
    };
    KeyLabel::parse(&text).expect("roots are letters and digits")
}

/// What a sandbox sends, and to which list of participants that belongs.
struct Plan {
    suite: Suite,
    cast: Cast,
    stages: Vec<Stage>,
}

impl Plan {
    fn new(participants: &Participants) -> Result<Self, Failure> {
        let institutions = participants.institutions.clone();
        let cast = Cast::new(&institutions);
        // Keys hang on the genesis alone, so addresses are known before the ledger runs.
        let accounts = cast.accounts(&mut sandbox_ledger::custody(SANDBOX_GENESIS_HASH)?)?;
        let addresses: BTreeMap<Wallet, Address> =
            accounts.into_iter().map(|account| (account.wallet, account.address)).collect();
        let wallet = |wallet: Wallet| addresses[&wallet];
        let suite = Suite::new(wallet(Wallet::Admin), 0, institutions);
        let setup = Setup { suite: &suite, wallet: &wallet, prefix: "sandbox" };
        let stages = vec![
            Stage { title: Text::Deploying, orders: setup.deploy() },
            Stage { title: Text::Admitting, orders: setup.admit() },
            Stage { title: Text::Enabling, orders: setup.enable() },
            Stage { title: Text::Funding, orders: funding::money(&suite, &wallet) },
            Stage { title: Text::Issuing, orders: funding::bonds(&suite) },
        ];
        Ok(Self { suite, cast, stages })
    }

    /// Ties the directory to its participants, before anything is sent. Without a list, those take part with whom it began.
    ///
    /// # Errors
    /// [`FailureKind::Usage`] if it began with others, [`FailureKind::Environment`] if another version made it.
    fn claim(path: &Path, given: Option<Participants>) -> Result<Self, Failure> {
        let file = path.join(CLAIM_FILE);
        let Some(kept) = read_kept(&file)? else {
            let participants = match given {
                Some(given) => given,
                None => default_participants()?,
            };
            let plan = Self::new(&participants)?;
            keep(&file, &json!({ "plan": plan.fingerprint(), "participants": participants.as_json() }).to_string())?;
            return Ok(plan);
        };
        let kept = Kept::parse(&kept, &file)?;
        if given.is_some_and(|given| given != kept.participants) {
            let error = anyhow::anyhow!("`{}` holds a sandbox of other participants", path.display());
            let hint = "choose another directory with `--data-dir`, or leave `--participants` out to go on with these";
            return Err(Failure::new(FailureKind::Usage, error).with_hint(hint));
        }
        let plan = Self::new(&kept.participants)?;
        if plan.fingerprint() != kept.plan {
            let error = anyhow::anyhow!("`{}` holds a sandbox of another version of lastro", path.display());
            let hint = "use that version, or choose another directory with `--data-dir`";
            return Err(Failure::new(FailureKind::Environment, error).with_hint(hint));
        }
        Ok(plan)
    }

    fn fingerprint(&self) -> String {
        fingerprint(PLAN_VERSION, self.stages.iter().flat_map(|stage| &stage.orders)).to_string()
    }
}

fn default_participants() -> Result<Participants, Failure> {
    let value: Value =
        toml::from_str(DEFAULT_PARTICIPANTS).map_err(|error| Failure::new(FailureKind::Environment, error))?;
    participants::of_kept(&value, "the list that comes with the program")
}

/// What an earlier run wrote into the directory.
struct Kept {
    plan: String,
    participants: Participants,
}

impl Kept {
    fn parse(text: &str, file: &Path) -> Result<Self, Failure> {
        let shown = format!("`{}`", file.display());
        let value: Value = serde_json::from_str(text).map_err(|error| {
            let error = anyhow::Error::new(error).context(format!("{shown} is damaged"));
            Failure::new(FailureKind::Environment, error).with_hint("choose another directory with `--data-dir`")
        })?;
        let plan = value["plan"].as_str().unwrap_or_default().to_owned();
        Ok(Self { plan, participants: participants::of_kept(&value["participants"], &shown)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Participants {
        participants::of_kept(&toml::from_str(text).unwrap(), "here").unwrap()
    }

    #[test]
    fn a_directory_belongs_to_the_participants_that_claimed_it_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = list("[[institution]]\nname = 'A'\ncnpj_root = '11111111'\nclients = ['Ana']");
        let plan = Plan::claim(folder.path(), Some(first.clone())).unwrap();
        assert_eq!(Plan::claim(folder.path(), Some(first)).unwrap().fingerprint(), plan.fingerprint());
        assert_eq!(Plan::claim(folder.path(), None).unwrap().fingerprint(), plan.fingerprint());
        let refused = Plan::claim(folder.path(), Some(default_participants().unwrap())).map(|_| ()).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Usage);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Plan::claim(other.path(), None).unwrap().fingerprint(), plan.fingerprint());
    }

    #[test]
    fn what_another_version_planned_or_somebody_changed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::claim(folder.path(), None).unwrap();
        let file = folder.path().join(CLAIM_FILE);
        let kept = std::fs::read_to_string(&file).unwrap();
        let refused = |text: String| {
            std::fs::write(&file, text).unwrap();
            let failure = Plan::claim(folder.path(), None).map(|_| ()).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Environment);
            failure.error.to_string()
        };
        let older = refused(kept.replace(&plan.fingerprint(), "0x00"));
        assert!(older.ends_with("holds a sandbox of another version of lastro"), "{older}");
        assert!(refused(kept[..40].to_owned()).ends_with("is damaged"));
        assert!(refused(kept.replace("11111111", "1")).ends_with("cannot be used: 1 mistake"));
    }

    #[test]
    fn an_institutions_keys_do_not_depend_on_who_else_takes_part() {
        let two =
            list("[[institution]]\nname = 'A'\nispb = '00000001'\n[[institution]]\nname = 'B'\nispb = '12ABC345'");
        let one = list("[[institution]]\nname = 'B'\nispb = '12ABC345'");
        assert_eq!(label(Wallet::Bank(1), &two.institutions), label(Wallet::Bank(0), &one.institutions));
        assert_eq!(label(Wallet::Reserve(1), &two.institutions).as_str(), "drex-12abc345-reserve");
    }
}
