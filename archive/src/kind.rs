//! What a task makes, and what it is called in the archive: that is seen by its bytes, because names
//! and content types of the service have been wrong.

use seedance_archiver_proto::v1::{VideoContent, VideoTask};
use serde::{Deserialize, Serialize};

/// One of the things that a task makes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The video.
    Video,
    /// Its last frame as an image.
    LastFrame,
    /// The file of a 3D task.
    File,
}

/// How a file is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    /// File name.
    pub name: &'static str,
    /// Media type.
    pub content_type: &'static str,
}

/// Bytes that tell a format.
pub(super) const BEGINNING: usize = 16;

/// What a file begins with, at which offset, and what it is then.
type Signature = (Kind, usize, &'static [u8], Format);

/// What a WebM begins with.
pub(super) const WEBM: &[u8] = b"\x1aE\xdf\xa3";

const SIGNATURES: [Signature; 10] = [
    (Kind::Video, 4, b"ftyp", format("video.mp4", "video/mp4")),
    (Kind::Video, 0, WEBM, format("video.webm", "video/webm")),
    (
        Kind::LastFrame,
        0,
        b"\x89PNG\r\n\x1a\n",
        format("last_frame.png", "image/png"),
    ),
    (
        Kind::LastFrame,
        0,
        b"\xff\xd8\xff",
        format("last_frame.jpg", "image/jpeg"),
    ),
    (
        Kind::LastFrame,
        8,
        b"WEBP",
        format("last_frame.webp", "image/webp"),
    ),
    (
        Kind::File,
        0,
        b"glTF",
        format("file.glb", "model/gltf-binary"),
    ),
    (
        Kind::File,
        0,
        b"PK\x03\x04",
        format("file.zip", "application/zip"),
    ),
    (
        Kind::File,
        0,
        b"Kaydara FBX",
        format("file.fbx", "application/octet-stream"),
    ),
    (
        Kind::File,
        0,
        b"PXR-USDC",
        format("file.usdc", "model/vnd.usd"),
    ),
    (
        Kind::File,
        0,
        b"#usda",
        format("file.usda", "model/vnd.usda"),
    ),
];

const fn format(name: &'static str, content_type: &'static str) -> Format {
    Format { name, content_type }
}

impl Kind {
    /// All of them; the video comes first, because it matters most.
    pub const ALL: [Self; 3] = [Self::Video, Self::LastFrame, Self::File];

    /// What a succeeded task has made. A record whose URLs are cleared had a video.
    pub fn of(task: &VideoTask) -> Vec<Self> {
        let content = task.content.clone().unwrap_or_default();
        let mut kinds = Self::ALL.to_vec();
        kinds.retain(|kind| !kind.url_in(&content).is_empty());
        if kinds.is_empty() {
            kinds.push(Self::Video);
        }
        kinds
    }

    /// What it is called before its bytes are known.
    pub fn word(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::LastFrame => "last_frame",
            Self::File => "file",
        }
    }

    /// The URL of it in a record, sealed or not. Empty: there is none.
    pub fn url_in(self, content: &VideoContent) -> &str {
        match self {
            Self::Video => &content.video_url,
            Self::LastFrame => &content.last_frame_url,
            Self::File => &content.file_url,
        }
    }

    /// The format, by the first bytes. `None`: it is not one of these, as an error in place of the
    /// bytes is not.
    pub fn format(self, beginning: &[u8]) -> Option<Format> {
        let is_it = |(kind, offset, bytes, _): &&Signature| {
            let there = beginning.get(*offset..offset + bytes.len());
            *kind == self && there == Some(*bytes)
        };
        let known = SIGNATURES
            .iter()
            .find(is_it)
            .map(|(_, _, _, format)| *format);
        let is_answer = beginning.trim_ascii_start().starts_with(b"{")
            || beginning.trim_ascii_start().starts_with(b"<");
        match self {
            // 3D formats are many, and some are plain text.
            Self::File if known.is_none() && !is_answer && !beginning.is_empty() => {
                Some(format("file.bin", "application/octet-stream"))
            }
            _ => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_what_it_is() {
        let name = |kind: Kind, bytes: &[u8]| kind.format(bytes).map(|format| format.name);
        assert_eq!(name(Kind::Video, b"\0\0\0\x18ftypmp42"), Some("video.mp4"));
        assert_eq!(
            name(Kind::Video, b"\x1aE\xdf\xa3\x01\0"),
            Some("video.webm")
        );
        assert_eq!(
            name(Kind::LastFrame, b"\x89PNG\r\n\x1a\n\0\0"),
            Some("last_frame.png")
        );
        assert_eq!(
            name(Kind::LastFrame, b"\xff\xd8\xff\xe0"),
            Some("last_frame.jpg")
        );
        assert_eq!(
            name(Kind::LastFrame, b"RIFF\0\0\0\0WEBPVP8 "),
            Some("last_frame.webp")
        );
        assert_eq!(name(Kind::File, b"glTF\x02\0\0\0"), Some("file.glb"));
        assert_eq!(name(Kind::File, b"# a cube\nv 0 0 0"), Some("file.bin"));
        for kind in Kind::ALL {
            for answer in [
                &b"{\"error\": 1}"[..],
                b"<!DOCTYPE html>",
                b" \n<html>",
                b"",
            ] {
                assert_eq!(name(kind, answer), None, "{kind:?} {answer:?}");
            }
        }
        assert_eq!(name(Kind::Video, b"\x89PNG\r\n\x1a\n"), None);
    }
}
