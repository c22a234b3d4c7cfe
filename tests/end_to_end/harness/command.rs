//! The binary under test.

use std::path::Path;

use tokio::process::Command;

/// Returns a command that runs the binary without the configuration in the environment of the test run.
pub(crate) fn command() -> Command {
    command_of(Path::new(env!("CARGO_BIN_EXE_seedance-archiver")))
}

/// Returns a command that runs the binary of another version in the same environment.
pub(crate) fn command_of(program: &Path) -> Command {
    without_configuration(Command::new(program))
}

/// Returns a command that runs a line of a shell in the same environment.
pub(crate) fn shell(line: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]);
    without_configuration(shell)
}

fn without_configuration(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let is_seedance = name.starts_with("SEEDANCE_") && name != "SEEDANCE_TEMPORAL_CLI";
        if is_seedance || name.starts_with("TEMPORAL_") || name.starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.env("TEMPORAL_CONFIG_FILE", "/dev/null");
    command
}
