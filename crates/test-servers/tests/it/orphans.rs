//! What becomes of servers whose owner is killed: it has no chance to end them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use test_servers::{Nats, Postgres};

use crate::{processes_with, wait_until};

const OWNER: &str = "orphans::owner_of_servers_when_told_to";
const TOLD: &str = "LASTRO_TEST_OWNS_SERVERS";
const FOLDER: &str = "folder of a server: ";

/// Does nothing but in the process that the other test starts and kills.
#[test]
fn owner_of_servers_when_told_to() {
    if std::env::var_os(TOLD).is_none() {
        return;
    }
    // On a thread that ends: a server must outlive the thread that started it.
    let nats = std::thread::spawn(|| Nats::start().unwrap()).join().unwrap();
    println!("\n{FOLDER}{}", nats.folder().display());
    let postgres = std::thread::spawn(|| Postgres::shared().unwrap()).join().unwrap();
    println!("\n{FOLDER}lastro-postgres port {}", postgres.port());
    let _ = std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn servers_end_when_their_owner_is_killed_and_not_before() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let _ = command.args(["--exact", OWNER, "--nocapture"]).env(TOLD, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut owner = command.spawn().unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines().map(Result::unwrap);
    let found: Vec<String> = lines.filter_map(|line| line.strip_prefix(FOLDER).map(str::to_owned)).take(2).collect();
    let folder = PathBuf::from(&found[0]);
    let postgres = format!("-p {}", found[1].rsplit(' ').next().unwrap());
    assert!(!processes_with(&found[0]).is_empty() && !processes_with(&postgres).is_empty());
    owner.kill().unwrap();
    let _ = owner.wait().unwrap();
    wait_until("no process of NATS", || processes_with(&found[0]).is_empty());
    wait_until("no process of PostgreSQL", || processes_with(&postgres).is_empty());
    wait_until("no folder of NATS", || !folder.exists());
}
