//! The archive: where videos go and how they get there whole.
//!
//! - [`Archive`]: a store and a place in it; [`ObjectOptions`]: how an account wants its objects.
//! - [`Layout`]: the keys of one task, by a [`KeyTemplate`]; [`Keys`]: those of one attempt at it.
//! - [`Kind`]: what a task makes, and what it is called.
//! - [`Deposit`]: one task into the archive, from first to last.
//! - [`Progress`]: how far a deposit is, and where another process can go on.
//! - [`source`]: the bytes behind a URL, across cut connections.
//! - [`checks`]: what is found out about bytes while they pass.
//! - [`receipt`]: reads and writes `manifest.json`, the commit.
//! - [`audit`]: whether it still holds what receipts say.
//! - [`Error`]: what can go wrong, by what the caller can do.

pub mod audit;
mod buffers;
pub mod checks;
mod create_only;
mod deposit;
mod error;
pub mod fetch;
mod kind;
mod layout;
pub mod links;
mod open;
mod open_uploads;
mod probe;
mod progress;
mod publish;
pub mod receipt;
pub mod source;
mod staging;
mod store;
mod store_span;
mod template;
mod transfer;
mod upload;

pub use buffers::{Buffers, PART_SIZE};
pub use deposit::{Deposit, Origin};
pub use error::Error;
pub use kind::{Format, Kind};
pub use layout::{Keys, Layout};
pub use open::{ObjectOptions, OpenArchiveError};
pub use open_uploads::OpenUpload;
pub use probe::Unusable;
pub use progress::{Place, Progress};
pub use store::Archive;
pub use template::{InvalidTemplate, KeyTemplate};
pub use transfer::Transfers;
