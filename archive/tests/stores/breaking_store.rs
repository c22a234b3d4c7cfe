//! A store whose responses break.

use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt, future,
    stream::{self, BoxStream},
};
use object_store::{
    CopyOptions, Error, Extensions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result, path::Path,
};
use parking_lot::Mutex;

/// Another store, whose responses break.
pub(crate) struct BreakingStore {
    inner: Arc<dyn ObjectStore>,
    /// Positions of an object: the next response that reaches one of them breaks there.
    breaks: Mutex<Vec<u64>>,
    /// Replaces the object before a range of it is read.
    replacement: Option<Bytes>,
    /// First positions of the ranges that were read.
    starts: Mutex<Vec<u64>>,
    /// Whether every copy fails.
    fails_copies: bool,
    /// Name of the objects that are written, but with an error as the response.
    loses_responses: Option<&'static str>,
    /// Whether no response has an ETag.
    hides_etags: bool,
    /// Name of the objects that are said to have [`HUGE`] bytes, and cannot be read.
    huge: Option<&'static str>,
}

/// Size of a huge object.
pub(crate) const HUGE: u64 = 2 << 30;

impl BreakingStore {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, breaks: &[u64]) -> Self {
        Self {
            inner,
            breaks: Mutex::new(breaks.to_vec()),
            replacement: None,
            starts: Mutex::default(),
            fails_copies: false,
            loses_responses: None,
            hides_etags: false,
            huge: None,
        }
    }

    /// Replaces an object before a range of it is read.
    pub(crate) fn with_replacement(self, bytes: Bytes) -> Self {
        Self {
            replacement: Some(bytes),
            ..self
        }
    }

    /// Fails every copy.
    pub(crate) fn without_copies(self) -> Self {
        Self {
            fails_copies: true,
            ..self
        }
    }

    /// Loses the responses of puts and copies to objects of this name.
    pub(crate) fn without_responses(self, name: &'static str) -> Self {
        Self {
            loses_responses: Some(name),
            ..self
        }
    }

    /// Removes the ETag from every response.
    pub(crate) fn without_etags(self) -> Self {
        Self {
            hides_etags: true,
            ..self
        }
    }

    /// Says that objects of this name have [`HUGE`] bytes, and fails to send them.
    pub(crate) fn with_huge(self, name: &'static str) -> Self {
        Self {
            huge: Some(name),
            ..self
        }
    }

    /// Returns the first positions of the ranges that were read.
    pub(crate) fn starts(&self) -> Vec<u64> {
        self.starts.lock().clone()
    }

    /// Returns an error if the response of a write is lost.
    fn respond(&self, key: &Path) -> Result<()> {
        if self.loses_responses.is_none() || key.filename() != self.loses_responses {
            return Ok(());
        }
        Err(Error::Generic {
            store: "test",
            source: "no response".into(),
        })
    }

    /// Returns the position at which a response with a range breaks.
    fn next_break(&self, range: &Range<u64>) -> Option<u64> {
        let mut breaks = self.breaks.lock();
        let index = breaks.iter().position(|it| range.contains(it))?;
        Some(breaks.remove(index))
    }
}

/// Ends a response with an error after `length` bytes.
fn break_after(
    response: BoxStream<'static, Result<Bytes>>,
    length: u64,
) -> BoxStream<'static, Result<Bytes>> {
    let bytes = response.scan(length as usize, |left, chunk| {
        let chunk = chunk.map(|chunk| chunk.slice(..chunk.len().min(*left)));
        *left -= chunk.as_ref().map_or(0, Bytes::len);
        let is_empty = chunk.as_ref().is_ok_and(Bytes::is_empty);
        future::ready((!is_empty).then_some(chunk))
    });
    let error = Error::Generic {
        store: "test",
        source: "the connection was reset".into(),
    };
    bytes.chain(stream::iter([Err(error)])).boxed()
}

#[async_trait]
impl ObjectStore for BreakingStore {
    async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
        if let Some(range) = &options.range {
            let start = match range {
                GetRange::Bounded(range) => range.start,
                GetRange::Offset(start) => *start,
                GetRange::Suffix(_) => 0,
            };
            self.starts.lock().push(start);
            if let Some(bytes) = &self.replacement {
                self.inner.put(key, bytes.clone().into()).await?;
            }
        }
        let mut result = self.inner.get_opts(key, options).await?;
        if self.hides_etags {
            result.meta.e_tag = None;
        }
        if self.huge.is_some() && key.filename() == self.huge {
            result.meta.size = HUGE;
            let error = Error::Generic {
                store: "test",
                source: "a huge object was read".into(),
            };
            result.payload = GetResultPayload::Stream(stream::iter([Err(error)]).boxed());
        }
        if let Some(end) = self.next_break(&result.range) {
            let (range, meta, attributes) = (
                result.range.clone(),
                result.meta.clone(),
                result.attributes.clone(),
            );
            let length = end - range.start;
            let response = break_after(result.into_stream(), length);
            result = GetResult {
                payload: GetResultPayload::Stream(response),
                meta,
                range,
                attributes,
                extensions: Extensions::default(),
            };
        }
        Ok(result)
    }

    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let mut result = self.inner.put_opts(key, payload, options).await?;
        self.respond(key)?;
        if self.hides_etags {
            result.e_tag = None;
        }
        Ok(result)
    }

    async fn put_multipart_opts(
        &self,
        key: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(key, options).await
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        if self.fails_copies {
            return Err(Error::Generic {
                store: "test",
                source: "another file system".into(),
            });
        }
        self.inner.copy_opts(from, to, options).await?;
        self.respond(to)
    }
}

impl fmt::Debug for BreakingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BreakingStore")
    }
}

impl fmt::Display for BreakingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
