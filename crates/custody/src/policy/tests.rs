//! The decision against texts of policies: every refusal, limits against a naive sum, and changes.

mod keys;
mod page;
mod retirement;

use alloy_primitives::address;
use alloy_sol_types::{SolCall as _, sol};
use proptest::prelude::*;

use super::*;
use crate::key::KeyLabel;
use crate::test_key;

sol! {
    function mint(address to, uint256 amount);
    function pause();
    function burn(uint256 amount);
}

const CHAIN_ID: u64 = 1337;
const TOKEN: Address = address!("00000000000000000000000000000000000000aa");
const SENDER: Address = address!("00000000000000000000000000000000000000bb");
/// 2026-09-01, a Tuesday, at 10:00 UTC.
const NOW: UnixTime = UnixTime(1_788_220_800 + 10 * 3_600);
const DAY_S: u64 = 86_400;
const REFERENCE: B256 = B256::repeat_byte(9);

/// Chain, sender, target, value, input, reference.
type Parts = (u64, [u8; 20], Option<[u8; 20]>, u64, Vec<u8>, u8);

fn label(text: &str) -> KeyLabel {
    KeyLabel::parse(text).unwrap()
}

fn key(person: &str) -> crate::secret::Secret {
    test_key::derive("policy test", &label(person)).unwrap()
}

fn text(version: u64) -> String {
    let approvers =
        [("ana", "treasury"), ("ana", "policy"), ("bruno", "treasury"), ("carla", "risk"), ("carla", "policy")];
    let approver = |(person, role): (&str, &str)| {
        format!("[[approver]]\nperson = \"{person}\"\nrole = \"{role}\"\naddress = \"{}\"\n", key(person).address())
    };
    let approvers: String = approvers.into_iter().map(approver).collect();
    format!(
        r#"
version = {version}
chain_id = {CHAIN_ID}

[[window]]
weekdays = ["monday", "tuesday", "wednesday"]
from = "09:00"
until = "18:00"
{approvers}
[[target]]
address = "{TOKEN}"

[[target.function]]
call = "pause()"
approvals = [{{ role = "treasury", count = 1 }}, {{ role = "risk", count = 1 }}]

[[target.function]]
call = "mint(address to, uint256 amount)"
amount = "amount"
amount_max = "1000"
day_amount_max = "2500"
approvals_above = "600"
approvals = [{{ role = "treasury", count = 1 }}]
"#
    )
}

fn policy() -> Policy {
    Policy::parse(&text(1)).unwrap()
}

fn mint(amount: u64) -> Vec<u8> {
    mintCall { to: SENDER, amount: U256::from(amount) }.abi_encode()
}

fn command(input: &[u8]) -> Command<'_> {
    let (target, value_wei) = (Some(TOKEN), U256::ZERO);
    Command { chain_id: CHAIN_ID, sender: SENDER, target, value_wei, input, reference: REFERENCE }
}

/// The person's approval of the subject in the role, good for an hour.
fn approval(person: &str, role: &str, subject: B256) -> Approval {
    approval_for(3_600, person, role, subject)
}

fn approval_for(life_s: u64, person: &str, role: &str, subject: B256) -> Approval {
    let (key, role) = (key(person), role.to_owned());
    let expires_at = UnixTime(NOW.0 + life_s);
    let statement = Statement { approver: key.address(), role, subject, issued_at: NOW, expires_at };
    Approval { signature: key.sign(statement.hash()), statement }
}

fn by<'a>(approvals: &'a [Approval], spent: &'a Spent) -> Authorisation<'a> {
    Authorisation { now: NOW, approvals, spent }
}

fn decide_at(now: UnixTime, command: &Command<'_>, approvals: &[Approval], spent: &Spent) -> Result<Spent, Refusal> {
    policy().decide(command, &Authorisation { now, approvals, spent })
}

