//! `AwaitVideoTask`: starts or joins a lifecycle, and waits for its result.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::config::GracePeriod;
use seedance_archiver_proto::v1::{AwaitVideoTaskRequest, VideoTaskLifecycleResult};
use seedance_archiver_simulator::{Ending, Script};
use seedance_archiver_workflows::{
    encoding::{self, Encoding},
    reply::Reply,
};
use temporalio_client::{
    WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowGetResultOptions,
    WorkflowTerminateOptions, errors::WorkflowGetResultError,
};
use temporalio_common::error::{ApplicationFailure, IncomingError};

use crate::harness::{
    DAY, Fixture, HOUR, Server,
    caller::{self, Call, with_worker_and_caller},
    failures::root_cause,
    register, until, until_async,
};

/// More calls than a worker executes at the same time.
const CALLS: usize = 80;

async fn one_call_returns_the_receipt(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let result = with_worker_and_caller(&server, &fixture, async {
        result(&call(&server, &fixture, &request(&id)).await?).await
    })
    .await?;
    ensure!(
        result.outcome == "archived" && result.warnings.is_empty(),
        "{result:?}"
    );
    fixture.assert_archived(&id, &result.manifest.context("no receipt")?)
}
register!(one_call_returns_the_receipt);

async fn an_unsuccessful_task_is_returned_and_an_unknown_account_fails(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    with_worker_and_caller(&server, &fixture, async {
        let failed = result(&call(&server, &fixture, &request(&id)).await?).await?;
        ensure!(
            failed.outcome == "unsuccessful" && !failed.reason.is_empty(),
            "{failed:?}"
        );

        let elsewhere = AwaitVideoTaskRequest {
            account: "elsewhere".into(),
            ..request(&id)
        };
        let call = call(&server, &fixture, &elsewhere).await?;
        call.until_failed().await?;
        // Until then, a worker that serves the account may start.
        fixture.close_query_window().await;
        let failure = failure(&call).await?;
        ensure!(failure.type_name() == Some("UnknownAccount"), "{failure:?}");
        ensure!(
            failure.to_string().contains("`account` is `elsewhere`"),
            "{failure}"
        );
        Ok(())
    })
    .await
}
register!(an_unsuccessful_task_is_returned_and_an_unknown_account_fails);

async fn a_lost_video_fails_with_the_result_in_the_details(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(30 * DAY),
        ..Script::default()
    });
    with_worker_and_caller(&server, &fixture, async {
        let report_only = AwaitVideoTaskRequest {
            report_only: true,
            ..request(&id)
        };
        let failing = call(&server, &fixture, &request(&id)).await?;
        let reporting = call(&server, &fixture, &report_only).await?;
        fixture.polled(&id, 1).await?;
        fixture.close_query_window().await;
        let reported = result(&reporting).await?;
        ensure!(reported.outcome == "lost", "{reported:?}");
        let failure = failure(&failing).await?;
        ensure!(failure.type_name() == Some("VideoLost"), "{failure:?}");
        ensure!(failure.is_non_retryable(), "{failure:?}");
        let details: Option<Reply<VideoTaskLifecycleResult>> = failure.details()?;
        ensure!(
            details.context("no details")?.into_message() == reported,
            "the details of the failure differ from the reported result"
        );
        Ok(())
    })
    .await
}
register!(a_lost_video_fails_with_the_result_in_the_details);

