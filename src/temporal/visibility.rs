//! Counts the open lifecycles and finds their earliest deadline, and counts the drafts that expire and the events that are
//! overdue, for metrics.
//!
//! The source is Temporal's visibility store, because a worker knows only the lifecycles that it runs itself.

use std::{
    convert::Infallible,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;
use metrics::{counter, gauge};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{
    names::{LIFECYCLE_WORKFLOW, search_attribute},
    status,
};
use temporalio_client::{Client, WorkflowCountOptions, errors::ClientError};
use tokio::time::MissedTickBehavior;

use super::{
    error_text,
    events::{self, OVERDUE},
    lifecycles::{self, DraftFilter},
    search_attributes::{self, Registered},
};
use crate::{
    config::{Account, Accounts},
    telemetry::{
        metrics::{
            DRAFTS_EXPIRING, EVENTS_OVERDUE, OLDEST_DEADLINE, OPEN_LIFECYCLES, STOPPED_LIFECYCLES,
            VISIBILITY_ERRORS,
        },
        rare::RareEvent,
    },
};

/// Interval between two updates of the metrics.
const UPDATE_INTERVAL: Duration = Duration::from_secs(60);
/// How long a lifecycle that Temporal ended is counted.
const STOPPED_WINDOW: Duration = Duration::from_secs(60 * 60);
/// How much time is left for a draft that is counted, at most.
const DRAFT_EXPIRES_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);
/// Maximum number of drafts of an account that are counted, because their finals are looked up.
const MAX_DRAFTS: usize = 1000;
/// Precision of the earliest deadline.
const DEADLINE_PRECISION: Duration = Duration::from_secs(60);
/// How long ago the earliest deadline may have passed.
const MAX_DEADLINE_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// How far in the future the earliest deadline may be.
const MAX_TIME_LEFT: Duration = Duration::from_secs(32 * 24 * 60 * 60);

/// The label `status` of lifecycles without search attributes: they are written after the first record.
const UNSEEN: &str = "unseen";
/// Statuses that the task of an open lifecycle can have.
const OPEN_STATUSES: [&str; 3] = [status::QUEUED, status::RUNNING, status::SUCCEEDED];

/// Updates the metrics at a fixed interval. Never returns: run it beside a worker. Without search attributes,
/// each update fails.
pub(crate) async fn update_metrics(client: &Client, accounts: &Accounts) -> Infallible {
    let mut event = RareEvent::default();
    let mut ticks = tokio::time::interval(UPDATE_INTERVAL);
    // Do not burden a slow server with queries for missed ticks.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = update_all(client, accounts).await {
            counter!(VISIBILITY_ERRORS).increment(1);
            if event.is_due(&error) {
                tracing::warn!(error, "cannot count the open lifecycles");
            }
        }
    }
}

async fn update_all(client: &Client, accounts: &Accounts) -> Result<(), String> {
    let missing = search_attributes::missing(client).await;
    let missing = missing.map_err(|status| error_text::innermost(&status))?;
    let registered = Registered::without(&missing);
    if !registered.of_tasks {
        return Err(
            "the namespace lacks search attributes; run `seedance-archiver setup`".to_owned(),
        );
    }
    let mut result = Ok(());
    // If one account fails, the others are still updated.
    for account in accounts.iter() {
        result = result.and(update_account(client, account).await);
    }
    if result.is_ok() {
        result = update_unseen(client).await;
    }
    if result.is_ok() {
        result = update_stopped(client).await;
    }
    // Also without a webhook: events wait if a rollout lost its settings.
    for account in accounts.iter() {
        result = result.and(update_events(client, account).await);
    }
    // Last: no alert of a video depends on it.
    if registered.of_drafts {
        for account in accounts.iter() {
            result = result.and(update_drafts(client, account).await);
        }
    }
    result.map_err(|error| error_text::innermost(&error))
}

async fn update_account(client: &Client, account: &Account) -> Result<(), ClientError> {
    let query = open_query_of(account);
    for status in OPEN_STATUSES {
        let attribute = search_attribute::STATUS;
        let open = count(client, format!("{query} AND {attribute} = '{status}'")).await?;
        set_open_lifecycles(account.name(), status, open);
    }
    let deadline = earliest_deadline(client, &query).await?;
    let since_epoch = deadline.and_then(|deadline| deadline.duration_since(UNIX_EPOCH).ok());
    let timestamp = since_epoch.map_or(f64::INFINITY, |time| time.as_secs_f64());
    gauge!(OLDEST_DEADLINE, "account" => account.name().to_owned()).set(timestamp);
    Ok(())
}

