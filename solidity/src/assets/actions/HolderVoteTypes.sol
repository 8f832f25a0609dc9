// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What became of a question.
enum VoteOutcome {
    /// No question has the id.
    None,
    /// Not counted yet.
    Open,
    /// The issuer withdrew it before the record date was over.
    Cancelled,
    /// An option carried.
    Carried,
    /// Too few units voted.
    QuorumMissed,
    /// Two options or more have the most.
    Tied,
    /// The option with the most has not more than the majority needed; or all who voted abstained.
    MajorityMissed
}

/// @notice Terms of a question. Times in seconds since 1970.
struct VoteTerms {
    /// Whose balances count: announced at the token, and not over when the question is put.
    uint48 recordDate;
    /// First second of voting, after the record date.
    uint48 opensAt;
    /// First second in which no vote counts any more.
    uint48 closesAt;
    /// How many options there are, beside abstention: numbered from 1.
    uint8 optionCount;
    /// Part of the supply that must vote, in hundredths of a per cent: at least so much, abstentions included.
    uint16 quorumBasisPoints;
    /// Part of the votes for an option, abstentions not counted, of which the winner must have more, in hundredths of a
    /// per cent: 5,000 for more than half, 0 for simply the most.
    uint16 majorityBasisPoints;
    /// Hash of the question and of what each option means.
    bytes32 documentHash;
}

/// @notice A question as it is kept.
struct VoteQuestion {
    VoteTerms terms;
    VoteOutcome outcome;
    /// The option that carried; 0 if none.
    uint8 winner;
    /// Units that voted, abstentions included.
    uint104 unitsCast;
}
