//! Workers in production: how they start and stop, what they tell of themselves, and what they survive.

mod capacity;
mod cloud;
mod codec;
mod faults;
mod metrics;
mod process;
mod starting;
mod stopping;
mod tls;
mod traces;
mod upgrade;

use crate::Suite;

pub(crate) fn tests(suite: Suite) -> Suite {
    [
        starting::tests,
        stopping::tests,
        faults::tests,
        capacity::tests,
        metrics::tests,
        traces::tests,
        codec::tests,
        cloud::tests,
        upgrade::tests,
    ]
    .into_iter()
    .fold(suite, |suite, module| module(suite))
}
