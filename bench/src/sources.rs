//! Whether a program was built after the last change of its sources.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// What the sources of a program say of its age.
#[derive(Debug, PartialEq)]
pub(crate) enum Age {
    Current,
    /// This source changed after the program was built.
    OlderThan(PathBuf),
    /// There is no list of its sources, as beside a program that was copied.
    Unknown,
}

/// Compares a program with its sources, which Cargo lists in a file beside it.
pub(crate) fn age(program: &Path) -> io::Result<Age> {
    let Ok(list) = fs::read_to_string(program.with_extension("d")) else {
        return Ok(Age::Unknown);
    };
    let built_at = fs::metadata(program)?.modified()?;
    let is_newer = |source: &PathBuf| changed_at(source).is_some_and(|at| at > built_at);
    let newer = sources(&list).into_iter().find(is_newer);
    Ok(newer.map_or(Age::Current, Age::OlderThan))
}

/// Returns when a source changed. `None` if it is gone: `cargo test` builds a program anew, but not its list.
fn changed_at(source: &Path) -> Option<SystemTime> {
    fs::metadata(source).and_then(|it| it.modified()).ok()
}

/// Returns the sources in a list of the form `PROGRAM: SOURCE…`, without what the build wrote itself.
fn sources(list: &str) -> Vec<PathBuf> {
    let (program, sources) = list.split_once(": ").unwrap_or_default();
    let built = PathBuf::from(program.replace("\\ ", " "));
    let is_written = |source: &PathBuf| {
        let directory = built.parent();
        directory.is_some_and(|directory| source.starts_with(directory))
    };
    // A space in a path follows a backslash.
    let sources = sources.replace("\\ ", "\0");
    let sources = sources.split_whitespace();
    let sources = sources.map(|source| PathBuf::from(source.replace('\0', " ")));
    sources.filter(|source| !is_written(source)).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs::File, time::Duration};

    use super::*;

    /// Writes a file that changed at a time, in seconds.
    fn write(path: &Path, content: &str, seconds: u64) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        let changed_at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(changed_at).unwrap();
    }

    #[test]
    fn a_program_that_is_older_than_one_of_its_sources_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let (program, source) = (path("target/release/program"), path("my sources/b.rs"));
        let written = path("target/release/build/out.bin");
        let list = [
            path("a.rs"),
            path("removed.rs"),
            written.clone(),
            source.clone(),
        ];
        let list = list.map(|path| path.display().to_string().replace(' ', "\\ "));
        let list = format!("{}: {}\n", program.display(), list.join(" "));
        write(&program, "", 100);
        assert_eq!(age(&program).unwrap(), Age::Unknown);
        write(&path("target/release/program.d"), &list, 100);
        write(&path("a.rs"), "", 99);
        write(&source, "", 100);
        write(&written, "", 101);
        assert_eq!(age(&program).unwrap(), Age::Current);
        write(&source, "", 101);
        assert_eq!(age(&program).unwrap(), Age::OlderThan(source));
    }
}
