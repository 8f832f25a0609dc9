//! Every trap on a scripted node: found where it is, not found where it is not; and what hostile nodes say.

mod planted;
mod scripted;
mod unseen;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use proptest::prelude::*;

use self::planted::planted;
use self::scripted::{ACCOUNTS, Behaviour, NODES, NOW, SENDER, Script};
use super::*;
use crate::profile::Rules;
use crate::profile::network::{Expected, Governs, KnownChain, NetworkProfile, PermissioningContract};

fn expected() -> NetworkProfile {
    let chain = KnownChain {
        label: "own".to_owned(),
        chain_id: 7_007,
        genesis_hash: None,
        block_period: Some(Duration::from_secs(4)),
        empty_block_period: Some(Duration::from_secs(4)),
    };
    NetworkProfile {
        rules: Expected::Exactly(Rules::Shanghai),
        block_gas_limit: Expected::Exactly(30_000_000),
        consensus: Some(crate::profile::network::Consensus::Qbft),
        chains: vec![chain],
        ..NetworkProfile::named("besu-private").unwrap().clone()
    }
}

/// A node, or several, and what is expected of them.
struct Case {
    nodes: Vec<Script>,
    profile: Option<NetworkProfile>,
    senders: Vec<Address>,
    watch: Option<Duration>,
}

impl Case {
    /// Two nodes that are well, on a network as expected, with a sender.
    fn healthy() -> Self {
        let nodes = vec![Script::healthy(), Script::healthy()];
        Self { nodes, profile: Some(expected()), senders: vec![SENDER], watch: None }
    }

    fn both(&mut self, change: impl Fn(&mut Script)) {
        self.nodes.iter_mut().for_each(change);
    }

    fn profile(&mut self) -> &mut NetworkProfile {
        self.profile.as_mut().unwrap()
    }

    async fn findings(self) -> Vec<Finding> {
        let names = (1..).map(|place: usize| format!("node {place}"));
        let patients: Vec<Patient> = self
            .nodes
            .into_iter()
            .zip(names)
            .map(|(script, name)| Patient { name, transport: script.node() })
            .collect();
        let (profile, senders, watch) = (self.profile, self.senders, self.watch);
        let examination = Examination { profile: profile.clone(), senders, watch, now_seconds: || NOW };
        let observations = examine(&patients, &examination, |_| {}).await;
        judge(&observations, profile.as_ref())
    }
}

fn traps(findings: &[Finding]) -> BTreeSet<Trap> {
    findings.iter().filter_map(Finding::trap).collect()
}

fn permissioned() -> Vec<PermissioningContract> {
    let governs = [(Governs::Accounts, ACCOUNTS), (Governs::Nodes, NODES)];
    governs.map(|(governs, address)| PermissioningContract { governs, address }).to_vec()
}

/// What every node of the healthy kind has: gas is free, and the pool is the layered one.
const USUAL: [Trap; 2] = [Trap::NoReplacement, Trap::LayeredWindow];

fn version(release: &str) -> impl Fn(&mut Script) {
    let client = format!("besu/v{release}/linux-x86_64/openjdk-java-21");
    move |script| script.client.clone_from(&client)
}

#[tokio::test(start_paused = true)]
async fn a_healthy_network_has_nothing_but_what_its_kind_has() {
    let findings = Case::healthy().findings().await;
    assert_eq!(traps(&findings), USUAL.into_iter().collect());
    let seen: BTreeSet<Check> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(seen, Check::ALL.iter().copied().collect(), "no check is dropped");
}

#[tokio::test(start_paused = true)]
async fn each_trap_is_found_where_it_is_planted_and_nothing_else_with_it() {
    for trap in Trap::ALL {
        let mut case = Case::healthy();
        let with = planted(*trap, &mut case);
        let found = traps(&case.findings().await);
        let allowed: BTreeSet<Trap> = USUAL.into_iter().chain(with.iter().copied()).chain([*trap]).collect();
        assert!(found.contains(trap), "{trap:?} is not found, but {found:?}");
        let further: Vec<_> = found.difference(&allowed).collect();
        assert!(further.is_empty(), "{trap:?} is planted, and {further:?} found");
    }
}

