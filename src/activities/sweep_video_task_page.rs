//! `SweepVideoTaskPage`: lists one page of an account's tasks and starts a lifecycle for each task that
//! needs one. A repeated page finds the lifecycles that earlier attempts started running.

use std::time::Duration;

use futures::{StreamExt, stream};
use parking_lot::Mutex;
use seedance_archiver_policy::sweeps;
use seedance_archiver_proto::v1::{
    SweepPage, SweepVideoTaskPageRequest, SweepVideoTaskPageResult, SweepVideoTasksResult,
};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    checked_request::CheckedRequest,
    destination, failure,
    finished_tasks::{Ending, FinishedTasks},
    heartbeat,
    list_error::ListError,
    sweep_account::SweepAccount,
    sweep_task::{TaskState, TaskSweep},
    transfer_error::TransferError,
};
use crate::seedance::{Client, ErrorKind, Page, Record};

/// Maximum number of tasks that are handled concurrently.
const CONCURRENCY: usize = 16;
/// Interval between two heartbeats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// The counts so far. The heartbeat reports them.
type Progress = Mutex<SweepVideoTasksResult>;

type Call<'a> = CheckedRequest<SweepVideoTaskPageRequest, &'a SweepAccount>;

pub(super) async fn run(
    ctx: &ActivityContext,
    seedance: &Client,
    finished_tasks: &FinishedTasks,
    call: Call<'_>,
) -> Result<SweepVideoTaskPageResult, ActivityError> {
    let progress = Progress::default();
    let details = || *progress.lock();
    tokio::select! {
        result = sweep(ctx, seedance, finished_tasks, &call, &progress) => result,
        () = ctx.cancelled() => Err(ActivityError::cancelled()),
        never = heartbeat::record_every(ctx, HEARTBEAT_INTERVAL, details) => match never {},
    }
}

async fn sweep(
    ctx: &ActivityContext,
    seedance: &Client,
    finished_tasks: &FinishedTasks,
    call: &Call<'_>,
    progress: &Progress,
) -> Result<SweepVideoTaskPageResult, ActivityError> {
    let CheckedRequest {
        request, account, ..
    } = call;
    let lists = &account.account.lists;
    let page = lists.known(request.page.clone().unwrap_or_default());
    let attempt = ctx.info().attempt;
    let fail = |error| {
        let delay = sweeps::retry_delay(attempt, Duration::ZERO);
        failure::for_sweep(error, delay)
    };
    let destination = &request.destination;
    let archive =
        destination::open(&account.account, &account.archive, destination).map_err(fail)?;
    let listed = match list(seedance, account, &page, attempt).await? {
        Listing::Page(listed) => listed,
        Listing::Skipped { is_unreadable } => {
            return Ok(SweepVideoTaskPageResult {
                result: Some(SweepVideoTasksResult {
                    incomplete_lists: i64::from(is_unreadable),
                    ..SweepVideoTasksResult::default()
                }),
                next: lists.after(&page, true),
            });
        }
    };
    let tasks = TaskSweep {
        account,
        archive: &archive,
        destination,
        finished_tasks,
        clock: seedance.clock(),
        temporal: ctx.client(),
        task_queue: &ctx.info().task_queue,
    };
    let next = lists.after(&page, listed.is_last).map(|next| SweepPage {
        previous: listed.digest,
        ..next
    });
    let failed = sweep_tasks(&tasks, listed.records, progress).await;
    if let Some(FailedTasks { count, first_error }) = failed {
        if !sweeps::is_last_attempt(attempt) {
            return Err(fail(first_error));
        }
        let account = account.account.name();
        let error = first_error.message();
        tracing::warn!(account, tasks = count, error, "skipped tasks");
        progress.lock().skipped += count;
    }
    let mut result = *progress.lock();
    result.skipped += i64::try_from(listed.skipped).unwrap_or(i64::MAX);
    result.incomplete_lists = i64::from(listed.cut_off.is_some());
    report(account, &page, &result);
    Ok(SweepVideoTaskPageResult {
        result: Some(result),
        next,
    })
}

/// What follows from the request of a page.
enum Listing {
    Page(Page),
    /// The sweep continues with the next list. `is_unreadable`: the page may exist, but its response cannot be read.
    Skipped {
        is_unreadable: bool,
    },
}

/// Lists a page.
async fn list(
    seedance: &Client,
    account: &SweepAccount,
    page: &SweepPage,
    attempt: u32,
) -> Result<Listing, ActivityError> {
    let error = match seedance.list(&account.account.endpoint, page).await {
        Ok(listed) => return Ok(Listing::Page(listed)),
        Err(error) => error,
    };
    if ListError::new(&account.account.lists, page, error.kind()).is_skipped_by_sweep(attempt) {
        tracing::warn!(account = account.account.name(), ?page, %error, "skipped a page");
        return Ok(Listing::Skipped {
            is_unreadable: error.kind() == ErrorKind::Unexpected,
        });
    }
    let retry_after = error.retry_after().unwrap_or_default();
    let delay = sweeps::retry_delay(attempt, retry_after);
    Err(failure::for_list(&error, delay))
}

/// The tasks of a page that could not be handled.
struct FailedTasks {
    count: i64,
    first_error: TransferError,
}

/// Handles all tasks that can still be queried, and counts them in `progress`. Returns those that failed: one task does not
/// stop the others.
async fn sweep_tasks(
    tasks: &TaskSweep<'_>,
    records: Vec<Record>,
    progress: &Progress,
) -> Option<FailedTasks> {
    let now = tasks.clock.now();
    let account = &tasks.account.account;
    let records = records
        .into_iter()
        .filter(|record| account.is_in_query_window(record, now));
    let mut states = stream::iter(records)
        .map(|record| async move { tasks.sweep(&record).await })
        .buffer_unordered(CONCURRENCY);
    let mut failed: Option<FailedTasks> = None;
    while let Some(state) = states.next().await {
        match state {
            Ok(state) => count(&mut progress.lock(), &state),
            Err(first_error) => {
                let count = 0;
                let failed = failed.get_or_insert(FailedTasks { count, first_error });
                failed.count += 1;
            }
        }
    }
    failed
}

fn count(result: &mut SweepVideoTasksResult, state: &TaskState) {
    result.listed += 1;
    let count = match state {
        TaskState::Finished(Ending::Archived) => &mut result.archived,
        TaskState::Finished(Ending::NotArchived) => &mut result.ended,
        TaskState::Running => &mut result.running,
        TaskState::Started => &mut result.started,
    };
    *count += 1;
}

fn report(account: &SweepAccount, page: &SweepPage, result: &SweepVideoTasksResult) {
    tracing::info!(
        account = account.account.name(),
        list = page.list_name(),
        page_num = page.page_num,
        listed = result.listed,
        started = result.started,
        skipped = result.skipped,
        "swept a page"
    );
}
