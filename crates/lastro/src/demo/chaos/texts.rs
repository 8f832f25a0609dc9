//! The words of the demonstration under chaos, in Portuguese and English.

use crate::cli::Language;
use fault_proxy::FaultKind;

/// A text of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Progress,
    Survived,
    PlatformKilled,
    LedgerKilled,
    BothKilled,
    GaveUp,
    Requests,
    Faulty,
    Same,
    SameCount,
    SameBooks,
    SameLedger,
    Verified,
    NotTheSame,
    OtherCount,
    OtherBalance,
    NotVerified,
    Done,
    Next,
}

impl Text {
    /// All texts.
    #[cfg(test)]
    pub(super) const ALL: [Self; 19] = [
        Self::Progress,
        Self::Survived,
        Self::PlatformKilled,
        Self::LedgerKilled,
        Self::BothKilled,
        Self::GaveUp,
        Self::Requests,
        Self::Faulty,
        Self::Same,
        Self::SameCount,
        Self::SameBooks,
        Self::SameLedger,
        Self::Verified,
        Self::NotTheSame,
        Self::OtherCount,
        Self::OtherBalance,
        Self::NotVerified,
        Self::Done,
        Self::Next,
    ];

    pub(super) fn in_language(self, language: Language) -> &'static str {
        let (portuguese, english) = match self {
            Self::Progress => (
                "semente {seed} · {kills} mortes · {requests} requisições, {faults} com falha",
                "seed {seed} · {kills} kills · {requests} requests, {faults} with a fault",
            ),
            Self::Survived => ("O que foi sobrevivido (semente {seed})", "What was survived (seed {seed})"),
            Self::PlatformKilled => ("plataforma morta (SIGKILL)", "platform killed (SIGKILL)"),
            Self::LedgerKilled => {
                ("ledger morto, com as transações à espera perdidas", "ledger killed, its waiting transactions lost")
            }
            Self::BothKilled => ("ambos mortos ao mesmo tempo", "both killed at once"),
            Self::GaveUp => {
                ("plataforma sem resposta do ledger, iniciada de novo", "platform without answers, started again")
            }
            Self::Requests => ("requisições ao ledger", "requests to the ledger"),
            Self::Faulty => ("das quais com falha", "of which with a fault"),
            Self::Same => ("O mesmo fim", "The same end"),
            Self::SameCount => (
                "transações no ledger: cada ordem uma vez, nada mais",
                "transactions on the ledger: each order once, and nothing else",
            ),
            Self::SameBooks => (
                "saldos nos livros como em uma execução sem falhas",
                "balances in the books as in a run without faults",
            ),
            Self::SameLedger => {
                ("saldos no ledger iguais aos dos livros", "balances on the ledger equal to the books'")
            }
            Self::Verified => (
                "eventos nas trilhas de auditoria, verificados com as tabelas",
                "events in the audit trails, verified with their tables",
            ),
            Self::NotTheSame => {
                ("o fim não é o de uma execução sem falhas", "the end is not that of a run without faults")
            }
            Self::OtherCount => (
                "o ledger tem {found} transações em vez de {planned}",
                "the ledger has {found} transactions instead of {planned}",
            ),
            Self::OtherBalance => ("{name}: {found} em vez de {planned}", "{name}: {found} instead of {planned}"),
            Self::NotVerified => ("`{store}` não confere: {why}", "`{store}` does not verify: {why}"),
            Self::Done => (
                "os livros são os mesmos que sem falhas, e nada foi perdido nem feito duas vezes",
                "the books are the same as without faults, and nothing was lost or done twice",
            ),
            Self::Next => ("Experimente", "Try next"),
        };
        match language {
            Language::PtBr => portuguese,
            Language::En => english,
        }
    }
}

/// A kind of fault in words.
pub(super) fn fault(kind: FaultKind, language: Language) -> &'static str {
    let (portuguese, english) = match kind {
        FaultKind::RequestLost => ("requisição perdida", "request lost"),
        FaultKind::AnswerLost => ("resposta perdida", "answer lost"),
        FaultKind::Delayed => ("atrasada", "delayed"),
        FaultKind::Doubled => ("duplicada", "doubled"),
        FaultKind::Overtaken => ("ultrapassada por outra", "overtaken by another"),
        FaultKind::TooManyRequests => ("recusada: HTTP 429", "turned away: HTTP 429"),
        FaultKind::BadGateway => ("HTTP 502, feita ou não", "HTTP 502, done or not"),
        FaultKind::HalfAnswer => ("resposta pela metade", "half an answer"),
        FaultKind::CutAnswer => ("conexão cortada na resposta", "connection cut in the answer"),
        FaultKind::WrongHash => ("hash de outra transação", "another transaction's hash"),
        FaultKind::StaleHead => ("bloco antigo dado como o último", "an old block given as the last"),
    };
    match language {
        Language::PtBr => portuguese,
        Language::En => english,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_said_in_both_languages() {
        assert!(Text::ALL.iter().enumerate().all(|(place, text)| *text as usize == place), "a text is not in the list");
        let texts =
            Text::ALL.map(|text| (format!("{text:?}"), Language::ALL.map(|language| text.in_language(language))));
        let faults =
            FaultKind::ALL.map(|kind| (kind.code().to_owned(), Language::ALL.map(|language| fault(kind, language))));
        let lines = texts.into_iter().chain(faults);
        let lines = lines.map(|(name, [portuguese, english])| format!("{name}\n  {portuguese}\n  {english}"));
        insta::assert_snapshot!(lines.collect::<Vec<String>>().join("\n"));
    }
}