#[tokio::test(start_paused = true)]
async fn what_every_healthy_node_of_a_kind_has_another_kind_has_not() {
    let mut case = Case::healthy();
    case.both(|one| (one.pool, one.gas_price, one.base_fee) = ((4_096, 0), 7, Some(7)));
    case.profile().fees = crate::profile::FeeModel::Legacy { gas_price_wei: 7 };
    let found = traps(&case.findings().await);
    assert!(USUAL.iter().all(|usual| !found.contains(usual)), "{found:?}");
}

/// The severity of a trap when these values are set.
async fn severity(trap: Trap, change: impl FnOnce(&mut Case)) -> Option<Severity> {
    let mut case = Case::healthy();
    change(&mut case);
    let findings = case.findings().await;
    findings.iter().find(|finding| finding.trap() == Some(trap)).and_then(Finding::severity)
}

#[tokio::test(start_paused = true)]
async fn limits_are_where_they_are_said_to_be() {
    let age = |age: i64| severity(Trap::HeadStalled, move |case| case.both(|one| one.head_age = age));
    assert_eq!((age(20).await, age(21).await), (None, Some(Severity::Fault)));
    let ahead = |ahead: i64| severity(Trap::ClockSkew, move |case| case.both(|one| one.head_age = -ahead));
    assert_eq!(
        (ahead(5).await, ahead(6).await, ahead(31).await),
        (None, Some(Severity::Warning), Some(Severity::Fault))
    );
    let apart = |apart: i64| severity(Trap::ClockSkew, move |case| case.both(|one| one.date = Some(apart)));
    assert_eq!(
        (apart(5).await, apart(6).await, apart(-6).await),
        (None, Some(Severity::Warning), Some(Severity::Warning))
    );
    assert_eq!((apart(30).await, apart(31).await), (Some(Severity::Warning), Some(Severity::Fault)));
    let behind = |highest: &'static str| {
        let syncing = serde_json::json!({ "currentBlock": "0x1", "highestBlock": highest });
        severity(Trap::NodeSyncing, move |case| case.both(|one| one.syncing.clone_from(&syncing)))
    };
    assert_eq!((behind("0x3").await, behind("0x4").await), (None, Some(Severity::Warning)));
    let silent = |proposer: fn(u64) -> usize| {
        severity(Trap::ValidatorSilent, move |case| case.both(|one| one.proposer = proposer))
    };
    assert_eq!(silent(|number| usize::try_from(number % 3).unwrap()).await, Some(Severity::Warning));
    assert_eq!(silent(|number| usize::try_from(number % 2).unwrap()).await, Some(Severity::Fault));
    let held = |held: u64| severity(Trap::PoolNearlyFull, move |case| case.both(|one| one.pool = (4_096, held)));
    assert_eq!((held(3_686).await, held(3_687).await), (None, Some(Severity::Warning)));
    let shut_out = |balance: u64| {
        severity(Trap::ZeroBalanceSendersShutOut, move |case| {
            case.both(version("26.4.0"));
            case.both(|one| one.balance = balance);
        })
    };
    assert_eq!((shut_out(0).await, shut_out(1).await), (Some(Severity::Fault), Some(Severity::Notice)));
    let sequenced = severity(Trap::ZeroBalanceSendersShutOut, |case| {
        case.both(version("26.4.0"));
        case.both(|one| (one.balance, one.pool) = (0, (4_096, 0)));
    });
    assert_eq!(sequenced.await, None, "the sequenced pool does not ask for balances");
    let unknown = severity(Trap::ZeroBalanceSendersShutOut, |case| {
        case.both(version("26.4.0"));
        case.both(|one| one.balance = 0);
        case.both(|one| one.not_offered("txpool_besuStatistics"));
    });
    assert_eq!(unknown.await, Some(Severity::Warning), "the pool was not seen");
}

