//! The durable logic: what happens to a video task, in which order, and why it ends.
//!
//! - [`VideoTaskLifecycle`]: the workflow. It carries out decisions and records results.
//! - [`SweepVideoTasks`]: the workflow that starts it for every task of an account.
//! - [`activities`]: the names and shapes of the activities that do the I/O.
//! - [`question`]: when to ask about a task again, and when asking can no longer help.
//! - [`windows`]: the times within which a task can be asked about and its video fetched.
//! - [`pages`]: which page of a list comes after which.
//! - [`ending`]: how what is known becomes an outcome.
//! - [`details`]: what people see of it in the Temporal UI.
//! - [`attributes`]: what they find it by there.
//! - [`request`]: how requests are read, and what makes one invalid.
//! - [`reply`]: how results are written.
//! - [`encoding`]: the encodings of both.
//!
//! Nothing here can open a socket or a file, or read a clock: the crate depends on nothing that
//! could, and `clippy.toml` bans what the standard library offers.

pub mod activities;
pub mod attributes;
pub mod details;
pub mod encoding;
pub mod ending;
mod lifecycle;
mod options;
pub mod pages;
pub mod question;
pub mod reply;
pub mod request;
mod sweep;
mod urgency;
pub mod windows;

pub use lifecycle::VideoTaskLifecycle;
pub use sweep::SweepVideoTasks;
