//! Keys as an operator makes, takes over, lists and tries them; what is refused leaves everything as it was, and nothing secret is
//! printed.

use crate::program::{Answer, Process, helps, lastro, text};
use insta::assert_snapshot;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const PASSPHRASE: &str = "correct horse battery staple";

/// A folder with a right passphrase, a wrong one, and a keystore to be.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("right"), format!("{PASSPHRASE}\n")).unwrap();
        std::fs::write(folder.path().join("wrong"), "Tr0ub4dor\n").unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `lastro keys` in this folder; nothing that it says ever holds a passphrase or a key.
    fn keys(&self, arguments: &[&str], passphrase: Option<&str>) -> Answer {
        let (keystore, file) = (self.path("keystore"), passphrase.map(|name| self.path(name)));
        let mut all = vec!["keys"];
        all.extend(arguments);
        all.extend(["--keystore", text(&keystore)]);
        if let Some(file) = &file {
            all.extend(["--passphrase-file", text(file)]);
        }
        let answer = lastro(&all);
        let said = format!("{}{}", answer.stdout, answer.stderr);
        assert!(!said.contains(PASSPHRASE) && !said.contains("Tr0ub4dor"), "{said}");
        assert!(!said.contains("ciphertext"), "{said}");
        answer
    }

    /// What was said, with what differs from run to run replaced by names.
    fn shown(&self, answer: &Answer) -> String {
        let shown = answer.shown(&[(text(self.0.path()), "[folder]")]);
        shown.split_inclusive(char::is_whitespace).map(without_address).collect()
    }
}

/// Where packages put SoftHSM, a token in software (Debian's package `softhsm2`).
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// A hardware token in a folder, whose PIN is the right passphrase.
struct Hsm {
    desk: Desk,
    module: &'static str,
}

