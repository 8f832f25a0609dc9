//! Policy before signature: what a key may sign, when, how much of it, and after whose approval.
//!
//! A policy is data in TOML, and its decision is pure: clock, approvals and what was spent come in, and what is spent afterwards
//! goes out. So the caller can store that together with the signed bytes, and a decision whose bytes were not stored has spent
//! nothing. What a policy does not name is refused; fees it does not judge. See `docs/policy.md`.

mod approval;
mod file;
mod refusal;
mod time;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256, keccak256};
use bindings::call::{Call, CallShape};

pub use self::approval::{Approval, Statement};
pub use self::file::{POLICY_BYTES_MAX, PolicyError};
pub use self::refusal::Refusal;
pub use self::time::UnixTime;
use self::time::Window;

/// Whose approvals a change of the policy takes.
pub const CHANGE_ROLE: &str = "policy";

/// How many persons approve a change of the policy.
pub const CHANGE_APPROVALS: usize = 2;

/// How many persons approve that a key is retired, in the role [`CHANGE_ROLE`].
pub const RETIREMENT_APPROVALS: usize = 2;

/// How long an approval may live, in seconds: 7 days, so that one that is given before a long weekend still holds after it. It is
/// counted from when the approval was issued. So every approval that could have counted when a command was signed is dead when the
/// command is forgotten, this long afterwards.
pub const APPROVAL_LIFE_S_MAX: u64 = 7 * 24 * 60 * 60;

const COMMAND_DOMAIN: &[u8] = b"\x19Lastro command\x01";
const CHANGE_DOMAIN: &[u8] = b"\x19Lastro policy change\x01";
const RETIREMENT_DOMAIN: &[u8] = b"\x19Lastro key retirement\x01";

type Selector = [u8; 4];

/// What a key may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    version: u64,
    chain_id: u64,
    /// Approvals that a creation takes; none if contracts are not created.
    creation: Option<Vec<Requirement>>,
    /// Always, if there are none.
    windows: Vec<Window>,
    approvers: Vec<Approver>,
    targets: BTreeMap<Address, BTreeMap<Selector, Rule>>,
    /// Of the policy's text.
    hash: B256,
}

/// A function that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    shape: CallShape,
    limits: Option<Limits>,
    approvals: Vec<Requirement>,
}

/// Limits on the amount of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Limits {
    /// Which argument the amount is, counted from 0.
    argument: usize,
    amount_max: U256,
    day_amount_max: U256,
    /// Up to this amount no approvals are needed.
    approvals_above: Option<U256>,
}

/// So many persons in this role.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    role: String,
    count: usize,
}

/// A person's key in a role.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Approver {
    person: String,
    role: String,
    address: Address,
}

/// What is to be signed, as far as a policy judges it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command<'a> {
    /// The transaction's chain.
    pub chain_id: u64,
    /// Whose key signs.
    pub sender: Address,
    /// The contract; none if one is created.
    pub target: Option<Address>,
    /// How much of the chain's coin is sent.
    pub value_wei: U256,
    /// The call, or the creation code.
    pub input: &'a [u8],
    /// What keeps two equal commands apart, such as the hash of an idempotency key.
    pub reference: B256,
}

/// What a caller brings along for a signature, or for a change of the policy.
#[derive(Debug, Clone, Copy)]
pub struct Authorisation<'a> {
    /// The caller's clock. If it is behind [`Spent::latest`], that is the time instead: one clock decides on everything, and it
    /// never goes back.
    pub now: UnixTime,
    /// Approvals of the command, or of the change. None may be superfluous in form: one that does not hold is refused.
    pub approvals: &'a [Approval],
    /// What was spent before, by this key.
    pub spent: &'a Spent,
}

