use seedance_archiver_proto::v1::VideoContent;

use super::*;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000 + seconds)
}

fn task(status: &str) -> VideoTask {
    VideoTask {
        status: status.into(),
        created_at: unix_seconds(at(0)),
        ..VideoTask::default()
    }
}

fn progress(request: &QueryVideoTaskRequest) -> PollProgress<'_> {
    let wait = Wait {
        request,
        scheduled_at: at(0),
        first_polled_at: None,
        last_polled_at: None,
        id_created_at: None,
    };
    PollProgress::new(wait, QueryProgress::default())
}

#[test]
fn a_record_is_saved_if_it_differs_from_the_saved_one_or_that_is_old() {
    let request = QueryVideoTaskRequest::default();
    let mut progress = progress(&request);
    let windows = Windows::default();
    let mut is_saved = |task: &VideoTask, seconds| {
        let is_saved = progress.set_seen(task, &windows, at(seconds));
        assert_eq!(progress.progress().task.as_ref(), Some(task));
        is_saved
    };
    let running = task("running");
    assert!(is_saved(&running, 10));
    // A tenth of the day for which the record of a cancelled task is kept.
    assert!(!is_saved(&running, 10 + 8_640));
    assert!(is_saved(&running, 10 + 8_641));
    assert!(!is_saved(&running, 10 + 8_642));
    let changed = VideoTask {
        updated_at: unix_seconds(at(9_000)),
        ..running
    };
    assert!(is_saved(&changed, 9_001));
    assert!(is_saved(&task("succeeded"), 9_002));
    assert_eq!(progress.last_polled_at(), Some(at(9_002)));
}

#[test]
fn the_first_404_of_a_series_is_saved() {
    let request = QueryVideoTaskRequest::default();
    let mut progress = progress(&request);
    let windows = Windows::default();
    assert!(progress.set_seen(&task("running"), &windows, at(1)));
    assert!(progress.set_failed("Unauthorized"));
    assert!(progress.set_not_found(at(2)));
    assert_eq!(progress.last_error(), "");
    assert!(!progress.set_not_found(at(3)));
    assert_eq!(progress.not_found_since(), Some(at(2)));
    assert!(progress.set_seen(&task("running"), &windows, at(4)));
    assert_eq!(progress.not_found_since(), None);
    assert!(progress.set_not_found(at(5)), "a new series");
}

#[test]
fn the_first_error_of_each_type_is_saved() {
    let request = QueryVideoTaskRequest::default();
    let mut progress = progress(&request);
    assert!(progress.set_not_found(at(1)));
    assert!(progress.set_failed("Unauthorized"));
    assert_eq!(progress.not_found_since(), None);
    assert!(!progress.set_failed("Unauthorized"));
    assert!(progress.set_failed("UpstreamUnavailable"));
    assert_eq!(progress.last_error(), "UpstreamUnavailable");
    let windows = Windows::default();
    assert!(progress.set_seen(&task("running"), &windows, at(2)));
    assert_eq!(progress.last_error(), "");
}

#[test]
fn the_last_response_counts_whatever_the_last_record_was() {
    let request = QueryVideoTaskRequest::default();
    let mut progress = progress(&request);
    let windows = Windows::default();
    let is_unchanged = |progress: &PollProgress| {
        let response = progress.last_response();
        matches!(response, Response::Unchanged)
    };
    assert!(is_unchanged(&progress), "no response");
    assert!(progress.set_seen(&task("running"), &windows, at(1)));
    assert!(is_unchanged(&progress));
    assert!(progress.set_seen(&task("succeeded"), &windows, at(2)));
    assert!(matches!(progress.last_response(), Response::NoUrl));
    assert!(progress.set_failed("Unauthorized"));
    let response = progress.last_response();
    assert!(matches!(response, Response::Error { retry_after: None }));
    assert!(progress.set_not_found(at(3)));
    let response = progress.last_response();
    assert!(matches!(response, Response::NotFound { since } if since == at(3)));
}

#[test]
fn only_a_task_that_succeeded_can_lack_its_url() {
    let with_content = |status: &str, video_url: &str, file_url: &str| VideoTask {
        content: Some(VideoContent {
            video_url: video_url.into(),
            file_url: file_url.into(),
            ..VideoContent::default()
        }),
        ..task(status)
    };
    assert!(lacks_url(&task("succeeded")));
    assert!(lacks_url(&with_content("succeeded", "", "")));
    assert!(!lacks_url(&with_content("succeeded", "https://video", "")));
    assert!(!lacks_url(&with_content("succeeded", "", "https://file")));
    assert!(!lacks_url(&task("running")));
}

#[test]
fn an_unfinished_task_expires_when_its_record_says() {
    let expires_at = |lifetime: Option<i64>| {
        let request = QueryVideoTaskRequest::default();
        let mut progress = progress(&request);
        let record = VideoTask {
            execution_expires_after: lifetime,
            ..task("running")
        };
        assert!(progress.set_seen(&record, &Windows::default(), at(1)));
        let expectation = Expectation::default();
        let state = progress.task_state(at(1), &expectation);
        state.last_seen.and_then(|seen| seen.expires_at)
    };
    assert_eq!(expires_at(Some(3_600)), Some(at(3_600)));
    for invalid in [None, Some(-1), Some(i64::MAX)] {
        assert_eq!(expires_at(invalid), None, "{invalid:?}");
    }
}
