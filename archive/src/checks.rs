//! What is found out about bytes while they pass. Bytes that are not whole are refused; a whole video
//! that is not what its record says is archived, with a warning in the receipt.
//!
//! - [`Running`]: the checks of one object.
//! - [`SavedChecks`]: the same, on their way to another process.
//! - [`Announced`]: what the host says of the object.
//! - [`Checked`]: what they came to.
//!
//! Inside: `digests` are taken of everything, `mp4` follows the boxes of a video, `expected` compares
//! it with the record.

mod announced;
mod digests;
mod expected;
mod mp4;

use seedance_archiver_proto::v1::{ObjectCheck, VideoTask};
use serde::{Deserialize, Serialize};

use super::{
    Error, Kind,
    kind::{BEGINNING, Format, WEBM},
};
pub use announced::Announced;
use digests::{DigestValues, Digests, SavedDigests};
use expected::Expected;
use mp4::{Movie, Mp4Scanner, VideoTrack};

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

/// What becomes of a whole video that is not what its record says.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, strum::Display, strum::EnumString, strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Mismatch {
    /// It is archived, with a warning in the receipt.
    #[default]
    Warn,
    /// It is refused, as bytes are that are not whole.
    Refuse,
}

/// What an object should be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What it is of the task.
    pub kind: Kind,
    /// The task's record.
    pub task: &'a VideoTask,
    /// What becomes of it where the record says otherwise.
    pub mismatch: Mismatch,
    /// MD5 of bytes that were refused because the ETag is another. The same bytes again are the video:
    /// the ETags of stores that encrypt are no MD5, although they look like one.
    pub refused_md5: Option<&'a str>,
}

/// The checks of one object, under way.
pub struct Running<'a> {
    wanted: Wanted<'a>,
    announced: Announced,
    beginning: Vec<u8>,
    digests: Digests,
    scanner: Option<Mp4Scanner>,
}

/// Changes with [`SavedChecks`] and with the versions of the crates whose states are in it.
const FORMAT: u32 = 1;

/// Checks under way, as they travel to another process.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SavedChecks {
    /// Of what follows, and of the states of the digests.
    format: u32,
    announced: Announced,
    /// In hex.
    beginning: String,
    digests: SavedDigests,
    scanner: Option<Mp4Scanner>,
}

impl<'a> Running<'a> {
    /// Checks of what should be this, and is announced as that.
    pub fn new(wanted: Wanted<'a>, announced: Announced) -> Self {
        let is_video = wanted.kind == Kind::Video;
        Self {
            wanted,
            beginning: Vec::with_capacity(BEGINNING),
            digests: Digests::new(&announced),
            scanner: is_video.then(|| Mp4Scanner::new(announced.length)),
            announced,
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

    /// What the host has said.
    pub fn announced(&self) -> &Announced {
        &self.announced
    }

    /// Bytes that came.
    pub fn length(&self) -> u64 {
        self.digests.length()
    }

    /// What the bytes are, once enough of them came.
    pub fn format(&self) -> Result<Format, Error> {
        let kind = self.wanted.kind;
        kind.format(&self.beginning).ok_or_else(|| {
            let word = kind.word();
            Error::Corrupt(format!("bytes that do not begin as a {word}"))
        })
    }

    /// The checks as they are now. `None`: they cannot travel from here, but soon can.
    pub fn save(&self) -> Option<SavedChecks> {
        let scanner = match &self.scanner {
            Some(scanner) => Some(scanner.save()?),
            None => None,
        };
        Some(SavedChecks {
            format: FORMAT,
            announced: self.announced.clone(),
            beginning: hex::encode(&self.beginning),
            digests: self.digests.save(),
            scanner,
        })
    }

    /// The checks as they were saved. `None`: they are of another version of this software.
    pub fn restore(wanted: Wanted<'a>, saved: SavedChecks) -> Option<Self> {
        if saved.format != FORMAT {
            return None;
        }
        Some(Self {
            wanted,
            beginning: hex::decode(&saved.beginning).ok()?,
            digests: Digests::restore(&saved.digests, &saved.announced)?,
            announced: saved.announced,
            scanner: saved.scanner,
        })
    }

    /// What the bytes are, by themselves, by what their host has announced and by the task's record.
    pub fn finish(self) -> Result<Checked, Error> {
        let format = self.format()?;
        let digests = self.digests.finish();
        let mut checks = whole(&digests, &self.announced, self.wanted.refused_md5)?;
        if let Some(scanner) = self.scanner {
            let movie = scanner
                .finish()
                .map_err(|fault| Error::Corrupt(fault.to_string()))?;
            checks.push(passed("mp4", String::new(), words(&movie)));
            checks.extend(compared(self.wanted, &movie)?);
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
    announced: &Announced,
    refused_md5: Option<&str>,
) -> Result<Vec<ObjectCheck>, Error> {
    let length = announced.length.map(|length| length.to_string());
    let crc64 = announced.crc64.map(|crc64| crc64.to_string());
    let etag_is_no_md5 = crc64.is_some() || refused_md5 == digests.md5.as_deref();
    let facts = [
        ("length", length, Some(digests.length.to_string())),
        ("crc64", crc64, digests.crc64.map(|it| it.to_string())),
        ("md5", announced.md5.clone(), digests.md5.clone()),
    ];
    let mut checks = Vec::new();
    for (name, announced, found) in facts {
        let (Some(announced), Some(found)) = (announced, found) else {
            continue;
        };
        if announced == found {
            checks.push(passed(name, announced, found));
        } else if name == "md5" && etag_is_no_md5 {
            checks.push(warning(name, announced, found));
        } else if name == "md5" {
            return Err(Error::OtherMd5 { found, announced });
        } else {
            let fault = format!("its {name} is {found}, and {announced} was announced");
            return Err(Error::Corrupt(fault));
        }
    }
    Ok(checks)
}

/// The video against its record.
fn compared(wanted: Wanted<'_>, movie: &Movie) -> Result<Vec<ObjectCheck>, Error> {
    let task = wanted.task;
    let expected = Expected {
        duration_s: task.duration,
        frames: task.frames,
        framespersecond: task.framespersecond,
        resolution: &task.resolution,
        ratio: &task.ratio,
        generate_audio: task.generate_audio,
    };
    let findings = expected.compare(movie).into_iter();
    let findings = findings.map(|finding| match (finding.is_right, wanted.mismatch) {
        (true, _) => Ok(passed(finding.check, finding.expected, finding.found)),
        (false, Mismatch::Warn) => Ok(warning(finding.check, finding.expected, finding.found)),
        (false, Mismatch::Refuse) => Err(Error::Corrupt(format!(
            "its {} is {}, and its record says {}",
            finding.check, finding.found, finding.expected
        ))),
    });
    findings.collect()
}

fn passed(name: &str, expected: String, found: String) -> ObjectCheck {
    result("passed", name, expected, found)
}

fn warning(name: &str, expected: String, found: String) -> ObjectCheck {
    result("warning", name, expected, found)
}

fn result(result: &str, name: &str, expected: String, found: String) -> ObjectCheck {
    ObjectCheck {
        name: name.to_owned(),
        result: result.to_owned(),
        expected,
        found,
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
