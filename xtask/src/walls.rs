//! The walls: which crate of ours may know which, and what only one crate may name.
//!
//! This file is the table. A new crate gets a row; a new arrow between crates is a change here, in a commit of its own with
//! its reason and a line in `ARCHITECTURE.md`.

use crate::finding::{Finding, Rule, line_where};
use crate::tree::Tree;
use crate::workspace::{Crate, Declared, Need, Workspace};

/// A crate and what it may know of the others.
pub(crate) struct Wall {
    /// Name of the crate.
    pub(crate) name: &'static str,
    /// Crates of ours that its code may use.
    pub(crate) may_use: &'static [&'static str],
    /// Further crates of ours that only its tests may use.
    pub(crate) tests_may_use: &'static [&'static str],
    /// Whether it does no IO, knows no clock, and is linked with nothing that does.
    pub(crate) is_pure: bool,
}

/// A package, or a name in code, that few crates may use.
pub(crate) struct Keeper {
    /// The package or name.
    pub(crate) what: &'static str,
    /// The crates that may use it.
    pub(crate) crates: &'static [&'static str],
    /// Why they alone; exceptions are named with their reason.
    pub(crate) rule: Rule,
}

const NONE: &[&str] = &[];

/// One row for each crate of the workspace.
pub(crate) const WALLS: &[Wall] = &[
    // The load generator starts the servers that it measures and their peers, and measures `chain` with keys for
    // tests alone, also behind the fault proxy.
    Wall {
        name: "bench",
        may_use: &["bindings", "chain", "custody", "fault-proxy", "journal", "messages", "test-servers"],
        tests_may_use: NONE,
        is_pure: false,
    },
    Wall { name: "bindings", may_use: NONE, tests_may_use: NONE, is_pure: true },
    Wall {
        name: "chain",
        may_use: &["custody", "journal", "messages", "node-errors"],
        tests_may_use: &["bindings", "ledger", "test-servers"],
        is_pure: false,
    },
    Wall { name: "custody", may_use: &["bindings"], tests_may_use: NONE, is_pure: false },
    Wall { name: "fault-proxy", may_use: NONE, tests_may_use: NONE, is_pure: false },
    Wall { name: "journal", may_use: &["messages", "process-lock"], tests_may_use: &["test-servers"], is_pure: false },
    Wall {
        name: "lastro",
        // The demonstration under chaos stands behind the fault proxy.
        may_use: &[
            "bench",
            "bindings",
            "chain",
            "custody",
            "fault-proxy",
            "journal",
            "ledger",
            "market",
            "messages",
            "node-errors",
        ],
        tests_may_use: &["test-servers"],
        is_pure: false,
    },
    Wall { name: "ledger", may_use: &["node-errors", "process-lock"], tests_may_use: NONE, is_pure: false },
    Wall { name: "market", may_use: NONE, tests_may_use: NONE, is_pure: true },
    Wall { name: "messages", may_use: NONE, tests_may_use: NONE, is_pure: true },
    Wall { name: "node-errors", may_use: NONE, tests_may_use: NONE, is_pure: true },
    Wall { name: "process-lock", may_use: NONE, tests_may_use: NONE, is_pure: false },
    Wall { name: "test-servers", may_use: NONE, tests_may_use: NONE, is_pure: false },
    Wall { name: "xtask", may_use: NONE, tests_may_use: NONE, is_pure: false },
];

/// Packages that only some crates may declare.
pub(crate) const PACKAGE_KEEPERS: &[Keeper] = &[
    Keeper {
        what: "revm",
        crates: &["ledger"],
        rule: Rule {
            why: "only the ledger executes transactions",
            remedy: "ask the ledger through its API, or take plain types from alloy",
        },
    },
    Keeper {
        what: "jsonrpsee",
        // The program hands the ledger's methods to `chain` without a socket.
        crates: &["lastro", "ledger"],
        rule: Rule { why: "only the ledger answers JSON-RPC", remedy: "add the method to the ledger's RPC module" },
    },
    Keeper {
        what: "hyper-util",
        // The proxy passes on what it does not understand.
        crates: &["chain", "fault-proxy"],
        rule: Rule { why: "only `chain` talks JSON-RPC to a node", remedy: "ask `chain` for what is needed" },
    },
    Keeper {
        what: "tokio-rustls",
        crates: &["chain"],
        rule: Rule {
            why: "only `chain` connects to nodes, and checks certificates in one place",
            remedy: "dial by `chain`",
        },
    },
    Keeper {
        what: "soketto",
        crates: &["chain"],
        rule: Rule { why: "only `chain` listens to a node", remedy: "follow the ledger by `chain`" },
    },
    Keeper {
        what: "async-nats",
        crates: &["journal"],
        rule: Rule { why: "only the journal's bus talks to NATS", remedy: "publish an event, and consume the feed" },
    },
    Keeper {
        what: "secp256k1",
        // The ledger recovers senders and has the key of its node; the load generator signs for accounts that it makes up.
        crates: &["bench", "custody", "ledger"],
        rule: Rule { why: "only custody sees key material", remedy: "let custody sign, or compare addresses instead" },
    },
    Keeper {
        what: "k256",
        crates: &["custody"],
        rule: Rule { why: "only custody sees key material", remedy: "let custody sign, or compare addresses instead" },
    },
    Keeper {
        what: "cryptoki",
        crates: &["custody"],
        rule: Rule { why: "only custody speaks to tokens", remedy: "let custody sign with a key of a token" },
    },
    Keeper {
        what: "anyhow",
        crates: &["bench", "lastro", "xtask"],
        rule: Rule {
            why: "a caller must be able to act on a library's error",
            remedy: "write a `thiserror` enum for the operation, with the offending value and the limit",
        },
    },
];

