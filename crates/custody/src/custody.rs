//! The keys of one process on one network, and what they sign.

mod dearer;
mod error;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::Path;

use alloy_consensus::{SignableTransaction, Transaction as _, TxEnvelope, TypedTransaction};
use alloy_eips::eip2718::{Encodable2718 as _, Typed2718 as _};
use alloy_primitives::{Address, B256, Bytes, keccak256};

pub use self::error::{RevealError, SetPolicyError, SignError, UnknownKey};
use crate::key::{KeyLabel, Purpose};
use crate::keystore::{self, KeyStore, KeystoreError};
use crate::network::Network;
use crate::passphrase::Passphrase;
use crate::policy::{Approval, Authorisation, Command, Policy, Spent, Statement};
use crate::sandbox::{NotTheSandbox, Sandbox};
use crate::signer::Signer;
use crate::test_key::{self, TestKeyError};

/// What may be known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its name.
    pub label: KeyLabel,
    /// What it may sign.
    pub purpose: Purpose,
    /// Its address.
    pub address: Address,
    /// Whether anybody can derive it.
    pub is_test_key: bool,
}

/// A transaction as it goes on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    /// The bytes for `eth_sendRawTransaction` (EIP-2718).
    pub raw: Bytes,
    /// keccak-256 of them: the transaction's hash on any node.
    pub hash: B256,
    /// Who signed.
    pub sender: Address,
    /// The nonce in the bytes.
    pub nonce: u64,
}

/// The keys that this process may use on one network.
///
/// It is filled at start and shared afterwards; signing takes `&self`.
pub struct Custody {
    network: Network,
    /// Set if the network was found to be the Drex sandbox.
    sandbox: Option<Sandbox>,
    keys: BTreeMap<KeyLabel, HeldKey>,
    /// By address: a policy binds the key, by whichever label and from whichever store it is asked to sign.
    policies: BTreeMap<Address, Policy>,
}

struct HeldKey {
    purpose: Purpose,
    is_test_key: bool,
    signer: Signer,
}

impl Custody {
    /// No keys yet.
    pub fn new(network: Network) -> Self {
        Self { network, sandbox: None, keys: BTreeMap::new(), policies: BTreeMap::new() }
    }

    /// No keys yet, for the Drex sandbox that this process runs itself: test keys are taken there although its chain id is
    /// the pilot's. `genesis_hash` is that of the ledger which the caller holds open; see [`sandbox`](crate::sandbox).
    ///
    /// # Errors
    ///
    /// The network is not the sandbox.
    pub fn for_sandbox(network: Network, genesis_hash: B256) -> Result<Self, NotTheSandbox> {
        let sandbox = Sandbox::recognise(&network, genesis_hash)?;
        Ok(Self { network, sandbox: Some(sandbox), keys: BTreeMap::new(), policies: BTreeMap::new() })
    }

    /// The network that the keys are used on.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Opens a key of the store, and gives its address. A key that is open already stays as it is. The passphrase of a token is
    /// its PIN, which this process keeps for as long as it may have to log in again.
    ///
    /// # Errors
    ///
    /// The store has no such key, or the passphrase is wrong.
    pub fn open_key(
        &mut self,
        store: &KeyStore,
        label: &KeyLabel,
        passphrase: &Passphrase,
    ) -> Result<Address, KeystoreError> {
        let (purpose, signer) = store.open_key(label, passphrase)?;
        let key = HeldKey { purpose, is_test_key: false, signer };
        Ok(self.keys.entry(label.clone()).or_insert(key).signer.address())
    }

    /// Opens the key of a keystore file, wherever it lies and whichever program wrote it, under a label and purpose of ours, and
    /// gives its address. The file stays where it is and nothing is copied. A key that is open already stays as it is.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is no keystore file, or the passphrase is wrong.
    pub fn open_file(
        &mut self,
        file: &Path,
        label: &KeyLabel,
        purpose: Purpose,
        passphrase: &Passphrase,
    ) -> Result<Address, KeystoreError> {
        let signer = Signer::Process(keystore::open_file(file, passphrase)?);
        let key = HeldKey { purpose, is_test_key: false, signer };
        Ok(self.keys.entry(label.clone()).or_insert(key).signer.address())
    }