/// What a key has spent under its policy. It is kept by the caller, with the signed bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spent {
    /// The latest time at which something was decided that was stored. A clock that ran ahead, so that this lies in the future, is
    /// mended here too, by a person: until then the key goes by this time.
    pub latest: UnixTime,
    /// Amounts of the day of `latest` by contract and function.
    pub amounts: BTreeMap<(Address, Selector), U256>,
    /// Commands that were signed by approvals, with the time from which on no approval of then counts any more, neither those that
    /// were brought nor others: [`APPROVAL_LIFE_S_MAX`] later.
    pub commands: BTreeMap<B256, UnixTime>,
}

impl Command<'_> {
    /// Whether it does nothing but use its nonce and pay its fee: from the sender to itself, without value and input. Custody signs
    /// nothing by which code comes to the sender's address, where this would run it (EIP-7702).
    fn only_takes_a_nonce(&self) -> bool {
        self.target == Some(self.sender) && self.value_wei.is_zero() && self.input.is_empty()
    }

    /// What approvers of the command sign for: keccak-256 of the domain, chain id (8 bytes, big-endian), sender, the byte 1 and the
    /// target or the byte 0, value and reference (32 bytes each), and keccak-256 of the input. Nonce and fees are not part of it, so
    /// they need not be known when it is approved. Approvals hold once all the same: if the first signature was never stored, they
    /// are to be brought again; if it was, they sign nothing more.
    pub fn hash(&self) -> B256 {
        let mut bytes = [COMMAND_DOMAIN, &self.chain_id.to_be_bytes(), self.sender.as_slice()].concat();
        match self.target {
            Some(target) => {
                bytes.push(1);
                bytes.extend(target);
            }
            None => bytes.push(0),
        }
        bytes.extend(self.value_wei.to_be_bytes::<32>());
        bytes.extend(self.reference);
        bytes.extend(keccak256(self.input));
        keccak256(bytes)
    }
}

