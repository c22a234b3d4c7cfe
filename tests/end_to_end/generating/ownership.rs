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
    Client, WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowGetResultOptions,
    WorkflowHandle,
};

use super::{
    call::{request, result, start},
    lost_answers::{SETTLED, until_unanswered},
};
use crate::harness::{Fixture, HOUR, Server, register};

type Submission = WorkflowHandle<Client, VideoTaskSubmission>;

/// Returns a request with a submission id, and its submission.
fn submitted(server: &Server) -> (GenerateVideoRequest, Submission) {
    let request = GenerateVideoRequest {
        submission_id: server.unique_name("order"),
        ..request("a kite")
    };
    let id = names::submission_workflow_id("", &request.submission_id);
    (request, server.client.get_workflow_handle(id))
}

async fn result_of(submission: &Submission) -> anyhow::Result<CreateVideoTaskResult> {
    let result = submission.get_result(WorkflowGetResultOptions::default());
    Ok(Reply::into_message(result.await?))
}

/// The account starts lifecycles by itself. So the lifecycle of the task does not say to whom the task belongs.
async fn a_task_in_the_list_that_has_a_lifecycle_is_claimed(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let change = |account: &mut Account| {
        account.callbacks = Some(Callbacks {
            token: Secret::from("a-token-of-32-characters-1234567".to_owned()),
            start_lifecycles: true,
            url: None,
        });
    };
    let fixture = Fixture::with_account(&server, change).await?;
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
