//! Create requests whose answer is lost, without callbacks. Each test has its own namespace, because submissions of other
//! tests could be mistaken for its own.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver_proto::{names, v1::GenerateVideoRequest};
use seedance_archiver_simulator::{CreateFault, Fault, ListDialect};
use seedance_archiver_workflows::VideoTaskSubmission;
use temporalio_client::{WorkflowCancelOptions, WorkflowDescribeOptions};

use super::call::{Generation, request, result, start, with_identifier};
use crate::harness::{Fixture, HOUR, Server, register, until, until_async};

/// How long after a request the list is certain to show its task.
pub(super) const SETTLED: Duration = Duration::from_secs(8 * 60);

/// Waits until nothing more happens before the clock is advanced: the answer to the request was lost.
pub(super) async fn until_unanswered(generation: &Generation) -> anyhow::Result<()> {
    until_async("the activity waits for the task", || async {
        let description = generation.describe(WorkflowDescribeOptions::default());
        let description = description.await?;
        let mut activities = description.raw().pending_activities.iter();
        Ok(activities.any(|activity| {
            let failure = activity.last_failure.as_ref();
            failure.is_some_and(|failure| failure.message.contains("waiting for the task"))
        }))
    })
    .await
}

async fn a_task_is_found_in_the_list_if_it_can_be_no_other(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    for fault in [
        CreateFault::LostAnswer,
        CreateFault::ErrorAfter,
        CreateFault::Garbage,
        CreateFault::ProxyErrorAfter,
    ] {
        let fixture = Fixture::new(&server).await?;
        fixture.simulator.add_create_faults([Some(fault)]);
        let lags = ListDialect::Lags(Duration::from_secs(30));
        fixture.simulator.set_list_dialect(Some(lags));
        let result = fixture
            .with_worker(&server, async {
                let generation = start(&server, &fixture, request("a kite")).await?;
                until_unanswered(&generation).await?;
                fixture.advance_clock(SETTLED).await;
                result(&generation).await
            })
            .await?;
        ensure!(result.outcome == "archived", "{fault:?}: {result:?}");
        let submission = result.submission.unwrap_or_default();
        ensure!(submission.learned_from == "list", "{submission:?}");
        ensure!(fixture.simulator.task_ids() == [result.task_id]);
    }
    Ok(())
}
register!(
    a_task_is_found_in_the_list_if_it_can_be_no_other,
    takes_long
);

async fn a_request_that_may_have_been_lost_is_not_sent_again(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    for fault in [CreateFault::LostRequest, CreateFault::ErrorBefore] {
        let fixture = Fixture::new(&server).await?;
        fixture.simulator.add_create_faults([Some(fault)]);
        let result = fixture
            .with_worker(&server, async {
                let generation = start(&server, &fixture, request("a kite")).await?;
                until_unanswered(&generation).await?;
                fixture.advance_clock(HOUR).await;
                result(&generation).await
            })
            .await?;
        ensure!(result.outcome == "unknown", "{fault:?}: {result:?}");
        ensure!(result.reason == "submission_ambiguous", "{result:?}");
        let submission = result.submission.unwrap_or_default();
        ensure!(submission.submission_ambiguous, "{submission:?}");
        ensure!(submission.candidates.is_empty(), "{submission:?}");
        ensure!(fixture.simulator.task_ids().is_empty());
    }
    Ok(())
}
register!(
    a_request_that_may_have_been_lost_is_not_sent_again,
    takes_long
);

/// What loses answers also makes the list unreadable.
async fn a_task_is_found_after_an_outage_of_the_list(server: Arc<Server>) -> anyhow::Result<()> {
    find_after_an_outage(&server, false).await
}
register!(a_task_is_found_after_an_outage_of_the_list, takes_long);

async fn a_submission_that_is_cancelled_during_the_search_finds_its_task(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    find_after_an_outage(&server, true).await
}
register!(
    a_submission_that_is_cancelled_during_the_search_finds_its_task,
    takes_long
);

/// `is_cancelled`: the submission is cancelled while the list cannot be read.
async fn find_after_an_outage(server: &Server, is_cancelled: bool) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    fixture
        .simulator
        .add_create_faults([Some(CreateFault::LostAnswer)]);
    fixture.simulator.set_list_fault(Some(Fault::Unavailable));
    let request = GenerateVideoRequest {
        submission_id: server.unique_name("order"),
        ..request("a kite")
    };
    let submission = names::submission_workflow_id("", &request.submission_id);
    let submission = server
        .client
        .get_workflow_handle::<VideoTaskSubmission>(submission);
    let result = fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request).await?;
            until_unanswered(&generation).await?;
            fixture.advance_clock(HOUR).await;
            until_async("the list was read in vain", || async {
                let description = submission.describe(WorkflowDescribeOptions::default());
                let description = description.await?;
                let mut activities = description.raw().pending_activities.iter();
                Ok(activities.any(|activity| {
                    let failure = activity.last_failure.as_ref();
                    failure.is_some_and(|it| it.message.contains("cannot list tasks"))
                }))
            })
            .await?;
            if is_cancelled {
                submission.cancel(WorkflowCancelOptions::default()).await?;
            }
            fixture.simulator.set_list_fault(None);
            result(&generation).await
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let submission = result.submission.unwrap_or_default();
    ensure!(submission.learned_from == "list", "{submission:?}");
    ensure!(fixture.simulator.task_ids() == [result.task_id]);
    Ok(())
}

