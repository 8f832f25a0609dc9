//! One run of the demonstration: the ledger, the lanes, and what came of every step.

use super::books::{Books, Posting};
use super::movements::Movements;
use super::parties::{PARTIES, Party};
use super::plan::{Effect, Plan, Stage, Step, Target};
use super::texts::{Text, Texts};
use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use alloy_primitives::{Address, Bytes, U256};
use chain::{Chain, Execution, Intent, IntentKey, Lane, Mined, Outcome, OutcomeError, SubmitError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Most gas of a creation: the largest contract of the suite needs about 4.2 million.
const CREATE_GAS_MAX: u64 = 8_000_000;
/// Most gas of a call: the dearest, a settlement between clients of two banks, needs about 0.4 million.
const CALL_GAS_MAX: u64 = 1_000_000;
/// How long one transaction may take until it is in a block. Far beyond any block period of the demonstration.
const OUTCOME_WAIT_MAX: Duration = Duration::from_secs(60);

/// What came of a step.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// Idempotency key.
    pub(crate) key: String,
    /// What it was.
    pub(crate) subject: String,
    /// Who sent it.
    pub(crate) party: Party,
    /// The transaction in its block.
    pub(crate) mined: Mined,
    /// From sending until it was seen in a block; `None` if an earlier run had sent it.
    pub(crate) latency: Option<Duration>,
}

/// Settled operation, or what failed on purpose.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    /// Its place in the plan.
    pub(crate) operation: usize,
    /// The transaction that moved everything, by its place in [`Session::done`].
    pub(crate) step: usize,
}

/// The run.
pub(crate) struct Session {
    chain: Arc<Chain>,
    lanes: BTreeMap<Party, Lane>,
    movements: Movements,
    /// Every step so far, in the plan's order.
    pub(crate) done: Vec<Done>,
    /// Operations that settled, in the plan's order.
    pub(crate) settled: Vec<Settled>,
    /// The contract's own words for the failure that was meant.
    pub(crate) refused: Option<String>,
    /// The books.
    pub(crate) books: Books,
}

impl Session {
    /// Opens a lane for everybody.
    ///
    /// # Errors
    /// [`Failure`] if a lane cannot be opened.
    pub(crate) async fn new(chain: Chain, plan: &Plan) -> Result<Self, Failure> {
        let mut lanes = BTreeMap::new();
        for party in PARTIES {
            let lane = chain.lane(&party.key_label()).await;
            let lane = lane.map_err(|error| Failure::new(FailureKind::Environment, error))?;
            let _ = lanes.insert(party, lane);
        }
        let movements = Movements::new(plan, |party| lanes[&party].sender());
        Ok(Self {
            chain: Arc::new(chain),
            lanes,
            movements,
            done: Vec::new(),
            settled: Vec::new(),
            refused: None,
            books: Books::default(),
        })
    }

    /// The chain, for reading.
    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Somebody's wallet.
    pub(crate) fn wallet(&self, party: Party) -> Address {
        self.lanes[&party].sender()
    }

    /// Plays all stages.
    ///
    /// # Errors
    /// [`Failure`] at the first step that did not do what the plan says.
    pub(crate) async fn play(&mut self, plan: &Plan, texts: Texts, printer: &Printer) -> Result<(), Failure> {
        let (all, transactions) = (plan.step_count(), texts.text(Text::Transactions));
        for stage in &plan.stages {
            printer.progress(&format!("{}/{all} {transactions} · {}", self.done.len(), texts.title(stage.title)));
            self.play_stage(plan, stage).await?;
        }
        printer.progress_end();
        Ok(())
    }

    /// Sends one intent outside of the plan, and waits for it: for whoever tests that the books notice.
    #[cfg(test)]
    pub(crate) async fn send_outside_the_plan(&self, party: Party, contract: Address, data: Bytes) -> Mined {
        let key = IntentKey::parse(&format!("outside-the-plan/{}", alloy_primitives::keccak256(&data))).unwrap();
        let intent = Intent::call(key, contract, data, CALL_GAS_MAX, "outside the plan");
        let submitted = self.lanes[&party].submit(&intent).await.unwrap();
        match self.chain.outcome(&submitted.key, OUTCOME_WAIT_MAX).await.unwrap() {
            Outcome::Mined(mined) => mined,
            Outcome::Refused(refusal) => panic!("refused: {}", refusal.reason),
        }
    }

