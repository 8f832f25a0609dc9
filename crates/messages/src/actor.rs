//! Who did it: from the gateway's verified identity, or from the event that is reacted to; never from a payload.

use std::sync::Arc;

use crate::names::{self, NameError};

/// The most bytes of a subject, client or person acted for.
pub const ACTOR_PART_BYTES_MAX: usize = 200;

/// Who a command comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    subject: Arc<str>,
    client: Arc<str>,
    on_behalf_of: Option<Arc<str>>,
}

impl Actor {
    /// `subject` is the person or service as the identity provider names it, `client` the application, `on_behalf_of` the
    /// subject that it acts for, if that is another.
    ///
    /// # Errors
    ///
    /// If one is empty, longer than [`ACTOR_PART_BYTES_MAX`], or has a control character.
    pub fn new(subject: &str, client: &str, on_behalf_of: Option<&str>) -> Result<Self, NameError> {
        let part = |what, text: &str| -> Result<Arc<str>, NameError> {
            names::check(what, text, ACTOR_PART_BYTES_MAX, "all but control characters", |c| !c.is_control())?;
            Ok(text.into())
        };
        Ok(Self {
            subject: part("actor's subject", subject)?,
            client: part("actor's client", client)?,
            on_behalf_of: on_behalf_of.map(|text| part("subject acted for", text)).transpose()?,
        })
    }

    /// The person or service, as the identity provider names it.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The application.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }

    /// Whom the subject acts for, if that is another.
    #[must_use]
    pub fn on_behalf_of(&self) -> Option<&str> {
        self.on_behalf_of.as_deref()
    }
}
