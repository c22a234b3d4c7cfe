//! Replies in the encoding of their requests, for every message and every encoding.

mod generations;
mod payloads;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, anyhow, bail, ensure};
use seedance_archiver_policy::pages;
use seedance_archiver_proto::{
    names,
    v1::{
        ArchiveVideoRequest, AuditArchiveRequest, AuditReport, AuditShareRequest, AuditShareResult,
        AwaitVideoTaskRequest, CancelVideoTaskRequest, CancelVideoTaskResult, LifecycleProgress,
        LifecycleProgressRequest, Manifest, Nudge, OutcomeRecord, QueryVideoTaskRequest,
        QueryVideoTaskResult, RecordOutcomeRequest, SweepVideoTaskPageRequest,
        SweepVideoTaskPageResult, SweepVideoTasksRequest, SweepVideoTasksResult, Verdict,
        VideoTaskLifecycleRequest, VideoTaskLifecycleResult,
    },
};
use seedance_archiver_simulator::Script;
use seedance_archiver_workflows::encoding::{ContractMessage, Encoding};
use temporalio_client::{
    Client, UntypedQuery, UntypedSignal, UntypedWorkflow, UntypedWorkflowHandle,
    WorkflowGetResultOptions, WorkflowQueryOptions, WorkflowSignalOptions, WorkflowStartOptions,
    errors::WorkflowGetResultError,
};
use temporalio_common::{data_converters::RawValue, protos::temporal::api::common::v1::Payload};

use self::payloads::{decode_reply, details, encode_from_newer_caller};
use crate::harness::{
    Fixture, Server,
    caller::{self, with_worker_and_caller},
    failures::root_cause,
    register, sweeps,
};

async fn every_activity_replies_in_the_encoding_of_the_request(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    with_worker_and_caller(&server, &fixture, async {
        for encoding in Encoding::ALL {
            let caller = Caller {
                server: &server,
                fixture: &fixture,
                encoding,
            };
            caller
                .call_all_activities()
                .await
                .with_context(|| encoding.name())?;
        }
        Ok(())
    })
    .await
}
register!(every_activity_replies_in_the_encoding_of_the_request);

/// A caller that uses one encoding.
struct Caller<'a> {
    server: &'a Server,
    fixture: &'a Fixture,
    encoding: Encoding,
}

impl Caller<'_> {
    async fn call_all_activities(&self) -> anyhow::Result<()> {
        let task_id = self.fixture.simulator.create(Script::default());
        let query = QueryVideoTaskRequest {
            task_id: task_id.clone(),
            known_status: "queued".into(),
            ..QueryVideoTaskRequest::default()
        };
        let task: QueryVideoTaskResult = self.call("QueryVideoTask", &query).await?;
        ensure!(task.status != "queued" && task.created_at > 0, "{task:?}");

        let wait = AwaitVideoTaskRequest {
            task_id: task_id.clone(),
            ..AwaitVideoTaskRequest::default()
        };
        let result: VideoTaskLifecycleResult = self.call("AwaitVideoTask", &wait).await?;
        ensure!(result.outcome == "archived", "{result:?}");

        let archive = ArchiveVideoRequest {
            task: result.task.clone(),
            ..ArchiveVideoRequest::default()
        };
        let manifest: Manifest = self.call("ArchiveVideo", &archive).await?;
        ensure!(Some(&manifest) == result.manifest.as_ref(), "{manifest:?}");

        let cancel = CancelVideoTaskRequest {
            task_id: task_id.clone(),
            ..CancelVideoTaskRequest::default()
        };
        let cancelled: CancelVideoTaskResult = self.call("CancelVideoTask", &cancel).await?;
        ensure!(
            !cancelled.is_cancelled && cancelled.task.is_some(),
            "{cancelled:?}"
        );

        let record = RecordOutcomeRequest {
            result: Some(VideoTaskLifecycleResult {
                outcome: "lost".into(),
                ..result
            }),
            ..RecordOutcomeRequest::default()
        };
        let outcome: OutcomeRecord = self.call("RecordOutcome", &record).await?;
        ensure!(
            outcome.task_id == task_id && outcome.manifest.as_ref() == Some(&manifest),
            "{outcome:?}"
        );
        self.check_failure_details().await
    }

    /// Checks that the details of a failure are in the encoding of the request.
    async fn check_failure_details(&self) -> anyhow::Result<()> {
        let query = QueryVideoTaskRequest {
            task_id: "cgt-20200101000000-abcde".into(),
            first_asked_at: 1,
            ..QueryVideoTaskRequest::default()
        };
        let call = self.start("QueryVideoTask", &query).await?;
        let failure = call
            .result()
            .await?
            .err()
            .context("the call did not fail")?;
        let verdict: Verdict = decode_reply(self.encoding, &details(root_cause(&failure))?)?;
        ensure!(!verdict.reason.is_empty(), "{verdict:?}");
        Ok(())
    }

    /// Calls an activity, and returns its result.
    async fn call<I: ContractMessage, O: ContractMessage>(
        &self,
        activity: &str,
        request: &I,
    ) -> anyhow::Result<O> {
        let call = self.start(activity, request).await?;
        let reply = call.result().await?;
        let reply = reply.map_err(|failure| anyhow!("{activity}: {failure:?}"))?;
        decode_reply(self.encoding, &reply).with_context(|| activity.to_owned())
    }

    async fn start<I: ContractMessage>(
        &self,
        activity: &str,
        request: &I,
    ) -> anyhow::Result<caller::Call> {
        let input = encode_from_newer_caller(self.encoding, request)?;
        caller::call_activity(self.server, self.fixture, activity, input).await
    }
}

