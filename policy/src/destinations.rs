//! When a video goes to the archive of its account, because the destination of the request cannot take it.

use std::time::Duration;

/// How long a destination may be refused: a rollout that allows it takes minutes.
const MAX_TIME_NOT_ALLOWED: Duration = Duration::from_secs(15 * 60);
/// How long the store of a destination may fail: an outage takes hours, a mistyped bucket never ends.
const MAX_TIME_FAILING: Duration = Duration::from_secs(6 * 60 * 60);

/// Why a destination cannot take a video.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Problem {
    /// The account does not allow the destination.
    NotAllowed,
    /// The store of the destination fails.
    Failing,
}

/// Returns whether the account's own archive takes the video. `lasted` is for how long attempts met the problem, and no other,
/// `url_left` the time until the video URL expires.
///
/// At the latest, this is when half of the time has passed in which the URL works, so that the second half is left for
/// the transfer.
pub fn is_given_up(problem: Problem, lasted: Duration, url_left: Duration) -> bool {
    let max = match problem {
        Problem::NotAllowed => MAX_TIME_NOT_ALLOWED,
        Problem::Failing => MAX_TIME_FAILING,
    };
    lasted >= max.min(url_left)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn a_failing_destination_is_given_up_after_six_hours() {
        let is_given_up = |elapsed| is_given_up(Problem::Failing, elapsed, 14 * DAY);
        assert!(!is_given_up(6 * HOUR - Duration::from_secs(1)));
        assert!(is_given_up(6 * HOUR));
    }

    #[test]
    fn a_destination_that_is_not_allowed_is_given_up_after_a_rollout() {
        let is_given_up = |elapsed| is_given_up(Problem::NotAllowed, elapsed, DAY);
        assert!(!is_given_up(Duration::from_secs(14 * 60)));
        assert!(is_given_up(Duration::from_secs(15 * 60)));
    }

    #[test]
    fn half_of_the_life_of_the_url_is_left_for_the_transfer() {
        for problem in [Problem::NotAllowed, Problem::Failing] {
            let seconds = Duration::from_secs;
            assert!(!is_given_up(problem, seconds(29), seconds(31)));
            assert!(is_given_up(problem, seconds(30), seconds(30)));
            assert!(is_given_up(problem, seconds(0), seconds(0)));
        }
    }
}
