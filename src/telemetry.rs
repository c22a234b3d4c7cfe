//! What a process tells of itself.
//!
//! - [`logs`]: events, for people and log stores.
//! - [`metrics`]: numbers, for Prometheus; `record` is what is counted and measured.
//! - `traces`: what leaves the process on behalf of what, for a collector.

pub mod logs;
pub mod metrics;
pub(crate) mod record;
pub(crate) mod traces;

pub use logs::init;
