//! The steps of a group on its store, where a simulation lets it fail: before the step has its effect, or after.

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The transaction begins and holds the head.
    Begin,
    /// What the group depends on is read.
    Find,
    /// Its rows are written.
    Write,
    /// It is committed.
    Commit,
}

/// Takes a step.
#[cfg(not(test))]
pub(super) async fn take<T>(_: Step, work: impl Future<Output = T>) -> T {
    work.await
}

#[cfg(test)]
pub(super) use crate::simulation::faults::take;
