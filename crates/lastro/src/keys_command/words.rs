//! What the end of a key is told in, in Portuguese and English. A value stands in braces.

use crate::cli::Language;

/// The words of one language.
pub(super) struct Succession {
    /// Key, since, ordered by, reason, successor.
    pub(super) headings: [&'static str; 5],
    pub(super) begun: &'static str,
    pub(super) begun_before: &'static str,
    pub(super) made: &'static str,
    pub(super) taken: &'static str,
    pub(super) retired: &'static str,
    pub(super) nothing_more: &'static str,
    pub(super) not_retired: &'static str,
    pub(super) left_open: &'static str,
    pub(super) no_successor: &'static str,
    pub(super) left_to_do: &'static str,
    /// What no key's end changes by itself.
    pub(super) to_do: [&'static str; 4],
    pub(super) approved: &'static str,
}

impl Succession {
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::PtBr => &PORTUGUESE,
        }
    }
}

const ENGLISH: Succession = Succession {
    headings: ["key", "since", "ordered by", "reason", "successor"],
    begun: "the retirement is begun: no process stores anything new in the lane, nor in its successor's until it is finished",
    begun_before: "the retirement was begun before: {who}, {since}: {reason}",
    made: "the successor `{label}` is made: {address}",
    taken: "the successor is `{label}`: {address}",
    retired: "retired",
    nothing_more: "nothing in the lane is without an end, and no process stores anything in it ever again",
    not_retired: "not retired",
    left_open: "without an end: {count}; the retirement stays begun, the same command goes on",
    no_successor: "none",
    left_to_do: "Left to do",
    to_do: [
        "on contracts: grant the old address's roles to the successor, and revoke them",
        "in the network's permissioning: admit the successor, and remove the old address",
        "the old address keeps what it owns, coin and tokens: nothing was moved",
        "the old key's file or token object is still there: keep or destroy it as your rules say",
    ],
    approved: "This approves that {sender} is retired under version {version} of its policy; successor: {successor}.",
};

const PORTUGUESE: Succession = Succession {
    headings: ["chave", "desde", "por ordem de", "motivo", "sucessora"],
    begun: "a aposentadoria começou: nenhum processo guarda nada novo na fila, nem na da sucessora até que termine",
    begun_before: "a aposentadoria já tinha começado: {who}, {since}: {reason}",
    made: "a sucessora `{label}` foi criada: {address}",
    taken: "a sucessora é `{label}`: {address}",
    retired: "aposentada",
    nothing_more: "nada na fila está sem desfecho, e nenhum processo guarda mais nada nela",
    not_retired: "não aposentada",
    left_open: "sem desfecho: {count}; a aposentadoria continua iniciada, o mesmo comando prossegue",
    no_successor: "nenhuma",
    left_to_do: "Falta fazer",
    to_do: [
        "nos contratos: conceda à sucessora os papéis do endereço antigo, e revogue os dele",
        "no permissionamento da rede: admita a sucessora, e retire o endereço antigo",
        "o endereço antigo conserva o que possui, moeda e tokens: nada foi movido",
        "o arquivo ou objeto de token da chave antiga ainda existe: guarde-o ou destrua-o conforme as suas regras",
    ],
    approved: "Isto aprova que {sender} seja aposentada sob a versão {version} da sua política; sucessora: {successor}.",
};
