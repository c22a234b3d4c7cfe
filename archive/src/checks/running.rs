use seedance_archiver_proto::v1::ObjectCheck;
use serde::{Deserialize, Serialize};

use super::{
    CheckedObject, DeclaredObject, Expectation, Mismatch,
    checked_object::{passed, warning},
    digests::{Digests, SavedDigests},
    integrity::check_integrity,
    mp4::{Movie, Mp4Error, Mp4Scanner},
    record::RecordedVideo,
};
use crate::{
    Error, Format, ObjectKind,
    object::{MAGIC_LEN, WEBM_MAGIC},
};

/// Version of [`SavedChecks`]. Increment if a field of `SavedChecks` changes, or if a dependency changes the state
/// of a digest.
const SAVED_VERSION: u32 = 1;

/// Checks one object incrementally, as it is downloaded.
pub(crate) struct RunningChecks<'a> {
    expectation: Expectation<'a>,
    declared: DeclaredObject,
    /// The first bytes, from which the format is detected.
    first_bytes: Vec<u8>,
    digests: Digests,
    /// `None` if the object is not an MP4.
    scanner: Option<Mp4Scanner>,
}

/// The state of the checks, as stored in a heartbeat.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct SavedChecks {
    /// Version of this layout: [`SAVED_VERSION`].
    #[serde(rename = "format")]
    version: u32,
    #[serde(rename = "announced")]
    declared: DeclaredObject,
    /// First bytes, in hex.
    #[serde(rename = "beginning")]
    first_bytes: String,
    digests: SavedDigests,
    scanner: Option<Mp4Scanner>,
}

impl<'a> RunningChecks<'a> {
    /// Starts the checks of an object.
    pub(crate) fn new(expectation: Expectation<'a>, declared: DeclaredObject) -> Self {
        let is_video = expectation.kind == ObjectKind::Video;
        Self {
            expectation,
            first_bytes: Vec::with_capacity(MAGIC_LEN),
            digests: Digests::new(&declared),
            scanner: is_video.then(|| Mp4Scanner::new(declared.length)),
            declared,
        }
    }

    /// Processes the next bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes cannot be part of a valid MP4.
    pub(crate) fn update(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let missing = MAGIC_LEN.saturating_sub(self.first_bytes.len());
        self.first_bytes.extend(bytes.iter().take(missing));
        self.digests.update(bytes);
        if self.first_bytes.starts_with(WEBM_MAGIC) {
            self.scanner = None;
        }
        match &mut self.scanner {
            Some(scanner) => scanner.update(bytes).map_err(invalid_mp4),
            None => Ok(()),
        }
    }

    /// Returns the properties that the response headers declare.
    pub(crate) fn declared(&self) -> &DeclaredObject {
        &self.declared
    }

    /// Returns the number of bytes processed so far.
    pub(crate) fn length(&self) -> u64 {
        self.digests.length()
    }

    /// Returns the format, detected from the first bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the first bytes match no format of the expected kind.
    pub(crate) fn format(&self) -> Result<Format, Error> {
        let kind = self.expectation.kind;
        Format::detect(kind, &self.first_bytes).ok_or_else(|| {
            Error::Corrupt(format!(
                "unknown {} format: no known signature in the first {MAGIC_LEN} bytes",
                kind.name()
            ))
        })
    }

    /// Returns the current state, or `None` while the scanner's state is too large for a heartbeat; a later
    /// part may work.
    pub(crate) fn save(&self) -> Option<SavedChecks> {
        let scanner = match &self.scanner {
            Some(scanner) => Some(scanner.save()?),
            None => None,
        };
        Some(SavedChecks {
            version: SAVED_VERSION,
            declared: self.declared.clone(),
            first_bytes: hex::encode(&self.first_bytes),
            digests: self.digests.save(),
            scanner,
        })
    }

    /// Restores a saved state. Returns `None` if the state is invalid or was saved by another version.
    pub(crate) fn restore(expectation: Expectation<'a>, saved: SavedChecks) -> Option<Self> {
        if saved.version != SAVED_VERSION {
            return None;
        }
        Some(Self {
            expectation,
            first_bytes: hex::decode(&saved.first_bytes).ok()?,
            digests: Digests::restore(&saved.digests, &saved.declared)?,
            declared: saved.declared,
            scanner: saved.scanner,
        })
    }

    /// Finishes the checks after the last byte.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes are invalid or differ from the values that the response headers declare. If
    /// `mismatch` is `Refuse`, also if the video does not match the task's record.
    pub(crate) fn finish(self) -> Result<CheckedObject, Error> {
        let format = self.format()?;
        let digests = self.digests.finish();
        let rejected_md5 = self.expectation.rejected_md5;
        let mut checks = check_integrity(&digests, &self.declared, rejected_md5)?;
        if let Some(scanner) = self.scanner {
            let movie = scanner.finish().map_err(invalid_mp4)?;
            checks.push(passed("mp4", String::new(), movie.to_string()));
            checks.extend(compare_with_record(self.expectation, &movie)?);
        }
        Ok(CheckedObject {
            format,
            size: digests.length,
            sha256: digests.sha256,
            checks,
        })
    }
}

fn invalid_mp4(error: Mp4Error) -> Error {
    Error::Corrupt(error.to_string())
}

fn compare_with_record(
    expectation: Expectation<'_>,
    movie: &Movie,
) -> Result<Vec<ObjectCheck>, Error> {
    let comparisons = RecordedVideo::from_task(expectation.task).compare(movie);
    let checks = comparisons
        .into_iter()
        .map(|it| match (it.is_match, expectation.mismatch) {
            (true, _) => Ok(passed(it.check, it.expected, it.found)),
            (false, Mismatch::Warn) => Ok(warning(it.check, it.expected, it.found)),
            (false, Mismatch::Refuse) => Err(Error::Corrupt(format!(
                "{} is {}, but the task's record says {}",
                it.check, it.found, it.expected
            ))),
        });
    checks.collect()
}
