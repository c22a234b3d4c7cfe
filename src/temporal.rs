//! Temporal, from outside of workflows: the connection, lifecycles, sweeps and what the namespace has.
//!
//! - [`connection`]: connects to the server that the environment names.
//! - [`codec`]: sends payloads through a remote codec server.
//! - [`lifecycles`]: starts lifecycles, follows them and lists them.
//! - [`sweeps`]: starts sweeps and keeps their schedules.
//! - [`search_attributes`]: registers search attributes.
//! - [`open_lifecycles`]: counts open lifecycles, for metrics.

pub(crate) mod codec;
pub mod connection;
pub mod lifecycles;
pub(crate) mod open_lifecycles;
pub mod search_attributes;
pub mod sweeps;
pub(crate) mod watch;
