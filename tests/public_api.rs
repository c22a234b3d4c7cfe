//! Snapshots of the public API of each crate: `tests/public_api/*.txt`. A change that callers notice belongs in
//! CHANGELOG.md. To update the snapshots:
//!
//! ```sh
//! UPDATE_PUBLIC_API=1 cargo test --test public_api
//! ```

#![allow(clippy::unwrap_used)]

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::Command,
};

/// Generates the rustdoc JSON of a crate, and returns its path. Only rustdoc runs with unstable flags, so that
/// dependencies are not compiled again.
fn rustdoc_json(package: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["rustdoc", "--locked", "--lib", "--package", package])
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", root.join("tests/public_api/rustdoc"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let directory =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    directory.join(format!("doc/{}.json", package.replace('-', "_")))
}

/// Compares the public API of a crate with its snapshot.
fn check(package: &str) {
    let api = public_api::Builder::from_rustdoc_json(rustdoc_json(package))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .unwrap()
        .to_string();
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/public_api/{package}.txt"));
    if std::env::var_os("UPDATE_PUBLIC_API").is_some() {
        std::fs::write(&path, &api).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differences: Vec<_> = lines_only_in(&committed, &api, '-')
        .chain(lines_only_in(&api, &committed, '+'))
        .collect();
    assert!(
        differences.is_empty(),
        "the public API of {package} has changed; to update the snapshot, run \
         `UPDATE_PUBLIC_API=1 cargo test --test public_api`:\n{}",
        differences.join("\n")
    );
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

/// One test, because parallel builds would wait for the lock of the target directory.
#[test]
fn the_public_api_is_that_of_the_snapshots() {
    for package in [
        "seedance-archiver-archive",
        "seedance-archiver-policy",
        "seedance-archiver-proto",
        "seedance-archiver-seedance",
        "seedance-archiver-workflows",
        "seedance-archiver",
    ] {
        check(package);
    }
}
