//! `seedance-archiver completions`.

use std::process::ExitCode;

use clap_complete::{Shell, generate};

/// Generate a shell completion script
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source <(seedance-archiver completions bash)    for this shell; add to ~/.bashrc for every shell
  seedance-archiver completions zsh > ~/.zfunc/_seedance-archiver
  seedance-archiver completions fish > ~/.config/fish/completions/seedance-archiver.fish")]
pub(super) struct Args {
    /// Shell to complete in.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, mut command: clap::Command) -> ExitCode {
    let mut script = Vec::new();
    generate(args.shell, &mut command, "seedance-archiver", &mut script);
    outln!("{}", String::from_utf8_lossy(&script).trim_end());
    ExitCode::SUCCESS
}
