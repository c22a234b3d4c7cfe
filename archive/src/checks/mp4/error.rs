use mp4_atom::FourCC;

/// The reason why a file is not a complete MP4. The text contains no bytes of the file except box names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Mp4Error {
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The file is shorter or longer than the response headers declare.
    #[error("{found} bytes arrived, but the response headers declare {declared}")]
    Length {
        /// Declared size.
        declared: u64,
        /// Actual size.
        found: u64,
    },
    /// The first box is not a complete `ftyp`.
    #[error("the file does not start with an ftyp box")]
    NoFtyp,
    /// A box header is invalid.
    #[error("invalid box header at byte {0}")]
    InvalidHeader(u64),
    /// The file ends inside a box header.
    #[error("the file ends at byte {0}, inside a box header")]
    EndsInHeader(u64),
    /// The file ends inside a box.
    #[error("the file is truncated: {missing} bytes of box `{kind}` are missing")]
    EndsInBox {
        /// Name of the box.
        kind: String,
        /// Number of missing bytes.
        missing: u64,
    },
    /// A box is larger than the rest of the file.
    #[error("box `{kind}` of {size} bytes extends past the end of the file")]
    PastEnd {
        /// Name of the box.
        kind: String,
        /// Size of the box's body.
        size: u64,
    },
    /// The file lacks a required box.
    #[error("the file has no {0}")]
    Missing(&'static str),
    /// The file has more than one `moov`.
    #[error("the file has more than one moov box")]
    SecondMoov,
    /// The `moov` is larger than that of any real video.
    #[error("the moov box is larger than 16 MiB")]
    LargeMoov,
    /// The `moov` is invalid.
    #[error("invalid moov box: {0}")]
    Moov(String),
}

impl Mp4Error {
    /// Returns an error about a box in `moov`. Escapes the box's name, which may be any four bytes.
    pub(super) fn in_moov(kind: FourCC, error: impl std::fmt::Display) -> Self {
        Self::Moov(format!("{}: {error}", kind.as_ref().escape_ascii()))
    }
}
