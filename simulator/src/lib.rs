//! A Seedance task API that runs here: for the demo, for tests, for trying an integration out.
//!
//! Tasks walk from queued over running to an ending on a clock of seconds, and a succeeded one has a
//! signed URL that expires and a real MP4 behind it. ByteDance's own clients work against it.
//!
//! - [`Simulator`]: the running server. [`Builder`] says what it does by default.
//! - [`Script`]: what one task does, given in process or in its prompt.
//! - [`Corruption`]: what can be wrong with its video on its way.
//! - [`Fault`]: what the API answers while something is wrong with it.
//! - [`Source`]: the bytes behind a URL.
//! - [`seconds`]: reads the times that prompts and command lines give.
//!
//! Inside: `api` answers the task API, `create` and `list` read what it is asked for, `tasks` keeps
//! the tasks, `record` words one, `gateway` wraps that, `callbacks` tells of it, `signed_url` signs
//! and checks, `files` serves the bytes.

mod api;
mod callbacks;
mod corruption;
mod create;
mod error;
mod fault;
mod files;
mod gateway;
mod list;
mod record;
mod script;
mod seconds;
mod server;
mod signed_url;
mod source;
mod tasks;
#[cfg(test)]
mod testing;

pub use corruption::{Announced, Corruption};
pub use fault::Fault;
pub use script::{Ending, Image, Script};
pub use seconds::seconds;
pub use server::{Builder, Simulator};
pub use source::Source;
pub use tasks::Stats;
