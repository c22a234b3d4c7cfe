//! Serves a file in different ways, which must not change what is archived.

use seedance_archiver_archive::ObjectKind;

use crate::{
    host::{Archival, Archived},
    input::Input,
    loopback::{Reply, Request},
};

/// Maximum number of parts of a file of the expected size.
pub(crate) const MAX_PARTS: usize = 12;
/// Sizes of parts, in bytes.
const PART_SIZES: [usize; 4] = [8, 61, 600, 100_000];

/// Number of bytes from which the type of a text is detected.
const TYPED: usize = 512;

/// How a file is served and uploaded.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    part_size: usize,
    /// Size of what is sent at once.
    chunk: usize,
    has_length: bool,
    /// Where the first connection breaks off.
    cut: Option<usize>,
}

/// The results of the first and the second attempt.
pub(crate) type Results = [Result<Archived, String>; 2];

impl Way {
    /// Returns the way without parts and interruptions.
    pub(crate) fn plain(has_length: bool) -> Self {
        Self {
            part_size: 100_000,
            chunk: 100_000,
            has_length,
            cut: None,
        }
    }

    /// Reads a way for a file of this size.
    pub(crate) fn read(input: &mut Input, has_length: bool, size: usize) -> Self {
        // A part is checked on another thread and has a checkpoint. A few are enough.
        let min = size / MAX_PARTS;
        let cut = input.number() as usize % (2 * size);
        Self {
            part_size: (*input.pick(&PART_SIZES)).max(min),
            chunk: (1 + usize::from(input.byte())).max(min / 4),
            has_length,
            cut: (cut < size && cut > 0).then_some(cut),
        }
    }

    /// Returns the way with parts that are large enough to tell the types of texts by the first one, as all real ones are.
    pub(crate) fn with_typed_parts(mut self) -> Self {
        self.part_size = self.part_size.max(TYPED);
        self
    }

    /// Archives a file. The second attempt knows what the first one rejected.
    pub(crate) fn archive(&self, kind: ObjectKind, file: &[u8]) -> Results {
        let mut archival = Archival::new(kind, self.part_size);
        let first = archival.attempt(self.host(file));
        let whole = Self {
            cut: None,
            ..self.clone()
        };
        [first, archival.attempt(whole.host(file))]
    }

    /// Returns the size in a `Content-Range`. A host that does not declare the length of a file does not know it.
    fn total(&self, size: usize) -> String {
        match self.has_length {
            true => size.to_string(),
            false => "*".to_owned(),
        }
    }

    fn unsatisfiable(&self, size: usize) -> Reply {
        let reply = Reply::new(416, Vec::new());
        match self.has_length {
            true => reply.with_header("content-range", format!("bytes */{size}")),
            false => reply,
        }
    }

    fn host(&self, file: &[u8]) -> impl FnMut(&Request) -> Reply + Send + 'static {
        let (way, file) = (self.clone(), file.to_vec());
        let mut cut = self.cut;
        move |request| {
            let offset = request.offset.unwrap_or_default() as usize;
            if offset > file.len() || request.offset.is_some() && offset == file.len() {
                return way.unsatisfiable(file.len());
            }
            let rest = &file[offset..];
            let mut reply = Reply {
                status: 200,
                body: rest.chunks(way.chunk).map(<[u8]>::to_vec).collect(),
                has_length: way.has_length,
                cut: cut.take(),
                ..Reply::default()
            }
            .with_header("etag", "\"one\"");
            if request.offset.is_some() {
                reply.status = 206;
                let total = way.total(file.len());
                let range = format!("bytes {offset}-{}/{total}", file.len() - 1);
                reply = reply.with_header("content-range", range);
            }
            reply
        }
    }
}
