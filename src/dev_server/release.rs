//! The releases of the Temporal CLI: the one that is downloaded, pinned by the digests of its archives, and the one that
//! is built.

use std::env::consts::{ARCH, OS};

/// The version that is downloaded. Its server and Web UI have the versions in `docker-compose.yml`; `ci/lint` checks that.
pub(super) const NEWEST: &str = "v1.9.1";

/// The last version that Go can build from published modules: later ones need a module of the repository that is not.
pub(super) const BUILDABLE: &str = "v1.5.1";

/// The version of SQLite's driver for [`BUILDABLE`]. With the one that it names, v1.34.1, a request that is cancelled in
/// an unlucky moment leaves a statement open, and then every later statement fails with `interrupted (9)` until the server
/// ends. The more the machine has to do, the more probable that is.
pub(super) const SQLITE: &str = "v1.51.0";

/// The archives, with their SHA-256 as in the `checksums.txt` of the release.
const ARCHIVES: [Archive; 4] = [
    Archive {
        os: "linux",
        arch: "x86_64",
        platform: "linux",
        architecture: "amd64",
        sha256: "09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5",
    },
    Archive {
        os: "linux",
        arch: "aarch64",
        platform: "linux",
        architecture: "arm64",
        sha256: "6c57c352d52fc3df34412376fd9ba6f74b7e3ace8e426e6cba8600156d36a145",
    },
    Archive {
        os: "macos",
        arch: "x86_64",
        platform: "darwin",
        architecture: "amd64",
        sha256: "48cdd6c84c56e27ae8e4d9a47052b89289a9c552dee029b49dd312c6fb72873f",
    },
    Archive {
        os: "macos",
        arch: "aarch64",
        platform: "darwin",
        architecture: "arm64",
        sha256: "41e0425378fcb4fb5766340b97435e20fe47bbff2d7bf644ec2d51f7662b7c56",
    },
];

/// The archive of the release for one kind of machine.
#[derive(Debug)]
pub(super) struct Archive {
    /// As in [`OS`].
    os: &'static str,
    /// As in [`ARCH`].
    arch: &'static str,
    /// Name of the operating system in the release.
    pub(super) platform: &'static str,
    /// Name of the architecture in the release.
    pub(super) architecture: &'static str,
    /// SHA-256 of the archive, in hexadecimal.
    pub(super) sha256: &'static str,
}

impl Archive {
    /// Returns the archive for this machine.
    ///
    /// # Errors
    ///
    /// Returns an error if the project has no digest for this kind of machine.
    pub(super) fn for_this_machine() -> Result<&'static Self, String> {
        let archive = ARCHIVES.iter().find(|it| (it.os, it.arch) == (OS, ARCH));
        archive.ok_or_else(|| format!("no digest is known for {OS} on {ARCH}"))
    }
}

/// Returns the file name of the program in the cache. It contains the digest, so that only a program from a verified
/// archive has it. Version 0.1.0 used `temporal-v1.9.1` for a program that was not verified.
pub(super) fn file_name() -> String {
    let digest = Archive::for_this_machine().map_or("unverified", |archive| archive.sha256);
    format!("temporal-{NEWEST}-{digest:.12}")
}

/// Returns the file name in the cache of the program that was built. It names the driver, because version 0.1.0 left
/// `temporal-v1.5.1` there, which has the old one.
pub(super) fn built_file_name() -> String {
    format!("temporal-{BUILDABLE}-sqlite-{SQLITE}")
}
