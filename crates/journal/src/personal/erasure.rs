//! The register of erasures: who, when, why and on whose request. Rows are only added; each hash covers those before.

use messages::{Hash, TenantId, Timestamp};
use sha2::{Digest as _, Sha256};

use super::database::Record;
use super::errors::{EraseError, KeysError};
use super::value::PersonId;
use crate::audit::Cell;

/// The most bytes of a reference.
pub const REFERENCE_BYTES_MAX: usize = 200;

/// The most bytes of the name of who asked.
pub const REQUESTER_BYTES_MAX: usize = 200;

/// Why a person is erased. Source: Lei 13.709/2018 (LGPD).
///
/// Whether the law asks to keep the data for longer (art. 16, I: a legal or regulatory duty) is decided before an erasure is asked
/// for; here it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegalBasis {
    /// The person took the consent back, or asks for deletion of what rests on it: art. 18, VI and IX.
    ConsentWithdrawn,
    /// The data is not needed, too much, or treated against the law: art. 18, IV.
    Unnecessary,
    /// The treatment has come to its end: arts. 15 and 16.
    TreatmentEnded,
    /// The authority has ordered it: arts. 15, IV, and 52, VI.
    AuthorityOrder,
}

impl LegalBasis {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ConsentWithdrawn, Self::Unnecessary, Self::TreatmentEnded, Self::AuthorityOrder];

    /// Its stable name in the register.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::Unnecessary => "unnecessary",
            Self::TreatmentEnded => "treatment_ended",
            Self::AuthorityOrder => "authority_order",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|basis| basis.code() == code)
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRequest {
    /// Whose person.
    pub tenant: TenantId,
    /// The person.
    pub person: PersonId,
    /// Why.
    pub legal_basis: LegalBasis,
    /// The case, as in `LGPD-2026-0042`. Never the person's name: the register is kept when the person is forgotten.
    pub reference: String,
    /// Who decided it, as the identity provider names them.
    pub requested_by: String,
}

impl ErasureRequest {
    pub(super) fn check(&self) -> Result<(), EraseError> {
        let texts = [
            ("reference", &self.reference, REFERENCE_BYTES_MAX),
            ("requester", &self.requested_by, REQUESTER_BYTES_MAX),
        ];
        for (what, text, bytes_max) in texts {
            if text.is_empty() || text.len() > bytes_max || text.chars().any(char::is_control) {
                return Err(EraseError::Text { what, bytes: text.len(), bytes_max });
            }
        }
        Ok(())
    }
}

/// An entry of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its number, from 1 without gaps.
    pub number: u64,
    /// The person, whose name here says nothing of who it was.
    pub person: PersonId,
    /// Whose person.
    pub tenant: TenantId,
    /// When.
    pub erased: Timestamp,
    /// Why.
    pub legal_basis: LegalBasis,
    /// The case.
    pub reference: String,
    /// Who decided it.
    pub requested_by: String,
    /// Covers this entry and all before it.
    pub hash: Hash,
}

/// The register is not what was written, or a person that it names has a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterBroken {
    /// An entry is missing or out of order.
    #[error("the register has entry {found} where {expected} should be")]
    Number {
        /// The number that should be there.
        expected: u64,
        /// The number that is.
        found: u64,
    },
    /// An entry was changed.
    #[error("entry {number} of the register has the hash {found}, and from its fields follows {expected}")]
    Hash {
        /// The entry.
        number: u64,
        /// What follows from its fields and the entry before.
        expected: Hash,
        /// What it says.
        found: Hash,
    },
    /// A person that was erased has a key again, or the key's row is gone.
    #[error("person {person} was erased by entry {number} of the register and is not erased among the keys")]
    KeyCameBack {
        /// The entry.
        number: u64,
        /// The person.
        person: PersonId,
    },
}

/// The hash before the first entry.
pub(super) const REGISTER_START: Hash = Hash::new([0; Hash::BYTES]);

const DOMAIN: &[u8] = b"lastro.personal.erasure.v1";

/// The columns that [`Erasure::of_row`] reads.
pub(super) const ERASURES_AFTER: &str =
    "SELECT number, person, tenant, erased_us, legal_basis, reference, requested_by, hash FROM erasures
    WHERE number > $1 ORDER BY number LIMIT $2";

impl Erasure {
    /// SHA-256 over domain, the hash before, number (8), person (16), time (8), and tenant, basis, reference and requester, each
    /// with its length (4) in front. Integers are big-endian.
    pub(super) fn hash_after(&self, previous: Hash) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        hasher.update(previous.as_bytes());
        hasher.update(self.number.to_be_bytes());
        hasher.update(self.person.as_bytes());
        hasher.update(self.erased.micros().to_be_bytes());
        for text in [self.tenant.as_str(), self.legal_basis.code(), &self.reference, &self.requested_by] {
            // Their limits are far below 4 GiB.
            hasher.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            hasher.update(text);
        }
        Hash::new(hasher.finalize().into())
    }

    /// Refuses it if it does not follow an entry with this number and hash.
    pub(super) fn check_after(&self, number: u64, previous: Hash) -> Result<(), RegisterBroken> {
        if self.number != number + 1 {
            return Err(RegisterBroken::Number { expected: number + 1, found: self.number });
        }
        let (expected, found) = (self.hash_after(previous), self.hash);
        if expected == found { Ok(()) } else { Err(RegisterBroken::Hash { number: self.number, expected, found }) }
    }

    pub(super) fn of_row(row: &Record) -> Result<Self, KeysError> {
        let wrong = |why: String| KeysError::Damaged { why: format!("register of erasures: {why}") };
        let number = row.integer(0)?;
        Ok(Self {
            number: u64::try_from(number).map_err(|_| wrong(format!("number {number} is negative")))?,
            person: PersonId::from_bytes(row.array(1)?),
            tenant: TenantId::parse(row.text(2)?).map_err(|error| wrong(error.to_string()))?,
            erased: Timestamp::from_micros(row.integer(3)?),
            legal_basis: LegalBasis::from_code(row.text(4)?)
                .ok_or_else(|| wrong("its legal basis is none".to_owned()))?,
            reference: row.text(5)?.to_owned(),
            requested_by: row.text(6)?.to_owned(),
            hash: Hash::new(row.array(7)?),
        })
    }

    pub(super) fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::Integer(i64::try_from(self.number).unwrap_or(i64::MAX)),
            Cell::Bytes(self.person.as_bytes().to_vec()),
            Cell::Text(self.tenant.to_string()),
            Cell::Integer(self.erased.micros()),
            Cell::Text(self.legal_basis.code().to_owned()),
            Cell::Text(self.reference.clone()),
            Cell::Text(self.requested_by.clone()),
            Cell::Bytes(self.hash.as_bytes().to_vec()),
        ]
    }

    pub(super) fn of_cells(cells: &[Cell]) -> Option<Self> {
        let [
            Cell::Integer(number),
            Cell::Bytes(person),
            Cell::Text(tenant),
            Cell::Integer(erased),
            Cell::Text(basis),
            Cell::Text(reference),
            Cell::Text(requested_by),
            Cell::Bytes(hash),
        ] = cells
        else {
            return None;
        };
        Some(Self {
            number: u64::try_from(*number).ok()?,
            person: PersonId::from_bytes(person.as_slice().try_into().ok()?),
            tenant: TenantId::parse(tenant).ok()?,
            erased: Timestamp::from_micros(*erased),
            legal_basis: LegalBasis::from_code(basis)?,
            reference: reference.clone(),
            requested_by: requested_by.clone(),
            hash: Hash::new(hash.as_slice().try_into().ok()?),
        })
    }
}
