// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What is paid, and what it does to the units.
enum CashActionKind {
    /// Interest (juros): the units stay.
    Coupon,
    /// A share of profits (dividendo, juros sobre capital): the units stay.
    Dividend,
    /// A part of the principal: a part of the units is burnt, or none if only their face value falls.
    Amortisation,
    /// All of the principal (resgate): all units are burnt.
    Redemption
}

/// @notice Where a payment stands.
enum CashActionStatus {
    /// No action has the id.
    None,
    /// The treasurer proposed the terms; they bind nobody.
    Announced,
    /// The issuer agreed to the terms; the money is not here.
    Approved,
    /// The money is here; holders are paid from the day of payment on.
    Funded,
    /// It was withdrawn before the record date was over, or not agreed to by then.
    Cancelled,
    /// Nothing is paid any more; what was left went to the issuer.
    Closed
}

/// @notice Terms of a payment. Money is in the currency's smallest unit, times in seconds since 1970.
struct CashActionTerms {
    /// The token of the money.
    address currency;
    /// Whose balances count: announced at the token, and not over when the action is announced.
    uint48 recordDate;
    /// First second of payment, after the record date.
    uint48 payableFrom;
    /// Where goes what rounding leaves, and what nobody claimed.
    address issuerAccount;
    /// From this second on the issuer may take back what nobody claimed; zero: never.
    uint48 claimsEnd;
    CashActionKind kind;
    /// Money for each `lotUnits` units.
    uint128 moneyPerLot;
    /// Units that `moneyPerLot` and `burnPerLot` are for, so that both can be fractions of a unit.
    uint104 lotUnits;
    /// Units burnt of each `lotUnits`: none for a coupon or dividend, all for a redemption, fewer for an amortisation.
    uint104 burnPerLot;
    /// Hash of the notice to holders.
    bytes32 documentHash;
}

/// @notice A payment as it is kept. Money is in the currency's smallest unit.
struct CashAction {
    CashActionTerms terms;
    CashActionStatus status;
    /// Supply at the record date, once funded.
    uint104 unitsTotal;
    /// Units whose holders were paid.
    uint104 unitsSettled;
    /// What was paid in: the terms' money for all units, rounded down.
    uint256 funded;
    /// What holders were paid: for each the terms' money, rounded down.
    uint256 paid;
}