    /// Adds the test key of the label (keccak-256 of `lastro test key: <label>`, in the sandbox of
    /// `lastro sandbox key: <genesis hash>: <label>`), and gives its address.
    ///
    /// # Errors
    ///
    /// The network is neither the embedded ledger nor the sandbox, or the label is taken.
    pub fn add_test_key(&mut self, label: KeyLabel, purpose: Purpose) -> Result<Address, TestKeyError> {
        if !self.allows_test_keys() {
            let Network { profile, chain_id } = self.network.clone();
            return Err(TestKeyError::NotEmbedded { label, profile, chain_id });
        }
        let domain = self.sandbox.map_or_else(|| test_key::EMBEDDED_DOMAIN.to_owned(), Sandbox::domain);
        let secret = test_key::derive(&domain, &label)?;
        let address = secret.address();
        match self.keys.entry(label) {
            Entry::Occupied(taken) => Err(TestKeyError::LabelTaken { label: taken.key().clone() }),
            Entry::Vacant(free) => {
                let _ = free.insert(HeldKey { purpose, is_test_key: true, signer: Signer::Process(secret) });
                Ok(address)
            }
        }
    }

    /// The address of the key.
    ///
    /// # Errors
    ///
    /// There is no such key.
    pub fn address(&self, label: &KeyLabel) -> Result<Address, UnknownKey> {
        self.key(label).map(|key| key.signer.address())
    }

    /// The private key of a test key as wallets read it, 0x and 64 hexadecimal digits: anybody can derive it.
    ///
    /// # Errors
    ///
    /// There is no such key, or it is no test key.
    pub fn reveal_test_key(&self, label: &KeyLabel) -> Result<String, RevealError> {
        let key = self.key(label)?;
        match &key.signer {
            Signer::Process(secret) if key.is_test_key => Ok(B256::from(*secret.bytes()).to_string()),
            Signer::Process(_) | Signer::Token(_) => Err(RevealError::Secret { label: label.clone() }),
        }
    }

