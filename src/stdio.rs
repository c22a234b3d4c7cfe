//! Standard output and standard error. No other module of this crate writes to them; clippy enforces it.
//!
//! A reader such as `head` may close a pipe at any time. What is printed afterwards is discarded, and the command
//! continues: `println!` would panic, and the default action of SIGPIPE would kill the process in the middle of its
//! work.
//!
//! - `outln!`: prints a line of a result to stdout.
//! - `errln!`: prints a message to stderr.
//! - [`Stderr`]: a writer for logs.
//! - [`check_stdout`]: fails if a result could not be written.

// The only module that may call `io::stdout` and `io::stderr`.
#![expect(clippy::disallowed_methods)]

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, IsTerminal, Write},
    sync::OnceLock,
};

/// The first error of stdout, except a closed pipe.
static STDOUT_ERROR: OnceLock<io::Error> = OnceLock::new();

/// Prints a line to stdout, like `println!`, but never panics.
macro_rules! outln {
    ($($argument:tt)*) => {
        $crate::stdio::print_to_stdout(format_args!($($argument)*))
    };
}

/// Prints a line to stderr, like `eprintln!`, but never panics.
macro_rules! errln {
    ($($argument:tt)*) => {
        $crate::stdio::print_to_stderr(format_args!($($argument)*))
    };
}

/// Prints a line to stdout. Use `outln!`.
pub(crate) fn print_to_stdout(line: Arguments) {
    match io::stdout().write_all(format!("{line}\n").as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            // An error means that an earlier one is kept.
            let _ = STDOUT_ERROR.set(error);
        }
        Ok(()) | Err(_) => {}
    }
}

/// Prints a line to stderr. Use `errln!`.
pub(crate) fn print_to_stderr(line: Arguments) {
    // An error cannot be reported anywhere.
    let _ = Stderr.write_all(format!("{line}\n").as_bytes());
}

/// Fails if a line could not be written to stdout, for example because the disk is full. A closed pipe is not an
/// error: its reader has read what it needs.
pub(crate) fn check_stdout() -> Result<(), &'static io::Error> {
    STDOUT_ERROR.get().map_or(Ok(()), Err)
}

/// Returns whether stderr is a terminal.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Writes to stderr and ignores errors, which `tracing-subscriber` would print to stderr with `eprintln!`.
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
