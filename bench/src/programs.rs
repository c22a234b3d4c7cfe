//! Programs that may not be installed.

use std::{error::Error, fmt, path::PathBuf};

/// Why something is skipped: a program is not installed.
#[derive(Debug)]
pub(crate) struct NotInstalled {
    program: &'static str,
    fix: &'static str,
}

impl fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not installed; fix: {}", self.program, self.fix)
    }
}

impl Error for NotInstalled {}

/// Returns the path of a program. `fix` installs it.
pub(crate) fn find(program: &'static str, fix: &'static str) -> Result<PathBuf, NotInstalled> {
    which::which(program).map_err(|_| NotInstalled { program, fix })
}

/// Returns whether a program that is not installed is the cause of an error.
pub(crate) fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<NotInstalled>().is_some()
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn an_error_remembers_that_a_program_is_missing() {
        let missing = find("no-such-program", "none").context("cannot start");
        let missing = missing.unwrap_err();
        assert!(is_missing(&missing));
        let text = "cannot start: no-such-program is not installed; fix: none";
        assert_eq!(format!("{missing:#}"), text);
        assert!(!is_missing(&anyhow::anyhow!("broken")));
        assert!(find("sh", "none").is_ok());
    }
}
