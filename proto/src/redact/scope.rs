/// What is removed from a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scope {
    /// Credentials, and the secrets in URLs.
    Text,
    /// Only the secrets in URLs.
    Urls,
}