/// Counts the drafts of an account of which a final can be made for not much longer, and none is known.
async fn update_drafts(client: &Client, account: &Account) -> Result<(), ClientError> {
    let filter = DraftFilter {
        account: Some(account.name().to_owned()),
        now: Clock::default().now(),
        within: Some(DRAFT_EXPIRES_WITHIN),
    };
    let found = lifecycles::drafts(client, &filter, MAX_DRAFTS).await?;
    let without_final = found
        .drafts
        .iter()
        .filter(|draft| draft.finals.is_empty())
        .count();
    gauge!(DRAFTS_EXPIRING, "account" => account.name().to_owned()).set(without_final as f64);
    Ok(())
}

async fn update_unseen(client: &Client) -> Result<(), ClientError> {
    let query = format!("{} AND {} IS NULL", open_query(), search_attribute::STATUS);
    // Without search attributes, the account is unknown too.
    set_open_lifecycles("", UNSEEN, count(client, query).await?);
    Ok(())
}

/// Counts the lifecycles that Temporal ended: no code of theirs ran, so no worker counted the end.
async fn update_stopped(client: &Client) -> Result<(), ClientError> {
    let since = Clock::default().now() - STOPPED_WINDOW;
    let since = Timestamp::try_from(since).unwrap_or(Timestamp::MAX);
    let query = format!(
        "WorkflowType = '{LIFECYCLE_WORKFLOW}' AND ExecutionStatus IN ('Terminated', 'TimedOut') AND CloseTime > \
         '{since}'"
    );
    gauge!(STOPPED_LIFECYCLES).set(count(client, query).await? as f64);
    Ok(())
}

/// Counts the events of an account that its webhook has not accepted for too long.
async fn update_events(client: &Client, account: &Account) -> Result<(), ClientError> {
    let overdue_since = Clock::default().now() - OVERDUE;
    let overdue = events::count_undelivered(client, account.name(), overdue_since).await?;
    gauge!(EVENTS_OVERDUE, "account" => account.name().to_owned()).set(overdue as f64);
    Ok(())
}

fn set_open_lifecycles(account: &str, status: &'static str, open: usize) {
    let labels = [
        ("account", account.to_owned()),
        ("status", status.to_owned()),
    ];
    gauge!(OPEN_LIFECYCLES, &labels).set(open as f64);
}

fn open_query() -> String {
    format!("WorkflowType = '{LIFECYCLE_WORKFLOW}' AND ExecutionStatus = 'Running'")
}

fn open_query_of(account: &Account) -> String {
    format!(
        "{} AND {} = '{}'",
        open_query(),
        search_attribute::ACCOUNT,
        account.name()
    )
}

/// Returns the earliest archive deadline of the lifecycles that match a query, by binary search over counts:
/// servers cannot sort by a search attribute.
async fn earliest_deadline(
    client: &Client,
    query: &str,
) -> Result<Option<SystemTime>, ClientError> {
    let exists_by = async |time: SystemTime| {
        let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
        let attribute = search_attribute::ARCHIVE_DEADLINE;
        let query = format!("{query} AND {attribute} <= '{time}'");
        Ok::<_, ClientError>(count(client, query).await? > 0)
    };
    let now = Clock::default().now();
    // Invariant: the earliest deadline that did not pass too long ago is in (`low`, `high`].
    let (mut low, mut high) = (now - MAX_DEADLINE_AGE, now + MAX_TIME_LEFT);
    if !exists_by(high).await? {
        return Ok(None);
    }
    while let Ok(distance) = high.duration_since(low)
        && distance > DEADLINE_PRECISION
    {
        let middle = low + distance / 2;
        match exists_by(middle).await? {
            true => high = middle,
            false => low = middle,
        }
    }
    // Rounded down: an alert may fire too early, but not too late.
    Ok(Some(low))
}

async fn count(client: &Client, query: String) -> Result<usize, ClientError> {
    let counted = client.count_workflows(query, WorkflowCountOptions::default());
    Ok(counted.await?.count())
}
