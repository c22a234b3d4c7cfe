//! Checks that a stream of bytes is a complete MP4, and reads the video's properties from its `moov`.

mod c2pa;
mod error;
mod header;
mod movie;
mod scanner;

pub(super) use error::Mp4Error;
pub(super) use movie::{Movie, VideoTrack, audio_text};
pub(super) use scanner::Mp4Scanner;
