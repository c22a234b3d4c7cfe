//! Multipart uploads that nobody will complete.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Row;

/// The file of an upload in MinIO's directory of an upload.
const UPLOAD: &str = "xl.meta";
/// The name of the metadata with the task of an upload, in that file. A text in MessagePack follows.
const TASK: &[u8] = b"X-Amz-Meta-Seedancetask";
/// The first byte of a text of at most 31 bytes in MessagePack, without its length.
const SHORT_TEXT: u8 = 0xa0;
/// The task of uploads with which a worker tests the store.
const PROBE: &str = "probe";

/// Counts the uploads on MinIO's disk, because MinIO does not list uploads without their key.
pub(super) fn check(directory: &Path) -> [Row; 2] {
    let name = "orphaned uploads of videos";
    let (probes, videos) = match uploads(directory) {
        Ok(tasks) => tasks.into_iter().partition(|task| task == PROBE),
        Err(error) => (Vec::new(), vec![format!("cannot be counted: {error}")]),
    };
    let probes: Vec<String> = probes;
    [
        Row::none_of(name, videos),
        Row::of(
            "uploads of store tests that were interrupted",
            probes.len() as u64,
        ),
    ]
}

/// Returns the task of each upload. It is an error if the directory does not exist: MinIO creates it when it starts.
fn uploads(directory: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    // A directory for each key has a directory for each upload.
    let keys = entries(directory)?.into_iter().filter(|key| key.is_dir());
    for key in keys {
        for upload in entries(&key)? {
            let file = upload.join(UPLOAD);
            if !file.exists() {
                continue;
            }
            let content = fs::read(file)?;
            // MinIO empties the file of an upload that it could not create, because its disk was full.
            if !content.is_empty() {
                let unknown = || upload.display().to_string();
                found.push(task(&content).unwrap_or_else(unknown));
            }
        }
    }
    Ok(found)
}

fn task(file: &[u8]) -> Option<String> {
    let start = file.windows(TASK.len()).position(|it| it == TASK)?;
    let (first, rest) = file.get(start + TASK.len()..)?.split_first()?;
    let length = first.checked_sub(SHORT_TEXT)?;
    let text = rest.get(..usize::from(length))?;
    Some(String::from_utf8_lossy(text).into_owned())
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(directory: &Path) -> [u64; 2] {
        check(directory).map(|row| row.count)
    }

    #[test]
    fn an_upload_on_the_disk_is_found() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(counts(&directory.path().join("none")), [1, 0]);
        fs::write(directory.path().join("file"), "").unwrap();
        assert_eq!(counts(directory.path()), [0, 0]);
        let upload = directory.path().join("key/upload");
        fs::create_dir_all(&upload).unwrap();
        assert_eq!(counts(directory.path()), [0, 0]);
        for (content, expected) in [
            (&b""[..], [0, 0]),
            (b"..", [1, 0]),
            (b"..X-Amz-Meta-Seedancetask\xa5cgt-1..", [1, 0]),
            (b"..X-Amz-Meta-Seedancetask\xa5probe..", [0, 1]),
        ] {
            fs::write(upload.join(UPLOAD), content).unwrap();
            assert_eq!(counts(directory.path()), expected);
        }
    }
}
