//! How many lifecycles run, and which deadline is the first among them: from Temporal's visibility, because no
//! worker knows of all.

use std::{
    convert::Infallible,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;
use metrics::{counter, gauge};
use seedance_archiver_proto::{
    names::{LIFECYCLE_WORKFLOW, search_attribute},
    status,
};
use temporalio_client::{Client, WorkflowCountOptions, errors::ClientError};
use tokio::time::MissedTickBehavior;

use crate::{
    config::{Account, Accounts},
    telemetry::metrics::{OLDEST_DEADLINE, OPEN_LIFECYCLES, VISIBILITY_ERRORS},
    temporal::search_attributes,
};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(60);
/// How exactly a deadline is found.
const PRECISION: Duration = Duration::from_secs(60);
/// Where deadlines are looked for: they have passed no longer than that ago, and are no further away.
const PAST: Duration = Duration::from_secs(24 * 60 * 60);
const FUTURE: Duration = Duration::from_secs(32 * 24 * 60 * 60);

/// In place of a status: there was no news of the task yet, and search attributes come with the first.
const UNSEEN: &str = "unseen";
/// StatusAliases that the task of a running lifecycle can have.
const OPEN: [&str; 3] = [status::QUEUED, status::RUNNING, status::SUCCEEDED];

/// Measures again and again. Without search attributes there is nothing to look at.
pub(crate) async fn measure(client: &Client, accounts: &Accounts) -> Infallible {
    let mut ticks = tokio::time::interval(INTERVAL);
    // A server that is slow is not to be asked more often.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = look_at_all(client, accounts).await {
            counter!(VISIBILITY_ERRORS).increment(1);
            tracing::warn!(error, "cannot count the lifecycles that run");
        }
    }
}

async fn look_at_all(client: &Client, accounts: &Accounts) -> Result<(), String> {
    let missing = search_attributes::missing(client).await;
    let missing = missing.map_err(|status| status.message().to_owned())?;
    if !missing.is_empty() {
        return Err(
            "the namespace lacks search attributes: run `seedance-archiver setup`".to_owned(),
        );
    }
    let counted = async {
        // One that cannot be counted is no reason to leave the others out.
        let mut looked = Ok(());
        for account in accounts.iter() {
            looked = looked.and(look(client, account).await);
        }
        looked?;
        let unseen = format!("{} AND {} IS NULL", running(), search_attribute::STATUS);
        told("", UNSEEN, count(client, unseen).await?);
        Ok(())
    };
    counted
        .await
        .map_err(|error: ClientError| error.to_string())
}

fn told(account: &str, status: &'static str, open: usize) {
    let labels = [
        ("account", account.to_owned()),
        ("status", status.to_owned()),
    ];
    gauge!(OPEN_LIFECYCLES, &labels).set(open as f64);
}

async fn look(client: &Client, account: &Account) -> Result<(), ClientError> {
    let query = open_of(account);
    for status in OPEN {
        let attribute = search_attribute::STATUS;
        let open = count(client, format!("{query} AND {attribute} = '{status}'")).await?;
        told(account.name(), status, open);
    }
    let deadline = oldest_deadline(client, &query).await?;
    let deadline = deadline.and_then(|it| it.duration_since(UNIX_EPOCH).ok());
    let deadline = deadline.map_or(f64::INFINITY, |it| it.as_secs_f64());
    gauge!(OLDEST_DEADLINE, "account" => account.name().to_owned()).set(deadline);
    Ok(())
}

fn running() -> String {
    format!("WorkflowType = '{LIFECYCLE_WORKFLOW}' AND ExecutionStatus = 'Running'")
}

fn open_of(account: &Account) -> String {
    format!(
        "{} AND {} = '{}'",
        running(),
        search_attribute::ACCOUNT,
        account.name()
    )
}

/// The first deadline among those that a query finds. Servers sort by nothing but the start, so it is closed in
/// on by counting.
async fn oldest_deadline(client: &Client, query: &str) -> Result<Option<SystemTime>, ClientError> {
    let has_one_by = async |time: SystemTime| {
        let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
        let attribute = search_attribute::ARCHIVE_DEADLINE;
        let query = format!("{query} AND {attribute} <= '{time}'");
        Ok::<_, ClientError>(count(client, query).await? > 0)
    };
    let now = SystemTime::now();
    let (mut before, mut by) = (now - PAST, now + FUTURE);
    if !has_one_by(by).await? {
        return Ok(None);
    }
    while let Ok(distance) = by.duration_since(before)
        && distance > PRECISION
    {
        let middle = before + distance / 2;
        match has_one_by(middle).await? {
            true => by = middle,
            false => before = middle,
        }
    }
    // The earlier end, so that nobody comes too late.
    Ok(Some(before))
}

async fn count(client: &Client, query: String) -> Result<usize, ClientError> {
    let counted = client.count_workflows(query, WorkflowCountOptions::default());
    Ok(counted.await?.count())
}
