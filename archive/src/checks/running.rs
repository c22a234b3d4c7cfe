use seedance_archiver_proto::v1::ObjectCheck;
use serde::{Deserialize, Serialize};

use super::{
    CheckedObject, DeclaredObject, Expectation, Mismatch,
    checked_object::{passed, warning},
    digests::{DigestValues, Digests, SavedDigests},
    ending::{ENDING_LEN, Ending, FileEnds},
    integrity::{Integrity, check_integrity},
    mp4::{Movie, Mp4Scanner},
    record::RecordedVideo,
    structure::{Mp4File, Structure},
};
use crate::{
    Error, Format, ObjectKind,
    object::{FileType, MAGIC_LEN, MAX_ERROR_PAGE},
};

/// Version of [`SavedChecks`]. Increment if a field of `SavedChecks` changes, or if a dependency changes the state
/// of a digest.
const SAVED_VERSION: u32 = 1;

/// Checks one object incrementally, as it is downloaded. No byte stops the checks, because odd bytes may be the
/// video; [`finish`](Self::finish) decides.
pub(crate) struct RunningChecks {
    kind: ObjectKind,
    declared: DeclaredObject,
    /// The size by which a format is detected. It stays the same, because the key of an upload depends on the format.
    format_length: Option<u64>,
    /// The first bytes, from which the format is detected.
    first_bytes: Vec<u8>,
    /// The last bytes, by which some formats show that they are complete.
    last_bytes: Vec<u8>,
    digests: Digests,
    /// `None` if the object is not an MP4, or is an invalid one.
    scanner: Option<Mp4Scanner>,
    /// The first error of the scanner.
    finding: Option<String>,
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
    /// Last bytes, in hex.
    #[serde(default, rename = "ending", skip_serializing_if = "String::is_empty")]
    last_bytes: String,
    digests: SavedDigests,
    scanner: Option<Mp4Scanner>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finding: Option<String>,
}

impl RunningChecks {
    /// Starts the checks of an object.
    pub(crate) fn new(kind: ObjectKind, declared: DeclaredObject) -> Self {
        let is_video = kind == ObjectKind::Video;
        Self {
            kind,
            first_bytes: Vec::with_capacity(MAGIC_LEN),
            last_bytes: Vec::new(),
            digests: Digests::new(&declared),
            scanner: is_video.then(|| Mp4Scanner::new(declared.length)),
            finding: None,
            format_length: declared.length,
            declared,
        }
    }

