//! The stages before the first trade: contracts, admissions, money, issue.

#![expect(non_snake_case, reason = "fields of the contracts' arguments are named as in Solidity")]

use super::{Effect, Plan, Stage, Step, Steps, Target, Title, trades};
use crate::demo::books::{Account, Asset, Posting};
use crate::demo::parties::{BANKS, Bank, Party};
use crate::demo::suite::{grant_role, units};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use bindings::drex::{
    AddressDiscovery, RealDigital, RealDigitalDefaultAccount, RealTokenizado, SwapOneStepFrom, TPFt, TPFtOperation1001,
};

/// CNPJ root of the central bank, as the pilot's contracts know it.
pub(super) const CENTRAL_BANK_CNPJ8: u64 = 38_166;
/// CNPJ root of the National Treasury.
pub(super) const TREASURY_CNPJ8: u64 = 394_460;
/// Bonds of each series that the Treasury issues, in hundredths.
const ISSUED: u64 = 100 * trades::ONE_BOND;
/// Bought beyond what its placements cost, in centavos: R$ 1,000,000.00 for a bank.
const BANK_SPARE: u64 = 100_000_000;

/// All stages of the set-up.
pub(super) fn stages(plan: &Plan, wallet: &dyn Fn(Party) -> Address) -> Vec<Stage> {
    vec![deploy(plan, wallet), admit(plan, wallet), enable(plan, wallet), fund(plan, wallet), issue(plan)]
}

fn deploy(plan: &Plan, wallet: &dyn Fn(Party) -> Address) -> Stage {
    let created = plan.suite.creations(wallet).into_iter().map(|creation| Step {
        key: format!("demo/create/{}", creation.name),
        party: Party::Admin,
        target: Target::Create(creation.address),
        data: creation.code,
        subject: format!("create {}", creation.name),
        effect: Effect::Nothing,
    });
    let mut steps = Steps::new("grant");
    for (contract, role, account) in plan.suite.grants() {
        let subject = format!("grant {role} on {contract} to {account}");
        steps.call(Party::Admin, contract, grant_role(role, account).to_vec(), subject, Effect::Nothing);
    }
    let enabled = [Party::CentralBank, Party::Treasury, Party::Bank(Bank::Ipe), Party::Bank(Bank::Jatoba)];
    for party in enabled {
        let data = TPFt::enableAddress_0Call { member: wallet(party) }.abi_encode();
        steps.call(Party::Admin, plan.suite.tpft, data, format!("enable {} in TPFt", party.name()), Effect::Nothing);
    }
    Stage { title: Title::Deploy, steps: created.chain(steps.steps).collect() }
}

fn admit(plan: &Plan, wallet: &dyn Fn(Party) -> Address) -> Stage {
    let suite = &plan.suite;
    let mut steps = Steps::new("admit");
    for (name, key, address) in suite.registrations() {
        let data = AddressDiscovery::updateAddressCall { smartContract: key, newAddress: address }.abi_encode();
        steps.call(Party::CentralBank, suite.discovery, data, format!("register {name}"), Effect::Nothing);
    }
    let institutions = [
        (U256::from(CENTRAL_BANK_CNPJ8), Party::CentralBank),
        (U256::from(TREASURY_CNPJ8), Party::Treasury),
        (U256::from(Bank::Ipe.cnpj_root().to_u128()), Party::Bank(Bank::Ipe)),
        (U256::from(Bank::Jatoba.cnpj_root().to_u128()), Party::Bank(Bank::Jatoba)),
    ];
    for (cnpj8, party) in institutions {
        let data = RealDigitalDefaultAccount::addDefaultAccountCall { cnpj8, wallet: wallet(party) }.abi_encode();
        let subject = format!("default wallet of {}", party.name());
        steps.call(Party::CentralBank, suite.default_accounts, data, subject, Effect::Nothing);
    }
    for bank in BANKS {
        let reserve = Party::Reserve(bank);
        let data = RealDigital::enableAccountCall { member: wallet(reserve) }.abi_encode();
        let subject = format!("enable {} in Real Digital", reserve.name());
        steps.call(Party::CentralBank, suite.real_digital, data, subject, Effect::Nothing);
        let data = SwapOneStepFrom::setDigitalCurrencyApprovalCall { asset: suite.token(bank), approved: true };
        let subject = format!("approve the token of {} in the swap", bank.name());
        steps.call(Party::CentralBank, suite.swap, data.abi_encode(), subject, Effect::Nothing);
    }
    steps.stage(Title::Admit)
}

