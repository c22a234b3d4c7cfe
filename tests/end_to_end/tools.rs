//! Tools beyond Rust and Temporal that some tests need.

#[path = "../support/tools.rs"]
mod shared;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

pub(crate) use shared::{Missing, all_are_required, installed, minio};

/// A Python that has ByteDance's client.
pub(crate) fn python_with_ark() -> Result<PathBuf, Missing> {
    let candidates = [installed("ark/bin/python"), PathBuf::from("python3")];
    let has_client = |python: &PathBuf| {
        Command::new(python)
            .args(["-c", "import volcenginesdkarkruntime"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    candidates
        .into_iter()
        .find(has_client)
        .ok_or(Missing("no Python with `volcengine-ark-runtime`"))
}

/// The driver of Debian's Chromium.
pub(crate) fn chromedriver() -> Result<PathBuf, Missing> {
    which::which("chromedriver").map_err(|_| Missing("no `chromedriver`"))
}

/// An example in another language.
#[derive(Clone, Copy)]
pub(crate) enum Example {
    Python,
    Go,
    TypeScript,
    Java,
}

impl Example {
    pub(crate) const ALL: [Self; 4] = [Self::Python, Self::Go, Self::TypeScript, Self::Java];

    pub(crate) fn language(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Go => "go",
            Self::TypeScript => "typescript",
            Self::Java => "java",
        }
    }

    /// What it is run by, and with what before its own arguments.
    fn program(self) -> (PathBuf, Vec<PathBuf>) {
        match self {
            Self::Python => (
                installed("examples/python/bin/python"),
                vec!["-m".into(), "archive_example".into()],
            ),
            Self::Go => (installed("examples/go"), Vec::new()),
            Self::TypeScript => (
                "node".into(),
                vec![in_repository("examples/typescript/lib/main.js")],
            ),
            Self::Java => (
                "java".into(),
                vec![
                    "-jar".into(),
                    in_repository("examples/java/target/archive-example-0.1.0.jar"),
                ],
            ),
        }
    }

    pub(crate) fn command(self) -> tokio::process::Command {
        let (program, arguments) = self.program();
        let mut command = tokio::process::Command::new(program);
        command.args(arguments);
        command
    }

    pub(crate) fn is_here(self) -> Result<(), Missing> {
        let (program, arguments) = self.program();
        let built = arguments.last().filter(|path| path.is_absolute());
        if built.unwrap_or(&program).is_file() {
            return Ok(());
        }
        Err(Missing(match self {
            Self::Python | Self::Go => "the example is not built",
            Self::TypeScript | Self::Java => "the example is not built: `ci/tools all` does it",
        }))
    }
}

/// A file of the repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A tool and whether it is here, apart.
pub(crate) fn split<T: Default, E>(found: Result<T, E>) -> (Result<(), E>, T) {
    match found {
        Ok(tool) => (Ok(()), tool),
        Err(missing) => (Err(missing), T::default()),
    }
}
