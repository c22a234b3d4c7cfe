//! The contract between callers, workflows and workers.
//!
//! - [`v1`]: the messages, generated from `seedance/archiver/v1/*.proto`. As JSON they carry the
//!   field names and number types of the Seedance API; `camelCase` names and 64-bit integers in
//!   quotes are read too, so that any protobuf JSON writer can call.
//! - [`names`]: the names that callers use and that therefore never change.
//! - [`status`], [`outcome`] and [`reason`]: the words that `VideoTask.status`,
//!   `VideoTaskLifecycleResult.outcome` and `.reason` take.
//! - [`service_tier`]: the tiers that tasks are listed by.
//! - [`phase`]: the words of `LifecycleProgress.phase`.
//! - [`task_id`]: what a task id may look like.
//! - [`redact`]: takes secrets out of text.

mod json;
pub mod names;
pub mod outcome;
pub mod phase;
pub mod reason;
pub mod redact;
pub mod service_tier;
pub mod status;
pub mod task_id;

/// Version of the contract.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Messages of the package `seedance.archiver.v1`.
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/seedance.archiver.v1.rs"));
}
