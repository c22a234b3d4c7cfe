//! Decides which repetitions of a log event are logged.

use std::time::Duration;

use tokio::time::Instant;

/// Minimum time between two log events with the same reason.
const MIN_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// The last log event of a kind that may be repeated for hours.
#[derive(Debug, Default)]
pub(crate) struct RareEvent {
    last: Option<(String, Instant)>,
}

impl RareEvent {
    /// Returns whether to log the event now: its reason is new, or it was not logged for five minutes.
    pub(crate) fn is_due(&mut self, reason: &str) -> bool {
        let now = Instant::now();
        let is_repetition = self.last.as_ref().is_some_and(|(last_reason, logged_at)| {
            last_reason == reason && now - *logged_at < MIN_INTERVAL
        });
        if !is_repetition {
            self.last = Some((reason.to_owned(), now));
        }
        !is_repetition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_event_is_due_for_each_reason_and_every_five_minutes() {
        let mut event = RareEvent::default();
        assert!(event.is_due("refused"));
        assert!(!event.is_due("refused"));
        assert!(event.is_due("not found"));
        tokio::time::advance(MIN_INTERVAL).await;
        assert!(event.is_due("not found"));
    }
}
