//! What can be wrong with a video on its way.

use std::str::FromStr;

/// How a video is served otherwise than it was made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Corruption {
    /// The lowest bit of the byte at this offset is another one.
    Flip(u64),
    /// Only so many bytes, from the first, are there: a whole object, by its `Content-Length`.
    Truncate(u64),
    /// `Content-Length` says so many bytes more than there are: the connection breaks after the last.
    /// Where it says fewer, HTTP has the body end there: on the wire it is [`Self::Truncate`].
    Length(i64),
    /// So many bytes of garbage follow, and no `Content-Length` says where the video ends.
    Trailing(u64),
    /// It is another video, with sound in place of silence or the other way round.
    OtherVideo,
}

/// What the headers with digests, `ETag` and `x-tos-hash-crc64ecma`, are about.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Announced {
    /// The video as it was made: whoever compares finds out.
    #[default]
    True,
    /// The bytes as they are served: they agree, whatever comes.
    Served,
    /// Nothing: there are no such headers.
    Nothing,
}

impl FromStr for Announced {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "true" => Ok(Self::True),
            "served" => Ok(Self::Served),
            "none" => Ok(Self::Nothing),
            _ => Err("is not true, served or none".into()),
        }
    }
}