fn code(command: &Command<'_>, approvals: &[Approval]) -> &'static str {
    decide_at(NOW, command, approvals, &Spent::default()).map_or_else(|refusal| refusal.code(), |_| "allowed")
}

#[test]
fn every_refusal_is_reached_and_the_first_in_order_is_given() {
    let pause = pauseCall {}.abi_encode();
    let right = command(&pause);
    let hash = right.hash();
    let of = |person, role| approval(person, role, hash);
    let both = [of("ana", "treasury"), of("carla", "risk")];
    assert_eq!(code(&right, &both), "allowed");

    // A command that deserves every refusal; then one reason after another is taken away.
    let (burn, large) = (burnCall { amount: U256::from(1) }.abi_encode(), mint(1_001));
    let mut dirty = mint(1_000);
    dirty.push(0);
    let wrong = Command { chain_id: 1, target: None, value_wei: U256::from(1), ..command(&burn) };
    let sunday = UnixTime(NOW.0 + 5 * DAY_S);
    let late = |command: &Command<'_>| decide_at(sunday, command, &[], &Spent::default()).unwrap_err().code();
    assert_eq!(late(&wrong), "chain_not_allowed");
    let wrong = Command { chain_id: CHAIN_ID, ..wrong };
    assert_eq!(late(&wrong), "outside_time_window");
    assert_eq!(code(&wrong, &[]), "value_not_allowed");
    let wrong = Command { value_wei: U256::ZERO, ..wrong };
    assert_eq!(code(&wrong, &[]), "creation_not_allowed");
    assert_eq!(code(&Command { target: Some(SENDER), ..wrong.clone() }, &[]), "target_not_allowed");
    let wrong = Command { target: Some(TOKEN), ..wrong };
    assert_eq!(code(&wrong, &[]), "function_not_allowed");
    assert_eq!(code(&command(&pause[..3]), &[]), "function_not_allowed");
    assert_eq!(code(&command(&dirty), &[]), "call_malformed");
    assert_eq!(code(&command(&large), &[]), "amount_above_limit");
    let most = mint(1_000);
    let spent =
        Spent { latest: NOW, amounts: [((TOKEN, mintCall::SELECTOR), U256::from(1_501))].into(), ..Spent::default() };
    let refusal = decide_at(NOW, &command(&most), &[], &spent).unwrap_err();
    assert_eq!(refusal.code(), "day_amount_above_limit");
    assert_eq!(refusal.to_string(), "amount 1000 and the 1501 of this day are above the limit of 2500 for one day");

    let used = decide_at(NOW, &right, &both, &Spent::default()).unwrap();
    assert_eq!(decide_at(NOW, &right, &both, &used).unwrap_err().code(), "command_used");
    let mut forged = of("ana", "treasury");
    forged.statement.issued_at.0 -= 1;
    let mut other = forged.clone();
    other.statement.subject.0[0] ^= 1;
    assert_eq!(code(&right, &[other]), "approval_for_other");
    assert_eq!(code(&right, &[forged]), "approval_forged");
    assert_eq!(code(&right, &[of("ana", "risk")]), "approver_unknown");
    let long = approval_for(APPROVAL_LIFE_S_MAX + 1, "ana", "treasury", hash);
    assert_eq!(code(&right, &[long]), "approval_life_too_long");
    let at =
        |now| decide_at(now, &right, &both, &Spent::default()).map_or_else(|refusal| refusal.code(), |_| "allowed");
    assert_eq!(at(UnixTime(NOW.0 - 1)), "approval_not_yet");
    assert_eq!(at(UnixTime(NOW.0 + 3_599)), "allowed");
    assert_eq!(at(UnixTime(NOW.0 + 3_600)), "approval_expired");
    assert_eq!(code(&right, &[of("ana", "treasury"), of("ana", "policy")]), "approver_repeated");
    assert_eq!(code(&right, &both[..1]), "approvals_missing");
    assert_eq!(
        policy().check_change(SENDER, &policy(), &by(&[], &Spent::default())).unwrap_err().code(),
        "version_not_next"
    );
}

#[test]
fn small_amounts_need_nobody_and_what_was_approved_is_signed_once() {
    let (small, large) = (mint(600), mint(601));
    assert_eq!(code(&command(&small), &[]), "allowed");
    assert_eq!(code(&command(&large), &[]), "approvals_missing");
    let approvals = [approval("bruno", "treasury", command(&large).hash())];
    assert!(decide_at(NOW, &command(&large), &approvals, &Spent::default()).is_ok());
    let again = Command { reference: B256::repeat_byte(8), ..command(&large) };
    assert_eq!(code(&again, &approvals), "approval_for_other");
}

#[test]
fn spare_approvals_sign_no_command_again_and_a_command_is_forgotten_when_they_are_dead() {
    let large = mint(601);
    let (command, life) = (command(&large), APPROVAL_LIFE_S_MAX);
    let by_ana = [approval("ana", "treasury", command.hash())];
    let spare = [approval_for(life, "bruno", "treasury", command.hash())];
    assert_eq!(code(&command, &spare), "allowed");
    let spent = decide_at(NOW, &command, &by_ana, &Spent::default()).unwrap();
    let end = UnixTime(NOW.0 + life);
    assert_eq!(spent.commands.values().copied().collect::<Vec<_>>(), [end]);
    // The approval that it was signed by is dead, and the one that was not brought lives.
    let policy = Policy { windows: Vec::new(), ..policy() };
    let signed_at = |now: u64, approvals: &[Approval]| {
        let by = Authorisation { now: UnixTime(now), approvals, spent: &spent };
        policy.decide(&command, &by).map_err(|refusal| refusal.code())
    };
    for now in [NOW.0, NOW.0 + 3_600, end.0 - 1] {
        assert_eq!(signed_at(now, &spare), Err("command_used"), "{now}");
    }
    assert_eq!(signed_at(end.0, &spare), Err("approval_expired"));
    // What nothing could sign any more need not be remembered.
    let small = mint(1);
    let by = Authorisation { now: end, approvals: &[], spent: &spent };
    assert!(policy.decide(&Command { input: &small, ..command.clone() }, &by).unwrap().commands.is_empty());
}

#[test]
fn an_empty_transaction_to_its_own_sender_is_allowed_at_all_times_and_nothing_more_than_it() {
    let empty = Command { target: Some(SENDER), ..command(&[]) };
    let sunday = UnixTime(NOW.0 + 5 * DAY_S);
    let before = Spent {
        latest: NOW,
        amounts: [((TOKEN, mintCall::SELECTOR), U256::from(2_500))].into(),
        commands: [(empty.hash(), UnixTime(u64::MAX))].into(),
    };
    // A policy without any target, outside its hours, twice with one reference; approvals that it does not need are not judged.
    let policy = Policy { targets: BTreeMap::new(), ..policy() };
    let strange = [approval("ana", "policy", B256::ZERO)];
    let decide = |command: &Command<'_>, now, approvals: &[Approval]| {
        policy.decide(command, &Authorisation { now, approvals, spent: &before }).map_err(|refusal| refusal.code())
    };
    for approvals in [&[][..], &strange] {
        let after = decide(&empty, sunday, approvals).unwrap();
        assert_eq!((after.latest, &after.commands), (sunday, &before.commands));
    }
    assert_eq!(decide(&empty, NOW, &[]), Ok(before.clone()));

    assert_eq!(decide(&Command { chain_id: 1, ..empty.clone() }, NOW, &[]), Err("chain_not_allowed"));
    let paying = Command { value_wei: U256::from(1), ..empty.clone() };
    assert_eq!(decide(&paying, NOW, &[]), Err("value_not_allowed"));
    assert_eq!(decide(&Command { input: &[0], ..empty.clone() }, NOW, &[]), Err("target_not_allowed"));
    assert_eq!(decide(&Command { target: Some(TOKEN), ..empty.clone() }, NOW, &[]), Err("target_not_allowed"));
    assert_eq!(decide(&Command { target: None, ..empty.clone() }, NOW, &[]), Err("creation_not_allowed"));
    for other in [paying, Command { target: Some(TOKEN), ..empty.clone() }, Command { input: &[0], ..empty }] {
        assert_eq!(decide(&other, sunday, &[]), Err("outside_time_window"));
    }
}

