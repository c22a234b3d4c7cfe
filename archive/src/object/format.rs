//! Detects file formats by the first bytes. The names and content types that the service sends are not reliable.

use super::{
    ObjectKind,
    file_type::{Class, FileType},
    signatures, text,
};

/// The format of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    /// File name in the archive.
    pub name: &'static str,
    /// Media type.
    pub content_type: &'static str,
}

/// Number of leading bytes from which a format is detected. Version 0.1.0 kept 16.
pub(crate) const MAGIC_LEN: usize = 512;
/// Maximum size of an error page that only its form tells from an object.
pub(crate) const MAX_ERROR_PAGE: u64 = 64 * 1024;

impl Format {
    /// Returns the format of an object of this kind and type. A 3D model is named like a file even if the URL is
    /// that of a video.
    pub(crate) fn new(kind: ObjectKind, file_type: FileType) -> Self {
        let name = match kind {
            ObjectKind::Video if file_type.class == Class::Model => file_type.file,
            ObjectKind::Video => file_type.video,
            ObjectKind::LastFrame => file_type.last_frame,
            ObjectKind::File => file_type.file,
        };
        Self {
            name,
            content_type: file_type.content_type,
        }
    }
}

impl FileType {
    /// Detects the type of an object from its first [`MAGIC_LEN`] bytes, and its size if the response headers
    /// declare it. Returns `None` for an error page, [`FileType::UNKNOWN`] for other bytes that match no type.
    ///
    /// A text that matches no type is an error page, unless it begins with a comment, as playlists and models do. 3D models have
    /// text formats that are not known here, so what may be one has to be declared as text too, and to be small.
    pub(crate) fn detect(
        kind: ObjectKind,
        bytes: &[u8],
        length: Option<u64>,
        is_declared_as_text: bool,
    ) -> Option<Self> {
        if let Some(known) = signatures::find(bytes, length) {
            return Some(known);
        }
        let (is_file, is_obj) = (kind == ObjectKind::File, text::is_obj(bytes));
        // The lines of an OBJ are too ordinary to be looked for where no model is expected.
        if is_file && is_obj {
            return Some(Self::OBJ);
        }
        let is_large = length.is_some_and(|length| length > MAX_ERROR_PAGE);
        let can_be_text = text::is_commented(bytes)
            || is_file && is_large
            || !is_declared_as_text && (is_file || is_obj);
        let is_error_page = text::is_markup(bytes) || (text::is_printable(bytes) && !can_be_text);
        (!bytes.is_empty() && !is_error_page).then_some(Self::UNKNOWN)
    }

    /// Returns whether an object of this kind is expected to have this type. There are many formats of 3D models,
    /// so a file may have any type.
    pub(crate) fn is_expected(self, kind: ObjectKind) -> bool {
        match kind {
            ObjectKind::Video => self.class == Class::Video,
            ObjectKind::LastFrame => self.class == Class::Image,
            ObjectKind::File => true,
        }
    }
}

#[cfg(test)]
mod tests;
