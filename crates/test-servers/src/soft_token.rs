//! A token that keeps keys as hardware does, in software: SoftHSM 2, with a folder of its own.
//!
//! The module reads where its tokens are from the environment of the process that loads it, once (softhsm2.conf(5)). So whoever
//! uses the token is a child process that is started with [`SoftToken::environment`].

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::error::ServerError;
use crate::program::{find, search_path};

const PROGRAM: &str = "softhsm2-util";
const PACKAGE: &str = "softhsm2";
const MODULE: &str = "libsofthsm2.so";
/// Where packages put the module.
const MODULE_FOLDERS: [&str; 3] = ["/usr/lib/softhsm", "/usr/local/lib/softhsm", "/opt/homebrew/lib/softhsm"];
const ENVIRONMENT: &str = "SOFTHSM2_CONF";
/// The token is gone with its folder, so these guard nothing.
const PIN: &str = "pin-of-a-run-5520";
const OFFICER_PIN: &str = "officer-of-a-run-5521";

/// An empty token. It is gone when this is dropped.
#[derive(Debug)]
pub struct SoftToken {
    folder: TempDir,
    module: PathBuf,
}

impl SoftToken {
    /// The label of each token that is made here.
    pub const LABEL: &str = "bench";

    /// Makes a token.
    ///
    /// # Errors
    ///
    /// SoftHSM is not installed, or its tool fails; the error has what that said.
    pub fn make() -> Result<Self, ServerError> {
        let module = find(MODULE, PACKAGE, MODULE_FOLDERS.map(PathBuf::from))?;
        let tool = find(PROGRAM, PACKAGE, search_path())?;
        let folder = tempfile::Builder::new().prefix("lastro-token-").tempdir();
        let folder = folder.map_err(|source| io("make", &std::env::temp_dir(), source))?;
        let token = Self { folder, module };
        let tokens = token.path("tokens");
        fs::create_dir(&tokens).map_err(|source| io("make", &tokens, source))?;
        write(
            &token.path("softhsm2.conf"),
            &format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()),
        )?;
        write(&token.pin_file(), &format!("{PIN}\n"))?;
        let mut command = Command::new(&tool);
        let _ = command.args(["--init-token", "--free", "--label", Self::LABEL, "--so-pin", OFFICER_PIN, "--pin", PIN]);
        let (variable, configuration) = token.environment();
        let output = command.env(variable, configuration).output();
        let output = output.map_err(|source| ServerError::Spawn { program: PROGRAM.to_owned(), source })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
            return Err(ServerError::Failed { program: PROGRAM.to_owned(), output: said });
        }
        Ok(token)
    }

    /// The variable that a process which uses the token must be started with, and its value.
    #[must_use]
    pub fn environment(&self) -> (&'static str, PathBuf) {
        (ENVIRONMENT, self.path("softhsm2.conf"))
    }

    /// The PKCS #11 module.
    #[must_use]
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// A file with the user's PIN.
    #[must_use]
    pub fn pin_file(&self) -> PathBuf {
        self.path("pin")
    }

    /// A folder beside the token that is gone with it, for what its user leaves.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn write(file: &Path, text: &str) -> Result<(), ServerError> {
    fs::write(file, text).map_err(|source| io("write", file, source))
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> ServerError {
    ServerError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_there_with_its_label_and_gone_with_its_value() {
        let token = SoftToken::make().unwrap();
        let (variable, configuration) = token.environment();
        let shown = Command::new(PROGRAM).arg("--show-slots").env(variable, &configuration).output().unwrap();
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(
            shown.lines().any(|line| line.trim_start().starts_with("Label:") && line.trim_end().ends_with("bench")),
            "{shown}"
        );
        assert!(token.module().is_file() && token.pin_file().is_file());
        drop(token);
        assert!(!configuration.exists());
    }
}