    async fn play_stage(&mut self, plan: &Plan, stage: &Stage) -> Result<(), Failure> {
        let first = self.done.len();
        let mut sent: JoinSet<Result<Vec<(usize, Done)>, Failure>> = JoinSet::new();
        for (party, lane) in &self.lanes {
            let steps: Vec<(usize, Step)> =
                stage.steps.iter().cloned().enumerate().filter(|(_, step)| step.party == *party).collect();
            if !steps.is_empty() {
                let _ = sent.spawn(send(Arc::clone(&self.chain), lane.clone(), steps));
            }
        }
        let mut done: Vec<(usize, Done)> = Vec::with_capacity(stage.steps.len());
        while let Some(result) = sent.join_next().await {
            let of_lane = result.map_err(|error| Failure::new(FailureKind::Unknown, error))?;
            done.extend(of_lane?);
        }
        done.sort_by_key(|(place, _)| *place);
        self.done.extend(done.into_iter().map(|(_, done)| done));
        self.confirm(plan, stage, first)
    }

    /// Compares what moved with what was ordered, and posts what was ordered.
    fn confirm(&mut self, plan: &Plan, stage: &Stage, first: usize) -> Result<(), Failure> {
        let mut commanded: BTreeMap<usize, usize> = BTreeMap::new();
        for (place, step) in stage.steps.iter().enumerate() {
            let index = first + place;
            let moved = self.movements.of(&self.done[index].mined.logs);
            let moved = moved.map_err(|error| Failure::new(FailureKind::Refused, error))?;
            match &step.effect {
                Effect::Nothing => self.expect(plan, step, index, &[], &moved)?,
                Effect::Moves(postings) => {
                    self.expect(plan, step, index, postings, &moved)?;
                    self.post(postings)?;
                }
                Effect::Fails(error) => self.expect_failure(step, index, error)?,
                Effect::Command(operation) => match commanded.remove(operation) {
                    None => {
                        let _ = commanded.insert(*operation, index);
                    }
                    Some(other) => self.confirm_operation(plan, step, *operation, [other, index])?,
                },
            }
        }
        Ok(())
    }

    /// One of the two commands moved everything, money and bonds together, and the other nothing.
    fn confirm_operation(
        &mut self,
        plan: &Plan,
        step: &Step,
        operation: usize,
        pair: [usize; 2],
    ) -> Result<(), Failure> {
        let ordered = &plan.operations[operation];
        let place = |index: usize| (self.done[index].mined.block_number, self.done[index].mined.transaction_index);
        let [opening, settling] = if place(pair[0]) < place(pair[1]) { pair } else { [pair[1], pair[0]] };
        for (index, postings) in [(opening, [].as_slice()), (settling, ordered.postings.as_slice())] {
            let moved = self.movements.of(&self.done[index].mined.logs);
            let moved = moved.map_err(|error| Failure::new(FailureKind::Refused, error))?;
            self.expect(plan, step, index, postings, &moved)?;
        }
        let reported = self.movements.command_of(&self.done[settling].mined.logs);
        let is_settled =
            reported.as_ref().is_some_and(|(status, value)| status == "ATU" && *value == U256::from(ordered.value));
        if !is_settled {
            let (id, value) = (ordered.id, ordered.value);
            let reported = reported.map_or("nothing".to_owned(), |(status, value)| format!("{status} over {value}"));
            let error = anyhow::anyhow!("operation {id} reported {reported} instead of ATU over {value} centavos");
            return Err(Failure::new(FailureKind::Refused, error));
        }
        self.settled.push(Settled { operation, step: settling });
        self.post(&ordered.postings)
    }

