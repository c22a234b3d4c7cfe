//! Every message in every encoding, in and out, through a real server: a table.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, anyhow, bail, ensure};
use seedance_archiver_policy::pages;
use seedance_archiver_proto::{
    names,
    v1::{
        ArchiveVideoRequest, AwaitVideoTaskRequest, CancelVideoTaskRequest, CancelVideoTaskResult,
        LifecycleProgress, LifecycleProgressRequest, Manifest, Nudge, OutcomeRecord,
        QueryVideoTaskRequest, QueryVideoTaskResult, RecordOutcomeRequest,
        SweepVideoTaskPageRequest, SweepVideoTaskPageResult, SweepVideoTasksRequest,
        SweepVideoTasksResult, Verdict, VideoTaskLifecycleRequest, VideoTaskLifecycleResult,
    },
};
use seedance_archiver_simulator::Script;
use seedance_archiver_workflows::encoding::{self, ContractMessage, Encoding};
use temporalio_client::{
    Client, UntypedQuery, UntypedSignal, UntypedWorkflow, UntypedWorkflowHandle,
    WorkflowGetResultOptions, WorkflowQueryOptions, WorkflowSignalOptions, WorkflowStartOptions,
    errors::WorkflowGetResultError,
};
use temporalio_common::{
    data_converters::RawValue, error::IncomingError, protos::temporal::api::common::v1::Payload,
};

use crate::{
    Suite,
    relay::{self, with_callers},
    requests::root,
    sweeping,
    world::{Server, World},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("encodings::every_activity_answers_in_kind", activities)
        .test("encodings::the_lifecycle_answers_in_kind", lifecycle)
        .test("encodings::a_sweep_answers_in_kind", swept)
        .test("encodings::a_lost_video_is_told_in_kind", lost)
        .test("encodings::what_is_no_message_is_refused_by_name", refused)
}

async fn activities(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    with_callers(&server, &world, async {
        for encoding in Encoding::ALL {
            let caller = Caller {
                server: &server,
                world: &world,
                encoding,
            };
            caller.calls_all().await.with_context(|| encoding.name())?;
        }
        Ok(())
    })
    .await
}

struct Caller<'a> {
    server: &'a Server,
    world: &'a World,
    encoding: Encoding,
}

impl Caller<'_> {
    async fn calls_all(&self) -> anyhow::Result<()> {
        let task_id = self.world.simulator.create(Script::default());
        let ask = QueryVideoTaskRequest {
            task_id: task_id.clone(),
            known_status: "queued".into(),
            ..QueryVideoTaskRequest::default()
        };
        let task: QueryVideoTaskResult = self.call("QueryVideoTask", &ask).await?;
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
            destination: format!("{}other", self.world.config.archive_url),
            ..RecordOutcomeRequest::default()
        };
        let outcome: OutcomeRecord = self.call("RecordOutcome", &record).await?;
        ensure!(
            outcome.task_id == task_id && outcome.outcome == "lost",
            "{outcome:?}"
        );
        self.has_a_verdict().await
    }

    /// The details of a failure are in kind too.
    async fn has_a_verdict(&self) -> anyhow::Result<()> {
        let ask = QueryVideoTaskRequest {
            task_id: "cgt-20200101000000-abcde".into(),
            first_asked_at: 1,
            ..QueryVideoTaskRequest::default()
        };
        let call = self.start("QueryVideoTask", &ask).await?;
        let failure = call.answer().await?.err().context("no verdict")?;
        let verdict: Verdict = in_kind(self.encoding, &details(root(&failure))?)?;
        ensure!(!verdict.reason.is_empty(), "{verdict:?}");
        Ok(())
    }

    async fn call<I: ContractMessage, O: ContractMessage>(
        &self,
        activity: &str,
        request: &I,
    ) -> anyhow::Result<O> {
        let call = self.start(activity, request).await?;
        let answer = call.answer().await?;
        let answer = answer.map_err(|failure| anyhow!("{activity}: {failure:?}"))?;
        in_kind(self.encoding, &answer).with_context(|| activity.to_owned())
    }

    async fn start<I: ContractMessage>(
        &self,
        activity: &str,
        request: &I,
    ) -> anyhow::Result<relay::Call> {
        let input = of_a_newer_caller(self.encoding, request)?;
        relay::start(self.server, self.world, activity, input).await
    }
}

