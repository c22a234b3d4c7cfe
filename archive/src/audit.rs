//! Checks an archive: whether the objects are what their receipts say, and what interrupted attempts have left
//! behind.

mod leftovers;
mod verify;

pub use leftovers::{Leftovers, find_leftovers};
pub use verify::{Finding, Verified, receipts, verify};
