//! `FindSubmittedTask`: looks for the task of a submission whose answer was lost, in the list of the account.
//!
//! An attempt is one look, once the list is settled. It fails as `StillWaiting` until the list decides it, or the time is
//! over.

mod listing;

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
    temporal::submissions::{
        Submission,
        owners::{self, Owner},
        rivals,
    },
};
use listing::Listing;

/// Maximum number of candidates in a result.
const MAX_CANDIDATES: usize = 500;
/// Maximum number of candidates whose owners are looked up. More are ambiguous in any case.
const MAX_LOOKED_UP: usize = 50;

pub(super) type Call = CheckedRequest<FindSubmittedTaskRequest, Arc<Account>>;

/// A candidate, and whether it has a lifecycle.
struct Found {
    candidate: Candidate,
    has_lifecycle: bool,
}

pub(super) async fn run(
    ctx: &ActivityContext,
    seedance: &Client,
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
        found = heartbeat::during(ctx, || (), look(ctx, seedance, &call, &search)) => found,
        () = ctx.cancelled() => Err(ActivityError::cancelled()),
    }
}

/// Looks once.
async fn look(
    ctx: &ActivityContext,
    seedance: &Client,
    call: &Call,
    search: &Search,
) -> Result<FindSubmittedTaskResult, ActivityError> {
    let CheckedRequest {
        request, account, ..
    } = call;
    let client = ctx.client();
    let own = Submission::new(&client, account.name(), &request.submission_id);
    let mut listing = listing::list(seedance, account, search, MAX_CANDIDATES).await;
    let (found, has_rivals) = match owners(ctx, account, &own, search, &listing).await {
        Ok(known) => known,
        Err(error) => {
            listing.problem = format!("Temporal did not say to whom the tasks belong: {error}");
            (Vec::new(), true)
        }
    };
    let candidates: Vec<_> = found.iter().map(|it| it.candidate.clone()).collect();
    let look = Look {
        candidates: &candidates,
        is_complete: listing.problem.is_empty(),
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

/// Returns the candidates in the list with their owners, and whether there are rivals for the only one.
async fn owners(
    ctx: &ActivityContext,
    account: &Account,
    own: &Submission,
    search: &Search,
    listing: &Listing,
) -> Result<(Vec<Found>, bool), String> {
    let client = ctx.client();
    let mut found = Vec::new();
    for (index, id) in listing.task_ids.iter().enumerate() {
        let owner = match index < MAX_LOOKED_UP {
            true => owners::of_task(&client, account.name(), id).await?,
            false => Owner::Nobody,
        };
        found.push(Found {
            candidate: Candidate {
                id: id.clone(),
                claim: claim(account, own, &owner),
            },
            has_lifecycle: owner != Owner::Nobody,
        });
    }
    // Each open submission has to be queried, so rivals are looked for only where they decide.
    let is_nobodys = |it: &&Found| it.candidate.claim == Claim::Nobody;
    let has_rivals = found.iter().filter(is_nobodys).count() == 1
        && rivals::exist(&client, account.name(), own, search).await?;
    Ok((found, has_rivals))
}

/// Returns to whom a task belongs. The lifecycles that an account starts by itself say nothing; another one was started by
/// a caller that knew the id of the task.
fn claim(account: &Account, own: &Submission, owner: &Owner) -> Claim {
    let callbacks = account.callbacks.as_ref();
    let starts_lifecycles =
        account.auto_archive || callbacks.is_some_and(|callbacks| callbacks.start_lifecycles);
    match owner {
        Owner::Submission(id) if id == own.workflow_id() => Claim::Own,
        Owner::Submission(_) => Claim::Other,
        Owner::Lifecycle if !starts_lifecycles => Claim::Other,
        Owner::Lifecycle | Owner::Nobody => Claim::Nobody,
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
