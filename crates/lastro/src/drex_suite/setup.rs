//! Everything between an empty ledger and a network on which institutions can trade, as transactions.
//!
//! Three stages, each for other keys: the administrator deploys, the central bank admits, and institutions, reserves and
//! clients do what only they can. Later stages need the effect of earlier ones; inside a stage only the order of one
//! wallet's transactions counts.

use super::{CENTRAL_BANK_CNPJ8, Contract, Suite, TREASURY_CNPJ8, Wallet};
use crate::dispatch::{Order, Target};
use alloy_primitives::{Address, Bytes, U256, keccak256};
use alloy_sol_types::SolCall;
use bindings::drex::{
    AddressDiscovery, ApprovedDigitalCurrency, EnableClientInBonds, EnableInBonds, RealDigital,
    RealDigitalDefaultAccount, TPFt,
};

/// Contracts that hold Real Digital, or read the dictionary of keys, which answers enabled accounts alone.
const ENABLED_IN_REAL_DIGITAL: [Contract; 3] =
    [Contract::SwapTwoStepsReserve, Contract::TPFtOperation1012, Contract::TPFtRepaymentReserve];
/// Contracts that move a reserve's Real Digital by its allowance: its standing order to settle customers' payments.
const PAID_BY_RESERVES: [Contract; 4] =
    [Contract::SwapOneStep, Contract::SwapOneStepFrom, Contract::SwapTwoSteps, Contract::SwapTwoStepsReserve];

/// The transactions that set a suite up.
pub(crate) struct Setup<'a> {
    /// The suite.
    pub(crate) suite: &'a Suite,
    /// Everybody's address.
    pub(crate) wallet: &'a dyn Fn(Wallet) -> Address,
    /// What idempotency keys begin with: whose set-up it is.
    pub(crate) prefix: &'static str,
}

/// Orders of one part of a stage, with keys that say what they are.
struct Orders {
    prefix: String,
    orders: Vec<Order>,
}

impl Orders {
    fn call(&mut self, sender: Wallet, contract: Address, data: Vec<u8>, subject: String) {
        let key = format!("{}/{:03}", self.prefix, self.orders.len());
        let (target, data) = (Target::Call(contract), data.into());
        self.orders.push(Order { key, sender, target, data, subject, is_meant_to_fail: false });
    }
}

