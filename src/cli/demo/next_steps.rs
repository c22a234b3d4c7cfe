//! What to try after the demo. The commands work as printed, in any directory.

use std::{env, ffi::OsString, io, path::PathBuf};

use super::tasks::MODEL;
use crate::dev_server::DevServer;

/// Commands, each with what it does.
pub(super) struct NextSteps<'a> {
    program: String,
    archive_url: &'a str,
}

impl<'a> NextSteps<'a> {
    pub(super) fn new(archive_url: &'a str) -> Self {
        let program = program(env::args_os().next(), env::current_exe());
        Self {
            program: quote(&program),
            archive_url,
        }
    }

    /// Returns what can be tried without the demo's Temporal server.
    pub(super) fn after_demo(&self) -> String {
        let Self { program, .. } = self;
        format!(
            "Next steps:\n\n{}\n\
             Run the demo again and keep its Temporal server and Web UI, for `status`, `list` and `generate`:\n  {program} demo --stay",
            self.archive()
        )
    }

    /// Returns what can be tried while the demo's Temporal server runs.
    pub(super) fn during_demo(&self, server: &DevServer, task_id: &str) -> String {
        let temporal = format!("TEMPORAL_ADDRESS={}", server.address);
        let Self { program, .. } = self;
        format!(
            "In another terminal:\n\n\
             Show the status of a task's lifecycle:\n  {temporal} {program} status {task_id}\n\
             List the lifecycles:\n  {temporal} {program} list\n\
             Create a task from a prompt and archive its video:\n  {temporal} {program} generate --model {MODEL} --prompt 'a lighthouse in fog'\n\
             Let the worker read and check the archive, now and every day:\n  {temporal} {program} audit --every 1d --share 1\n\
             {}",
            self.archive()
        )
    }

    fn archive(&self) -> String {
        let archive_url = quote(self.archive_url);
        let Self { program, .. } = self;
        format!(
            "Create gallery/index.html, a page of the archived videos:\n  \
             SEEDANCE_ARCHIVE_URL={archive_url} {program} gallery --out gallery\n\
             List the archived videos with their tokens:\n  \
             SEEDANCE_ARCHIVE_URL={archive_url} {program} receipts"
        )
    }
}

/// Returns how to run this program again: by its name if the shell found it on `PATH`, otherwise by its path.
fn program(argument: Option<OsString>, path: io::Result<PathBuf>) -> String {
    let argument = argument.unwrap_or_else(|| env!("CARGO_PKG_NAME").into());
    let argument = argument.to_string_lossy().into_owned();
    match path {
        Ok(path) if argument.contains('/') => path.display().to_string(),
        _ => argument,
    }
}

/// Quotes a word for the shell if necessary.
fn quote(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/.:-_%@+".contains(character);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_named_as_the_shell_finds_it() {
        let path = || Ok("/project/target/debug/seedance-archiver".into());
        let on_path = program(Some("seedance-archiver".into()), path());
        assert_eq!(on_path, "seedance-archiver");
        let from_cargo = program(Some("target/debug/seedance-archiver".into()), path());
        assert_eq!(from_cargo, "/project/target/debug/seedance-archiver");
    }

    #[test]
    fn words_are_quoted_only_if_necessary() {
        let url = "file:///home/user/my%20videos/";
        assert_eq!(quote(url), url);
        assert_eq!(quote("/my projects/$1's"), r"'/my projects/$1'\''s'");
    }
}
