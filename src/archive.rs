//! The archive: where videos go and how they get there whole.
//!
//! - [`Archive`]: a store and a place in it.
//! - [`Layout`]: the keys of one task.
//! - [`Kind`]: what a task makes, and what it is called.
//! - [`source`]: the bytes behind a URL, across cut connections.
//! - [`checks`]: what is found out about bytes while they pass.
//! - [`transfer`]: streams a source into a staged object.
//! - [`publish`]: puts a staged object under its final key, never over another.
//! - [`receipt`]: reads and writes `manifest.json`, the commit.
//! - [`audit`]: whether it still holds what receipts say.
//! - [`Error`]: what can go wrong, by what the caller can do.

pub mod audit;
pub mod checks;
mod error;
mod kind;
mod layout;
pub mod publish;
pub mod receipt;
pub mod source;
mod store;
pub mod transfer;

pub use error::Error;
pub use kind::{Format, Kind};
pub use layout::Layout;
pub use store::{Archive, CannotOpenArchive};