async fn the_first_destination_wins_and_the_second_caller_is_warned(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    let url = fixture.allow_destination("teams")?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let [first, second] = ["first", "second"].map(|name| AwaitVideoTaskRequest {
        destination: format!("{url}/{name}"),
        ..request(&id)
    });
    with_worker_and_caller(&server, &fixture, async {
        let starting = call(&server, &fixture, &first).await?;
        wait_until_started(&server, &id).await?;
        let joining = call(&server, &fixture, &second).await?;
        until_joined(&joining).await?;
        fixture.advance_clock(HOUR).await;
        let (started, joined) = (result(&starting).await?, result(&joining).await?);
        ensure!(started.warnings.is_empty(), "{started:?}");
        let receipt = &joined.manifest.as_ref().context("no receipt")?.manifest_url;
        ensure!(receipt.starts_with(&first.destination), "{receipt}");
        ensure!(
            joined.manifest == started.manifest,
            "the two calls returned different receipts"
        );
        let warnings = joined.warnings.concat();
        for destination in [&first.destination, &second.destination] {
            ensure!(warnings.contains(destination.as_str()), "{warnings}");
        }
        Ok(())
    })
    .await
}
register!(the_first_destination_wins_and_the_second_caller_is_warned);

async fn cancelling_the_call_leaves_the_lifecycle_running(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    with_worker_and_caller(&server, &fixture, async {
        let call = call(&server, &fixture, &request(&id)).await?;
        wait_until_started(&server, &id).await?;
        call.workflow
            .cancel(WorkflowCancelOptions::default())
            .await?;
        let outcome = call
            .workflow
            .get_result(WorkflowGetResultOptions::default())
            .await;
        ensure!(
            is_cancelled(&outcome),
            "the call was not cancelled: {:?}",
            outcome.err()
        );
        fixture.advance_clock(HOUR).await;
        wait_until_archived(&server, &id).await
    })
    .await
}
register!(cancelling_the_call_leaves_the_lifecycle_running);

fn is_cancelled<T>(outcome: &Result<T, WorkflowGetResultError>) -> bool {
    match outcome {
        Err(WorkflowGetResultError::Cancelled { .. }) => true,
        Err(WorkflowGetResultError::Failed(failure)) => {
            matches!(root_cause(failure), IncomingError::Cancelled(_))
        }
        _ => false,
    }
}

async fn terminating_the_caller_leaves_the_lifecycle_running(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    with_worker_and_caller(&server, &fixture, async {
        let call = call(&server, &fixture, &request(&id)).await?;
        wait_until_started(&server, &id).await?;
        call.workflow
            .terminate(WorkflowTerminateOptions::default())
            .await?;
        fixture.advance_clock(HOUR).await;
        wait_until_archived(&server, &id).await
    })
    .await
}
register!(terminating_the_caller_leaves_the_lifecycle_running);

async fn a_terminated_lifecycle_is_reported_as_unknown(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    with_worker_and_caller(&server, &fixture, async {
        let call = call(&server, &fixture, &request(&id)).await?;
        wait_until_started(&server, &id).await?;
        let lifecycle = server.lifecycle(&id);
        lifecycle
            .terminate(WorkflowTerminateOptions::default())
            .await?;
        let result = result(&call).await?;
        ensure!(
            result.outcome == "unknown" && result.reason == "terminated",
            "{result:?}"
        );
        Ok(())
    })
    .await
}
register!(a_terminated_lifecycle_is_reported_as_unknown);

async fn another_worker_resumes_the_call_of_a_killed_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    caller::with_caller(&server, &fixture, async {
        let mut first = fixture.spawn_worker(&server)?;
        let call = call(&server, &fixture, &request(&id)).await?;
        wait_until_started(&server, &id).await?;
        until("the task is running", || {
            fixture.simulator.status(&id) == Some("running")
        })
        .await?;
        first.kill().await?;
        let run = server.run_id(&id).await?;
        let _second = fixture.spawn_worker(&server)?;
        fixture.advance_clock(HOUR).await;
        let result = result(&call).await?;
        ensure!(result.outcome == "archived", "{result:?}");
        ensure!(
            server.run_id(&id).await? == run,
            "a second lifecycle was started"
        );
        Ok(())
    })
    .await
}
register!(
    another_worker_resumes_the_call_of_a_killed_worker,
    takes_long
);

