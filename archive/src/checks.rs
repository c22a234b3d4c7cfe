//! Checks of the bytes of an object, made while they are downloaded. Incomplete or wrong bytes are rejected. A
//! valid video that does not match its task's record is archived, with a warning in the receipt.
//!
//! - `RunningChecks`: the checks of one object.
//! - `SavedChecks`: their state, in the form that a heartbeat carries.
//! - `Expectation`: what the object should be.
//! - `AnnouncedObject`: what the host says about the object.
//! - `CheckedObject`: the result.

mod announced_object;
mod checked_object;
mod digests;
mod expectation;
mod integrity;
mod mp4;
mod record;
mod running;
#[cfg(test)]
mod tests;

pub use expectation::Mismatch;

pub(crate) use announced_object::AnnouncedObject;
pub(crate) use checked_object::CheckedObject;
pub(crate) use expectation::Expectation;
pub(crate) use running::{RunningChecks, SavedChecks};
