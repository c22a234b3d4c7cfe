//! Checks in every order of the messages, within bounds, that the end of a task reaches its lifecycle once.

// Prints the numbers of states.
#![allow(clippy::print_stdout)]

mod actions;
mod bounds;
mod callers;
mod deliveries;
#[path = "../support/exploring.rs"]
mod exploring;
mod model;
mod properties;

use bounds::{Bounds, Mutation};
use properties::*;
use stateright::{Checker, Model};

/// Explores all states, in which all properties must hold.
fn check(bounds: Bounds) {
    exploring::explore(bounds.name, bounds.checker()).assert_properties();
}

/// Explores states until one contradicts a property.
fn find(bounds: Bounds, property: &'static str) {
    let name = format!("{}, {:?}", bounds.name, bounds.mutation);
    exploring::find(&name, bounds.checker(), property);
}

#[test]
fn news_of_a_task() {
    check(Bounds::default());
}

#[test]
fn everything_but_callers_without_faults() {
    check(Bounds {
        name: "everything but callers, without faults",
        watchers: 2,
        cancellations: 1,
        faults: 0,
        ..Bounds::default()
    });
}

/// All parts together, with the fewest statuses: what happens to `running` is in the other runs.
#[test]
fn everything_with_a_fault() {
    check(Bounds {
        name: "everything, for a task that never runs",
        runs: false,
        watchers: 2,
        cancellations: 1,
        callers: 2,
        ..Bounds::default()
    });
}

#[test]
fn two_watchers() {
    check(Bounds {
        name: "two watchers, without callbacks",
        watchers: 2,
        callbacks: 0,
        nudges: 0,
        ..Bounds::default()
    });
}

#[test]
fn two_watchers_and_a_callback() {
    check(Bounds {
        name: "two watchers and a callback",
        watchers: 2,
        nudges: 0,
        ..Bounds::default()
    });
}

#[test]
fn two_watchers_and_a_cancellation() {
    check(Bounds {
        name: "two watchers, a nudge and a cancellation",
        watchers: 2,
        callbacks: 0,
        cancellations: 1,
        ..Bounds::default()
    });
}

#[test]
fn a_callback_and_a_cancellation() {
    check(Bounds {
        name: "a callback and a cancellation",
        nudges: 0,
        cancellations: 1,
        ..Bounds::default()
    });
}

#[test]
fn two_faults() {
    check(Bounds {
        name: "two faults, without callbacks",
        callbacks: 0,
        nudges: 0,
        faults: 2,
        ..Bounds::default()
    });
}

#[test]
fn cancellation() {
    check(Bounds {
        name: "cancellation",
        callbacks: 0,
        cancellations: 1,
        ..Bounds::default()
    });
}

#[test]
fn two_callers() {
    check(Bounds {
        name: "two callers",
        cancellations: 1,
        callers: 2,
        ..polls_alone()
    });
}

/// Returns bounds in which nothing but polls, and a watcher if a fault starts one, tells the lifecycle of the end.
fn polls_alone() -> Bounds {
    Bounds {
        watchers: 0,
        callbacks: 0,
        nudges: 0,
        ..Bounds::default()
    }
}

mod mutations {
    use super::*;

    fn mutated(mutation: Mutation) -> Bounds {
        Bounds {
            callbacks: 0,
            faults: 0,
            mutation: Some(mutation),
            ..Bounds::default()
        }
    }

    #[test]
    fn a_lifecycle_that_takes_any_record() {
        find(mutated(Mutation::TakeAnyRecord), FORWARD);
    }

    #[test]
    fn a_result_without_an_activity() {
        find(mutated(Mutation::AcceptAnyResult), ONE_RESULT);
    }

    #[test]
    fn a_lifecycle_that_forgets_the_end() {
        find(mutated(Mutation::ForgetEnd), ONE_ARCHIVAL);
    }

    #[test]
    fn a_nudge_that_loses_a_result() {
        find(mutated(Mutation::NudgeLosesResult), BY_WATCHERS);
    }

    #[test]
    fn a_watcher_that_takes_a_record_for_delivered() {
        find(mutated(Mutation::SettleUnheard), BY_WATCHERS);
    }

    #[test]
    fn a_poll_whose_response_is_lost() {
        let bounds = mutated(Mutation::CompareWithEarlierAttempt);
        find(
            Bounds {
                faults: 1,
                ..bounds
            },
            BY_POLLS,
        );
    }

    #[test]
    fn a_callback_that_is_answered_too_early() {
        let bounds = mutated(Mutation::AnswerUnheard);
        find(
            Bounds {
                callbacks: 1,
                ..bounds
            },
            BY_CALLBACKS,
        );
    }

    #[test]
    fn a_cancellation_that_waits_for_a_result() {
        let bounds = mutated(Mutation::WaitForResult);
        find(
            Bounds {
                cancellations: 1,
                ..bounds
            },
            CANCELLED,
        );
    }

    fn with_a_caller(mutation: Mutation) -> Bounds {
        Bounds {
            callers: 1,
            faults: 0,
            mutation: Some(mutation),
            ..polls_alone()
        }
    }

    #[test]
    fn a_caller_that_cancels_the_lifecycle() {
        let bounds = with_a_caller(Mutation::CancelLifecycleToo);
        find(bounds, OWN_CANCELLATION);
    }

    #[test]
    fn a_cancelled_caller_that_waits_for_the_result() {
        find(with_a_caller(Mutation::WaitThoughCancelled), CALLERS_STOP);
    }

    #[test]
    fn a_retried_call_that_starts_another_lifecycle() {
        let bounds = with_a_caller(Mutation::StartAgain);
        find(bounds.clone(), ONE_ARCHIVAL);
        find(bounds, CALLERS_HEAR);
    }
}