async fn lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    world
        .with_worker(&server, async {
            for started_in in Encoding::ALL {
                let task_id = world.simulator.create(Script::default());
                let handle = start_lifecycle(&server, &world, started_in, &task_id).await?;
                let nudge = UntypedSignal::new("nudge");
                let payload = RawValue::new(vec![started_in.encode(&Nudge {})?]);
                handle
                    .signal(nudge, payload, WorkflowSignalOptions::default())
                    .await?;
                for asked_in in Encoding::ALL {
                    let asked = vec![asked_in.encode(&LifecycleProgressRequest {})?];
                    progress(&handle, asked, asked_in).await?;
                }
                progress(&handle, Vec::new(), started_in).await?;

                let result: VideoTaskLifecycleResult = result(&handle, started_in).await?;
                ensure!(result.outcome == "archived", "{result:?}");
            }
            Ok(())
        })
        .await
}

/// The workflow, and its activity called by itself.
async fn swept(server: Arc<Server>) -> anyhow::Result<()> {
    let (world, account) = sweeping::world(&server, |_| {}).await?;
    world.simulator.create(Script {
        queued: Some(Duration::from_secs(3600)),
        ..Script::default()
    });
    let request = SweepVideoTasksRequest {
        account: account.clone(),
        ..SweepVideoTasksRequest::default()
    };
    let page = SweepVideoTaskPageRequest {
        account: account.clone(),
        page: Some(pages::first()),
        ..SweepVideoTaskPageRequest::default()
    };
    with_callers(&server, &world, async {
        for encoding in Encoding::ALL {
            let id = format!("{}/{}", names::sweep_workflow_id(&account), encoding.name());
            let input = of_a_newer_caller(encoding, &request)?;
            let handle = start(&server, &world, "SweepVideoTasks", id, input).await?;
            let result: SweepVideoTasksResult = result(&handle, encoding).await?;
            ensure!(result.listed == 1, "{result:?}");

            let caller = Caller {
                server: &server,
                world: &world,
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

async fn progress(
    handle: &UntypedWorkflowHandle<Client>,
    asked: Vec<Payload>,
    expected: Encoding,
) -> anyhow::Result<()> {
    let query = UntypedQuery::new("progress");
    let options = WorkflowQueryOptions::default();
    let answer = handle.query(query, RawValue::new(asked), options).await?;
    let answer = answer.payloads.first().context("no answer")?;
    let progress: LifecycleProgress = in_kind(expected, answer)?;
    ensure!(!progress.phase.is_empty(), "{progress:?}");
    Ok(())
}

async fn lost(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(
        &server,
        |simulator| simulator.running(Duration::from_secs(60)),
        |account| {
            // Long enough for a question on a machine that has much else to do.
            account.windows.query_window = Duration::from_secs(30);
            account.windows.margin = Duration::from_millis(500);
        },
    )
    .await?;
    world
        .with_worker(&server, async {
            let mut started = Vec::new();
            for encoding in Encoding::ALL {
                let task_id = world.simulator.create(Script::default());
                let handle = start_lifecycle(&server, &world, encoding, &task_id).await?;
                started.push((encoding, handle));
            }
            for (encoding, handle) in started {
                let ended = handle.get_result(WorkflowGetResultOptions::default()).await;
                let Err(WorkflowGetResultError::Failed(failure)) = ended else {
                    bail!("it did not fail");
                };
                let result: VideoTaskLifecycleResult =
                    in_kind(encoding, &details(root(&failure))?)?;
                ensure!(result.outcome == "lost", "{result:?}");
            }
            Ok(())
        })
        .await
}

async fn refused(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    with_callers(&server, &world, async {
        let mut null = Payload::default();
        null.metadata
            .insert("encoding".into(), b"binary/null".to_vec());
        let mut broken = Encoding::BinaryProtobuf.encode(&QueryVideoTaskRequest::default())?;
        broken.data = vec![0xff; 12];
        broken.metadata.remove("messageType");
        let other = Encoding::BinaryProtobuf.encode(&Manifest::default())?;
        let text = Encoding::JsonProtobuf.encode(&Manifest::default())?;
        for (payload, words) in [
            (null, "`input` is encoded as `binary/null`"),
            (broken, "`input` cannot be decoded"),
            (
                other,
                "`input` is a message `seedance.archiver.v1.Manifest`",
            ),
            (text, "`input` is a message `seedance.archiver.v1.Manifest`"),
        ] {
            for activity in ["QueryVideoTask", "ArchiveVideo", "AwaitVideoTask"] {
                let call = relay::start(&server, &world, activity, payload.clone()).await?;
                let failure = call.answer().await?.err().context("it was taken")?;
                let told = root(&failure).to_string();
                ensure!(told.starts_with(words), "{activity}: {told}");
            }
        }
        Ok(())
    })
    .await
}

async fn start_lifecycle(
    server: &Server,
    world: &World,
    encoding: Encoding,
    task_id: &str,
) -> anyhow::Result<UntypedWorkflowHandle<Client>> {
    let request = VideoTaskLifecycleRequest {
        task_id: task_id.to_owned(),
        ..VideoTaskLifecycleRequest::default()
    };
    let id = names::lifecycle_workflow_id("default", task_id);
    let input = of_a_newer_caller(encoding, &request)?;
    start(server, world, "VideoTaskLifecycle", id, input).await
}

async fn start(
    server: &Server,
    world: &World,
    workflow: &str,
    id: String,
    input: Payload,
) -> anyhow::Result<UntypedWorkflowHandle<Client>> {
    let options = WorkflowStartOptions::new(world.config.task_queue.as_str(), id).build();
    let (workflow, input) = (UntypedWorkflow::new(workflow), RawValue::new(vec![input]));
    Ok(server
        .client
        .start_workflow(workflow, input, options)
        .await?)
}

/// What a workflow returned, in the encoding that it was started in.
async fn result<T: ContractMessage>(
    handle: &UntypedWorkflowHandle<Client>,
    started_in: Encoding,
) -> anyhow::Result<T> {
    let result = handle
        .get_result(WorkflowGetResultOptions::default())
        .await?;
    in_kind(started_in, result.payloads.first().context("no result")?)
}

/// A request with a field that this version does not know.
fn of_a_newer_caller<T: ContractMessage>(
    encoding: Encoding,
    request: &T,
) -> anyhow::Result<Payload> {
    let mut payload = encoding.encode(request)?;
    match encoding {
        // Number 9999, a text.
        Encoding::BinaryProtobuf => payload.data.extend([0xfa, 0xf0, 0x04, 3, b'n', b'e', b'w']),
        Encoding::JsonPlain | Encoding::JsonProtobuf => {
            let mut json: serde_json::Value = serde_json::from_slice(&payload.data)?;
            json["of_the_future"] = serde_json::json!({"a": [1]});
            payload.data = json.to_string().into_bytes();
        }
    }
    Ok(payload)
}

/// The message in an answer, which is encoded as it was asked for and names its type.
fn in_kind<T: ContractMessage>(expected: Encoding, answer: &Payload) -> anyhow::Result<T> {
    let metadata = |key: &str| {
        let value = answer.metadata.get(key);
        value.map(|value| String::from_utf8_lossy(value).into_owned())
    };
    ensure!(
        Encoding::of(answer) == Some(expected),
        "{:?}",
        metadata("encoding")
    );
    let name = (expected != Encoding::JsonPlain).then(T::full_name);
    ensure!(
        metadata("messageType") == name,
        "{:?}",
        metadata("messageType")
    );
    Ok(encoding::decode(answer)?)
}

fn details(failure: &IncomingError) -> anyhow::Result<Payload> {
    let IncomingError::Application(failure) = failure else {
        bail!("failed as {failure:?}");
    };
    let details = failure.raw_details().and_then(|details| details.first());
    Ok(details.context("no details")?.clone())
}
