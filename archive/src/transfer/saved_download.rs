use serde::{Deserialize, Serialize};

use super::tail::SavedTail;

/// The state of a download, as stored in a heartbeat.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct SavedDownload {
    /// The validator of the object. Empty if it has none.
    #[serde(rename = "version")]
    pub(super) validator: String,
    /// Number of bytes before the checkpoint.
    pub(super) offset: u64,
    #[serde(rename = "fetched_again")]
    pub(super) bytes_fetched_again: u64,
    /// Host that served the bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) host: String,
    /// Whether the object ends at the checkpoint, although its size was not declared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) has_ended: bool,
    /// The bytes before the checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tail: Option<SavedTail>,
}
