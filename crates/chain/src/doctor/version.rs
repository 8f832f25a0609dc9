//! What a node says of its release, and which faults its release is known for.

use std::fmt;

use super::finding::{Severity, Trap};

/// A release: year, month and patch for Besu, such as 25.12.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// The first number.
    pub major: u16,
    /// The second.
    pub minor: u16,
    /// The third; 0 where it is not said.
    pub patch: u16,
}

impl Release {
    const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Which program a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Hyperledger Besu, of this release; `None` if it says none that can be read.
    Besu(Option<Release>),
    /// The ledger that the platform carries.
    Embedded,
    /// Something else.
    Other,
}

/// Reads `web3_clientVersion`: `besu/v25.12.0/linux-x86_64/openjdk-java-21`. A node may stand under a name of its operator
/// (`--identity`), which Besu puts second: `besu/bank-a/v25.12.0/…`. What follows a hyphen in the version (`-RC1`,
/// `-develop-0a1b2c3`) counts as the release before it.
pub(super) fn client(version: &str) -> Client {
    let mut parts = version.split('/');
    match parts.next().map(str::to_ascii_lowercase).as_deref() {
        Some("besu") => Client::Besu(parts.take(2).find_map(release)),
        Some("lastro") => Client::Embedded,
        _ => Client::Other,
    }
}

fn release(part: &str) -> Option<Release> {
    let number = part.strip_prefix('v')?.split(['-', '+']).next()?;
    let mut numbers = number.split('.').map(|digits| {
        let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| digits.parse::<u16>().ok()).flatten()
    });
    let (major, minor) = (numbers.next()??, numbers.next()??);
    let patch = match numbers.next() {
        None => 0,
        Some(patch) => patch?,
    };
    numbers.next().is_none().then_some(Release { major, minor, patch })
}

/// What must hold, beside the release, for a fault to bite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Always,
    /// Gas is free, and the pool is the layered one or of an unknown kind.
    FreeGasLayeredPool,
    /// Rules older than London, and the pool is the layered one or of an unknown kind.
    NoBaseFeeLayeredPool,
    /// QBFT or IBFT 2.0 by the rules of Paris or later.
    BftFromParis,
    /// QBFT or IBFT 2.0 by the rules of Shanghai or later.
    BftFromShanghai,
    /// QBFT or IBFT 2.0 with several validators.
    SeveralValidators,
    /// Blocks without transactions come more rarely than blocks with some.
    EmptyBlocksRarer,
    /// The profile names permissioning contracts, or they stand where they usually do.
    PermissioningContracts,
}

/// A fault of a range of releases.
#[derive(Debug, Clone, Copy)]
pub struct KnownFault {
    /// What it is.
    pub trap: Trap,
    /// The first release with it; `None` where that is not known.
    pub since: Option<Release>,
    /// The first release without; `None` where the newest has it.
    pub before: Option<Release>,
    /// What else must hold.
    pub condition: Condition,
    /// How bad it is then.
    pub severity: Severity,
}

impl KnownFault {
    /// Whether a release has it.
    pub fn is_in(&self, release: Release) -> bool {
        self.since.is_none_or(|since| release >= since) && self.before.is_none_or(|before| release < before)
    }
}

/// Every fault that a release of Besu is known for and that a platform on it meets. Ranges are those of Besu's changelog
/// (besu-eth/besu, `CHANGELOG.md`, read at commit 00fe97c, after 26.9.0) unless a comment says otherwise; what each is, and its
/// issues, stands with the [`Trap`].
pub const KNOWN_FAULTS: &[KnownFault] = &[
    // The balance check of the layered pool became the default with 26.4.0.
    KnownFault {
        trap: Trap::ZeroBalanceSendersShutOut,
        since: Some(Release::new(26, 4, 0)),
        before: Some(Release::new(26, 7, 1)),
        condition: Condition::FreeGasLayeredPool,
        severity: Severity::Fault,
    },
    // The layered pool became the default with 23.10.0; since when it has the fault is not said.
    KnownFault {
        trap: Trap::PoolStallsAtMinimumPrice,
        since: Some(Release::new(23, 10, 0)),
        before: Some(Release::new(26, 1, 0)),
        condition: Condition::NoBaseFeeLayeredPool,
        severity: Severity::Warning,
    },
    // Since when the limit on selection is ignored is not said.
    KnownFault {
        trap: Trap::SelectionTimeIgnored,
        since: None,
        before: Some(Release::new(26, 8, 1)),
        condition: Condition::BftFromParis,
        severity: Severity::Warning,
    },
    // Empty block periods came with 24.10.0. The first repair is of 26.4.0, those for a dead proposer and for votes of 26.8.1.
    KnownFault {
        trap: Trap::EmptyBlockDelays,
        since: Some(Release::new(24, 10, 0)),
        before: Some(Release::new(26, 8, 1)),
        condition: Condition::EmptyBlocksRarer,
        severity: Severity::Warning,
    },
    KnownFault {
        trap: Trap::ShanghaiBlocksRefused,
        since: Some(Release::new(26, 1, 0)),
        before: Some(Release::new(26, 2, 0)),
        condition: Condition::BftFromShanghai,
        severity: Severity::Fault,
    },
    KnownFault {
        trap: Trap::ValidatorsStuckAfterRestart,
        since: None,
        before: Some(Release::new(25, 3, 0)),
        condition: Condition::SeveralValidators,
        severity: Severity::Warning,
    },
    KnownFault {
        trap: Trap::PreparedBlockRefused,
        since: None,
        before: Some(Release::new(24, 12, 0)),
        condition: Condition::SeveralValidators,
        severity: Severity::Warning,
    },
    KnownFault {
        trap: Trap::SubscriptionsBroken,
        since: Some(Release::new(25, 9, 0)),
        before: Some(Release::new(25, 10, 0)),
        condition: Condition::Always,
        severity: Severity::Warning,
    },
    KnownFault {
        trap: Trap::PrevrandaoDiffers,
        since: None,
        before: Some(Release::new(26, 6, 1)),
        condition: Condition::BftFromParis,
        severity: Severity::Notice,
    },
    KnownFault {
        trap: Trap::PermissioningRemoved,
        since: Some(Release::new(25, 6, 0)),
        before: None,
        condition: Condition::PermissioningContracts,
        severity: Severity::Warning,
    },
    KnownFault {
        trap: Trap::SecurityFixesMissing,
        since: None,
        before: Some(Release::new(26, 9, 0)),
        condition: Condition::Always,
        severity: Severity::Warning,
    },
];

