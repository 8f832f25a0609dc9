//! Everything that `lastro tx` says when it succeeds, in Portuguese and English. A value stands in braces.

use crate::cli::Language;
use chain::{TransactionState, Verdict};

/// The words of one language.
pub(crate) struct Words {
    /// Key, attempt, state, sender, nonce, hash, block, subject.
    pub(super) columns: [&'static str; 8],
    states: [&'static str; 5],
    pub(super) no_transactions: &'static str,
    pub(super) has_more: &'static str,
    pub(super) attempt: &'static str,
    pub(super) more_attempts: &'static str,
    pub(super) log: &'static str,
    pub(super) signed: &'static str,
    pub(super) bytes: &'static str,
    pub(super) fingerprint: &'static str,
    pub(super) sent_again: &'static str,
    pub(super) cheaper_before: &'static str,
    yes: &'static str,
    no: &'static str,
    pub(super) creates: &'static str,
    pub(super) cancelled_because: &'static str,
    pub(super) empty_transaction: &'static str,
    pub(super) reason: &'static str,
    pub(super) block: &'static str,
    pub(super) gas_used: &'static str,
    pub(super) logs: &'static str,
    pub(super) logs_elsewhere: &'static str,
    pub(super) no_reason_kept: &'static str,
    pub(super) ended_succeeded: &'static str,
    pub(super) ended_reverted: &'static str,
    pub(super) ended_refused: &'static str,
    pub(super) told_policy: &'static str,
    pub(super) told_approved: &'static str,
    pub(super) told_signed: &'static str,
    pub(super) told_repriced: &'static str,
    pub(super) told_cancelling: &'static str,
    pub(super) told_succeeded: &'static str,
    pub(super) told_reverted: &'static str,
    pub(super) told_refused: &'static str,
    pub(super) waiting: &'static str,
    pub(super) sent_again_now: &'static str,
    pub(super) ended_before: &'static str,
    pub(super) no_outcome: &'static str,
    pub(super) cancel_begun: &'static str,
    pub(super) cancelled_before: &'static str,
    pub(super) empty_won: &'static str,
    pub(super) not_cancelled: &'static str,
    pub(super) asking: &'static str,
    pub(super) store_says: &'static str,
    pub(super) silent: &'static str,
    pub(super) head: &'static str,
    pub(super) sender_count: &'static str,
    pub(super) transaction: &'static str,
    pub(super) used_by: &'static str,
    pub(super) used_long_ago: &'static str,
    pub(super) nowhere: &'static str,
    pub(super) in_pool: &'static str,
    pub(super) in_block: &'static str,
    pub(super) in_block_reverted: &'static str,
    verdicts: VerdictWords,
}

/// What each verdict means, and what to do.
struct VerdictWords {
    other_ledger: &'static str,
    agrees: &'static str,
    node_behind: &'static str,
    contradicts: &'static str,
    mined_not_stored: &'static str,
    cancelled_not_stored: &'static str,
    displaced_not_stored: &'static str,
    in_pool: &'static str,
    waits_for_lower: &'static str,
    lost: &'static str,
    lost_behind_lower: &'static str,
    used_long_ago: &'static str,
}

impl Words {
    /// The words of a language.
    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::PtBr => &PORTUGUESE,
        }
    }

    /// Where an attempt stands.
    pub(crate) const fn state(&self, state: TransactionState) -> &'static str {
        match state {
            TransactionState::Sent => self.states[0],
            TransactionState::Cancelling => self.states[1],
            TransactionState::Succeeded => self.states[2],
            TransactionState::Reverted => self.states[3],
            TransactionState::Refused => self.states[4],
        }
    }

    pub(super) const fn yes_or_no(&self, is_so: bool) -> &'static str {
        if is_so { self.yes } else { self.no }
    }

    /// What a verdict means, and what to do.
    pub(super) const fn verdict(&self, verdict: Verdict) -> &'static str {
        let words = &self.verdicts;
        match verdict {
            Verdict::OtherLedger => words.other_ledger,
            Verdict::Agrees => words.agrees,
            Verdict::NodeBehind => words.node_behind,
            Verdict::Contradicts => words.contradicts,
            Verdict::MinedNotStored => words.mined_not_stored,
            Verdict::CancelledNotStored => words.cancelled_not_stored,
            Verdict::DisplacedNotStored => words.displaced_not_stored,
            Verdict::InPool => words.in_pool,
            Verdict::WaitsForLower => words.waits_for_lower,
            Verdict::Lost => words.lost,
            Verdict::LostBehindLower => words.lost_behind_lower,
            Verdict::UsedLongAgo => words.used_long_ago,
        }
    }
}