impl Policy {
    /// Reads a policy. Unknown keys are refused.
    ///
    /// # Errors
    ///
    /// See [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        file::parse(text)
    }

    /// The policy's number. Each change raises it by one.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Hash of the policy's text: keccak-256 of its bytes.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// Decides on a command, and says what is spent afterwards.
    ///
    /// An empty transaction of the sender to itself is allowed at all times, whatever else the policy says: it moves nothing, and is
    /// how a sender's nonce is taken from a transaction that is to be cancelled. Approvals are neither needed nor used for it.
    ///
    /// # Errors
    ///
    /// The first reason to refuse, in the order of [`Refusal`].
    pub fn decide(&self, command: &Command<'_>, by: &Authorisation<'_>) -> Result<Spent, Refusal> {
        if command.chain_id != self.chain_id {
            return Err(Refusal::ChainNotAllowed { found: command.chain_id, allowed: self.chain_id });
        }
        let mut spent = by.spent.at(by.now);
        if command.only_takes_a_nonce() {
            return Ok(spent);
        }
        let now = spent.latest;
        if !self.windows.is_empty() && !self.windows.iter().any(|window| window.has(now)) {
            return Err(Refusal::OutsideTimeWindow { now, windows: self.windows.len() });
        }
        if !command.value_wei.is_zero() {
            return Err(Refusal::ValueNotAllowed { value_wei: command.value_wei });
        }
        let Some(target) = command.target else {
            let needed = self.creation.as_ref().ok_or(Refusal::CreationNotAllowed)?;
            return self.approve(command, by.approvals, needed, spent);
        };
        let (rule, call) = self.rule(target, command.input)?;
        let Some(limits) = &rule.limits else {
            return self.approve(command, by.approvals, &rule.approvals, spent);
        };
        // When the policy was read the argument was an unsigned integer, so a call that was read has one there.
        let amount = call.uint(limits.argument).ok_or(Refusal::CallMalformed { length_bytes: command.input.len() })?;
        limits.spend(&mut spent, (target, rule.shape.selector()), amount)?;
        let is_small = limits.approvals_above.is_some_and(|free| amount <= free);
        self.approve(command, by.approvals, if is_small { &[] } else { &rule.approvals }, spent)
    }

    /// What approvers of a change sign for, that this very text is followed by that very text for this key: keccak-256 of the domain,
    /// the key's address and keccak-256 of both texts. Two keys with one policy take two approvals of each approver.
    pub fn change_hash(&self, key: Address, next: &Self) -> B256 {
        keccak256([CHANGE_DOMAIN, key.as_slice(), self.hash.as_slice(), next.hash.as_slice()].concat())
    }

    /// Whether `next` may take this policy's place for the key: it has the next version, and two persons approve it in the role
    /// [`CHANGE_ROLE`] that this policy gives them. It says what is spent afterwards: as much, at the time of the change.
    ///
    /// # Errors
    ///
    /// The first reason to refuse, in the order of [`Refusal`].
    pub fn check_change(&self, key: Address, next: &Self, by: &Authorisation<'_>) -> Result<Spent, Refusal> {
        if Some(next.version) != self.version.checked_add(1) {
            return Err(Refusal::VersionNotNext { found: next.version, current: self.version });
        }
        let needed = [Requirement { role: CHANGE_ROLE.to_owned(), count: CHANGE_APPROVALS }];
        let spent = by.spent.at(by.now);
        self.check_approvals(self.change_hash(key, next), spent.latest, by.approvals, &needed)?;
        Ok(spent)
    }

    /// What approvers of a retirement sign for, that this key, which is under this very text, signs nothing new any more and has this
    /// successor, if any: keccak-256 of the domain, the key's address, keccak-256 of the text, and the byte 1 and the successor's
    /// address or the byte 0.
    pub fn retirement_hash(&self, key: Address, successor: Option<Address>) -> B256 {
        let mut bytes = [RETIREMENT_DOMAIN, key.as_slice(), self.hash.as_slice()].concat();
        match successor {
            Some(successor) => {
                bytes.push(1);
                bytes.extend(successor);
            }
            None => bytes.push(0),
        }
        keccak256(bytes)
    }

    /// Whether the key may be retired in favour of the successor: two persons approve it in the role [`CHANGE_ROLE`] that this policy
    /// gives them. A retirement is final, so that approvals which are brought once more do nothing more.
    ///
    /// # Errors
    ///
    /// The first reason to refuse, in the order of [`Refusal`].
    pub fn check_retirement(
        &self,
        key: Address,
        successor: Option<Address>,
        by: &Authorisation<'_>,
    ) -> Result<(), Refusal> {
        let needed = [Requirement { role: CHANGE_ROLE.to_owned(), count: RETIREMENT_APPROVALS }];
        self.check_approvals(self.retirement_hash(key, successor), by.spent.at(by.now).latest, by.approvals, &needed)
    }

    /// The rule of the function that is called, and the call.
    fn rule(&self, target: Address, input: &[u8]) -> Result<(&Rule, Call), Refusal> {
        let functions = self.targets.get(&target).ok_or(Refusal::TargetNotAllowed { target })?;
        let selector = input.first_chunk::<4>();
        let rule = selector.and_then(|selector| functions.get(selector)).ok_or_else(|| {
            let selector = input[..input.len().min(4)].to_vec();
            Refusal::FunctionNotAllowed { target, selector }
        })?;
        let call = rule.shape.read(input).ok_or(Refusal::CallMalformed { length_bytes: input.len() })?;
        Ok((rule, call))
    }

    /// Checks the approvals of a command, and notes that it was signed if it took any.
    fn approve(
        &self,
        command: &Command<'_>,
        approvals: &[Approval],
        needed: &[Requirement],
        mut spent: Spent,
    ) -> Result<Spent, Refusal> {
        let hash = command.hash();
        if spent.commands.contains_key(&hash) {
            return Err(Refusal::CommandUsed { command: hash });
        }
        self.check_approvals(hash, spent.latest, approvals, needed)?;
        if !approvals.is_empty() {
            // Others may have approved it too: theirs could be brought as long as any approval lives.
            let _ = spent.commands.insert(hash, UnixTime(spent.latest.0.saturating_add(APPROVAL_LIFE_S_MAX)));
        }
        Ok(spent)
    }

    fn check_approvals(
        &self,
        subject: B256,
        now: UnixTime,
        approvals: &[Approval],
        needed: &[Requirement],
    ) -> Result<(), Refusal> {
        let checked = approvals.iter().map(|approval| self.check_approval(subject, now, approval));
        let approvers = checked.collect::<Result<Vec<&Approver>, Refusal>>()?;
        let mut persons = BTreeSet::new();
        if let Some(again) = approvers.iter().find(|approver| !persons.insert(&approver.person)) {
            return Err(Refusal::ApproverRepeated { person: again.person.clone() });
        }
        for Requirement { role, count } in needed {
            let found = approvers.iter().filter(|approver| approver.role == *role).count();
            if found < *count {
                return Err(Refusal::ApprovalsMissing { role: role.clone(), found, needed: *count });
            }
        }
        Ok(())
    }

    fn check_approval(&self, subject: B256, now: UnixTime, approval: &Approval) -> Result<&Approver, Refusal> {
        let Statement { approver, ref role, subject: found, issued_at, expires_at } = approval.statement;
        if found != subject {
            return Err(Refusal::ApprovalForOther { approver, found, expected: subject });
        }
        if !approval.is_genuine() {
            return Err(Refusal::ApprovalForged { approver });
        }
        let is_it = |known: &&Approver| known.address == approver && known.role == *role;
        let known = self.approvers.iter().find(is_it);
        let known = known.ok_or_else(|| Refusal::ApproverUnknown { approver, role: role.clone() })?;
        let person = known.person.clone();
        let life_s = expires_at.0.saturating_sub(issued_at.0);
        if life_s > APPROVAL_LIFE_S_MAX {
            return Err(Refusal::ApprovalLifeTooLong { person, life_s, max_s: APPROVAL_LIFE_S_MAX });
        }
        if issued_at > now {
            return Err(Refusal::ApprovalNotYet { person, issued_at, now });
        }
        if now >= expires_at {
            return Err(Refusal::ApprovalExpired { person, expires_at, now });
        }
        Ok(known)
    }
}

