//! The contract between callers, workflows and workers.
//!
//! - [`v1`]: the messages, generated from `seedance/archiver/v1/*.proto`. Their JSON has the field names and
//!   number types of the Seedance API. Parsers also accept `camelCase` names and quoted 64-bit integers, which
//!   other protobuf libraries write.
//! - [`names`]: names that callers use, and that therefore never change.
//! - [`status`], [`outcome`], [`reason`], [`phase`], [`service_tier`] and [`learned_from`]: the values of the fields of
//!   these names.
//! - [`query_result`]: conversion of the result of `QueryVideoTask`.
//! - [`task_id`], [`account`], [`submission_id`], [`destination`] and [`sweep_page`]: rules for the fields of requests.
//! - [`time`]: conversion of the messages' times.
//! - [`external`]: text that somebody else wrote, bounded and without secrets.
//! - [`redact`]: removes secrets from text.
//! - [`visible`]: invisible characters in text.
//!
//! # Example
//!
//! Fields with their default value are omitted from JSON, and unknown fields are ignored:
//!
//! ```
//! use seedance_archiver_proto::{names, outcome, v1};
//!
//! let request = v1::VideoTaskLifecycleRequest {
//!     task_id: "cgt-20260828062711-hj94q".into(),
//!     report_only: true,
//!     ..Default::default()
//! };
//! let json = serde_json::to_string(&request)?;
//! assert_eq!(json, r#"{"task_id":"cgt-20260828062711-hj94q","report_only":true}"#);
//!
//! let id = names::lifecycle_workflow_id(&request.account, &request.task_id);
//! assert_eq!(id, "video-task/default/cgt-20260828062711-hj94q");
//!
//! let result: v1::VideoTaskLifecycleResult = serde_json::from_str(r#"{
//!     "outcome": "lost",
//!     "reason": "url_expired",
//!     "task": {"id": "cgt-20260828062711-hj94q", "status": "succeeded", "createdAt": "1787898431"},
//!     "fromALaterVersion": true
//! }"#)?;
//! assert_eq!(result.outcome, outcome::LOST);
//! assert_eq!(result.task.unwrap_or_default().created_at, 1_787_898_431);
//! # Ok::<(), serde_json::Error>(())
//! ```

pub mod account;
pub mod destination;
pub mod external;
mod json;
pub mod learned_from;
mod manifest;
pub mod names;
pub mod outcome;
pub mod phase;
pub mod query_result;
pub mod reason;
pub mod redact;
pub mod service_tier;
pub mod status;
pub mod submission_id;
pub mod sweep_page;
pub mod task_id;
pub mod time;
pub mod visible;

/// The version of the contract.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The `.proto` files as an encoded `google.protobuf.FileDescriptorSet`, for programs that parse messages without
/// generated code.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The messages of the package `seedance.archiver.v1`.
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/seedance.archiver.v1.rs"));
}
