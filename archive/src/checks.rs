//! Checks an object while it is downloaded. Incomplete or wrong bytes are rejected. A valid video that does not
//! match its task's record is archived, with a warning in the receipt.
//!
//! - `RunningChecks`: checks one object.
//! - `SavedChecks`: the state of the checks, as stored in a heartbeat.
//! - `Expectation`: the expected properties of the object.
//! - `DeclaredObject`: the properties that the response headers declare.
//! - `CheckedObject`: the result.

mod checked_object;
mod declared_object;
mod digests;
mod expectation;
mod integrity;
mod mp4;
mod record;
mod running;
#[cfg(test)]
mod tests;

pub use expectation::Mismatch;

pub(crate) use checked_object::CheckedObject;
pub(crate) use declared_object::DeclaredObject;
pub(crate) use expectation::Expectation;
pub(crate) use running::{RunningChecks, SavedChecks};
