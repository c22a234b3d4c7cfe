//! How a video is corrupted in transit.

use std::str::FromStr;

/// How the served video differs from the original.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Corruption {
    /// The lowest bit of the byte at this offset is flipped.
    Flip(u64),
    /// Only the first bytes are served, this many, with a `Content-Length` that matches.
    Truncate(u64),
    /// `Content-Length` is this much larger than the video, and the connection breaks after the last byte. If the
    /// value is negative, HTTP ends the body early, as with [`Self::Truncate`].
    Length(i64),
    /// This many bytes of garbage follow the video, and there is no `Content-Length`.
    Trailing(u64),
    /// Another video is served: with audio if the original has none, without audio otherwise.
    OtherVideo,
}

/// Which bytes the digests in the headers `ETag` and `x-tos-hash-crc64ecma` are of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Announced {
    /// The original video: a client that compares them detects the corruption.
    #[default]
    True,
    /// The served bytes: they always match.
    Served,
    /// None: the headers are absent.
    Nothing,
}

impl FromStr for Announced {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "true" => Ok(Self::True),
            "served" => Ok(Self::Served),
            "none" => Ok(Self::Nothing),
            _ => Err("must be true, served or none".into()),
        }
    }
}
