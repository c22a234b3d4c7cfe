//! `FindSubmittedTask`: looks for the task of a submission whose answer was lost, in the list of the account.
//!
//! An attempt is one look, once the list is settled. It fails as `StillWaiting` until the list decides it, or the time is
//! over.
//!
//! Many answers may be lost at once. So the looks of a worker share what they read for some seconds, and a look costs as many
//! calls however many submissions look for a task:
//!
//! - [`listed`]: the list of the account.
//! - [`known_owners`]: the owners of many tasks, from the visibility store.
//! - [`candidates`]: the owners of few tasks, up to date, and rivals for the only one.

mod candidates;
mod known_owners;
mod listed;
mod listing;
mod recent;
mod shared;

use std::sync::Arc;

use seedance_archiver_policy::submissions::{self, Candidate, Claim, Decision, Look, Search};
use seedance_archiver_proto::v1::{FindSubmittedTaskRequest, FindSubmittedTaskResult};
use seedance_archiver_workflows::invalid_request::InvalidRequest;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{checked_request::CheckedRequest, failure, heartbeat};
use crate::{
    config::Account,
    seedance::Client,
    telemetry::record::{self, SubmissionResult},
    temporal::submissions::Submission,
};
use candidates::Candidates;
use listing::Listing;

pub(crate) use shared::SharedSearches;

/// Maximum number of candidates in a result.
const MAX_CANDIDATES: usize = 500;

pub(super) type Call = CheckedRequest<FindSubmittedTaskRequest, Arc<Account>>;

pub(super) async fn run(
    ctx: &ActivityContext,
    seedance: &Client,
    searches: &SharedSearches,
    call: Call,
) -> Result<FindSubmittedTaskResult, ActivityError> {
    let search = call.request.submitted.clone().and_then(Search::new);
    let Some(search) = search else {
        let error = InvalidRequest::new("submitted.submitted_at", "is not a valid time");
        return Err(failure::invalid_request(error));
    };
    if let Some(delay) = search.delay_until_settled(seedance.clock().now()) {
        let message = format!(
            "the answer to the create request was lost; the list may not show its task yet; next check in {}",
            failure::seconds(delay)
        );
        return Err(failure::still_waiting(message, delay));
    }
    tokio::select! {
        found = heartbeat::during(ctx, || (), look(ctx, seedance, searches, &call, &search)) => found,
        () = ctx.cancelled() => Err(ActivityError::cancelled()),
    }
}

/// Looks once.
async fn look(
    ctx: &ActivityContext,
    seedance: &Client,
    searches: &SharedSearches,
    call: &Call,
    search: &Search,
) -> Result<FindSubmittedTaskResult, ActivityError> {
    let CheckedRequest {
        request, account, ..
    } = call;
    let client = ctx.client();
    let own = Submission::new(&client, account.name(), &request.submission_id);
    let shared = searches.of_account(account.name());
    let mut listing = listing::list(seedance, &shared, account, search, MAX_CANDIDATES).await;
    let candidates = Candidates {
        client: &client,
        seedance,
        account,
        shared: &shared,
        own: &own,
    };
    let (found, has_rivals) = match candidates.find(&listing.tasks).await {
        Ok(known) => known,
        Err(error) => {
            listing.is_outage = true;
            listing.problem = format!("Temporal did not say to whom the tasks belong: {error}");
            (candidates.unknown(&listing.tasks), true)
        }
    };
    let candidates: Vec<_> = found.iter().map(|it| it.candidate.clone()).collect();
    let look = Look {
        candidates: &candidates,
        is_complete: listing.problem.is_empty(),
        is_outage: listing.is_outage,
        has_rivals,
    };
    match submissions::decide(search, look, seedance.clock().now()) {
        Decision::Found(task_id) => {
            record::submission(account.name(), SubmissionResult::Found);
            let found = found.iter().find(|it| it.candidate.id == task_id);
            Ok(FindSubmittedTaskResult {
                has_lifecycle: found.is_some_and(|it| it.has_lifecycle),
                is_own: found.is_some_and(|it| it.candidate.claim == Claim::Own),
                task_id,
                ..FindSubmittedTaskResult::default()
            })
        }
        Decision::LookAgain(delay) => {
            let delay = delay.max(listing.retry_after);
            let message = format!(
                "the answer to the create request was lost; {}; next look at the list in {}",
                explanation(&candidates, has_rivals, &listing),
                failure::seconds(delay)
            );
            Err(failure::still_waiting(message, delay))
        }
        Decision::Ambiguous => {
            record::submission(account.name(), SubmissionResult::Ambiguous);
            let explanation = explanation(&candidates, has_rivals, &listing);
            Ok(FindSubmittedTaskResult {
                candidates: free(&candidates).map(|it| it.id.clone()).collect(),
                message: format!(
                    "the answer to the create request was lost, and no callback arrived; {explanation}"
                ),
                ..FindSubmittedTaskResult::default()
            })
        }
    }
}

fn free(candidates: &[Candidate]) -> impl Iterator<Item = &Candidate> {
    candidates.iter().filter(|it| it.claim != Claim::Other)
}

fn explanation(candidates: &[Candidate], has_rivals: bool, listing: &Listing) -> String {
    let tasks = match free(candidates).count() {
        0 => "the list shows no task that may be its".to_owned(),
        1 => "the list shows 1 task that may be its".to_owned(),
        count => format!("the list shows {count} tasks that may be its"),
    };
    let rivals = match has_rivals {
        true => ", and another submission looks for a task of the same kind",
        false => "",
    };
    match listing.problem.as_str() {
        "" => format!("{tasks}{rivals}"),
        problem => format!("{tasks}{rivals}, but it may be incomplete: {problem}"),
    }
}
