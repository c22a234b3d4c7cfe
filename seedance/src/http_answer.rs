//! Reads answers of the API without sending a request.

use std::time::SystemTime;

use reqwest::{StatusCode, header::HeaderMap};

use crate::{Endpoint, Error, Record, decode, error_response, task::Dialect};

/// The answer to the query of a task, as it came over HTTP.
#[derive(Clone, Copy, Debug)]
pub struct HttpAnswer<'a> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
    /// When it arrived.
    pub received_at: SystemTime,
}

impl HttpAnswer<'_> {
    /// Reads the record of the task, as [`Client::query`](crate::Client::query) does.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`](crate::ErrorKind).
    pub fn record(&self, endpoint: &Endpoint, task_id: &str) -> Result<Record, Error> {
        if !self.status.is_success() {
            return Err(error_response::error_from(
                self.status,
                self.headers,
                self.body,
                self.received_at,
            ));
        }
        let dialect = Dialect::new(endpoint, self.received_at);
        decode::record(self.body, task_id, &dialect)
    }
}
