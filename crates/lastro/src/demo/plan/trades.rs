//! Placements and trades: terms, both sides' commands, and what each settlement moves.

#![expect(non_snake_case, reason = "fields of the contracts' arguments are named as in Solidity")]

use super::{Effect, Operation, Plan, Stage, Steps, Title};
use crate::demo::books::{Account, Asset, Posting};
use crate::demo::parties::{BANKS, Bank, Party};
use crate::demo::suite::Suite;
use crate::drex_suite::{TREASURY_CNPJ8, units};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use bindings::drex::{TPFtOperation1002, TPFtOperation1052, TradeByCnpj8, TradeWithClient};
use jiff::civil::Date;
use market::{BondQuote, UnitPrice};

/// One bond in the contracts' units (two decimals).
pub(super) const ONE_BOND: u64 = 100;
/// First price, in millionths of a real, that operation 1052 refuses: R$ 1,000,000.00 (spec of the pilot, 1.1).
pub(super) const UNIT_PRICE_MICROS_END: u64 = 1_000_000_000_000;
/// What each bank takes of each series at the placement, in hundredths of a bond.
const PLACED: [(Bank, u64); 2] = [(Bank::Ipe, 50 * ONE_BOND), (Bank::Jatoba, 30 * ONE_BOND)];
/// What Ana buys of one series, and Bruno later cannot pay.
const LARGE: u64 = 40 * ONE_BOND;
/// What a client keeps over, in centavos: R$ 1,000.00.
const CLIENT_SPARE: u64 = 100_000;

const ANA: Party = Party::Client(Bank::Ipe);
const BRUNO: Party = Party::Client(Bank::Jatoba);

/// Which side of an operation speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Seller,
    Buyer,
}

/// The stages of trading, made together with the operations that they command.
pub(super) struct Trades<'a> {
    plan: &'a mut Plan,
    wallet: &'a dyn Fn(Party) -> Address,
    stages: Vec<Stage>,
}

/// Title, code and maturity as the contracts take them. A bond matures at 00:00 UTC of its day.
pub(super) fn series(bond: &BondQuote) -> (String, String, U256) {
    (bond.title.as_str().to_owned(), bond.selic_code.to_string(), U256::from(unix_seconds(bond.maturity)))
}

/// Seconds since 1970 at 00:00 UTC of a day; days before 1970 are not bonds of today.
pub(crate) fn unix_seconds(day: Date) -> u64 {
    let days = day.since(Date::constant(1970, 1, 1)).map(|span| span.get_days()).unwrap_or(0);
    u64::try_from(days).unwrap_or(0) * 86_400
}

/// Operation number followed by the day, as the market numbers operations.
pub(super) fn operation_id(day: Date, number: usize) -> u64 {
    let day = u64::from(day.year().unsigned_abs()) * 10_000
        + u64::from(day.month().unsigned_abs()) * 100
        + u64::from(day.day().unsigned_abs());
    number as u64 * 100_000_000 + day
}

/// Value in centavos of `amount` hundredths of a bond, rounded down as the contracts do.
fn value_of(price: UnitPrice, amount: u64) -> u64 {
    let value = price.to_eight_decimals() * u128::from(amount) / 100_000_000;
    u64::try_from(value).expect("a price below R$ 1,000,000.00 and 100 bonds stay far below 2^64 centavos")
}

/// What a client has on deposit before it trades: what it will buy, and a little over. Never enough for the trade that
/// must fail, whose price is the highest there is.
pub(super) fn deposit_of(plan: &Plan, client: Party) -> u64 {
    let bought: u64 = plan
        .operations
        .iter()
        .filter(|one| one.buyer == client && one.id != unfunded_id(plan))
        .map(|one| one.value)
        .sum();
    bought + CLIENT_SPARE
}

fn unfunded_id(plan: &Plan) -> u64 {
    plan.operations.last().map_or(0, |operation| operation.id)
}

impl<'a> Trades<'a> {
    pub(super) fn new(plan: &'a mut Plan, wallet: &'a dyn Fn(Party) -> Address) -> Self {
        let mut trades = Self { plan, wallet, stages: Vec::new() };
        trades.place();
        trades.trade_between_banks();
        trades.sell_to_clients();
        trades.trade_between_clients();
        trades.try_unfunded();
        trades
    }

    pub(super) fn stages(self) -> Vec<Stage> {
        self.stages
    }