/// The first release that writes a fourth item into QBFT's proposals: older ones beside it need a switch
/// (`--Xbft-legacy-protocol-encoding`, pull request 10499).
pub(super) const PROPOSAL_FORM_CHANGED: Release = Release::new(26, 1, 0);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn besu(major: u16, minor: u16, patch: u16) -> Client {
        Client::Besu(Some(Release::new(major, minor, patch)))
    }

    #[test]
    fn releases_are_read_as_besu_writes_them() {
        let cases = [
            ("besu/v25.12.0/linux-x86_64/openjdk-java-21", besu(25, 12, 0)),
            ("Besu/v23.10.1/linux-x86_64/openjdk-java-17", besu(23, 10, 1)),
            ("besu/bank-a/v26.4.0/linux-aarch_64/corretto-java-17", besu(26, 4, 0)),
            ("besu/v25.10.0-RC1/linux-x86_64/openjdk-java-21", besu(25, 10, 0)),
            ("besu/v26.9-develop-0a1b2c3/osx", besu(26, 9, 0)),
            ("besu/v1.5.4", besu(1, 5, 4)),
            ("besu/25.12.0/linux", Client::Besu(None)),
            ("besu/v25.12.0.1/linux", Client::Besu(None)),
            ("besu/v25.+1.0/linux", Client::Besu(None)),
            ("besu/v99999999.1.0", Client::Besu(None)),
            ("besu", Client::Besu(None)),
            ("besu/a/b/v25.12.0", Client::Besu(None)),
            ("lastro/v0.1.0", Client::Embedded),
            ("Geth/v1.13.0-stable/linux-amd64/go1.21", Client::Other),
            ("", Client::Other),
        ];
        for (text, expected) in cases {
            assert_eq!(client(text), expected, "{text}");
        }
    }

    /// The release next below, within the same month or before it; enough to stand outside a range.
    fn below(release: Release) -> Release {
        match release {
            Release { patch: 1.., .. } => Release { patch: release.patch - 1, ..release },
            Release { minor: 1.., .. } => Release { minor: release.minor - 1, patch: u16::MAX, ..release },
            _ => Release { major: release.major - 1, minor: u16::MAX, patch: u16::MAX },
        }
    }

    #[test]
    fn each_range_begins_with_its_first_release_and_ends_before_its_last() {
        for fault in KNOWN_FAULTS {
            let begin = fault.since.unwrap_or(Release::new(1, 0, 0));
            assert!(fault.is_in(begin), "{fault:?}");
            if let Some(since) = fault.since {
                assert!(!fault.is_in(below(since)), "{fault:?}");
            }
            match fault.before {
                Some(before) => {
                    assert!(begin < before, "{fault:?}: an empty range");
                    assert!(!fault.is_in(before) && fault.is_in(below(before)), "{fault:?}");
                }
                None => assert!(fault.is_in(Release::new(u16::MAX, 0, 0)), "{fault:?}"),
            }
        }
    }

    #[test]
    fn releases_of_the_traps_that_were_written_down_are_in_their_ranges() {
        let has =
            |trap: Trap, release: Release| KNOWN_FAULTS.iter().any(|fault| fault.trap == trap && fault.is_in(release));
        let zero_balance = |minor, patch| has(Trap::ZeroBalanceSendersShutOut, Release::new(26, minor, patch));
        assert_eq!(
            [(2, 0), (4, 0), (6, 1), (7, 0), (7, 1)].map(|(minor, patch)| zero_balance(minor, patch)),
            [false, true, true, true, false]
        );
        assert!(has(Trap::PoolStallsAtMinimumPrice, Release::new(25, 12, 0)));
        assert!(!has(Trap::PoolStallsAtMinimumPrice, Release::new(26, 1, 0)));
        assert!(has(Trap::PermissioningRemoved, Release::new(25, 6, 0)));
        assert!(!has(Trap::PermissioningRemoved, Release::new(25, 5, 0)));
    }

    proptest! {
        #[test]
        fn a_release_is_read_as_it_is_shown(major in 1..99_u16, minor in 0..99_u16, patch in 0..99_u16) {
            let release = Release::new(major, minor, patch);
            prop_assert_eq!(client(&format!("besu/v{release}/linux-x86_64/openjdk-java-21")), Client::Besu(Some(release)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = client(&text);
            let _ = client(&format!("besu/{text}"));
            let _ = client(&format!("besu/v{text}"));
        }
    }
}
