//! Where a sealed value belongs, so that it cannot be moved.

use messages::{EventType, StreamName, TenantId};

use super::value::PersonId;

/// The place of a personal value: whose data, in which stream, in what kind of event, which field.
///
/// It is bound to the sealed value as associated data. A sealed text that is copied to another tenant, stream, type or field does
/// not open there. The name of the field is the one that it was sealed under: an up-caster may move the value, and its reader
/// then still gives the old name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Whose data.
    pub tenant: TenantId,
    /// The stream.
    pub stream: StreamName,
    /// The type of the event.
    pub event_type: EventType,
    /// The field, as in `holder.name`; a name of the code and never data.
    pub name: &'static str,
}

/// Stands in front of the associated data of sealed values.
const DOMAIN: &[u8] = b"lastro.personal.sealed.v1";

impl Field {
    /// The domain, the person, then tenant, stream, type and name, each with its length (4 bytes, big-endian) in front.
    pub(super) fn associated_data(&self, person: PersonId) -> Vec<u8> {
        let mut bytes = [DOMAIN, person.as_bytes()].concat();
        let parts = [self.tenant.as_str(), self.stream.as_str(), self.event_type.as_str(), self.name];
        for part in parts {
            // Names have limits far below 4 GiB.
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}
