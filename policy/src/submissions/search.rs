//! Which task in the list is that of a submission whose answer was lost.

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::{
    service_tier,
    time::{from_unix_seconds, unix_seconds},
    v1::{SubmittedRequest, VideoTask},
};

use super::SEND_TIMEOUT;

/// How long a request and its answer take at most: the wait for the rate limit and the timeout of the call.
const CALL_TIMEOUT: Duration = Duration::from_secs(40);
/// How far the clocks of a worker and of the service may differ.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(120);
/// How late the list may show a task, and Temporal's visibility store a workflow.
const LIST_LAG: Duration = Duration::from_secs(120);
/// How long after its beginning the task of a submission is looked for.
const SEARCH_TIME: Duration = Duration::from_secs(15 * 60);
/// How long after its beginning the task is looked for while the list cannot be read. Answers are lost in outages.
const OUTAGE_TIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Interval between two attempts before the list is settled.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// Interval between two looks at the list once it is settled: what then changes the decision are callbacks and other
/// submissions.
const LATE_LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// The search for the task of a submission.
#[derive(Clone, Debug)]
pub struct Search {
    submitted: SubmittedRequest,
    submitted_at: SystemTime,
}

/// A task that a submission may have created.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Task id.
    pub id: String,
    /// To whom it belongs.
    pub claim: Claim,
}

/// To whom a task belongs, as far as Temporal says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Claim {
    /// To nobody yet.
    Nobody,
    /// To the submission itself.
    Own,
    /// To another submission, or to a caller that knew its id.
    Other,
}

/// What follows from a look at the list.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// This task is that of the submission.
    Found(String),
    /// The list may change: look again after this time.
    LookAgain(Duration),
    /// The list does not decide it.
    Ambiguous,
}

/// A look at the list, and at what Temporal knows.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The tasks that the submission may have created.
    pub candidates: &'a [Candidate],
    /// Whether these are all, as far as the list shows them.
    pub is_complete: bool,
    /// Whether the list, or to whom the tasks belong, could not be read, and may be readable later.
    pub is_outage: bool,
    /// Whether another submission without a known task may have created one of them.
    pub has_rivals: bool,
}

impl Search {
    /// Returns the search for the task of a request, or `None` if the request has no valid time.
    pub fn new(submitted: SubmittedRequest) -> Option<Self> {
        let submitted_at = from_unix_seconds(submitted.submitted_at)?;
        // So that the sums below are times too.
        submitted_at.checked_add(2 * OUTAGE_TIME)?;
        Some(Self {
            submitted,
            submitted_at,
        })
    }

    /// Returns what the list shows of the request.
    pub fn submitted(&self) -> &SubmittedRequest {
        &self.submitted
    }

    /// Returns the earliest time at which the task can have been created, by the clock of the service.
    pub fn earliest(&self) -> SystemTime {
        self.submitted_at - CLOCK_TOLERANCE
    }

    /// Returns whether a listed task can be that of the request, by its time and by what a record repeats of a request:
    /// the model, the service tier and the safety identifier.
    ///
    /// The record of a request to an inference endpoint (`ep-…`) names another model.
    pub fn may_have_created(&self, task: &VideoTask) -> bool {
        let Self { submitted, .. } = self;
        let names_endpoint = submitted.model.starts_with("ep-");
        self.is_in_time(task)
            && (names_endpoint || task.model.is_empty() || task.model == submitted.model)
            && (task.service_tier.is_empty()
                || tier(&task.service_tier) == tier(&submitted.service_tier))
            && task.safety_identifier == submitted.safety_identifier
    }

    /// Returns the delay before the next attempt to look at the list, or `None` if the list is settled. Before, a look
    /// would only cost a request. The delay is short, because the clock may be set.
    pub fn delay_until_settled(&self, now: SystemTime) -> Option<Duration> {
        let left = self.settled_at().duration_since(now).ok()?;
        (!left.is_zero()).then(|| left.min(LOOK_INTERVAL))
    }

    fn ends_at(&self, is_outage: bool) -> SystemTime {
        let time = match is_outage {
            true => OUTAGE_TIME,
            false => SEARCH_TIME,
        };
        self.submitted_at + time
    }

    fn is_in_time(&self, task: &VideoTask) -> bool {
        let [earliest, latest] = [self.earliest(), self.latest()].map(unix_seconds);
        // A record without a time can be of any time.
        task.created_at == 0 || (earliest..=latest).contains(&task.created_at)
    }

    fn latest(&self) -> SystemTime {
        self.submitted_at + SEND_TIMEOUT + CALL_TIMEOUT + CLOCK_TOLERANCE
    }

    /// Returns when the list shows every task that the request can have created, and Temporal every other submission that
    /// can have created one of them: the clock of the service may be behind.
    fn settled_at(&self) -> SystemTime {
        self.latest() + CLOCK_TOLERANCE + LIST_LAG
    }
}

/// Decides by a look at the list. Before the list is settled, a task of somebody else may be its only one, or that of a
/// submission whose answer is on the way.
pub fn decide(search: &Search, look: Look, now: SystemTime) -> Decision {
    let own = look.candidates.iter().find(|it| it.claim == Claim::Own);
    if let Some(own) = own {
        return Decision::Found(own.id.clone());
    }
    if let Some(delay) = search.delay_until_settled(now) {
        return Decision::LookAgain(delay);
    }
    let mut free = look
        .candidates
        .iter()
        .filter(|it| it.claim == Claim::Nobody);
    match (free.next(), free.next()) {
        (Some(only), None) if look.is_complete && !look.has_rivals => {
            Decision::Found(only.id.clone())
        }
        _ if now >= search.ends_at(look.is_outage) => Decision::Ambiguous,
        _ => Decision::LookAgain(LATE_LOOK_INTERVAL),
    }
}

fn tier(service_tier: &str) -> &str {
    match service_tier {
        "" => service_tier::DEFAULT,
        tier => tier,
    }
}

#[cfg(test)]
mod tests;
