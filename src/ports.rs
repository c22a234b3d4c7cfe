//! The HTTP that a worker answers, on up to two ports: callbacks, and health and metrics.
//!
//! - [`listener`]: a port with bounds on connections.
//! - [`callbacks`]: receives callbacks from Seedance; [`delivery`] is what they bring about.
//! - [`admin`]: answers orchestrators and Prometheus, with the [`health`] of the worker.

pub mod admin;
pub mod callbacks;
pub mod delivery;
pub mod health;
pub mod listener;