async fn another_worker_resumes_the_call_of_a_worker_that_shuts_down(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    fixture.config.worker.grace_period = GracePeriod(Duration::from_secs(1));
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let joined = async {
        let call = call(&server, &fixture, &request(&id)).await?;
        until_joined(&call).await?;
        Ok(call)
    };
    let resumed = async {
        let call = fixture.with_worker(&server, joined).await?;
        fixture.advance_clock(HOUR).await;
        fixture.with_worker(&server, result(&call)).await
    };
    let result = caller::with_caller(&server, &fixture, resumed).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(another_worker_resumes_the_call_of_a_worker_that_shuts_down);

async fn many_waiting_callers_do_not_delay_other_tasks(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    with_worker_and_caller(&server, &fixture, async {
        let mut calls = Vec::new();
        for _ in 0..CALLS {
            calls.push(call(&server, &fixture, &request(&id)).await?);
        }
        // Another task starts and ends while all calls wait.
        let other = fixture.simulator.create(Script::default());
        let archived = fixture
            .start_lifecycle(&server, &other)
            .await?
            .result()
            .await?;
        ensure!(archived.outcome == "archived", "{archived:?}");
        fixture.advance_clock(HOUR).await;
        for call in calls {
            let result = result(&call).await?;
            ensure!(result.outcome == "archived", "{result:?}");
        }
        ensure!(
            fixture.simulator.stats(&id).downloads == 1,
            "the video was not downloaded exactly once"
        );
        Ok(())
    })
    .await
}
register!(many_waiting_callers_do_not_delay_other_tasks);

fn request(task_id: &str) -> AwaitVideoTaskRequest {
    AwaitVideoTaskRequest {
        task_id: task_id.to_owned(),
        ..AwaitVideoTaskRequest::default()
    }
}

/// Calls `AwaitVideoTask`, without waiting for its result.
async fn call(
    server: &Server,
    fixture: &Fixture,
    request: &AwaitVideoTaskRequest,
) -> anyhow::Result<Call> {
    let input = Encoding::JsonPlain.encode(request)?;
    caller::call_activity(server, fixture, "AwaitVideoTask", input).await
}

/// Waits for the result of a call.
async fn result(call: &Call) -> anyhow::Result<VideoTaskLifecycleResult> {
    let payload = call
        .result()
        .await?
        .map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    Ok(encoding::decode(&payload)?)
}

/// Waits for the failure of a call.
async fn failure(call: &Call) -> anyhow::Result<ApplicationFailure> {
    let failure = call
        .result()
        .await?
        .err()
        .context("the call did not fail")?;
    application_failure(*failure).context("not an application failure")
}

fn application_failure(failure: IncomingError) -> Option<ApplicationFailure> {
    match failure {
        IncomingError::Application(failure) => Some(failure),
        IncomingError::Activity(failure) => application_failure(failure.into_parts().1?),
        _ => None,
    }
}

async fn wait_until_started(server: &Server, id: &str) -> anyhow::Result<()> {
    until_async("the lifecycle has started", || async {
        Ok(server.run_id(id).await.is_ok())
    })
    .await
}

/// Waits until the activity of a call waits for a lifecycle, which its heartbeat says.
async fn until_joined(call: &Call) -> anyhow::Result<()> {
    until_async("the call has joined the lifecycle", || async {
        let options = WorkflowDescribeOptions::default();
        let description = call.workflow.describe(options).await?;
        let mut activities = description.raw().pending_activities.iter();
        Ok(activities.any(|activity| activity.heartbeat_details.is_some()))
    })
    .await
}

/// Waits for the lifecycle itself, because no call waits for it any more.
async fn wait_until_archived(server: &Server, id: &str) -> anyhow::Result<()> {
    let lifecycle = server.lifecycle(id);
    let result = lifecycle
        .get_result(WorkflowGetResultOptions::default())
        .await?;
    ensure!(result.message().outcome == "archived", "{result:?}");
    Ok(())
}