    /// The keys, by label.
    pub fn keys(&self) -> impl Iterator<Item = KeyInfo> + '_ {
        self.keys.iter().map(|(label, key)| KeyInfo {
            label: label.clone(),
            purpose: key.purpose,
            address: key.signer.address(),
            is_test_key: key.is_test_key,
        })
    }

    /// The key's policy, if it has one.
    pub fn policy(&self, label: &KeyLabel) -> Option<&Policy> {
        self.policies.get(&self.key(label).ok()?.signer.address())
    }

    /// Signs the transaction in `unsigned`, the bytes whose hash a signature covers (`encoded_for_signing` of alloy).
    ///
    /// Custody decodes them itself: type, chain and canonical form are read from the bytes. `chain_id` is the chain that the
    /// caller believes it is on; it, the bytes and the network must agree.
    ///
    /// # Errors
    ///
    /// See [`SignError`]; no signature left custody then. A key in a token may be out of reach, and this call waits for it.
    ///
    /// # Panics
    ///
    /// If the signature has a high `s`, or one that was made in this process does not recover to the key's address.
    pub fn sign_transaction(
        &self,
        label: &KeyLabel,
        unsigned: &[u8],
        chain_id: u64,
    ) -> Result<SignedTransaction, SignError> {
        let (key, transaction) = self.examine(label, unsigned, chain_id)?;
        if self.policies.contains_key(&key.signer.address()) {
            return Err(SignError::PolicyNotAsked { label: label.clone() });
        }
        key.sign(label, transaction, unsigned)
    }

    /// Signs the transaction as [`Custody::sign_transaction`] does, if the key's policy allows it, and says what the key has spent
    /// then. Store both together: only what is stored counts, so a signature that was not used has spent nothing.
    ///
    /// Ask for one signature of a key at a time, from reading what it has spent to storing that, in whichever process: of two calls
    /// with one and the same [`Spent`] neither counts the other, so that a limit or an approval would be good for both.
    ///
    /// `reference` keeps two equal commands apart: see [`Command::reference`].
    ///
    /// # Errors
    ///
    /// As there; or the key has no policy, or that refuses.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn sign_transaction_approved(
        &self,
        label: &KeyLabel,
        unsigned: &[u8],
        chain_id: u64,
        reference: B256,
        by: &Authorisation<'_>,
    ) -> Result<(SignedTransaction, Spent), SignError> {
        let (key, transaction) = self.examine(label, unsigned, chain_id)?;
        let sender = key.signer.address();
        let policy = self.policies.get(&sender).ok_or_else(|| SignError::NoPolicy { label: label.clone() })?;
        let command = Command {
            chain_id: self.network.chain_id,
            sender,
            target: transaction.to(),
            value_wei: transaction.value(),
            input: transaction.input(),
            reference,
        };
        let decided = policy.decide(&command, by);
        let spent = decided.map_err(|refusal| SignError::Policy { label: label.clone(), source: Box::new(refusal) })?;
        Ok((key.sign(label, transaction, unsigned)?, spent))
    }

    /// Signs a person's statement by a key that is for statements.
    ///
    /// # Errors
    ///
    /// There is no such key, it is for something else or somebody else's, or does not sign.
    pub fn sign_statement(&self, label: &KeyLabel, statement: Statement) -> Result<Approval, SignError> {
        let key = self.key(label)?;
        if key.purpose != Purpose::Statements {
            return Err(SignError::NotForStatements { label: label.clone(), purpose: key.purpose });
        }
        self.check_test_key(label, key)?;
        let (address, approver) = (key.signer.address(), statement.approver);
        if address != approver {
            return Err(SignError::OtherApprover { label: label.clone(), address, approver });
        }
        let signed = key.signer.sign(statement.hash());
        let signature = signed.map_err(|source| SignError::of_token(label, source))?;
        Ok(Approval { statement, signature })
    }

    /// Gives the key its first policy. From now on it signs only what the policy allows, under every label that it has here.
    ///
    /// # Errors
    ///
    /// There is no such key, it is for something else than transactions, or it has a policy.
    pub fn set_policy(&mut self, label: &KeyLabel, policy: Policy) -> Result<(), SetPolicyError> {
        let address = self.address_for_policy(label)?;
        match self.policies.entry(address) {
            Entry::Occupied(present) => {
                Err(SetPolicyError::AlreadySet { label: label.clone(), version: present.get().version() })
            }
            Entry::Vacant(free) => {
                let _ = free.insert(policy);
                Ok(())
            }
        }
    }

    /// Puts the next version of the key's policy in its place, if two persons approve that, and says what the key has spent then:
    /// see [`Policy::check_change`]. Store that with the policy's text, which is to be set at the next start.
    ///
    /// # Errors
    ///
    /// There is no such key, it is for something else than transactions, it has no policy, or that refuses.
    pub fn change_policy(
        &mut self,
        label: &KeyLabel,
        next: Policy,
        by: &Authorisation<'_>,
    ) -> Result<Spent, SetPolicyError> {
        let address = self.address_for_policy(label)?;
        let present = self.policies.get_mut(&address).ok_or_else(|| SetPolicyError::NotSet { label: label.clone() })?;
        let checked = present.check_change(address, &next, by);
        let refused = |refusal| SetPolicyError::Refused { label: label.clone(), source: Box::new(refusal) };
        let spent = checked.map_err(refused)?;
        *present = next;
        Ok(spent)
    }

    /// The address of the key, which is one that policies are for.
    fn address_for_policy(&self, label: &KeyLabel) -> Result<Address, SetPolicyError> {
        let key = self.key(label)?;
        match key.purpose {
            Purpose::Transactions => Ok(key.signer.address()),
            purpose @ Purpose::Statements => Err(SetPolicyError::WrongPurpose { label: label.clone(), purpose }),
        }
    }

    /// The key and the transaction in the bytes, which are both what they must be.
    fn examine(
        &self,
        label: &KeyLabel,
        unsigned: &[u8],
        chain_id: u64,
    ) -> Result<(&HeldKey, TypedTransaction), SignError> {
        let key = self.key_for_transactions(label)?;
        let transaction = decode(unsigned)?;
        let named = transaction.chain_id().ok_or(SignError::NoChainId)?;
        let expected = self.network.chain_id;
        match [named, chain_id].into_iter().find(|&id| id != expected) {
            Some(found) => Err(SignError::WrongChain { found, expected }),
            None => Ok((key, transaction)),
        }
    }

    /// Whether keys that anybody can derive may be used.
    fn allows_test_keys(&self) -> bool {
        self.sandbox.is_some() || self.network.allows_test_keys()
    }

    fn key(&self, label: &KeyLabel) -> Result<&HeldKey, UnknownKey> {
        self.keys.get(label).ok_or_else(|| UnknownKey { label: label.clone() })
    }

    fn key_for_transactions(&self, label: &KeyLabel) -> Result<&HeldKey, SignError> {
        let key = self.key(label)?;
        if key.purpose != Purpose::Transactions {
            return Err(SignError::WrongPurpose { label: label.clone(), purpose: key.purpose });
        }
        self.check_test_key(label, key)?;
        Ok(key)
    }

    fn check_test_key(&self, label: &KeyLabel, key: &HeldKey) -> Result<(), SignError> {
        if key.is_test_key && !self.allows_test_keys() {
            let Network { profile, chain_id } = self.network.clone();
            return Err(SignError::TestKey { label: label.clone(), profile, chain_id });
        }
        Ok(())
    }
}

