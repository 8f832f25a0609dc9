//! The demonstration's words, in Portuguese and English, in one place.

use super::plan::Title;
use crate::cli::Language;

/// Both forms of one text.
type Pair = (&'static str, &'static str);

/// A fixed text of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// Heading of the first table.
    WhatHappened,
    /// Column: step.
    Step,
    /// Column: number of transactions.
    Transactions,
    /// Column: blocks.
    Blocks,
    /// Column: block.
    Block,
    /// Column: gas.
    Gas,
    /// Heading of the second table.
    Operations,
    /// Column: operation.
    Operation,
    /// Column: bond.
    Bond,
    /// Column: who sold and who bought.
    SellerBuyer,
    /// Column: quantity.
    Quantity,
    /// Column: price.
    Price,
    /// Column: value.
    Value,
    /// Column: transaction.
    Transaction,
    /// What failed on purpose.
    Unfunded,
    /// Nothing moved by it.
    NothingMoved,
    /// Heading of the third table.
    Books,
    /// Column: holder.
    Holder,
    /// Column: all bonds together.
    Bonds,
    /// Row: supply.
    Supply,
    /// The books agree.
    Agree,
    /// The books differ.
    Differ,
    /// Says which balance differs: holder, asset, books, ledger.
    DiffersHere,
    /// Latency.
    Latency,
    /// Everything was there already.
    GoneOn,
    /// The ledger's clock.
    ClockNote,
    /// Next commands.
    Next,
    /// The ledger stays up.
    Kept,
}

/// The words of one language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts(pub(crate) Language);

impl Texts {
    fn choose(self, (portuguese, english): Pair) -> &'static str {
        match self.0 {
            Language::PtBr => portuguese,
            Language::En => english,
        }
    }

    /// A fixed text.
    pub(crate) fn text(self, text: Text) -> &'static str {
        self.choose(match text {
            Text::WhatHappened => ("O que aconteceu", "What happened"),
            Text::Step => ("etapa", "step"),
            Text::Transactions => ("transações", "transactions"),
            Text::Blocks => ("blocos", "blocks"),
            Text::Block => ("bloco", "block"),
            Text::Gas => ("gás", "gas"),
            Text::Operations => ("Operações liquidadas", "Settled operations"),
            Text::Operation => ("operação", "operation"),
            Text::Bond => ("título", "bond"),
            Text::SellerBuyer => ("vendedor → comprador", "seller → buyer"),
            Text::Quantity => ("quantidade", "quantity"),
            Text::Price => ("preço R$", "price R$"),
            Text::Value => ("valor R$", "value R$"),
            Text::Transaction => ("transação", "transaction"),
            Text::Unfunded => (
                "recusada pelo contrato por falta de fundos, como devia",
                "refused by the contract for lack of funds, as it should be",
            ),
            Text::NothingMoved => ("nem dinheiro nem títulos se moveram", "neither money nor bonds moved"),
            Text::Books => ("Livros conferidos com o ledger", "Books compared with the ledger"),
            Text::Holder => ("titular", "holder"),
            Text::Bonds => ("títulos", "bonds"),
            Text::Supply => ("em circulação", "in circulation"),
            Text::Agree => (
                "os livros conferem com o ledger, saldo por saldo",
                "the books agree with the ledger, balance by balance",
            ),
            Text::Differ => ("os livros não conferem com o ledger", "the books do not agree with the ledger"),
            Text::DiffersHere => (
                "{holder}, {asset}: livros {books}, ledger {ledger}",
                "{holder}, {asset}: books {books}, ledger {ledger}",
            ),
            Text::Latency => ("do envio ao bloco", "from sending to the block"),
            Text::GoneOn => {
                ("já estavam no ledger, de uma execução anterior", "were on the ledger already, from an earlier run")
            }
            Text::ClockNote => {
                ("o relógio deste ledger está no dia dos preços", "this ledger's clock is set to the day of the prices")
            }
            Text::Next => ("Experimente", "Try next"),
            Text::Kept => ("o ledger continua de pé até Ctrl-C", "the ledger stays up until Ctrl-C"),
        })
    }

    /// What a stage does.
    pub(crate) fn title(self, title: Title) -> &'static str {
        self.choose(match title {
            Title::Deploy => ("implantar a suíte Drex e conceder papéis", "deploy the Drex suite and grant roles"),
            Title::Admit => ("registrar endereços e admitir instituições", "register addresses and admit institutions"),
            Title::Enable => ("habilitar bancos e clientes", "enable banks and clients"),
            Title::Fund => {
                ("emitir Real Digital e lastrear Real Tokenizado", "mint Real Digital and back Real Tokenizado")
            }
            Title::Issue => ("1001: criar e emitir os títulos", "1001: create and issue the bonds"),
            Title::Place => ("1002: colocar com os bancos", "1002: place with the banks"),
            Title::TradeBanks => ("1052: negociar entre bancos", "1052: trade between banks"),
            Title::TradeClient => ("1052: vender a clientes", "1052: sell to clients"),
            Title::TradeClients => {
                ("1052: negociar entre clientes de bancos diferentes", "1052: trade between clients of different banks")
            }
            Title::UnfundedOffer => ("1052: oferta que não será paga", "1052: an offer that will not be paid"),
            Title::UnfundedCommand => {
                ("1052: comando sem saldo, que deve falhar", "1052: a command without funds, which must fail")
            }
            Title::UnfundedCancel => ("1052: cancelar a oferta", "1052: cancel the offer"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text in the order of its declaration.
    const TEXTS: [Text; 28] = [
        Text::WhatHappened,
        Text::Step,
        Text::Transactions,
        Text::Blocks,
        Text::Block,
        Text::Gas,
        Text::Operations,
        Text::Operation,
        Text::Bond,
        Text::SellerBuyer,
        Text::Quantity,
        Text::Price,
        Text::Value,
        Text::Transaction,
        Text::Unfunded,
        Text::NothingMoved,
        Text::Books,
        Text::Holder,
        Text::Bonds,
        Text::Supply,
        Text::Agree,
        Text::Differ,
        Text::DiffersHere,
        Text::Latency,
        Text::GoneOn,
        Text::ClockNote,
        Text::Next,
        Text::Kept,
    ];

    #[test]
    fn every_text_is_said_in_both_languages() {
        assert!(TEXTS.iter().enumerate().all(|(place, text)| *text as usize == place), "a text is not in the list");
        let fixed = TEXTS.map(|text| (format!("{text:?}"), Language::ALL.map(|language| Texts(language).text(text))));
        let titles =
            Title::ALL.map(|title| (format!("{title:?}"), Language::ALL.map(|language| Texts(language).title(title))));
        let lines = fixed
            .into_iter()
            .chain(titles)
            .map(|(name, [portuguese, english])| format!("{name}\n  {portuguese}\n  {english}"));
        insta::assert_snapshot!(lines.collect::<Vec<String>>().join("\n"));
    }

    #[test]
    fn both_languages_have_the_same_placeholders() {
        let names = |language| {
            let text = Texts(language).text(Text::DiffersHere);
            ["{holder}", "{asset}", "{books}", "{ledger}"].map(|name| text.matches(name).count())
        };
        assert_eq!(Language::ALL.map(names), [[1; 4]; 2]);
    }
}
