//! The words of `lastro drex …`, in Portuguese and English, in one place.

use crate::cli::Language;

/// A fixed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// Stage: contracts and roles.
    Deploying,
    /// Stage: the central bank's part.
    Admitting,
    /// Stage: everybody's own part.
    Enabling,
    /// Stage: the central bank's own part.
    Approving,
    /// Stage: money.
    Funding,
    /// Stage: bonds.
    Issuing,
    /// Heading: where everything is.
    Network,
    /// Row: the directory of this command.
    Directory,
    /// Row: chain id.
    ChainId,
    /// Row: price of gas.
    GasPrice,
    /// Row: transactions.
    Transactions,
    /// What an earlier run did.
    OfEarlierRun,
    /// Heading of the table of contracts.
    Contracts,
    /// Heading of the table of wallets.
    Wallets,
    /// Column: holder.
    Holder,
    /// Column: wallet.
    Wallet,
    /// Column: address.
    Address,
    /// Column: key.
    PrivateKey,
    /// Kind of wallet: administrator.
    Administrator,
    /// Kind of wallet: default.
    DefaultWallet,
    /// Kind of wallet: reserve.
    Reserve,
    /// Kind of wallet: client.
    Client,
    /// Keys are published.
    KeysArePublic,
    /// Heading: bonds.
    Bonds,
    /// What others must do.
    LeftToDo,
    /// What a bank must do.
    LeftToBanks,
    /// What a reserve must do.
    LeftToReserves,
    /// What the Treasury must do.
    LeftToTreasury,
    /// What a client must do.
    LeftToClients,
    /// What the administrator should do.
    LeftToAdministrator,
    /// The sandbox is up.
    Ready,
    /// The deployment is done.
    Deployed,
}

/// The words of one language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts(pub(crate) Language);

impl Texts {
    /// A fixed text.
    pub(crate) fn text(self, text: Text) -> &'static str {
        let (portuguese, english) = both(text);
        match self.0 {
            Language::PtBr => portuguese,
            Language::En => english,
        }
    }
}