/// Names of types that only some crates may write, wherever they come from.
pub(crate) const NAME_KEEPERS: &[Keeper] = &[
    Keeper { what: "SecretKey", crates: &["bench", "custody", "ledger"], rule: KEY_MATERIAL },
    Keeper { what: "SigningKey", crates: &["custody"], rule: KEY_MATERIAL },
    Keeper { what: "Keypair", crates: &["custody"], rule: KEY_MATERIAL },
];

const KEY_MATERIAL: Rule =
    Rule { why: "only custody sees key material", remedy: "hand custody the bytes to sign and take the signature" };

/// Packages that do IO or wait, with which a pure crate is not linked.
pub(crate) const IO_PACKAGES: &[&str] =
    &["async-std", "hyper", "jsonrpsee", "mio", "rustix", "socket2", "sqlx", "tokio"];

/// Beginnings of paths that a pure crate does not write outside its tests.
pub(crate) const IO_PATHS: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

const ARROW: Rule = Rule {
    why: "arrows between crates go one way and each has its reason",
    remedy: "move what is shared to where both may see it, or change the table in xtask/src/walls.rs with the reason",
};
const TABLE: Rule = Rule {
    why: "the table of walls and the workspace name the same crates",
    remedy: "add or remove the row in xtask/src/walls.rs, and the line in ARCHITECTURE.md",
};
const PURE: Rule = Rule {
    why: "a pure crate does no IO and waits for nothing, so that a test decides all it sees",
    remedy: "take the data, the time or the randomness as a parameter and do the IO in a caller",
};

/// Checks the tables above against what the crates declare.
pub(crate) fn check(workspace: &Workspace, tree: &Tree) -> Vec<Finding> {
    check_with(WALLS, workspace, tree)
}

fn check_with(walls: &[Wall], workspace: &Workspace, tree: &Tree) -> Vec<Finding> {
    let mut findings = rows_without_crate(walls, workspace);
    for member in &workspace.crates {
        let place = Place { member, text: tree.text(&member.manifest()).unwrap_or_default() };
        match walls.iter().find(|wall| wall.name == member.name) {
            Some(wall) => findings.extend(place.check(wall)),
            None => findings.push(place.finding("name", format!("crate `{}` has no row", member.name), &TABLE)),
        }
    }
    findings
}

fn rows_without_crate(walls: &[Wall], workspace: &Workspace) -> Vec<Finding> {
    let exists = |wall: &&Wall| workspace.crates.iter().any(|member| member.name == wall.name);
    let report =
        |wall: &Wall| Finding::new("xtask/src/walls.rs", 1, format!("row `{}` has no crate", wall.name), &TABLE);
    walls.iter().filter(|wall| !exists(wall)).map(report).collect()
}

/// A crate with the text of its manifest, where its findings point.
struct Place<'a> {
    member: &'a Crate,
    text: &'a str,
}

