//! Files that `object_store` does not list: an upload to a file is one until it is completed.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::chaos::checker::files;

/// Returns the hidden files in a directory and all below.
pub(super) fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    files::below(directory, is_hidden)
}

/// Returns whether a name ends in `#` and digits.
fn is_hidden(name: &str) -> bool {
    let suffix = name.rsplit_once('#').map(|(_, suffix)| suffix);
    suffix.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_of_an_upload_is_found_at_any_depth() {
        let directory = tempfile::tempdir().unwrap();
        let task = directory.path().join("called/2026/11/30/cgt-1");
        fs::create_dir_all(&task).unwrap();
        for name in ["video.mp4", "task.json#", "task.json#1a"] {
            fs::write(task.join(name), "x").unwrap();
        }
        assert!(files(directory.path()).unwrap().is_empty());
        let upload = task.join("task.json#12");
        fs::write(&upload, "x").unwrap();
        assert_eq!(files(directory.path()).unwrap(), [upload]);
    }
}
