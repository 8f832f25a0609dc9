//! Scripts that people write: started with node, heard, and ended if they do not end.

use super::client::{Library, Nonces, Run, TRANSFER_GAS, Task, receiver};
use super::tally::Told;
use crate::ledger_load::signer::CHAIN_ID;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout_at;

/// How often a script asks for a new block: as often as one comes.
const POLL: Duration = super::BLOCK_PERIOD;
/// How long it waits for a receipt before it tries again: 50 blocks.
const RECEIPT_TIME_MAX: Duration = Duration::from_secs(5);
/// How often it tries an intent, and how long it rests in between.
const ATTEMPTS_MAX: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);
/// How much of a script's last words is kept.
const LAST_WORDS_CHARACTERS: usize = 300;

impl Library {
    fn name(self) -> &'static str {
        match self {
            Self::Ethers => "ethers",
            Self::Viem => "viem",
        }
    }
}

/// Whether the scripts and their packages are there.
pub(super) fn check(packages: &Path) -> Result<()> {
    for library in [Library::Ethers, Library::Viem] {
        let (script, package) = (packages.join(file(library)), packages.join("node_modules").join(library.name()));
        ensure!(
            script.is_file(),
            "there is no script `{}`: name the folder of a checkout with `--clients`",
            script.display()
        );
        ensure!(
            package.is_dir(),
            "`{}` is not installed: run `./test clients`, which installs it, or `npm ci` in `{}`",
            library.name(),
            packages.display()
        );
    }
    Ok(())
}

fn file(library: Library) -> String {
    format!("peers/{}.mjs", library.name())
}

/// Runs a script until it ends or its time is up.
pub(super) async fn run(library: Library, nonces: Nonces, task: &Task<'_>) -> Result<Run> {
    let mut command = Command::new("node");
    let _ = command.arg(file(library)).current_dir(task.packages).kill_on_drop(true);
    let _ = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("`node` cannot be started: install Node.js 20 or newer")?;
    let mut input = child.stdin.take().context("the script's input is a pipe")?;
    input.write_all(words(nonces, task).to_string().as_bytes()).await.context("the script takes no task")?;
    drop(input);
    let mut heard = Heard { client: library.name().to_owned(), told: BTreeMap::new(), elapsed: None };
    let began = Instant::now();
    let broken_off = match timeout_at((began + task.time_max).into(), heard.listen(&mut child)).await {
        Ok(ended) => ended?,
        Err(_) => Some(format!("did not end in {} s", task.time_max.as_secs())),
    };
    // It may have ended by itself.
    let _ = child.kill().await;
    let Heard { client, told, elapsed } = heard;
    Ok(Run { client, told, elapsed: elapsed.unwrap_or_else(|| began.elapsed()), broken_off })
}

/// The task, as the scripts read it.
fn words(nonces: Nonces, task: &Task<'_>) -> Value {
    json!({
        "url": task.url,
        "chainId": CHAIN_ID,
        "privateKey": task.private_key,
        "intents": task.intents,
        "atOnce": task.at_once,
        "batchMax": task.batch_max,
        "firstReceiver": receiver(0).to_string(),
        "gas": TRANSFER_GAS,
        "hasOwnCounter": nonces == Nonces::OwnCounter,
        "attemptsMax": ATTEMPTS_MAX,
        "pauseMs": PAUSE.as_millis(),
        "pollMs": POLL.as_millis(),
        "receiptMs": RECEIPT_TIME_MAX.as_millis(),
    })
}

/// What a script said so far.
struct Heard {
    client: String,
    told: BTreeMap<u32, Told>,
    elapsed: Option<Duration>,
}

impl Heard {
    /// Hears the script out; why it broke off, if it did.
    async fn listen(&mut self, child: &mut Child) -> Result<Option<String>> {
        let mut errors = child.stderr.take().context("the script's errors are a pipe")?;
        let last_words = tokio::spawn(async move {
            let mut said = String::new();
            // What is no text is not shown.
            let _ = errors.read_to_string(&mut said).await;
            said
        });
        let mut lines = BufReader::new(child.stdout.take().context("the script's output is a pipe")?).lines();
        while let Some(line) = lines.next_line().await? {
            self.take(&line).with_context(|| format!("the script says `{line}`"))?;
        }
        let status = child.wait().await?;
        if self.elapsed.is_some() && status.success() {
            return Ok(None);
        }
        let said = last_words.await?;
        let said: String =
            said.lines().map(str::trim).collect::<Vec<_>>().join(" / ").chars().take(LAST_WORDS_CHARACTERS).collect();
        Ok(Some(format!("ended with {status}: {said}")))
    }

    fn take(&mut self, line: &str) -> Result<()> {
        let word: Value = serde_json::from_str(line)?;
        if let Some(elapsed_ms) = word["elapsedMs"].as_u64() {
            self.elapsed = Some(Duration::from_millis(elapsed_ms));
            word["version"].as_str().context("it says no version")?.clone_into(&mut self.client);
            return Ok(());
        }
        let intent = word["intent"].as_u64().context("it names no intent")?;
        let is_done = word["isDone"].as_bool().context("it does not say whether it is done")?;
        let told = if is_done { Told::Done } else { Told::Failed };
        ensure!(self.told.insert(u32::try_from(intent)?, told).is_none(), "it ended intent {intent} before");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard() -> Heard {
        Heard { client: "x".to_owned(), told: BTreeMap::new(), elapsed: None }
    }

    #[test]
    fn a_script_is_taken_at_its_words() {
        let mut heard = heard();
        heard.take(r#"{"intent":3,"isDone":true}"#).unwrap();
        heard.take(r#"{"intent":4,"isDone":false,"why":"nonce too low"}"#).unwrap();
        heard.take(r#"{"version":"viem 2.57.1","elapsedMs":1500}"#).unwrap();
        assert_eq!(heard.told, BTreeMap::from([(3, Told::Done), (4, Told::Failed)]));
        assert_eq!((heard.client.as_str(), heard.elapsed), ("viem 2.57.1", Some(Duration::from_millis(1_500))));
    }

    #[test]
    fn words_that_make_no_sense_are_errors() {
        for bad in ["", "x", "{}", r#"{"intent":3}"#, r#"{"intent":-1,"isDone":true}"#, r#"{"elapsedMs":3}"#] {
            assert!(heard().take(bad).is_err(), "{bad}");
        }
        let mut heard = heard();
        heard.take(r#"{"intent":3,"isDone":false}"#).unwrap();
        assert!(heard.take(r#"{"intent":3,"isDone":true}"#).is_err(), "an intent ends once");
    }

    #[test]
    fn packages_that_are_missing_are_named_with_what_installs_them() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(folder.path()).unwrap_err().to_string().contains("--clients"));
        std::fs::create_dir(folder.path().join("peers")).unwrap();
        std::fs::write(folder.path().join("peers/ethers.mjs"), "").unwrap();
        assert!(check(folder.path()).unwrap_err().to_string().contains("npm ci"));
    }
}
