//! The binary `seedance-archiver`.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use seedance_archiver::cli;

/// glibc keeps most of what a burst of work freed, for each thread. A worker runs for months.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = cli::parse();
    match tokio::runtime::Runtime::new() {
        // Workers are not `Send`, so they run on the main task.
        Ok(runtime) => {
            let code = runtime.block_on(cli::run(cli));
            // Do not wait for open tasks: a second shutdown signal means to exit without draining.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            cli::print_error(&error);
            ExitCode::FAILURE
        }
    }
}
