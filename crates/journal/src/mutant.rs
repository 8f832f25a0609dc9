//! Defects that the simulation plants in itself, to see whether it notices them. A release cannot have them planted.

/// A defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Callers are answered while the commit is still under way.
    AnswerBeforeCommit,
    /// A commit whose answer was lost counts as failed, and its units are written again.
    UnknownIsNotCommitted,
    /// A commit whose answer was lost counts as done.
    UnknownIsCommitted,
    /// The idempotency key is not looked up.
    NoKeyCheck,
    /// What was decided on events that never came to be is accepted if the stream has as many others.
    VersionWithoutEvent,
    /// A command is refused on a state that nobody has confirmed.
    RefusalUnconfirmed,
    /// A consumer's cursor is moved from wherever it stands.
    CursorUnfenced,
    /// A timer is fired also if it is not there any more.
    TimerUnfenced,
}

/// Whether the defect is planted.
#[cfg(not(test))]
pub(crate) const fn is_planted(_: Mutant) -> bool {
    false
}

#[cfg(test)]
pub(crate) use crate::simulation::faults::is_planted;
