use seedance_archiver_proto::v1::Manifest;

use super::*;

fn task() -> VideoTask {
    VideoTask {
        status: "running".into(),
        model: "seedance-1-0-pro".into(),
        created_at: 1_750_000_000,
        updated_at: 1_750_000_100,
        archive_deadline: 1_750_600_000,
        ..VideoTask::default()
    }
}

#[test]
fn a_running_lifecycle_shows_status_times_deadline_and_the_pending_activity() {
    let details = for_progress(&LifecycleProgress {
        phase: phase::WAITING.into(),
        task: Some(task()),
        ..LifecycleProgress::default()
    });
    let expected = "Status: **running** since 2025-06-15 15:08:20 UTC. Created: 2025-06-15 \
                    15:06:40 UTC. Model: `seedance-1-0-pro`. Archive deadline: **2025-06-22 \
                    13:46:40 UTC**.\n\n";
    assert!(details.starts_with(expected), "{details}");
    assert!(details.contains("`query`"), "{details}");
    assert!(details.contains("`nudge`"), "{details}");
    let details = for_progress(&LifecycleProgress::default());
    assert!(details.starts_with("No record"), "{details}");
    assert!(details.contains("`query`"), "{details}");
    let details = for_progress(&LifecycleProgress {
        phase: phase::ARCHIVING.into(),
        ..LifecycleProgress::default()
    });
    assert!(details.contains("`archive`"), "{details}");
}

#[test]
fn an_ended_lifecycle_shows_its_outcome_the_receipt_and_the_task() {
    let details = for_result(&VideoTaskLifecycleResult {
        outcome: "archived".into(),
        task: Some(VideoTask {
            status: "succeeded".into(),
            ..VideoTask::default()
        }),
        manifest: Some(Manifest {
            manifest_url: "s3://bucket/cgt-1/manifest.json".into(),
            ..Manifest::default()
        }),
        ..VideoTaskLifecycleResult::default()
    });
    assert_eq!(
        details,
        "**archived**\n\nReceipt: `s3://bucket/cgt-1/manifest.json`\n\nStatus: **succeeded**."
    );
}

#[test]
fn a_draft_shows_until_when_it_can_become_a_final_and_the_final_shows_its_draft() {
    let details = |task| {
        for_result(&VideoTaskLifecycleResult {
            outcome: "archived".into(),
            task: Some(task),
            ..VideoTaskLifecycleResult::default()
        })
    };
    let draft = VideoTask {
        status: "succeeded".into(),
        draft: Some(true),
        created_at: 1_750_000_000,
        ..VideoTask::default()
    };
    let expected =
        "\n\nDraft: a final video can be made from it until **2025-06-22 15:06:40 UTC**.";
    let shown = details(draft.clone());
    assert!(shown.ends_with(expected), "{shown}");
    let failed = details(VideoTask {
        status: "failed".into(),
        ..draft
    });
    assert!(!failed.contains("Draft"), "{failed}");
    let of_draft = details(VideoTask {
        draft_task_id: "cgt-1`".into(),
        ..VideoTask::default()
    });
    assert!(
        of_draft.ends_with("\n\nMade from the draft `cgt-1 `."),
        "{of_draft}"
    );
}

#[test]
fn a_submission_shows_its_task_and_from_where_it_is_known() {
    let submission = CreateVideoTaskResult {
        task_id: "cgt-1".into(),
        submission_id: "order-7".into(),
        learned_from: "answer".into(),
        ..CreateVideoTaskResult::default()
    };
    assert_eq!(
        for_submission("eu", &submission),
        "Submission `order-7` created the task `cgt-1`, learned from the answer. The lifecycle \
         `video-task/eu/cgt-1` archives its video."
    );
}