#[test]
fn a_creation_is_allowed_by_the_policy_alone() {
    let text = text(1).replace("[[window]]", "[creation]\napprovals = [{ role = \"risk\", count = 1 }]\n\n[[window]]");
    let policy = Policy::parse(&text).unwrap();
    let create = Command { target: None, ..command(&[1, 2, 3]) };
    let decide = |approvals: &[Approval]| policy.decide(&create, &by(approvals, &Spent::default()));
    assert!(decide(&[approval("carla", "risk", create.hash())]).is_ok());
    assert_eq!(decide(&[]).unwrap_err().code(), "approvals_missing");
}

fn hash_of((chain_id, sender, target, value, input, reference): &Parts) -> B256 {
    let (sender, target, value_wei) = ((*sender).into(), target.map(Address::from), U256::from(*value));
    let (chain_id, reference) = (*chain_id, B256::repeat_byte(*reference));
    Command { chain_id, sender, target, value_wei, input, reference }.hash()
}

proptest! {
    #[test]
    fn a_day_spends_no_more_than_its_limit_whatever_the_order(
        amounts in prop::collection::vec((0_u64..700, 0_u64..DAY_S / 2), 1..40),
    ) {
        let (mut spent, mut naive, mut now) = (Spent::default(), BTreeMap::<u64, u64>::new(), NOW.0);
        let windowless = Policy { windows: Vec::new(), ..policy() };
        for (amount, pause) in amounts {
            now += pause;
            let input = mint(amount);
            let command = Command { reference: B256::from(U256::from(now)), ..command(&input) };
            let by = Authorisation { now: UnixTime(now), approvals: &[], spent: &spent };
            let decided = windowless.decide(&command, &by);
            let of_day = naive.entry(now / DAY_S).or_default();
            let is_allowed = amount <= 600 && *of_day + amount <= 2_500;
            prop_assert_eq!(decided.is_ok(), is_allowed, "{:?} at {} of {}", &decided, amount, of_day);
            if let Ok(after) = decided {
                spent = after;
                *of_day += amount;
            }
        }
    }

    #[test]
    fn two_commands_have_one_hash_only_if_they_are_the_same(
        a: Parts, b: Parts, which in 0..64_u8,
    ) {
        // `c` has each part of `a` or of `b`.
        let part = |bit: u8| which >> bit & 1 == 1;
        let c = (
            if part(0) { a.0 } else { b.0 },
            if part(1) { a.1 } else { b.1 },
            if part(2) { a.2 } else { b.2 },
            if part(3) { a.3 } else { b.3 },
            if part(4) { a.4.clone() } else { b.4.clone() },
            if part(5) { a.5 } else { b.5 },
        );
        prop_assert_eq!(hash_of(&a) == hash_of(&c), a == c);
    }
}

