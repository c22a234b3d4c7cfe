//! `QueryVideoTask`: a long poll without a held slot. Each attempt asks once; while there is no
//! news it fails as `StillWaiting`, with the delay after which Temporal tries again.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use seedance_archiver_proto::v1::{QueryVideoTaskRequest, VideoTask};
use seedance_archiver_workflows::{
    question::{self, Next},
    request::{InvalidRequest, Request},
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{failure, memory::Memory};
use crate::{
    config::{Account, Accounts},
    seedance::{self, Client, Reaction, Record},
};

/// Activities of the query task queue.
pub struct QueryActivities {
    accounts: Accounts,
    seedance: Client,
}

#[activities]
impl QueryActivities {
    /// Returns the record once its status differs from `known_status`.
    #[activity(name = "QueryVideoTask")]
    pub async fn query_video_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<QueryVideoTaskRequest>,
    ) -> Result<VideoTask, ActivityError> {
        let request = request.check().map_err(failure::invalid_request)?;
        let account = self.accounts.get(&request.account).map_err(|error| {
            failure::invalid_request(InvalidRequest::new("account", error.to_string()))
        })?;

        let mut memory = Memory::recall(&ctx, &request);
        match self.seedance.query(&account, &request.task_id).await {
            Ok(record) if is_news(&record, &request) => Ok(record.sealed(&account.seal())),
            Ok(record) => Err(no_news(&account, record, &mut memory).await),
            Err(error) => Err(no_record(&account, &error, &mut memory).await),
        }
    }
}

impl QueryActivities {
    /// Activities that serve these accounts.
    pub fn new(accounts: Accounts, seedance: Client) -> Self {
        Self { accounts, seedance }
    }
}

fn is_news(record: &Record, request: &QueryVideoTaskRequest) -> bool {
    question::is_news(
        (record.status(), record.updated_at()),
        (&request.known_status, request.known_updated_at),
    )
}

async fn no_news(account: &Account, record: Record, memory: &mut Memory<'_>) -> ActivityError {
    let task = record.sealed(&account.seal());
    memory.saw(task.clone()).await;
    match account.pace.after_no_news(memory.known()) {
        Next::AskAgain(delay) => {
            failure::still_waiting(waiting_message(&task, memory.attempt(), delay), delay)
        }
        Next::TaskNotFound | Next::WindowClosed => {
            let last_answer = format!("it was still {}", task.status);
            failure::window_closed(&last_answer, Some(task))
        }
    }
}

async fn no_record(
    account: &Account,
    error: &seedance::Error,
    memory: &mut Memory<'_>,
) -> ActivityError {
    let next = match error.reaction() {
        Reaction::NotFound | Reaction::Refused => {
            let since = memory.missed().await;
            account.pace.after_not_found(memory.known(), since)
        }
        _ => account
            .pace
            .after_error(memory.known(), error.retry_after()),
    };
    failure::no_record(error, next, memory.last_record())
}

fn waiting_message(task: &VideoTask, attempt: u32, delay: Duration) -> String {
    let since = Timestamp::from_second(task.updated_at)
        .map(|time| format!(" since {time}"))
        .unwrap_or_default();
    format!(
        "still {}{since}; asked {attempt} time{}; next question in {}",
        task.status,
        if attempt == 1 { "" } else { "s" },
        failure::seconds(delay)
    )
}
