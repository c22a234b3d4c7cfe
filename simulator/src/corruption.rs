//! How a video is corrupted in transit.

use std::str::FromStr;

/// How the served video differs from the original.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Corruption {
    /// The lowest bit of the byte at this offset is flipped.
    Flip(u64),
    /// Only this many bytes are served, with a matching `Content-Length`.
    Truncate(u64),
    /// `Content-Length` exceeds the size of the video by this many bytes, and the connection breaks after the
    /// last byte. If the value is negative, the body ends early, as with [`Self::Truncate`].
    Length(i64),
    /// This many bytes of garbage follow the video, and there is no `Content-Length`.
    Trailing(u64),
    /// This many zeros follow the video, and `Content-Length` includes them.
    Zeros(u64),
    /// Another video is served: with audio if the original has none, without audio otherwise.
    OtherVideo,
}

/// The bytes from which the digests in the headers `ETag` and `x-tos-hash-crc64ecma` are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum HeaderDigests {
    /// The original video: a client that compares the digests detects the corruption.
    #[default]
    Original,
    /// The served bytes: the digests always match.
    Served,
    /// None: the headers are absent.
    Absent,
}

impl FromStr for HeaderDigests {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "true" => Ok(Self::Original),
            "served" => Ok(Self::Served),
            "none" => Ok(Self::Absent),
            _ => Err("must be true, served or none".into()),
        }
    }
}
