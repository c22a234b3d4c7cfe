//! The binary `seedance-archiver`: reads the command line and runs the subcommand.

use std::process::ExitCode;

use seedance_archiver::cli;

fn main() -> ExitCode {
    let cli = cli::parse();
    match tokio::runtime::Runtime::new() {
        // Workers are not `Send`: they run here, on the main task.
        Ok(runtime) => {
            let code = runtime.block_on(cli::run(cli));
            // Whatever still runs is not waited for: whoever asks twice to stop wants it now.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}
