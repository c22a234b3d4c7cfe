//! Whether a last frame that is missing could be had.
//!
//! A video is archived without its last frame after five attempts that could not fetch the frame, with ten seconds or more
//! between two of them. The simulator serves every last frame, and its videos and frames are reached by the links to the APIs.

use std::time::{Duration, SystemTime};

use crate::chaos::{parts::Links, windows::MAX_CLOCK_ERROR, world::Task};

/// How long the links were broken in total, at least, if five attempts met a broken one.
const LONG: Duration = Duration::from_secs(40);

/// Returns whether the last frame of a task could be had for long until its lifecycle ended.
pub(super) fn could_be_had(task: &Task, ended_at: SystemTime, links: &Links) -> bool {
    let script = &task.video.script;
    let called_at = task.created_at + script.age;
    // Later, the API had to return another URL.
    let may_have_expired = script
        .url_lifetime
        .is_some_and(|lifetime| ended_at + MAX_CLOCK_ERROR >= called_at + lifetime);
    let account = task.video.account();
    !may_have_expired && links.outage_of_api(account, called_at, ended_at) < LONG
}

#[cfg(test)]
mod tests {
    use seedance_archiver_clock::Clock;

    use super::*;
    use crate::chaos::{
        link::Mode,
        plan::{Account, Expected, LinkTo},
    };

    fn task(created_at: SystemTime) -> Task {
        let mut task = Task::called("cgt-1", Expected::Archived);
        task.created_at = created_at;
        task
    }

    #[tokio::test]
    async fn only_an_outage_of_the_own_links_for_long_excuses_a_lost_frame() {
        for (account, mode, seconds, expected) in [
            (Account::Called, Mode::Open, 100, true),
            (Account::Called, Mode::Slow, 100, true),
            (Account::Called, Mode::Cut, 100, false),
            (Account::Called, Mode::HalfOpen, 100, false),
            (Account::Called, Mode::Cut, 30, true),
            (Account::Automatic, Mode::Cut, 100, true),
        ] {
            let links = Links::to_nowhere().await;
            let now = Clock::default().now();
            links.get(LinkTo::Api(1, account)).unwrap().set(mode);
            let ended_at = now + Duration::from_secs(seconds);
            let could_be_had = could_be_had(&task(now), ended_at, &links);
            assert_eq!(could_be_had, expected, "{account:?} {mode:?} {seconds}");
        }
    }

    #[tokio::test]
    async fn the_outages_of_all_workers_count() {
        let links = Links::to_nowhere().await;
        let now = Clock::default().now();
        for worker in 0..2 {
            let link = links.get(LinkTo::Api(worker, Account::Called)).unwrap();
            link.set(Mode::Cut);
        }
        let ended_at = now + Duration::from_secs(30);
        assert!(!could_be_had(&task(now), ended_at, &links));
    }

    #[tokio::test]
    async fn a_frame_whose_url_may_have_expired_is_excused() {
        let links = Links::to_nowhere().await;
        let now = Clock::default().now();
        let mut task = task(now);
        task.video.script.url_lifetime = Some(Duration::from_secs(300));
        for (seconds, expected) in [(110, true), (120, false)] {
            let ended_at = now + Duration::from_secs(seconds);
            assert_eq!(could_be_had(&task, ended_at, &links), expected, "{seconds}");
        }
    }
}
