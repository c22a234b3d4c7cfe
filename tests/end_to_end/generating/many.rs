//! Many submissions, with faults at random, and workers that are killed: none is billed twice, and no task is lost.
//!
//! `RUNS=1000 SEED=7 cargo test --test end_to_end generating::many` repeats a run of that size.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use seedance_archiver::{config::Account, seedance::RateLimit};
use seedance_archiver_proto::v1::{GenerateVideoRequest, GenerateVideoResult};
use seedance_archiver_simulator::CreateFault;
use tempfile::TempDir;
use temporalio_client::WorkflowDescribeOptions;
use tokio::process::Child;

use super::call::{Generation, result, start, with_identifier};
use crate::harness::{Fixture, HOUR, Server, register, until_async};

/// Requests a second, of the account and of the simulator.
const RATE: f64 = 100.0;
/// Calls of Temporal at once.
const CONCURRENCY: usize = 16;

async fn no_submission_is_billed_twice_and_no_task_is_lost(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    // Submissions of other tests could be mistaken for those of this one.
    let server = server.with_new_namespace().await?;
    let runs = number("RUNS")?.unwrap_or(24);
    let mut random = fastrand::Rng::with_seed(number("SEED")?.unwrap_or(7));
    let fixture = Fixture::with(
        &server,
        |simulator| simulator.query_rate(RATE).list_rate(RATE),
        |account: &mut Account| {
            account.endpoint.query_limit = RateLimit::per_second(RATE);
            account.endpoint.list_limit = RateLimit::per_second(RATE);
        },
    )
    .await?;
    // Some requests are sent again, so there are more of them than submissions.
    let faults = (0..4 * runs).map(|_| random_fault(&mut random));
    fixture.simulator.add_create_faults(faults);
    let accounts = accounts_file(&fixture)?;

    let mut worker = spawn_worker(&server, &fixture, &accounts)?;
    let requests = (0..runs).map(numbered);
    let generations: Vec<_> = stream::iter(requests)
        .map(|request| start(&server, &fixture, request))
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    for part in [4, 2] {
        until_created(&fixture, runs as usize / (2 * part)).await?;
        worker.kill().await?;
        worker = spawn_worker(&server, &fixture, &accounts)?;
    }
    until_settled(&generations).await?;
    worker.kill().await?;

    let results = fixture
        .with_worker(&server, async {
            until_settled(&generations).await?;
            fixture.advance_clock(HOUR).await;
            let results = stream::iter(&generations).map(result).buffered(CONCURRENCY);
            results.try_collect::<Vec<_>>().await
        })
        .await?;
    check(&fixture, &results)
}
register!(
    no_submission_is_billed_twice_and_no_task_is_lost,
    takes_long
);

fn number(variable: &str) -> anyhow::Result<Option<u64>> {
    let value = std::env::var(variable).ok();
    let number = value.map(|value| value.parse()).transpose();
    number.with_context(|| variable.to_owned())
}

fn random_fault(random: &mut fastrand::Rng) -> Option<CreateFault> {
    let retry_after = random.bool().then_some(1);
    let faults = [
        CreateFault::LostRequest,
        CreateFault::LostAnswer,
        CreateFault::ErrorBefore,
        CreateFault::ErrorAfter,
        CreateFault::Garbage,
        CreateFault::RateLimited { retry_after },
        CreateFault::NoBackend,
    ];
    // Two of three requests succeed: each failure in a row doubles the time that its submission waits.
    let index = random.usize(0..3 * faults.len());
    faults.get(index).copied()
}

/// Returns the request of a submission. Its prompt has its number, and every second one has a safety identifier.
fn numbered(number: u64) -> GenerateVideoRequest {
    let name = format!("run-{number}");
    let identifier = if number.is_multiple_of(2) {
        ""
    } else {
        name.as_str()
    };
    GenerateVideoRequest {
        submission_id: name.clone(),
        report_only: true,
        ..with_identifier(&name, identifier)
    }
}

fn accounts_file(fixture: &Fixture) -> anyhow::Result<TempDir> {
    let directory = tempfile::tempdir()?;
    let accounts = format!(
        "[accounts.default]\nbase_url = \"{}\"\napi_key = \"{}\"\n\
         limits = {{ queries_per_second = {RATE}, lists_per_second = {RATE} }}\n",
        fixture.simulator.base_url(),
        fixture.simulator.api_key()
    );
    std::fs::write(directory.path().join("accounts.toml"), accounts)?;
    Ok(directory)
}

fn spawn_worker(server: &Server, fixture: &Fixture, accounts: &TempDir) -> anyhow::Result<Child> {
    let path = accounts.path().join("accounts.toml");
    let path = path.to_str().context("the path is not UTF-8")?;
    let variables = [
        ("SEEDANCE_ACCOUNTS_FILE", path),
        ("SEEDANCE_API_KEY", ""),
        ("SEEDANCE_BASE_URL", ""),
    ];
    fixture.spawn_worker_with(server, &variables)
}

async fn until_created(fixture: &Fixture, count: usize) -> anyhow::Result<()> {
    until_async("tasks were created", || async {
        Ok(fixture.simulator.task_ids().len() >= count)
    })
    .await
}

/// Waits until no request is on the way: each workflow has ended, waits for its video, or for the task of an unanswered
/// request. Otherwise the clock would jump between a request and its task.
async fn until_settled(generations: &[Generation]) -> anyhow::Result<()> {
    for generation in generations {
        until_async("no request is on the way", || async {
            let description = generation.describe(WorkflowDescribeOptions::default());
            let description = description.await?;
            let mut activities = description.raw().pending_activities.iter();
            Ok(activities.all(|activity| {
                let failure = activity.last_failure.as_ref();
                activity.activity_id == "await"
                    || failure.is_some_and(|it| it.message.contains("waiting for the task"))
            }))
        })
        .await?;
    }
    Ok(())
}

fn check(fixture: &Fixture, results: &[GenerateVideoResult]) -> anyhow::Result<()> {
    let mut billed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for id in fixture.simulator.task_ids() {
        billed.entry(prompt_of(fixture, &id)).or_default().push(id);
    }
    let twice: Vec<_> = billed.iter().filter(|(_, ids)| ids.len() > 1).collect();
    ensure!(twice.is_empty(), "billed twice: {twice:?}");

    let mut named = BTreeSet::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for result in results {
        let submission = result.submission.clone().unwrap_or_default();
        let how = match submission.submission_ambiguous {
            true => "ambiguous",
            false => match submission.learned_from.as_str() {
                "answer" => "answer",
                _ => "list",
            },
        };
        *counts.entry(how).or_default() += 1;
        named.extend(submission.candidates);
        if !submission.submission_ambiguous {
            ensure!(result.outcome == "archived", "{result:?}");
            let prompt = prompt_of(fixture, &result.task_id);
            ensure!(prompt == submission.submission_id, "{prompt}: {result:?}");
            named.insert(result.task_id.clone());
        }
    }
    let created: BTreeSet<_> = fixture.simulator.task_ids().into_iter().collect();
    let lost: Vec<_> = created.difference(&named).collect();
    ensure!(lost.is_empty(), "neither archived nor named: {lost:?}");
    eprintln!(
        "{} submissions, {} tasks, none billed twice, none lost: {counts:?}",
        results.len(),
        created.len()
    );
    Ok(())
}

fn prompt_of(fixture: &Fixture, task_id: &str) -> String {
    let content = fixture.simulator.request_field(task_id, "content");
    let text = content.unwrap_or_default()[0]["text"].clone();
    text.as_str().unwrap_or_default().to_owned()
}
