//! Which requests are answered in which dialect.

use axum::http::Method;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{dialect::Dialect, request::S3Request};

/// The dialects of keys.
pub(super) struct Dialects {
    /// Parts of keys, with their dialects.
    of_keys: Mutex<Vec<(String, Dialect)>>,
    /// Notified of changes of the dialects.
    changes: watch::Sender<()>,
}

impl Default for Dialects {
    fn default() -> Self {
        Self {
            of_keys: Mutex::default(),
            changes: watch::Sender::new(()),
        }
    }
}

impl Dialects {
    /// Sets the dialect of all keys that contain a text.
    pub(super) fn set(&self, part_of_key: &str, dialect: Dialect) {
        let mut dialects = self.of_keys.lock();
        dialects.retain(|(part, _)| part != part_of_key);
        dialects.push((part_of_key.to_owned(), dialect));
        drop(dialects);
        self.changes.send_replace(());
    }

    /// Returns the dialect of a request, once it is not held.
    pub(super) async fn released(&self, request: &S3Request) -> Dialect {
        let is_read = request.method == Method::GET && !request.target.contains("list-type=");
        let mut changes = self.changes.subscribe();
        loop {
            let dialect = self.of(&request.target, &request.body);
            if dialect != Dialect::HoldsReads || !is_read {
                return dialect;
            }
            // Never fails, because `self` owns the sender.
            let _ = changes.changed().await;
        }
    }

    /// Returns the dialect of a request. A request to delete several objects has the keys in its body.
    pub(super) fn of(&self, target: &str, body: &[u8]) -> Dialect {
        let is_short = body.len() < 10_000;
        let body = String::from_utf8_lossy(if is_short { body } else { b"" });
        let dialects = self.of_keys.lock();
        let found = dialects
            .iter()
            .filter(|(part, _)| target.contains(part) || body.contains(part))
            .max_by_key(|(part, _)| part.len());
        found.map_or(Dialect::None, |(_, dialect)| *dialect)
    }
}