#[test]
fn a_clock_that_goes_forward_and_back_gives_no_limit_twice_and_lets_no_approval_count_again() {
    let [large, small] = [mint(1_000), mint(600)];
    let approved = command(&large);
    let approvals = [approval("ana", "treasury", approved.hash())];
    let first = decide_at(NOW, &approved, &approvals, &Spent::default()).unwrap();
    let next_week = UnixTime(NOW.0 + 7 * DAY_S);
    let mut spent = decide_at(next_week, &command(&small), &[], &first).unwrap();
    assert_eq!((spent.latest, spent.amounts.values().sum()), (next_week, U256::from(600)));
    // The command is forgotten by now, and the clock is back where its approval was good and the day's sum another.
    assert_eq!(decide_at(NOW, &approved, &approvals, &spent).unwrap_err().code(), "approval_expired");
    for sum in [1_200, 1_800, 2_400] {
        spent = decide_at(NOW, &command(&small), &[], &spent).unwrap();
        assert_eq!((spent.latest, spent.amounts.values().sum()), (next_week, U256::from(sum)));
    }
    assert_eq!(decide_at(NOW, &command(&small), &[], &spent).unwrap_err().code(), "day_amount_above_limit");
    // Nor does a window open again that was closed: Thursday has come.
    let thursday = Spent { latest: UnixTime(NOW.0 + 2 * DAY_S), ..Spent::default() };
    assert_eq!(decide_at(NOW, &command(&small), &[], &thursday).unwrap_err().code(), "outside_time_window");
}

