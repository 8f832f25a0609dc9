//! One run of the demonstration: the ledger, the lanes, and what came of every step.

use super::book_keeper::{BookKeeper, KeepError};
use super::books::{Books, Posting};
use super::movements::Movements;
use super::parties::{PARTIES, Party};
use super::plan::{Effect, Plan, Stage, Step};
use super::texts::{Text, Texts};
use crate::dispatch::{Dispatch, Limits, Order};
use crate::drex_suite::Wallet;
use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use alloy_primitives::{Address, U256};
use bindings::revert::Revert;
use chain::{Chain, Execution, Mined};
use journal::{AppendError, DecideError};
use std::collections::BTreeMap;
use std::time::Duration;

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
    dispatch: Dispatch,
    keeper: BookKeeper,
    movements: Movements,
    /// Every step so far, in the plan's order.
    pub(crate) done: Vec<Done>,
    /// Operations that settled, in the plan's order.
    pub(crate) settled: Vec<Settled>,
    /// The contract's error for the failure that was meant.
    pub(crate) refused: Option<Revert>,
    /// The books as the journal has them, once everything was played.
    pub(crate) books: Books,
}

impl Session {
    /// Opens a lane for everybody.
    ///
    /// # Errors
    /// [`Failure`] if a lane cannot be opened.
    pub(crate) async fn new(chain: Chain, limits: Limits, keeper: BookKeeper, plan: &Plan) -> Result<Self, Failure> {
        let keys = PARTIES.map(|party| (Wallet::from(party), party.key_label()));
        let dispatch = Dispatch::open(chain, Vec::new(), keys, limits).await?;
        let movements = Movements::new(plan, |party| dispatch.address(party.into()));
        let (done, settled, books) = (Vec::new(), Vec::new(), Books::default());
        Ok(Self { dispatch, keeper, movements, done, settled, refused: None, books })
    }

    /// The chain, for reading.
    pub(crate) fn chain(&self) -> &Chain {
        self.dispatch.chain()
    }

    /// Somebody's wallet.
    pub(crate) fn wallet(&self, party: Party) -> Address {
        self.dispatch.address(party.into())
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
        self.books = self.keeper.books().await.map_err(keep_failure)?;
        printer.progress_end();
        Ok(())
    }

    /// Sends one order outside of the plan, and waits for it: for whoever tests that the books notice.
    #[cfg(test)]
    pub(crate) async fn send_outside_the_plan(&self, order: Order) -> Mined {
        self.dispatch.send(&[order]).await.unwrap().remove(0).mined
    }

    async fn play_stage(&mut self, plan: &Plan, stage: &Stage) -> Result<(), Failure> {
        let first = self.done.len();
        let orders: Vec<Order> = stage.steps.iter().map(Step::order).collect();
        let sent = self.dispatch.send(&orders).await?;
        self.done.extend(stage.steps.iter().zip(sent).map(|(step, sent)| Done {
            key: step.key.clone(),
            subject: step.subject.clone(),
            party: step.party,
            mined: sent.mined,
            latency: sent.latency,
        }));
        self.confirm(plan, stage, first).await
    }

    /// Compares what moved with what was ordered, and posts what was ordered.
    async fn confirm(&mut self, plan: &Plan, stage: &Stage, first: usize) -> Result<(), Failure> {
        let mut commanded: BTreeMap<usize, usize> = BTreeMap::new();
        for (place, step) in stage.steps.iter().enumerate() {
            let index = first + place;
            let moved = self.movements.of(&self.done[index].mined.logs);
            let moved = moved.map_err(|error| Failure::new(FailureKind::Refused, error))?;
            match &step.effect {
                Effect::Nothing => self.expect(plan, index, &[], &moved)?,
                Effect::Moves(postings) => {
                    self.expect(plan, index, postings, &moved)?;
                    self.post(index, postings).await?;
                }
                Effect::Fails(error) => self.expect_failure(step, index, error)?,
                Effect::Command(operation) => match commanded.remove(operation) {
                    None => {
                        let _ = commanded.insert(*operation, index);
                    }
                    Some(other) => self.confirm_operation(plan, *operation, [other, index]).await?,
                },
            }
        }
        Ok(())
    }

    /// One of the two commands moved everything, money and bonds together, and the other nothing.
    async fn confirm_operation(&mut self, plan: &Plan, operation: usize, pair: [usize; 2]) -> Result<(), Failure> {
        let ordered = &plan.operations[operation];
        let place = |index: usize| (self.done[index].mined.block_number, self.done[index].mined.transaction_index);
        let [opening, settling] = if place(pair[0]) < place(pair[1]) { pair } else { [pair[1], pair[0]] };
        for (index, postings) in [(opening, [].as_slice()), (settling, ordered.postings.as_slice())] {
            let moved = self.movements.of(&self.done[index].mined.logs);
            let moved = moved.map_err(|error| Failure::new(FailureKind::Refused, error))?;
            self.expect(plan, index, postings, &moved)?;
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
        self.post(settling, &ordered.postings).await
    }

    fn expect(&self, plan: &Plan, index: usize, ordered: &[Posting], moved: &[Posting]) -> Result<(), Failure> {
        let done = &self.done[index];
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
        let revert = bindings::revert::decode(data.as_ref().map_or(&[], |data| data.as_ref()));
        if !matches!(&revert, Revert::Custom { name, .. } if name == expected) {
            let error = anyhow::anyhow!("`{}` failed with {revert} instead of {expected}", step.subject);
            return Err(Failure::new(FailureKind::Refused, error));
        }
        self.refused = Some(revert);
        Ok(())
    }

    /// Posts what was confirmed in a step, under the step's key.
    async fn post(&self, index: usize, postings: &[Posting]) -> Result<(), Failure> {
        let done = &self.done[index];
        self.keeper.post(&done.key, done.mined.hash, postings).await.map_err(keep_failure)
    }

    /// Closes the stores. The lanes must not be used any more.
    pub(crate) async fn close(self) {
        self.keeper.close().await;
        self.dispatch.close().await;
    }
}

/// What a failure of the books means for whoever runs the demonstration.
pub(super) fn keep_failure(error: KeepError) -> Failure {
    const AGAIN: &str = "run it again with the same `--data-dir`: nothing is posted twice";
    const ELSEWHERE: &str = "what the journal holds does not fit: choose another directory with `--data-dir`";
    const MACHINE: &str = "remove the obstacle, then run it again with the same `--data-dir`: nothing is posted twice";
    let (kind, hint) = match &error {
        // The ledger confirmed it, and the books do not take it; or the log was written by somebody else.
        KeepError::Refused { .. } | KeepError::Forged { .. } => (FailureKind::Refused, ELSEWHERE),
        KeepError::Journal { source, .. } => match source.as_ref() {
            DecideError::Append(AppendError::Unknown { .. }) | DecideError::Busy { .. } => {
                (FailureKind::Unknown, AGAIN)
            }
            // The step's key was used for something else, or the stream holds what this plan does not: it would again.
            DecideError::Append(AppendError::Refused(_)) | DecideError::Refused(_) => (FailureKind::Refused, ELSEWHERE),
            DecideError::Append(
                AppendError::Limit(_)
                | AppendError::Unavailable { .. }
                | AppendError::Store { .. }
                | AppendError::Closed,
            )
            | DecideError::Load { .. }
            | DecideError::Payload(_) => (FailureKind::Environment, MACHINE),
        },
        KeepError::Open(_) | KeepError::Read(_) | KeepError::Name(_) => (FailureKind::Environment, MACHINE),
    };
    Failure::new(kind, error).with_hint(hint)
}
