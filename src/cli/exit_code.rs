//! The exit codes of commands that fail. Scripts and orchestrators rely on them.

use std::process::ExitCode;

use super::shutdown::Interrupted;
use crate::{
    activities::ServeError, config::InvalidConfig, temporal::connection::ConnectError,
    worker::WorkerError,
};

/// Invalid configuration: `EX_CONFIG` of `sysexits.h`.
const EX_CONFIG: u8 = 78;
/// Interrupted by Ctrl-C: 128 + SIGINT, as shells report it.
const EX_INTERRUPTED: u8 = 130;

/// Returns the exit code for an error: 78 for invalid configuration, 130 after an interrupt, otherwise 1.
pub(super) fn from_error(error: &anyhow::Error) -> ExitCode {
    if error.is::<Interrupted>() {
        ExitCode::from(EX_INTERRUPTED)
    } else if is_configuration_error(error) {
        ExitCode::from(EX_CONFIG)
    } else {
        ExitCode::FAILURE
    }
}

/// Returns whether only a change of the configuration can fix an error.
pub(super) fn is_configuration_error(error: &anyhow::Error) -> bool {
    error.is::<InvalidConfig>()
        || matches!(
            error.downcast_ref(),
            Some(WorkerError::Accounts(ServeError::Archive(_)))
        )
        || matches!(error.downcast_ref(), Some(ConnectError::Configuration(_)))
}
