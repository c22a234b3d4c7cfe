//! Temporal, as its clients see it: the connection, lifecycles, sweeps and the namespace.
//!
//! - [`connection`]: connects to the server that the environment or `temporal.toml` names.
//! - `audits`: the schedules of audits, and what became of them.
//! - `codec`: encodes and decodes payloads by a remote codec server.
//! - `generations`: starts and follows the workflows that create a task and archive its video.
//! - `interval_schedule`: a schedule that starts a workflow at an interval.
//! - [`events`]: starts and counts the workflows that deliver events.
//! - [`lifecycles`]: starts, follows, describes and lists lifecycles.
//! - `submissions`: ensures that a create request is sent at most once.
//! - [`sweeps`]: starts sweeps and maintains their schedules.
//! - [`search_attributes`]: registers search attributes.
//! - `nexus_endpoints`: lists and creates the endpoints by which workflows call with Nexus.
//! - [`server_version`]: returns the version of the server.
//! - `pollers`: the workers that poll a task queue.
//! - `visibility`: counts open lifecycles, for metrics.
//! - `watchers`: finds and starts the watchers of accounts.
//!
//! Shared: `error_text` formats the SDK's errors, and `progress` reports progress while a workflow runs.

pub(crate) mod audits;
pub(crate) mod codec;
pub mod connection;
pub(crate) mod error_text;
pub mod events;
pub(crate) mod generations;
pub(crate) mod interval_schedule;
pub mod lifecycles;
pub(crate) mod nexus_endpoints;
pub(crate) mod pollers;
pub(crate) mod progress;
pub mod search_attributes;
pub(crate) mod server;
pub(crate) mod submissions;
pub mod sweeps;
pub(crate) mod visibility;
pub(crate) mod watchers;

pub use server::server_version;
