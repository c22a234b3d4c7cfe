//! What is found out about bytes while they pass. Bytes that are not whole are refused; a whole video
//! that is not what its record says is archived, with a warning in the receipt.
//!
//! - [`Running`]: the checks of one object.
//! - [`Checked`]: what they came to.
//!
//! Inside: `digests` are taken of everything, `mp4` follows the boxes of a video, `expected` compares
//! it with the record.

mod digests;
mod expected;
mod mp4;

use reqwest::header::{ETAG, HeaderMap};
use seedance_archiver_proto::v1::{ObjectCheck, VideoTask};

use super::{
    Error, Kind,
    kind::{BEGINNING, Format, WEBM},
};
use digests::{DigestValues, Digests};
use expected::Expected;
use mp4::{Movie, Mp4Scanner, VideoTrack};

/// CRC-64/XZ of the object, in decimal, as TOS tells it.
const CRC64: &str = "x-tos-hash-crc64ecma";

/// What became of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// How it is stored.
    pub format: Format,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// The checks made.
    pub checks: Vec<ObjectCheck>,
}

/// What an object should be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What it is of the task.
    pub kind: Kind,
    /// The task's record.
    pub task: &'a VideoTask,
    /// Whether an ETag that looks like an MD5 is one. Stores that encrypt give others, so one that
    /// stays wrong must not lose a video.
    pub etag_is_md5: bool,
}

/// The checks of one object, under way.
pub struct Running<'a> {
    wanted: Wanted<'a>,
    beginning: Vec<u8>,
    digests: Digests,
    scanner: Option<Mp4Scanner>,
}

impl<'a> Running<'a> {
    /// Checks of what should be this and, where it was announced, of this length.
    pub fn new(wanted: Wanted<'a>, announced: Option<u64>) -> Self {
        Self {
            wanted,
            beginning: Vec::with_capacity(BEGINNING),
            digests: Digests::default(),
            scanner: (wanted.kind == Kind::Video).then(|| Mp4Scanner::new(announced)),
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let missing = BEGINNING.saturating_sub(self.beginning.len());
        self.beginning.extend(bytes.iter().take(missing));
        self.digests.update(bytes);
        if self.beginning.starts_with(WEBM) {
            // Whole or not, its boxes do not tell.
            self.scanner = None;
        }
        match &mut self.scanner {
            Some(scanner) => scanner
                .update(bytes)
                .map_err(|fault| Error::Corrupt(fault.to_string())),
            None => Ok(()),
        }
    }

    /// What the bytes are, by themselves, by what their host has announced and by the task's record.
    pub fn finish(self, length: Option<u64>, announced: &HeaderMap) -> Result<Checked, Error> {
        let Wanted { kind, task, .. } = self.wanted;
        let digests = self.digests.finish();
        let format = kind.format(&self.beginning).ok_or_else(|| {
            Error::Corrupt(format!(
                "{} bytes that do not begin as a {}",
                digests.length,
                kind.word()
            ))
        })?;
        let mut checks = whole(&digests, length, announced, self.wanted.etag_is_md5)?;
        if let Some(scanner) = self.scanner {
            let movie = scanner
                .finish()
                .map_err(|fault| Error::Corrupt(fault.to_string()))?;
            checks.push(passed("mp4", words(&movie)));
            checks.extend(compared(task, &movie));
        }
        Ok(Checked {
            format,
            size: digests.length,
            sha256: digests.sha256,
            checks,
        })
    }
}

/// Whether all bytes came, as far as the host tells.
fn whole(
    digests: &DigestValues,
    length: Option<u64>,
    announced: &HeaderMap,
    etag_is_md5: bool,
) -> Result<Vec<ObjectCheck>, Error> {
    let header = |name: &str| announced.get(name).and_then(|value| value.to_str().ok());
    let crc64 = header(CRC64).and_then(|crc64| crc64.trim().parse::<u64>().ok());
    let may_be_no_md5 = !etag_is_md5 || crc64.is_some();
    let facts = [
        (
            "length",
            length.map(|it| it.to_string()),
            digests.length.to_string(),
        ),
        (
            "crc64",
            crc64.map(|it| it.to_string()),
            digests.crc64.to_string(),
        ),
        (
            "md5",
            header(ETAG.as_str()).and_then(md5_of),
            digests.md5.clone(),
        ),
    ];
    let mut checks = Vec::new();
    for (name, announced, found) in facts {
        match announced {
            Some(announced) if name == "md5" && announced != found && may_be_no_md5 => {
                checks.push(ObjectCheck {
                    name: name.to_owned(),
                    result: "warning".to_owned(),
                    expected: announced,
                    found,
                });
            }
            Some(announced) if announced != found => {
                return Err(Error::Corrupt(format!(
                    "its {name} is {found}, and {announced} was announced"
                )));
            }
            Some(announced) => checks.push(passed(name, announced)),
            None => {}
        }
    }
    Ok(checks)
}

/// The MD5 that an ETag is, where the object was not uploaded in parts.
fn md5_of(etag: &str) -> Option<String> {
    let etag = etag.strip_prefix('"')?.strip_suffix('"')?.to_lowercase();
    let is_md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_md5.then_some(etag)
}

fn compared(task: &VideoTask, movie: &Movie) -> Vec<ObjectCheck> {
    let expected = Expected {
        duration_s: task.duration,
        frames: task.frames,
        framespersecond: task.framespersecond,
        resolution: &task.resolution,
        ratio: &task.ratio,
        generate_audio: task.generate_audio,
    };
    let findings = expected.compare(movie).into_iter();
    findings
        .map(|finding| ObjectCheck {
            name: finding.check.to_owned(),
            result: "warning".to_owned(),
            expected: finding.expected,
            found: finding.found,
        })
        .collect()
}

fn passed(name: &str, expected: String) -> ObjectCheck {
    ObjectCheck {
        name: name.to_owned(),
        result: "passed".to_owned(),
        expected,
        found: String::new(),
    }
}

/// A movie for people.
fn words(movie: &Movie) -> String {
    let mut words = Vec::new();
    if let Some(video) = &movie.video {
        words.push(format!("{} {}x{}", video.codec, video.width, video.height));
        words.extend(video.frames.map(|frames| format!("{frames} frames")));
    }
    words.extend(movie.duration_s.map(|seconds| format!("{seconds:.2} s")));
    words.push(if movie.has_audio { "sound" } else { "no sound" }.to_owned());
    words.join(", ")
}

#[cfg(test)]
mod tests;
