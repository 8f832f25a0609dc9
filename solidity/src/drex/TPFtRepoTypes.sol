// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice How the return of a repo is agreed.
enum RepoMode {
    /// At a price and on a later day that both name in the forward leg.
    Fixed,
    /// On the same day, at the same price.
    Intraday,
    /// On a later day that both name in the forward leg, at a price that both name in the return leg.
    OpenReturnPrice
}

/// @notice How the second command of the forward leg named the parties.
enum RepoNaming {
    /// By the roots of their CNPJs, paid in Real Digital.
    Cnpj8,
    /// By their wallets, paid in Real Digital.
    Wallet,
    /// By wallets and tokens, paid in Real Tokenizado.
    Client
}

/// @notice Where a repo stands.
enum RepoStatus {
    /// No forward leg was settled.
    None,
    /// The forward leg was settled, the return is owed.
    Open,
    /// The return leg was settled.
    Returned,
    /// A party said that the return was not done in time.
    Defaulted
}

/// @notice A repo after its forward leg; five slots. The sender delivered bonds, and takes them back.
struct Repo {
    /// Who delivered bonds and was paid.
    address sender;
    /// Day of the return, in seconds since 1970; any second of the day.
    uint64 returnDate;
    /// How the return is agreed.
    RepoMode mode;
    /// How the parties were named.
    RepoNaming naming;
    /// Where the repo stands.
    RepoStatus status;
    /// Who received bonds and paid.
    address receiver;
    /// The series.
    uint96 tpftId;
    /// Bonds, in hundredths.
    uint120 tpftAmount;
    /// Price of a bond in the forward leg, in reais with 8 decimals.
    uint64 unitPrice;
    /// Price of a bond in the return leg, in reais with 8 decimals; zero if it is open.
    uint64 returnUnitPrice;
    /// The sender's Real Tokenizado; zero for Real Digital.
    address senderToken;
    /// Root of the sender's CNPJ, if it was named by it; else zero.
    uint64 cnpj8Sender;
    /// The receiver's Real Tokenizado; zero for Real Digital.
    address receiverToken;
    /// Root of the receiver's CNPJ, if it was named by it; else zero.
    uint64 cnpj8Receiver;
}
