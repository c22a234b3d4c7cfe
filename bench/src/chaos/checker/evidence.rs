//! What is read before the server is stopped: histories, metrics and logs.

use std::{fs, path::PathBuf, time::SystemTime};

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use prost::Message;
use temporalio_client::{Client, WorkflowListOptions};
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent;

use super::{Row, secrets};
use crate::{
    chaos::{
        faults::Period,
        parts::{Exit, Incarnation},
        plan::Fault,
    },
    history,
};

const CONCURRENCY: usize = 8;

/// A run of a workflow.
#[derive(Clone, Debug)]
pub(in crate::chaos) struct Run {
    pub(in crate::chaos) workflow_id: String,
    pub(in crate::chaos) events: Vec<HistoryEvent>,
}

pub(in crate::chaos) struct Evidence {
    pub(in crate::chaos) runs: Vec<Run>,
    pub(in crate::chaos) incarnations: Vec<Incarnation>,
    /// The worker processes that exited by themselves.
    pub(in crate::chaos) exits: Vec<Exit>,
    /// The faults that happened.
    pub(in crate::chaos) faults: Vec<Fault>,
    /// When they happened.
    pub(in crate::chaos) periods: Vec<Period>,
    /// When the last one had ended, and the last video was created.
    pub(in crate::chaos) ended_at: Option<SystemTime>,
    /// The last metrics of each process.
    pub(in crate::chaos) metrics: Vec<String>,
    pub(in crate::chaos) printed_by_clean: Vec<u8>,
    /// Where MinIO keeps incomplete multipart uploads.
    pub(in crate::chaos) multipart_directory: PathBuf,
}

/// Reads the histories of all workflows.
pub(in crate::chaos) async fn histories(client: &Client) -> anyhow::Result<Vec<Run>> {
    let found = client.list_workflows("", WorkflowListOptions::default());
    let found: Vec<_> = found.try_collect().await.context("cannot list workflows")?;
    let runs = stream::iter(found)
        .map(async |workflow| {
            let (id, run_id) = (workflow.id().to_owned(), workflow.run_id());
            let events = history::events(client, &id, Some(run_id)).await?;
            anyhow::Ok(Run {
                workflow_id: id,
                events,
            })
        })
        .buffer_unordered(CONCURRENCY);
    runs.try_collect().await
}

impl Evidence {
    /// Looks for secrets and panics.
    pub(super) fn check(&self, secrets: &secrets::Finder) -> anyhow::Result<Vec<Row>> {
        let mut logs = Vec::new();
        let mut panics = Vec::new();
        for incarnation in &self.incarnations {
            let name = incarnation.log.display();
            let log = fs::read(&incarnation.log);
            let log = log.with_context(|| format!("cannot read {name}"))?;
            for line in log.split(|byte| *byte == b'\n') {
                if let Some(secret) = secrets.find(line) {
                    logs.push(format!("`{secret}` in {name}"));
                }
                if is_panic(line) {
                    panics.push(format!("{name}: {}", String::from_utf8_lossy(line)));
                }
            }
        }
        Ok(vec![
            Row::none_of("secrets in histories", self.secrets_in_histories(secrets)),
            Row::none_of("secrets in logs", logs),
            Row::none_of("secrets in metrics", self.secrets_in_metrics(secrets)),
            Row::none_of(
                "secrets in the output of `clean`",
                secrets.find(&self.printed_by_clean).into_iter().collect(),
            ),
            Row::none_of("panics of workers", panics),
        ])
    }

    fn secrets_in_histories(&self, secrets: &secrets::Finder) -> Vec<String> {
        let in_run = |run: &Run| {
            let events = run.events.iter();
            let found = events.filter_map(|event| {
                let secret = secrets.find(&event.encode_to_vec())?;
                Some(format!(
                    "`{secret}` in event {} of {}",
                    event.event_id, run.workflow_id
                ))
            });
            found.collect::<Vec<_>>()
        };
        self.runs.iter().flat_map(in_run).collect()
    }

    fn secrets_in_metrics(&self, secrets: &secrets::Finder) -> Vec<String> {
        let found = self
            .metrics
            .iter()
            .filter_map(|page| secrets.find(page.as_bytes()));
        found.map(|secret| format!("`{secret}`")).collect()
    }
}

fn is_panic(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    line.contains("panicked at")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::{
        checker::testing::{completed_run, process},
        world::AllSecrets,
    };

    const WORD: &str = "called-first-key-0000000000000007-chaos";

    /// Returns the counts of a check of this text in a history, a log, a page of metrics and the output of `clean`.
    fn counts(history: &str, log: &str, metrics: &str, printed: &str) -> Vec<u64> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, log).unwrap();
        let run = completed_run("video-task/called/cgt-1".into(), "json/plain", history);
        let evidence = Evidence {
            runs: vec![run],
            incarnations: vec![Incarnation {
                log: file.path().to_owned(),
                ..process(0, 7)
            }],
            exits: Vec::new(),
            faults: Vec::new(),
            periods: Vec::new(),
            ended_at: None,
            metrics: vec![metrics.to_owned()],
            printed_by_clean: printed.as_bytes().to_vec(),
            multipart_directory: PathBuf::new(),
        };
        let secrets = secrets::Finder::new(AllSecrets {
            words: vec![WORD.to_owned()],
            ..AllSecrets::default()
        });
        let rows = evidence.check(&secrets).unwrap();
        rows.iter().map(|row| row.count).collect()
    }

    #[test]
    fn a_secret_or_a_panic_is_found_wherever_it_is() {
        let secret = format!("key {WORD}");
        assert_eq!(counts("", "", "", ""), [0, 0, 0, 0, 0]);
        assert_eq!(counts(&secret, "", "", ""), [1, 0, 0, 0, 0]);
        let lines = format!("a\n{secret}\nb");
        assert_eq!(counts("", &lines, "", ""), [0, 1, 0, 0, 0]);
        assert_eq!(counts("", "", &secret, ""), [0, 0, 1, 0, 0]);
        assert_eq!(counts("", "", "", &secret), [0, 0, 0, 1, 0]);
        let panic = "thread 'main' panicked at src/main.rs:1:1:";
        assert_eq!(counts("", panic, "", ""), [0, 0, 0, 0, 1]);
    }
}
