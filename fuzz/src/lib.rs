//! Properties of everything that parses input from outside: responses of the API and of video hosts, videos, callbacks,
//! requests of callers, and configuration.
//!
//! Each module is a target: `check` panics if an input violates a property, and `seeds` returns inputs from which others
//! are derived. `cargo fuzz` and the property tests share the targets; see `README.md`.
//!
//! - Input that a public function takes is passed to that function.
//! - Input that arrives in an HTTP response is served by `loopback` to the client that reads it: `service` for
//!   the task API, `host` for videos.

// A violated property panics.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[cfg(feature = "temporal")]
pub mod accounts;
pub mod callback;
pub mod content_range;
pub mod error_body;
pub mod file_ends;
mod host;
mod input;
pub mod key_template;
pub mod list;
mod loopback;
pub mod mp4;
#[cfg(feature = "temporal")]
pub mod payload;
pub mod receipt;
pub mod record;
pub mod redaction;
pub mod retry_after;
mod secrets;
mod service;
mod streams;
pub mod url_expiry;

/// A property of a parser.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name of the target.
    pub name: &'static str,
    /// Panics if the input violates the property.
    pub check: fn(&[u8]),
    /// Returns inputs from which others are derived.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($(#[$feature:meta])? $name:ident,)*) => {
        /// Every target.
        pub const TARGETS: &[Target] = &[$($(#[$feature])? Target {
            name: stringify!($name),
            check: $name::check,
            seeds: $name::seeds,
        },)*];
    };
}

targets! {
    #[cfg(feature = "temporal")]
    accounts,
    callback,
    content_range,
    error_body,
    file_ends,
    key_template,
    list,
    mp4,
    #[cfg(feature = "temporal")]
    payload,
    receipt,
    record,
    redaction,
    retry_after,
    url_expiry,
}
