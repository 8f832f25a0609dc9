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
    /// Stage: money.
    Funding,
    /// Stage: bonds.
    Issuing,
    /// Heading: where everything is.
    Network,
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
        Text::Funding => ("emitir dinheiro", "mint money"),
        Text::Issuing => ("emitir títulos", "issue bonds"),
        Text::Network => ("Rede", "Network"),
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
            "cada instituição: habilitar a si, aos clientes e a SwapTwoStepsReserve no seu Real Tokenizado, e os clientes em TPFt; aprovar TPFtDvP",
            "each institution: enable itself, its clients and SwapTwoStepsReserve in its Real Tokenizado, and its clients in TPFt; approve TPFtDvP",
        ),
        Text::LeftToReserves => {
            ("cada reserva: aprovar os swaps em Real Digital", "each reserve: approve the swaps on Real Digital")
        }
        Text::LeftToTreasury => (
            "o Tesouro: aprovar TPFtOperation1012 em Real Digital e TPFtDvP em TPFt",
            "the Treasury: approve TPFtOperation1012 on Real Digital and TPFtDvP on TPFt",
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

    /// Every text in the order of its declaration.
    const TEXTS: [Text; 29] = [
        Text::Deploying,
        Text::Admitting,
        Text::Enabling,
        Text::Funding,
        Text::Issuing,
        Text::Network,
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
}
