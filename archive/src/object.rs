//! Objects that a task produces: their kinds and formats.

mod boxes;
mod file_type;
mod format;
mod kind;
mod signatures;
mod text;
mod zip;

pub use format::Format;
pub use kind::ObjectKind;

pub(crate) use file_type::FileType;
pub(crate) use format::{MAGIC_LEN, MAX_ERROR_PAGE};
pub(crate) use signatures::{stl_size, triangles};
