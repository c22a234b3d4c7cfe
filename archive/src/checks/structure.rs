//! Judges the structure of an object after its last byte.

use super::{
    ending::{Ending, FileEnds},
    mp4::Movie,
};
use crate::{Format, ObjectKind, object::FileType};

/// A complete MP4.
pub(super) struct Mp4File {
    pub(super) movie: Movie,
    /// Whether its boxes say where it ends.
    pub(super) ending: Ending,
    /// `None`: not known.
    pub(super) has_c2pa_manifest: Option<bool>,
}

/// The structure of an object.
pub(super) enum Structure {
    Mp4(Mp4File),
    /// Probably not the object, or not all of it.
    Odd {
        /// Name of the check in the receipt.
        check: &'static str,
        finding: String,
    },
    /// Of a format of which only the end is checked.
    Ending(Ending),
}

impl Structure {
    /// Judges an object of this kind and type. `scan` returns the MP4, or why it is none.
    pub(super) fn new(
        kind: ObjectKind,
        file_type: FileType,
        ends: FileEnds<'_>,
        scan: impl FnOnce() -> Result<Mp4File, String>,
    ) -> Self {
        let may_be_mp4 = file_type.is_movie() || file_type == FileType::UNKNOWN;
        if kind == ObjectKind::Video && may_be_mp4 {
            return match scan() {
                Ok(file) => Self::Mp4(file),
                Err(finding) => Self::Odd {
                    check: "mp4",
                    finding,
                },
            };
        }
        if !file_type.is_expected(kind) {
            let name = Format::new(kind, file_type).name;
            return Self::Odd {
                check: "format",
                finding: format!("`{name}` instead of the {}", kind.name()),
            };
        }
        Self::Ending(ends.check(file_type))
    }
}
