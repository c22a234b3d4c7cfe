//! The Seedance task API.
//!
//! - [`Client`]: asks about a task, and lists those of an account by the [`Page`].
//! - [`Error`]: what can go wrong, by what the caller can do.
//! - [`Probe`]: whether the API is there and takes the key.
//! - [`Record`]: an answer, with its URLs still readable; [`Record::sealed`] turns it into the
//!   contract's message.
//! - [`UrlSeal`]: seals and opens URLs.
//! - [`Statuses`]: what gateways call the statuses.
//! - [`Budget`]: how often an account may be asked.

mod budget;
mod client;
mod decode;
mod error;
mod list;
mod probe;
mod record;
mod seal;
mod signed_url;
mod statuses;

pub use budget::Budget;
pub use client::Client;
pub(crate) use decode::task_id;
pub use error::{Error, Reaction};
pub use list::{PAGE_SIZE, Page};
pub use probe::{Answer, Probe};
pub use record::{Record, SecretUrl};
pub use seal::{CannotOpen, UrlSeal};
pub use statuses::Statuses;
