use super::*;

const NOW: i64 = 1_790_000_000;
const SECOND: Duration = Duration::from_secs(1);

fn submitted() -> SubmittedRequest {
    SubmittedRequest {
        model: "seedance-1-0-pro-250528".into(),
        submitted_at: NOW,
        ..SubmittedRequest::default()
    }
}

fn search() -> Search {
    Search::new(submitted()).unwrap()
}

fn task() -> VideoTask {
    VideoTask {
        id: "cgt-1".into(),
        model: "seedance-1-0-pro-250528".into(),
        created_at: NOW + 1,
        service_tier: "default".into(),
        ..VideoTask::default()
    }
}

fn candidates(claims: &[Claim]) -> Vec<Candidate> {
    let candidate = |(number, claim): (usize, &Claim)| Candidate {
        id: format!("cgt-{number}"),
        claim: *claim,
    };
    claims.iter().enumerate().map(candidate).collect()
}

/// Decides by a complete look, `seconds` after the submission.
fn decide_at(seconds: u64, claims: &[Claim]) -> Decision {
    let look = Look {
        candidates: &candidates(claims),
        is_complete: true,
        is_outage: false,
        has_rivals: false,
    };
    let search = search();
    decide(&search, look, search.submitted_at + seconds as u32 * SECOND)
}

#[test]
fn a_request_without_a_valid_time_has_no_search() {
    for submitted_at in [i64::MIN, -1, 0, i64::MAX] {
        let submitted = SubmittedRequest {
            submitted_at,
            ..submitted()
        };
        assert!(Search::new(submitted).is_none(), "{submitted_at}");
    }
}

#[test]
fn a_task_is_a_candidate_if_nothing_in_its_record_contradicts_the_request() {
    let search = search();
    assert_eq!(search.submitted(), &submitted());
    assert!(search.may_have_created(&task()));
    let other = |change: fn(&mut VideoTask)| {
        let mut task = task();
        change(&mut task);
        search.may_have_created(&task)
    };
    assert!(!other(|it| it.model = "seedance-1-0-lite".into()));
    assert!(!other(|it| it.service_tier = "flex".into()));
    assert!(!other(|it| it.safety_identifier = "user-7".into()));
    assert!(!other(|it| it.created_at = NOW - 121));
    assert!(!other(|it| it.created_at = NOW + 171));
    for change in [
        |it: &mut VideoTask| it.created_at = NOW - 120,
        |it: &mut VideoTask| it.created_at = NOW + 170,
        |it: &mut VideoTask| it.created_at = 0,
        |it: &mut VideoTask| it.service_tier = String::new(),
        |it: &mut VideoTask| it.model = String::new(),
    ] {
        assert!(other(change));
    }
}

#[test]
fn a_safety_identifier_tells_tasks_apart() {
    let search = Search::new(SubmittedRequest {
        safety_identifier: "user-7".into(),
        ..submitted()
    });
    let search = search.unwrap();
    let with = |identifier: &str| VideoTask {
        safety_identifier: identifier.into(),
        ..task()
    };
    assert!(search.may_have_created(&with("user-7")));
    assert!(!search.may_have_created(&with("user-8")));
    assert!(!search.may_have_created(&with("")));
}

#[test]
fn the_record_of_a_request_to_an_endpoint_may_name_any_model() {
    let search = Search::new(SubmittedRequest {
        model: "ep-20260101-abcde".into(),
        ..submitted()
    });
    let search = search.unwrap();
    assert!(search.may_have_created(&task()));
}

#[test]
fn the_only_free_task_is_found_once_the_list_is_settled() {
    use Claim::{Nobody, Other, Own};
    let found = |id: &str| Decision::Found(id.into());
    assert_eq!(decide_at(0, &[Nobody]), Decision::LookAgain(LOOK_INTERVAL));
    assert_eq!(decide_at(409, &[Nobody]), Decision::LookAgain(SECOND));
    assert_eq!(decide_at(410, &[Nobody]), found("cgt-0"));
    assert_eq!(decide_at(410, &[Other, Nobody, Other]), found("cgt-1"));
    assert_eq!(decide_at(0, &[Nobody, Own]), found("cgt-1"));
}

/// Whoever created a candidate has had time to say so.
#[test]
fn no_candidate_is_young_when_the_list_is_settled() {
    let search = search();
    let youngest = search.settled_at().duration_since(search.latest());
    assert_eq!(youngest.unwrap(), CLOCK_TOLERANCE + LIST_LAG);
    assert!(CALL_TIMEOUT < LIST_LAG);
}

#[test]
fn none_and_several_stay_ambiguous() {
    use Claim::{Nobody, Other};
    for claims in [&[][..], &[Nobody, Nobody], &[Other]] {
        let again = Decision::LookAgain(LATE_LOOK_INTERVAL);
        assert_eq!(decide_at(410, claims), again);
        assert_eq!(decide_at(899, claims), again);
        assert_eq!(decide_at(900, claims), Decision::Ambiguous);
    }
}

#[test]
fn the_only_task_is_not_found_if_others_may_be_missing_or_it_may_belong_to_a_rival() {
    let candidates = candidates(&[Claim::Nobody]);
    let search = search();
    for (is_complete, has_rivals) in [(false, false), (true, true), (false, true)] {
        let look = Look {
            candidates: &candidates,
            is_complete,
            is_outage: false,
            has_rivals,
        };
        let at = |seconds| decide(&search, look, search.submitted_at + seconds * SECOND);
        assert_eq!(at(410), Decision::LookAgain(LATE_LOOK_INTERVAL));
        assert_eq!(at(900), Decision::Ambiguous);
    }
}

#[test]
fn an_outage_of_the_list_is_waited_for_for_a_day() {
    let search = search();
    let day: u32 = 24 * 60 * 60;
    for claims in [&[][..], &[Claim::Nobody]] {
        let look = Look {
            candidates: &candidates(claims),
            is_complete: false,
            is_outage: true,
            has_rivals: false,
        };
        let at = |seconds| decide(&search, look, search.submitted_at + seconds * SECOND);
        for seconds in [410, 900, day - 1] {
            assert_eq!(at(seconds), Decision::LookAgain(LATE_LOOK_INTERVAL));
        }
        assert_eq!(at(day), Decision::Ambiguous);
    }
}