    /// Processes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        // A checkpoint of version 0.1.0 has fewer first bytes. Later bytes must not be appended to them.
        if self.first_bytes.len() as u64 == self.length() {
            let missing = MAGIC_LEN.saturating_sub(self.first_bytes.len());
            self.first_bytes.extend(bytes.iter().take(missing));
        }
        let kept = bytes.len().saturating_sub(ENDING_LEN);
        self.last_bytes
            .extend_from_slice(bytes.get(kept..).unwrap_or_default());
        let surplus = self.last_bytes.len().saturating_sub(ENDING_LEN);
        self.last_bytes.drain(..surplus);
        self.scan(bytes);
        // Last, because it counts the bytes: if a check panics, they are missing.
        self.digests.update(bytes);
    }

    fn scan(&mut self, bytes: &[u8]) {
        let Some(scanner) = &mut self.scanner else {
            return;
        };
        if let Err(error) = scanner.update(bytes) {
            self.finding = Some(error.to_string());
            self.scanner = None;
        }
    }

    /// Returns the properties that the response headers declare.
    pub(crate) fn declared(&self) -> &DeclaredObject {
        &self.declared
    }

    /// Sets the size that a later response declared, unless it is known.
    pub(crate) fn declare_length(&mut self, length: Option<u64>) {
        self.declared.length = self.declared.length.or(length);
    }

    /// Returns the number of bytes processed so far.
    pub(crate) fn length(&self) -> u64 {
        self.digests.length()
    }

    /// Returns the SHA-256 of the bytes so far.
    pub(crate) fn sha256(&self) -> String {
        self.digests.sha256()
    }

    /// Returns the format, detected from the first bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the object is empty or an error page.
    pub(crate) fn format(&self) -> Result<Format, Error> {
        Ok(Format::new(self.kind, self.file_type()?))
    }

    fn file_type(&self) -> Result<FileType, Error> {
        let kind = self.kind;
        let is_text = self.declared.is_text;
        let found = FileType::detect(kind, &self.first_bytes, self.format_length, is_text);
        found.ok_or_else(|| {
            Error::Corrupt(match self.first_bytes.is_empty() {
                true => "the host returned an empty body".to_owned(),
                false => format!(
                    "the host returned an error page instead of the {}",
                    kind.name()
                ),
            })
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
            last_bytes: hex::encode(&self.last_bytes),
            digests: self.digests.save(),
            scanner,
            finding: self.finding.clone(),
        })
    }

    /// Restores a saved state. Returns `None` if the state is invalid or was saved by another version.
    pub(crate) fn restore(kind: ObjectKind, saved: SavedChecks) -> Option<Self> {
        if saved.version != SAVED_VERSION {
            return None;
        }
        Some(Self {
            kind,
            first_bytes: hex::decode(&saved.first_bytes).ok()?,
            last_bytes: hex::decode(&saved.last_bytes).ok()?,
            digests: Digests::restore(&saved.digests, &saved.declared)?,
            format_length: saved.declared.length,
            declared: saved.declared,
            scanner: saved.scanner,
            finding: saved.finding,
        })
    }

    /// Finishes the checks after the last byte.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes differ from the values that the response headers declare, or look invalid
    /// although no declared digest matches them and they arrive for the first time. If `mismatch` is `Refuse`, also
    /// if the video does not match the task's record.
    pub(crate) fn finish(mut self, expectation: Expectation<'_>) -> Result<CheckedObject, Error> {
        let file_type = self.file_type()?;
        let kind = self.kind;
        let structure = self.structure(file_type);
        let digests = self.digests.finish();
        let Integrity {
            mut checks,
            is_vouched_for,
        } = check_integrity(&digests, &self.declared, expectation.rejected_md5)?;
        if file_type == FileType::UNKNOWN && self.declared.is_compressed && !is_vouched_for {
            reject_page(kind, digests.length)?;
        }
        let has_length = self.declared.length.is_some();
        let is_accepted =
            is_vouched_for || expectation.rejected_sha256 == Some(digests.sha256.as_str());
        let mut has_c2pa_manifest = None;
        let ending = match structure {
            Structure::Mp4(file) => {
                checks.push(passed("mp4", String::new(), file.movie.to_string()));
                checks.extend(compare_with_record(expectation, &file.movie)?);
                has_c2pa_manifest = file.has_c2pa_manifest;
                file.ending
            }
            Structure::Odd { check, finding } if is_accepted => {
                checks.push(warning(check, String::new(), finding));
                Ending::Complete
            }
            Structure::Odd { finding, .. } => return Err(odd(finding, digests)),
            Structure::Ending(ending) => ending,
        };
        match ending {
            Ending::Truncated(finding) if is_accepted || has_length => {
                checks.push(warning("length", String::new(), finding));
            }
            Ending::Truncated(finding) => return Err(odd(finding, digests)),
            Ending::Unknown if !is_vouched_for && !has_length => {
                let found = format!("{} bytes; the host declared no length", digests.length);
                checks.push(warning("length", String::new(), found));
            }
            Ending::Unknown | Ending::Complete => {}
        }
        Ok(CheckedObject {
            format: Format::new(kind, file_type),
            size: digests.length,
            sha256: digests.sha256,
            checks,
            has_c2pa_manifest,
        })
    }

    /// Judges the structure of the object.
    fn structure(&mut self, file_type: FileType) -> Structure {
        let (finding, scanner) = (self.finding.take(), self.scanner.take());
        let scan = || match (finding, scanner) {
            (None, Some(scanner)) => {
                let ending = match scanner.is_open_ended() {
                    true => Ending::Unknown,
                    false => Ending::Complete,
                };
                Ok(Mp4File {
                    ending,
                    has_c2pa_manifest: scanner.has_c2pa_manifest(),
                    movie: scanner.finish().map_err(|error| error.to_string())?,
                })
            }
            (finding, _) => Err(finding.unwrap_or_else(|| "unknown video format".to_owned())),
        };
        let ends = FileEnds {
            first: &self.first_bytes,
            last: &self.last_bytes,
            size: self.digests.length(),
        };
        Structure::new(self.kind, file_type, ends, scan)
    }
}

/// Rejects a small compressed body of a type that is not known: probably an error page that something on the way compressed,
/// which would be the same in the next attempt. A large one may be the object.
fn reject_page(kind: ObjectKind, length: u64) -> Result<(), Error> {
    if length > MAX_ERROR_PAGE {
        return Ok(());
    }
    Err(Error::Corrupt(format!(
        "the host returned a compressed page of {length} bytes instead of the {}",
        kind.name()
    )))
}

fn odd(finding: String, digests: DigestValues) -> Error {
    Error::Odd {
        finding,
        sha256: digests.sha256,
    }
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
