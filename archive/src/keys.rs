//! The keys of objects, and of staged uploads.

mod attempt;
mod escape;
mod layout;
pub(crate) mod search;
mod staging;
mod template;

pub use attempt::AttemptKeys;
pub use layout::Layout;
pub use template::{InvalidTemplate, KeyTemplate};

pub(crate) use staging::{
    PROBE, STAGING, is_attempt, is_attempt_of, is_staged, is_staging_in_any_case, is_test_copy,
    is_upload, staging_prefix,
};
