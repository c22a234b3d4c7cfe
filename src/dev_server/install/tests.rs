use std::{fs::File, sync::Mutex, time::SystemTime};

use tempfile::TempDir;

use super::*;

/// What a source does.
#[derive(Clone, Copy)]
enum Behavior {
    Succeed,
    Fail,
    /// Puts a file into the directory that is not a program.
    Break,
    /// Puts a file into the directory, and never returns.
    Hang,
}

/// Sources with configured results. They record the calls.
struct Fake {
    download: Behavior,
    build: Behavior,
    calls: Mutex<Vec<String>>,
}

impl Fake {
    fn new(download: Behavior, build: Behavior) -> Self {
        Self {
            download,
            build,
            calls: Mutex::default(),
        }
    }

    async fn run(
        &self,
        behavior: Behavior,
        call: String,
        directory: &Path,
    ) -> Result<PathBuf, String> {
        self.calls.lock().unwrap().push(call);
        let program = directory.join("program");
        match behavior {
            Behavior::Fail => return Err("refused".to_owned()),
            Behavior::Succeed => write_program(&program),
            Behavior::Break => std::fs::write(&program, "half of a program").unwrap(),
            Behavior::Hang => {
                std::fs::write(&program, "half of a program").unwrap();
                std::future::pending().await
            }
        }
        Ok(program)
    }
}

impl Sources for Fake {
    async fn download(&self, directory: &Path) -> Result<PathBuf, String> {
        self.run(self.download, format!("download {NEWEST}"), directory)
            .await
    }

    async fn build(&self, directory: &Path, _: &Notify<'_>) -> Result<PathBuf, String> {
        self.run(self.build, "build".to_owned(), directory).await
    }
}

/// Writes a program that succeeds. Another process writes it, because a program cannot be run while a thread of
/// this process forks with the file open for writing.
fn write_program(path: &Path) {
    let script = "echo '#!/bin/sh' >\"$0\" && chmod +x \"$0\"";
    let mut command = std::process::Command::new("sh");
    let status = command.args(["-c", script]).arg(path).status();
    assert!(status.unwrap().success());
}

/// A cache directory and its sources.
struct Setup {
    cache: TempDir,
    sources: Fake,
}

impl Setup {
    fn new(download: Behavior, build: Behavior) -> Self {
        Self {
            cache: tempfile::tempdir().unwrap(),
            sources: Fake::new(download, build),
        }
    }

    fn with_program(self, name: &str) -> Self {
        write_program(&self.path(name));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.cache.path().join(name)
    }

    /// Returns the name of the installed program.
    async fn install(&self) -> Result<String, Vec<String>> {
        let installed = install(self.cache.path(), &self.sources, &|_| {}).await?;
        assert!(
            check(&installed).await.is_ok(),
            "{installed:?} does not run"
        );
        Ok(installed.file_name().unwrap().display().to_string())
    }

    fn calls(&self) -> Vec<String> {
        self.sources.calls.lock().unwrap().clone()
    }

    /// Returns the names of the files in the cache.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.cache).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().display().to_string());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn the_newest_version_in_the_cache_is_used() {
    let setup = Setup::new(Behavior::Fail, Behavior::Fail);
    let setup = setup
        .with_program(&release::built_file_name())
        .with_program(&release::file_name());
    assert_eq!(setup.install().await.unwrap(), release::file_name());
    assert_eq!(setup.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn the_newest_version_is_downloaded_and_kept() {
    let setup =
        Setup::new(Behavior::Succeed, Behavior::Fail).with_program(&release::built_file_name());
    for _ in 0..2 {
        assert_eq!(setup.install().await.unwrap(), release::file_name());
    }
    assert_eq!(setup.calls(), ["download v1.9.1"]);
    assert_eq!(
        setup.files(),
        [release::built_file_name(), release::file_name()]
    );
}

#[tokio::test]
async fn a_program_that_was_not_verified_is_not_used() {
    let setup = Setup::new(Behavior::Succeed, Behavior::Fail);
    // As version 0.1.0 downloaded it.
    let setup = setup.with_program(&format!("temporal-{NEWEST}"));
    assert_eq!(setup.install().await.unwrap(), release::file_name());
    assert_eq!(setup.calls(), ["download v1.9.1"]);
}

#[tokio::test]
async fn without_a_download_the_version_built_before_is_used() {
    let setup =
        Setup::new(Behavior::Fail, Behavior::Fail).with_program(&release::built_file_name());
    assert_eq!(setup.install().await.unwrap(), release::built_file_name());
    assert_eq!(setup.calls(), ["download v1.9.1"]);
}

#[tokio::test]
async fn a_program_with_the_faulty_driver_of_sqlite_is_not_used() {
    let setup = Setup::new(Behavior::Fail, Behavior::Succeed).with_program("temporal-v1.5.1");
    assert_eq!(setup.install().await.unwrap(), release::built_file_name());
    assert_eq!(setup.calls(), ["download v1.9.1", "build"]);
}

#[tokio::test]
async fn without_a_download_the_last_buildable_version_is_built() {
    let setup = Setup::new(Behavior::Fail, Behavior::Succeed);
    assert_eq!(setup.install().await.unwrap(), release::built_file_name());
    assert_eq!(setup.calls(), ["download v1.9.1", "build"]);
    assert_eq!(setup.files(), [release::built_file_name()]);
}

#[tokio::test]
async fn a_broken_program_does_not_stay_in_the_cache() {
    let setup = Setup::new(Behavior::Break, Behavior::Break);
    let errors = setup.install().await.unwrap_err();
    assert_eq!(setup.files(), Vec::<String>::new());
    let [download, build] = errors.try_into().unwrap();
    let start = "download: cannot download the Temporal CLI v1.9.1: the program does not run: ";
    assert!(download.starts_with(start), "{download}");
    let start = "`go build`: the program does not run: ";
    assert!(build.starts_with(start), "{build}");
}

#[tokio::test]
async fn a_broken_program_in_the_cache_is_replaced() {
    let setup = Setup::new(Behavior::Succeed, Behavior::Fail);
    std::fs::write(setup.path(&release::file_name()), "half of a program").unwrap();
    assert_eq!(setup.install().await.unwrap(), release::file_name());
}

#[tokio::test]
async fn an_interrupted_download_does_not_stay_in_the_cache() {
    let setup = Setup::new(Behavior::Hang, Behavior::Fail);
    let interrupted = tokio::select! {
        biased;
        _ = setup.install() => false,
        () = std::future::ready(()) => true,
    };
    assert!(interrupted);
    assert_eq!(setup.calls(), ["download v1.9.1"]);
    assert_eq!(setup.files(), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_killed_process_left_behind_is_removed() {
    let setup = Setup::new(Behavior::Fail, Behavior::Succeed);
    let [old, new] = ["incomplete-old", "incomplete-new"].map(|name| setup.cache.path().join(name));
    std::fs::create_dir(&old).unwrap();
    std::fs::create_dir(&new).unwrap();
    std::fs::write(old.join("temporal-v1.9.1.downloading"), "half of a program").unwrap();
    let old = File::open(old).unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    setup.install().await.unwrap();
    assert_eq!(
        setup.files(),
        ["incomplete-new", &release::built_file_name()]
    );
}