const ENGLISH: Words = Words {
    columns: ["key", "attempt", "state", "sender", "nonce", "hash", "block", "subject"],
    states: ["sent", "being cancelled", "succeeded", "reverted", "refused"],
    no_transactions: "no transactions",
    has_more: "there are more: `--limit` takes up to 1000",
    attempt: "attempt {number} of `{key}`",
    more_attempts: "there are older attempts",
    log: "what the log tells: when, of which attempt, what",
    signed: "stored",
    bytes: "signed bytes",
    fingerprint: "fingerprint",
    sent_again: "sent more than once",
    cheaper_before: "at a lower price before",
    yes: "yes",
    no: "no",
    creates: "contract",
    cancelled_because: "why it is cancelled",
    empty_transaction: "empty transaction",
    reason: "reason",
    block: "block",
    gas_used: "gas used",
    logs: "logs",
    logs_elsewhere: "on the ledger alone, they are too long",
    no_reason_kept: "it reverted, and no node said why",
    ended_succeeded: "in block {number}",
    ended_reverted: "in block {number}: {reason}",
    ended_refused: "it has no effect, and never will have: {reason}",
    told_policy: "the key's policy refused it, nothing was signed: {reason} [{code}]",
    told_approved: "approved by {count} persons",
    told_signed: "signed and stored",
    told_repriced: "no block took it, signed anew at a higher price: {hash}",
    told_cancelling: "an empty transaction competes with it: {reason}",
    told_succeeded: "succeeded in block {number}",
    told_reverted: "reverted in block {number}",
    told_refused: "refused: {reason}",
    waiting: "waiting for the outcome",
    sent_again_now: "the stored bytes were offered to the node again: nonce {nonce}, transaction {hash}",
    ended_before: "it has ended already, nothing was sent",
    no_outcome: "nobody knows yet how it ends",
    cancel_begun: "an empty transaction, {empty}, competes with {hash} for nonce {nonce}",
    cancelled_before: "this was begun before: the empty transaction {empty} competes with {hash} for nonce {nonce}",
    empty_won: "the empty transaction won: the intent has no effect, and its key is free",
    not_cancelled: "not cancelled",
    asking: "asking the node",
    store_says: "the store: `{key}` is {state}, nonce {nonce} of {sender}, transaction {hash}",
    silent: "no answer",
    head: "head",
    sender_count: "sender's nonce",
    transaction: "transaction",
    used_by: "nonce used by",
    used_long_ago: "another transaction, more than 1024 blocks ago",
    nowhere: "neither in the pool nor in a block",
    in_pool: "in the pool",
    in_block: "in block {number} {hash}, succeeded, gas {gas}",
    in_block_reverted: "in block {number} {hash}, reverted, gas {gas}",
    verdicts: VerdictWords {
        other_ledger: "This node is on another ledger than the store's. Ask a node of the store's ledger.",
        agrees: "Node and store say the same. There is nothing to do.",
        node_behind: "The store has the end from a block that this node does not have yet. Wait until the node has caught up, or ask \
                      another.",
        contradicts: "The node has something else than what the store has as final: the ledger was changed, or one of the two is \
                      wrong. Stop sending, and find out which ledger counts.",
        mined_not_stored: "It is mined, and the store does not have the end yet. `lastro tx retry` or a running service stores it.",
        cancelled_not_stored: "The empty transaction is mined, and the store does not have the end yet. `lastro tx retry` or a \
                               running service stores it.",
        displaced_not_stored: "Another transaction used nonce {nonce}: somebody else sends with this key. The intent has no effect. \
                               Find out who has the key; `lastro tx retry` stores the end.",
        in_pool: "The node has it, and its turn has come: it waits for a block. If none comes, look at the validators.",
        waits_for_lower: "The node has it, and waits for lower nonces of the lane, from {lowest} on. Retry the intent with nonce \
                          {lowest}.",
        lost: "The node does not have it, and the lane waits for it. `lastro tx retry` sends the same bytes again; `lastro tx \
               cancel` gives the nonce to an empty transaction.",
        lost_behind_lower: "The node does not have it, nor the lane's lower nonces from {lowest} on. Retry the intent with nonce \
                            {lowest} first.",
        used_long_ago: "Nonce {nonce} was used more than 1024 blocks ago by another transaction. Look it up on the ledger: somebody \
                        else sends with this key, or the node has lost ours.",
    },
};

