//! Polls a Nexus task queue and passes the requests to the service.
//!
//! The SDK cannot serve Nexus operations (temporalio/sdk-rust#1145), but its core can. Everything that touches core's API
//! is in this file. Once the SDK serves them, register `nexus::Service` with the `WorkerOptions` of an SDK worker for the
//! Nexus task queue, run it with the `supervisor` as the other two, and delete this file, `worker::nexus` and the
//! dependency `temporalio-sdk-core`.

use std::{sync::Arc, time::Duration};

use temporalio_client::{Client, NamespacedClient};
use temporalio_common::{
    protos::{
        coresdk::nexus::{NexusTaskCompletion, nexus_task, nexus_task_completion},
        temporal::api::{
            enums::v1::NexusHandlerErrorRetryBehavior,
            failure::v1::{Failure, NexusHandlerFailureInfo, failure::FailureInfo},
            workflowservice::v1::PollNexusTaskQueueResponse,
        },
    },
    worker::{WorkerDeploymentOptions, WorkerTaskTypes},
};
use temporalio_sdk_core::{
    CoreRuntime, PollError, PollerBehavior, RuntimeOptions, Worker, WorkerConfig,
    WorkerVersioningStrategy, init_worker,
};
use tokio::task::JoinSet;

use crate::{
    nexus::{HandlerError, Service},
    temporal::error_text,
};

/// Maximum number of concurrent requests. Each takes a few calls to Temporal.
const MAX_REQUESTS: usize = 100;
/// Number of concurrent long polls. Requests are short, so a poll is soon free again.
const POLLS: usize = 2;
/// How long requests may take after a shutdown was requested: as long as at any time.
const GRACE_PERIOD: Duration = Duration::from_secs(10);

/// Where and as whom a poller polls.
#[derive(Clone)]
pub(super) struct Options {
    pub(super) task_queue: String,
    pub(super) identity: String,
    /// As for the SDK workers. `None`: without worker versioning.
    pub(super) deployment: Option<WorkerDeploymentOptions>,
}

/// A poller of a Nexus task queue, which polls until it is stopped or rejected.
pub(super) struct NexusPoller {
    worker: Arc<Worker>,
    /// Worker heartbeats use it.
    _runtime: CoreRuntime,
}

impl NexusPoller {
    /// Creates a poller. It does not poll before [`NexusPoller::run`].
    ///
    /// # Errors
    ///
    /// Returns the reason if core rejects the options.
    pub(super) fn new(client: &Client, options: Options) -> Result<Self, String> {
        let runtime = CoreRuntime::new_assume_tokio(RuntimeOptions::default())
            .map_err(|error| error.to_string())?;
        let versioning = match options.deployment {
            Some(deployment) => WorkerVersioningStrategy::WorkerDeploymentBased(deployment),
            None => WorkerVersioningStrategy::None {
                build_id: env!("CARGO_PKG_VERSION").to_owned(),
            },
        };
        let config = WorkerConfig::builder()
            .namespace(client.namespace())
            .task_queue(options.task_queue)
            .client_identity_override(options.identity)
            .task_types(WorkerTaskTypes {
                enable_workflows: false,
                enable_local_activities: false,
                enable_remote_activities: false,
                enable_nexus: true,
            })
            .max_outstanding_nexus_tasks(MAX_REQUESTS)
            .nexus_task_poller_behavior(PollerBehavior::SimpleMaximum(POLLS))
            .graceful_shutdown_period(GRACE_PERIOD)
            .versioning_strategy(versioning)
            .build()?;
        let worker = init_worker(&runtime, config, client.connection().clone())
            .map_err(|error| error.to_string())?;
        Ok(Self {
            worker: Arc::new(worker),
            _runtime: runtime,
        })
    }

    /// Polls until `stop` resolves, then completes the requests that it received.
    ///
    /// # Errors
    ///
    /// Returns the reason if the server rejects the polls for a minute. The requests that it received are completed then too.
    pub(super) async fn run(
        &self,
        service: &Service,
        stop: impl Future<Output = ()>,
    ) -> Result<(), String> {
        let worker = &self.worker;
        if let Err(error) = worker.validate().await {
            worker.initiate_shutdown();
            return Err(error_text::innermost(&error));
        }
        tokio::pin!(stop);
        let mut is_stopping = false;
        let mut ended = Ok(());
        let mut requests = JoinSet::new();
        loop {
            tokio::select! {
                polled = worker.poll_nexus_task() => match polled {
                    Ok(task) => match task.variant {
                        Some(nexus_task::Variant::Task(task)) => {
                            requests.spawn(answer(worker.clone(), service.clone(), task));
                        }
                        // The service has its own timeout, which is shorter.
                        Some(nexus_task::Variant::CancelTask(_)) | None => {}
                    },
                    // Core reports this once every request is completed.
                    Err(PollError::ShutDown) => break,
                    Err(PollError::TonicError(status)) => {
                        ended = Err(error_text::innermost(&status));
                        worker.initiate_shutdown();
                    }
                },
                Some(_) = requests.join_next() => {}
                () = &mut stop, if !is_stopping => {
                    is_stopping = true;
                    worker.initiate_shutdown();
                }
            }
        }
        worker.shutdown().await;
        ended
    }
}

/// Answers a request and reports the answer. If that fails, the caller's server sends the request again.
async fn answer(worker: Arc<Worker>, service: Service, task: PollNexusTaskQueueResponse) {
    let answer = service.handle(task.request.unwrap_or_default()).await;
    let status = match answer {
        Ok(response) => nexus_task_completion::Status::Completed(response),
        Err(error) => nexus_task_completion::Status::Failure(failure(&error)),
    };
    let completion = NexusTaskCompletion {
        task_token: task.task_token,
        status: Some(status),
    };
    if let Err(error) = worker.complete_nexus_task(completion).await {
        tracing::error!(error = error.to_string(), "cannot complete a Nexus request");
    }
}

fn failure(error: &HandlerError) -> Failure {
    let retry_behavior = match error.is_retryable() {
        true => NexusHandlerErrorRetryBehavior::Retryable,
        false => NexusHandlerErrorRetryBehavior::NonRetryable,
    };
    Failure {
        message: error.message(),
        failure_info: Some(FailureInfo::NexusHandlerFailureInfo(
            NexusHandlerFailureInfo {
                r#type: error.error_type().to_owned(),
                retry_behavior: retry_behavior.into(),
            },
        )),
        ..Failure::default()
    }
}
