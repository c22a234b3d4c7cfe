//! The HTTP interfaces of a worker, on up to two ports: callbacks, and health and metrics.
//!
//! - [`listener`]: an HTTP server with limits on connections.
//! - [`callbacks`]: receives callbacks from Seedance.
//! - [`admin`]: serves probes and metrics; [`health`] is the state that they report.

pub mod admin;
pub mod callbacks;
pub mod health;
pub mod listener;
