//! How the SDK's workers are set up.

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

use super::boundary::Boundary;
use crate::config::{Config, Deployment, MIN_QUERY_SLOTS, Versioning};

/// Longest time for questions and waits after a shutdown was asked for. A question takes seconds; a wait is
/// for a lifecycle, would take all the time there is, and goes on elsewhere.
const LONGEST_QUERY_GRACE: Duration = Duration::from_secs(10);
/// Heartbeats carry progress that people watch.
const HEARTBEAT_THROTTLE: Duration = Duration::from_secs(1);

/// The SDK's options, by the configuration. Its workers share one view of memory and CPU.
pub(super) struct Options<'a> {
    config: &'a Config,
    controller: Option<ResourceBasedController>,
}

impl<'a> Options<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let target = config.worker.capacity.target;
        let controller = target.map(|target| {
            let options = ResourceBasedTunerOptions::builder()
                .target_memory_usage(target.memory)
                .target_cpu_usage(target.cpu)
                .build();
            ResourceBasedController::new(options)
        });
        Self { config, controller }
    }

    /// Of the query task queue.
    pub(super) fn query(&self) -> WorkerOptions {
        let capacity = &self.config.worker.capacity;
        WorkerOptions::new(self.config.task_queue.as_str())
            .graceful_shutdown_period(self.grace().min(LONGEST_QUERY_GRACE))
            .maybe_max_task_queue_activities_per_second(capacity.queries_per_second)
            .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(capacity.workflow.pollers))
            .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(capacity.query.pollers))
            .tuner(self.slots(
                capacity.workflow.slots,
                MIN_QUERY_SLOTS,
                capacity.query.slots,
            ))
            .maybe_deployment_options(self.deployment())
            .activity_inbound_interceptor(Boundary)
            .build()
    }

    /// Of the transfers task queue.
    pub(super) fn transfer(&self) -> WorkerOptions {
        let transfer = self.config.worker.capacity.transfer;
        WorkerOptions::new(names::transfers_task_queue(&self.config.task_queue))
            .graceful_shutdown_period(self.grace())
            .max_heartbeat_throttle_interval(HEARTBEAT_THROTTLE)
            .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(transfer.pollers))
            .tuner(self.slots(1, 1, transfer.slots))
            .maybe_deployment_options(self.deployment())
            .activity_inbound_interceptor(Boundary)
            .build()
    }

    fn grace(&self) -> Duration {
        self.config.worker.grace_period.0
    }

    fn slots(&self, workflow_tasks: usize, least: usize, most: usize) -> TunerHolder {
        let none_needed = || FixedSizeSlotSupplier::new(1);
        TunerHolder::builder()
            .workflow_task_slot_supplier(FixedSizeSlotSupplier::new(workflow_tasks))
            .activity_task_slot_supplier(self.activity_slots(least, most))
            .local_activity_task_slot_supplier(none_needed())
            .nexus_task_slot_supplier(none_needed())
            .build()
    }

    /// Activities take what there is to be had, but never so little that nothing would go on. Workflow tasks cost
    /// next to nothing.
    fn activity_slots(&self, least: usize, most: usize) -> SlotSupplier {
        match &self.controller {
            None => FixedSizeSlotSupplier::new(most).into(),
            Some(controller) => {
                let options = ResourceBasedSlotOptions::builder()
                    .minimum_slots(least)
                    .maximum_slots(most)
                    .build();
                ResourceBasedSlotsForType::with_controller(controller.clone(), options).into()
            }
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