#[test]
fn an_ambiguous_submission_shows_the_tasks_that_may_be_its() {
    let mut submission = CreateVideoTaskResult {
        submission_id: "order-7".into(),
        submission_ambiguous: true,
        message: "the answer was lost".into(),
        ..CreateVideoTaskResult::default()
    };
    let ambiguous =
        "**ambiguous**: submission `order-7` may have created a task: the answer was lost. ";
    assert_eq!(
        for_submission("eu", &submission),
        format!("{ambiguous}The list shows no task that may be its.")
    );
    submission.candidates = vec!["cgt-1".into(), "cgt-2".into()];
    assert_eq!(
        for_submission("eu", &submission),
        format!("{ambiguous}Tasks that may be its: `cgt-1`, `cgt-2`.")
    );
}

#[test]
fn a_submission_without_an_answer_names_the_account_of_the_list() {
    assert!(for_unanswered("eu").ends_with("list of the account `eu`."));
    assert!(for_unanswered("").ends_with("list of the account `default`."));
}

#[test]
fn a_watcher_names_its_account() {
    assert!(for_watcher("eu").contains("account `eu`"));
    assert!(for_watcher("").contains("account `default`"));
}

#[test]
fn an_audit_shows_its_counts_its_findings_and_its_report() {
    let mut report = AuditReport {
        report_url: "s3://bucket/.audit/1.json".into(),
        receipts: 3,
        objects: 6,
        bytes: 7_000,
        ..AuditReport::default()
    };
    let so_far = "3 receipts with 6 objects verified, 7000 bytes read: no findings.";
    assert_eq!(for_audit(&report), so_far);
    let state = AuditState {
        report: Some(report.clone()),
        ..AuditState::default()
    };
    assert!(for_running_audit(Some(&state)).starts_with(so_far));
    assert!(for_running_audit(None).starts_with("Verifies the part"));
    report.ended_at = 1_787_898_431;
    report.finding_counts = [("missing".to_owned(), 2), ("wrong_size".to_owned(), 1)].into();
    assert_eq!(
        for_audit(&report),
        "3 receipts with 6 objects verified, 7000 bytes read: findings: 2 missing, 1 wrong_size.\n\n\
         Report: `s3://bucket/.audit/1.json`"
    );
}

#[test]
fn a_running_sweep_shows_its_result_so_far_and_the_next_page() {
    let result = SweepVideoTasksResult {
        listed: 7,
        archived: 4,
        running: 2,
        started: 1,
        ..SweepVideoTasksResult::default()
    };
    let page = SweepPage {
        service_tier: "flex".into(),
        page_num: 3,
        ..SweepPage::default()
    };
    let details = for_running_sweep(&result, &page);
    let expected = "7 tasks listed: 4 archived, 0 ended without a video, 2 with a running \
                    lifecycle, 1 with a lifecycle started by this sweep.\n\nNext: page 3 of \
                    the list of service tier flex.";
    assert!(details.starts_with(expected), "{details}");
}

#[test]
fn a_sweep_says_what_it_skipped() {
    let mut result = SweepVideoTasksResult::default();
    assert!(!for_sweep(&result).contains("Skipped"));
    result.incomplete_lists = 1;
    let details = for_sweep(&result);
    let expected = " Skipped: 0 tasks, and the rest of 1 lists; the log of the worker says why.";
    assert!(details.ends_with(expected), "{details}");
    result.skipped = 2;
    result.incomplete_lists = 0;
    let details = for_sweep(&result);
    let expected = " Skipped: 2 tasks, and the rest of 0 lists; the log of the worker says why.";
    assert!(details.ends_with(expected), "{details}");
}

#[test]
fn text_of_other_systems_is_not_interpreted_as_markdown() {
    let details = for_result(&VideoTaskLifecycleResult {
        outcome: "unsuccessful".into(),
        reason: "Code`\n#".into(),
        message: "<img src=x> **no**\n# and [so](on)\u{1b}[31m \u{202e}txt".into(),
        ..VideoTaskLifecycleResult::default()
    });
    assert_eq!(details.matches("**").count(), 2, "{details}");
    let special = ['<', '#', '[', '\n', '\u{1b}', '\u{202e}'];
    assert!(!details.contains(special), "{details}");
}