#[tokio::test(start_paused = true)]
async fn a_transaction_without_gas_has_no_reason_to_give() {
    let mut case = Case::healthy();
    case.both(|one| {
        one.reverts = Some(false);
        let used_all = r#"{"id":{id},"result":{"gas":"0x5208"}}"#.to_owned();
        let _ = one.behaviours.insert("eth_getTransactionByHash", Behaviour::Says(used_all));
    });
    let findings = case.findings().await;
    assert!(!traps(&findings).contains(&Trap::RevertReasonsMissing));
    let is_unseen = |finding: &Finding| finding.verdict == Verdict::NotSeen(Unseen::Nothing(Nothing::NoRevert));
    assert!(findings.iter().any(|finding| finding.check == Check::RevertReasons && is_unseen(finding)));
}

const METHODS: [&str; 17] = [
    "web3_clientVersion",
    "eth_chainId",
    "net_version",
    "eth_getBlockByNumber",
    "eth_gasPrice",
    "eth_syncing",
    "net_peerCount",
    "rpc_modules",
    "qbft_getValidatorsByBlockNumber",
    "txpool_besuStatistics",
    "eth_getCode",
    "perm_getAccountsAllowlist",
    "eth_getBalance",
    "eth_call",
    "eth_getTransactionReceipt",
    "eth_getLogs",
    "eth_blockNumber",
];

