/// Why a URL or a record cannot be unsealed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UnsealError {
    /// The text is not a sealed URL, or not a sealed record.
    #[error("not sealed")]
    NotSealed,
    /// The URL was sealed by version 0.1.0 with a key that this worker does not have.
    #[error("sealed with key {0}, which this worker does not have")]
    UnknownKey(String),
    /// None of the keys unseals the text: the key is missing, or the text belongs to another task.
    #[error("sealed with a key that this worker does not have, or for another account or task")]
    NoMatchingKey,
    /// The keys cannot be read.
    #[error("sealed, and the keys cannot be read: {0}")]
    NoKey(String),
    /// The text was sealed for another task, or was modified.
    #[error("sealed for another task, or modified")]
    Tampered,
}
