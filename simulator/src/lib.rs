//! A simulator of the Seedance task API, for the demo, for tests and for trying out an integration.
//!
//! A task is queued, runs and ends after a few seconds. A succeeded task has a signed URL that expires, and a
//! real MP4 behind it. ByteDance's own clients work with the simulator.
//!
//! - [`Simulator`]: the running server. Its [`Builder`] sets the defaults for all tasks.
//! - [`Script`]: the behavior of one task, set in code or in the prompt of a create request.
//! - [`Corruption`]: how a video is corrupted in transit.
//! - [`RecordDialect`] and [`ListDialect`]: how records and lists differ from the documented ones.
//! - [`HostDialect`]: what the host of a video does differently from ByteDance's object store.
//! - [`ErrorPage`]: an error that such a host returns with status 200.
//! - [`Misuse`]: what a well-behaved client never does, and [`EarlyRequest`], a part of it.
//! - [`Arrival`]: a request, for a check of one's own.
//! - [`Fault`]: an error that every API call returns, or every list request, or every query of one task.
//! - [`CreateFault`]: what goes wrong with create requests.
//! - [`Source`]: the bytes behind a URL.
//! - [`seconds`]: parses the durations in prompts and on command lines.
//!
//! # Modules
//!
//! - `task` and `tasks` hold the tasks; `service` holds the state that all requests share.
//! - `api` serves the task API behind `middleware`; `create_request` and `list` parse its requests, `record`
//!   and `gateway` format its responses.
//! - `callbacks` posts records to callback URLs.
//! - `files` serves the objects behind signed URLs: `signed_url` signs and verifies, `object` and `range` build
//!   a response, `download` is its body.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use seedance_archiver_simulator::{Script, Simulator};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let simulator = Simulator::builder().queued(Duration::ZERO).start().await?;
//! let task_id = simulator.create(Script::default());
//! assert_eq!(simulator.status(&task_id), Some("running"));
//! # Ok(())
//! # }
//! ```

mod api;
mod bucket;
mod callbacks;
mod corruption;
mod create_fault;
mod create_request;
mod download;
mod error;
mod error_page;
mod fault;
mod files;
mod gateway;
mod host_dialect;
mod limits;
mod list;
mod list_dialect;
mod middleware;
mod misuse;
mod object;
mod parse;
mod paths;
mod range;
mod record;
mod record_dialect;
mod script;
mod seconds;
mod server;
mod service;
mod signed_url;
mod source;
mod store_error;
mod task;
mod tasks;
#[cfg(test)]
mod testing;

pub use corruption::{Corruption, HeaderDigests};
pub use create_fault::CreateFault;
pub use error_page::ErrorPage;
pub use fault::Fault;
pub use host_dialect::{Container, DigestHeaders, HostDialect};
pub use limits::Throttled;
pub use list_dialect::ListDialect;
pub use misuse::{Arrival, EarlyRequest, Misuse};
pub use record_dialect::RecordDialect;
pub use script::{Ending, Image, Script};
pub use seconds::seconds;
pub use server::{Builder, Simulator};
pub use source::Source;
pub use tasks::Stats;