impl Setup<'_> {
    fn orders(&self, part: &str) -> Orders {
        Orders { prefix: format!("{}/{part}", self.prefix), orders: Vec::new() }
    }

    fn name(&self, wallet: Wallet) -> String {
        let institutions = self.suite.institutions();
        match wallet {
            Wallet::Admin => "the administrator".to_owned(),
            Wallet::CentralBank => "the central bank".to_owned(),
            Wallet::Treasury => "the Treasury".to_owned(),
            Wallet::Bank(place) => institutions[place].name.clone(),
            Wallet::Reserve(place) => format!("the reserve of {}", institutions[place].name),
            Wallet::Client(place, client) => institutions[place].clients[client].clone(),
        }
    }

    fn banks(&self) -> impl Iterator<Item = Wallet> {
        (0..self.suite.institutions().len()).map(Wallet::Bank)
    }

    /// The administrator's: contracts, the roles they need of each other, and who may take part in operations with bonds.
    pub(crate) fn deploy(&self) -> Vec<Order> {
        let created = self.suite.creations(self.wallet).into_iter().map(|creation| Order {
            key: format!("{}/create/{}", self.prefix, creation.name),
            sender: Wallet::Admin,
            target: Target::Create(creation.address),
            data: creation.code,
            subject: format!("create {}", creation.name),
            is_meant_to_fail: false,
        });
        let mut orders = self.orders("grant");
        for grant in self.suite.grants() {
            let subject = format!("grant {} on {} to {}", grant.role, grant.on_name, grant.to.name());
            let data = grant_role(grant.role, self.suite.address(grant.to));
            orders.call(Wallet::Admin, grant.on, data.to_vec(), subject);
        }
        for member in [Wallet::CentralBank, Wallet::Treasury].into_iter().chain(self.banks()) {
            let data = EnableInBonds { member: (self.wallet)(member) }.abi_encode();
            let subject = format!("enable {} in bonds", self.name(member));
            orders.call(Wallet::Admin, self.suite.address(Contract::TPFt), data, subject);
        }
        created.chain(orders.orders).collect()
    }

    /// The central bank's: addresses, default wallets, reserves, tokens that swaps take.
    pub(crate) fn admit(&self) -> Vec<Order> {
        let (suite, mut orders) = (self.suite, self.orders("admit"));
        let real_digital = suite.address(Contract::RealDigital);
        for one in suite.registrations() {
            let data = AddressDiscovery::updateAddressCall { smartContract: one.key, newAddress: one.address };
            let directory = suite.address(Contract::AddressDiscovery);
            orders.call(Wallet::CentralBank, directory, data.abi_encode(), format!("register {}", one.name));
        }
        let offices =
            [(U256::from(CENTRAL_BANK_CNPJ8), Wallet::CentralBank), (U256::from(TREASURY_CNPJ8), Wallet::Treasury)];
        let roots = suite.institutions().iter().map(|institution| U256::from(institution.root.to_u128()));
        for (cnpj8, member) in offices.into_iter().chain(roots.zip(self.banks())) {
            let wallet = (self.wallet)(member);
            let data = RealDigitalDefaultAccount::addDefaultAccountCall { cnpj8, wallet }.abi_encode();
            let contract = suite.address(Contract::RealDigitalDefaultAccount);
            orders.call(Wallet::CentralBank, contract, data, format!("default wallet of {}", self.name(member)));
        }
        let enable = |member: Address| RealDigital::enableAccountCall { member }.abi_encode();
        for contract in ENABLED_IN_REAL_DIGITAL {
            let subject = format!("enable {} in Real Digital", contract.name());
            orders.call(Wallet::CentralBank, real_digital, enable(suite.address(contract)), subject);
        }
        for (place, institution) in suite.institutions().iter().enumerate() {
            let reserve = Wallet::Reserve(place);
            let subject = format!("enable {} in Real Digital", self.name(reserve));
            orders.call(Wallet::CentralBank, real_digital, enable((self.wallet)(reserve)), subject);
            for swap in Contract::SWAPS {
                let asset = suite.token(place);
                // The list of tokens is the same function in every swap.
                let data = ApprovedDigitalCurrency::setDigitalCurrencyApprovalCall { asset, approved: true };
                let subject = format!("approve {} in {}", institution.token_name(), swap.name());
                orders.call(Wallet::CentralBank, suite.address(swap), data.abi_encode(), subject);
            }
        }
        orders.orders
    }

    /// What institutions, reserves, clients and the Treasury do for themselves: admit their own, and let settlement take
    /// what they sell and pay.
    pub(crate) fn enable(&self) -> Vec<Order> {
        let mut orders = self.orders("enable");
        for place in 0..self.suite.institutions().len() {
            self.enable_clients(place, &mut orders);
            self.approve_money(place, &mut orders);
        }
        let (tpft, operator) = (self.suite.address(Contract::TPFt), self.suite.address(Contract::TPFtDvP));
        for seller in [Wallet::CentralBank, Wallet::Treasury].into_iter().chain(self.banks()).chain(self.clients()) {
            let data = TPFt::setApprovalForAllCall { operator, approved: true }.abi_encode();
            orders.call(seller, tpft, data, format!("{} lets settlement take its bonds", self.name(seller)));
        }
        let redeeming = self.suite.address(Contract::TPFtOperation1012);
        let real_digital = self.suite.address(Contract::RealDigital);
        // Both buy bonds at auctions of purchase (1006).
        for buyer in [Wallet::CentralBank, Wallet::Treasury] {
            let subject = format!("{} lets settlement take its money", self.name(buyer));
            orders.call(buyer, real_digital, approve(operator), subject);
        }
        let subject = "the Treasury lets redemptions take its money".to_owned();
        orders.call(Wallet::Treasury, real_digital, approve(redeeming), subject);
        orders.orders
    }

    fn clients(&self) -> impl Iterator<Item = Wallet> {
        let institutions = self.suite.institutions().iter().enumerate();
        institutions.flat_map(|(place, one)| (0..one.clients.len()).map(move |client| Wallet::Client(place, client)))
    }

    fn enable_clients(&self, place: usize, orders: &mut Orders) {
        let (suite, bank, token) = (self.suite, Wallet::Bank(place), self.suite.token(place));
        let institution = &suite.institutions()[place];
        let clients: Vec<Wallet> = (0..institution.clients.len()).map(|client| Wallet::Client(place, client)).collect();
        let enable = |member: Address| RealDigital::enableAccountCall { member }.abi_encode();
        for member in [bank].iter().chain(&clients) {
            let subject = format!("enable {} in {}", self.name(*member), institution.token_name());
            orders.call(bank, token, enable((self.wallet)(*member)), subject);
        }
        // It holds what a payer has proposed.
        let subject = format!("enable SwapTwoStepsReserve in {}", institution.token_name());
        orders.call(bank, token, enable(suite.address(Contract::SwapTwoStepsReserve)), subject);
        for client in clients {
            let cnpj8 = U256::from(institution.root.to_u128());
            let data = EnableClientInBonds { cnpj8, wallet: (self.wallet)(client) }.abi_encode();
            let subject = format!("enable {} in bonds", self.name(client));
            orders.call(bank, suite.address(Contract::TPFt), data, subject);
        }
    }

    fn approve_money(&self, place: usize, orders: &mut Orders) {
        let suite = self.suite;
        let (bank, reserve) = (Wallet::Bank(place), Wallet::Reserve(place));
        let (real_digital, settlement) = (suite.address(Contract::RealDigital), suite.address(Contract::TPFtDvP));
        let subject = |member| format!("{} lets settlement take its money", self.name(member));
        orders.call(bank, real_digital, approve(settlement), subject(bank));
        for swap in PAID_BY_RESERVES {
            let subject = format!("{} settles what {} pays", self.name(reserve), swap.name());
            orders.call(reserve, real_digital, approve(suite.address(swap)), subject);
        }
        for client in 0..suite.institutions()[place].clients.len() {
            let client = Wallet::Client(place, client);
            orders.call(client, suite.token(place), approve(settlement), subject(client));
        }
    }
}

/// An allowance without limit.
fn approve(spender: Address) -> Vec<u8> {
    RealDigital::approveCall { spender, value: U256::MAX }.abi_encode()
}

/// Calldata of `grantRole`, which is the same for every contract.
fn grant_role(role: &str, account: Address) -> Bytes {
    RealDigital::grantRoleCall { role: keccak256(role), account }.abi_encode().into()
}

/// An amount as contracts take it.
pub(crate) fn units(amount: u64) -> U256 {
    U256::from(amount)
}
