//! Why bytes are not one whole MP4.

/// A fault of a file. Its text holds none of the file's bytes but the printable name of a box.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// There is no byte.
    #[error("the file is empty")]
    Empty,
    /// The file is shorter or longer than announced.
    #[error("{found} bytes came where {announced} were announced")]
    Length {
        /// The announced length.
        announced: u64,
        /// The real one.
        found: u64,
    },
    /// The first box is not a whole `ftyp`.
    #[error("the file does not begin as an MP4")]
    NoFtyp,
    /// No box begins where one must.
    #[error("no box begins at byte {0}")]
    NotABox(u64),
    /// The file ends before the header of a box does.
    #[error("the file ends at byte {0}, inside the header of a box")]
    EndsInHeader(u64),
    /// The file ends before a box does.
    #[error("the file ends inside a box: {missing} bytes of `{kind}` are missing")]
    EndsInBox {
        /// Name of the box.
        kind: String,
        /// Number of bytes missing.
        missing: u64,
    },
    /// A box claims more bytes than the file has.
    #[error("a box reaches past the end of the file: `{kind}` of {size} bytes")]
    PastEnd {
        /// Name of the box.
        kind: String,
        /// Length of its body.
        size: u64,
    },
    /// The file lacks a box that it needs.
    #[error("the file has no {0}")]
    Missing(&'static str),
    /// There are two descriptions.
    #[error("the file has more than one moov")]
    SecondMoov,
    /// The description is larger than any honest one.
    #[error("the moov is larger than 16 MiB")]
    LargeMoov,
    /// The description cannot be read.
    #[error("the moov cannot be read: {0}")]
    Moov(String),
}
