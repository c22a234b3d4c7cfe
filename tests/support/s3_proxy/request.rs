//! What a request asks of S3.

use axum::{
    body::Bytes,
    http::{HeaderMap, Method},
};

/// A request to S3.
pub(super) struct S3Request {
    pub(super) method: Method,
    /// The path and the query.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl S3Request {
    /// Returns the path, which is the bucket and the key.
    pub(super) fn key(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(super) fn has_parameter(&self, name: &str) -> bool {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let mut parameters = query.split('&');
        parameters.any(|it| it.split('=').next() == Some(name))
    }

    pub(super) fn is_read(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// Returns whether an upload is completed.
    pub(super) fn is_completion(&self) -> bool {
        self.method == Method::POST && self.target.contains("uploadId=")
    }

    pub(super) fn is_copy(&self) -> bool {
        self.headers.contains_key("x-amz-copy-source")
    }
}
