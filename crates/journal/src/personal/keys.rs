//! The keys of persons, and sealing and opening with them.

use std::sync::Arc;

use messages::{Hash, TenantId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::cache::{KeptKey, KeyCache};
use super::cipher::{CipherKey, NONCE_BYTES};
use super::database::{Database, Transaction};
use super::erasure::{ERASURES_AFTER, Erasure, ErasureRequest, REGISTER_START, RegisterBroken};
use super::errors::{EraseError, KeysError, OpenKeysError, SealError, UnsealError};
use super::field::Field;
use super::master::{MasterKey, MasterKeyId, MasterKeySource, WRAPPED_BYTES};
use super::schema;
use super::value::{Opened, PLAIN_BYTES_MAX, PersonId, Personal, Sealed, pad};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::store::Place;
use crate::unit::Parameter;

/// How many entries of the register are read at once.
pub(super) const PAGE_ROWS: i64 = 1_000;

/// Where person keys are, and what wraps them.
#[derive(Debug, Clone)]
pub struct PersonKeysConfig {
    /// A file or schema of their own, never the log's.
    pub place: Place,
    /// The master key that wraps keys from now on.
    pub master: MasterKeySource,
    /// The master key that is to be rotated away from; given until [`PersonKeys::rotate`] has come to its end.
    pub former_master: Option<MasterKeySource>,
    /// What tells the time.
    pub clock: Clock,
    /// Where keys and nonces come from.
    pub entropy: Entropy,
}

/// The master keys at hand.
#[derive(Debug)]
pub(super) struct Ring {
    pub(super) master: MasterKey,
    pub(super) former: Option<MasterKey>,
}

impl Ring {
    /// Loads the master keys. To rotate from a key to itself would never end, or end with the word to destroy the key in use.
    pub(super) fn load(config: &PersonKeysConfig) -> Result<Self, OpenKeysError> {
        let master = MasterKey::load(&config.master)?;
        let former = config.former_master.as_ref().map(MasterKey::load).transpose()?;
        if former.as_ref().is_some_and(|former| former.id() == master.id()) {
            return Err(OpenKeysError::SameMaster { id: master.id() });
        }
        Ok(Self { master, former })
    }

    pub(super) fn find(&self, id: MasterKeyId) -> Result<&MasterKey, KeysError> {
        let mut keys = std::iter::once(&self.master).chain(&self.former);
        keys.find(|key| key.id() == id).ok_or(KeysError::MasterUnknown { id })
    }
}

/// The keys of persons. Clones share them.
#[derive(Debug, Clone)]
pub struct PersonKeys {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) database: Database,
    pub(super) ring: Ring,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    cache: KeyCache,
}

impl Shared {
    /// Makes the tables if they are not there, and refuses a master key that is not theirs.
    async fn prepare(&self, place: &Place) -> Result<(), OpenKeysError> {
        schema::migrate(&self.database, place).await?;
        super::rotation::take_master(self).await
    }
}

/// What a person finds the place by, without secrets.
fn name_of(place: &Place) -> String {
    match place {
        Place::Sqlite { path } => path.display().to_string(),
        Place::Postgres { schema, .. } => schema.clone(),
    }
}

/// A person's row.
enum Found {
    Key(KeptKey),
    Erased(TenantId),
    Unknown,
}

impl PersonKeys {
    /// Opens the keys, makes their tables if they are not there, and refuses a master key that is not theirs. If a former master
    /// key is given and in use, a rotation to the new one begins: [`Self::rotate`] ends it.
    ///
    /// # Errors
    ///
    /// See [`OpenKeysError`].
    pub async fn open(config: &PersonKeysConfig) -> Result<Self, OpenKeysError> {
        schema::check_place(&config.place)?;
        let ring = Ring::load(config)?;
        let database = Database::connect(&config.place).await?;
        let (clock, entropy) = (config.clock.clone(), config.entropy.clone());
        let shared = Shared { database, ring, clock, entropy, cache: KeyCache::default() };
        match shared.prepare(&config.place).await {
            Ok(()) => Ok(Self { shared: Arc::new(shared) }),
            Err(refused) => {
                // The file is free for the next who opens it when this answers.
                shared.database.close().await;
                Err(refused)
            }
        }
    }