impl HeldKey {
    fn sign(
        &self,
        label: &KeyLabel,
        transaction: TypedTransaction,
        unsigned: &[u8],
    ) -> Result<SignedTransaction, SignError> {
        let nonce = transaction.nonce();
        let signature = self.signer.sign(keccak256(unsigned)).map_err(|source| SignError::of_token(label, source))?;
        let envelope: TxEnvelope = transaction.into_envelope(signature);
        let raw = Bytes::from(envelope.encoded_2718());
        Ok(SignedTransaction { hash: keccak256(&raw), raw, sender: self.signer.address(), nonce })
    }
}

/// Labels and addresses alone.
impl fmt::Debug for Custody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custody")
            .field("network", &self.network)
            .field("keys", &self.keys().collect::<Vec<_>>())
            .finish()
    }
}

fn decode(unsigned: &[u8]) -> Result<TypedTransaction, SignError> {
    let refused = |reason: String| SignError::NotATransaction { length_bytes: unsigned.len(), reason };
    let mut rest = unsigned;
    let transaction = TypedTransaction::decode_unsigned(&mut rest).map_err(|error| refused(error.to_string()))?;
    if !matches!(transaction.ty(), 0..=2) {
        return Err(SignError::Type { transaction_type: transaction.ty() });
    }
    // What is signed is what was understood: bytes behind the transaction, or another spelling of it, are refused.
    if transaction.encoded_for_signing() != unsigned {
        return Err(refused("it is written differently from what it says".to_owned()));
    }
    Ok(transaction)
}

#[cfg(test)]
mod tests {
    use alloy_consensus::transaction::SignerRecoverable as _;
    use alloy_consensus::{TxEip1559, TxEip7702, TxLegacy};
    use alloy_eips::eip2718::Decodable2718 as _;
    use alloy_primitives::{TxKind, U256, hex};
    use proptest::prelude::*;

    use super::*;
    use crate::network::ProfileName;

    const CHAIN_ID: u64 = 1337;

    fn custody() -> (Custody, KeyLabel, Address) {
        let mut custody = Custody::new(Network { profile: ProfileName::embedded(), chain_id: CHAIN_ID });
        let label = KeyLabel::parse("bank-a").unwrap();
        let address = custody.add_test_key(label.clone(), Purpose::Transactions).unwrap();
        (custody, label, address)
    }

    fn legacy(nonce: u64) -> TxLegacy {
        TxLegacy { chain_id: Some(CHAIN_ID), nonce, gas_limit: 21_000, to: TxKind::Create, ..Default::default() }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn a_signature_recovers_to_the_key_and_has_a_low_s(
            nonce in 0..u64::MAX, price in 0..u128::MAX, gas: u64, value: [u8; 32], input: Vec<u8>, to: Option<[u8; 20]>, is_legacy: bool,
        ) {
            let (custody, label, address) = custody();
            let to = to.map_or(TxKind::Create, |bytes| TxKind::Call(bytes.into()));
            let (value, input, chain_id) = (U256::from_be_bytes(value), Bytes::from(input), CHAIN_ID);
            let unsigned = if is_legacy {
                TxLegacy { chain_id: Some(chain_id), nonce, gas_price: price, gas_limit: gas, to, value, input }.encoded_for_signing()
            } else {
                TxEip1559 { chain_id, nonce, max_fee_per_gas: price, gas_limit: gas, to, value, input, ..Default::default() }
                    .encoded_for_signing()
            };
            let signed = custody.sign_transaction(&label, &unsigned, CHAIN_ID).unwrap();
            prop_assert_eq!(signed.hash, keccak256(&signed.raw));
            prop_assert_eq!((signed.sender, signed.nonce), (address, nonce));
            let envelope = TxEnvelope::decode_2718_exact(&signed.raw).unwrap();
            prop_assert_eq!(envelope.recover_signer().unwrap(), address);
            prop_assert!(envelope.signature().normalize_s().is_none());
            prop_assert_eq!(*envelope.tx_hash(), signed.hash);
        }

        #[test]
        fn bytes_that_are_no_transaction_are_not_signed(bytes: Vec<u8>) {
            let (custody, label, _) = custody();
            prop_assert!(custody.sign_transaction(&label, &bytes, CHAIN_ID).is_err());
        }
    }

    #[test]
    fn the_same_bytes_give_the_same_signature() {
        let (custody, label, _) = custody();
        let unsigned = legacy(3).encoded_for_signing();
        let sign = || custody.sign_transaction(&label, &unsigned, CHAIN_ID).unwrap();
        assert_eq!(sign(), sign());
    }

