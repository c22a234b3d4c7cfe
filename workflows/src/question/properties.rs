//! Whole lives of tasks in virtual time: whatever the task, the service and the clock do.

use proptest::{collection::vec, prelude::*};

use super::*;

/// What the service does, in seconds after the task's creation.
#[derive(Clone, Debug)]
struct Service {
    first_asked: u64,
    running_at: u64,
    ended_at: u64,
    /// Times in which no question gets a record.
    troubles: Vec<Trouble>,
    window: u64,
}

#[derive(Clone, Debug)]
struct Trouble {
    from: u64,
    lasts: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    NotFound,
    Fault { retry_after: Option<u64> },
}

/// How a life ended, and the questions that were asked.
#[derive(Debug)]
struct Life {
    settled: Option<Option<&'static str>>,
    was_seen: bool,
    questions: Vec<u64>,
}

const HOUR: u64 = 60 * 60;
const GRACE: u64 = 10 * 60;

fn pace() -> Pace {
    Pace {
        not_found_grace: Duration::from_secs(GRACE),
        ..Pace::default()
    }
}

fn windows(service: &Service) -> Windows {
    Windows {
        query_window: Duration::from_secs(service.window),
        margin: Duration::from_secs(service.window / 100),
        cancelled_retention: Duration::from_secs(service.window / 7),
        ..Windows::default()
    }
}

impl Service {
    fn trouble(&self, now: u64) -> Option<Kind> {
        let is_now =
            |trouble: &&Trouble| (trouble.from..trouble.from + trouble.lasts).contains(&now);
        self.troubles
            .iter()
            .find(is_now)
            .map(|trouble| trouble.kind)
    }

    fn status(&self, now: u64) -> &'static str {
        if now < self.running_at {
            status::QUEUED
        } else if now < self.ended_at {
            status::RUNNING
        } else {
            status::SUCCEEDED
        }
    }

    /// Troubles can follow each other, so all of them count.
    fn longest_404(&self) -> u64 {
        let not_found = |trouble: &&Trouble| matches!(trouble.kind, Kind::NotFound);
        let lasts = |trouble: &Trouble| trouble.lasts;
        self.troubles.iter().filter(not_found).map(lasts).sum()
    }

    fn last_question(&self) -> u64 {
        self.window - self.window / 100
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
}

/// Asks as the activity does, until the task has ended or asking can no longer help. Times are
/// rounded up to whole seconds, as a server may be late.
fn live(service: &Service) -> Life {
    let (pace, windows) = (pace(), windows(service));
    let mut life = Life {
        settled: None,
        was_seen: false,
        questions: Vec::new(),
    };
    let mut now = service.first_asked;
    let mut seen: Option<(&'static str, u64)> = None;
    let mut not_found_since = None;
    loop {
        life.questions.push(now);
        let trouble = match service.trouble(now) {
            // The service forgets a task when its window closes.
            None if now >= service.window => Some(Kind::NotFound),
            trouble => trouble,
        };
        let answer = match trouble {
            None => {
                let status = service.status(now);
                if status::is_terminal(status) {
                    life.was_seen = true;
                    return life;
                }
                seen = Some((status, now));
                not_found_since = None;
                Answer::NoNews
            }
            Some(Kind::NotFound) => Answer::NotFound {
                since: at(*not_found_since.get_or_insert(now)),
            },
            Some(Kind::Fault { retry_after }) => {
                not_found_since = None;
                Answer::Fault {
                    retry_after: retry_after.map(Duration::from_secs),
                }
            }
        };
        life.was_seen |= seen.is_some();
        let known = Known {
            seen: seen.map(|(status, seen_at)| Seen {
                created_at: Some(at(0)),
                expires_at: None,
                status,
                at: at(seen_at),
            }),
            id_time: None,
            first_asked: at(service.first_asked),
            now: at(now),
        };
        match next(&pace, &windows, &known, answer) {
            Next::AskAgain(delay) => {
                assert!(delay > Duration::ZERO, "no pause at {now} s: {service:?}");
                now += delay.as_secs_f64().ceil() as u64;
            }
            Next::Settled(reason) => {
                life.settled = Some(reason);
                return life;
            }
        }
        assert!(
            life.questions.len() < 100_000,
            "it does not end: {service:?}"
        );
    }
}

fn services() -> impl Strategy<Value = Service> {
    (2 * HOUR..48 * HOUR).prop_flat_map(|window| {
        let lasts = prop_oneof![1..GRACE / 4, 1..window / 2];
        let trouble = (0..window, lasts, kinds()).prop_map(|(from, lasts, kind)| Trouble {
            from,
            lasts,
            kind,
        });
        (0..window / 2, 0..window, 0..window * 2, vec(trouble, 0..4)).prop_map(
            move |(first_asked, running_at, ended_at, troubles)| Service {
                first_asked,
                running_at,
                ended_at: ended_at.max(running_at),
                troubles,
                window,
            },
        )
    })
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::NotFound),
        proptest::option::of(0..10 * HOUR).prop_map(|retry_after| Kind::Fault { retry_after }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_question_is_asked_outside_the_window(service in services()) {
        let life = live(&service);
        if life.was_seen {
            let last = life.questions.last().copied().unwrap_or_default();
            prop_assert!(last < service.window, "asked at {last} s");
        }
    }

    /// An oracle asks once, when the last question is due. Where it gets an ending, so do we, unless a
    /// 404 lasted until it had to be believed.
    #[test]
    fn what_an_oracle_could_have_seen_is_seen(service in services()) {
        let due = service.last_question();
        let oracle_sees = service.trouble(due).is_none() && service.ended_at <= due;
        if oracle_sees && service.longest_404() < GRACE {
            prop_assert_eq!(live(&service).settled, None);
        }
    }

    #[test]
    fn a_404_is_believed_only_where_it_lasts(service in services()) {
        let life = live(&service);
        let is_forgotten = life.questions.last().is_some_and(|last| *last >= service.window);
        match life.settled {
            Some(Some(TASK_NOT_FOUND)) => {
                prop_assert!(!life.was_seen);
                prop_assert!(is_forgotten || service.longest_404() >= GRACE);
            }
            Some(Some(CANCELLED_AND_PURGED)) => {
                prop_assert!(life.was_seen);
                prop_assert!(service.longest_404() >= GRACE);
            }
            _ => {}
        }
    }

    #[test]
    fn questions_keep_their_distance(service in services()) {
        let life = live(&service);
        let pace = pace();
        let shortest = pace.shortest.as_secs();
        let due = service.last_question();
        for pair in life.questions.windows(2) {
            let [before, after] = [pair[0], pair[1]];
            let gap = after - before;
            prop_assert!((1..=10 * HOUR).contains(&gap), "{gap} s");
            // Closer than the schedule allows only where a time to ask comes in between.
            let is_clipped = after >= due || service.troubles.iter().any(|trouble| {
                matches!(trouble.kind, Kind::NotFound) && before < trouble.from + trouble.lasts
            });
            prop_assert!(gap >= shortest || is_clipped, "{gap} s at {before} s");
        }
    }
}