    fn expect(
        &self,
        plan: &Plan,
        step: &Step,
        index: usize,
        ordered: &[Posting],
        moved: &[Posting],
    ) -> Result<(), Failure> {
        let done = &self.done[index];
        if let Execution::Reverted { data } = &done.mined.execution {
            let reason = bindings::revert::decode(data.as_ref().map_or(&[], |data| data.as_ref()));
            let error = anyhow::anyhow!("`{}` failed on the ledger: {reason}", done.subject);
            return Err(Failure::new(FailureKind::Refused, error));
        }
        if let (Target::Create(expected), created) = (step.target, done.mined.created_address)
            && created != Some(expected)
        {
            let error = anyhow::anyhow!("`{}` came to stand at {created:?} instead of {expected}", done.subject);
            return Err(Failure::new(FailureKind::Refused, error));
        }
        let mut ordered = ordered.to_vec();
        ordered.sort_unstable();
        if ordered == moved {
            return Ok(());
        }
        let [moved, ordered] = [moved, &ordered].map(|postings| plan.postings_in_words(postings));
        let error = anyhow::anyhow!("`{}` moved {moved}, but ordered was {ordered}", done.subject);
        Err(Failure::new(FailureKind::Refused, error))
    }

    fn expect_failure(&mut self, step: &Step, index: usize, expected: &str) -> Result<(), Failure> {
        let Execution::Reverted { data } = &self.done[index].mined.execution else {
            let error = anyhow::anyhow!("`{}` should have failed with {expected}, but it did not", step.subject);
            return Err(Failure::new(FailureKind::Refused, error));
        };
        let reason = bindings::revert::decode(data.as_ref().map_or(&[], |data| data.as_ref())).to_string();
        if !reason.starts_with(expected) {
            let error = anyhow::anyhow!("`{}` failed with {reason} instead of {expected}", step.subject);
            return Err(Failure::new(FailureKind::Refused, error));
        }
        self.refused = Some(reason);
        Ok(())
    }

    fn post(&mut self, postings: &[Posting]) -> Result<(), Failure> {
        self.books.post(postings).map_err(|error| Failure::new(FailureKind::Refused, error))
    }

    /// Closes the store. The lanes must not be used any more.
    pub(crate) async fn close(self) {
        drop(self.lanes);
        if let Some(chain) = Arc::into_inner(self.chain) {
            chain.close().await;
        }
    }
}

/// Sends one wallet's steps of a stage in order, and waits for all of them.
async fn send(chain: Arc<Chain>, lane: Lane, steps: Vec<(usize, Step)>) -> Result<Vec<(usize, Done)>, Failure> {
    let intents = steps.iter().map(|(_, step)| intent(step)).collect::<Result<Vec<Intent>, Failure>>()?;
    let began = Instant::now();
    let results = lane.submit_all(&intents).await;
    let mut done = Vec::with_capacity(steps.len());
    for ((place, step), result) in steps.into_iter().zip(results) {
        let submitted = result.map_err(submit_failure)?;
        let outcome = chain.outcome(&submitted.key, OUTCOME_WAIT_MAX).await.map_err(outcome_failure)?;
        let mined = match outcome {
            Outcome::Mined(mined) => mined,
            Outcome::Refused(refusal) => {
                let error = anyhow::anyhow!("`{}` was refused: {}", step.subject, refusal.reason);
                return Err(Failure::new(FailureKind::Refused, error));
            }
        };
        let latency = (!submitted.is_repeated).then(|| began.elapsed());
        done.push((place, Done { key: step.key, subject: step.subject, party: step.party, mined, latency }));
    }
    Ok(done)
}

fn intent(step: &Step) -> Result<Intent, Failure> {
    let key = IntentKey::parse(&step.key).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let (data, subject): (Bytes, &str) = (step.data.clone(), &step.subject);
    Ok(match step.target {
        Target::Create(_) => Intent::create(key, data, CREATE_GAS_MAX, subject),
        Target::Call(contract) => Intent::call(key, contract, data, CALL_GAS_MAX, subject),
    })
}

fn submit_failure(error: SubmitError) -> Failure {
    let kind = match &error {
        SubmitError::KeyUsedOtherwise { .. } => FailureKind::Usage,
        SubmitError::Unsettled { .. } => FailureKind::Unknown,
        _ => FailureKind::Refused,
    };
    Failure::new(kind, error).with_hint("run it again with the same `--data-dir`: what was sent is not sent twice")
}

fn outcome_failure(error: OutcomeError) -> Failure {
    let hint = "run it again with the same `--data-dir`: it goes on where it was";
    Failure::new(FailureKind::Unknown, error).with_hint(hint)
}