    #[test]
    fn another_chain_is_refused_whoever_names_it() {
        let (custody, label, _) = custody();
        let other = TxLegacy { chain_id: Some(1), ..legacy(0) }.encoded_for_signing();
        let wrong = Err(SignError::WrongChain { found: 1, expected: CHAIN_ID });
        assert_eq!(custody.sign_transaction(&label, &other, CHAIN_ID), wrong);
        assert_eq!(custody.sign_transaction(&label, &other, 1), wrong);
        assert_eq!(custody.sign_transaction(&label, &legacy(0).encoded_for_signing(), 1), wrong);
        let none = TxLegacy { chain_id: None, ..legacy(0) }.encoded_for_signing();
        assert_eq!(custody.sign_transaction(&label, &none, CHAIN_ID), Err(SignError::NoChainId));
    }

    #[test]
    fn bytes_behind_the_transaction_are_refused() {
        let (custody, label, _) = custody();
        let mut unsigned = legacy(0).encoded_for_signing();
        unsigned.push(0);
        let refused = custody.sign_transaction(&label, &unsigned, CHAIN_ID);
        assert!(matches!(refused, Err(SignError::NotATransaction { .. })));
    }

    #[test]
    fn an_account_is_not_handed_over() {
        let (custody, label, _) = custody();
        let unsigned = TxEip7702 { chain_id: CHAIN_ID, ..Default::default() }.encoded_for_signing();
        assert_eq!(custody.sign_transaction(&label, &unsigned, CHAIN_ID), Err(SignError::Type { transaction_type: 4 }));
    }

    #[test]
    fn a_test_key_is_refused_outside_the_embedded_ledger_when_added_and_when_it_signs() {
        let real = Network { profile: ProfileName::parse("besu-private").unwrap(), chain_id: CHAIN_ID };
        let label = KeyLabel::parse("bank-a").unwrap();
        let refused = Custody::new(real.clone()).add_test_key(label.clone(), Purpose::Transactions);
        assert!(matches!(refused, Err(TestKeyError::NotEmbedded { .. })));
        let (mut custody, label, _) = custody();
        custody.network = real;
        let refused = custody.sign_transaction(&label, &legacy(0).encoded_for_signing(), CHAIN_ID);
        assert!(matches!(refused, Err(SignError::TestKey { .. })));
    }

    #[test]
    fn a_key_signs_only_what_it_is_for() {
        let (mut custody, _, _) = custody();
        let label = KeyLabel::parse("auditor").unwrap();
        let _ = custody.add_test_key(label.clone(), Purpose::Statements).unwrap();
        let refused = custody.sign_transaction(&label, &legacy(0).encoded_for_signing(), CHAIN_ID);
        assert!(matches!(refused, Err(SignError::WrongPurpose { .. })));
        let unknown = KeyLabel::parse("nobody").unwrap();
        let refused = custody.sign_transaction(&unknown, &legacy(0).encoded_for_signing(), CHAIN_ID);
        assert_eq!(refused.unwrap_err().to_string(), "there is no key `nobody`: open it from its key store first");
    }

    #[test]
    fn nothing_prints_a_key_or_a_passphrase() {
        let (custody, label, address) = custody();
        let secret = test_key::derive(test_key::EMBEDDED_DOMAIN, &label).unwrap();
        let passphrase = Passphrase::of_text("open sesame");
        let folder = tempfile::tempdir().unwrap();
        let directory = crate::KeystoreDirectory::open(folder.path()).unwrap();
        let cost = crate::ScryptCost::new(2, 8, 1).unwrap();
        let _ = directory.create_key(&label, Purpose::Transactions, &passphrase, cost).unwrap();
        let store = KeyStore::Directory(directory);
        let wrong = Passphrase::of_text("open barley");
        let error = store.open_key(&label, &wrong).unwrap_err();
        let texts = [
            format!("{custody:#?}"),
            format!("{secret:?}"),
            format!("{passphrase:?} {wrong:?} {store:?}"),
            format!("{error:?} {error}"),
            format!("{:?}", store.open_key(&label, &passphrase).unwrap()),
            format!("{:?}", test_key::derive(test_key::EMBEDDED_DOMAIN, &label)),
            format!("{:?}", custody.sign_transaction(&label, &[1, 2, 3], CHAIN_ID)),
        ];
        let key = hex::encode(secret.bytes());
        let as_numbers = format!("{:?}", secret.bytes());
        for text in &texts {
            let plain = text.replace([' ', '\n', ','], "");
            assert!(!text.contains(&key[..16]) && !plain.contains(&as_numbers.replace([' ', ','], "")), "{text}");
            assert!(!text.contains("sesame") && !text.contains("barley"), "{text}");
        }
        assert!(texts[0].contains(&format!("{address:?}")));
    }
}
