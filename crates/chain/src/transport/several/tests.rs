//! Several nodes by models of them, in virtual time.

use std::future::pending;

use alloy_primitives::{B256, Bytes, U64};
use serde_json::{Value, json};
use tokio::task::yield_now;
use tokio::time::advance;

use super::*;
use crate::rpc::RpcError;

/// How a model of a node meets what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// It takes no connection.
    Away,
    /// It gets what is asked, and its answer is lost.
    Deaf,
    /// It answers questions, and no transaction.
    NeverAnswersTransactions,
    /// It refuses transactions for good.
    Refuses,
    /// It says that it has them already.
    Knows,
    /// It says something to transactions that nobody can read.
    Mumbles,
}

struct Model {
    state: Mutex<State>,
}

struct State {
    mood: Mood,
    chain_id: u64,
    genesis: B256,
    head: u64,
    /// The methods it was asked, but for those that say which ledger it is on.
    asked: Vec<String>,
    examined: u32,
}

impl Model {
    fn new(mood: Mood) -> Arc<Self> {
        let (chain_id, genesis) = (1337, B256::repeat_byte(7));
        Arc::new(Self {
            state: Mutex::new(State { mood, chain_id, genesis, head: 100, asked: Vec::new(), examined: 0 }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn is_now(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// How many transactions and how many questions it got.
    fn got(&self) -> (usize, usize) {
        let state = self.state();
        let transactions = state.asked.iter().filter(|method| *method == "eth_sendRawTransaction").count();
        (transactions, state.asked.len() - transactions)
    }

    async fn carry(&self, request: String) -> Result<String, TransportError> {
        // Whoever asks is not answered at once, so that others get their turn.
        yield_now().await;
        let request: Value = serde_json::from_str(&request).unwrap();
        let mood = self.state().mood;
        if mood == Mood::Away {
            return Err(TransportError::NotSent { reason: "no connection".to_owned() });
        }
        let result = self.state().take(request["method"].as_str().unwrap());
        if mood == Mood::Deaf {
            return Err(TransportError::OutcomeUnknown { reason: "lost".to_owned() });
        }
        let is_transaction = request["method"] == "eth_sendRawTransaction";
        let error = |code: i64, message: &str| json!({ "code": code, "message": message });
        let (name, said) = match mood {
            Mood::NeverAnswersTransactions if is_transaction => pending().await,
            Mood::Refuses if is_transaction => {
                ("error", error(-32005, "Transaction gas limit exceeds block gas limit"))
            }
            Mood::Knows if is_transaction => ("error", error(-32000, "Known transaction")),
            Mood::Mumbles if is_transaction => return Ok("<html>".to_owned()),
            _ => ("result", result),
        };
        Ok(json!({ "jsonrpc": "2.0", "id": request["id"], name: said }).to_string())
    }
}

impl State {
    fn take(&mut self, method: &str) -> Value {
        if ["eth_chainId", "eth_getBlockByNumber"].contains(&method) {
            self.examined += 1;
        } else {
            self.asked.push(method.to_owned());
        }
        match method {
            "eth_chainId" => json!(U64::from(self.chain_id)),
            "eth_getBlockByNumber" => json!({ "number": "0x0", "hash": self.genesis }),
            "eth_blockNumber" => json!(U64::from(self.head)),
            _ => json!(B256::repeat_byte(1)),
        }
    }
}

impl RpcTransport for Model {
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
        Box::pin(self.carry(request))
    }
}

/// Several nodes with these moods, and what sends over them.
struct Bench {
    models: Vec<Arc<Model>>,
    several: Arc<SeveralNodes>,
    rpc: Rpc,
}

impl Bench {
    fn of(moods: &[Mood]) -> Self {
        Self::over(moods.iter().map(|&mood| Model::new(mood)).collect())
    }

    fn over(models: Vec<Arc<Model>>) -> Self {
        let mut named = models.iter().cloned().enumerate().map(|(index, model)| (format!("node-{index}"), model));
        let (name, first) = named.next().unwrap();
        let several = named.fold(SeveralNodes::first(name, first), |several, (name, model)| several.then(name, model));
        let several = Arc::new(several);
        Self { models, rpc: Rpc::new(Arc::<SeveralNodes>::clone(&several)), several }
    }

    async fn submit(&self) -> Result<B256, RpcError> {
        self.rpc.send_raw_transaction(&Bytes::from_static(&[1])).await
    }

    /// Waits until no copy and no look is on its way.
    async fn settled(&self) {
        let mut tasks = std::mem::take(&mut *self.several.tasks.lock().unwrap());
        while tasks.join_next().await.is_some() {}
    }

    fn front(&self) -> String {
        self.several.view().in_front
    }

    /// How many transactions each got.
    fn transactions(&self) -> Vec<usize> {
        self.models.iter().map(|model| model.got().0).collect()
    }
}

fn is_unknown<T>(result: Result<T, RpcError>) -> bool {
    matches!(result, Err(RpcError::OutcomeUnknown { .. }))
}

#[tokio::test(start_paused = true)]
async fn the_first_node_is_asked_and_others_only_for_what_it_cannot_have() {
    let bench = Bench::of(&[Mood::Well, Mood::Well, Mood::Well]);
    assert_eq!(bench.rpc.block_number().await, Ok(100));
    assert_eq!(bench.models.iter().map(|model| model.got().1).collect::<Vec<_>>(), [1, 0, 0]);
    bench.models[0].is_now(Mood::Away);
    bench.models[1].is_now(Mood::Away);
    assert_eq!(bench.rpc.block_number().await, Ok(100), "the third has it");
    bench.models[2].is_now(Mood::Away);
    let error = bench.rpc.block_number().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "eth_blockNumber was not sent: node-0: no connection; node-1: eth_chainId was not sent: no connection; \
         node-2: no connection"
    );
    let view = bench.several.view();
    assert_eq!((view.in_front.as_str(), view.moves), ("node-0", 0), "two failures in a row are not three");
    assert_eq!((view.nodes[0].answers, view.nodes[0].not_sent, view.nodes[2].answers), (1, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn an_error_is_an_answer() {
    let bench = Bench::of(&[Mood::Refuses, Mood::Well]);
    for _ in 0..10 {
        assert!(matches!(bench.submit().await, Err(RpcError::Answered { .. })));
    }
    bench.settled().await;
    assert_eq!((bench.front().as_str(), bench.transactions()), ("node-0", vec![10, 0]));
}

#[tokio::test(start_paused = true)]
async fn what_one_node_may_have_is_not_sent_to_another_in_the_same_call() {
    let bench = Bench::of(&[Mood::Well, Mood::Refuses]);
    let _ = bench.rpc.block_number().await.unwrap();
    bench.models[0].is_now(Mood::Deaf);
    assert!(is_unknown(bench.submit().await));
    bench.settled().await;
    assert_eq!(bench.transactions(), [1, 0]);
    // Nor does it help that one of those before certainly has nothing.
    let bench = Bench::of(&[Mood::Away, Mood::Well, Mood::Refuses]);
    let _ = bench.rpc.block_number().await.unwrap();
    bench.models[1].is_now(Mood::Deaf);
    assert!(is_unknown(bench.submit().await));
    bench.settled().await;
    assert_eq!(bench.transactions(), [0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_of_one_node_that_alone_got_the_bytes() {
    // Of the first node, and of one behind nodes that certainly got nothing.
    for (moods, expected) in [
        ([Mood::Refuses, Mood::Well, Mood::Well], [1, 0, 0]),
        ([Mood::Away, Mood::Refuses, Mood::Well], [0, 1, 0]),
        ([Mood::Away, Mood::Away, Mood::Refuses], [0, 0, 1]),
    ] {
        let bench = Bench::of(&moods);
        assert!(matches!(bench.submit().await, Err(RpcError::Answered { .. })));
        bench.settled().await;
        assert_eq!(bench.transactions(), expected, "{moods:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn copies_are_of_what_a_node_has_and_of_nothing_else() {
    for (mood, copies) in [(Mood::Well, 1), (Mood::Knows, 1), (Mood::Refuses, 0), (Mood::Mumbles, 0)] {
        let bench = Bench::of(&[mood, Mood::Well, Mood::Well, Mood::Well]);
        let _ = bench.submit().await;
        bench.settled().await;
        assert_eq!(bench.transactions(), [1, copies, copies, 0], "{mood:?}: three nodes have a transaction");
        assert_eq!(bench.several.view().nodes[1].copies_answered, copies as u64);
    }
    let bench = Bench::of(&[Mood::Well, Mood::Well]);
    let _ = bench.rpc.block_number().await.unwrap();
    bench.settled().await;
    assert_eq!(bench.models[1].got(), (0, 0), "questions are not copied");
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_copies_does_not_matter() {
    for mood in [Mood::Away, Mood::Deaf, Mood::Refuses, Mood::NeverAnswersTransactions, Mood::Mumbles] {
        let bench = Bench::of(&[Mood::Well, mood, mood]);
        let began = Instant::now();
        for _ in 0..10 {
            assert_eq!(bench.submit().await, Ok(B256::repeat_byte(1)));
        }
        assert_eq!(began.elapsed(), Duration::ZERO, "{mood:?}: nobody waits for copies");
        bench.settled().await;
        assert!(began.elapsed() <= COPY_TIME_MAX + Duration::from_millis(10), "{mood:?}: each has its time");
        let view = bench.several.view();
        assert_eq!((view.in_front.as_str(), view.moves), ("node-0", 0), "{mood:?}");
        let NodeOfSeveral { copies_answered, copies_unanswered, copies_dropped, .. } = view.nodes[1];
        assert_eq!(copies_answered + copies_unanswered + copies_dropped, 10, "{mood:?}");
        assert_eq!(copies_answered == 10, [Mood::Refuses, Mood::Mumbles].contains(&mood), "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn copies_on_their_way_are_bounded_and_those_that_are_not_sent_are_counted() {
    let bench = Bench::of(&[Mood::Well, Mood::NeverAnswersTransactions]);
    for _ in 0..COPIES_AT_ONCE_MAX + 5 {
        let _ = bench.submit().await.unwrap();
    }
    assert_eq!(bench.several.view().nodes[1].copies_dropped, 5);
    bench.settled().await;
    assert_eq!(bench.several.view().nodes[1].copies_unanswered, COPIES_AT_ONCE_MAX as u64);
    let _ = bench.submit().await.unwrap();
    assert_eq!(bench.several.view().nodes[1].copies_dropped, 5, "there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_node_of_which_nothing_is_heard_is_left_after_some_failures() {
    let bench = Bench::of(&[Mood::Well, Mood::Well]);
    let _ = bench.rpc.block_number().await.unwrap();
    bench.models[0].is_now(Mood::Deaf);
    for _ in 0..FAILURES_IN_A_ROW_MAX {
        assert_eq!(bench.front(), "node-0");
        assert!(is_unknown(bench.rpc.block_number().await));
    }
    assert_eq!((bench.front().as_str(), bench.rpc.block_number().await), ("node-1", Ok(100)));
    let view = bench.several.view();
    assert_eq!((view.moves, view.nodes[0].unknown), (1, 3));
    assert_eq!(view.nodes[0].last_failure.as_deref(), Some("lost"));
}

/// The front is with the second node, and the first is well again.
async fn moved() -> Bench {
    let bench = Bench::of(&[Mood::Well, Mood::Well]);
    let _ = bench.rpc.block_number().await.unwrap();
    bench.models[0].is_now(Mood::Away);
    for _ in 0..FAILURES_IN_A_ROW_MAX {
        assert_eq!(bench.rpc.block_number().await, Ok(100));
    }
    assert_eq!(bench.front(), "node-1");
    bench.models[0].is_now(Mood::Well);
    bench
}

/// Somebody asks something, and a look at the first node, if it is time for one, comes to its end.
async fn ask_after(bench: &Bench, pause: Duration) -> String {
    advance(pause).await;
    let _ = bench.rpc.block_number().await.unwrap();
    bench.settled().await;
    bench.front()
}

#[tokio::test(start_paused = true)]
async fn the_first_node_is_returned_to_when_it_answers_and_has_the_blocks() {
    let bench = moved().await;
    assert_eq!(ask_after(&bench, Duration::from_secs(20)).await, "node-1", "not before its pause");
    bench.models[0].is_now(Mood::Away);
    assert_eq!(ask_after(&bench, Duration::from_secs(10)).await, "node-1", "it does not answer");
    bench.models[0].is_now(Mood::Well);
    bench.models[1].state().head = 100 + RETURN_LAG_BLOCKS_MAX + 1;
    assert_eq!(ask_after(&bench, Duration::from_secs(30)).await, "node-1", "it is behind");
    bench.models[0].state().head += 1;
    assert_eq!(ask_after(&bench, Duration::from_secs(29)).await, "node-1", "each look after a pause");
    assert_eq!(ask_after(&bench, Duration::from_secs(1)).await, "node-0");
    assert_eq!(bench.several.view().moves, 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_on_another_ledger_gets_nothing_but_the_question_which_one_it_is() {
    for differs in [|state: &mut State| state.chain_id += 1, |state: &mut State| state.genesis = B256::ZERO] {
        let bench = Bench::of(&[Mood::Well, Mood::Well, Mood::Well]);
        differs(&mut bench.models[1].state());
        for _ in 0..10 {
            let _ = bench.submit().await.unwrap();
        }
        bench.settled().await;
        bench.models[0].is_now(Mood::Away);
        for _ in 0..10 {
            let _ = bench.submit().await.unwrap();
        }
        bench.settled().await;
        assert_eq!(bench.transactions(), [10, 0, 20]);
        let view = bench.several.view();
        assert_eq!(view.nodes.iter().map(|node| node.is_on_other_ledger).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(view.in_front, "node-2");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_node_that_comes_back_as_another_ledger_is_not_returned_to() {
    let bench = moved().await;
    bench.models[0].state().genesis = B256::ZERO;
    assert_eq!(ask_after(&bench, Duration::from_secs(30)).await, "node-1");
    assert_eq!(ask_after(&bench, Duration::from_secs(9_999)).await, "node-1");
    assert!(bench.several.view().nodes[0].is_on_other_ledger);
}

#[tokio::test(start_paused = true)]
async fn each_node_is_examined_once_as_long_as_it_is_not_left() {
    let bench = Bench::of(&[Mood::Well, Mood::Well]);
    for _ in 0..5 {
        let _ = bench.submit().await.unwrap();
    }
    bench.settled().await;
    assert_eq!(bench.models[0].state().examined, 2, "chain id and block 0");
    let left = moved().await;
    assert_eq!(ask_after(&left, Duration::from_secs(30)).await, "node-0");
    assert_eq!(left.models[0].state().examined, 4);
}

#[tokio::test(start_paused = true)]
async fn copies_end_with_their_owner() {
    let bench = Bench::of(&[Mood::Well, Mood::NeverAnswersTransactions]);
    let _ = bench.submit().await.unwrap();
    while bench.models[1].got().0 == 0 {
        yield_now().await;
    }
    let copying = Arc::clone(&bench.several.nodes.each[1].copying);
    assert_eq!(copying.available_permits(), COPIES_AT_ONCE_MAX - 1);
    drop(bench);
    yield_now().await;
    assert_eq!(copying.available_permits(), COPIES_AT_ONCE_MAX);
}
