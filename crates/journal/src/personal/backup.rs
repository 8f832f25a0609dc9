//! Backups of person keys: a file of its own, with a life of its own.
//!
//! The form is that of [`crate::audit`]'s files of records: kind 1, a person (`person`, `tenant`, `master_id`, `wrapped` or null
//! if erased, `created_us`); kind 2, an entry of the register; kind 3, the end, with the number of persons and of entries. Cells
//! are written as in exports. Keys are wrapped as in the database: without the master key the file opens nothing.

use std::path::{Path, PathBuf};

use messages::Hash;

use super::database::{Database, Transaction};
use super::erasure::{Erasure, REGISTER_START};
use super::errors::{KeysError, OpenKeysError, RestoreError};
use super::keys::{PAGE_ROWS, PersonKeys, PersonKeysConfig, Ring, add_entry, destroy, entries_after, set_number};
use super::master::{MasterKey, MasterKeyId, MasterKeySource, WRAPPED_BYTES};
use super::rotation::enter_master;
use super::schema;
use super::value::PersonId;
use crate::audit::records::{FileKind, RecordReader, RecordWriter};
use crate::audit::{Cell, ReadFileError};
use crate::unit::Parameter;

/// How long a backup of person keys is kept at most: whoever is erased is erased from backups too within that time. The log's own
/// backups are kept for as long as the law asks; they open nothing of a person who was erased.
pub const BACKUP_KEPT_DAYS_MAX: u32 = 30;

const BACKUP: FileKind = FileKind { what: "backup of person keys", magic: b"lastro.persons", version: 1 };
const PERSON: u8 = 1;
const ERASURE: u8 = 2;
const END: u8 = 3;

const PERSONS_AFTER: &str = "SELECT person, tenant, master_id, wrapped, created_us, is_erased FROM person_keys
    WHERE person > $1 ORDER BY person LIMIT $2";

impl PersonKeys {
    /// Writes a backup that nobody but its owner may read. Delete it after [`BACKUP_KEPT_DAYS_MAX`] days at the latest, and all of
    /// them when a master key was rotated because others may have it.
    ///
    /// # Errors
    ///
    /// If the keys cannot be read or the file cannot be written.
    pub async fn backup(&self, path: &Path) -> Result<(), RestoreError> {
        let mut writer = RecordWriter::create(path, BACKUP, true)?;
        let mut transaction = self.shared.database.begin_snapshot().await?;
        let (mut persons, mut entries, mut last) = (0, 0, Vec::new());
        loop {
            let parameters = vec![Parameter::Bytes(last), Parameter::Integer(PAGE_ROWS)];
            let rows = transaction.fetch(PERSONS_AFTER, parameters).await?;
            let Some(row) = rows.last() else { break };
            last = row.bytes(0)?.to_vec();
            for row in &rows {
                let wrapped = if row.integer(5)? == 0 { Cell::Bytes(row.bytes(3)?.to_vec()) } else { Cell::Null };
                let (person, master) = (row.bytes(0)?.to_vec(), row.bytes(2)?.to_vec());
                let tenant = Cell::Text(row.text(1)?.to_owned());
                let cells = [Cell::Bytes(person), tenant, Cell::Bytes(master), wrapped, Cell::Integer(row.integer(4)?)];
                writer.put(PERSON, &crate::audit::encode_row(&cells))?;
                persons += 1;
            }
        }
        loop {
            let page = entries_after(&mut transaction, entries, PAGE_ROWS).await?;
            let Some(last) = page.last() else { break };
            for entry in &page {
                writer.put(ERASURE, &crate::audit::encode_row(&entry.cells()))?;
            }
            entries = i64::try_from(last.number).unwrap_or(i64::MAX);
        }
        writer.put(END, &crate::audit::encode_row(&[Cell::Integer(persons), Cell::Integer(entries)]))?;
        let _ = writer.finish()?;
        Ok(())
    }

