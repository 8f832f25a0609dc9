//! Keys, and the only place that sees them.
//!
//! Custody holds keys by [`KeyLabel`] and signs what it has decoded itself: it is given the bytes of an unsigned transaction,
//! reads chain, type and nonce from them, and does not believe the caller. There is no way to have it sign a bare digest.
//!
//! ```
//! use alloy_consensus::{SignableTransaction, TxLegacy};
//! use custody::{Custody, KeyLabel, Network, ProfileName, Purpose};
//!
//! let network = Network { profile: ProfileName::embedded(), chain_id: 1337 };
//! let mut custody = Custody::new(network);
//! let label = KeyLabel::parse("bank-a")?;
//! let address = custody.add_test_key(label.clone(), Purpose::Transactions)?;
//!
//! let unsigned = TxLegacy { chain_id: Some(1337), nonce: 7, gas_limit: 21_000, to: address.into(), ..Default::default() };
//! let signed = custody.sign_transaction(&label, &unsigned.encoded_for_signing(), 1337)?;
//! assert_eq!((signed.sender, signed.nonce), (address, 7));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Main types
//!
//! * [`Custody`]: the keys that this process may use on one [`Network`], and [`Custody::sign_transaction`].
//! * [`KeyStore`]: where keys rest: a [`KeystoreDirectory`] of encrypted Web3 secret-storage files, or a hardware [`Token`] (PKCS #11),
//!   whose keys never enter this process. Cloud services would be further variants.
//! * [`Policy`](policy::Policy): what a key signs, when, how much, after whose approval; asked by
//!   [`Custody::sign_transaction_approved`]. A key without one signs every transaction of its network.
//! * [`Passphrase`]: read from a file or from the environment, wiped when dropped.
//!
//! # What it must not know
//!
//! Nodes, nonces' bookkeeping, prices, storage of transactions: those are `chain`'s. It talks to no network; what a token's module
//! does inside is the module's matter.
//!
//! # Invariants
//!
//! * Key material and passphrases are wiped when dropped and appear in no `Debug`, `Display` or error; a test looks for them.
//! * Every signature has a low `s` (EIP-2) and recovers to the key's address; both are checked before the bytes leave.
//! * A key with a policy signs nothing that the policy was not asked about. The policy's decision is pure.
//! * After a PIN that a token refused, none is sent to it until it is found anew: tokens lock themselves after a few wrong ones.
//! * A test key (derived from its published label) is refused on every profile but `embedded` and on every chain id of a
//!   known public network, when it is added and again at each signature. The one exception, the Drex pilot's chain id on the
//!   [`sandbox`]'s genesis, is bound to that genesis twice: by comparison, and in the keys themselves.
//! * A keystore file is mode 0600, appears under its name whole or not at all, and cannot make the reader use more than
//!   [`keystore::SCRYPT_MEMORY_BYTES_MAX`] of memory.
//!
//! # How it is tested
//!
//! The published vectors of the Web3 secret-storage definition, property tests on signatures and on files, hostile files, and
//! SoftHSM, a token in software, whose sessions are lost and whose folder vanishes while it signs.

mod custody;
mod key;
pub mod keystore;
mod network;
mod passphrase;
pub mod policy;
pub mod sandbox;
mod secret;
mod signer;
mod test_key;
pub mod token;

pub use crate::custody::{Custody, KeyInfo, RevealError, SetPolicyError, SignError, SignedTransaction, UnknownKey};
pub use crate::key::{KeyLabel, KeyLabelError, LABEL_CHARACTERS_MAX, Purpose};
pub use crate::keystore::{KeyStore, KeystoreDirectory, KeystoreError, ScryptCost};
pub use crate::network::{Network, ProfileName, ProfileNameError};
pub use crate::passphrase::{PASSPHRASE_BYTES_MAX, Passphrase, PassphraseError};
pub use crate::secret::NotAPrivateKey;
pub use crate::test_key::TestKeyError;
pub use crate::token::{SESSION_WAIT_STANDARD, SESSIONS_STANDARD, Token, TokenError, TokenLabel, TokenPlace};
