//! Checks an object while it is downloaded. Bytes that contradict the response headers are rejected. Bytes that look
//! odd are rejected once: if a declared digest matches them, or the same bytes arrive again, they are archived, with a
//! warning in the receipt. So is a valid video that does not match its task's record.
//!
//! - `RunningChecks`: checks one object.
//! - `SavedChecks`: the state of the checks, as stored in a heartbeat.
//! - `Expectation`: the expected properties of the object.
//! - `DeclaredObject`: the properties that the response headers declare.
//! - `CheckedObject`: the result.

mod checked_object;
mod declared_object;
mod digests;
mod ending;
mod expectation;
mod integrity;
mod mp4;
mod record;
mod running;
mod structure;
#[cfg(test)]
mod tests;

pub use expectation::Mismatch;

pub(crate) use checked_object::CheckedObject;
pub(crate) use declared_object::{DeclaredObject, is_declared_as_text};
pub(crate) use expectation::Expectation;
pub(crate) use running::{RunningChecks, SavedChecks};