const PORTUGUESE: Words = Words {
    columns: ["chave", "tentativa", "estado", "remetente", "nonce", "hash", "bloco", "assunto"],
    states: ["enviada", "em cancelamento", "executada", "revertida", "recusada"],
    no_transactions: "nenhuma transação",
    has_more: "há mais: `--limit` aceita até 1000",
    attempt: "tentativa {number} de `{key}`",
    more_attempts: "há tentativas mais antigas",
    log: "o que o registro conta: quando, de qual tentativa, o quê",
    signed: "guardada",
    bytes: "bytes assinados",
    fingerprint: "impressão",
    sent_again: "enviada mais de uma vez",
    cheaper_before: "antes por um preço menor",
    yes: "sim",
    no: "não",
    creates: "contrato",
    cancelled_because: "por que é cancelada",
    empty_transaction: "transação vazia",
    reason: "motivo",
    block: "bloco",
    gas_used: "gás usado",
    logs: "logs",
    logs_elsewhere: "só no ledger, são longos demais",
    no_reason_kept: "reverteu, e nenhum nó disse por quê",
    ended_succeeded: "no bloco {number}",
    ended_reverted: "no bloco {number}: {reason}",
    ended_refused: "não tem efeito, e nunca terá: {reason}",
    told_policy: "a política da chave recusou, nada foi assinado: {reason} [{code}]",
    told_approved: "aprovada por {count} pessoas",
    told_signed: "assinada e guardada",
    told_repriced: "nenhum bloco a incluiu, assinada de novo por um preço maior: {hash}",
    told_cancelling: "uma transação vazia compete com ela: {reason}",
    told_succeeded: "executada no bloco {number}",
    told_reverted: "revertida no bloco {number}",
    told_refused: "recusada: {reason}",
    waiting: "esperando o desfecho",
    sent_again_now: "os bytes guardados foram oferecidos de novo ao nó: nonce {nonce}, transação {hash}",
    ended_before: "já tem desfecho, nada foi enviado",
    no_outcome: "ainda ninguém sabe como termina",
    cancel_begun: "uma transação vazia, {empty}, compete com {hash} pelo nonce {nonce}",
    cancelled_before: "isto já havia começado: a transação vazia {empty} compete com {hash} pelo nonce {nonce}",
    empty_won: "a transação vazia venceu: a intenção não tem efeito, e sua chave está livre",
    not_cancelled: "não cancelada",
    asking: "perguntando ao nó",
    store_says: "o repositório: `{key}` está {state}, nonce {nonce} de {sender}, transação {hash}",
    silent: "sem resposta",
    head: "último bloco",
    sender_count: "nonce do remetente",
    transaction: "transação",
    used_by: "nonce usado por",
    used_long_ago: "outra transação, há mais de 1024 blocos",
    nowhere: "nem no pool nem em um bloco",
    in_pool: "no pool",
    in_block: "no bloco {number} {hash}, executada, gás {gas}",
    in_block_reverted: "no bloco {number} {hash}, revertida, gás {gas}",
    verdicts: VerdictWords {
        other_ledger: "Este nó está em outro ledger que o do repositório. Pergunte a um nó do ledger do repositório.",
        agrees: "Nó e repositório dizem o mesmo. Não há nada a fazer.",
        node_behind: "O repositório tem o desfecho de um bloco que este nó ainda não tem. Espere o nó alcançá-lo, ou pergunte a outro.",
        contradicts: "O nó tem outra coisa que o que o repositório tem por final: o ledger foi alterado, ou um dos dois está errado. \
                      Pare de enviar, e descubra qual ledger vale.",
        mined_not_stored: "Está em um bloco, e o repositório ainda não tem o desfecho. `lastro tx retry` ou um serviço em execução \
                           o guarda.",
        cancelled_not_stored: "A transação vazia está em um bloco, e o repositório ainda não tem o desfecho. `lastro tx retry` ou um \
                               serviço em execução o guarda.",
        displaced_not_stored: "Outra transação usou o nonce {nonce}: mais alguém envia com esta chave. A intenção não tem efeito. \
                               Descubra quem tem a chave; `lastro tx retry` guarda o desfecho.",
        in_pool: "O nó a tem, e é a sua vez: espera um bloco. Se nenhum vier, olhe os validadores.",
        waits_for_lower: "O nó a tem, e espera nonces menores da fila, a partir de {lowest}. Reenvie a intenção com o nonce {lowest}.",
        lost: "O nó não a tem, e a fila espera por ela. `lastro tx retry` envia de novo os mesmos bytes; `lastro tx cancel` dá o \
               nonce a uma transação vazia.",
        lost_behind_lower: "O nó não a tem, nem os nonces menores da fila a partir de {lowest}. Reenvie primeiro a intenção com o \
                            nonce {lowest}.",
        used_long_ago: "O nonce {nonce} foi usado há mais de 1024 blocos por outra transação. Procure-a no ledger: mais alguém envia \
                        com esta chave, ou o nó perdeu a nossa.",
    },
};