async fn the_lifecycle_replies_in_the_encoding_of_the_request(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture
        .with_worker(&server, async {
            for started_in in Encoding::ALL {
                let task_id = fixture.simulator.create(Script::default());
                let handle = start_lifecycle(&server, &fixture, started_in, &task_id).await?;
                let nudge = UntypedSignal::new("nudge");
                let payload = RawValue::new(vec![started_in.encode(&Nudge {})?]);
                handle
                    .signal(nudge, payload, WorkflowSignalOptions::default())
                    .await?;
                for encoding in Encoding::ALL {
                    let input = vec![encoding.encode(&LifecycleProgressRequest {})?];
                    query_progress(&handle, input, encoding).await?;
                }
                // Without an input the reply is in the encoding of the workflow's input.
                query_progress(&handle, Vec::new(), started_in).await?;

                let result: VideoTaskLifecycleResult = result(&handle, started_in).await?;
                ensure!(result.outcome == "archived", "{result:?}");
            }
            Ok(())
        })
        .await
}
register!(the_lifecycle_replies_in_the_encoding_of_the_request);

/// Covers the workflow, and its activity called directly.
async fn a_sweep_replies_in_the_encoding_of_the_request(server: Arc<Server>) -> anyhow::Result<()> {
    let (fixture, account) = sweeps::fixture(&server, |_| {}).await?;
    fixture.simulator.create(Script {
        queued: Some(Duration::from_secs(3600)),
        ..Script::default()
    });
    let request = SweepVideoTasksRequest {
        account: account.clone(),
        ..SweepVideoTasksRequest::default()
    };
    let page = SweepVideoTaskPageRequest {
        account: account.clone(),
        page: Some(pages::any()),
        ..SweepVideoTaskPageRequest::default()
    };
    with_worker_and_caller(&server, &fixture, async {
        for encoding in Encoding::ALL {
            let id = format!("{}/{}", names::sweep_workflow_id(&account), encoding.name());
            let input = encode_from_newer_caller(encoding, &request)?;
            let handle = start(&server, &fixture, "SweepVideoTasks", id, input).await?;
            let result: SweepVideoTasksResult = result(&handle, encoding).await?;
            ensure!(result.listed == 1, "{result:?}");

            let caller = Caller {
                server: &server,
                fixture: &fixture,
                encoding,
            };
            let swept: SweepVideoTaskPageResult = caller.call("SweepVideoTaskPage", &page).await?;
            let running = swept.result.map(|result| result.running);
            ensure!(running == Some(1) && swept.next.is_some(), "{swept:?}");
        }
        Ok(())
    })
    .await
}
register!(a_sweep_replies_in_the_encoding_of_the_request);

/// Covers the workflow, and its activity called directly.
async fn an_audit_replies_in_the_encoding_of_the_request(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture.write_video("default/cgt-1", b"a video")?;
    with_worker_and_caller(&server, &fixture, async {
        for encoding in Encoding::ALL {
            let input = encode_from_newer_caller(encoding, &AuditArchiveRequest::default())?;
            let id = server.unique_name("audit");
            let handle = start(&server, &fixture, "AuditArchive", id, input).await?;
            let report: AuditReport = result(&handle, encoding).await?;
            ensure!(report.receipts == 1, "{report:?}");

            let caller = Caller {
                server: &server,
                fixture: &fixture,
                encoding,
            };
            let request = AuditShareRequest::default();
            let audited: AuditShareResult = caller.call("AuditShare", &request).await?;
            let receipts = audited.report.as_ref().map(|report| report.receipts);
            ensure!(receipts == Some(1), "{audited:?}");
        }
        Ok(())
    })
    .await
}
register!(an_audit_replies_in_the_encoding_of_the_request);