fn both(text: Text) -> (&'static str, &'static str) {
    match text {
        Text::Deploying => ("implantar a suíte e conceder papéis", "deploy the suite and grant roles"),
        Text::Admitting => ("registrar endereços e admitir instituições", "register addresses and admit institutions"),
        Text::Enabling => ("habilitar instituições e clientes", "enable institutions and clients"),
        Text::Approving => (
            "deixar a liquidação tomar o que o banco central vende e paga",
            "let settlement take what the central bank sells and pays",
        ),
        Text::Funding => ("emitir dinheiro", "mint money"),
        Text::Issuing => ("emitir títulos", "issue bonds"),
        Text::Network => ("Rede", "Network"),
        Text::Directory => ("pasta", "directory"),
        Text::ChainId => ("chain id", "chain id"),
        Text::GasPrice => ("preço do gás", "gas price"),
        Text::Transactions => ("transações", "transactions"),
        Text::OfEarlierRun => ("de uma execução anterior", "of an earlier run"),
        Text::Contracts => ("Contratos", "Contracts"),
        Text::Wallets => ("Carteiras", "Wallets"),
        Text::Holder => ("titular", "holder"),
        Text::Wallet => ("carteira", "wallet"),
        Text::Address => ("endereço", "address"),
        Text::PrivateKey => ("chave privada de teste", "private test key"),
        Text::Administrator => ("administrador", "administrator"),
        Text::DefaultWallet => ("padrão", "default"),
        Text::Reserve => ("reserva", "reserve"),
        Text::Client => ("cliente", "client"),
        Text::KeysArePublic => (
            "estas chaves são públicas: só valem neste ledger, nunca as use em outro lugar",
            "these keys are public: they are good on this ledger alone, never use them elsewhere",
        ),
        Text::Bonds => ("Títulos emitidos ao Tesouro", "Bonds issued to the Treasury"),
        Text::LeftToDo => ("O que falta, com as chaves de cada um", "What is left, with everybody's own keys"),
        Text::LeftToBanks => (
            "cada instituição: habilitar a si, aos clientes e a SwapTwoStepsReserve no seu Real Tokenizado, e os clientes em TPFt; aprovar TPFtDvP em Real Digital e em TPFt",
            "each institution: enable itself, its clients and SwapTwoStepsReserve in its Real Tokenizado, and its clients in TPFt; approve TPFtDvP on Real Digital and on TPFt",
        ),
        Text::LeftToReserves => (
            "cada reserva: aprovar SwapOneStep, SwapOneStepFrom, SwapTwoSteps e SwapTwoStepsReserve em Real Digital",
            "each reserve: approve SwapOneStep, SwapOneStepFrom, SwapTwoSteps and SwapTwoStepsReserve on Real Digital",
        ),
        Text::LeftToTreasury => (
            "o Tesouro: aprovar TPFtDvP e TPFtOperation1012 em Real Digital, e TPFtDvP em TPFt",
            "the Treasury: approve TPFtDvP and TPFtOperation1012 on Real Digital, and TPFtDvP on TPFt",
        ),
        Text::LeftToClients => (
            "cada cliente: aprovar TPFtDvP no Real Tokenizado da sua instituição e em TPFt",
            "each client: approve TPFtDvP on its institution's Real Tokenizado and on TPFt",
        ),
        Text::LeftToAdministrator => (
            "o administrador: passar DEFAULT_ADMIN_ROLE ao sucessor, em cada contrato, e renunciar ao seu",
            "the administrator: hand DEFAULT_ADMIN_ROLE to its successor, in each contract, and renounce its own",
        ),
        Text::Ready => ("a sandbox está de pé até Ctrl-C", "the sandbox is up until Ctrl-C"),
        Text::Deployed => ("a suíte está implantada e registrada", "the suite is deployed and registered"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::{Order, Target};
    use crate::drex_suite::{Institution, Setup, Suite, Wallet};
    use alloy_primitives::{Address, keccak256};

    /// Every text in the order of its declaration.
    const TEXTS: [Text; 32] = [
        Text::Deploying,
        Text::Admitting,
        Text::Enabling,
        Text::Approving,
        Text::Funding,
        Text::Issuing,
        Text::Network,
        Text::Directory,
        Text::ChainId,
        Text::GasPrice,
        Text::Transactions,
        Text::OfEarlierRun,
        Text::Contracts,
        Text::Wallets,
        Text::Holder,
        Text::Wallet,
        Text::Address,
        Text::PrivateKey,
        Text::Administrator,
        Text::DefaultWallet,
        Text::Reserve,
        Text::Client,
        Text::KeysArePublic,
        Text::Bonds,
        Text::LeftToDo,
        Text::LeftToBanks,
        Text::LeftToReserves,
        Text::LeftToTreasury,
        Text::LeftToClients,
        Text::LeftToAdministrator,
        Text::Ready,
        Text::Deployed,
    ];

    #[test]
    fn every_text_is_said_in_both_languages() {
        assert!(TEXTS.iter().enumerate().all(|(place, text)| *text as usize == place), "a text is not in the list");
        let lines = TEXTS.map(|text| {
            let [portuguese, english] = Language::ALL.map(|language| Texts(language).text(text));
            format!("{text:?}\n  {portuguese}\n  {english}")
        });
        insta::assert_snapshot!(lines.join("\n"));
    }

    /// What others must do is what the sandbox does for them, less the central bank's part: each contract that they call and
    /// each that they let in is named to whoever must do it.
    #[test]
    fn what_is_left_names_every_contract_of_every_transaction_that_is_left() {
        let institution =
            Institution { name: "A".to_owned(), root: "11111111".parse().unwrap(), clients: vec!["Ana".to_owned()] };
        let suite = Suite::new(Address::repeat_byte(1), 0, vec![institution]);
        let wallet = |wallet: Wallet| Address::from_slice(&keccak256(format!("{wallet:?}"))[12..]);
        let setup = Setup { suite: &suite, wallet: &wallet, prefix: "test" };
        let left: Vec<Order> = setup.enable().into_iter().filter(|order| order.sender != Wallet::CentralBank).collect();
        assert_eq!(left.len(), 15);
        for order in left {
            let text = match order.sender {
                Wallet::Bank(_) => Text::LeftToBanks,
                Wallet::Reserve(_) => Text::LeftToReserves,
                Wallet::Treasury => Text::LeftToTreasury,
                Wallet::Client(..) => Text::LeftToClients,
                Wallet::Admin | Wallet::CentralBank => panic!("{}", order.subject),
            };
            let Target::Call(called) = order.target else { panic!("{}", order.subject) };
            // Each has one account as its first argument, or a root and then a wallet, which is no contract.
            let named =
                [called, Address::from_slice(&order.data[16..36])].into_iter().filter_map(|one| suite.name_of(one));
            for name in named {
                let spoken = match name.as_str() {
                    "RealDigital" => "Real Digital",
                    "RealTokenizado@11111111" => "Real Tokenizado",
                    other => other,
                };
                for language in Language::ALL {
                    let said = Texts(language).text(text);
                    assert!(said.contains(spoken), "{}: `{spoken}` is not in `{said}`", order.subject);
                }
            }
        }
    }
}
