//! Retirements: two persons for one key and one successor, and what was spent goes on counting.

use super::*;

const SUCCESSOR: Address = address!("00000000000000000000000000000000000000cc");
const MINT: (Address, [u8; 4]) = (TOKEN, mintCall::SELECTOR);

fn retired(successor: Option<Address>, approvals: &[Approval]) -> &'static str {
    let checked = policy().check_retirement(SENDER, successor, &by(approvals, &Spent::default()));
    checked.map_or_else(|refusal| refusal.code(), |()| "allowed")
}

fn spent(latest: UnixTime, amount: u64) -> Spent {
    Spent { latest, amounts: [(MINT, U256::from(amount))].into(), ..Spent::default() }
}

#[test]
fn a_key_is_retired_by_two_persons_for_the_successor_that_they_were_asked_about() {
    let subject = policy().retirement_hash(SENDER, Some(SUCCESSOR));
    let of = |person, role| approval(person, role, subject);
    let both = [of("ana", "policy"), of("carla", "policy")];
    assert_eq!(retired(Some(SUCCESSOR), &both), "allowed");
    assert_eq!(retired(Some(SUCCESSOR), &both[..1]), "approvals_missing");
    assert_eq!(retired(Some(SUCCESSOR), &[of("ana", "policy"), of("ana", "policy")]), "approver_repeated");
    assert_eq!(retired(Some(SUCCESSOR), &[of("ana", "treasury"), of("carla", "policy")]), "approvals_missing");
    assert_eq!(retired(None, &both), "approval_for_other");
    assert_eq!(retired(Some(SENDER), &both), "approval_for_other");
    let other_text =
        Policy::parse(&text(2)).unwrap().check_retirement(SENDER, Some(SUCCESSOR), &by(&both, &Spent::default()));
    assert_eq!(other_text.unwrap_err().code(), "approval_for_other");
    let nothing = Spent::default();
    let later = Authorisation { now: UnixTime(NOW.0 + 3_600), ..by(&both, &nothing) };
    let late = policy().check_retirement(SENDER, Some(SUCCESSOR), &later);
    assert_eq!(late.unwrap_err().code(), "approval_expired");
}

#[test]
fn approvals_of_a_change_or_a_command_retire_nothing() {
    let (next, pause) = (Policy::parse(&text(2)).unwrap(), pauseCall {}.abi_encode());
    for subject in [policy().change_hash(SENDER, &next), command(&pause).hash()] {
        let both = ["ana", "carla"].map(|person| approval(person, "policy", subject));
        assert_eq!(retired(None, &both), "approval_for_other");
    }
}

#[test]
fn what_the_predecessor_spent_today_counts_on() {
    let yesterday = UnixTime(NOW.0 - DAY_S);
    let mut before = spent(NOW, 2_000);
    let _ = before.commands.insert(REFERENCE, UnixTime(NOW.0 + DAY_S));
    let carried = spent(NOW, 300).following(&before, NOW);
    assert_eq!(carried, spent(NOW, 2_300), "approved commands are of one sender");
    // The limit of a day is 2,500 for both together.
    let (more, rest) = (mint(201), mint(200));
    let of = |input| decide_at(NOW, &command(input), &[], &carried).map_err(|refusal| refusal.code());
    assert_eq!(of(&more), Err("day_amount_above_limit"));
    assert_eq!(of(&rest).unwrap().amounts[&MINT], U256::from(2_500));

    assert_eq!(Spent::default().following(&spent(yesterday, 2_000), NOW), Spent { latest: NOW, ..Spent::default() });
    assert_eq!(spent(yesterday, 300).following(&spent(NOW, 2_000), yesterday), spent(NOW, 2_000));
    let full = Spent { amounts: [(MINT, U256::MAX)].into(), ..spent(NOW, 0) };
    assert_eq!(spent(NOW, 300).following(&full, NOW), full, "it does not begin anew at nothing");
}