/// Sends the `progress` query, and checks the encoding of the reply.
async fn query_progress(
    handle: &UntypedWorkflowHandle<Client>,
    input: Vec<Payload>,
    expected: Encoding,
) -> anyhow::Result<()> {
    let query = UntypedQuery::new("progress");
    let options = WorkflowQueryOptions::default();
    let reply = handle.query(query, RawValue::new(input), options).await?;
    let reply = reply.payloads.first().context("no payload")?;
    let progress: LifecycleProgress = decode_reply(expected, reply)?;
    ensure!(!progress.phase.is_empty(), "{progress:?}");
    Ok(())
}

async fn a_lost_video_fails_in_the_encoding_of_the_request(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    let fixture = Fixture::with(&server, |simulator| simulator.running(month), |_| {}).await?;
    fixture
        .with_worker(&server, async {
            let mut started = Vec::new();
            for encoding in Encoding::ALL {
                let task_id = fixture.simulator.create(Script::default());
                let handle = start_lifecycle(&server, &fixture, encoding, &task_id).await?;
                fixture.polled(&task_id, 1).await?;
                started.push((encoding, handle));
            }
            fixture.close_query_window().await;
            for (encoding, handle) in started {
                let outcome = handle.get_result(WorkflowGetResultOptions::default()).await;
                let Err(WorkflowGetResultError::Failed(failure)) = outcome else {
                    bail!("the lifecycle did not fail");
                };
                let result: VideoTaskLifecycleResult =
                    decode_reply(encoding, &details(root_cause(&failure))?)?;
                ensure!(result.outcome == "lost", "{result:?}");
            }
            Ok(())
        })
        .await
}
register!(a_lost_video_fails_in_the_encoding_of_the_request);

async fn an_input_that_is_not_the_expected_message_is_rejected(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    with_worker_and_caller(&server, &fixture, async {
        let mut null = Payload::default();
        null.metadata
            .insert("encoding".into(), b"binary/null".to_vec());
        let mut broken = Encoding::BinaryProtobuf.encode(&QueryVideoTaskRequest::default())?;
        broken.data = vec![0xff; 12];
        broken.metadata.remove("messageType");
        let other = Encoding::BinaryProtobuf.encode(&Manifest::default())?;
        let text = Encoding::JsonProtobuf.encode(&Manifest::default())?;
        for (payload, message) in [
            (null, "`input` is encoded as `binary/null`"),
            (broken, "`input` cannot be decoded"),
            (
                other,
                "`input` is a message `seedance.archiver.v1.Manifest`",
            ),
            (text, "`input` is a message `seedance.archiver.v1.Manifest`"),
        ] {
            for activity in ["QueryVideoTask", "ArchiveVideo", "AwaitVideoTask"] {
                let call =
                    caller::call_activity(&server, &fixture, activity, payload.clone()).await?;
                let failure = call
                    .result()
                    .await?
                    .err()
                    .context("the input was accepted")?;
                let failure = root_cause(&failure).to_string();
                ensure!(failure.starts_with(message), "{activity}: {failure}");
            }
        }
        Ok(())
    })
    .await
}
register!(an_input_that_is_not_the_expected_message_is_rejected);

async fn start_lifecycle(
    server: &Server,
    fixture: &Fixture,
    encoding: Encoding,
    task_id: &str,
) -> anyhow::Result<UntypedWorkflowHandle<Client>> {
    let request = VideoTaskLifecycleRequest {
        task_id: task_id.to_owned(),
        ..VideoTaskLifecycleRequest::default()
    };
    let id = names::lifecycle_workflow_id("default", task_id);
    let input = encode_from_newer_caller(encoding, &request)?;
    start(server, fixture, "VideoTaskLifecycle", id, input).await
}

async fn start(
    server: &Server,
    fixture: &Fixture,
    workflow: &str,
    id: String,
    input: Payload,
) -> anyhow::Result<UntypedWorkflowHandle<Client>> {
    let options = WorkflowStartOptions::new(fixture.config.task_queue.as_str(), id).build();
    let (workflow, input) = (UntypedWorkflow::new(workflow), RawValue::new(vec![input]));
    Ok(server
        .client
        .start_workflow(workflow, input, options)
        .await?)
}

/// Waits for the result of a workflow, and checks that it is in the encoding of the workflow's input.
async fn result<T: ContractMessage>(
    handle: &UntypedWorkflowHandle<Client>,
    started_in: Encoding,
) -> anyhow::Result<T> {
    let result = handle
        .get_result(WorkflowGetResultOptions::default())
        .await?;
    decode_reply(started_in, result.payloads.first().context("no result")?)
}
