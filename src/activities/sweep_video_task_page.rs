//! `SweepVideoTaskPage`: lists a page of an account's tasks and starts a lifecycle for each that has
//! nothing. Run again, it finds running what it has started.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use futures::{StreamExt, stream};
use reqwest::Url;
use seedance_archiver_policy::pages;
use seedance_archiver_proto::{
    time::from_unix_seconds,
    v1::{
        SweepPage, SweepVideoTaskPageRequest, SweepVideoTaskPageResult, SweepVideoTasksResult,
        VideoTaskLifecycleRequest,
    },
};
use seedance_archiver_workflows::{
    invalid_request::InvalidRequest, reply::Reply, request::Request,
};
use temporalio_client::Client as TemporalClient;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    ServeError, beat, failure,
    fault::Fault,
    per_account::PerAccount,
    settled::{How, Settled},
    transfers::archive_at,
};
use crate::{
    archive::{Archive, receipt},
    config::{Account, Accounts},
    seedance::{self, Client, ErrorKind, RateLimit, Record},
    temporal::lifecycles::{self, Lifecycle},
};

/// Tasks that are looked at or started at once.
const AT_ONCE: usize = 16;
/// Time before the second attempt at a page. It doubles with each one.
const RETRY: Duration = Duration::from_secs(2);
/// Longest time between two attempts, where the service does not ask for more.
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// Attempts at what may never do, before what is behind it has its turn.
const ATTEMPTS: u32 = 6;
/// How often progress is told.
const BEAT: Duration = Duration::from_secs(1);
/// Time before a lifecycle that came to its end without a trace in the archive is begun again: an
/// unknown task has none, and would be begun again by each sweep.
const BEGIN_AGAIN: Duration = Duration::from_secs(60 * 60);
/// Longest time that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// What sweeps need, on the query task queue.
#[derive(Clone)]
pub struct SweepActivities {
    seedance: Client,
    served: Arc<PerAccount<Served>>,
    settled: Arc<Settled>,
}

/// An account, and what its sweeps need.
struct Served {
    account: Arc<Account>,
    archive: Archive,
    /// As slow as the account's questions: every start is followed by one.
    starts: RateLimit,
}

#[activities]
impl SweepActivities {
    /// Starts what is missing on a page, and tells which comes next.
    #[activity(name = "SweepVideoTaskPage")]
    pub async fn sweep_video_task_page(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<SweepVideoTaskPageRequest>,
    ) -> Result<Reply<SweepVideoTaskPageResult>, ActivityError> {
        let encoding = request.encoding();
        let request = request.check().map_err(failure::invalid_request)?;
        let progress = Progress::default();
        tokio::select! {
            swept = self.run(&ctx, request, &progress) => swept.map(|swept| Reply::new(swept, encoding)),
            () = ctx.cancelled() => Err(ActivityError::cancelled()),
            never = beat::tell_on(&ctx, BEAT, || progress.get()) => match never {},
        }
    }
}

impl SweepActivities {
    /// Activities that serve these accounts, whose videos are archived to `archive_url`.
    pub fn new(
        accounts: Accounts,
        seedance: Client,
        archive_url: &Url,
    ) -> Result<Self, ServeError> {
        let serve = |account: &Arc<Account>| {
            Ok(Served {
                account: account.clone(),
                archive: Archive::open_with(archive_url, account.archive.objects.clone())?,
                starts: account.endpoint.query_limit.separate(),
            })
        };
        Ok(Self {
            seedance,
            served: Arc::new(PerAccount::new(accounts, serve)?),
            settled: Arc::default(),
        })
    }

    async fn run(
        &self,
        ctx: &ActivityContext,
        request: SweepVideoTaskPageRequest,
        progress: &Progress,
    ) -> Result<SweepVideoTaskPageResult, ActivityError> {
        let served = self.served.get(&request.account)?;
        let page = request.page.clone().unwrap_or_default();
        let attempt = ctx.info().attempt;
        let archive = archive_at(&served.archive, &request.destination)
            .map_err(|fault| look_failed(fault, attempt))?;
        let listed = match self.seedance.list(&served.account.endpoint, &page).await {
            Ok(listed) => listed,
            Err(error) if is_hopeless(&error, &page, attempt) => {
                tracing::warn!(account = served.account.name(), ?page, %error, "passed over a page");
                return Ok(SweepVideoTaskPageResult {
                    result: None,
                    next: pages::after(&page, true),
                });
            }
            Err(error) => return Err(list_failed(error, attempt)),
        };
        let sweep = Sweep {
            served,
            archive,
            settled: &self.settled,
            temporal: ctx.client(),
            task_queue: &ctx.info().task_queue,
            request: &request,
        };
        let (result, fault) = sweep.all(listed.records, progress).await;
        match fault {
            // The next sweep looks at it again: nothing behind it is to wait for it.
            Some(fault) if attempt >= ATTEMPTS => {
                let error = look_failed(fault, attempt);
                tracing::warn!(
                    account = served.account.name(),
                    ?error,
                    "passed over a task"
                );
            }
            Some(fault) => return Err(look_failed(fault, attempt)),
            None => {}
        }
        tell(&served.account, &page, &result);
        Ok(SweepVideoTaskPageResult {
            result: Some(result),
            next: pages::after(&page, listed.is_last),
        })
    }
}

fn tell(account: &Account, page: &SweepPage, result: &SweepVideoTasksResult) {
    tracing::info!(
        account = account.name(),
        service_tier = page.service_tier,
        page_num = page.page_num,
        listed = result.listed,
        started = result.started,
        "swept a page"
    );
}