impl Place<'_> {
    fn finding(&self, key: &str, what: String, rule: &'static Rule) -> Finding {
        let line =
            line_where(self.text, |line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(['.', ' ', '='])));
        Finding::new(&self.member.manifest(), line, what, rule)
    }

    fn check(&self, wall: &Wall) -> Vec<Finding> {
        let declared = self.member.dependencies.iter();
        let mut findings: Vec<Finding> = declared.filter_map(|dependency| self.dependency(wall, dependency)).collect();
        if wall.is_pure {
            findings.extend(IO_PACKAGES.iter().filter(|name| self.member.linked.contains(**name)).map(|name| {
                self.finding("name", format!("pure crate `{}` is linked with `{name}`", self.member.name), &PURE)
            }));
        }
        findings
    }

    fn dependency(&self, wall: &Wall, dependency: &Declared) -> Option<Finding> {
        let (ours, name) = (&self.member.name, dependency.name.as_str());
        if dependency.is_ours {
            let is_allowed = wall.may_use.contains(&name)
                || (dependency.need == Need::Tests && wall.tests_may_use.contains(&name))
                || name == ours;
            return (!is_allowed).then(|| self.finding(name, format!("crate `{ours}` knows crate `{name}`"), &ARROW));
        }
        let keeper = PACKAGE_KEEPERS.iter().find(|keeper| keeper.what == name)?;
        let is_allowed = keeper.crates.contains(&ours.as_str());
        (!is_allowed).then(|| self.finding(name, format!("crate `{ours}` names `{name}`"), &keeper.rule))
    }
}

/// The rule that a pure crate's sources are held to.
pub(crate) fn purity() -> &'static Rule {
    &PURE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::TreeFile;

    const SAMPLE: &[Wall] = &[
        Wall { name: "core", may_use: NONE, tests_may_use: NONE, is_pure: true },
        Wall { name: "shell", may_use: &["core"], tests_may_use: &["core-tests"], is_pure: false },
    ];

    fn declared(name: &str, need: Need, is_ours: bool) -> Declared {
        Declared { name: name.to_owned(), code_name: name.replace('-', "_"), need, is_ours }
    }

    fn member(name: &str, dependencies: Vec<Declared>) -> Crate {
        Crate { name: name.to_owned(), folder: format!("crates/{name}"), dependencies, ..Crate::default() }
    }

    fn findings(crates: Vec<Crate>) -> Vec<String> {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\ncore.workspace = true\nrevm.workspace = true\n";
        let file = |member: &Crate| TreeFile::of_text(&member.manifest(), manifest);
        let tree = Tree { files: crates.iter().map(file).collect() };
        let workspace = Workspace { crates, ..Workspace::default() };
        let report = |finding: Finding| format!("{}:{}: {}", finding.path, finding.line, finding.what);
        check_with(SAMPLE, &workspace, &tree).into_iter().map(report).collect()
    }

    #[test]
    fn arrows_of_the_table_pass() {
        let dependencies = vec![
            declared("core", Need::Normal, true),
            declared("core-tests", Need::Tests, true),
            declared("serde", Need::Normal, false),
        ];
        assert_eq!(findings(vec![member("core", vec![]), member("shell", dependencies)]), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_against_the_table_is_found() {
        let found =
            findings(vec![member("core", vec![declared("shell", Need::Normal, true)]), member("shell", vec![])]);
        assert_eq!(found, ["crates/core/Cargo.toml:1: crate `core` knows crate `shell`"]);
    }

    #[test]
    fn what_tests_may_use_the_crate_itself_may_not() {
        let shell = member("shell", vec![declared("core-tests", Need::Normal, true)]);
        assert_eq!(findings(vec![member("core", vec![]), shell]).len(), 1);
    }

    #[test]
    fn a_package_kept_by_another_crate_is_found_at_its_line() {
        let found =
            findings(vec![member("core", vec![]), member("shell", vec![declared("revm", Need::Normal, false)])]);
        assert_eq!(found, ["crates/shell/Cargo.toml:5: crate `shell` names `revm`"]);
    }

    #[test]
    fn a_pure_crate_linked_with_a_runtime_is_found() {
        let mut core = member("core", vec![]);
        core.linked = ["bytes".to_owned(), "tokio".to_owned()].into();
        let found = findings(vec![core, member("shell", vec![])]);
        assert_eq!(found, ["crates/core/Cargo.toml:2: pure crate `core` is linked with `tokio`"]);
    }

    #[test]
    fn a_crate_without_row_and_a_row_without_crate_are_found() {
        let found = findings(vec![member("core", vec![]), member("other", vec![])]);
        assert_eq!(
            found,
            ["xtask/src/walls.rs:1: row `shell` has no crate", "crates/other/Cargo.toml:2: crate `other` has no row"]
        );
    }

    #[test]
    fn every_keeper_is_a_crate_of_the_table() {
        let keepers = PACKAGE_KEEPERS.iter().chain(NAME_KEEPERS).flat_map(|keeper| keeper.crates);
        let strangers: Vec<&&str> = keepers.filter(|name| !WALLS.iter().any(|wall| wall.name == **name)).collect();
        assert_eq!(strangers, Vec::<&&str>::new());
    }
}
