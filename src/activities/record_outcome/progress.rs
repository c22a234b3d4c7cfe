//! What earlier attempts did.

use serde::{Deserialize, Serialize};
use temporalio_sdk::activities::ActivityContext;

use super::super::heartbeat;

/// Heartbeat: what an earlier attempt did.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(super) struct RecordProgress {
    /// Whether the end of the lifecycle was counted.
    pub(super) is_counted: bool,
    /// Number of attempts that could not start the delivery of the event.
    #[serde(default)]
    pub(super) event_failures: u32,
}

impl RecordProgress {
    /// Returns what earlier attempts did.
    pub(super) fn last(ctx: &ActivityContext) -> Self {
        heartbeat::last_details(ctx).unwrap_or_default()
    }
}
