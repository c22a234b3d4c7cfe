use std::fmt;

use seedance_archiver_proto::external;

/// An error of an object store. A store puts the body of its response into the text: it may be megabytes long, and S3
/// repeats the token of the session in it. So only the quoted text is shown, and the causes are not.
pub struct StoreError(pub object_store::Error);

impl std::error::Error for StoreError {}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(&self.0))
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreError").field(&quoted(&self.0)).finish()
    }
}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> Self {
        Self(error)
    }
}

/// Returns the text of an error of a store, as a message quotes it.
pub(super) fn quoted(error: &object_store::Error) -> String {
    external::quote(&error.to_string())
}

#[cfg(test)]
mod tests {
    /// Returns an error with the body of a response of S3, followed by `rest`.
    fn error(rest: &str) -> crate::Error {
        let body = "<Error><Code>ExpiredToken</Code>\n<Token-0>FwoGZXIvYXdzEJr</Token-0></Error>";
        object_store::Error::Generic {
            store: "S3",
            source: format!("HTTP 400: {body}{rest}").into(),
        }
        .into()
    }

    #[test]
    fn a_session_token_in_a_body_is_removed() {
        let error = error("");
        let text = format!("{error} {error:?}");
        assert!(text.contains("<Code>ExpiredToken</Code>"), "{text}");
        assert!(!text.contains("FwoG"), "{text}");
        assert!(std::error::Error::source(&error).is_none());
    }

    #[test]
    fn a_body_of_megabytes_is_bounded() {
        let text = error(&"<!-- filler -->".repeat(200_000)).to_string();
        assert!(
            text.contains("ExpiredToken") && text.len() < 3_000,
            "{}",
            text.len()
        );
        assert!(text.ends_with(" more characters)"), "{text}");
    }
}