/// Each bank admits itself and its client; everybody lets the settlement contract take what is sold and paid.
fn enable(plan: &Plan, wallet: &dyn Fn(Party) -> Address) -> Stage {
    let suite = &plan.suite;
    let mut steps = Steps::new("enable");
    for bank in BANKS {
        let (owner, client, token) = (Party::Bank(bank), Party::Client(bank), suite.token(bank));
        for member in [owner, client] {
            let data = RealTokenizado::enableAccountCall { member: wallet(member) }.abi_encode();
            steps.call(owner, token, data, format!("enable {} in its token", member.name()), Effect::Nothing);
        }
        let cnpj8 = U256::from(bank.cnpj_root().to_u128());
        let data = TPFt::enableAddress_1Call { cnpj8, wallet: wallet(client) }.abi_encode();
        steps.call(owner, suite.tpft, data, format!("enable {} in TPFt", client.name()), Effect::Nothing);
        let approve = |spender| RealDigital::approveCall { spender, value: U256::MAX }.abi_encode();
        let subject = |party: Party| format!("{} lets settlement take its money", party.name());
        steps.call(owner, suite.real_digital, approve(suite.dvp), subject(owner), Effect::Nothing);
        let reserve = Party::Reserve(bank);
        steps.call(reserve, suite.real_digital, approve(suite.swap), subject(reserve), Effect::Nothing);
        steps.call(client, token, approve(suite.dvp), subject(client), Effect::Nothing);
    }
    let sellers = [
        Party::Treasury,
        Party::Bank(Bank::Ipe),
        Party::Bank(Bank::Jatoba),
        Party::Client(Bank::Ipe),
        Party::Client(Bank::Jatoba),
    ];
    for seller in sellers {
        let data = TPFt::setApprovalForAllCall { operator: suite.dvp, approved: true }.abi_encode();
        steps.call(
            seller,
            suite.tpft,
            data,
            format!("{} lets settlement take its bonds", seller.name()),
            Effect::Nothing,
        );
    }
    steps.stage(Title::Enable)
}

/// Real Digital for each bank; part of it moves to the reserve and backs, centavo by centavo, what the client gets.
fn fund(plan: &Plan, wallet: &dyn Fn(Party) -> Address) -> Stage {
    let suite = &plan.suite;
    let mut steps = Steps::new("fund");
    for bank in BANKS {
        let (owner, reserve, client) = (Party::Bank(bank), Party::Reserve(bank), Party::Client(bank));
        let deposit = trades::deposit_of(plan, client);
        // The same wallet buys at placements and later from the other bank; what it sells brings in less than this.
        let bought: u64 = plan.operations.iter().filter(|one| one.buyer == owner).map(|one| one.value).sum();
        let minted = bought + deposit + BANK_SPARE;
        let posting = |asset, from, to, amount| Effect::Moves(vec![Posting { asset, from, to, amount }]);
        // Straight from the issuer to both wallets: each bank's own wallet then need not wait to fund its reserve.
        for (party, amount) in [(owner, minted - deposit), (reserve, deposit)] {
            let data = RealDigital::mintCall { to: wallet(party), amount: units(amount) }.abi_encode();
            let effect = posting(Asset::RealDigital, Account::Issued, Account::Held(party), amount);
            let subject = format!("mint Real Digital for {}", party.name());
            steps.call(Party::CentralBank, suite.real_digital, data, subject, effect);
        }
        let data = RealTokenizado::mintCall { to: wallet(client), amount: units(deposit) }.abi_encode();
        let effect = posting(Asset::RealTokenizado(bank), Account::Issued, Account::Held(client), deposit);
        steps.call(owner, suite.token(bank), data, format!("deposit of {}", client.name()), effect);
    }
    steps.stage(Title::Fund)
}

fn issue(plan: &Plan) -> Stage {
    let mut steps = Steps::new("issue");
    for (index, bond) in plan.bonds.iter().enumerate() {
        let name = format!("{} {}", bond.title.as_str(), bond.maturity);
        let (acronym, code, maturityDate) = trades::series(bond);
        let tpftData = TPFtOperation1001::TPFtData { acronym, code, maturityDate };
        let create = TPFtOperation1001::createTPFtCall { tpftData: tpftData.clone() }.abi_encode();
        let contract = plan.suite.operation_1001;
        steps.call(Party::CentralBank, contract, create, format!("create series {name}"), Effect::Nothing);
        let operationId = U256::from(trades::operation_id(plan.bonds[0].reference_date, 1_000 + index));
        let mint = TPFtOperation1001::mintCall { operationId, tpftData, tpftAmount: units(ISSUED) }.abi_encode();
        let (from, to) = (Account::Issued, Account::Held(Party::Treasury));
        let effect = Effect::Moves(vec![Posting { asset: Asset::Bond(index), from, to, amount: ISSUED }]);
        steps.call(Party::CentralBank, contract, mint, format!("issue {name}"), effect);
    }
    steps.stage(Title::Issue)
}