    /// As [`Self::open`], of keys that are there: nothing is made where there are none.
    ///
    /// # Errors
    ///
    /// See [`OpenKeysError`].
    pub async fn open_existing(config: &PersonKeysConfig) -> Result<Self, OpenKeysError> {
        schema::check_place(&config.place)?;
        if !Database::has_keys(&config.place).await? {
            return Err(OpenKeysError::NoKeys { place: name_of(&config.place) });
        }
        Self::open(config).await
    }

    /// Makes a key for a person of a tenant, and the name that the person has in the log.
    ///
    /// # Errors
    ///
    /// If the keys cannot be written, or the master key was retired meanwhile.
    pub async fn add_person(&self, tenant: &TenantId) -> Result<PersonId, KeysError> {
        const SQL: &str = "INSERT INTO person_keys (person, tenant, master_id, wrapped, created_us, is_erased)
            VALUES ($1, $2, $3, $4, $5, 0)";
        let shared = &self.shared;
        let (now, master) = (shared.clock.now(), &shared.ring.master);
        let person = PersonId::from_bytes(*shared.entropy.command_id(now).as_bytes());
        let key = CipherKey::random(&shared.entropy);
        let mut transaction = shared.database.begin().await?;
        hold_master(&mut transaction, master.id()).await?;
        let parameters = vec![
            Parameter::Bytes(person.as_bytes().to_vec()),
            Parameter::Text(tenant.to_string()),
            Parameter::Bytes(master.id().as_bytes().to_vec()),
            Parameter::Bytes(master.wrap(person, &key, &shared.entropy)),
            Parameter::Integer(now.micros()),
        ];
        let _ = transaction.execute(SQL, parameters).await?;
        transaction.commit().await?;
        Ok(person)
    }

    /// Seals a value for its place in an event. The same value sealed twice gives two texts.
    ///
    /// # Errors
    ///
    /// See [`SealError`].
    pub async fn seal<T: Serialize>(
        &self,
        person: PersonId,
        field: &Field,
        value: &Personal<T>,
    ) -> Result<Sealed, SealError> {
        let kept = match self.find(person).await? {
            Found::Unknown => return Err(SealError::Unknown { person }),
            Found::Key(KeptKey { tenant, .. }) | Found::Erased(tenant) if tenant != field.tenant => {
                return Err(SealError::OtherTenant { person, tenant: field.tenant.clone() });
            }
            Found::Erased(_) => return Err(SealError::Erased { person }),
            Found::Key(kept) => kept,
        };
        // With its full capacity from the start, the text is not copied on its way, unless it is too long anyway.
        let mut plain = Zeroizing::new(Vec::with_capacity(PLAIN_BYTES_MAX));
        serde_json::to_writer(&mut *plain, value.reveal()).map_err(|_| SealError::NoJson)?;
        if plain.len() > PLAIN_BYTES_MAX {
            return Err(SealError::TooLong { bytes: plain.len() });
        }
        pad(&mut plain);
        let mut nonce = [0; NONCE_BYTES];
        self.shared.entropy.fill(&mut nonce);
        let ciphertext = kept.key.encrypt(&nonce, &plain, &field.associated_data(person)).into();
        Ok(Sealed { person, nonce, ciphertext })
    }

    /// Opens a sealed value where it belongs. A person who was erased is an answer.
    ///
    /// # Errors
    ///
    /// See [`UnsealError`].
    pub async fn unseal<T: DeserializeOwned>(&self, sealed: &Sealed, field: &Field) -> Result<Opened<T>, UnsealError> {
        let (person, name) = (sealed.person, field.name);
        let kept = match self.find(person).await? {
            Found::Unknown => return Err(UnsealError::Unknown { person }),
            Found::Key(KeptKey { tenant, .. }) | Found::Erased(tenant) if tenant != field.tenant => {
                return Err(UnsealError::OtherTenant { person, tenant: field.tenant.clone() });
            }
            Found::Erased(_) => return Ok(Opened::Erased),
            Found::Key(kept) => kept,
        };
        let plain = kept.key.decrypt(&sealed.nonce, &sealed.ciphertext, &field.associated_data(person));
        let plain = plain.map_err(|_| UnsealError::DoesNotOpen { person, field: name })?;
        // What serde says of a wrong form repeats the value, and is not passed on.
        let value = serde_json::from_slice(&plain).map_err(|_| UnsealError::Form { person, field: name })?;
        Ok(Opened::Value(Personal::new(value)))
    }

