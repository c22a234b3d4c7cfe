//! Submissions whose answer was lost, and to whom a task in the list belongs. Each test has its own namespace, because
//! submissions of other tests could be mistaken for its own.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver::config::{Account, Callbacks, Secret};
use seedance_archiver_proto::{
    names,
    v1::{CreateVideoTaskResult, GenerateVideoRequest},
};
use seedance_archiver_simulator::CreateFault;
use seedance_archiver_workflows::{VideoTaskClaim, VideoTaskSubmission, reply::Reply};
use temporalio_client::{
    Client, WorkflowCancelOptions, WorkflowCountOptions, WorkflowDescribeOptions,
    WorkflowGetResultOptions, WorkflowHandle,
};

use super::{
    call::{request, reset, result, start},
    lost_answers::{SETTLED, until_unanswered},
};
use crate::harness::{Fixture, HOUR, Server, register, until_async};

pub(super) type Submission = WorkflowHandle<Client, VideoTaskSubmission>;

/// Returns a request with a submission id, and its submission.
fn submitted(server: &Server) -> (GenerateVideoRequest, Submission) {
    let request = GenerateVideoRequest {
        submission_id: server.unique_name("order"),
        ..request("a kite")
    };
    let id = names::submission_workflow_id("", &request.submission_id);
    (request, server.client.get_workflow_handle(id))
}

pub(super) async fn result_of(submission: &Submission) -> anyhow::Result<CreateVideoTaskResult> {
    let result = submission.get_result(WorkflowGetResultOptions::default());
    Ok(Reply::into_message(result.await?))
}

/// An account that starts lifecycles by itself.
fn starts_lifecycles(account: &mut Account) {
    account.callbacks = Some(Callbacks {
        token: Secret::from("a-token-of-32-characters-1234567".to_owned()),
        start_lifecycles: true,
        url: None,
    });
}

/// Runs another lifecycle of a task, as a caller does that asks for its video again. No submission started that one, and it
/// is the one that is described. Waits until the visibility store shows the one that the submission started.
async fn run_another_lifecycle(
    server: &Server,
    fixture: &Fixture,
    submission: &Submission,
    task_id: &str,
) -> anyhow::Result<()> {
    let lifecycle = fixture.start_lifecycle(server, task_id).await?;
    let again = lifecycle.result().await?;
    ensure!(again.outcome == "archived", "{again:?}");
    let query = format!(
        "WorkflowId = '{}' AND ParentWorkflowId = '{}'",
        lifecycle.workflow_id(),
        submission.info().workflow_id
    );
    until_async("the lifecycle of the submission is visible", || async {
        let options = WorkflowCountOptions::default();
        let counted = server.client.count_workflows(query.as_str(), options);
        Ok(counted.await?.count() == 1)
    })
    .await
}

/// The account starts lifecycles by itself. So the lifecycle of the task does not say to whom the task belongs.
async fn a_task_in_the_list_that_has_a_lifecycle_is_claimed(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::with_account(&server, starts_lifecycles).await?;
    let lost = [Some(CreateFault::LostAnswer)];
    fixture.simulator.add_create_faults(lost);
    let (request, submission) = submitted(&server);
    let result = fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request).await?;
            until_unanswered(&generation).await?;
            let id = fixture.simulator.task_ids().remove(0);
            fixture.start_lifecycle(&server, &id).await?;
            fixture.advance_clock(SETTLED).await;
            result(&generation).await
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let learned_from = result.submission.unwrap_or_default().learned_from;
    ensure!(learned_from == "list", "{learned_from}");
    let claim = names::claim_workflow_id("", &result.task_id);
    let claim = server.client.get_workflow_handle::<VideoTaskClaim>(claim);
    let claim = claim.describe(WorkflowDescribeOptions::default()).await?;
    let owner = submission.info().workflow_id.as_str();
    ensure!(claim.parent_id() == Some(owner), "{:?}", claim.parent_id());
    Ok(())
}
register!(a_task_in_the_list_that_has_a_lifecycle_is_claimed);

async fn a_submission_that_is_reset_finds_its_own_task(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let lost = [Some(CreateFault::LostAnswer)];
    fixture.simulator.add_create_faults(lost);
    let (request, submission) = submitted(&server);
    let (first, again) = fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request).await?;
            until_unanswered(&generation).await?;
            fixture.advance_clock(SETTLED).await;
            let first = result(&generation).await?;
            run_another_lifecycle(&server, &fixture, &submission, &first.task_id).await?;
            reset(&server, &submission.info().workflow_id).await?;
            Ok((first, result_of(&submission).await?))
        })
        .await?;
    ensure!(first.outcome == "archived", "{first:?}");
    ensure!(again.task_id == first.task_id, "{again:?}");
    ensure!(again.learned_from == "list", "{again:?}");
    Ok(())
}
register!(a_submission_that_is_reset_finds_its_own_task);

/// The account starts lifecycles by itself. So the latest lifecycle of the task does not say that the task has an owner.
async fn a_task_whose_video_was_asked_for_again_is_not_that_of_another_submission(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::with_account(&server, starts_lifecycles).await?;
    let faults = [None, Some(CreateFault::LostRequest)];
    fixture.simulator.add_create_faults(faults);
    let (request, submission) = submitted(&server);
    let (other_request, _) = submitted(&server);
    let (owner, other) = fixture
        .with_worker(&server, async {
            let owner = start(&server, &fixture, request).await?;
            let owner = result(&owner).await?;
            run_another_lifecycle(&server, &fixture, &submission, &owner.task_id).await?;
            let other = start(&server, &fixture, other_request).await?;
            until_unanswered(&other).await?;
            fixture.advance_clock(HOUR).await;
            Ok((owner, result(&other).await?))
        })
        .await?;
    ensure!(owner.outcome == "archived", "{owner:?}");
    ensure!(other.reason == "submission_ambiguous", "{other:?}");
    let submission = other.submission.unwrap_or_default();
    ensure!(submission.candidates.is_empty(), "{submission:?}");
    ensure!(fixture.simulator.task_ids() == [owner.task_id]);
    Ok(())
}
register!(a_task_whose_video_was_asked_for_again_is_not_that_of_another_submission);

/// Otherwise it would wait for a callback as long as tasks can be queried.
async fn an_ambiguous_submission_that_is_cancelled_ends(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let lost = [Some(CreateFault::LostRequest)];
    fixture.simulator.add_create_faults(lost);
    let (request, submission) = submitted(&server);
    let ended = fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request).await?;
            until_unanswered(&generation).await?;
            fixture.advance_clock(HOUR).await;
            let result = result(&generation).await?;
            ensure!(result.reason == "submission_ambiguous", "{result:?}");
            let options = WorkflowCancelOptions::default();
            submission.cancel(options).await?;
            result_of(&submission).await
        })
        .await?;
    ensure!(ended.submission_ambiguous, "{ended:?}");
    Ok(())
}
register!(an_ambiguous_submission_that_is_cancelled_ends);
