//! Audits an archive: compares the objects with their receipts, and finds what interrupted attempts left behind.

mod leftovers;
mod listing;
mod observer;
mod verified;
mod verify;

pub use leftovers::{Leftovers, find_leftovers};
pub use listing::receipts;
pub use observer::Observer;
pub use verified::{Finding, Verified};
pub use verify::{Verification, verify};