    async fn find(&self, person: PersonId) -> Result<Found, KeysError> {
        const SQL: &str = "SELECT tenant, master_id, wrapped, is_erased FROM person_keys WHERE person = $1";
        let shared = &self.shared;
        let now = shared.clock.now();
        if let Some(kept) = shared.cache.get(person, now) {
            return Ok(Found::Key(kept));
        }
        let generation = shared.cache.generation();
        let rows = shared.database.fetch(SQL, vec![Parameter::Bytes(person.as_bytes().to_vec())]).await?;
        let Some(row) = rows.first() else { return Ok(Found::Unknown) };
        let tenant = TenantId::parse(row.text(0)?).map_err(|error| KeysError::Damaged { why: error.to_string() })?;
        if row.integer(3)? != 0 {
            return Ok(Found::Erased(tenant));
        }
        let master = shared.ring.find(MasterKeyId::from_bytes(row.array(1)?))?;
        let key = master.unwrap(person, row.bytes(2)?).map_err(|_| KeysError::DoesNotUnwrap { person })?;
        let kept = KeptKey { tenant, key: Arc::new(key) };
        shared.cache.put(person, kept.clone(), now, generation);
        Ok(Found::Key(kept))
    }

    /// Erases a person: destroys the key, and enters that into the register. Asked again, it gives the first entry.
    ///
    /// # Errors
    ///
    /// See [`EraseError`].
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, the person is erased or not; ask again.
    pub async fn erase(&self, request: &ErasureRequest) -> Result<Erasure, EraseError> {
        request.check()?;
        let shared = &self.shared;
        let mut transaction = shared.database.begin().await?;
        let erasure = match erased_before(&mut transaction, request).await? {
            Some(erasure) => erasure,
            None => self.erase_now(&mut transaction, request).await?,
        };
        transaction.commit().await?;
        shared.cache.forget(request.person);
        match shared.database.scrub().await {
            Ok(()) => Ok(erasure),
            Err(source) => Err(EraseError::Remains { erasure: Box::new(erasure), source }),
        }
    }

    async fn erase_now(&self, transaction: &mut Transaction, request: &ErasureRequest) -> Result<Erasure, EraseError> {
        let number = next_number(transaction).await?;
        // Whoever waited for the register finds what another process has erased meanwhile.
        if let Some(erasure) = erased_before(transaction, request).await? {
            set_number(transaction, number - 1).await?;
            return Ok(erasure);
        }
        if !destroy(transaction, request.person, &request.tenant).await? {
            return Err(EraseError::Unknown { tenant: request.tenant.clone(), person: request.person });
        }
        let previous = entries_after(transaction, number - 2, 1).await?;
        let mut erasure = Erasure {
            number: u64::try_from(number).unwrap_or(0),
            person: request.person,
            tenant: request.tenant.clone(),
            erased: self.shared.clock.now(),
            legal_basis: request.legal_basis,
            reference: request.reference.clone(),
            requested_by: request.requested_by.clone(),
            hash: REGISTER_START,
        };
        erasure.hash = erasure.hash_after(previous.first().map_or(REGISTER_START, |entry| entry.hash));
        add_entry(transaction, &erasure).await?;
        Ok(erasure)
    }

    /// Entries of the register after a number, at most 1,000.
    ///
    /// # Errors
    ///
    /// If the register cannot be read.
    pub async fn erasures_after(&self, number: u64) -> Result<Vec<Erasure>, KeysError> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let parameters = vec![Parameter::Integer(number), Parameter::Integer(PAGE_ROWS)];
        self.shared.database.fetch(ERASURES_AFTER, parameters).await?.iter().map(Erasure::of_row).collect()
    }

    /// Checks the register from its beginning, and that nobody whom it names has a key. Gives the number and hash of its last
    /// entry, to be kept elsewhere.
    ///
    /// # Errors
    ///
    /// If the register cannot be read. What is wrong with it is the inner error.
    pub async fn verify_register(&self) -> Result<Result<(u64, Hash), RegisterBroken>, KeysError> {
        let (mut number, mut hash) = (0, REGISTER_START);
        loop {
            let page = self.erasures_after(number).await?;
            for entry in &page {
                if let Err(broken) = entry.check_after(number, hash) {
                    return Ok(Err(broken));
                }
                (number, hash) = (entry.number, entry.hash);
            }
            if page.is_empty() {
                break;
            }
        }
        const BACK: &str = "SELECT erasures.number, erasures.person FROM erasures
            LEFT JOIN person_keys ON person_keys.person = erasures.person AND person_keys.is_erased = 1
            WHERE person_keys.person IS NULL ORDER BY erasures.number LIMIT 1";
        let back = self.shared.database.fetch(BACK, vec![]).await?;
        let Some(row) = back.first() else { return Ok(Ok((number, hash))) };
        let number = u64::try_from(row.integer(0)?).unwrap_or(0);
        Ok(Err(RegisterBroken::KeyCameBack { number, person: PersonId::from_bytes(row.array(1)?) }))
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.shared.database.close().await;
    }
}

