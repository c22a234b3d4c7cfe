//! Objects that a task produces: their kinds and formats.

mod format;
mod kind;

pub use format::Format;
pub use kind::ObjectKind;

pub(crate) use format::{MAGIC_LEN, WEBM_MAGIC};
