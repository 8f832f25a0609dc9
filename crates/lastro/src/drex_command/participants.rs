//! Who takes part: a list of institutions in TOML or JSON, with every mistake named by its row.

use crate::drex_suite::{CENTRAL_BANK_CNPJ8, Institution, TREASURY_CNPJ8};
use crate::failure::{Failure, FailureKind};
use alloy_primitives::Address;
use anyhow::Context;
use market::CnpjRoot;
use serde_json::{Map, Value, json};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Longest file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most institutions of one network: the pilot had 26 nodes.
const INSTITUTIONS_MAX: usize = 64;
/// Most clients of an institution.
const CLIENTS_MAX: usize = 16;
/// Longest name, in characters.
const NAME_CHARACTERS_MAX: usize = 64;
/// Keys of a file for a deployment.
const FILE_KEYS: [&str; 2] = [TREASURY_WALLET, "institution"];
/// Key of the Treasury's wallet.
const TREASURY_WALLET: &str = "treasury_wallet";
/// Key of an institution's default wallet.
const DEFAULT_WALLET: &str = "default_wallet";
/// Key of an institution's reserve.
const RESERVE_WALLET: &str = "reserve_wallet";

/// What a file is for: a sandbox makes wallets, a deployment is told them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Test keys are made for everybody, clients included.
    Sandbox,
    /// Institutions have wallets of their own, and admit their clients themselves.
    Deployment,
}

impl Use {
    /// Keys of an institution's row.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Sandbox => &["name", "cnpj_root", "ispb", "clients"],
            Self::Deployment => &["name", "cnpj_root", "ispb", DEFAULT_WALLET, RESERVE_WALLET],
        }
    }
}

/// Who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Participants {
    /// Institutions, in the order of the file.
    pub(crate) institutions: Vec<Institution>,
    /// Their wallets, where they are told.
    pub(crate) wallets: Option<Wallets>,
}

/// Wallets of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wallets {
    /// The Treasury's default wallet.
    pub(crate) treasury: Address,
    /// Default and reserve wallet of each institution.
    pub(crate) institutions: Vec<(Address, Address)>,
}

