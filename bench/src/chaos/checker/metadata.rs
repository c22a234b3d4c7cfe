//! Secrets in the metadata and the tags of objects.
//!
//! The S3 API returns tags only one object at a time, and `object_store` not at all. MinIO has a file `xl.meta` for each
//! object with everything besides its content, and that of a small object too.

use std::{fs, path::Path};

use anyhow::Context;

use super::{Row, files, secrets::Finder};

/// What MinIO calls these files.
const NAME: &str = "xl.meta";

/// Searches the metadata of all objects in the directory of a bucket.
pub(super) fn check(bucket: &Path, secrets: &Finder) -> anyhow::Result<[Row; 2]> {
    let found = files::below(bucket, |name| name == NAME);
    let found = found.with_context(|| format!("cannot read {}", bucket.display()))?;
    let mut findings = Vec::new();
    for file in &found {
        let name = file.display();
        let metadata = fs::read(file).with_context(|| format!("cannot read {name}"))?;
        let secret = secrets.find(&metadata);
        findings.extend(secret.map(|it| format!("`{it}` in {name}")));
    }
    if found.is_empty() {
        findings.push(format!("no {NAME} in {}", bucket.display()));
    }
    Ok([
        Row::none_of("secrets in the metadata of objects", findings),
        Row::of("objects whose metadata was read", found.len() as u64),
    ])
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;
    use crate::chaos::world::AllSecrets;

    const KEY: &str = "called-first-key-0000000000000007-chaos";

    /// Returns the counts of a bucket with these files.
    fn counts(files: &[(&str, &[u8])]) -> [u64; 2] {
        let bucket = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = bucket.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let secrets = Finder::new(AllSecrets {
            words: vec![KEY.to_owned()],
            ..AllSecrets::default()
        });
        let rows = check(bucket.path(), &secrets).unwrap();
        rows.map(|row| row.count)
    }

    /// Returns the metadata of an object with a tag of this value.
    fn metadata(tag: &str) -> Vec<u8> {
        let fields = [b"XL2 \x01\x00\x03\x00\xc6\x83\xa7MetaSys", tag.as_bytes()];
        fields.concat()
    }

    #[test]
    fn a_key_in_the_metadata_of_any_object_is_found() {
        const OBJECT: &str = "videos/called/2026/11/30/cgt-1/video.mp4/xl.meta";
        const OTHER: &str = "videos/called/2026/11/30/cgt-1/task.json/xl.meta";
        let harmless = metadata("X-Amz-Tagging: account=called");
        let encoded = format!("X-Amz-Tagging: note={}", BASE64_STANDARD.encode(KEY));
        for (tag, expected) in [("note=none", 0), (KEY, 1), (encoded.as_str(), 1)] {
            let object = metadata(tag);
            let objects = [(OBJECT, object.as_slice()), (OTHER, harmless.as_slice())];
            assert_eq!(counts(&objects), [expected, 2], "{tag}");
        }
    }

    #[test]
    fn a_bucket_without_metadata_shows_nothing() {
        assert_eq!(counts(&[]), [1, 0]);
        assert_eq!(counts(&[("videos/video.mp4/part.1", &b"x"[..])]), [1, 0]);
    }
}