#[test]
fn a_change_takes_two_persons_of_the_present_policy_and_the_next_version() {
    let (present, next) = (policy(), Policy::parse(&text(2)).unwrap());
    let subject = present.change_hash(SENDER, &next);
    let check_at = |key, approvals: &[Approval], latest| {
        let before = Spent { latest, ..Spent::default() };
        let checked = present.check_change(key, &next, &by(approvals, &before));
        checked.map(|spent| spent.latest).map_err(|refusal| refusal.code())
    };
    let check = |approvals: &[Approval]| check_at(SENDER, approvals, UnixTime(0));
    let of = |person, role| approval(person, role, subject);
    assert_eq!(check(&[of("ana", "policy"), of("carla", "policy")]), Ok(NOW));
    assert_eq!(check(&[of("ana", "policy")]), Err("approvals_missing"));
    assert_eq!(check(&[of("ana", "policy"), of("ana", "policy")]), Err("approver_repeated"));
    assert_eq!(check(&[of("ana", "policy"), of("bruno", "policy")]), Err("approver_unknown"));
    assert_eq!(check(&[of("ana", "policy"), of("bruno", "treasury")]), Err("approvals_missing"));
    let other = approval("ana", "policy", next.change_hash(SENDER, &present));
    assert_eq!(check(&[other]), Err("approval_for_other"));
    // Another key has the same policy, and nobody approved its change.
    let both = [of("ana", "policy"), of("carla", "policy")];
    assert_eq!(check_at(TOKEN, &both, NOW), Err("approval_for_other"));
    // A clock that went back makes them count no more than signatures' approvals.
    let later = UnixTime(NOW.0 + 3_599);
    assert_eq!(check_at(SENDER, &both, later), Ok(later));
    assert_eq!(check_at(SENDER, &both, UnixTime(NOW.0 + 3_600)), Err("approval_expired"));
}

#[test]
fn a_text_that_is_no_policy_is_refused_with_its_reason() {
    let good = text(1);
    let refused = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        Policy::parse(&good.replacen(from, to, 1)).unwrap_err()
    };
    assert!(matches!(refused("chain_id", "chainid"), PolicyError::Form { reason } if reason.contains("chainid")));
    assert!(matches!(refused("amount_max = \"1000\"", "amount_limit = \"1000\""), PolicyError::Form { .. }));
    assert!(matches!(refused("\"monday\"", "\"Monday\""), PolicyError::Form { .. }));
    assert!(matches!(refused("\"18:00\"", "\"08:00\""), PolicyError::Value { key: "window.until", .. }));
    assert!(matches!(refused("\"09:00\"", "\"9:00\""), PolicyError::Value { key: "window.from", .. }));
    assert!(matches!(refused("= \"amount\"", "= \"to\""), PolicyError::Value { key: "function.amount", .. }));
    for (from, to) in [("= \"amount\"", "= \"\""), ("address to,", "address amount,")] {
        assert!(matches!(refused(from, to), PolicyError::Value { key: "function.amount", .. }), "{to}");
    }
    assert!(matches!(refused("\"1000\"", "\"1e3\""), PolicyError::Value { key: "function.amount_max", .. }));
    assert!(matches!(refused("pause()", "pause"), PolicyError::Value { key: "function.call", .. }));
    assert!(matches!(refused("0x", "1x"), PolicyError::Value { key: "address", .. }));
    assert!(matches!(refused("count = 1", "count = 0"), PolicyError::Value { key: "approvals.count", .. }));
    assert!(matches!(refused("count = 1", "count = 3"), PolicyError::TooFewApprovers { persons: 2, needed: 3, .. }));
    assert!(matches!(refused("amount_max = \"1000\"\n", ""), PolicyError::HalfLimit { .. }));
    assert!(matches!(refused("\"bruno\"", "\"ana\""), PolicyError::Twice { .. }));
    assert!(matches!(refused("\"policy\"", "\"other\""), PolicyError::TooFewApprovers { persons: 1, needed: 2, .. }));
    let again = good.split_once("[[target.function]]").unwrap().1.split_once("[[target.function]]").unwrap().0;
    let twice = format!("{good}\n[[target.function]]{again}");
    assert!(matches!(Policy::parse(&twice), Err(PolicyError::Twice { .. })));
    let long = format!("{good}#{}", " ".repeat(POLICY_BYTES_MAX));
    assert!(matches!(Policy::parse(&long), Err(PolicyError::TooLong { .. })));
}
