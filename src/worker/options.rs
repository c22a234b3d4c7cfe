//! The options of the two SDK workers, and of the Nexus poller.

use std::time::Duration;

use seedance_archiver_proto::names;
use temporalio_common::worker::{
    VersioningBehavior, WorkerDeploymentOptions, WorkerDeploymentVersion,
};
use temporalio_sdk::{
    WorkerOptions,
    runtime::{
        PollerBehavior,
        worker_tuner::{
            FixedSizeSlotSupplier, ResourceBasedController, ResourceBasedSlotOptions,
            ResourceBasedSlotsForType, ResourceBasedTunerOptions, SlotSupplier, TunerHolder,
        },
    },
};

use super::{failure_interceptor::FailureInterceptor, nexus_poller};
use crate::config::{Config, Deployment, MIN_QUERY_SLOTS, Versioning};

/// Number of lifecycles that are kept in memory, about 80 KB each. Others are replayed when something happens to them, which
/// is seldom, and their histories are short.
const MAX_CACHED_WORKFLOWS: usize = 500;
/// Maximum grace period of the query worker. A query takes seconds. A held `AwaitVideoTask` would use up any
/// grace period, and another worker continues it.
const MAX_QUERY_GRACE_PERIOD: Duration = Duration::from_secs(10);
/// Interval at which the SDK sends the last heartbeat: by default 0.8 of the heartbeat timeout. After a crash, another
/// worker downloads again what this one stored since.
const MAX_HEARTBEAT_THROTTLE_INTERVAL: Duration = Duration::from_secs(1);

/// The options of the two SDK workers and of the Nexus poller, from the configuration.
pub(super) struct SdkOptions {
    config: Config,
    identity: String,
    /// Adjusts the slots of both workers to the memory and CPU usage. `None` for fixed numbers of slots.
    controller: Option<ResourceBasedController>,
}

impl SdkOptions {
    /// Returns options with this identity of the worker.
    pub(super) fn new(config: Config, identity: String) -> Self {
        let target = config.worker.capacity.target;
        let controller = target.map(|target| {
            let options = ResourceBasedTunerOptions::builder()
                .target_memory_usage(target.memory)
                .target_cpu_usage(target.cpu)
                .build();
            ResourceBasedController::new(options)
        });
        Self {
            config,
            identity,
            controller,
        }
    }

    /// Returns the task queue of the workflows and queries.
    pub(super) fn workflow_queue(&self) -> &str {
        &self.config.task_queue
    }

    /// Returns the options for the query task queue.
    pub(super) fn query(&self) -> WorkerOptions {
        let capacity = &self.config.worker.capacity;
        WorkerOptions::new(self.config.task_queue.as_str())
            .client_identity_override(&self.identity)
            .graceful_shutdown_period(self.grace_period().min(MAX_QUERY_GRACE_PERIOD))
            .max_cached_workflows(MAX_CACHED_WORKFLOWS)
            .maybe_max_task_queue_activities_per_second(capacity.queries_per_second)
            .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(capacity.workflow.pollers))
            .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(capacity.query.pollers))
            .tuner(self.slots(
                capacity.workflow.slots,
                MIN_QUERY_SLOTS,
                capacity.query.slots,
            ))
            .maybe_deployment_options(self.deployment())
            .activity_inbound_interceptor(FailureInterceptor)
            .build()
    }

    /// Returns the options for the transfers task queue.
    pub(super) fn transfer(&self) -> WorkerOptions {
        let transfer = self.config.worker.capacity.transfer;
        WorkerOptions::new(names::transfers_task_queue(&self.config.task_queue))
            .client_identity_override(&self.identity)
            .graceful_shutdown_period(self.grace_period())
            .max_heartbeat_throttle_interval(MAX_HEARTBEAT_THROTTLE_INTERVAL)
            .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(transfer.pollers))
            .tuner(self.slots(1, 1, transfer.slots))
            .maybe_deployment_options(self.deployment())
            .activity_inbound_interceptor(FailureInterceptor)
            .build()
    }

    fn grace_period(&self) -> Duration {
        self.config.worker.grace_period.0
    }

    fn slots(
        &self,
        workflow_tasks: usize,
        min_activities: usize,
        max_activities: usize,
    ) -> TunerHolder {
        // The SDK workers have no local activities and no Nexus tasks, but the SDK requires a slot.
        let unused = || FixedSizeSlotSupplier::new(1);
        TunerHolder::builder()
            .workflow_task_slot_supplier(FixedSizeSlotSupplier::new(workflow_tasks))
            .activity_task_slot_supplier(self.activity_slots(min_activities, max_activities))
            .local_activity_task_slot_supplier(unused())
            .nexus_task_slot_supplier(unused())
            .build()
    }

    /// Returns the slots for activities: a fixed number, or as many as memory and CPU allow within the bounds.
    fn activity_slots(&self, min: usize, max: usize) -> SlotSupplier {
        match &self.controller {
            None => FixedSizeSlotSupplier::new(max).into(),
            Some(controller) => {
                let options = ResourceBasedSlotOptions::builder()
                    .minimum_slots(min)
                    .maximum_slots(max)
                    .build();
                ResourceBasedSlotsForType::with_controller(controller.clone(), options).into()
            }
        }
    }

    /// Returns the options for the Nexus task queue.
    pub(super) fn nexus(&self) -> nexus_poller::Options {
        nexus_poller::Options {
            task_queue: names::nexus_task_queue(&self.config.task_queue),
            identity: self.identity.clone(),
            deployment: self.deployment(),
        }
    }

    fn deployment(&self) -> Option<WorkerDeploymentOptions> {
        let Deployment {
            name,
            build_id,
            versioning,
        } = self.config.worker.deployment.as_ref()?;
        let version = WorkerDeploymentVersion::builder()
            .deployment_name(name.as_str())
            .build_id(build_id.as_str())
            .build();
        let behavior = match versioning {
            Versioning::AutoUpgrade => VersioningBehavior::AutoUpgrade,
            Versioning::Pinned => VersioningBehavior::Pinned,
        };
        Some(
            WorkerDeploymentOptions::new(version)
                .use_worker_versioning(true)
                .default_versioning_behavior(behavior)
                .build(),
        )
    }
}
