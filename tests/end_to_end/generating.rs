//! `GenerateVideo` and `CreateVideoTask`: from a prompt to a receipt, and no task is paid for twice.

mod call;
mod callbacks;
mod cli;
mod cost;
mod endings;
mod lost_answers;
mod many;
mod ownership;
mod searches;

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_proto::{
    names,
    v1::{GenerateVideoRequest, GenerateVideoResult, VideoTaskClaimRequest},
};
use seedance_archiver_simulator::CreateFault;
use seedance_archiver_workflows::{VideoTaskClaim, VideoTaskSubmission};
use serde_json::json;
use temporalio_client::{
    Client, WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowGetResultOptions,
    WorkflowHandle, WorkflowStartOptions, WorkflowTerminateOptions, errors::WorkflowGetResultError,
};

use self::call::{failure, request, result, start, start_as};
use crate::harness::{Fixture, Server, caller, register, until, until_async};

async fn one_call_leads_from_a_prompt_to_a_receipt(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let result = fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request("a kite")).await?;
            result(&generation).await
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let submission = result.submission.unwrap_or_default();
    ensure!(submission.learned_from == "answer", "{submission:?}");
    ensure!(submission.submission_id.len() == 32, "{submission:?}");
    ensure!(fixture.simulator.task_ids() == std::slice::from_ref(&result.task_id));
    let manifest = result.manifest.unwrap_or_default();
    fixture.assert_archived(&result.task_id, &manifest)
}
register!(one_call_leads_from_a_prompt_to_a_receipt);

async fn unknown_fields_of_the_request_reach_the_api(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    caller::with_worker_and_caller(&server, &fixture, async {
        let call = json!({"request": {
            "model": "seedance-1-0-pro",
            "content": [{"type": "text", "text": "a kite"}],
            "of_the_future": {"seed": 4_294_967_295_u64},
        }});
        let created = caller::call_json(&server, &fixture, "CreateVideoTask", &call).await?;
        let id = created["task_id"].as_str().unwrap_or_default();
        let field = fixture.simulator.request_field(id, "of_the_future");
        ensure!(
            field == Some(json!({"seed": 4_294_967_295_u64})),
            "{field:?}"
        );
        ensure!(
            fixture
                .simulator
                .request_field(id, "callback_url")
                .is_none()
        );
        Ok(())
    })
    .await
}
register!(unknown_fields_of_the_request_reach_the_api);

async fn an_invalid_request_names_the_field_and_sends_nothing(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture
        .with_worker(&server, async {
            for (request, problem) in [
                (GenerateVideoRequest::default(), "`request` is missing"),
                (
                    GenerateVideoRequest {
                        request: json!({"model": "m"}).to_string(),
                        ..GenerateVideoRequest::default()
                    },
                    "`request.content` is missing",
                ),
                (
                    GenerateVideoRequest {
                        submission_id: "a/b".into(),
                        ..request("a kite")
                    },
                    "`submission_id` may contain only",
                ),
            ] {
                let generation = start(&server, &fixture, request).await?;
                let (kind, message) = failure(&generation).await?;
                ensure!(kind == "InvalidRequest", "{kind}: {message}");
                ensure!(message.contains(problem), "{message}");
            }
            Ok(())
        })
        .await?;
    ensure!(fixture.simulator.task_ids().is_empty());
    Ok(())
}
register!(an_invalid_request_names_the_field_and_sends_nothing);

async fn a_rejected_request_fails_with_the_message_of_the_api_and_may_be_corrected(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let request = GenerateVideoRequest {
        submission_id: server.unique_name("order"),
        ..request("a kite")
    };
    let overdue = [Some(CreateFault::Overdue)];
    fixture.simulator.add_create_faults(overdue);
    let result = fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request.clone()).await?;
            let (kind, message) = failure(&generation).await?;
            ensure!(kind == "TaskRejected", "{kind}: {message}");
            ensure!(message.contains("AccountOverdueError"), "{message}");
            ensure!(fixture.simulator.task_ids().is_empty());
            let generation = start(&server, &fixture, request).await?;
            result(&generation).await
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(a_rejected_request_fails_with_the_message_of_the_api_and_may_be_corrected);

