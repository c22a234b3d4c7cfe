//! File types that are ZIP archives.

use super::file_type::FileType;

/// Returns the type of a ZIP archive by its first entry.
pub(super) fn file_type(bytes: &[u8]) -> FileType {
    match first_entry(bytes) {
        Some((name, true)) if is_usd(&name) => FileType::USDZ,
        Some((name, _)) if is_3mf(&name) => FileType::THREE_MF,
        _ => FileType::ZIP,
    }
}

/// Returns the name of the first entry in lower case, and whether it is stored without compression.
fn first_entry(bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    let number = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let name = bytes.get(30..30 + usize::from(number(26)?))?;
    Some((name.to_ascii_lowercase(), number(8)? == 0))
}

fn is_usd(name: &[u8]) -> bool {
    [&b".usd"[..], b".usda", b".usdc"]
        .iter()
        .any(|extension| name.ends_with(extension))
}

fn is_3mf(name: &[u8]) -> bool {
    name == b"[content_types].xml" || name.starts_with(b"3d/")
}
