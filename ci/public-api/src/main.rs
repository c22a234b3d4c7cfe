//! Compares the public API of each crate with its snapshot in `snapshots`. A change that callers notice belongs in
//! CHANGELOG.md. To update the snapshots:
//!
//! ```sh
//! UPDATE_PUBLIC_API=1 ci/public-api/check
//! ```

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, ensure};

const PACKAGES: [&str; 7] = [
    "seedance-archiver-archive",
    "seedance-archiver-clock",
    "seedance-archiver-policy",
    "seedance-archiver-proto",
    "seedance-archiver-seedance",
    "seedance-archiver-workflows",
    "seedance-archiver",
];

fn main() -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for package in PACKAGES {
        let differences = compare(package).with_context(|| package.to_owned())?;
        if !differences.is_empty() {
            eprintln!(
                "the public API of {package} has changed; to update the snapshot, run \
                 `UPDATE_PUBLIC_API=1 ci/public-api/check`:\n{}",
                differences.join("\n")
            );
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

/// Returns the lines in which the public API of a crate differs from its snapshot.
fn compare(package: &str) -> anyhow::Result<Vec<String>> {
    let api = public_api::Builder::from_rustdoc_json(rustdoc_json(package)?)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?
        .to_string();
    let path = here().join(format!("snapshots/{package}.txt"));
    if std::env::var_os("UPDATE_PUBLIC_API").is_some() {
        std::fs::write(&path, &api)?;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    Ok(lines_only_in(&committed, &api, '-')
        .chain(lines_only_in(&api, &committed, '+'))
        .collect())
}

/// Generates the rustdoc JSON of a crate, and returns its path. Only rustdoc runs with unstable flags, so that
/// dependencies are not compiled again.
fn rustdoc_json(package: &str) -> anyhow::Result<PathBuf> {
    let root = here().join("../..");
    let output = Command::new("cargo")
        .current_dir(&root)
        .args(["rustdoc", "--locked", "--lib", "--package", package])
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", here().join("rustdoc"))
        .output()
        .context("cannot run cargo")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo rustdoc failed: {errors}");
    let directory =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(directory.join(format!("doc/{}.json", package.replace('-', "_"))))
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the lines of `text` that are not in `other`, each with a prefix.
fn lines_only_in<'a>(
    text: &'a str,
    other: &'a str,
    prefix: char,
) -> impl Iterator<Item = String> + 'a {
    let other_lines: HashSet<_> = other.lines().collect();
    text.lines()
        .filter(move |line| !other_lines.contains(line))
        .map(move |line| format!("{prefix}{line}"))
}
