//! What a slow node shows, and that what was not seen is neither a fault nor well.

use super::*;

/// What came of a check of the first node, or of all together.
async fn verdicts(check: Check, change: impl FnOnce(&mut Case)) -> Vec<Verdict> {
    let mut case = Case::healthy();
    change(&mut case);
    let node = (check < Check::NodeCount).then_some(0);
    let findings = case.findings().await.into_iter();
    findings.filter(|one| (one.check, one.node) == (check, node)).map(|one| one.verdict).collect()
}

fn fact<'a>(verdict: &'a Verdict, name: &str) -> Option<&'a str> {
    let (Verdict::Fine(facts) | Verdict::Trapped { facts, .. }) = verdict else { return None };
    facts.iter().find(|(one, _)| *one == name).map(|(_, value)| value.as_str())
}

fn not_offered(method: &'static str) -> Verdict {
    Verdict::NotSeen(Unseen::NotOffered { method })
}

fn latency(milliseconds: u64) -> impl FnOnce(&mut Case) {
    move |case| case.both(|one| one.latency = Duration::from_millis(milliseconds))
}

#[tokio::test(start_paused = true)]
async fn a_slow_link_is_no_wrong_clock() {
    let clock = verdicts(Check::Clock, latency(500)).await;
    assert!(matches!(clock.as_slice(), [Verdict::Fine(_)]), "{clock:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_node_is_examined() {
    let mut case = Case::healthy();
    latency(1_500)(&mut case);
    // Time passes for the node and not for us: clocks are another test's business.
    case.both(|one| one.date = None);
    let findings = case.findings().await;
    assert_eq!(traps(&findings), USUAL.into_iter().collect());
    let used_up = Verdict::NotSeen(Unseen::TimeUsedUp { max_seconds: 90 });
    let late: Vec<Check> = findings.iter().filter(|one| one.verdict == used_up).map(|one| one.check).collect();
    assert!(late.iter().all(|check| *check == Check::RevertReasons), "{late:?}");
    let mut slower = Case::healthy();
    latency(4_000)(&mut slower);
    let findings = slower.findings().await;
    assert!(!findings.iter().any(|one| matches!(one.verdict, Verdict::NotSeen(Unseen::TimedOut { .. }))));
    let head = findings.iter().find(|one| one.check == Check::Head).unwrap();
    assert!(matches!(head.verdict, Verdict::Fine(_)), "{head:?}");
}

#[tokio::test(start_paused = true)]
async fn a_block_that_is_missing_leaves_those_after_it() {
    let lost = |check| verdicts(check, |case| case.nodes[0].lost_block = Some(9_980));
    let continuity = lost(Check::Continuity).await;
    assert_eq!(fact(&continuity[0], "blocks"), Some("20"));
    assert_eq!(continuity[1], Verdict::NotSeen(Unseen::Unreadable { method: "eth_getBlockByNumber" }));
    assert!(matches!(lost(Check::Head).await.as_slice(), [Verdict::Fine(_)]));
}

#[tokio::test(start_paused = true)]
async fn forty_validators_are_seen_to_build_in_eighty_blocks() {
    let production = verdicts(Check::Production, |case| {
        case.both(|one| (one.validators, one.proposer) = (40, |number| usize::try_from(number % 40).unwrap()));
    });
    let production = production.await;
    assert_eq!((fact(&production[0], "blocks"), fact(&production[0], "built")), (Some("80"), Some("2")));
    let unequal = verdicts(Check::Production, |case| {
        case.both(|one| one.proposer = |number| usize::try_from(number % 5 % 4).unwrap());
    });
    assert_eq!(fact(&unequal.await[0], "built"), Some("12–26"));
}

#[tokio::test(start_paused = true)]
async fn whoever_keeps_a_sender_out_may_not_have_been_seen() {
    let list = "perm_getAccountsAllowlist";
    let seen = verdicts(Check::Senders, |case| case.both(|one| one.not_offered(list))).await;
    assert!(seen.contains(&not_offered(list)), "{seen:?}");
    let refused = Behaviour::Says(r#"{"id":{id},"error":{"code":-32000,"message":"no"}}"#.to_owned());
    let seen = verdicts(Check::Senders, |case| drop(case.nodes[0].behaviours.insert(list, refused))).await;
    assert!(seen.iter().any(|one| matches!(one, Verdict::NotSeen(Unseen::Refused { .. }))), "{seen:?}");
    let none = Verdict::NotSeen(Unseen::Nothing(Nothing::NoPermissioning));
    let of_two = verdicts(Check::Senders, |case| case.senders.push(ACCOUNTS)).await;
    assert_eq!(of_two.iter().filter(|one| **one == none).count(), 1, "each reason once");
    let seen = verdicts(Check::Senders, |case| case.both(|one| one.not_offered("eth_getCode"))).await;
    assert!(seen.contains(&not_offered("eth_getCode")) && !seen.contains(&none), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_network_id_that_is_not_told_is_not_seen() {
    let seen = verdicts(Check::ChainId, |case| case.both(|one| one.not_offered("net_version"))).await;
    assert!(seen.contains(&not_offered("net_version")), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_a_release_that_bites_by_what_was_not_seen_is_not_denied() {
    let seen = verdicts(Check::Version, |case| {
        case.both(version("26.8.0"));
        case.both(|one| one.not_offered("eth_call"));
    });
    let seen = seen.await;
    assert!(seen.contains(&not_offered("eth_call")), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_query_for_logs_that_is_refused_for_another_reason_says_nothing_of_ranges() {
    let refused = r#"{"id":{id},"error":{"code":-32000,"message":"World state unavailable"}}"#.to_owned();
    let seen = verdicts(Check::LogRange, |case| {
        case.both(|one| drop(one.behaviours.insert("eth_getLogs", Behaviour::Says(refused.clone()))));
    });
    let seen = seen.await;
    assert!(matches!(seen.as_slice(), [Verdict::NotSeen(Unseen::Refused { .. })]), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_block_that_shows_the_period_of_empty_ones_a_quiet_network_is_a_warning() {
    let stalled = async |age: i64, change: fn(&mut Case)| {
        severity(Trap::HeadStalled, |case| {
            case.profile().chains[0].empty_block_period = None;
            case.both(|one| one.head_age = age);
            change(case);
        })
        .await
    };
    assert_eq!(stalled(21, |_| {}).await, Some(Severity::Warning));
    assert_eq!(stalled(3_601, |_| {}).await, Some(Severity::Fault));
    let one_is_empty = |case: &mut Case| case.both(|one| one.pace = |number| (4, usize::from(number != 9_980)));
    assert_eq!(stalled(21, one_is_empty).await, Some(Severity::Fault));
    let stated = |case: &mut Case| case.profile().chains[0].empty_block_period = Some(Duration::from_secs(60));
    assert_eq!((stalled(300, stated).await, stalled(301, stated).await), (None, Some(Severity::Fault)));
}

#[tokio::test(start_paused = true)]
async fn blocks_between_the_period_and_that_of_empty_ones_keep_both() {
    let quiet = |empty: u64, pace: fn(u64) -> (u64, usize)| {
        severity(Trap::BlocksSlow, move |case| {
            case.profile().chains[0].empty_block_period = Some(Duration::from_secs(empty));
            case.both(|one| one.pace = pace);
        })
    };
    assert_eq!(quiet(60, |number| (if number % 3 == 0 { 4 } else { 50 }, 1)).await, None);
    assert_eq!(quiet(60, |_| (60, 0)).await, None);
    assert_eq!(quiet(4, |_| (60, 0)).await, Some(Severity::Warning));
    assert_eq!(quiet(60, |_| (70, 1)).await, Some(Severity::Warning));
}

#[tokio::test(start_paused = true)]
async fn heads_are_counted_while_they_are_watched() {
    let watched = |every: u64| {
        verdicts(Check::Watch, move |case| {
            case.watch = Some(Duration::from_secs(22));
            case.both(|one| one.block_every = Duration::from_secs(every));
        })
    };
    let seen = watched(5).await;
    assert_eq!((fact(&seen[0], "blocks"), fact(&seen[0], "longest")), (Some("4"), Some("5")));
    let still = watched(0).await;
    assert!(matches!(&still[0], Verdict::Trapped { trap: Trap::NothingWhileWatching, .. }), "{still:?}");
    assert_eq!(fact(&still[0], "blocks"), Some("0"));
}

#[tokio::test(start_paused = true)]
async fn nodes_agree_only_on_what_they_said() {
    // A node that is far behind has all old blocks, and is compared at none.
    let seen = verdicts(Check::SameBlock, |case| {
        case.nodes.push(Script { head: 5_000, ..Script::healthy() });
    });
    let seen = seen.await;
    assert_eq!((fact(&seen[0], "nodes"), fact(&seen[0], "height")), (Some("2"), Some("10000")));
    assert_eq!(seen[1], Verdict::NotSeen(Unseen::Nothing(Nothing::Lagging)));
    let seen = verdicts(Check::SameBlock, |case| case.nodes[1].head = 9_990).await;
    assert_eq!(seen, [Verdict::NotSeen(Unseen::Nothing(Nothing::Lagging))]);
    let silent = |method: &'static str| move |case: &mut Case| case.nodes[1].not_offered(method);
    assert_eq!(verdicts(Check::SameChain, silent("eth_chainId")).await, [not_offered("eth_chainId")]);
    assert_eq!(verdicts(Check::Lag, silent("eth_blockNumber")).await, [not_offered("eth_blockNumber")]);
    let releases = verdicts(Check::SameRelease, silent("web3_clientVersion")).await;
    assert_eq!(releases[1], not_offered("web3_clientVersion"));
}

#[tokio::test(start_paused = true)]
async fn all_nodes_are_asked_at_once_how_far_they_are() {
    // One after the other, the last would be asked three seconds and three blocks after the first.
    let nodes = vec![Script { latency: Duration::from_secs(1), ..Script::healthy() }; 4];
    let names = (1..).map(|place: usize| format!("node {place}"));
    let patients: Vec<Patient> =
        nodes.into_iter().zip(names).map(|(script, name)| Patient { name, transport: script.node() }).collect();
    let examination = Examination { profile: None, senders: Vec::new(), watch: None, now_seconds: || NOW };
    let mut observations = examine(&patients, &examination, |_| {}).await;
    let began = tokio::time::Instant::now();
    compare_at_one_height(&patients, &mut observations).await;
    assert_eq!(began.elapsed(), Duration::from_secs(2), "one second for heights, one for hashes");
}

#[tokio::test(start_paused = true)]
async fn what_votes_only_on_a_validator_is_a_notice() {
    let open =
        |module: &'static str| severity(Trap::AdminApiOpen, move |case| case.both(|one| one.modules.push(module)));
    for module in ["qbft", "ibft", "clique"] {
        assert_eq!(open(module).await, Some(Severity::Notice), "{module}");
    }
    for module in ["admin", "miner", "perm", "debug", "plugins"] {
        assert_eq!(open(module).await, Some(Severity::Warning), "{module}");
    }
    assert_eq!(open("trace").await, None);
}
