//! Judges the structure of an object after its last byte.

use super::{
    ending::{Ending, FileEnds},
    mp4::Movie,
};
use crate::{Format, ObjectKind, object::FileType};

/// The structure of an object.
pub(super) enum Structure {
    /// A complete MP4, and whether its boxes say where it ends.
    Movie(Movie, Ending),
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
    /// Judges an object of this kind and type. `scan` returns the movie of an MP4, or why there is none.
    pub(super) fn new(
        kind: ObjectKind,
        file_type: FileType,
        ends: FileEnds<'_>,
        scan: impl FnOnce() -> Result<(Movie, Ending), String>,
    ) -> Self {
        let may_be_mp4 = file_type.is_movie() || file_type == FileType::UNKNOWN;
        if kind == ObjectKind::Video && may_be_mp4 {
            return match scan() {
                Ok((movie, ending)) => Self::Movie(movie, ending),
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
