//! The binary under test.

use tokio::process::Command;

/// Returns a command that runs the binary without the configuration in the environment of the test run.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedance-archiver"));
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
