//! Secrets in the logs of servers, and in the standard outputs of workers. The other logs of workers are evidence.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{Row, files, secrets::Finder};
use crate::chaos::parts::{Incarnation, Part};

/// What must not be in which logs.
pub(super) struct Secrets<'a> {
    pub(super) of_workers: &'a Finder,
    /// Without the password of the store, which may log it.
    pub(super) of_servers: &'a Finder,
}

/// Searches all logs below a directory.
pub(super) fn check(
    directory: &Path,
    processes: &[Incarnation],
    secrets: &Secrets<'_>,
) -> anyhow::Result<[Row; 2]> {
    let outputs: BTreeSet<_> = processes
        .iter()
        .map(|it| Part::output_of(&it.log))
        .collect();
    let logs: BTreeSet<_> = processes.iter().map(|it| it.log.clone()).collect();
    let all = files::below(directory, |name| name.ends_with(".log"));
    let all = all.with_context(|| format!("cannot read {}", directory.display()))?;
    let is_of_worker = |file: &PathBuf| logs.contains(file) || outputs.contains(file);
    let of_servers: Vec<_> = all.iter().filter(|file| !is_of_worker(file)).collect();
    let mut findings = Vec::new();
    for file in &outputs {
        findings.extend(search(file, secrets.of_workers)?);
    }
    for file in &of_servers {
        findings.extend(search(file, secrets.of_servers)?);
    }
    let count = outputs.len() + of_servers.len();
    Ok([
        Row::none_of("secrets in logs of servers and in outputs", findings),
        Row::of("logs of servers and outputs that were read", count as u64),
    ])
}

/// Returns the secrets in a log.
fn search(file: &Path, secrets: &Finder) -> anyhow::Result<Vec<String>> {
    let name = file.display();
    let failed = || format!("cannot read {name}");
    let log = File::open(file).with_context(failed)?;
    let mut found = Vec::new();
    for line in BufReader::new(log).split(b'\n') {
        let secret = secrets.find(&line.with_context(failed)?);
        found.extend(secret.map(|it| format!("`{it}` in {name}")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::{fs, time::SystemTime};

    use super::*;
    use crate::{chaos::world::AllSecrets, minio::PASSWORD};

    const KEY: &str = "called-first-key-0000000000000007-chaos";

    fn finder(words: &[&str]) -> Finder {
        Finder::new(AllSecrets {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            ..AllSecrets::default()
        })
    }

    /// Returns the counts of a run in which a file has a content.
    fn counts(file: &str, content: &str) -> [u64; 2] {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("tmp.1")).unwrap();
        for log in ["worker-0.1.log", "worker-0.1.out.log", "Temporal.1.out.log"] {
            fs::write(path(log), "started\n").unwrap();
        }
        fs::write(path(file), content).unwrap();
        let process = Incarnation {
            worker: 0,
            pid: 7,
            change: None,
            started_at: SystemTime::UNIX_EPOCH,
            log: path("worker-0.1.log"),
            counted: None,
        };
        let secrets = Secrets {
            of_workers: &finder(&[KEY, PASSWORD]),
            of_servers: &finder(&[KEY]),
        };
        let rows = check(directory.path(), &[process], &secrets).unwrap();
        rows.map(|row| row.count)
    }

    #[test]
    fn a_key_is_found_in_every_log_that_is_no_evidence() {
        let content = format!("a\nkey {KEY}\nb\n");
        for (file, expected) in [
            ("worker-0.1.log", [0, 2]),
            ("worker-0.1.out.log", [1, 2]),
            ("Temporal.1.log", [1, 3]),
            ("Temporal.1.out.log", [1, 2]),
            ("PostgreSQL.2.log", [1, 3]),
            ("MinIO.1.log", [1, 3]),
            ("tmp.1/initdb.log", [1, 3]),
            ("accounts-0-first.toml", [0, 2]),
        ] {
            assert_eq!(counts(file, &content), expected, "{file}");
        }
    }

    #[test]
    fn only_a_server_may_log_the_password_of_the_store() {
        let content = format!("RootPass: {PASSWORD}");
        assert_eq!(counts("MinIO.1.log", &content)[0], 0);
        assert_eq!(counts("worker-0.1.out.log", &content)[0], 1);
    }
}
