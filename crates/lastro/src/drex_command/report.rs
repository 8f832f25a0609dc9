//! What stands on a network, for people and for machines.

use super::Played;
use super::funding::{ISSUED, SERIES};
use super::network::{Account, Network};
use super::texts::{Text, Texts};
use crate::dispatch::{Order, Target};
use crate::drex_suite::Wallet;
use crate::printer::Printer;
use crate::table::{Align, Table};
use alloy_primitives::B256;
use serde_json::{Map, Value, json};
use std::path::Path;

/// The report of one run.
pub(super) struct Report<'a> {
    /// What stands where.
    pub(super) network: &'a Network,
    /// What this run did.
    pub(super) played: Played,
    /// In which language.
    pub(super) texts: Texts,
}

/// What a sandbox has beside the network.
pub(super) struct Sandbox<'a> {
    /// Its directory.
    pub(super) path: &'a Path,
    /// Hash of block 0.
    pub(super) genesis_hash: B256,
    /// URLs of HTTP and WebSocket.
    pub(super) urls: Option<(String, String)>,
}

/// What a deployment has beside the network.
pub(super) struct Deployment<'a> {
    /// Its directory.
    pub(super) path: &'a Path,
    /// The nodes' URLs, without user name and password; the first is the one in front at the start.
    pub(super) rpc: &'a [&'a str],
    /// What others must send with their own keys.
    pub(super) left: &'a [Order],
}

