//! File types that are text, and texts that are no file.

use super::file_type::FileType;

/// Keys of a glTF. At least one of them stands at the beginning of a file.
const GLTF_KEYS: [&str; 14] = [
    "asset",
    "accessors",
    "animations",
    "bufferViews",
    "buffers",
    "cameras",
    "extensionsRequired",
    "extensionsUsed",
    "images",
    "materials",
    "meshes",
    "nodes",
    "scene",
    "scenes",
];
/// Keywords with which a line of an OBJ starts.
const OBJ_KEYWORDS: [&str; 10] = [
    "v", "vn", "vt", "vp", "f", "o", "g", "s", "mtllib", "usemtl",
];

/// Returns the type of a text with a signature.
pub(super) fn file_type(bytes: &[u8]) -> Option<FileType> {
    let text = trimmed(bytes);
    if text.starts_with(b"{") {
        return is_gltf(text).then_some(FileType::GLTF);
    }
    if text.starts_with(b"<") {
        return contains(text, b"<COLLADA").then_some(FileType::DAE);
    }
    let is_stl =
        text.starts_with(b"solid") && (contains(text, b"facet") || contains(text, b"endsolid"));
    is_stl.then_some(FileType::STL)
}

/// Returns whether bytes begin like HTML, XML or a JSON object.
pub(super) fn is_markup(bytes: &[u8]) -> bool {
    let text = trimmed(bytes);
    text.starts_with(b"<") || text.starts_with(b"{")
}

/// Returns whether bytes begin with a line that is a comment, as a model or a playlist may, and an error does not.
pub(super) fn is_commented(bytes: &[u8]) -> bool {
    trimmed(bytes).starts_with(b"#")
}

/// Returns whether bytes, of which the last character may be cut, are text. Those of a video or an image are not, whatever its
/// format: even after a signature of letters, sizes and samples have control characters or are no UTF-8.
pub(super) fn is_printable(bytes: &[u8]) -> bool {
    let is_text = |text: &str| {
        text.chars()
            .all(|it| !it.is_control() || it.is_ascii_whitespace())
    };
    match str::from_utf8(bytes) {
        Ok(text) => is_text(text),
        Err(error) if error.error_len().is_some() => false,
        Err(error) => {
            let complete = bytes.get(..error.valid_up_to()).unwrap_or_default();
            str::from_utf8(complete).is_ok_and(is_text)
        }
    }
}

/// Returns whether the first line that is no comment is a line of an OBJ.
pub(super) fn is_obj(bytes: &[u8]) -> bool {
    let lines = trimmed(bytes).split(|byte| matches!(byte, b'\n' | b'\r'));
    let is_comment = |line: &&[u8]| line.is_empty() || line.starts_with(b"#");
    let Some(line) = lines.map(<[u8]>::trim_ascii).find(|line| !is_comment(line)) else {
        return false;
    };
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t'));
    let is_keyword = words
        .next()
        .is_some_and(|word| OBJ_KEYWORDS.iter().any(|it| it.as_bytes() == word));
    is_keyword
        && words.next().is_some()
        && line
            .iter()
            .all(|byte| !byte.is_ascii_control() || *byte == b'\t')
}

/// Returns whether the first key of a JSON object is one of a glTF, or the key `asset` is close to the beginning.
fn is_gltf(text: &[u8]) -> bool {
    let inside = text.get(1..).unwrap_or_default().trim_ascii_start();
    let is_first = |key: &&str| inside.starts_with(format!("\"{key}\"").as_bytes());
    GLTF_KEYS.iter().any(is_first) || has_asset(text)
}

/// Returns whether there is a key `asset` whose value is an object.
fn has_asset(text: &[u8]) -> bool {
    const KEY: &[u8] = b"\"asset\"";
    let Some(at) = text.windows(KEY.len()).position(|window| window == KEY) else {
        return false;
    };
    let after = text.get(at + KEY.len()..).unwrap_or_default();
    let value = after.trim_ascii_start().strip_prefix(b":");
    value.is_some_and(|value| value.trim_ascii_start().starts_with(b"{"))
}

/// Omits a byte order mark and white space.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.trim_ascii_start();
    bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start()
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