async fn a_request_that_created_nothing_is_sent_again(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let retry_after = Some(1);
    let faults = [
        CreateFault::RateLimited { retry_after },
        CreateFault::NoBackend,
    ];
    fixture.simulator.add_create_faults(faults.map(Some));
    let result = fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request("a kite")).await?;
            result(&generation).await
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    ensure!(fixture.simulator.task_ids().len() == 1);
    Ok(())
}
register!(a_request_that_created_nothing_is_sent_again);

async fn calls_with_the_same_submission_id_share_one_task(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let request = GenerateVideoRequest {
        submission_id: server.unique_name("order"),
        ..request("a kite")
    };
    let results = fixture
        .with_worker(&server, async {
            let generations = [
                start(&server, &fixture, request.clone()).await?,
                start(&server, &fixture, request.clone()).await?,
            ];
            let mut results = Vec::new();
            for generation in &generations {
                results.push(result(generation).await?);
            }
            let later = start(&server, &fixture, request).await?;
            results.push(result(&later).await?);
            Ok(results)
        })
        .await?;
    let [id] = <[String; 1]>::try_from(fixture.simulator.task_ids())
        .map_err(|ids| anyhow::anyhow!("{ids:?}"))?;
    for result in results {
        ensure!(result.task_id == id, "{result:?}");
        ensure!(result.outcome == "archived", "{result:?}");
    }
    Ok(())
}
register!(calls_with_the_same_submission_id_share_one_task);

async fn a_workflow_that_is_reset_has_the_same_submission(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = server.unique_name("generate");
    fixture
        .with_worker(&server, async {
            let generation = start_as(&server, &fixture, &id, request("a kite")).await?;
            let first = result(&generation).await?;
            call::reset(&server, &id).await?;
            let again = result(&call::latest(&server, &id)).await?;
            ensure!(again.submission == first.submission, "{again:?}");
            Ok(())
        })
        .await?;
    ensure!(fixture.simulator.task_ids().len() == 1);
    Ok(())
}
register!(a_workflow_that_is_reset_has_the_same_submission);

/// For example by a watcher. A claim then says to which submission the task belongs.
async fn a_task_whose_lifecycle_was_started_elsewhere_belongs_to_its_submission(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture.simulator.set_create_fault(Some(CreateFault::Held));
    let result = fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request("a kite")).await?;
            until("the task was created", || {
                !fixture.simulator.task_ids().is_empty()
            })
            .await?;
            let id = fixture.simulator.task_ids().remove(0);
            fixture.start_lifecycle(&server, &id).await?;
            fixture.simulator.set_create_fault(None);
            result(&generation).await
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let claim = names::claim_workflow_id("", &result.task_id);
    let claim = server.client.get_workflow_handle::<VideoTaskClaim>(claim);
    let claim = claim.describe(WorkflowDescribeOptions::default()).await?;
    let submission = result.submission.unwrap_or_default().submission_id;
    let submission = names::submission_workflow_id("", &submission);
    ensure!(
        claim.parent_id() == Some(submission.as_str()),
        "{:?}",
        claim.parent_id()
    );
    Ok(())
}
register!(a_task_whose_lifecycle_was_started_elsewhere_belongs_to_its_submission);

/// For example because that one found the task in the list. What the answer says is certain.
async fn a_task_that_another_submission_claimed_is_that_of_its_answer(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture.simulator.set_create_fault(Some(CreateFault::Held));
    let result = fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request("a kite")).await?;
            until("the task was created", || {
                !fixture.simulator.task_ids().is_empty()
            })
            .await?;
            let id = fixture.simulator.task_ids().remove(0);
            fixture.start_lifecycle(&server, &id).await?;
            claim(&server, &fixture, &id).await?;
            fixture.simulator.set_create_fault(None);
            result(&generation).await
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let submission = result.submission.unwrap_or_default();
    ensure!(submission.learned_from == "answer", "{submission:?}");
    Ok(())
}
register!(a_task_that_another_submission_claimed_is_that_of_its_answer);