/// One page being swept.
struct Sweep<'a> {
    served: &'a Served,
    archive: Archive,
    settled: &'a Settled,
    temporal: TemporalClient,
    task_queue: &'a str,
    request: &'a SweepVideoTaskPageRequest,
}

/// What a task was found to be.
enum State {
    Settled(How),
    Running,
    Started,
}

impl Sweep<'_> {
    async fn all(
        &self,
        records: Vec<Record>,
        progress: &Progress,
    ) -> (SweepVideoTasksResult, Option<Fault>) {
        let now = SystemTime::now();
        let records = records
            .into_iter()
            .filter(|record| self.served.account.is_in_query_window(record, now));
        let (mut result, mut fault) = (SweepVideoTasksResult::default(), None);
        let mut states = stream::iter(records)
            .map(|record| self.one(record))
            .buffer_unordered(AT_ONCE);
        while let Some(state) = states.next().await {
            let state = match state {
                Ok(state) => state,
                Err(error) => {
                    fault.get_or_insert(error);
                    continue;
                }
            };
            result.listed += 1;
            match state {
                State::Settled(How::Archived) => result.archived += 1,
                State::Settled(How::Ended) => result.ended += 1,
                State::Running => result.running += 1,
                State::Started => result.started += 1,
            }
            progress.set(result);
        }
        (result, fault)
    }

    async fn one(&self, record: Record) -> Result<State, Fault> {
        if let Some(how) = self.settled_how(&record).await? {
            return Ok(State::Settled(how));
        }
        let lifecycle = Lifecycle::of(&self.temporal, self.served.account.name(), record.id());
        match lifecycle.describe_latest().await.map_err(Fault::temporal)? {
            Some(latest) if latest.execution.is_open() => return Ok(State::Running),
            Some(latest)
                if latest.execution.is_finished()
                    && from_unix_seconds(latest.ended_at).is_some_and(is_recent) =>
            {
                return Ok(State::Settled(How::Ended));
            }
            _ => {}
        }
        self.served.starts.wait().await;
        let request = VideoTaskLifecycleRequest {
            task_id: record.id().to_owned(),
            account: self.served.account.name().to_owned(),
            destination: self.request.destination.clone(),
            // Nobody waits for the result.
            ..VideoTaskLifecycleRequest::default()
        };
        let started = lifecycles::start_new(&self.temporal, self.task_queue, request).await;
        match started.map_err(Fault::temporal)? {
            true => Ok(State::Started),
            false => Ok(State::Running),
        }
    }

    async fn settled_how(&self, record: &Record) -> Result<Option<How>, Fault> {
        let account = &self.served.account;
        let layout = account.layout(&self.archive.root, &record.without_urls());
        let receipt_url = self.archive.url_of(&layout.manifest());
        let now = Instant::now();
        if let Some(how) = self.settled.get(&receipt_url, now) {
            return Ok(Some(how));
        }
        let how = if receipt::exists(&self.archive, &layout).await? {
            How::Archived
        } else if receipt::has_outcome(&self.archive, &layout).await? {
            How::Ended
        } else {
            return Ok(None);
        };
        self.settled.remember(receipt_url, how, now);
        Ok(Some(how))
    }
}

fn is_recent(time: SystemTime) -> bool {
    // A clock that is behind the server's makes it recent too.
    time.elapsed().unwrap_or_default() < BEGIN_AGAIN
}

/// How far a page is, for whoever looks.
#[derive(Default)]
struct Progress(Mutex<SweepVideoTasksResult>);

impl Progress {
    fn set(&self, result: SweepVideoTasksResult) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = result;
    }

    fn get(&self) -> SweepVideoTasksResult {
        let result = self.0.lock();
        *result.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this page will not come, however often it is asked for: the service does not know the tier or so
/// many pages, or what it answers cannot be read.
fn is_hopeless(error: &seedance::Error, page: &SweepPage, attempt: u32) -> bool {
    let is_first = *page == pages::first();
    match error.kind() {
        ErrorKind::Rejected | ErrorKind::Unsupported => !is_first,
        ErrorKind::Unexpected => attempt >= ATTEMPTS,
        _ => false,
    }
}

fn list_failed(error: seedance::Error, attempt: u32) -> ActivityError {
    let asked_for = error.retry_after().unwrap_or_default().min(LONGEST_WAIT);
    let delay = retry(attempt).max(asked_for);
    let message = format!(
        "cannot list tasks: {error}; next attempt in {}",
        failure::seconds(delay)
    );
    match error.kind() {
        ErrorKind::Unsupported => {
            let invalid = InvalidRequest::new("account", format!("cannot be swept: {error}"));
            failure::invalid_request(invalid)
        }
        ErrorKind::Throttled => failure::still_waiting(message, delay),
        _ => failure::retried(message, error.failure_type(), delay),
    }
}

fn look_failed(fault: Fault, attempt: u32) -> ActivityError {
    match fault {
        Fault::Invalid(error) => failure::invalid_request(error),
        Fault::Cancelled => ActivityError::cancelled(),
        Fault::Conflict(error) => {
            failure::retried(error.to_string(), error.failure_type(), retry(attempt))
        }
        Fault::Passing(fault) => {
            failure::retried(fault.message, fault.failure_type, retry(attempt))
        }
    }
}

fn retry(attempt: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
    RETRY.saturating_mul(doubled).min(LONGEST_RETRY)
}