/// One mistake in a list. Rows are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Mistake {
    #[error("the list names no institution: write one `[[institution]]` for each")]
    Nobody,
    #[error("the list names {count} institutions, at most {INSTITUTIONS_MAX} are taken")]
    TooMany { count: usize },
    #[error("`{key}` is no key of the list: it has {known}")]
    FileKey { key: String, known: String },
    #[error("institution {row}: `{key}` is no key of an institution: it has {known}")]
    RowKey { row: usize, key: String, known: String },
    #[error("institution {row} is not a table of keys and values")]
    NotATable { row: usize },
    #[error("institution {row} has no `{key}`")]
    Missing { row: usize, key: &'static str },
    #[error("institution {row}: `{key}` is not text")]
    NotText { row: usize, key: &'static str },
    #[error(
        "institution {row}: {what} of {characters} characters, 1 to {NAME_CHARACTERS_MAX} without control characters are taken"
    )]
    Name { row: usize, what: &'static str, characters: usize },
    #[error("institution {row}: {reason}")]
    Root { row: usize, reason: String },
    #[error("institution {row}: root {root} is that of {whose}, which takes part in every network")]
    Office { row: usize, root: CnpjRoot, whose: &'static str },
    #[error("institutions {first} and {second} have the same {what}")]
    Same { first: usize, second: usize, what: &'static str },
    #[error("institution {row}: `clients` is not a list of names")]
    Clients { row: usize },
    #[error("institution {row} has {count} clients, at most {CLIENTS_MAX} are taken")]
    TooManyClients { row: usize, count: usize },
    #[error("institution {row}: `{key}` is `{text}`, which is no wallet's address, write 0x and 40 hexadecimal digits")]
    Wallet { row: usize, key: &'static str, text: String },
    #[error("{second} is the same address as {first}: every wallet is one's own")]
    SameWallet { first: String, second: String },
    #[error("`treasury_wallet` is missing, or is no address: write 0x and 40 hexadecimal digits")]
    TreasuryWallet,
}

/// Reads a file: JSON if it is named so, else TOML.
///
/// # Errors
/// [`FailureKind::Usage`] with every mistake.
pub(crate) fn read(path: &Path, purpose: Use) -> Result<Participants, Failure> {
    let usage = |error| Failure::new(FailureKind::Usage, error);
    let shown = path.display();
    let text = read_text(path).with_context(|| format!("cannot read `{shown}`")).map_err(usage)?;
    let Some(text) = text else {
        return Err(usage(anyhow::anyhow!(
            "`{shown}` has more than {FILE_BYTES_MAX} bytes, which is the most that is read"
        )));
    };
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let value = if is_json {
        serde_json::from_str(&text).map_err(anyhow::Error::new)
    } else {
        toml::from_str(&text).map_err(|error| toml_error(&error, &text))
    };
    let value: Value = value.with_context(|| format!("`{shown}` cannot be read")).map_err(usage)?;
    parse(&value, purpose).map_err(|mistakes| mistaken(&format!("`{shown}`"), mistakes))
}

/// The file's text; `None` if it is longer than it may be, of which no more is read.
fn read_text(path: &Path) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let length = std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if length as u64 > FILE_BYTES_MAX {
        return Ok(None);
    }
    String::from_utf8(bytes).map(Some).map_err(|error| std::io::Error::new(ErrorKind::InvalidData, error))
}

/// A mistake of the file's form on one line, with its place.
fn toml_error(error: &toml::de::Error, text: &str) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    anyhow::anyhow!("line {line}: {}", error.message())
}

/// Reads what an earlier run kept, or what comes with the binary.
///
/// # Errors
/// [`FailureKind::Environment`]: nobody should have changed it.
pub(crate) fn of_kept(value: &Value, origin: &str) -> Result<Participants, Failure> {
    parse(value, Use::Sandbox)
        .map_err(|mistakes| Failure { kind: FailureKind::Environment, ..mistaken(origin, mistakes) })
}

/// The mistakes as the causes of one error.
fn mistaken(origin: &str, mistakes: Vec<Mistake>) -> Failure {
    let count = mistakes.len();
    let plural = if count == 1 { "" } else { "s" };
    let mut named = mistakes.into_iter().rev().map(|mistake| mistake.to_string());
    let last = named.next().unwrap_or_default();
    let chain = named.fold(anyhow::anyhow!(last), anyhow::Error::context);
    let error = chain.context(format!("{origin} cannot be used: {count} mistake{plural}"));
    Failure::new(FailureKind::Usage, error).with_hint("`examples/drex-participants.toml` shows how a list is written")
}

fn parse(value: &Value, purpose: Use) -> Result<Participants, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let file_keys = if purpose == Use::Sandbox { &FILE_KEYS[1..] } else { &FILE_KEYS[..] };
    for key in value.as_object().into_iter().flat_map(Map::keys).filter(|key| !file_keys.contains(&key.as_str())) {
        mistakes.push(Mistake::FileKey { key: key.clone(), known: listed(file_keys) });
    }
    let rows: &[Value] = value["institution"].as_array().map_or(&[], Vec::as_slice);
    match rows.len() {
        0 => mistakes.push(Mistake::Nobody),
        1..=INSTITUTIONS_MAX => {}
        count => mistakes.push(Mistake::TooMany { count }),
    }
    let mut institutions = Vec::new();
    let mut wallets = Vec::new();
    let mut named_wallets = Vec::new();
    for (index, row) in rows.iter().enumerate().take(INSTITUTIONS_MAX) {
        let mut row = Row { number: index + 1, value: row, mistakes: &mut mistakes };
        if let Some(institution) = row.institution(purpose) {
            institutions.push((index + 1, institution));
        }
        if purpose == Use::Deployment {
            let pair = [DEFAULT_WALLET, RESERVE_WALLET].map(|key| row.wallet(key));
            named_wallets
                .extend(wallet_names(index).into_iter().zip(pair).filter_map(|(name, wallet)| Some((name, wallet?))));
            wallets.extend(pair[0].zip(pair[1]));
        }
    }
    find_twins(&institutions, &mut mistakes);
    let treasury = value[TREASURY_WALLET].as_str().and_then(|text| text.parse().ok());
    if purpose == Use::Deployment {
        match treasury {
            None => mistakes.push(Mistake::TreasuryWallet),
            Some(treasury) => named_wallets.push((format!("`{TREASURY_WALLET}`"), treasury)),
        }
    }
    find_same_wallets(&named_wallets, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let institutions = institutions.into_iter().map(|(_, institution)| institution).collect();
    Ok(Participants { institutions, wallets: treasury.map(|treasury| Wallets { treasury, institutions: wallets }) })
}

fn listed(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<String>>().join(", ")
}

/// A root is one institution, and so is a name: keys of the directory and texts for people would be ambiguous.
fn find_twins(institutions: &[(usize, Institution)], mistakes: &mut Vec<Mistake>) {
    for (place, (second, institution)) in institutions.iter().enumerate() {
        let earlier = &institutions[..place];
        let twin = |is_same: &dyn Fn(&Institution) -> bool| earlier.iter().find(|(_, other)| is_same(other));
        if let Some((first, _)) = twin(&|other| other.root == institution.root) {
            mistakes.push(Mistake::Same { first: *first, second: *second, what: "root" });
        } else if let Some((first, _)) = twin(&|other| other.name == institution.name) {
            mistakes.push(Mistake::Same { first: *first, second: *second, what: "name" });
        }
    }
}

/// What an institution's wallets are called, by its place in the list.
fn wallet_names(place: usize) -> [String; 2] {
    [DEFAULT_WALLET, RESERVE_WALLET].map(|key| format!("`{key}` of institution {}", place + 1))
}

/// A wallet is one's own: a bank's reserve in its default wallet would pay itself, and a default wallet belongs to one root.
fn find_same_wallets(named: &[(String, Address)], mistakes: &mut Vec<Mistake>) {
    for (place, (second, wallet)) in named.iter().enumerate() {
        if let Some((first, _)) = named[..place].iter().find(|(_, other)| other == wallet) {
            mistakes.push(Mistake::SameWallet { first: first.clone(), second: second.clone() });
        }
    }
}

/// One row on its way to an institution, noting every mistake.
struct Row<'a> {
    number: usize,
    value: &'a Value,
    mistakes: &'a mut Vec<Mistake>,
}

