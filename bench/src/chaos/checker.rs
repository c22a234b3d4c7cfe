//! Checks what a run left behind. It shares no code with the archiver's own verification: it reads the bucket, the
//! histories, the metrics and the logs, and compares them with what the simulator served.

mod activities;
mod archive;
mod callers;
mod completions;
mod counts;
mod early;
mod effects;
mod endings;
mod evidence;
mod files;
mod identities;
mod idle;
mod late;
mod lifecycles;
mod logs;
mod metadata;
mod metrics;
mod objects;
mod outcomes;
mod places;
mod processes;
mod rates;
mod receipts;
mod report;
mod secrets;
#[cfg(test)]
mod testing;
mod timeouts;
mod unclosed;
mod uploads;
mod workflows;

pub(super) use archive::Archive;
pub(super) use evidence::{Evidence, Run, histories};
pub(super) use places::Places;
pub(super) use report::{Report, Row};

use anyhow::Context;

use super::{
    parts::Links,
    plan::Account,
    world::{Task, World},
};

/// Checks everything.
pub(super) async fn check(
    world: &World,
    archives: &[Archive],
    evidence: &Evidence,
    places: &Places,
    links: &Links,
) -> anyhow::Result<Report> {
    let tasks = world.tasks();
    let other_version = identities::of_other_version(&evidence.incarnations);
    let endings = endings::of_tasks(&tasks, &evidence.runs, &other_version);
    let handed_out = world.all_secrets();
    let signatures = handed_out.signatures.len() as u64;
    let secrets = secrets::Finder::new(handed_out);
    let mut report = Report::default();
    let was_returned = |task: &Task| world.was_returned(task);
    report.add_all(lifecycles::check(&tasks, &endings, was_returned));
    report.add_all(callers::check(
        &tasks,
        &evidence.runs,
        &endings,
        &other_version,
    ));
    report.add(workflows::last_close(&tasks, evidence));
    report.add_all(workflows::check(&tasks, &evidence.runs, &other_version));
    report.add(unclosed::check(&tasks, &evidence.runs));
    report.add(timeouts::check(
        &evidence.runs,
        &evidence.incarnations,
        &evidence.periods,
    ));
    let receipts = receipts::of_tasks(&tasks, &evidence.runs);
    let basis = objects::Basis {
        world,
        endings: &endings,
        receipts: &receipts,
        secrets: &secrets,
        links,
        has_other_version: !other_version.is_empty(),
    };
    let found = objects::check(&basis, archives, &tasks).await;
    report.add_all(found.context("cannot read the archives")?);
    report.add_all(uploads::check(&evidence.multipart_directory));
    report.add_all(metrics::check(&endings, &evidence.incarnations));
    report.add(counts::check(
        &tasks,
        &evidence.runs,
        &evidence.incarnations,
        &other_version,
    ));
    report.add_all(processes::check(evidence));
    report.add(idle::check(
        &evidence.runs,
        &evidence.incarnations,
        &evidence.periods,
    ));
    let lists = world.simulator(Account::Automatic).lists();
    report.add(effects::check(&tasks, evidence, lists)?);
    let knows_no_window =
        |task: &Task| task.has_no_times() || lifecycles::is_unseen(task, &endings);
    let outside = world.queries_outside_window(knows_no_window);
    report.add(Row::none("queries outside the query window", outside));
    let senders = late::Senders {
        links,
        processes: &evidence.incarnations,
        periods: &evidence.periods,
    };
    let late = late::check(&tasks, &evidence.runs, &world.arrivals(), &senders);
    report.add_all(late);
    report.add(rates::check(&world.arrivals(), links));
    let creation_times = tasks.iter().map(|it| (it.id.as_str(), it.created_at));
    report.add_all(early::check(
        &world.early_requests(),
        &creation_times.collect(),
        links,
        &evidence.incarnations,
    ));
    let told = world.retry_afters();
    report.add(Row::of("responses with `Retry-After`", told));
    let with_key = world.downloads_with_key();
    report.add(Row::none("downloads with an API key", with_key));
    report.add_all(evidence.check(&secrets)?);
    let of_servers = secrets::Finder::new(world.secrets_of_apis());
    let secrets = logs::Secrets {
        of_workers: &secrets,
        of_servers: &of_servers,
    };
    report.add_all(places.check(evidence, &secrets)?);
    report.add(Row::of("signatures that were handed out", signatures));
    report.add(Row::of(
        "histories that were read",
        evidence.runs.len() as u64,
    ));
    Ok(report)
}
