//! `QueryVideoTask`: a long poll without a held slot. Each attempt asks once; while there is no
//! news it fails as `StillWaiting`, with the delay after which Temporal tries again.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use seedance_archiver_proto::v1::{QueryVideoTaskRequest, VideoTask};
use seedance_archiver_workflows::{
    question::{self, Next},
    request::{InvalidRequest, Request},
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::failure;
use crate::{
    config::Accounts,
    seedance::{Client, Reaction, Record},
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

        let answer = self.seedance.query(&account, &request.task_id).await;

        let first_asked = ctx.info().scheduled_time;
        let known = |created_at| failure::known(created_at, first_asked, SystemTime::now());
        match answer {
            Ok(record) if is_news(&record, &request) => Ok(record.sealed(&account.seal())),
            Ok(record) => {
                let known = known(record.created_at().max(request.known_created_at));
                match account.pace.after_no_news(known, None) {
                    Next::AskAgain(delay) => {
                        let message = waiting_message(&record, ctx.info().attempt, delay);
                        Err(failure::still_waiting(message, delay))
                    }
                    Next::TaskNotFound | Next::WindowClosed => Err(failure::window_closed(
                        &format!("it was still {}", record.status()),
                    )),
                }
            }
            Err(error) => {
                let known = known(request.known_created_at);
                let next = match error.reaction() {
                    Reaction::NotFound | Reaction::Refused => account.pace.after_not_found(known),
                    _ => account.pace.after_no_news(known, error.retry_after()),
                };
                Err(failure::no_record(&error, next))
            }
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

fn waiting_message(record: &Record, attempt: u32, delay: Duration) -> String {
    let since = Timestamp::from_second(record.updated_at())
        .map(|time| format!(" since {time}"))
        .unwrap_or_default();
    format!(
        "still {}{since}; asked {attempt} time{}; next question in {}",
        record.status(),
        if attempt == 1 { "" } else { "s" },
        failure::seconds(delay)
    )
}