/// Keeps the master key from being retired until the transaction ends, or says that it was.
async fn hold_master(transaction: &mut Transaction, id: MasterKeyId) -> Result<(), KeysError> {
    const SQL: &str = "UPDATE master_keys SET state = state WHERE master_id = $1 AND state <> 2";
    match transaction.execute(SQL, vec![Parameter::Bytes(id.as_bytes().to_vec())]).await? {
        0 => Err(KeysError::Retired { id }),
        _ => Ok(()),
    }
}

async fn erased_before(transaction: &mut Transaction, request: &ErasureRequest) -> Result<Option<Erasure>, KeysError> {
    const SQL: &str =
        "SELECT number, person, tenant, erased_us, legal_basis, reference, requested_by, hash FROM erasures
        WHERE person = $1 AND tenant = $2 ORDER BY number LIMIT 1";
    let (person, tenant) = (request.person.as_bytes().to_vec(), request.tenant.to_string());
    let rows = transaction.fetch(SQL, vec![Parameter::Bytes(person), Parameter::Text(tenant)]).await?;
    rows.first().map(Erasure::of_row).transpose()
}

/// Takes the next number of the register, and with it the right to write its next entry.
async fn next_number(transaction: &mut Transaction) -> Result<i64, KeysError> {
    const SQL: &str = "UPDATE register_head SET number = number + 1 RETURNING number";
    let rows = transaction.fetch(SQL, vec![]).await?;
    match rows.first() {
        Some(row) => row.integer(0),
        None => Err(KeysError::Damaged { why: "the register has no head".to_owned() }),
    }
}

pub(super) async fn set_number(transaction: &mut Transaction, number: i64) -> Result<(), KeysError> {
    const SQL: &str = "UPDATE register_head SET number = $1";
    transaction.execute(SQL, vec![Parameter::Integer(number)]).await.map(|_| ())
}

/// Overwrites a living person's key; says whether there was one.
pub(super) async fn destroy(
    transaction: &mut Transaction,
    person: PersonId,
    tenant: &TenantId,
) -> Result<bool, KeysError> {
    // As many zeros as the key had bytes, so that it is overwritten where it stands.
    const SQL: &str =
        "UPDATE person_keys SET wrapped = $1, is_erased = 1 WHERE person = $2 AND tenant = $3 AND is_erased = 0";
    let parameters = vec![
        Parameter::Bytes(vec![0; WRAPPED_BYTES]),
        Parameter::Bytes(person.as_bytes().to_vec()),
        Parameter::Text(tenant.to_string()),
    ];
    transaction.execute(SQL, parameters).await.map(|changed| changed > 0)
}

pub(super) async fn entries_after(
    transaction: &mut Transaction,
    number: i64,
    limit: i64,
) -> Result<Vec<Erasure>, KeysError> {
    let parameters = vec![Parameter::Integer(number), Parameter::Integer(limit)];
    transaction.fetch(ERASURES_AFTER, parameters).await?.iter().map(Erasure::of_row).collect()
}

pub(super) async fn add_entry(transaction: &mut Transaction, erasure: &Erasure) -> Result<(), KeysError> {
    const SQL: &str =
        "INSERT INTO erasures (number, person, tenant, erased_us, legal_basis, reference, requested_by, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let parameters = vec![
        Parameter::Integer(i64::try_from(erasure.number).unwrap_or(i64::MAX)),
        Parameter::Bytes(erasure.person.as_bytes().to_vec()),
        Parameter::Text(erasure.tenant.to_string()),
        Parameter::Integer(erasure.erased.micros()),
        Parameter::Text(erasure.legal_basis.code().to_owned()),
        Parameter::Text(erasure.reference.clone()),
        Parameter::Text(erasure.requested_by.clone()),
        Parameter::Bytes(erasure.hash.as_bytes().to_vec()),
    ];
    transaction.execute(SQL, parameters).await.map(|_| ())
}
