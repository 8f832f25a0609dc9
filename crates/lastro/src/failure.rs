//! How a command fails: what happened, why, what to do next, and the exit code.

use std::process::ExitCode;

/// What kind of failure it is: it decides the exit code, which scripts may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// Refused by a rule, or the books differ. Repeating it changes nothing.
    Refused,
    /// The command or its input is wrong.
    Usage,
    /// The machine is in the way: a port, a lock, a disk.
    Environment,
    /// A node cannot be reached.
    Unreachable,
    /// Nobody knows whether it happened. The same command with the same data directory finds out.
    Unknown,
}

impl FailureKind {
    /// All kinds.
    const ALL: [Self; 5] = [Self::Refused, Self::Usage, Self::Environment, Self::Unreachable, Self::Unknown];

    /// The kind with which another process of this program failed; [`FailureKind::Environment`] if the code is none of ours.
    pub(crate) fn of_code(code: i32) -> Self {
        let is_its = |kind: &Self| i32::from(kind.code()) == code;
        Self::ALL.into_iter().find(is_its).unwrap_or(Self::Environment)
    }

    /// The documented exit code.
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(self.code())
    }

    fn code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Environment => 3,
            Self::Unreachable => 4,
            Self::Unknown => 5,
        }
    }
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Decides the exit code.
    pub(crate) kind: FailureKind,
    /// What happened, and why, down to the first cause.
    pub(crate) error: anyhow::Error,
    /// What to do next.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    pub(crate) fn new(kind: FailureKind, error: impl Into<anyhow::Error>) -> Self {
        Self { kind, error: error.into(), hint: None }
    }

    /// Adds what to do next.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what to do next, where there is something.
    pub(crate) fn with_hint_if(mut self, hint: Option<&str>) -> Self {
        self.hint = hint.map(str::to_owned);
        self
    }
}
