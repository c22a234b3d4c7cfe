//! The activity that delivers events, on the query task queue.

// The macro generates constants without documentation.
#![allow(missing_docs)]

use std::sync::Arc;

use reqwest::Client;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::v1::{DeliverEventRequest, DeliverEventResult};
use seedance_archiver_workflows::{reply::Reply, request::Request};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{checked_request::CheckedRequest, deliver_event, delivery_slots::DeliverySlots};
use crate::config::Accounts;

/// Implements the activity that delivers events, for the accounts of a worker.
#[derive(Clone)]
pub struct EventActivities {
    accounts: Accounts,
    /// The client of accounts without a proxy.
    http: Client,
    clock: Clock,
    slots: DeliverySlots,
}

#[activities]
impl EventActivities {
    /// Posts an event to the webhook of its account, and returns the response of the receiver.
    #[activity(name = "DeliverEvent")]
    pub async fn deliver_event(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<DeliverEventRequest>,
    ) -> Result<Reply<DeliverEventResult>, ActivityError> {
        let call = CheckedRequest::new(&ctx, &self.clock, request, |name| self.accounts.get(name))?;
        let encoding = call.encoding;
        let (http, slots) = (&self.http, &self.slots);
        let result = deliver_event::run(&ctx, http, slots, &self.clock, call).await?;
        Ok(Reply::new(result, encoding))
    }
}

impl EventActivities {
    /// Returns the activity for these accounts.
    pub fn new(accounts: Accounts, http: Client, clock: Clock) -> Self {
        Self {
            slots: DeliverySlots::new(&accounts),
            accounts,
            http,
            clock,
        }
    }
}
