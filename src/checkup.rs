//! Whether everything is there that a worker needs: for `doctor`, which looks, and `setup`, which
//! makes what it can.
//!
//! - [`Finding`]: what a check has found, and what to do about it.
//! - [`configuration`]: what was read, and the files with secrets.
//! - [`api`]: the Seedance API of each account.
//! - [`server`]: Temporal, its namespace, search attributes and task queues.
//! - [`archives`]: where videos go.
//! - [`ingress`]: where callbacks come in.

pub mod api;
pub mod archives;
pub mod configuration;
mod finding;
pub mod ingress;
pub mod server;

pub use finding::{Finding, Found};
