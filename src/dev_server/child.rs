//! Starts programs without the secrets of this process.

use std::{env, path::Path};

use tokio::process::Command;

/// Variables that a program may need. None of them is a setting of the worker.
const INHERITED: [&str; 12] = [
    "HOME",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
];

/// Returns a command for a program, with an environment of only [`INHERITED`]. API keys and the credentials of stores are
/// in the environment of a worker: a program from somewhere else must not get them.
pub(super) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    inherit(&mut command, &INHERITED);
    command
}

/// Adds variables of this process to the environment of a command.
pub(super) fn inherit(command: &mut Command, names: &[&str]) {
    let variables = names
        .iter()
        .filter_map(|name| Some((name, env::var_os(name)?)));
    command.envs(variables);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_gets_no_other_variables() {
        let program = which::which("env").unwrap();
        let output = command(&program).output().await.unwrap();
        let environment = String::from_utf8(output.stdout).unwrap();
        let names = environment
            .lines()
            .filter_map(|line| line.split('=').next());
        let other: Vec<_> = names.filter(|name| !INHERITED.contains(name)).collect();
        // Cargo sets variables such as CARGO_PKG_NAME.
        assert!(env::vars_os().count() > INHERITED.len());
        assert_eq!(other, Vec::<&str>::new());
        assert!(environment.contains("PATH="), "{environment}");
    }
}
