//! What can go wrong with one request, and how often it did.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never reaches the node; the connection is closed without an answer.
    RequestLost,
    /// The node acts on it; the connection is closed without an answer.
    AnswerLost,
    /// It reaches the node so much later.
    Delayed(Duration),
    /// It reaches the node twice; the second answer is given.
    Doubled,
    /// A request that came later reaches the node before it.
    Overtaken,
    /// HTTP 429; it never reaches the node.
    TooManyRequests,
    /// HTTP 502. Whether the node has it, nobody can see.
    BadGateway {
        /// Whether it has.
        is_passed_on: bool,
    },
    /// The node acts on it; half of its JSON comes back as if it were whole.
    HalfAnswer,
    /// The node acts on it; the connection is cut in the middle of its answer.
    CutAnswer,
    /// The node acts on it; another transaction's hash comes back.
    WrongHash,
    /// A head comes back that is so many blocks old.
    StaleHead {
        /// How many.
        blocks: u64,
    },
}

/// The kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// [`Fault::RequestLost`].
    RequestLost,
    /// [`Fault::AnswerLost`].
    AnswerLost,
    /// [`Fault::Delayed`].
    Delayed,
    /// [`Fault::Doubled`].
    Doubled,
    /// [`Fault::Overtaken`].
    Overtaken,
    /// [`Fault::TooManyRequests`].
    TooManyRequests,
    /// [`Fault::BadGateway`].
    BadGateway,
    /// [`Fault::HalfAnswer`].
    HalfAnswer,
    /// [`Fault::CutAnswer`].
    CutAnswer,
    /// [`Fault::WrongHash`].
    WrongHash,
    /// [`Fault::StaleHead`].
    StaleHead,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::RequestLost,
        Self::AnswerLost,
        Self::Delayed,
        Self::Doubled,
        Self::Overtaken,
        Self::TooManyRequests,
        Self::BadGateway,
        Self::HalfAnswer,
        Self::CutAnswer,
        Self::WrongHash,
        Self::StaleHead,
    ];

    /// Its name in reports for machines.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::RequestLost => "request-lost",
            Self::AnswerLost => "answer-lost",
            Self::Delayed => "delayed",
            Self::Doubled => "doubled",
            Self::Overtaken => "overtaken",
            Self::TooManyRequests => "http-429",
            Self::BadGateway => "http-502",
            Self::HalfAnswer => "half-answer",
            Self::CutAnswer => "cut-answer",
            Self::WrongHash => "wrong-hash",
            Self::StaleHead => "stale-head",
        }
    }

    /// Whether a request for this JSON-RPC method can meet it.
    pub(crate) fn concerns(self, method: &str) -> bool {
        match self {
            Self::WrongHash => method == "eth_sendRawTransaction",
            Self::StaleHead => method == "eth_blockNumber",
            _ => true,
        }
    }
}

impl Fault {
    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> FaultKind {
        match self {
            Self::RequestLost => FaultKind::RequestLost,
            Self::AnswerLost => FaultKind::AnswerLost,
            Self::Delayed(_) => FaultKind::Delayed,
            Self::Doubled => FaultKind::Doubled,
            Self::Overtaken => FaultKind::Overtaken,
            Self::TooManyRequests => FaultKind::TooManyRequests,
            Self::BadGateway { .. } => FaultKind::BadGateway,
            Self::HalfAnswer => FaultKind::HalfAnswer,
            Self::CutAnswer => FaultKind::CutAnswer,
            Self::WrongHash => FaultKind::WrongHash,
            Self::StaleHead { .. } => FaultKind::StaleHead,
        }
    }
}

/// How many requests came, and how many of them met which fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survived {
    /// All requests.
    pub requests: u64,
    by_kind: [u64; FaultKind::ALL.len()],
}

impl Survived {
    /// How many met this fault.
    #[must_use]
    pub fn of(&self, kind: FaultKind) -> u64 {
        self.by_kind[kind as usize]
    }

    /// How many met any.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.by_kind.iter().sum()
    }
}

/// Counts while requests come.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    by_kind: [AtomicU64; FaultKind::ALL.len()],
}

impl Counters {
    pub(crate) fn count(&self, fault: Option<Fault>) {
        let _ = self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(fault) = fault {
            let _ = self.by_kind[fault.kind() as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn survived(&self) -> Survived {
        let by_kind = FaultKind::ALL.map(|kind| self.by_kind[kind as usize].load(Ordering::Relaxed));
        Survived { requests: self.requests.load(Ordering::Relaxed), by_kind }
    }
}
