//! The requests of a watcher, to the API and to Temporal. Each one owns what it needs, so that many run concurrently.

use std::{sync::Arc, time::SystemTime};

use futures::{FutureExt, future::BoxFuture};
use seedance_archiver_policy::{poll::is_later_status, watch::Waiting};
use seedance_archiver_proto::{
    names::{ARCHIVE_ACTIVITY_ID, RECORD_ACTIVITY_ID, RECORD_AGAIN_ACTIVITY_ID, search_attribute},
    status,
    v1::{QueryVideoTaskResult, SweepPage},
};
use temporalio_client::Client;
use temporalio_sdk::activities::ActivityContext;

use crate::{
    activities::{
        finished_tasks::FinishedTasks,
        sweep_account::SweepAccount,
        sweep_task::{TaskState, TaskSweep},
        task_queries::TaskQueries,
    },
    config::Account,
    seedance::{self, ListedTasks, Page, Record, created_at_in_id},
    temporal::{
        error_text,
        lifecycles::{Lifecycle, LifecycleError, LifecycleSnapshot, OpenLifecycles},
        sweeps::pause::SchedulePause,
    },
};

/// The account, the API and Temporal, as the requests need them.
pub(super) struct Requests<'a> {
    pub(super) temporal: Client,
    pub(super) task_queue: String,
    pub(super) queries: &'a TaskQueries,
    pub(super) account: &'a SweepAccount,
    lifecycles: OpenLifecycles,
    finished_tasks: &'a FinishedTasks,
    sweep_pause: SchedulePause,
}

/// Returns whether a lifecycle knows that its task has ended. If it is between two activities, it may still wait for it.
fn has_ended_waiting(lifecycle: &LifecycleSnapshot) -> bool {
    lifecycle.pending.as_ref().is_some_and(|pending| {
        [
            ARCHIVE_ACTIVITY_ID,
            RECORD_ACTIVITY_ID,
            RECORD_AGAIN_ACTIVITY_ID,
        ]
        .contains(&pending.activity.as_str())
    })
}

/// The effect of a delivery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Delivery {
    /// The lifecycle has the record now.
    Delivered,
    /// The lifecycle knew the status already, or has ended.
    Known,
    /// The lifecycle does not wait at the moment.
    NotWaiting,
}

impl<'a> Requests<'a> {
    pub(super) fn new(
        ctx: &ActivityContext,
        queries: &'a TaskQueries,
        account: &'a SweepAccount,
        finished_tasks: &'a FinishedTasks,
    ) -> Self {
        let task_queue = ctx.info().task_queue.clone();
        Self {
            temporal: ctx.client(),
            lifecycles: OpenLifecycles::new(account.account.name(), &task_queue),
            task_queue,
            queries,
            account,
            finished_tasks,
            sweep_pause: SchedulePause::new(account.account.name()),
        }
    }

    pub(super) fn account(&self) -> &'a Arc<Account> {
        &self.account.account
    }

    /// Returns the time on the worker's clock.
    pub(super) fn now(&self) -> SystemTime {
        self.queries.seedance().clock().now()
    }

    /// Finds the lifecycles that may wait: those that started after a time of the server's clock, or all.
    pub(super) async fn waiting(
        &self,
        started_after: Option<SystemTime>,
    ) -> Result<(Vec<Waiting>, Option<SystemTime>), String> {
        let open = self.lifecycles.list(&self.temporal, started_after).await;
        let open = open.map_err(|error| error_text::innermost(&error))?;
        let newest = open.iter().map(|it| it.started_at).max();
        let clock = self.queries.seedance().clock();
        let waiting = open.into_iter().map(|it| Waiting {
            id_created_at: created_at_in_id(&it.task_id),
            task_id: it.task_id,
            known_status: it.status,
            started_at: clock.at(it.started_at),
        });
        Ok((waiting.collect(), newest))
    }

    pub(super) async fn list(&self, page: &SweepPage) -> Result<Page, seedance::Error> {
        let seedance = self.queries.seedance();
        seedance.list(&self.account().endpoint, page).await
    }

    pub(super) async fn list_tasks(
        &self,
        list: &SweepPage,
        ids: &[String],
    ) -> Result<ListedTasks, seedance::Error> {
        let seedance = self.queries.seedance();
        seedance
            .list_tasks(&self.account().endpoint, list, ids)
            .await
    }

    /// Queries a task whose query window is open. `created_at` is its creation time, possibly an estimate.
    pub(super) async fn query(
        &self,
        id: &str,
        created_at: SystemTime,
    ) -> Option<Result<Record, seedance::Error>> {
        let seedance = self.queries.seedance();
        let _hold = seedance.clock().hold().await;
        let windows = &self.account().windows;
        let left = windows.until_closed(created_at, seedance.clock().now());
        if left.is_zero() {
            return None;
        }
        let endpoint = &self.account().endpoint;
        Some(seedance.query_in_window(endpoint, id, left).await)
    }

    /// Delivers a record to the lifecycle of its task.
    pub(super) async fn deliver(
        &self,
        result: QueryVideoTaskResult,
    ) -> Result<Delivery, LifecycleError> {
        let account = self.account().name();
        let lifecycle = Lifecycle::for_task(&self.temporal, account, &result.id);
        // A lifecycle that waits knows no terminal status. But a callback, or an earlier watcher, may have delivered this
        // one, and the lifecycle would wait again with a longer history.
        if !status::is_terminal(&result.status) {
            let Some(snapshot) = lifecycle.describe_latest().await? else {
                return Ok(Delivery::NotWaiting);
            };
            let known = snapshot.search_attributes.get(search_attribute::STATUS);
            if !is_later_status(&result.status, known) {
                return Ok(Delivery::Known);
            }
        }
        if lifecycle.complete_query(result).await? {
            return Ok(Delivery::Delivered);
        }
        let latest = lifecycle.describe_latest().await?;
        Ok(match latest.filter(|latest| latest.execution.is_open()) {
            Some(latest) if !has_ended_waiting(&latest) => Delivery::NotWaiting,
            _ => Delivery::Known,
        })
    }

    /// Makes a lifecycle poll its task itself.
    pub(super) async fn nudge(&self, task_id: &str) -> Result<(), LifecycleError> {
        let account = self.account().name();
        Lifecycle::for_task(&self.temporal, account, task_id)
            .nudge()
            .await
    }

    /// Starts the lifecycle of a listed task if it needs one. Returns whether it was started. While sweeps are paused, the
    /// task is left to the first one after the pause.
    pub(super) fn sweep(&self, record: Record) -> BoxFuture<'_, Result<bool, String>> {
        let tasks = TaskSweep {
            account: self.account,
            archive: &self.account.archive,
            destination: "",
            finished_tasks: self.finished_tasks,
            clock: self.queries.seedance().clock(),
            temporal: self.temporal.clone(),
            task_queue: &self.task_queue,
        };
        async move {
            if self.sweep_pause.is_paused(&self.temporal).await {
                return Ok(false);
            }
            match tasks.sweep(&record).await {
                Ok(state) => Ok(matches!(state, TaskState::Started)),
                Err(error) => Err(error.message().to_owned()),
            }
        }
        .boxed()
    }
}
