//! Searches that fail, and those that find a task which somebody else took meanwhile. Both are rare, so the tests end the
//! searches by id from outside. Each test has its own namespace, because submissions of other tests could be mistaken for its
//! own.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_proto::{
    names,
    time::unix_seconds,
    v1::{
        CreateVideoTaskResult, FindSubmittedTaskResult, SubmittedRequest,
        VideoTaskSubmissionRequest,
    },
};
use seedance_archiver_simulator::{Fault, Script};
use seedance_archiver_workflows::{VideoTaskSubmission, reply::OptionalArgument};
use temporalio_client::{
    ActivityIdentifier, AsyncActivityHandle, Client, RpcOptions, WorkflowCancelOptions,
    WorkflowQueryOptions, WorkflowSignalOptions, WorkflowStartOptions,
};

use super::{
    claim,
    ownership::{Submission, result_of},
};
use crate::harness::{Fixture, HOUR, Server, failures::fail_activity, register, until_async};

async fn a_search_that_fails_leaves_its_submission_ambiguous(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let result = fixture
        .with_worker(&server, async {
            let search = Search::start(&server, &fixture).await?;
            let workflow_id = &search.submission.info().workflow_id;
            fail_activity(&server.client, workflow_id, names::FIND_ACTIVITY_ID).await?;
            search.ambiguous(&fixture).await
        })
        .await?;
    ensure!(result.message == "broken", "{result:?}");
    Ok(())
}
register!(a_search_that_fails_leaves_its_submission_ambiguous);

async fn a_search_continues_after_its_task_was_taken(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let task_id = fixture.simulator.create(Script::default());
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &task_id).await?;
            lifecycle.result().await?;
            claim(&server, &fixture, &task_id).await?;
            let search = Search::start(&server, &fixture).await?;
            for has_lifecycle in [false, true] {
                let found = FindSubmittedTaskResult {
                    task_id: task_id.clone(),
                    has_lifecycle,
                    ..FindSubmittedTaskResult::default()
                };
                search.complete(found).await?;
            }
            let nothing = FindSubmittedTaskResult {
                message: "the list shows no task".to_owned(),
                ..FindSubmittedTaskResult::default()
            };
            search.complete(nothing).await?;
            search.ambiguous(&fixture).await
        })
        .await?;
    ensure!(result.task_id.is_empty(), "{result:?}");
    Ok(())
}
register!(a_search_continues_after_its_task_was_taken);

/// The search of a submission whose answer was lost. The list does not respond, so that the search does not end by itself.
struct Search {
    submission: Submission,
    activity: AsyncActivityHandle<Client>,
}

impl Search {
    async fn start(server: &Server, fixture: &Fixture) -> anyhow::Result<Self> {
        let fault = Some(Fault::NoResponse);
        fixture.simulator.set_list_fault(fault);
        let request = VideoTaskSubmissionRequest {
            submission_id: server.unique_name("order"),
            account: "default".to_owned(),
            submitted: Some(SubmittedRequest {
                model: "seedance-1-0-pro".to_owned(),
                // So long ago that the list is settled.
                submitted_at: unix_seconds(fixture.clock.now() - HOUR),
                ..SubmittedRequest::default()
            }),
            ..VideoTaskSubmissionRequest::default()
        };
        let id = names::submission_workflow_id("", &request.submission_id);
        let options = WorkflowStartOptions::new(fixture.config.task_queue.as_str(), &id).build();
        let workflow = VideoTaskSubmission::default();
        let client = &server.client;
        let submission = client.start_workflow(workflow, request.into(), options);
        let submission = submission.await?;
        let unanswered = submission.signal(
            VideoTaskSubmission::unanswered,
            OptionalArgument::default(),
            WorkflowSignalOptions::default(),
        );
        unanswered.await?;
        let activity = ActivityIdentifier::by_id_workflow(id, "", names::FIND_ACTIVITY_ID);
        Ok(Self {
            submission,
            activity: client.get_async_activity_handle(activity),
        })
    }

    /// Completes the search, once it runs.
    async fn complete(&self, found: FindSubmittedTaskResult) -> anyhow::Result<()> {
        until_async("the search is completed", || async {
            let completed = self
                .activity
                .complete(Some(found.clone()), RpcOptions::default());
            Ok(completed.await.is_ok())
        })
        .await
    }

    /// Waits until the submission is ambiguous, cancels it and returns its result.
    async fn ambiguous(&self, fixture: &Fixture) -> anyhow::Result<CreateVideoTaskResult> {
        until_async("the submission waits for a callback", || async {
            let query = self.submission.query(
                VideoTaskSubmission::submission,
                OptionalArgument::default(),
                WorkflowQueryOptions::default(),
            );
            Ok(query.await?.into_message().result.is_some())
        })
        .await?;
        // Otherwise the worker waits for the response while it stops.
        fixture.simulator.set_list_fault(None);
        let options = WorkflowCancelOptions::default();
        self.submission.cancel(options).await?;
        let result = result_of(&self.submission).await?;
        ensure!(result.submission_ambiguous, "{result:?}");
        Ok(result)
    }
}