impl Hsm {
    fn new() -> Self {
        let desk = Desk::new();
        std::fs::create_dir(desk.path("tokens")).unwrap();
        let configuration = format!("directories.tokendir = {}\nlog.level = ERROR\n", desk.path("tokens").display());
        std::fs::write(desk.path("softhsm2.conf"), configuration).unwrap();
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", "bank", "--so-pin", "officer-8421", "--pin", PASSPHRASE])
            .env("SOFTHSM2_CONF", desk.path("softhsm2.conf"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let module = MODULES.iter().find(|module| Path::new(module).is_file());
        Self { desk, module: module.expect("SoftHSM is missing: install Debian's package `softhsm2`") }
    }

    /// Runs `lastro keys` with this token, or the one of this label.
    fn keys(&self, token: &str, arguments: &[&str], pin: Option<&str>) -> Answer {
        let file = pin.map(|name| self.desk.path(name));
        let mut all = [&["keys"], arguments, &["--module", self.module, "--token", token]].concat();
        if let Some(file) = &file {
            all.extend(["--passphrase-file", text(file)]);
        }
        let answer = Process::start_with(&all, &[("SOFTHSM2_CONF", &self.desk.path("softhsm2.conf"))]).answer();
        let said = format!("{}{}", answer.stdout, answer.stderr);
        assert!(!said.contains(PASSPHRASE) && !said.contains("Tr0ub4dor"), "{said}");
        answer
    }

    fn shown(&self, answer: &Answer) -> String {
        self.desk.shown(answer).replace(self.module, "[module]")
    }
}

#[test]
fn a_token_makes_lists_and_tries_keys_and_takes_over_none() {
    let hsm = Hsm::new();
    let made = hsm.keys("bank", &["new", "drex-admin", "--lang", "en"], Some("right")).ok();
    let spoken = hsm.keys("bank", &["new", "notary", "--purpose", "statements", "--lang", "pt-BR"], Some("right")).ok();
    let listed = hsm.keys("bank", &["list", "--lang", "en"], None).ok();
    let checked = hsm.keys("bank", &["check", "drex-admin", "--lang", "en"], Some("right")).ok();
    let taken = hsm.keys("bank", &["new", "drex-admin", "--lang", "en"], Some("right"));
    let unknown = hsm.keys("bank", &["check", "drex-amdin", "--lang", "en"], Some("right"));
    let wrong = hsm.keys("bank", &["check", "drex-admin", "--lang", "en"], Some("wrong"));
    let other = hsm.keys("other", &["list", "--lang", "en"], None);
    let file = hsm.desk.path("right");
    let imported = hsm.keys("bank", &["import", text(&file), "third", "--lang", "en"], Some("right"));
    assert_eq!([&taken, &unknown, &wrong, &other, &imported].map(|answer| answer.code), [1, 2, 2, 2, 2]);
    let all = [&made, &spoken, &listed, &checked, &taken, &unknown, &wrong, &other, &imported];
    assert_snapshot!(all.map(|answer| hsm.shown(answer)).join("\n\n"));

    let json = hsm.keys("bank", &["list", "--json"], None).ok().json();
    let one = hsm.keys("bank", &["check", "notary", "--json"], Some("right")).ok().json();
    assert_eq!(json["keys"][1], one);
    assert_eq!((one["token"].as_str(), one["purpose"].as_str()), (Some("bank"), Some("statements")));
    let both = ["keys", "list", "--keystore", "keys", "--module", hsm.module, "--token", "bank"];
    assert_eq!([lastro(&both).code, lastro(&["keys", "list", "--module", hsm.module]).code], [2, 2]);
}

fn without_address(word: &str) -> String {
    let is_address = word.len() >= 42 && word.starts_with("0x");
    if is_address { format!("[address]{}", &word[42..]) } else { word.to_owned() }
}

/// The files of a folder with their bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn a_key_is_made_listed_and_opens_with_its_passphrase_alone() {
    let desk = Desk::new();
    let made = desk.keys(&["new", "drex-admin", "--lang", "en"], Some("right")).ok();
    let spoken = desk.keys(&["new", "notary", "--purpose", "statements", "--lang", "pt-BR"], Some("right")).ok();
    let file = desk.path("keystore/drex-admin.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let listed = ["en", "pt-BR"].map(|lang| desk.keys(&["list", "--lang", lang], None).ok());
    let checked = desk.keys(&["check", "drex-admin", "--lang", "en"], Some("right")).ok();
    let refused = desk.keys(&["check", "drex-admin", "--lang", "en"], Some("wrong"));
    assert_eq!(refused.code, 2);
    let all = [&made, &spoken, &listed[0], &listed[1], &checked, &refused].map(|answer| desk.shown(answer));
    assert_snapshot!(all.join("\n\n"));

    let json = desk.keys(&["list", "--json"], None).ok().json();
    let one = desk.keys(&["check", "notary", "--json"], Some("right")).ok().json();
    assert_eq!(json["keys"][1], one);
    assert_eq!((one["label"].as_str(), one["purpose"].as_str()), (Some("notary"), Some("statements")));
    assert_eq!(one["file"].as_str(), Some(text(&desk.path("keystore/notary.json"))));
}

#[test]
fn a_file_of_another_program_is_taken_over_and_stays_as_it_is() {
    let desk = Desk::new();
    let made = desk.keys(&["new", "first", "--json"], Some("right")).ok().json();
    // As another program would have written it: without our member.
    let ours = std::fs::read_to_string(desk.path("keystore/first.json")).unwrap();
    let mut theirs: serde_json::Value = serde_json::from_str(&ours).unwrap();
    assert!(theirs.as_object_mut().unwrap().remove("lastro").is_some());
    let foreign = desk.path("foreign.json");
    std::fs::write(&foreign, theirs.to_string()).unwrap();

    let refused = desk.keys(&["import", text(&foreign), "second"], Some("wrong"));
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(!desk.path("keystore/second.json").exists());
    let imported = desk.keys(&["import", text(&foreign), "second", "--json"], Some("right")).ok().json();
    assert_eq!(imported["address"], made["address"]);
    assert_eq!(std::fs::read_to_string(&foreign).unwrap(), theirs.to_string());
    let _ = desk.keys(&["check", "second"], Some("right")).ok();
}

#[test]
fn what_is_refused_is_explained_and_changes_nothing() {
    let desk = Desk::new();
    let nowhere = desk.keys(&["list", "--lang", "en"], None);
    let bad_label = desk.keys(&["new", "Drex Admin", "--lang", "en"], Some("right"));
    let no_passphrase = desk.keys(&["new", "drex-admin", "--lang", "en"], Some("absent"));
    let no_file = desk.keys(&["import", text(&desk.path("absent.json")), "other"], Some("right"));
    std::fs::write(desk.path("broken.json"), "{}").unwrap();
    let no_key = desk.keys(&["import", text(&desk.path("broken.json")), "other"], Some("right"));
    assert_eq!([no_file.code, no_key.code], [2, 2]);
    assert!(!desk.path("keystore").exists(), "nothing is made before everything is read");
    let _ = desk.keys(&["new", "drex-admin"], Some("right")).ok();
    let before = files(&desk.path("keystore"));
    let taken = desk.keys(&["new", "drex-admin", "--lang", "en"], Some("wrong"));
    let unknown = desk.keys(&["check", "drex-amdin", "--lang", "en"], Some("right"));
    let absent = desk.keys(&["import", text(&desk.path("absent.json")), "other", "--lang", "en"], Some("right"));
    assert_eq!(files(&desk.path("keystore")), before);
    std::fs::write(desk.path("keystore/torn.json"), &before[0].1[..200]).unwrap();
    let torn = desk.keys(&["list", "--lang", "en"], None);
    let renamed = desk.path("keystore/other.json");
    std::fs::write(&renamed, &before[0].1).unwrap();
    let exchanged = desk.keys(&["check", "other", "--lang", "en"], Some("right"));

    let codes =
        [&nowhere, &bad_label, &no_passphrase, &taken, &unknown, &absent, &torn, &exchanged].map(|one| one.code);
    assert_eq!(codes, [2, 2, 2, 1, 2, 2, 2, 2]);
    let all = [nowhere, bad_label, no_passphrase, taken, unknown, absent, torn, exchanged];
    assert_snapshot!(all.map(|answer| desk.shown(&answer)).join("\n\n"));
}

#[test]
fn what_the_machine_refuses_is_no_wrong_usage() {
    let desk = Desk::new();
    let _ = desk.keys(&["new", "first"], Some("right")).ok();
    // A file stands where the folder should be, and a folder where the file should be.
    std::fs::write(desk.path("file"), "").unwrap();
    let under_a_file = lastro(&[
        "keys",
        "new",
        "second",
        "--keystore",
        text(&desk.path("file/keystore")),
        "--passphrase-file",
        text(&desk.path("right")),
    ]);
    assert_eq!(under_a_file.code, 3, "{}", under_a_file.stderr);
    std::fs::create_dir(desk.path("folder.json")).unwrap();
    let folder = desk.keys(&["import", text(&desk.path("folder.json")), "second"], Some("right"));
    assert_eq!(folder.code, 3, "{}", folder.stderr);
}

#[test]
fn each_command_has_its_help() {
    let commands: [&[&str]; 8] = [
        &["keys"],
        &["keys", "new"],
        &["keys", "import"],
        &["keys", "list"],
        &["keys", "check"],
        &["keys", "retire"],
        &["keys", "rotate"],
        &["keys", "approve"],
    ];
    assert_snapshot!(helps(&commands));
}
