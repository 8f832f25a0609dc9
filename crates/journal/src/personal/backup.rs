//! Backups of person keys: a file of its own, with a life of its own.
//!
//! The form is that of [`crate::audit`]'s files of records: kind 1, a person (`person`, `tenant`, `master_id`, `wrapped` or null
//! if erased, `created_us`); kind 2, an entry of the register; kind 3, the end, with the number of persons and of entries. Cells
//! are written as in exports. Keys are wrapped as in the database: without the master key the file opens nothing.

use std::path::Path;

use messages::Hash;

use super::database::{Database, Transaction};
use super::erasure::{Erasure, REGISTER_START};
use super::errors::{KeysError, RestoreError};
use super::keys::{PAGE_ROWS, PersonKeys, PersonKeysConfig, add_entry, destroy, entries_after, set_number};
use super::master::WRAPPED_BYTES;
use super::schema;
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
    /// comes back.
    ///
    /// # Errors
    ///
    /// See [`RestoreError`].
    pub async fn restore(config: &PersonKeysConfig, backup: &Path, later: &[Erasure]) -> Result<Self, RestoreError> {
        schema::check_place(&config.place)?;
        let database = Database::connect(&config.place).await?;
        let restored = restore_into(&database, config, backup, later).await;
        // The file is locked by its connection; opening it makes another.
        database.close().await;
        restored?;
        Ok(Self::open(config).await?)
    }
}

async fn restore_into(
    database: &Database,
    config: &PersonKeysConfig,
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
    let (mut number, mut hash) = read_backup(&mut transaction, backup).await?;
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
    Ok(transaction.commit().await?)
}

/// Reads the backup into empty tables. Gives number and hash of the register's last entry.
async fn read_backup(transaction: &mut Transaction, path: &Path) -> Result<(u64, Hash), RestoreError> {
    let mut reader = RecordReader::open(path, BACKUP)?;
    let (mut persons, mut number, mut hash, mut is_complete) = (0_i64, 0, REGISTER_START, false);
    while let Some(record) = reader.next()? {
        let (offset, kind) = (record.offset, record.kind);
        let cells = crate::audit::decode_row(record.body);
        let wrong = |why: String| ReadFileError::Record { path: path.to_owned(), offset, why };
        let cells = cells.map_err(|error| wrong(error.to_string()))?;
        match (kind, is_complete) {
            (PERSON, false) => {
                let parameters = person_of(&cells).ok_or_else(|| wrong("it is no person".to_owned()))?;
                add_row(transaction, parameters).await?;
                persons += 1;
            }
            (ERASURE, false) => {
                let entry =
                    Erasure::of_cells(&cells).ok_or_else(|| wrong("it is no entry of the register".to_owned()))?;
                entry.check_after(number, hash)?;
                add_entry(transaction, &entry).await?;
                (number, hash) = (entry.number, entry.hash);
            }
            (END, false) => {
                let counted = [Cell::Integer(persons), Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX))];
                is_complete = cells == counted;
                if !is_complete {
                    return Err(wrong("it counts other persons or entries than there are".to_owned()).into());
                }
            }
            _ => return Err(wrong(format!("a record of kind {kind} may not stand here")).into()),
        }
    }
    if !is_complete {
        return Err(ReadFileError::Record { path: path.to_owned(), offset: 0, why: "it has no end".to_owned() }.into());
    }
    Ok((number, hash))
}

async fn add_erased(transaction: &mut Transaction, entry: &Erasure) -> Result<(), KeysError> {
    const SQL: &str = "INSERT INTO person_keys (person, tenant, master_id, wrapped, created_us, is_erased)
        VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT (person) DO NOTHING";
    let parameters = vec![
        Parameter::Bytes(entry.person.as_bytes().to_vec()),
        Parameter::Text(entry.tenant.to_string()),
        // By no master key.
        Parameter::Bytes(vec![0; 16]),
        Parameter::Bytes(vec![0; WRAPPED_BYTES]),
        Parameter::Integer(entry.erased.micros()),
    ];
    transaction.execute(SQL, parameters).await.map(|_| ())
}

async fn add_row(transaction: &mut Transaction, parameters: Vec<Parameter>) -> Result<(), KeysError> {
    const SQL: &str = "INSERT INTO person_keys (person, tenant, master_id, wrapped, created_us, is_erased)
        VALUES ($1, $2, $3, $4, $5, $6)";
    transaction.execute(SQL, parameters).await.map(|_| ())
}

fn person_of(cells: &[Cell]) -> Option<Vec<Parameter>> {
    let [Cell::Bytes(person), Cell::Text(tenant), Cell::Bytes(master), wrapped, Cell::Integer(created)] = cells else {
        return None;
    };
    let (wrapped, is_erased) = match wrapped {
        Cell::Bytes(wrapped) => (wrapped.clone(), 0),
        Cell::Null => (vec![0; WRAPPED_BYTES], 1),
        Cell::Integer(_) | Cell::Text(_) => return None,
    };
    Some(vec![
        Parameter::Bytes(person.clone()),
        Parameter::Text(tenant.clone()),
        Parameter::Bytes(master.clone()),
        Parameter::Bytes(wrapped),
        Parameter::Integer(*created),
        Parameter::Integer(is_erased),
    ])
}