    /// Restores a backup into an empty database, all of it or nothing, erases again whom the register has erased since, and opens
    /// it. `later` is what was kept elsewhere of [`PersonKeys::erasures_after`]; without it, whoever was erased after the backup
    /// comes back. Every key is unwrapped before anything is committed: with a master key that is not theirs nothing is restored.
    ///
    /// # Errors
    ///
    /// See [`RestoreError`].
    pub async fn restore(config: &PersonKeysConfig, backup: &Path, later: &[Erasure]) -> Result<Self, RestoreError> {
        schema::check_place(&config.place)?;
        let ring = Ring::load(config)?;
        let database = Database::connect(&config.place).await?;
        let restored = restore_into(&database, config, &ring, backup, later).await;
        // The file is locked by its connection; opening it makes another.
        database.close().await;
        restored?;
        Ok(Self::open(config).await?)
    }
}

/// Who is in a backup of person keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PersonsBackedUp {
    /// Persons with a key.
    pub living: u64,
    /// Persons who were erased.
    pub erased: u64,
}

impl PersonsBackedUp {
    /// Reads a backup to its end and counts who is in it; with a master key, every key is unwrapped too.
    ///
    /// # Errors
    ///
    /// If the file is not as it was written, or a key does not unwrap.
    pub fn read(backup: &Path, master: Option<&MasterKeySource>) -> Result<Self, RestoreError> {
        let master = master.map(MasterKey::load).transpose().map_err(OpenKeysError::from)?;
        let ring = master.map(|master| Ring { master, former: None });
        let (mut reader, mut found) = (BackupReader::open(backup)?, Self::default());
        while let Some(entry) = reader.next()? {
            match entry {
                Entry::Person(person) => {
                    ring.as_ref().map_or(Ok(()), |ring| person.check_unwraps(ring))?;
                    let count = if person.wrapped.is_some() { &mut found.living } else { &mut found.erased };
                    *count += 1;
                }
                Entry::Erasure(_) => {}
            }
        }
        Ok(found)
    }
}

async fn restore_into(
    database: &Database,
    config: &PersonKeysConfig,
    ring: &Ring,
    backup: &Path,
    later: &[Erasure],
) -> Result<(), RestoreError> {
    schema::migrate(database, &config.place).await?;
    let mut transaction = database.begin().await?;
    let there = transaction.fetch("SELECT COUNT(*) FROM person_keys", vec![]).await?;
    let there = there.first().map_or(Ok(0), |row| row.integer(0))?;
    if there != 0 {
        return Err(RestoreError::NotEmpty { persons: u64::try_from(there).unwrap_or(0) });
    }
    let mut reader = BackupReader::open(backup)?;
    while let Some(entry) = reader.next()? {
        match entry {
            Entry::Person(person) => {
                person.check_unwraps(ring)?;
                add_row(&mut transaction, ADD_ROW, person).await?;
            }
            Entry::Erasure(entry) => add_entry(&mut transaction, &entry).await?,
        }
    }
    let (mut number, mut hash) = (reader.number, reader.hash);
    for entry in later.iter().filter(|entry| entry.number > number).collect::<Vec<_>>() {
        entry.check_after(number, hash)?;
        (number, hash) = (entry.number, entry.hash);
        add_entry(&mut transaction, entry).await?;
        if !destroy(&mut transaction, entry.person, &entry.tenant).await? {
            // Added and erased after the backup: readers still get "erased".
            add_erased(&mut transaction, entry).await?;
        }
    }
    set_number(&mut transaction, i64::try_from(number).unwrap_or(i64::MAX)).await?;
    // What opening would refuse is refused here, while nothing is committed.
    enter_master(ring, config.clock.now(), &mut transaction).await?;
    Ok(transaction.commit().await?)
}

/// What stands in a backup.
enum Entry {
    Person(BackedUp),
    Erasure(Erasure),
}

/// A person in a backup.
struct BackedUp {
    person: PersonId,
    tenant: String,
    master: MasterKeyId,
    /// `None` of an erased person.
    wrapped: Option<Vec<u8>>,
    created_us: i64,
}

/// Reads a backup, and checks that it counts what there is.
struct BackupReader {
    path: PathBuf,
    reader: RecordReader,
    persons: i64,
    /// The register's last entry so far.
    number: u64,
    hash: Hash,
    is_complete: bool,
}

impl BackupReader {
    fn open(path: &Path) -> Result<Self, RestoreError> {
        let reader = RecordReader::open(path, BACKUP)?;
        let (number, hash) = (0, REGISTER_START);
        Ok(Self { path: path.to_owned(), reader, persons: 0, number, hash, is_complete: false })
    }

