//! Multipart uploads that were neither completed nor aborted.

use axum::http::Method;
use parking_lot::Mutex;

use super::request::S3Request;

/// The keys of the open uploads.
#[derive(Default)]
pub(super) struct OpenUploads(Mutex<Vec<String>>);

impl OpenUploads {
    /// Returns the number of uploads to keys that contain a text.
    pub(super) fn count(&self, part_of_key: &str) -> usize {
        let open = self.0.lock();
        open.iter().filter(|key| key.contains(part_of_key)).count()
    }

    /// Observes a request that succeeded, which may have started or ended an upload.
    pub(super) fn observe(&self, request: &S3Request) {
        let starts = request.method == Method::POST && request.has_parameter("uploads");
        let ends = request.is_completion()
            || request.method == Method::DELETE && request.has_parameter("uploadId");
        let key = request.key();
        let mut open = self.0.lock();
        if starts {
            open.push(key.to_owned());
        } else if let Some(index) = open.iter().position(|it| ends && it == key) {
            open.swap_remove(index);
        }
    }
}