    fn place(&mut self) {
        let mut steps = Steps::new("place");
        for bond in 0..self.plan.bonds.len() {
            for (bank, amount) in PLACED {
                let operation = self.operation(1002, Party::Treasury, Party::Bank(bank), bond, amount);
                self.command_both(&mut steps, operation);
            }
        }
        self.stages.push(steps.stage(Title::Place));
    }

    fn trade_between_banks(&mut self) {
        let mut steps = Steps::new("banks");
        for bond in 0..self.plan.bonds.len() {
            let (seller, buyer, amount) = if bond % 2 == 0 { (0, 1, 500) } else { (1, 0, 250) };
            let (seller, buyer) = (Party::Bank(BANKS[seller]), Party::Bank(BANKS[buyer]));
            let operation = self.operation(1052, seller, buyer, bond, amount);
            self.command_both(&mut steps, operation);
        }
        self.stages.push(steps.stage(Title::TradeBanks));
    }

    /// The bond with this place in the list, or the last one of a shorter list.
    fn bond(&self, place: usize) -> usize {
        place.min(self.plan.bonds.len() - 1)
    }

    fn sell_to_clients(&mut self) {
        let mut steps = Steps::new("client");
        let sales = [(Bank::Ipe, ANA, 2, LARGE), (Bank::Ipe, ANA, 0, 50), (Bank::Jatoba, BRUNO, 1, 125)];
        for (bank, client, place, amount) in sales {
            let operation = self.operation(1052, Party::Bank(bank), client, self.bond(place), amount);
            self.command_both(&mut steps, operation);
        }
        self.stages.push(steps.stage(Title::TradeClient));
    }

    fn trade_between_clients(&mut self) {
        let mut steps = Steps::new("clients");
        for (seller, buyer, place, amount) in [(ANA, BRUNO, 2, 300), (BRUNO, ANA, 1, 25)] {
            let operation = self.operation(1052, seller, buyer, self.bond(place), amount);
            self.command_both(&mut steps, operation);
        }
        self.stages.push(steps.stage(Title::TradeClients));
    }

    /// Ana offers, at the highest price that the contract takes, what Bruno cannot pay whatever the list's prices are: his
    /// command must fail, and nothing may have moved.
    fn try_unfunded(&mut self) {
        let dearest = UnitPrice::from_micros(UNIT_PRICE_MICROS_END - 1);
        let operation = self.operation_at(dearest, 1052, ANA, BRUNO, self.bond(2), LARGE - 300);
        let mut offer = Steps::new("unfunded-offer");
        self.command(&mut offer, operation, Side::Seller, Effect::Nothing);
        self.stages.push(offer.stage(Title::UnfundedOffer));
        let mut command = Steps::new("unfunded-command");
        self.command(&mut command, operation, Side::Buyer, Effect::Fails("ERC20InsufficientBalance"));
        self.stages.push(command.stage(Title::UnfundedCommand));
        let mut cancel = Steps::new("unfunded-cancel");
        let operationId = U256::from(self.plan.operations[operation].id);
        let reason = "comprador sem saldo".to_owned();
        let data = TPFtOperation1052::cancelCall { operationId, reason }.abi_encode();
        let contract = self.plan.suite.operation_1052;
        cancel.call(ANA, contract, data, format!("cancel operation {operationId}"), Effect::Nothing);
        self.stages.push(cancel.stage(Title::UnfundedCancel));
    }

    fn operation(&mut self, code: u16, seller: Party, buyer: Party, bond: usize, amount: u64) -> usize {
        self.operation_at(self.plan.bonds[bond].unit_price, code, seller, buyer, bond, amount)
    }

    fn operation_at(
        &mut self,
        price: UnitPrice,
        code: u16,
        seller: Party,
        buyer: Party,
        bond: usize,
        amount: u64,
    ) -> usize {
        let (quote, value) = (&self.plan.bonds[bond], value_of(price, amount));
        let index = self.plan.operations.len();
        let id = operation_id(quote.reference_date, index + 1);
        let mut postings = money(seller, buyer, value);
        let (from, to) = (Account::Held(seller), Account::Held(buyer));
        postings.push(Posting { asset: Asset::Bond(bond), from, to, amount });
        self.plan.operations.push(Operation { id, code, seller, buyer, bond, amount, price, value, postings });
        index
    }

    fn command_both(&self, steps: &mut Steps, operation: usize) {
        self.command(steps, operation, Side::Seller, Effect::Command(operation));
        self.command(steps, operation, Side::Buyer, Effect::Command(operation));
    }