    /// The next person or entry; `None` at the end, if it is there.
    fn next(&mut self) -> Result<Option<Entry>, RestoreError> {
        while let Some(record) = self.reader.next()? {
            let (path, offset) = (&self.path, record.offset);
            let wrong = |why: String| ReadFileError::Record { path: path.clone(), offset, why };
            let cells = crate::audit::decode_row(record.body).map_err(|error| wrong(error.to_string()))?;
            match (record.kind, self.is_complete) {
                (PERSON, false) => {
                    let person = BackedUp::of(&cells).ok_or_else(|| wrong("it is no person".to_owned()))?;
                    self.persons += 1;
                    return Ok(Some(Entry::Person(person)));
                }
                (ERASURE, false) => {
                    let entry =
                        Erasure::of_cells(&cells).ok_or_else(|| wrong("it is no entry of the register".to_owned()))?;
                    entry.check_after(self.number, self.hash)?;
                    (self.number, self.hash) = (entry.number, entry.hash);
                    return Ok(Some(Entry::Erasure(entry)));
                }
                (END, false) => {
                    let number = i64::try_from(self.number).unwrap_or(i64::MAX);
                    if cells != [Cell::Integer(self.persons), Cell::Integer(number)] {
                        return Err(wrong("it counts other persons or entries than there are".to_owned()).into());
                    }
                    self.is_complete = true;
                }
                (kind, _) => return Err(wrong(format!("a record of kind {kind} may not stand here")).into()),
            }
        }
        if self.is_complete {
            return Ok(None);
        }
        Err(ReadFileError::Record { path: self.path.clone(), offset: 0, why: "it has no end".to_owned() }.into())
    }
}

impl BackedUp {
    fn of(cells: &[Cell]) -> Option<Self> {
        let [Cell::Bytes(person), Cell::Text(tenant), Cell::Bytes(master), wrapped, Cell::Integer(created_us)] = cells
        else {
            return None;
        };
        let wrapped = match wrapped {
            Cell::Bytes(wrapped) => Some(wrapped.clone()),
            Cell::Null => None,
            Cell::Integer(_) | Cell::Text(_) => return None,
        };
        Some(Self {
            person: PersonId::from_bytes(person.as_slice().try_into().ok()?),
            tenant: tenant.clone(),
            master: MasterKeyId::from_bytes(master.as_slice().try_into().ok()?),
            wrapped,
            created_us: *created_us,
        })
    }

    fn check_unwraps(&self, ring: &Ring) -> Result<(), KeysError> {
        let Some(wrapped) = &self.wrapped else { return Ok(()) };
        let unwrapped = ring.find(self.master)?.unwrap(self.person, wrapped);
        unwrapped.map(drop).map_err(|_| KeysError::DoesNotUnwrap { person: self.person })
    }
}

async fn add_erased(transaction: &mut Transaction, entry: &Erasure) -> Result<(), KeysError> {
    const SQL: &str = "INSERT INTO person_keys (person, tenant, master_id, wrapped, created_us, is_erased)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (person) DO NOTHING";
    let erased = BackedUp {
        person: entry.person,
        tenant: entry.tenant.to_string(),
        // By no master key.
        master: MasterKeyId::from_bytes([0; 16]),
        wrapped: None,
        created_us: entry.erased.micros(),
    };
    add_row(transaction, SQL, erased).await
}

const ADD_ROW: &str = "INSERT INTO person_keys (person, tenant, master_id, wrapped, created_us, is_erased)
    VALUES ($1, $2, $3, $4, $5, $6)";

async fn add_row(transaction: &mut Transaction, sql: &'static str, person: BackedUp) -> Result<(), KeysError> {
    let is_erased = i64::from(person.wrapped.is_none());
    let parameters = vec![
        Parameter::Bytes(person.person.as_bytes().to_vec()),
        Parameter::Text(person.tenant),
        Parameter::Bytes(person.master.as_bytes().to_vec()),
        Parameter::Bytes(person.wrapped.unwrap_or_else(|| vec![0; WRAPPED_BYTES])),
        Parameter::Integer(person.created_us),
        Parameter::Integer(is_erased),
    ];
    transaction.execute(sql, parameters).await.map(|_| ())
}
