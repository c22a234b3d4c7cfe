//! Audits an archive: reads the receipts, compares the objects with them, and finds what interrupted attempts left
//! behind.

mod leftovers;
mod listing;
mod observer;
mod read;
mod verified;
mod verify;

pub use leftovers::{Leftovers, find_leftovers};
pub use listing::receipts;
pub use observer::Observer;
pub use read::{StoredReceipt, UnreadableReceipt, read_receipts};
pub use verified::{Finding, Verified};
pub use verify::{Verification, verify};