impl Row<'_> {
    fn institution(&mut self, purpose: Use) -> Option<Institution> {
        let row = self.number;
        let Some(table) = self.value.as_object() else {
            self.mistakes.push(Mistake::NotATable { row });
            return None;
        };
        let known = purpose.keys();
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            self.mistakes.push(Mistake::RowKey { row, key: key.clone(), known: listed(known) });
        }
        let name = self.text("name").and_then(|name| self.checked_name("a name", &name));
        let root = self.root();
        let clients = self.clients();
        Some(Institution { name: name?, root: root?, clients: clients? })
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        let row = self.number;
        match &self.value[key] {
            Value::String(text) => return Some(text.clone()),
            Value::Null => self.mistakes.push(Mistake::Missing { row, key }),
            _ => self.mistakes.push(Mistake::NotText { row, key }),
        }
        None
    }

    fn checked_name(&mut self, what: &'static str, name: &str) -> Option<String> {
        let (row, characters) = (self.number, name.chars().count());
        let is_plain = (1..=NAME_CHARACTERS_MAX).contains(&characters)
            && name.trim() == name
            && !name.chars().any(char::is_control);
        if !is_plain {
            self.mistakes.push(Mistake::Name { row, what, characters });
        }
        is_plain.then(|| name.to_owned())
    }

    /// The root, under either of its names.
    fn root(&mut self) -> Option<CnpjRoot> {
        let row = self.number;
        let key = if self.value["cnpj_root"].is_null() && !self.value["ispb"].is_null() { "ispb" } else { "cnpj_root" };
        let root: CnpjRoot = match self.text(key)?.parse() {
            Ok(root) => root,
            Err(error) => {
                self.mistakes.push(Mistake::Root { row, reason: format!("{error}") });
                return None;
            }
        };
        if key == "cnpj_root" && !self.value["ispb"].is_null() && self.value["ispb"] != self.value["cnpj_root"] {
            let reason = "`ispb` and `cnpj_root` are the same eight characters, write one".to_owned();
            self.mistakes.push(Mistake::Root { row, reason });
            return None;
        }
        let offices = [(CENTRAL_BANK_CNPJ8, "the central bank"), (TREASURY_CNPJ8, "the Treasury")];
        if let Some((_, whose)) = offices.into_iter().find(|(cnpj8, _)| root.to_u128() == u128::from(*cnpj8)) {
            self.mistakes.push(Mistake::Office { row, root, whose });
            return None;
        }
        Some(root)
    }

    fn clients(&mut self) -> Option<Vec<String>> {
        let row = self.number;
        let names = match &self.value["clients"] {
            Value::Null => return Some(Vec::new()),
            Value::Array(names) => names,
            _ => {
                self.mistakes.push(Mistake::Clients { row });
                return None;
            }
        };
        if names.len() > CLIENTS_MAX {
            self.mistakes.push(Mistake::TooManyClients { row, count: names.len() });
            return None;
        }
        let mut clients = Vec::new();
        for name in names {
            let Some(name) = name.as_str() else {
                self.mistakes.push(Mistake::Clients { row });
                return None;
            };
            clients.push(self.checked_name("a client's name", name)?);
        }
        Some(clients)
    }

    fn wallet(&mut self, key: &'static str) -> Option<Address> {
        let (row, text) = (self.number, self.text(key)?);
        let address = text.parse::<Address>().ok().filter(|address| !address.is_zero());
        if address.is_none() {
            self.mistakes.push(Mistake::Wallet { row, key, text });
        }
        address
    }
}

