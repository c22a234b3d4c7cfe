//! The binary `seedance-archiver`: reads the command line and runs the subcommand.

use std::process::ExitCode;

use clap::Parser;
use seedance_archiver::cli::{self, Cli};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match tokio::runtime::Runtime::new() {
        // Workers are not `Send`: they run here, on the main task.
        Ok(runtime) => runtime.block_on(cli::run(cli)),
        Err(error) => {
            cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}
