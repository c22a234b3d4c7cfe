//! Audits an archive: compares the objects with their receipts, and finds what interrupted attempts left behind.

mod leftovers;
mod verify;

pub use leftovers::{Leftovers, find_leftovers};
pub use verify::{Finding, Verified, receipts, verify};
