//! What can go wrong with personal data. No error holds a value, a key, or what a sealed text says.

use messages::TenantId;

use super::erasure::{Erasure, RegisterBroken};
use super::master::{MasterKeyError, MasterKeyId};
use super::value::PersonId;
use crate::audit::{ReadFileError, WriteFileError};

/// The database of person keys refused, cannot be reached, or holds what it must not.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The database refused or cannot be reached.
    #[error("cannot {doing} the person keys")]
    Sql {
        /// What was tried.
        doing: &'static str,
        /// Why not.
        source: sqlx::Error,
    },
    /// A row is not what was written.
    #[error("the person keys are damaged: {why}")]
    Damaged {
        /// What is wrong.
        why: String,
    },
    /// Another process holds the file, or something else is at work on it. A process that holds its keys backs them up itself.
    #[error("the file of person keys is in use")]
    Busy,
    /// A key is wrapped by a master key that this process does not have: a rotation is going on elsewhere. Start again with both.
    #[error("a person's key is wrapped by master key {id}, which this process was not given")]
    MasterUnknown {
        /// The master key.
        id: MasterKeyId,
    },
    /// A person's key does not unwrap although its master key is the right one: the row was changed.
    #[error("the key of person {person} does not unwrap")]
    DoesNotUnwrap {
        /// The person.
        person: PersonId,
    },
    /// The master key was retired by a rotation: nothing is wrapped by it any more.
    #[error("master key {id} is retired")]
    Retired {
        /// The master key.
        id: MasterKeyId,
    },
}

/// Person keys cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenKeysError {
    /// A master key cannot be had.
    #[error("a master key cannot be had")]
    Master(#[from] MasterKeyError),
    /// The database refuses.
    #[error("the person keys cannot be opened")]
    Keys(#[from] KeysError),
    /// The tables were written by a newer release.
    #[error("the person keys have version {found} of their tables, this release knows versions up to {known}")]
    Newer {
        /// The version found.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// The schema's name is none.
    #[error(
        "`{schema}` is no name of a schema: it has 1 to 40 lower-case letters, digits and `_`, and begins with a letter"
    )]
    SchemaName {
        /// The name.
        schema: String,
    },
    /// The master key is not the one of this database. To rotate, give the old one too.
    #[error("master key {found} is not {expected}, which these person keys are wrapped by")]
    OtherMaster {
        /// The one in use.
        expected: MasterKeyId,
        /// The one given.
        found: MasterKeyId,
    },
    /// The former master key is the master key itself: there is nothing to rotate. Give the new key, or leave the former out.
    #[error("the former master key is {id}, which is the master key too: a rotation goes from one key to another")]
    SameMaster {
        /// The one key.
        id: MasterKeyId,
    },
    /// There are no person keys at a place where some must be.
    #[error("there are no person keys in `{place}`")]
    NoKeys {
        /// The file or schema.
        place: String,
    },
    /// The master key was retired by a rotation.
    #[error("master key {id} was retired by a rotation")]
    Retired {
        /// The master key.
        id: MasterKeyId,
    },
    /// A rotation has not ended, and one of its two keys was not given.
    #[error(
        "the keys of {persons} persons are wrapped by master key {id}, which was not given: a rotation has not ended"
    )]
    MasterMissing {
        /// The master key that is missing.
        id: MasterKeyId,
        /// How many persons' keys it wraps.
        persons: u64,
    },
}

/// A value cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// There is no such person.
    #[error("person {person} has no key here")]
    Unknown {
        /// The person.
        person: PersonId,
    },
    /// The person was erased, and stays so: nothing is sealed under that name again.
    #[error("person {person} was erased")]
    Erased {
        /// The person.
        person: PersonId,
    },
    /// The person is another tenant's.
    #[error("person {person} is not one of tenant `{tenant}`")]
    OtherTenant {
        /// The person.
        person: PersonId,
        /// The tenant of the field.
        tenant: TenantId,
    },
    /// The value is longer than a personal value may be.
    #[error("a personal value of {bytes} bytes is longer than {max}", max = super::value::PLAIN_BYTES_MAX)]
    TooLong {
        /// The length of its JSON.
        bytes: usize,
    },
    /// The value cannot be written as JSON.
    #[error("a personal value has no form as JSON")]
    NoJson,
    /// The keys cannot be read.
    #[error("the person's key cannot be had")]
    Keys(#[from] KeysError),
}

/// A sealed value cannot be opened, although its person was not erased.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// There is no such person here: these are other keys, or an old backup of them.
    #[error("person {person} has no key here")]
    Unknown {
        /// The person.
        person: PersonId,
    },
    /// The person is another tenant's.
    #[error("person {person} is not one of tenant `{tenant}`")]
    OtherTenant {
        /// The person.
        person: PersonId,
        /// The tenant of the field.
        tenant: TenantId,
    },
    /// The sealed value was changed, or it was sealed for another place.
    #[error(
        "the value of person {person} does not open as field `{field}`: it was changed, or sealed for another place"
    )]
    DoesNotOpen {
        /// The person.
        person: PersonId,
        /// The field.
        field: &'static str,
    },
    /// It opens, and is no value of the type that was asked for.
    #[error("the value of person {person} in field `{field}` is of another form than asked for")]
    Form {
        /// The person.
        person: PersonId,
        /// The field.
        field: &'static str,
    },
    /// The keys cannot be read.
    #[error("the person's key cannot be had")]
    Keys(#[from] KeysError),
}

/// A person was not erased, or not completely.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// There is no such person of this tenant.
    #[error("tenant `{tenant}` has no person {person}")]
    Unknown {
        /// The tenant.
        tenant: TenantId,
        /// The person.
        person: PersonId,
    },
    /// A text of the request is too long, or has a control character.
    #[error("the {what} of an erasure has {bytes} bytes or a control character; it may have 1 to {bytes_max} bytes")]
    Text {
        /// Which.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The person is erased for every reader, but what was overwritten may still be on disk. Ask again: it is tried again.
    #[error("person {} is erased, but remains could not be removed from disk", erasure.person)]
    Remains {
        /// The erasure, which stands.
        erasure: Box<Erasure>,
        /// Why not.
        source: KeysError,
    },
    /// The keys cannot be changed. Nothing is erased, unless it was the commit that failed: ask again.
    #[error("the person's key cannot be erased")]
    Keys(#[from] KeysError),
}

/// A rotation did not come to its end. What was wrapped anew stays so; open with both keys and rotate again.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The keys were opened with one master key only.
    #[error("there is no former master key to rotate from")]
    NothingToRotate,
    /// The keys cannot be read or changed.
    #[error("the person keys cannot be wrapped anew")]
    Keys(#[from] KeysError),
}

/// A backup cannot be made or restored. What was there before is still there.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The database to restore into holds persons already.
    #[error("the database to restore into is not empty: it holds {persons} persons")]
    NotEmpty {
        /// How many.
        persons: u64,
    },
    /// The database cannot be opened.
    #[error("the database to restore into cannot be opened")]
    Open(#[from] OpenKeysError),
    /// The backup cannot be read.
    #[error("the backup cannot be read")]
    File(#[from] ReadFileError),
    /// The backup cannot be written.
    #[error("the backup cannot be written")]
    Write(#[from] WriteFileError),
    /// What was erased since the backup does not follow the backup's register, which must not be: persons would come back.
    #[error("the register of erasures does not fit the backup")]
    Register(#[from] RegisterBroken),
    /// The keys cannot be read or written.
    #[error("the person keys cannot be read or written")]
    Keys(#[from] KeysError),
}
