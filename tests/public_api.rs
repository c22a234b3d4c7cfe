//! What callers in Rust can rely on, as lists that are committed: `tests/public_api/*.txt`. A change of them is
//! a change for callers, and says so in CHANGELOG.md. To take it over:
//!
//! ```sh
//! UPDATE_PUBLIC_API=1 cargo test --test public_api
//! ```

#![allow(clippy::unwrap_used)]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Describes a crate as rustdoc does, in JSON: a flag that is unstable, and asked of rustdoc alone, so that
/// nothing else is built again.
fn describe(package: &str) -> PathBuf {
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

fn check(package: &str) {
    let api = public_api::Builder::from_rustdoc_json(describe(package))
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
    let differs: Vec<_> = lines_only_in(&committed, &api, '-')
        .chain(lines_only_in(&api, &committed, '+'))
        .collect();
    assert!(
        differs.is_empty(),
        "the public API of {package} has changed; to take it over, run \
         `UPDATE_PUBLIC_API=1 cargo test --test public_api`:\n{}",
        differs.join("\n")
    );
}

fn lines_only_in<'a>(
    these: &'a str,
    those: &'a str,
    mark: char,
) -> impl Iterator<Item = String> + 'a {
    let known: std::collections::HashSet<_> = those.lines().collect();
    these
        .lines()
        .filter(move |line| !known.contains(line))
        .map(move |line| format!("{mark}{line}"))
}

/// In one test, because they are built in one place.
#[test]
fn what_callers_rely_on_stays() {
    for package in [
        "seedance-archiver-proto",
        "seedance-archiver-workflows",
        "seedance-archiver",
    ] {
        check(package);
    }
}
