//! The simulated service of a test. The test fails if a request came after the query window or before the time in
//! `Retry-After`. It does not fail because of rates: the service lets a minute's worth of requests arrive together, and no
//! test sends as many.

use std::{ops::Deref, thread};

use seedance_archiver_clock::Clock;
use seedance_archiver_simulator::{Builder, Misuse, Simulator};

use crate::{Client, Endpoint, RateLimit};

/// Number of list requests a second that are allowed, so many that no test is delayed.
const LISTS_PER_SECOND: f64 = 100.0;

pub(crate) struct TestService(Simulator);

/// Starts a simulator after a change of its settings. Returns it with an account, and a client that has the same clock.
pub(crate) async fn start(
    change: impl FnOnce(Builder) -> Builder,
) -> (TestService, Endpoint, Client) {
    let clock = Clock::default();
    let builder = Simulator::builder()
        .list_rate(LISTS_PER_SECOND)
        .clock(clock.clone());
    let simulator = change(builder).start().await.unwrap();
    let base_url = simulator.base_url().parse().unwrap();
    let api_key = simulator.api_key().to_owned().into();
    let mut endpoint = Endpoint::new("default", base_url, api_key);
    endpoint.list_limit = RateLimit::per_second(LISTS_PER_SECOND);
    let client = Client::new(seedance_archiver_http::client().unwrap()).with_clock(clock);
    (TestService(simulator), endpoint, client)
}

impl Deref for TestService {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.0
    }
}

impl Drop for TestService {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_eq!(self.0.misuse(), Misuse::default());
        }
    }
}
