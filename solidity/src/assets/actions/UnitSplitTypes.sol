// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where a split stands.
enum UnitSplitStatus {
    /// No split has the id.
    None,
    /// The issuer proposed the terms; they bind nobody.
    Announced,
    /// The treasury agreed to the terms; no unit changed.
    Approved,
    /// The units of the record date are counted; holders get theirs.
    Started,
    /// It was withdrawn before the record date was over, or not agreed to by then.
    Cancelled,
    /// All holders have theirs, and the fractions were issued.
    Finished
}

/// @notice Terms of a split: of `unitsBefore` units become `unitsAfter`, more (desdobramento) or fewer (grupamento).
struct UnitSplitTerms {
    /// Whose balances count: announced at the token, and not over when the split is announced. Seconds since 1970.
    uint48 recordDate;
    /// Units before, at least 1.
    uint48 unitsBefore;
    /// Units after, at least 1, and not as many.
    uint48 unitsAfter;
    /// Who receives the units that the holders' fractions add up to, to sell them for the holders.
    address fractionsAccount;
    /// Hash of the notice to holders.
    bytes32 documentHash;
}

/// @notice A split as it is kept.
struct UnitSplit {
    UnitSplitTerms terms;
    UnitSplitStatus status;
    /// Supply at the record date, once started.
    uint104 unitsTotal;
    /// Units of the record date that were split.
    uint104 unitsSettled;
    /// What became of them.
    uint256 unitsResulting;
}