/// One of the two has a task, and the other one has none: the list cannot tell which.
async fn submissions_that_can_be_mistaken_adopt_nothing(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let faults = [CreateFault::LostAnswer, CreateFault::LostRequest];
    fixture.simulator.add_create_faults(faults.map(Some));
    let results = fixture
        .with_worker(&server, async {
            let generations = [
                start(&server, &fixture, request("a kite")).await?,
                start(&server, &fixture, request("a boat")).await?,
            ];
            for generation in &generations {
                until_unanswered(generation).await?;
            }
            fixture.advance_clock(HOUR).await;
            Ok([
                result(&generations[0]).await?,
                result(&generations[1]).await?,
            ])
        })
        .await?;
    let created = fixture.simulator.task_ids();
    ensure!(created.len() == 1, "{created:?}");
    for result in results {
        let submission = result.submission.unwrap_or_default();
        ensure!(submission.submission_ambiguous, "{submission:?}");
        ensure!(submission.candidates == created, "{submission:?}");
    }
    Ok(())
}
register!(submissions_that_can_be_mistaken_adopt_nothing);

/// A task that somebody else created may be that of the submission, unless a lifecycle says that its id was known.
async fn two_candidates_are_ambiguous_and_a_claimed_one_is_none(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let faults = [None, None, Some(CreateFault::LostAnswer)];
    fixture.simulator.add_create_faults(faults);
    let result = fixture
        .with_worker(&server, async {
            let known = start(&server, &fixture, request("known")).await?;
            let known = result(&known).await?;
            ensure!(known.outcome == "archived", "{known:?}");
            let foreign = create_elsewhere(&fixture).await?;
            let generation = start(&server, &fixture, request("a kite")).await?;
            until_unanswered(&generation).await?;
            fixture.advance_clock(HOUR).await;
            let result = result(&generation).await?;
            let submission = result.submission.clone().unwrap_or_default();
            ensure!(submission.candidates.contains(&foreign), "{submission:?}");
            ensure!(
                !submission.candidates.contains(&known.task_id),
                "{submission:?}"
            );
            Ok(result)
        })
        .await?;
    ensure!(result.reason == "submission_ambiguous", "{result:?}");
    let submission = result.submission.unwrap_or_default();
    ensure!(submission.candidates.len() == 2, "{submission:?}");
    ensure!(fixture.simulator.task_ids().len() == 3);
    Ok(())
}
register!(two_candidates_are_ambiguous_and_a_claimed_one_is_none);

async fn a_safety_identifier_makes_it_certain(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let lost = Some(CreateFault::LostAnswer);
    fixture.simulator.add_create_faults([lost, lost]);
    let requests = [
        with_identifier("a kite", "user-7"),
        with_identifier("a boat", "user-8"),
    ];
    fixture
        .with_worker(&server, async {
            for request in requests {
                let generation = start(&server, &fixture, request.clone()).await?;
                until_unanswered(&generation).await?;
                fixture.advance_clock(SETTLED).await;
                let result = result(&generation).await?;
                ensure!(result.outcome == "archived", "{result:?}");
                let content = fixture.simulator.request_field(&result.task_id, "content");
                let text = content.unwrap_or_default()[0]["text"].clone();
                let prompt = text.as_str().unwrap_or_default().to_owned();
                ensure!(request.request.contains(&prompt), "{prompt}");
            }
            Ok(())
        })
        .await?;
    ensure!(fixture.simulator.task_ids().len() == 2);
    Ok(())
}
register!(a_safety_identifier_makes_it_certain);

/// The worker process dies between the request and the answer.
async fn a_worker_that_is_killed_during_the_request_pays_once(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    fixture.simulator.set_create_fault(Some(CreateFault::Held));
    let mut worker = fixture.spawn_worker(&server)?;
    let generation = start(&server, &fixture, request("a kite")).await?;
    until("the task was created", || {
        !fixture.simulator.task_ids().is_empty()
    })
    .await?;
    worker.kill().await?;
    fixture.simulator.set_create_fault(None);
    let result = fixture
        .with_worker(&server, async {
            until_unanswered(&generation).await?;
            fixture.advance_clock(SETTLED).await;
            result(&generation).await
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    ensure!(fixture.simulator.task_ids() == [result.task_id]);
    Ok(())
}
register!(
    a_worker_that_is_killed_during_the_request_pays_once,
    takes_long
);

/// Creates a task of the same kind without the archiver, and returns its id.
async fn create_elsewhere(fixture: &Fixture) -> anyhow::Result<String> {
    let url = format!(
        "{}/contents/generations/tasks",
        fixture.simulator.base_url()
    );
    let http = reqwest::Client::builder().no_proxy().build()?;
    let request = http.post(url).bearer_auth(fixture.simulator.api_key());
    let response = request.body(request_body("elsewhere")).send().await?;
    let created: serde_json::Value = serde_json::from_slice(&response.bytes().await?)?;
    Ok(created["id"].as_str().unwrap_or_default().to_owned())
}

fn request_body(prompt: &str) -> String {
    request(prompt).request
}