impl Wallets {
    /// Whose the wallet is, if it is anybody's of the list.
    pub(crate) fn name_of(&self, wallet: Address) -> Option<String> {
        let institutions = self.institutions.iter().enumerate();
        let mut named = institutions
            .flat_map(|(place, (default, reserve))| wallet_names(place).into_iter().zip([*default, *reserve]));
        let found = named.find(|(_, address)| *address == wallet).map(|(name, _)| name);
        found.or_else(|| (self.treasury == wallet).then(|| format!("`{TREASURY_WALLET}`")))
    }
}

impl Participants {
    /// The list as it is kept, in the form in which it is read.
    pub(crate) fn as_json(&self) -> Value {
        let rows = self.institutions.iter().enumerate().map(|(place, one)| {
            let mut row = json!({ "name": one.name, "cnpj_root": one.root.as_str() });
            match &self.wallets {
                None => row["clients"] = json!(one.clients),
                Some(wallets) => {
                    let (default, reserve) = wallets.institutions[place];
                    row[DEFAULT_WALLET] = json!(default.to_string());
                    row[RESERVE_WALLET] = json!(reserve.to_string());
                }
            }
            row
        });
        let mut list = json!({ "institution": rows.collect::<Vec<Value>>() });
        if let Some(wallets) = &self.wallets {
            list[TREASURY_WALLET] = json!(wallets.treasury.to_string());
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every mistake of a list in TOML, one a line; or the names of those who take part.
    fn play(text: &str, purpose: Use) -> String {
        match parse(&toml::from_str(text).unwrap(), purpose) {
            Ok(list) => list.institutions.iter().map(|one| format!("{} {}", one.root, one.name)).collect(),
            Err(mistakes) => mistakes.iter().map(Mistake::to_string).collect::<Vec<String>>().join("\n"),
        }
    }

    #[test]
    fn roots_have_letters_or_digits_under_either_name() {
        let row = |key: &str| format!("[[institution]]\nname = 'Banco'\n{key} = '12ABC345'");
        assert_eq!(play(&row("cnpj_root"), Use::Sandbox), "12ABC345 Banco");
        assert_eq!(play(&row("ispb"), Use::Sandbox), "12ABC345 Banco");
    }

    #[test]
    fn every_mistake_of_every_row_is_named() {
        let rows = [
            "name = 'Nobody'",
            "name = 7\ncnpj_root = '1234'",
            "name = ''\ncnpj_root = '11111111'\ncolour = 'red'",
            "name = 'A'\ncnpj_root = '00038166'",
            "name = 'B'\ncnpj_root = '00394460'\nclients = 'Ana'",
            "name = 'C'\ncnpj_root = '12abc345'",
            "name = 'D'\ncnpj_root = '22222222'\nclients = ['Ana', 3]",
            "name = 'E'\ncnpj_root = '33333333'\nispb = '44444444'",
            "name = 'F'\ncnpj_root = '55555555'",
            "name = 'F'\ncnpj_root = '66666666'",
            "name = 'G'\ncnpj_root = '55555555'",
        ];
        let text: String = rows.iter().map(|row| format!("[[institution]]\n{row}\n")).collect();
        insta::assert_snapshot!(play(&format!("colour = 'red'\n{text}"), Use::Sandbox));
    }

    #[test]
    fn a_deployment_needs_wallets_and_no_clients() {
        let text = "treasury_wallet = '0x12'\n[[institution]]\nname = 'A'\ncnpj_root = '11111111'\nclients = []\n\
                    default_wallet = '0x00'\nreserve_wallet = '0x0000000000000000000000000000000000000000'";
        insta::assert_snapshot!(play(text, Use::Deployment));
    }

    #[test]
    fn a_wallet_is_one_persons_in_one_part() {
        let row = |name: &str, root: &str, default: u8, reserve: u8| {
            let [default, reserve] = [default, reserve].map(Address::repeat_byte);
            format!(
                "[[institution]]\nname = '{name}'\ncnpj_root = '{root}'\n\
                 default_wallet = '{default}'\nreserve_wallet = '{reserve}'\n"
            )
        };
        let list = |rows: [String; 3]| format!("treasury_wallet = '{}'\n{}", Address::repeat_byte(9), rows.concat());
        let same = [row("A", "11111111", 1, 1), row("B", "22222222", 2, 1), row("C", "33333333", 9, 4)];
        let expected = [
            "`reserve_wallet` of institution 1 is the same address as `default_wallet` of institution 1: \
             every wallet is one's own",
            "`reserve_wallet` of institution 2 is the same address as `default_wallet` of institution 1: \
             every wallet is one's own",
            "`treasury_wallet` is the same address as `default_wallet` of institution 3: every wallet is one's own",
        ];
        assert_eq!(play(&list(same), Use::Deployment), expected.join("\n"));
        let own = [row("A", "11111111", 1, 2), row("B", "22222222", 3, 4), row("C", "33333333", 5, 6)];
        let wallets = parse(&toml::from_str(&list(own)).unwrap(), Use::Deployment).unwrap().wallets.unwrap();
        let named = [4, 9, 7].map(|byte| wallets.name_of(Address::repeat_byte(byte)));
        let expected = ["`reserve_wallet` of institution 2", "`treasury_wallet`"].map(|name| Some(name.to_owned()));
        assert_eq!(named[..2], expected);
        assert_eq!(named[2], None);
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let length = usize::try_from(FILE_BYTES_MAX).unwrap();
        std::fs::write(file.path(), "#".repeat(length)).unwrap();
        assert_eq!(read_text(file.path()).unwrap().unwrap().len(), length);
        std::fs::write(file.path(), "#".repeat(length + 1)).unwrap();
        let refused = read(file.path(), Use::Sandbox).unwrap_err().error.to_string();
        assert!(refused.ends_with("has more than 1048576 bytes, which is the most that is read"), "{refused}");
    }

    #[test]
    fn limits_are_held() {
        let rows = |count: usize| -> String {
            (0..count).map(|row| format!("[[institution]]\nname = 'B{row}'\ncnpj_root = '{row:08}'\n")).collect()
        };
        assert!(!play(&rows(INSTITUTIONS_MAX), Use::Sandbox).contains("at most"));
        let expected = "the list names 65 institutions, at most 64 are taken";
        assert_eq!(play(&rows(INSTITUTIONS_MAX + 1), Use::Sandbox), expected);
        let clients =
            |count| format!("[[institution]]\nname = 'B'\ncnpj_root = '11111111'\nclients = {:?}", vec!["A"; count]);
        assert_eq!(play(&clients(CLIENTS_MAX), Use::Sandbox), "11111111 B");
        assert_eq!(play(&clients(17), Use::Sandbox), "institution 1 has 17 clients, at most 16 are taken");
        assert!(play("", Use::Sandbox).starts_with("the list names no institution"));
    }

    #[test]
    fn what_is_kept_is_read_as_it_was() {
        let text = "[[institution]]\nname = 'Banco Ipê'\ncnpj_root = '11111111'\nclients = ['Ana']";
        let list = parse(&toml::from_str(text).unwrap(), Use::Sandbox).unwrap();
        assert_eq!(of_kept(&list.as_json(), "here").unwrap(), list);
    }
}
