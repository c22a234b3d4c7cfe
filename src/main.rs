//! The binary `seedance-archiver`: reads the command line and runs the subcommand.

use std::process::ExitCode;

use seedance_archiver::cli;

fn main() -> ExitCode {
    let cli = cli::parse();
    match tokio::runtime::Runtime::new() {
        // Workers are not `Send`: they run here, on the main task.
        Ok(runtime) => runtime.block_on(cli::run(cli)),
        Err(error) => {
            cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}
