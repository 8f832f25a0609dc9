//! SoftHSM, the token in software of Debian's package `softhsm2`, with a folder of tokens of its own for each test.
//!
//! The module reads where its tokens are from the environment, once in a process, and a process has one of it. So each test runs
//! in a process of its own: the test starts this program again with its name alone, and there does its work.

use std::any::type_name;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use alloy_consensus::transaction::SignerRecoverable as _;
use alloy_consensus::{SignableTransaction as _, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Decodable2718 as _;
use alloy_primitives::{Address, TxKind};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use custody::{Custody, KeyLabel, Network, Passphrase, ProfileName, SignError, Token, TokenLabel, TokenPlace};

/// Where packages put the module.
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];
/// Tells a process that it is the one for a test, and in which folder.
const FOLDER_VARIABLE: &str = "LASTRO_TEST_SOFTHSM_FOLDER";
const OFFICER_PIN: &str = "officer-8421";
pub(crate) const PIN: &str = "pin-of-tests-7193";
pub(crate) const CHAIN_ID: u64 = 1337;

/// The module, and the folder of this test.
pub(crate) struct SoftHsm {
    pub(crate) module: PathBuf,
    folder: PathBuf,
    context: Pkcs11,
}

/// Runs the test in a process of its own.
pub(crate) fn alone<F: FnOnce(&SoftHsm)>(test: F) {
    if let Some(folder) = env::var_os(FOLDER_VARIABLE) {
        return test(&SoftHsm::load(folder.into()));
    }
    let module = module();
    assert!(module.is_file(), "SoftHSM is missing: install Debian's package `softhsm2`");
    // `it::keys::name_of_the_test::{{closure}}`
    let closure = type_name::<F>();
    let name = closure.strip_prefix("it::").and_then(|name| name.strip_suffix("::{{closure}}")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tokens")).unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    let tokens = folder.path().join("tokens");
    fs::write(&configuration, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display())).unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    let command = command.args(["--exact", name, "--nocapture"]);
    let command = command.env("SOFTHSM2_CONF", configuration).env(FOLDER_VARIABLE, folder.path());
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{name} in its own process:\n{said}");
}

fn module() -> PathBuf {
    MODULES.iter().map(PathBuf::from).find(|module| module.is_file()).unwrap_or_else(|| MODULES[0].into())
}

impl SoftHsm {
    fn load(folder: PathBuf) -> Self {
        let module = module();
        let context = Pkcs11::new(&module).unwrap();
        start(&context);
        Self { module, folder, context }
    }

    /// Makes a token with the PIN of tests.
    pub(crate) fn make_token(&self, label: &str) {
        let is_free = |slot: &Slot| !self.context.get_token_info(*slot).unwrap().token_initialized();
        let free = self.context.get_all_slots().unwrap().into_iter().find(is_free).unwrap();
        self.context.init_token(free, &secret(OFFICER_PIN), label).unwrap();
        self.set_pin(label, PIN);
    }

    /// Gives the token another PIN, as its security officer does.
    pub(crate) fn set_pin(&self, label: &str, pin: &str) {
        let session = self.context.open_rw_session(self.slot(label)).unwrap();
        session.login(UserType::So, Some(&secret(OFFICER_PIN))).unwrap();
        session.init_pin(&secret(pin)).unwrap();
        session.logout().unwrap();
    }

    /// A session of somebody else in this process.
    pub(crate) fn session(&self, label: &str) -> Session {
        self.context.open_rw_session(self.slot(label)).unwrap()
    }

    /// The same, logged in.
    pub(crate) fn session_of_user(&self, label: &str) -> Session {
        let session = self.session(label);
        session.login(UserType::User, Some(&secret(PIN))).unwrap();
        session
    }

    /// Stops the module under all who use it: every session and login is gone.
    pub(crate) fn stop(&self) {
        self.context.clone().finalize().unwrap();
    }

    pub(crate) fn start(&self) {
        start(&self.context);
    }

    /// Where the module keeps its tokens.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn passphrase(&self, text: &str) -> Passphrase {
        let file = self.folder.join("pin");
        fs::write(&file, format!("{text}\n")).unwrap();
        Passphrase::from_file(&file).unwrap()
    }

    pub(crate) fn pin(&self) -> Passphrase {
        self.passphrase(PIN)
    }

    pub(crate) fn place(&self, token: &str, sessions_max: usize, session_wait_max: Duration) -> TokenPlace {
        let sessions_max = NonZeroUsize::new(sessions_max).unwrap();
        let token = TokenLabel::parse(token).unwrap();
        TokenPlace { module: self.module.clone(), token, sessions_max, session_wait_max }
    }

    pub(crate) fn find(&self, token: &str) -> Token {
        Token::find(&self.place(token, 2, Duration::from_secs(30))).unwrap()
    }

    fn slot(&self, label: &str) -> Slot {
        let is_it = |slot: &Slot| self.context.get_token_info(*slot).unwrap().label() == label;
        self.context.get_all_slots().unwrap().into_iter().find(is_it).unwrap()
    }
}

fn start(context: &Pkcs11) {
    context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
}

fn secret(pin: &str) -> AuthPin {
    AuthPin::new(pin.into())
}

pub(crate) fn label(text: &str) -> KeyLabel {
    KeyLabel::parse(text).unwrap()
}

/// A custody without keys, on a network that is not the embedded one.
pub(crate) fn custody() -> Custody {
    Custody::new(Network { profile: ProfileName::parse("besu-private").unwrap(), chain_id: CHAIN_ID })
}

/// Signs a transaction with the nonce, and gives the address that its bytes recover to. Its `s` is low.
pub(crate) fn sign(custody: &Custody, key: &str, nonce: u64) -> Result<Address, SignError> {
    let to = TxKind::Create;
    let unsigned = TxLegacy { chain_id: Some(CHAIN_ID), nonce, gas_limit: 21_000, to, ..Default::default() };
    let signed = custody.sign_transaction(&label(key), &unsigned.encoded_for_signing(), CHAIN_ID)?;
    let envelope = TxEnvelope::decode_2718_exact(&signed.raw).unwrap();
    assert!(envelope.signature().normalize_s().is_none(), "nonce {nonce} has a high s");
    let sender = envelope.recover_signer().unwrap();
    assert_eq!((sender, signed.hash, signed.nonce), (signed.sender, *envelope.tx_hash(), nonce));
    Ok(sender)
}
