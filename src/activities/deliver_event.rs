//! `DeliverEvent`: posts an event to the webhook of its account. Each attempt sends one request.

use std::{sync::Arc, time::Duration};

use reqwest::Client;
use seedance_archiver_clock::Clock;
use seedance_archiver_policy::events::{self, Next};
use seedance_archiver_proto::v1::{DeliverEventRequest, DeliverEventResult};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    checked_request::CheckedRequest,
    delivery_slots::DeliverySlots,
    failure::{self, WEBHOOK_FAILED},
    heartbeat, waiting,
};
use crate::{
    config::Account,
    telemetry::record::{self, EventResult},
    webhook::delivery::{self, Undelivered},
};

type Call = CheckedRequest<DeliverEventRequest, Arc<Account>>;

pub(super) async fn run(
    ctx: &ActivityContext,
    http: &Client,
    slots: &DeliverySlots,
    clock: &Clock,
    call: Call,
) -> Result<DeliverEventResult, ActivityError> {
    let CheckedRequest {
        request, account, ..
    } = call;
    let event = request.event.unwrap_or_default();
    let attempt = ctx.info().attempt;
    let Some(webhook) = &account.webhook else {
        let message = format!(
            "the account `{}` of this worker has no webhook",
            account.name()
        );
        // Another worker may have one, for example during a rollout.
        return Err(undelivered(ctx, clock, &account, not_configured(message)));
    };
    let Some(_slot) = slots.take(account.name()) else {
        let delay = events::slot_delay(attempt);
        let message = format!(
            "waiting for another delivery of this worker; next attempt in {}",
            failure::seconds(delay)
        );
        return Err(failure::still_waiting(message, delay));
    };
    let http = account.endpoint.http.as_ref().unwrap_or(http);
    let post = delivery::post(http, account.proxy.as_ref(), webhook, &event, clock.now());
    match heartbeat::until_shutdown(ctx, || (), post).await? {
        Ok(status) => {
            record::event(account.name(), EventResult::Delivered);
            Ok(DeliverEventResult {
                status: status.into(),
                attempts: attempt.into(),
            })
        }
        Err(error) => Err(undelivered(ctx, clock, &account, error)),
    }
}

/// Returns the failure of an attempt: retryable, or non-retryable if the receiver wants no more of the event or the time
/// for the delivery has passed. Counts it.
fn undelivered(
    ctx: &ActivityContext,
    clock: &Clock,
    account: &Account,
    error: Undelivered,
) -> ActivityError {
    let Undelivered {
        message,
        retry_after,
        is_gone,
    } = error;
    let (attempt, waited) = (ctx.info().attempt, waiting::waited(ctx, clock));
    let (result, failure) = match events::next(attempt, retry_after, waited) {
        _ if is_gone => (
            EventResult::Refused,
            failure::non_retryable(&message, WEBHOOK_FAILED),
        ),
        Next::GiveUp => {
            let message = format!("{message}; given up after {attempt} attempts");
            let failure = failure::non_retryable(&message, WEBHOOK_FAILED);
            (EventResult::GivenUp, failure)
        }
        Next::RetryAfter(delay) => {
            let message = format!("{message}; next attempt in {}", failure::seconds(delay));
            let failure = failure::retryable(message, WEBHOOK_FAILED, delay);
            (EventResult::Retried, failure)
        }
    };
    record::event(account.name(), result);
    failure
}

fn not_configured(message: String) -> Undelivered {
    Undelivered {
        message,
        retry_after: Duration::ZERO,
        is_gone: false,
    }
}