    fn command(&self, steps: &mut Steps, operation: usize, side: Side, effect: Effect) {
        let Operation { id, code, seller, buyer, .. } = self.plan.operations[operation];
        let suite = &self.plan.suite;
        // The Treasury's side of a placement is commanded by the central bank (operation 1002).
        let sender = if seller == Party::Treasury { Party::CentralBank } else { seller };
        let (party, who) = if side == Side::Seller { (sender, "seller") } else { (buyer, "buyer") };
        let (contract, data) = match code {
            1002 => (suite.operation_1002, self.placement(operation, side)),
            _ => (suite.operation_1052, self.trade(suite, operation, side)),
        };
        steps.call(party, contract, data, format!("operation {id}: the {who}'s command"), effect);
    }

    fn placement(&self, operation: usize, side: Side) -> Vec<u8> {
        let Operation { id, buyer, bond, amount, price, .. } = self.plan.operations[operation];
        let (acronym, code, maturityDate) = series(&self.plan.bonds[bond]);
        TPFtOperation1002::auctionPlacementCall {
            operationId: U256::from(id),
            cnpj8Sender: U256::from(TREASURY_CNPJ8),
            cnpj8Receiver: cnpj8_of(buyer),
            callerPart: part(side),
            tpftData: TPFtOperation1002::TPFtData { acronym, code, maturityDate },
            tpftAmount: units(amount),
            unitPrice: U256::from(price.to_eight_decimals()),
        }
        .abi_encode()
    }

    /// Between banks by CNPJ root in Real Digital; with a client by wallets and tokens in Real Tokenizado.
    fn trade(&self, suite: &Suite, operation: usize, side: Side) -> Vec<u8> {
        let Operation { id, seller, buyer, bond, amount, price, .. } = self.plan.operations[operation];
        let (acronym, code, maturityDate) = series(&self.plan.bonds[bond]);
        let tpftData = TPFtOperation1052::TPFtData { acronym, code, maturityDate };
        let (operationId, tpftAmount) = (U256::from(id), units(amount));
        let (callerPart, unitPrice) = (part(side), U256::from(price.to_eight_decimals()));
        if let (Party::Bank(_), Party::Bank(_)) = (seller, buyer) {
            let (cnpj8Sender, cnpj8Receiver) = (cnpj8_of(seller), cnpj8_of(buyer));
            return TradeByCnpj8 {
                operationId,
                cnpj8Sender,
                cnpj8Receiver,
                callerPart,
                tpftData,
                tpftAmount,
                unitPrice,
            }
            .abi_encode();
        }
        let (sender, receiver) = ((self.wallet)(seller), (self.wallet)(buyer));
        let (senderToken, receiverToken) = (suite.token(bank_of(seller)), suite.token(bank_of(buyer)));
        TradeWithClient {
            operationId,
            sender,
            senderToken,
            receiver,
            receiverToken,
            callerPart,
            tpftData,
            tpftAmount,
            unitPrice,
        }
        .abi_encode()
    }
}

/// How the buyer's money reaches the seller.
fn money(seller: Party, buyer: Party, amount: u64) -> Vec<Posting> {
    let posting = |asset, from, to| Posting { asset, from, to, amount };
    let (paying, paid) = (Account::Held(buyer), Account::Held(seller));
    if matches!(seller, Party::Treasury) || matches!((seller, buyer), (Party::Bank(_), Party::Bank(_))) {
        return vec![posting(Asset::RealDigital, paying, paid)];
    }
    let (from_bank, to_bank) = (bank_of(buyer), bank_of(seller));
    if from_bank == to_bank {
        return vec![posting(Asset::RealTokenizado(from_bank), paying, paid)];
    }
    let reserve = |bank| Account::Held(Party::Reserve(bank));
    vec![
        posting(Asset::RealTokenizado(from_bank), paying, Account::Issued),
        posting(Asset::RealDigital, reserve(from_bank), reserve(to_bank)),
        posting(Asset::RealTokenizado(to_bank), Account::Issued, paid),
    ]
}

fn part(side: Side) -> u8 {
    match side {
        Side::Seller => 0,
        Side::Buyer => 1,
    }
}

fn bank_of(party: Party) -> Bank {
    match party {
        Party::Bank(bank) | Party::Reserve(bank) | Party::Client(bank) => bank,
        Party::Admin | Party::CentralBank | Party::Treasury => {
            unreachable!("trades with clients are between banks and clients")
        }
    }
}

fn cnpj8_of(party: Party) -> U256 {
    U256::from(bank_of(party).cnpj_root().to_u128())
}
