//! Reads an object in batches, and continues a response that breaks.

use std::{
    fs::File,
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures::{TryStreamExt, stream::BoxStream};
use object_store::{
    Error::Generic, GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, ObjectStore,
};
use tokio::task::spawn_blocking;

use crate::Error;

/// Size of a batch of chunks of a response; the last chunk may exceed it. Larger batches leave the cache of a core before
/// they are hashed, and their memory is mapped anew each time: on MinIO, 1 MiB takes a third more system time.
const BATCH_SIZE: usize = 256 * 1024;

/// Size of a chunk of a file, which is a batch: each is read on a blocking thread.
const FILE_CHUNK_SIZE: usize = 1024 * 1024;

/// Number of bytes after which breaks are forgotten.
const BREAK_DISTANCE: u64 = 1024 * 1024;

/// Maximum number of times that a response breaks within [`BREAK_DISTANCE`].
const MAX_BREAKS: u32 = 3;

/// Delay after the first break. It grows by as much with each further one.
const BREAK_DELAY: Duration = Duration::from_secs(1);

/// An object that is being read.
pub(super) struct Batches<'a> {
    store: &'a dyn ObjectStore,
    meta: ObjectMeta,
    source: Source,
    position: u64,
    breaks: u32,
    /// Position of the first of `breaks`.
    broken_at: u64,
}

enum Source {
    /// A local file: its stream would read 8 KiB at a time.
    File(Arc<File>),
    Response(BoxStream<'static, object_store::Result<Bytes>>),
    Ended,
}

impl<'a> Batches<'a> {
    pub(super) fn new(store: &'a dyn ObjectStore, object: GetResult) -> Self {
        Self {
            store,
            meta: object.meta,
            source: Source::from(object.payload),
            position: 0,
            breaks: 0,
            broken_at: 0,
        }
    }

    /// Reads the next chunks. Returns none at the end of the object.
    pub(super) async fn next(&mut self) -> Result<Vec<Bytes>, Error> {
        let mut batch = Vec::new();
        let mut size = 0;
        while size < BATCH_SIZE {
            let Some(chunk) = self.next_chunk().await? else {
                break;
            };
            size += chunk.len();
            batch.push(chunk);
        }
        Ok(batch)
    }

    async fn next_chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let read = match &mut self.source {
                Source::File(file) => read_file(file.clone()).await,
                Source::Response(response) => response.try_next().await,
                Source::Ended => return Ok(None),
            };
            match read {
                Ok(Some(chunk)) => {
                    self.position += chunk.len() as u64;
                    return Ok(Some(chunk));
                }
                _ if self.position >= self.meta.size => self.source = Source::Ended,
                Ok(None) => self.reopen(self.ended_early()).await?,
                Err(error) => self.reopen(error).await?,
            }
        }
    }

    /// Continues behind the last byte that was read. `object_store` does so too, but only in the first three minutes
    /// of a response, and a response takes longer if the object is large: its timeout is five minutes.
    async fn reopen(&mut self, mut error: object_store::Error) -> Result<(), Error> {
        loop {
            if self.position - self.broken_at >= BREAK_DISTANCE {
                self.breaks = 0;
            }
            if self.breaks == 0 {
                self.broken_at = self.position;
            }
            self.breaks += 1;
            let is_transient = matches!(error, Generic { .. });
            let Some(e_tag) = self.meta.e_tag.clone().filter(|_| is_transient) else {
                return Err(error.into());
            };
            if self.breaks > MAX_BREAKS {
                return Err(error.into());
            }
            tokio::time::sleep(BREAK_DELAY * self.breaks).await;
            match open_rest(self.store, &self.meta, e_tag, self.position).await {
                Ok(rest) => {
                    self.source = rest;
                    return Ok(());
                }
                Err(failed) => error = failed,
            }
        }
    }

    fn ended_early(&self) -> object_store::Error {
        let (position, size) = (self.position, self.meta.size);
        Generic {
            store: "archive",
            source: format!("the response ended after {position} of {size} bytes").into(),
        }
    }
}

/// Opens the rest of the same version of an object. The ETag names it: reading a version by its id needs another
/// permission.
async fn open_rest(
    store: &dyn ObjectStore,
    meta: &ObjectMeta,
    e_tag: String,
    position: u64,
) -> object_store::Result<Source> {
    let options = GetOptions {
        if_match: Some(e_tag),
        range: Some(GetRange::Offset(position)),
        ..GetOptions::default()
    };
    let rest = store.get_opts(&meta.location, options).await?;
    // Some stores ignore `If-Match`.
    if rest.meta.e_tag != meta.e_tag {
        return Err(object_store::Error::Precondition {
            path: meta.location.to_string(),
            source: "the object changed while it was read".into(),
        });
    }
    Ok(Source::Response(rest.into_stream()))
}

impl From<GetResultPayload> for Source {
    fn from(payload: GetResultPayload) -> Self {
        match payload {
            GetResultPayload::File(file, _) => Self::File(Arc::new(file)),
            GetResultPayload::Stream(response) => Self::Response(response),
        }
    }
}

/// Reads the next bytes of a file. Returns `None` at its end.
async fn read_file(file: Arc<File>) -> object_store::Result<Option<Bytes>> {
    let chunk = spawn_blocking(move || {
        let mut chunk = Vec::with_capacity(FILE_CHUNK_SIZE);
        file.take(FILE_CHUNK_SIZE as u64).read_to_end(&mut chunk)?;
        Ok(chunk)
    });
    let chunk: Vec<u8> = chunk.await?.map_err(|error: io::Error| Generic {
        store: "LocalFileSystem",
        source: error.into(),
    })?;
    Ok((!chunk.is_empty()).then(|| chunk.into()))
}
