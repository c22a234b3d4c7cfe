//! What a task produces: the kinds of objects, and their formats.

mod format;
mod kind;

pub use format::Format;
pub use kind::ObjectKind;

pub(crate) use format::{SIGNATURE_LEN, WEBM_SIGNATURE};
