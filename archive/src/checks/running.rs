//! The checks of one object while its bytes arrive.

use seedance_archiver_proto::v1::ObjectCheck;
use serde::{Deserialize, Serialize};

use super::{
    AnnouncedObject, CheckedObject, Expectation, Mismatch,
    checked_object::{passed, warning},
    digests::{Digests, SavedDigests},
    integrity::check_integrity,
    mp4::{Movie, Mp4Error, Mp4Scanner},
    record::RecordedVideo,
};
use crate::{
    Error, Format, ObjectKind,
    object::{SIGNATURE_LEN, WEBM_SIGNATURE},
};

/// Version of [`SavedChecks`]. Increase it if its fields change, or if a dependency changes the state of a
/// digest.
const SAVED_FORMAT: u32 = 1;

/// The checks of one object while its bytes arrive.
pub(crate) struct RunningChecks<'a> {
    expectation: Expectation<'a>,
    announced: AnnouncedObject,
    /// The first bytes, which decide the format.
    first_bytes: Vec<u8>,
    digests: Digests,
    /// `None`: the object is not an MP4.
    scanner: Option<Mp4Scanner>,
}

/// The state of checks, in the form that a heartbeat carries.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct SavedChecks {
    /// [`SAVED_FORMAT`].
    format: u32,
    announced: AnnouncedObject,
    /// In hex.
    #[serde(rename = "beginning")]
    first_bytes: String,
    digests: SavedDigests,
    scanner: Option<Mp4Scanner>,
}

impl<'a> RunningChecks<'a> {
    /// Starts the checks of an object.
    pub(crate) fn new(expectation: Expectation<'a>, announced: AnnouncedObject) -> Self {
        let is_video = expectation.kind == ObjectKind::Video;
        Self {
            expectation,
            first_bytes: Vec::with_capacity(SIGNATURE_LEN),
            digests: Digests::new(&announced),
            scanner: is_video.then(|| Mp4Scanner::new(announced.length)),
            announced,
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// If the bytes cannot be part of a valid MP4.
    pub(crate) fn update(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let missing = SIGNATURE_LEN.saturating_sub(self.first_bytes.len());
        self.first_bytes.extend(bytes.iter().take(missing));
        self.digests.update(bytes);
        if self.first_bytes.starts_with(WEBM_SIGNATURE) {
            self.scanner = None;
        }
        match &mut self.scanner {
            Some(scanner) => scanner.update(bytes).map_err(invalid_mp4),
            None => Ok(()),
        }
    }

    /// Returns what the host has announced.
    pub(crate) fn announced(&self) -> &AnnouncedObject {
        &self.announced
    }

    /// Returns the number of bytes taken so far.
    pub(crate) fn length(&self) -> u64 {
        self.digests.length()
    }

    /// Detects the format of the object.
    ///
    /// # Errors
    ///
    /// If the first bytes match no format of the expected kind.
    pub(crate) fn format(&self) -> Result<Format, Error> {
        let kind = self.expectation.kind;
        Format::detect(kind, &self.first_bytes).ok_or_else(|| {
            let kind = kind.name();
            Error::Corrupt(format!("the bytes do not start like a {kind}"))
        })
    }

    /// Returns the current state. `None`: the state here is too large to save, try again later.
    pub(crate) fn save(&self) -> Option<SavedChecks> {
        let scanner = match &self.scanner {
            Some(scanner) => Some(scanner.save()?),
            None => None,
        };
        Some(SavedChecks {
            format: SAVED_FORMAT,
            announced: self.announced.clone(),
            first_bytes: hex::encode(&self.first_bytes),
            digests: self.digests.save(),
            scanner,
        })
    }

    /// Restores a state. `None`: another version of this software has saved it.
    pub(crate) fn restore(expectation: Expectation<'a>, saved: SavedChecks) -> Option<Self> {
        if saved.format != SAVED_FORMAT {
            return None;
        }
        Some(Self {
            expectation,
            first_bytes: hex::decode(&saved.first_bytes).ok()?,
            digests: Digests::restore(&saved.digests, &saved.announced)?,
            announced: saved.announced,
            scanner: saved.scanner,
        })
    }

    /// Finishes the checks: the last byte has arrived.
    ///
    /// # Errors
    ///
    /// If the bytes are not valid, or not what the host has announced. If the account wants it, also if the
    /// video does not match the task's record.
    pub(crate) fn finish(self) -> Result<CheckedObject, Error> {
        let format = self.format()?;
        let digests = self.digests.finish();
        let rejected_md5 = self.expectation.rejected_md5;
        let mut checks = check_integrity(&digests, &self.announced, rejected_md5)?;
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
    let comparisons = RecordedVideo::of(expectation.task).compare(movie);
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