impl Report<'_> {
    /// Shows a sandbox that is up.
    pub(super) fn show_sandbox(&self, sandbox: &Sandbox<'_>, printer: &Printer) {
        let (http, ws) = sandbox.urls.clone().unzip();
        self.show_network(sandbox.path, &[("http", http.clone()), ("ws", ws.clone())], printer);
        self.show_wallets(printer);
        printer.heading(self.texts.text(Text::Bonds));
        for (acronym, code, maturity) in SERIES {
            printer.line(&format!("  (\"{acronym}\", \"{code}\", {maturity})  {}", hundredths(ISSUED)));
        }
        printer.done(&format!("\n✓ {}", self.texts.text(Text::Ready)));
        let mut value = self.as_json();
        value.extend([
            ("genesisHash".to_owned(), json!(sandbox.genesis_hash.to_string())),
            ("dataDir".to_owned(), json!(sandbox.path.display().to_string())),
            ("http".to_owned(), json!(http)),
            ("ws".to_owned(), json!(ws)),
            ("bonds".to_owned(), bonds_as_json()),
        ]);
        printer.json(&Value::Object(value));
    }

    /// Shows a deployment that is done.
    pub(super) fn show_deployment(&self, deployment: &Deployment<'_>, printer: &Printer) {
        let Deployment { path, rpc, left } = deployment;
        let urls: Vec<_> = rpc.iter().map(|url| ("rpc", Some((*url).to_owned()))).collect();
        self.show_network(path, &urls, printer);
        let texts = [
            Text::LeftToBanks,
            Text::LeftToReserves,
            Text::LeftToTreasury,
            Text::LeftToClients,
            Text::LeftToAdministrator,
        ];
        let texts = texts.map(|text| self.texts.text(text));
        printer.heading(self.texts.text(Text::LeftToDo));
        texts.iter().for_each(|line| printer.line(&format!("  {line}")));
        printer.done(&format!("\n✓ {}", self.texts.text(Text::Deployed)));
        let mut value = self.as_json();
        value.extend([
            ("dataDir".to_owned(), json!(path.display().to_string())),
            ("rpc".to_owned(), json!(rpc.first())),
            ("leftToDo".to_owned(), json!(texts)),
            ("leftTransactions".to_owned(), left.iter().map(|order| self.left(order)).collect()),
        ]);
        printer.json(&Value::Object(value));
    }

    /// A transaction that somebody else must send, ready to be signed.
    fn left(&self, order: &Order) -> Value {
        let (Target::Call(to) | Target::Create(to)) = order.target;
        json!({
            "holder": self.network.holder(order.sender),
            "from": self.network.account(order.sender).map(|account| account.address.to_string()),
            "contract": self.network.suite.name_of(to),
            "to": to.to_string(),
            "data": order.data.to_string(),
            "subject": order.subject,
        })
    }

    fn show_network(&self, path: &Path, urls: &[(&str, Option<String>)], printer: &Printer) {
        let (network, texts) = (self.network, self.texts);
        let Played { sent, repeated } = self.played;
        printer.heading(texts.text(Text::Network));
        let mut table = Table::new([(Align::Left, ""), (Align::Left, "")]);
        for (name, url) in urls {
            table.row([(*name).to_owned(), url.clone().unwrap_or_default()]);
        }
        table.row([texts.text(Text::Directory).to_owned(), path.display().to_string()]);
        let transactions = match repeated {
            0 => sent.to_string(),
            _ => format!("{sent} + {repeated} {}", texts.text(Text::OfEarlierRun)),
        };
        table.row([texts.text(Text::ChainId).to_owned(), network.chain_id.to_string()]);
        table.row([texts.text(Text::GasPrice).to_owned(), network.gas_price_wei.to_string()]);
        table.row([texts.text(Text::Transactions).to_owned(), transactions]);
        table.row(["AddressDiscovery".to_owned(), network.directory().to_string()]);
        show(&table, printer);
        printer.heading(texts.text(Text::Contracts));
        let mut table = Table::new([(Align::Left, ""), (Align::Left, "")]);
        let mut shown = String::new();
        for one in network.suite.registrations() {
            // A token is registered under two keys and shown once.
            if one.name != shown {
                table.row([one.name.clone(), one.address.to_string()]);
                shown = one.name;
            }
        }
        show(&table, printer);
    }

    fn show_wallets(&self, printer: &Printer) {
        let texts = self.texts;
        printer.heading(texts.text(Text::Wallets));
        let columns = [Text::Holder, Text::Wallet, Text::Address, Text::PrivateKey].map(|text| texts.text(text));
        let mut table = Table::new(columns.map(|column| (Align::Left, column)));
        let mut accounts: Vec<&Account> = self.network.accounts.iter().collect();
        // Institution by institution, clients after reserves.
        accounts.sort_by_key(|account| shown_place(account.wallet));
        for account in accounts {
            let key = account.test_key.clone().unwrap_or_default();
            let kind = texts.text(kind(account.wallet)).to_owned();
            table.row([self.network.holder(account.wallet), kind, account.address.to_string(), key]);
        }
        table.lines().iter().for_each(|line| printer.line(&format!("  {line}")));
        printer.note(texts.text(Text::KeysArePublic));
    }

    /// What sandbox and deployment have in common.
    fn as_json(&self) -> Map<String, Value> {
        let network = self.network;
        let institutions = network.suite.institutions().iter().enumerate().map(|(place, institution)| {
            let clients = institution.clients.iter().enumerate().map(|(client, name)| {
                let mut value = self.account(Wallet::Client(place, client));
                value["name"] = json!(name);
                value
            });
            json!({
                "name": institution.name,
                "cnpjRoot": institution.root.as_str(),
                "cnpj8": institution.root.to_u128().to_string(),
                "token": network.suite.token(place).to_string(),
                "defaultWallet": self.account(Wallet::Bank(place)),
                "reserveWallet": self.account(Wallet::Reserve(place)),
                "clients": clients.collect::<Vec<Value>>(),
            })
        });
        let contracts = network
            .suite
            .registrations()
            .into_iter()
            .map(|one| json!({ "name": one.name, "key": one.key.to_string(), "address": one.address.to_string() }));
        let value = json!({
            "chainId": network.chain_id,
            "gasPrice": network.gas_price_wei.to_string(),
            "addressDiscovery": network.directory().to_string(),
            "contracts": contracts.collect::<Vec<Value>>(),
            "administrator": self.account(Wallet::Admin),
            "centralBank": self.account(Wallet::CentralBank),
            "treasury": self.account(Wallet::Treasury),
            "institutions": institutions.collect::<Vec<Value>>(),
            "transactions": { "sent": self.played.sent, "repeated": self.played.repeated },
        });
        match value {
            Value::Object(members) => members,
            _ => unreachable!("an object was written"),
        }
    }

    /// A wallet, with its key if everybody may know it.
    fn account(&self, wallet: Wallet) -> Value {
        let account = self.network.account(wallet);
        let mut value = json!({ "address": account.map(|account| account.address.to_string()) });
        if let Some(key) = account.and_then(|account| account.test_key.clone()) {
            value["privateKey"] = json!(key);
        }
        value
    }
}

fn shown_place(wallet: Wallet) -> (usize, usize, usize) {
    match wallet {
        Wallet::Admin => (0, 0, 0),
        Wallet::CentralBank => (0, 1, 0),
        Wallet::Treasury => (0, 2, 0),
        Wallet::Bank(place) => (place + 1, 0, 0),
        Wallet::Reserve(place) => (place + 1, 1, 0),
        Wallet::Client(place, client) => (place + 1, 2, client),
    }
}

fn kind(wallet: Wallet) -> Text {
    match wallet {
        Wallet::Admin => Text::Administrator,
        Wallet::CentralBank | Wallet::Treasury | Wallet::Bank(_) => Text::DefaultWallet,
        Wallet::Reserve(_) => Text::Reserve,
        Wallet::Client(..) => Text::Client,
    }
}

/// Rows below an empty heading, which is left out.
fn show(table: &Table, printer: &Printer) {
    table.lines().iter().skip(1).for_each(|line| printer.line(&format!("  {line}")));
}

fn bonds_as_json() -> Value {
    let bonds = SERIES.iter().zip(1_u64..).map(|((acronym, code, maturity), id)| {
        json!({ "id": id, "acronym": acronym, "code": code, "maturityDate": maturity, "issued": ISSUED.to_string() })
    });
    Value::Array(bonds.collect())
}

/// Hundredths with their point.
fn hundredths(amount: u64) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}
