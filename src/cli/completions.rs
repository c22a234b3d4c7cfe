//! `seedance-archiver completions`.

use std::process::ExitCode;

use clap_complete::{Shell, generate};

/// Print a script that completes commands and options in your shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source <(seedance-archiver completions bash)    in this shell; in ~/.bashrc for all
  seedance-archiver completions zsh > ~/.zfunc/_seedance-archiver
  seedance-archiver completions fish > ~/.config/fish/completions/seedance-archiver.fish")]
pub(super) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let mut script = Vec::new();
    let mut command = super::command();
    generate(args.shell, &mut command, "seedance-archiver", &mut script);
    print!("{}", String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
