//! What a sandbox begins with: money for everybody, and bonds that the Treasury can offer.

#![expect(non_snake_case, reason = "fields of the contracts' arguments are named as in Solidity")]

use crate::dispatch::{Order, Target};
use crate::drex_suite::{Contract, Suite, Wallet, units};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use bindings::drex::{RealDigital, TPFtOperation1001};

/// Real Digital of each institution, of the central bank and of the Treasury, in centavos: R$ 100,000,000.00.
pub(super) const MONEY: u64 = 10_000_000_000;
/// Deposit of each client in centavos, R$ 1,000,000.00: as much Real Digital stands in its bank's reserve.
pub(super) const DEPOSIT: u64 = 100_000_000;
/// Bonds of each series, in hundredths: 1,000,000.00 bonds.
pub(super) const ISSUED: u64 = 100_000_000;
/// Series that are issued, far from their maturity: title, code, and seconds since 1970 of 15 August 2050 and 2060. The
/// Treasury has issued both; the code is Selic's for NTN-B.
pub(super) const SERIES: [(&str, &str, u64); 2] =
    [("NTN-B", "760199", 2_544_134_400), ("NTN-B", "760199", 2_859_753_600)];
/// Numbers of the operations that issue them: no number ends like this whose last eight digits are a day.
const OPERATION_IDS: u64 = 100_100_000_000;

/// Real Digital from the issuer, and deposits that it backs.
pub(super) fn money(suite: &Suite, wallet: &dyn Fn(Wallet) -> Address) -> Vec<Order> {
    let mut orders = Vec::new();
    let mut mint = |sender: Wallet, contract: Address, to: Wallet, amount: u64, what: &str| {
        let data = RealDigital::mintCall { to: wallet(to), amount: units(amount) }.abi_encode().into();
        let key = format!("sandbox/fund/{:03}", orders.len());
        let subject = format!("mint {what} for {to:?}");
        orders.push(Order { key, sender, target: Target::Call(contract), data, subject, is_meant_to_fail: false });
    };
    let real_digital = suite.address(Contract::RealDigital);
    for to in [Wallet::CentralBank, Wallet::Treasury] {
        mint(Wallet::CentralBank, real_digital, to, MONEY, "Real Digital");
    }
    for (place, institution) in suite.institutions().iter().enumerate() {
        mint(Wallet::CentralBank, real_digital, Wallet::Bank(place), MONEY, "Real Digital");
        for client in 0..institution.clients.len() {
            mint(Wallet::CentralBank, real_digital, Wallet::Reserve(place), DEPOSIT, "Real Digital");
            let client = Wallet::Client(place, client);
            mint(Wallet::Bank(place), suite.token(place), client, DEPOSIT, &institution.token_name());
        }
    }
    orders
}

/// Operation 1001: series and bonds, which go to the Treasury.
pub(super) fn bonds(suite: &Suite) -> Vec<Order> {
    let contract = suite.address(Contract::TPFtOperation1001);
    let order = |key: String, data: Vec<u8>, subject: String| {
        let (sender, target) = (Wallet::CentralBank, Target::Call(contract));
        Order { key, sender, target, data: data.into(), subject, is_meant_to_fail: false }
    };
    let issues = SERIES.iter().zip(1_u64..).flat_map(|((acronym, code, maturity), number)| {
        let tpftData = TPFtOperation1001::TPFtData {
            acronym: (*acronym).to_owned(),
            code: (*code).to_owned(),
            maturityDate: units(*maturity),
        };
        let create = TPFtOperation1001::createTPFtCall { tpftData: tpftData.clone() }.abi_encode();
        let operationId = U256::from(OPERATION_IDS + number);
        let mint = TPFtOperation1001::mintCall { operationId, tpftData, tpftAmount: units(ISSUED) }.abi_encode();
        [
            order(format!("sandbox/create/{number}"), create, format!("create series {number}")),
            order(format!("sandbox/issue/{number}"), mint, format!("issue series {number}")),
        ]
    });
    issues.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drex_suite::Institution;
    use bindings::drex::RealTokenizado;
    use jiff::Timestamp;

    #[test]
    fn every_centavo_of_a_deposit_stands_in_the_reserve() {
        let institution = |name: &str, clients: &[&str]| Institution {
            name: name.to_owned(),
            root: "11111111".parse().unwrap(),
            clients: clients.iter().map(|client| (*client).to_owned()).collect(),
        };
        let list = vec![institution("A", &["Ana", "Caio"]), institution("B", &[])];
        let suite = Suite::new(Address::repeat_byte(1), 0, list);
        let number = |wallet: Wallet| Address::from_slice(&alloy_primitives::keccak256(format!("{wallet:?}"))[12..]);
        let orders = money(&suite, &number);
        let minted = |contract: Address, to: Option<Wallet>| -> U256 {
            let calls = orders.iter().filter(|order| order.target == Target::Call(contract));
            let calls = calls.map(|order| RealTokenizado::mintCall::abi_decode(&order.data).unwrap());
            calls.filter(|call| to.is_none_or(|to| number(to) == call.to)).map(|call| call.amount).sum()
        };
        for place in 0..2 {
            let backing = minted(suite.address(Contract::RealDigital), Some(Wallet::Reserve(place)));
            assert_eq!(minted(suite.token(place), None), backing);
        }
        assert_eq!(minted(suite.token(0), None), U256::from(2 * DEPOSIT));
    }

    #[test]
    fn the_series_mature_on_the_days_that_are_said() {
        let days = SERIES.map(|(_, _, maturity)| Timestamp::from_second(i64::try_from(maturity).unwrap()).unwrap());
        assert_eq!(days.map(|day| day.to_string()), ["2050-08-15T00:00:00Z", "2060-08-15T00:00:00Z"]);
    }
}
