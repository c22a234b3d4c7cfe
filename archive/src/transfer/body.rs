//! The body of a response. Its beginning is compared with the bytes that were received before.

use bytes::Bytes;
use reqwest::header::HeaderMap;

use super::{
    comparison::{Compared, Comparison},
    range::BodyRange,
    received::Received,
};
use crate::fetch::{self, VideoResponse};

/// The body of a response.
pub(super) struct Body {
    response: VideoResponse,
    /// The comparison with the bytes that were received before. `None` if the next bytes are new.
    comparison: Option<Comparison>,
    range: BodyRange,
    has_new_bytes: bool,
}

/// A chunk of a body.
pub(super) enum Chunk {
    Bytes {
        /// Number of bytes that were received before, and are the same.
        repeated: u64,
        /// The bytes after them, which may be none.
        new: Bytes,
    },
    /// This number of bytes, some of which differ from those that were received before.
    Different(u64),
    /// The end of the body.
    End,
}

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum BodyEnd {
    /// At the end of the object.
    Object,
    /// At the end of an announced part of the object.
    Part,
    /// At the end of an announced part of the object that has no new bytes.
    NothingNew,
    /// Before the end that was announced.
    Early,
}

impl Body {
    pub(super) fn new(
        response: VideoResponse,
        range: BodyRange,
        comparison: Option<Comparison>,
    ) -> Self {
        Self {
            response,
            comparison,
            range,
            has_new_bytes: false,
        }
    }

    pub(super) fn range(&self) -> BodyRange {
        self.range
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns whether the bytes that were received before are the same, as far as they were compared.
    pub(super) fn is_compared(&self) -> bool {
        self.comparison.is_none()
    }

    /// Waits for the next chunk. `received`: what is compared with its beginning.
    pub(super) async fn next(&mut self, received: Received<'_>) -> Result<Chunk, fetch::Error> {
        let Some(bytes) = self.response.chunk().await? else {
            return Ok(Chunk::End);
        };
        let length = bytes.len() as u64;
        let compared = match &mut self.comparison {
            Some(comparison) => comparison.update(bytes, received.part),
            None => Compared::Equal(bytes),
        };
        match compared {
            Compared::Pending => Ok(Chunk::Bytes {
                repeated: length,
                new: Bytes::new(),
            }),
            Compared::Equal(new) => {
                self.comparison = None;
                self.has_new_bytes |= !new.is_empty();
                let repeated = length - new.len() as u64;
                Ok(Chunk::Bytes { repeated, new })
            }
            Compared::Different => Ok(Chunk::Different(length)),
        }
    }

    /// Judges the end of the body, after which `offset` bytes of the object were received, of `total`.
    pub(super) fn end(&self, offset: u64, total: Option<u64>) -> BodyEnd {
        match self.range.end {
            Some(end) if end == offset && self.has_new_bytes => BodyEnd::Part,
            None if total.is_none() && self.is_compared() => BodyEnd::Object,
            _ if total.is_some_and(|total| offset >= total) => BodyEnd::Object,
            Some(_) if !self.has_new_bytes => BodyEnd::NothingNew,
            _ => BodyEnd::Early,
        }
    }
}
