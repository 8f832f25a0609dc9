//! `docs/policy.md` says what the code does.

use super::*;

const PAGE: &str = include_str!("../../../../../docs/policy.md");

#[test]
fn the_example_of_the_page_is_a_policy() {
    let (_, rest) = PAGE.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let policy = Policy::parse(example).unwrap();
    assert_eq!((policy.version(), policy.chain_id), (1, CHAIN_ID));
}

#[test]
fn the_page_has_every_code_in_order_of_precedence() {
    let source = include_str!("../refusal.rs").split_once("fn code").unwrap().1;
    let declared: Vec<&str> =
        source.lines().filter_map(|line| line.split_once("=> \"")?.1.split_once('"')).map(|(code, _)| code).collect();
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |"));
    let told: Vec<&str> = rows.flat_map(|(codes, _)| codes.split(", ")).map(|code| code.trim_matches('`')).collect();
    assert!(declared.contains(&"version_not_next"), "{declared:?}");
    assert_eq!(told, declared);
}

#[test]
fn of_several_approvals_the_first_that_does_not_hold_is_told() {
    let large = mint(601);
    let command = command(&large);
    let forged = Approval { signature: key("bruno").sign(B256::ZERO), ..approval("ana", "treasury", command.hash()) };
    let other = approval("ana", "treasury", B256::ZERO);
    assert_eq!(code(&command, &[forged.clone(), other.clone()]), "approval_forged");
    assert_eq!(code(&command, &[other, forged]), "approval_for_other");
}