/// Claims a task for another submission.
async fn claim(server: &Server, fixture: &Fixture, task_id: &str) -> anyhow::Result<()> {
    let request = VideoTaskClaimRequest {
        task_id: task_id.to_owned(),
        submission_id: server.unique_name("order"),
    };
    let claim = names::claim_workflow_id("", task_id);
    let options = WorkflowStartOptions::new(fixture.config.task_queue.as_str(), claim).build();
    let client = &server.client;
    let started = client.start_workflow(VideoTaskClaim, request.into(), options);
    started.await?;
    Ok(())
}

/// Starts a generation, and calls `act` with its submission after the task was created and before the answer arrives. Returns
/// the result, whose video is that of the only task.
async fn while_the_answer_is_held(
    server: &Server,
    act: impl AsyncFnOnce(WorkflowHandle<Client, VideoTaskSubmission>) -> anyhow::Result<()>,
) -> anyhow::Result<GenerateVideoResult> {
    let fixture = Fixture::new(server).await?;
    fixture.simulator.set_create_fault(Some(CreateFault::Held));
    let request = GenerateVideoRequest {
        submission_id: server.unique_name("order"),
        ..request("a kite")
    };
    let submission = names::submission_workflow_id("", &request.submission_id);
    let result = fixture
        .with_worker(server, async {
            let generation = start(server, &fixture, request).await?;
            until("the task was created", || {
                !fixture.simulator.task_ids().is_empty()
            })
            .await?;
            act(server.client.get_workflow_handle(submission)).await?;
            fixture.simulator.set_create_fault(None);
            result(&generation).await
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    ensure!(fixture.simulator.task_ids() == [result.task_id.as_str()]);
    Ok(result)
}

/// Whoever terminates a submission says that it created nothing. If it did all the same, its video is not lost.
async fn the_task_of_a_terminated_submission_is_archived(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let terminate = async |submission: WorkflowHandle<_, _>| {
        let options = WorkflowTerminateOptions::default();
        Ok(submission.terminate(options).await?)
    };
    while_the_answer_is_held(&server, terminate).await?;
    Ok(())
}
register!(the_task_of_a_terminated_submission_is_archived);

async fn a_cancelled_submission_waits_for_the_answer(server: Arc<Server>) -> anyhow::Result<()> {
    let cancel = async |submission: WorkflowHandle<_, _>| {
        let options = WorkflowCancelOptions::default();
        Ok(submission.cancel(options).await?)
    };
    let result = while_the_answer_is_held(&server, cancel).await?;
    let submission = result.submission.unwrap_or_default();
    ensure!(submission.learned_from == "answer", "{submission:?}");
    Ok(())
}
register!(a_cancelled_submission_waits_for_the_answer);

/// The request is on the way. The video must not be lost.
async fn a_cancellation_during_the_request_stops_the_waiting_only(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture.simulator.set_create_fault(Some(CreateFault::Held));
    fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request("a kite")).await?;
            until("the task was created", || {
                !fixture.simulator.task_ids().is_empty()
            })
            .await?;
            generation.cancel(WorkflowCancelOptions::default()).await?;
            fixture.simulator.set_create_fault(None);
            let ended = generation.get_result(WorkflowGetResultOptions::default());
            let ended = ended.await;
            let is_cancelled = matches!(ended, Err(WorkflowGetResultError::Cancelled { .. }));
            ensure!(is_cancelled, "{ended:?}");
            let id = fixture.simulator.task_ids().remove(0);
            until_async("the lifecycle exists", || async {
                Ok(server.run_id(&id).await.is_ok())
            })
            .await?;
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(())
        })
        .await
}
register!(a_cancellation_during_the_request_stops_the_waiting_only);
