//! Removes secrets from text.
//!
//! - [`secrets`]: from a text that somebody else wrote, such as an error of a store.
//! - [`urls`]: from the URLs in a text that stays the same otherwise.
//!
//! Both read the text with a parser: they know URLs, parameters, headers, the fields of JSON and the elements of XML in
//! every form in which they are quoted and escaped. When in doubt, they remove more. A text without URLs and secrets
//! stays as it is.
//!
//! ```
//! use seedance_archiver_proto::redact;
//!
//! let error = "403 <Token-0>FwoG</Token-0> for https://a.example/v.mp4?X-Tos-Signature=5f";
//! let expected = "403 <Token-0>REDACTED</Token-0> for https://a.example/v.mp4?REDACTED";
//! assert_eq!(redact::secrets(error), expected);
//! ```

mod escapes;
mod extent;
mod names;
mod scanner;
mod scope;

use std::borrow::Cow;

use scope::Scope;

/// Removes the secrets from a text: the values of credentials, and what [`urls`] removes.
pub fn secrets(text: &str) -> Cow<'_, str> {
    scanner::redact(text, Scope::Text)
}

/// Removes the query, the fragment, the user name and the password from each URL in a text. The query is recognized
/// without a scheme too, and a parameter of a signed URL without the rest of the URL.
pub fn urls(text: &str) -> Cow<'_, str> {
    scanner::redact(text, Scope::Urls)
}

/// Returns whether a field of a record holds a URL to which the service posts. Its path is a secret as well.
pub fn is_callback(field: &str) -> bool {
    names::is_callback(field)
}

#[cfg(test)]
mod tests;