async fn with_answers(behaviours: impl IntoIterator<Item = (&'static str, Behaviour)>) -> Vec<Finding> {
    let mut case = Case::healthy();
    case.nodes[0].behaviours = behaviours.into_iter().collect();
    case.watch = Some(Duration::from_secs(1));
    case.findings().await
}

/// The checks of each node, and those of all together.
fn all_checks() -> [BTreeSet<Check>; 2] {
    let (of_node, together) = Check::ALL.iter().copied().partition(|check| *check < Check::NodeCount);
    [of_node, together]
}

#[tokio::test(start_paused = true)]
async fn a_method_that_is_missing_lies_or_hangs_drops_no_check() {
    let answers = [
        Behaviour::Says(r#"{"id":{id},"error":{"code":-32601,"message":"Method not found"}}"#.to_owned()),
        Behaviour::Says(r#"{"id":{id},"result":null}"#.to_owned()),
        Behaviour::Says(r#"{"id":{id},"result":[[],{},-1,"0x"]}"#.to_owned()),
        Behaviour::Says(
            r#"{"id":{id},"result":{"number":"0xffffffffffffffff","timestamp":"0x0","transactions":[]}}"#.to_owned(),
        ),
        Behaviour::Says("<html><body>502 Bad Gateway</body></html>".to_owned()),
        Behaviour::Says(format!(r#"{{"id":{{id}},"result":"0x{}"}}"#, "f".repeat(1_000_000))),
        Behaviour::Hangs,
        Behaviour::Refused,
    ];
    for method in METHODS {
        for answer in &answers {
            let findings = with_answers([(method, answer.clone())]).await;
            // The other node is well: what it shows must not hide what this one does not.
            let of_node = findings.iter().filter(|finding| finding.node == Some(0)).map(|finding| finding.check);
            let together = findings.iter().filter(|finding| finding.node.is_none()).map(|finding| finding.check);
            let seen = [of_node.collect::<BTreeSet<Check>>(), together.collect()];
            assert_eq!(seen, all_checks(), "{method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_says_nothing_is_one_fault_and_its_checks_are_listed() {
    for (behaviour, reason) in [(Behaviour::Refused, "connection refused"), (Behaviour::Hangs, "> 10 s")] {
        let findings = with_answers([("*", behaviour)]).await;
        let of_node: Vec<&Finding> = findings.iter().filter(|finding| finding.node == Some(0)).collect();
        let faults: Vec<&Finding> = of_node.iter().copied().filter(|finding| finding.trap().is_some()).collect();
        let Verdict::Trapped { trap: Trap::NodeUnreachable, facts, .. } = &faults[0].verdict else {
            panic!("{faults:?}");
        };
        assert_eq!((faults.len(), facts[1].1.as_str()), (1, reason));
        assert!(of_node.len() > 20);
    }
}

#[tokio::test(start_paused = true)]
async fn a_profile_agrees_with_its_network_and_with_no_other() {
    let patient = |script: Script| Patient { name: "node".to_owned(), transport: script.node() };
    let compared = async |script: Script, profile: &NetworkProfile| {
        let (senders, watch) = (Vec::new(), None);
        let examination = Examination { profile: Some(profile.clone()), senders, watch, now_seconds: || NOW };
        let observations = examine(&[patient(script)], &examination, |_| {}).await;
        let lines = compare(&observations[0], profile);
        lines.iter().map(|line| format!("{} {}", line.item.name(), line.agreement.name())).collect::<Vec<_>>()
    };
    let own = compared(Script::healthy(), &expected()).await;
    assert_eq!(
        own,
        [
            "chain_id agrees",
            "genesis not_expected",
            "rules agrees",
            "block_gas_limit agrees",
            "fees agrees",
            "consensus agrees",
            "block_period agrees",
            "pool not_expected"
        ]
    );
    let rbb = compared(Script::healthy(), NetworkProfile::named("rbb").unwrap()).await;
    assert_eq!(
        rbb,
        [
            "chain_id differs",
            "genesis not_expected",
            "rules differs",
            "block_gas_limit differs",
            "fees agrees",
            "consensus agrees",
            "block_period not_expected",
            "pool differs",
            "permissioning differs",
            "permissioning differs"
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_answer_to_any_question_makes_it_panic(
        place in 0..METHODS.len(),
        answer in "(\\{\"id\":\\{id\\},\"result\":)?[\\[\\]{}\":,0-9a-fx.-]{0,80}\\}?",
        number in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let number = format!(r#"{{"id":{{id}},"result":"0x{number:x}"}}"#);
        let says = [answer, number].map(Behaviour::Says);
        for behaviour in says {
            let findings = runtime.block_on(with_answers([(METHODS[place], behaviour)]));
            prop_assert!(findings.len() >= Check::ALL.len());
        }
    }

    #[test]
    fn no_numbers_in_blocks_make_it_panic(
        head in any::<u64>(),
        timestamps in prop::array::uniform3(any::<u64>()),
        gas in any::<u64>(),
        server in any::<Option<u64>>(),
        pool in any::<(Option<u64>, u64)>(),
        now in any::<u64>(),
    ) {
        let block = |place: u64, timestamp_seconds: u64| SeenBlock {
            number: head.wrapping_add(place),
            hash: B256::repeat_byte(1),
            parent_hash: B256::repeat_byte(2),
            timestamp_seconds,
            proposer: SENDER,
            gas_limit: gas,
            base_fee_wei: Some(alloy_primitives::U256::MAX),
            transactions: Vec::new(),
            extra: None,
        };
        let blocks: Vec<SeenBlock> = (0..40).map(|place| block(place, timestamps[usize::try_from(place % 3).unwrap()])).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let patient = Patient { name: String::new(), transport: Arc::new(Script::healthy()) };
        let examination = Examination { profile: None, senders: vec![SENDER], watch: None, now_seconds: || NOW };
        let mut seen = runtime.block_on(examine(&[patient], &examination, |_| {})).remove(0);
        seen.blocks = Ok(blocks);
        seen.now_seconds = now;
        seen.server_seconds = server;
        seen.pool = Ok(SeenPool { max: pool.0, held: pool.1 });
        seen.height = Ok(head);
        seen.common = Ok((head, B256::ZERO));
        let mut other = seen.clone();
        other.height = Ok(gas);
        let _ = judge(&[seen.clone(), other], Some(&expected()));
        let _ = compare(&seen, &expected());
    }
}
