//! The archive: where videos go and how they get there whole.
//!
//! - [`Archive`]: a store and a place in it.
//! - [`Layout`]: the keys of one task.
//! - [`transfer`]: streams a URL into a staged object, digesting and checking as it goes.
//! - [`publish`]: puts a staged object under its final key, never over another.
//! - [`receipt`]: reads and writes `manifest.json`, the commit.
//! - [`Error`]: what can go wrong, by what the caller can do.

mod error;
mod layout;
pub mod publish;
pub mod receipt;
mod store;
pub mod transfer;

pub use error::Error;
pub use layout::{Layout, VIDEO};
pub use store::{Archive, CannotOpenArchive};