impl Limits {
    /// Adds the amount to what is spent by this function.
    fn spend(&self, spent: &mut Spent, function: (Address, Selector), amount: U256) -> Result<(), Refusal> {
        if amount > self.amount_max {
            return Err(Refusal::AmountAboveLimit { amount, max: self.amount_max });
        }
        let of_day = spent.amounts.entry(function).or_default();
        let max = self.day_amount_max;
        let above = Refusal::DayAmountAboveLimit { amount, spent: *of_day, max };
        *of_day = of_day.checked_add(amount).filter(|total| *total <= max).ok_or(above)?;
        Ok(())
    }
}

impl Spent {
    /// What of it counts when the caller's clock shows `now`. That is the time unless a later one was stored: a clock that goes
    /// forward and back must neither give a day's limit twice nor make approvals count again.
    fn at(&self, now: UnixTime) -> Self {
        let latest = self.latest.max(now);
        let amounts = if latest.day() == self.latest.day() { self.amounts.clone() } else { BTreeMap::new() };
        let commands = self.commands.iter().filter(|&(_, &until)| latest < until).map(|(&hash, &until)| (hash, until));
        Self { latest, amounts, commands: commands.collect() }
    }

    /// What a key has spent that comes after `predecessor`: what both have spent on one day counts as its own, whatever the texts of
    /// their policies, so that a limit of a day is not had twice by changing keys on it. Approved commands stay behind: each is of one
    /// sender.
    #[must_use]
    pub fn following(&self, predecessor: &Self, now: UnixTime) -> Self {
        let now = now.max(self.latest).max(predecessor.latest);
        let mut spent = self.at(now);
        for (function, amount) in predecessor.at(now).amounts {
            let of_day = spent.amounts.entry(function).or_default();
            // What no number holds is more than any limit: then nothing more is signed on this day.
            *of_day = of_day.saturating_add(amount);
        }
        spent
    }
}

#[cfg(test)]
mod tests;
