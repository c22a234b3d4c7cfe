//! Checks the prerequisites of a worker. `doctor` only checks; `setup` also creates missing ones.
//!
//! - [`CheckResult`]: the result of a check, with a fix if one is needed.
//! - [`account_names`]: accounts that another deployment in the namespace has too.
//! - [`configuration`]: the configuration, and the files with secrets.
//! - [`encryption`]: connections that are not encrypted.
//! - [`api`]: the Seedance API of each account.
//! - [`network`]: the proxy of each account, or the addresses of its API.
//! - [`video`]: the download of a video of each account.
//! - [`server`]: the Temporal server, and who polls the task queues.
//! - [`namespace`]: the namespace and its search attributes.
//! - [`nexus`]: the Nexus endpoint.
//! - [`archives`]: the archive, as each account uses it.
//! - [`ingress`]: the listen address for callbacks.
//! - [`webhooks`]: the receivers of events.

pub mod account_names;
pub mod api;
mod archive_fixes;
pub mod archives;
pub mod configuration;
pub mod encryption;
mod finding;
pub mod ingress;
pub mod namespace;
pub mod network;
pub mod nexus;
pub mod server;
pub mod video;
pub mod webhooks;

pub use finding::{CheckResult, CheckState};
