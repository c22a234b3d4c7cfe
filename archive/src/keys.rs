//! The keys of objects: where the objects of a task are, and where uploads are staged.

mod attempt;
mod layout;
mod staging;
mod template;

pub use attempt::AttemptKeys;
pub use layout::Layout;
pub use template::{InvalidTemplate, KeyTemplate};

pub(crate) use staging::STAGING;
