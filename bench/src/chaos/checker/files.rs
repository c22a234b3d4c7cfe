//! Files below a directory, while servers still change it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Returns the files in a directory and all below that have a wanted name. A directory that is gone has none.
pub(super) fn below(
    directory: &Path,
    is_wanted: impl Fn(&str) -> bool,
) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                directories.push(entry.path());
            } else if is_wanted(&entry.file_name().to_string_lossy()) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_at_any_depth_by_their_name() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let wanted = [inner.join("x.log"), directory.path().join("y.log")];
        for file in [&wanted[0], &wanted[1], &inner.join("x.db")] {
            fs::write(file, "").unwrap();
        }
        let logs = |directory: &Path| below(directory, |name| name.ends_with(".log")).unwrap();
        assert_eq!(logs(directory.path()), wanted);
        assert!(logs(&directory.path().join("gone")).is_empty());
    }
}
