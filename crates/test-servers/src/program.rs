//! Where the servers' programs are, and running those that do their work and end.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::ServerError;

/// The program in the first of the folders that has it.
pub(crate) fn find(
    program: &'static str,
    package: &'static str,
    folders: impl IntoIterator<Item = PathBuf>,
) -> Result<PathBuf, ServerError> {
    let mut places = folders.into_iter().map(|folder| folder.join(program));
    places.find(|place| place.is_file()).ok_or(ServerError::Missing { program, package })
}

/// The folders of `PATH`, and those of system programs, which not everybody has there.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).collect()
}

/// Runs a command to its end and gives what it printed.
pub(crate) fn run(command: &[String]) -> Result<String, ServerError> {
    let Some((program, arguments)) = command.split_first() else { return Ok(String::new()) };
    let output = Command::new(program).args(arguments).current_dir("/").output();
    let output = output.map_err(|source| ServerError::Spawn { program: program.clone(), source })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let printed = format!("{}\n{}", text(&output.stdout), text(&output.stderr));
    Err(ServerError::Failed { program: command.join(" "), output: printed.trim().to_owned() })
}

/// The path as text. The paths of this crate are made by it, of plain letters below the system's temporary folder.
pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named_with_its_package() {
        let folder = tempfile::tempdir().unwrap();
        let error = find("no-such-server", "no-such-package", [folder.path().to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`no-such-server` is not installed: run `./test rust`, which installs it, or `apt-get install no-such-package`"
        );
    }

    #[test]
    fn a_command_that_fails_shows_what_it_said() {
        let command = ["sh", "-c", "echo out; echo err >&2; exit 3"].map(str::to_owned);
        let error = run(&command).unwrap_err().to_string();
        assert!(error.ends_with("failed:\nout\nerr"), "{error}");
        assert_eq!(run(&["echo", "done"].map(str::to_owned)).unwrap(), "done");
    }
}
