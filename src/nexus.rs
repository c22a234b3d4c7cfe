//! The Nexus service `SeedanceArchiver`, which workflows of any namespace call. The worker polls its task queue.
//!
//! - [`Service`]: answers requests.
//! - `await_video_task`: the asynchronous operation, which ends when the lifecycle of a task ends.
//! - `get_video_task`: the synchronous operation, which returns what is known of a task.
//! - `input`: decodes and checks requests.
//! - [`HandlerError`]: what the caller's server is told if a request fails.
//! - `token`: the token of an asynchronous operation.
//! - `links`: links between the caller's workflow and the lifecycle, for the Temporal UI.

mod await_video_task;
mod context;
mod error;
mod get_video_task;
mod input;
mod links;
mod service;
mod token;

pub(crate) use context::Context;
pub(crate) use error::HandlerError;
pub(crate) use service::Service;
