//! The current details of a workflow in the Temporal UI, in Markdown.

use seedance_archiver_policy::drafts;
use seedance_archiver_proto::{
    names, phase,
    time::unix_seconds,
    v1::{
        AuditReport, AuditState, CreateVideoTaskResult, LifecycleProgress, SweepPage,
        SweepVideoTasksResult, VideoTask, VideoTaskLifecycleResult,
    },
    visible,
};

use crate::format::utc;

/// Maximum length of another system's text, in characters.
const MAX_TEXT: usize = 400;

/// Returns the details of a running lifecycle: the task and the pending activity.
pub fn for_progress(progress: &LifecycleProgress) -> String {
    let activity = match progress.phase.as_str() {
        phase::ARCHIVING => {
            "The pending activity `archive` transfers the video. It shows the bytes received and the \
             last error."
        }
        _ => {
            "The pending activity `query` polls the task until its status is terminal. It shows the \
             last response and the time of the next poll. The signal `nudge` polls immediately."
        }
    };
    match &progress.task {
        Some(task) => format!("{}\n\n{activity}", for_task(task)),
        None => format!("No record of the task yet.\n\n{activity}"),
    }
}

/// Returns the details of an ended lifecycle.
pub fn for_result(result: &VideoTaskLifecycleResult) -> String {
    let mut details = format!("**{}**", result.outcome);
    if !result.reason.is_empty() {
        details += &format!(
            " (`{}`): {}",
            escape(&result.reason),
            escape(&result.message)
        );
    }
    if let Some(manifest) = &result.manifest {
        details += &format!("\n\nReceipt: `{}`", manifest.manifest_url);
    }
    if let Some(task) = &result.task {
        details += &format!("\n\n{}", for_task(task));
    }
    details
}

/// Returns the details of a submission: its task, or the tasks that may be its.
pub fn for_submission(account: &str, submission: &CreateVideoTaskResult) -> String {
    let id = escape(&submission.submission_id);
    if !submission.submission_ambiguous {
        let task_id = &submission.task_id;
        return format!(
            "Submission `{id}` created the task `{}`, learned from the {}. The lifecycle `{}` archives its video.",
            escape(task_id),
            escape(&submission.learned_from),
            escape(&names::lifecycle_workflow_id(account, task_id)),
        );
    }
    let candidates = submission.candidates.iter();
    let candidates: Vec<_> = candidates.map(|id| format!("`{}`", escape(id))).collect();
    let candidates = match candidates.as_slice() {
        [] => "The list shows no task that may be its.".to_owned(),
        candidates => format!("Tasks that may be its: {}.", candidates.join(", ")),
    };
    format!(
        "**ambiguous**: submission `{id}` may have created a task: {}. {candidates}",
        escape(&submission.message)
    )
}

/// Returns the details of a submission whose answer was lost.
pub fn for_unanswered(account: &str) -> String {
    format!(
        "The answer to the create request was lost. The request is not sent again. A callback may name the task; meanwhile \
         the pending activity `find` looks for it in the list of the account `{}`.",
        escape(names::account_or_default(account))
    )
}

/// Returns the details of a running sweep.
pub fn for_running_sweep(result: &SweepVideoTasksResult, page: &SweepPage) -> String {
    format!(
        "{}\n\nNext: page {} of the list of {}. The pending activity shows its progress.",
        for_sweep(result),
        page.page_num,
        escape(&page.list_name())
    )
}

/// Returns the details of the watcher of an account.
pub fn for_watcher(account: &str) -> String {
    format!(
        "Polls the tasks of the account `{}` for all waiting lifecycles together, and delivers each new status to its \
         lifecycle. The pending activity `watch` shows the number of tasks, the last response and the last error. If this \
         workflow ends, the lifecycles poll on their own, and one of them starts it again.",
        escape(names::account_or_default(account))
    )
}

/// Returns the result of a sweep as a sentence.
pub fn for_sweep(result: &SweepVideoTasksResult) -> String {
    let SweepVideoTasksResult {
        listed,
        archived,
        ended,
        running,
        started,
        skipped,
        incomplete_lists,
    } = result;
    let mut details = format!(
        "{listed} tasks listed: {archived} archived, {ended} ended without a video, {running} with a \
         running lifecycle, {started} with a lifecycle started by this sweep."
    );
    if has_skipped(result) {
        details += &format!(
            " Skipped: {skipped} tasks, and the rest of {incomplete_lists} lists; the log of the worker says why."
        );
    }
    details
}

/// Returns whether a sweep skipped tasks that it should have listed.
pub fn has_skipped(result: &SweepVideoTasksResult) -> bool {
    result.skipped > 0 || result.incomplete_lists > 0
}

/// Returns the details of a running audit. `state` is that after the last activity, `None` at the start.
pub fn for_running_audit(state: Option<&AuditState>) -> String {
    let so_far = match state.and_then(|state| state.report.as_ref()) {
        Some(report) => for_audit(report),
        None => "Verifies the part of the archive that was verified longest ago.".to_owned(),
    };
    format!("{so_far}\n\nThe pending activity `audit` shows its progress.")
}

/// Returns the report of an audit in sentences.
pub fn for_audit(report: &AuditReport) -> String {
    let AuditReport {
        receipts,
        objects,
        bytes,
        ..
    } = report;
    let mut details = format!(
        "{receipts} receipts with {objects} objects verified, {bytes} bytes read: {}.",
        findings(report)
    );
    if !report.report_url.is_empty() && report.ended_at > 0 {
        details += &format!("\n\nReport: `{}`", escape(&report.report_url));
    }
    details
}

/// Returns the number of findings by kind.
pub fn findings(report: &AuditReport) -> String {
    if report.finding_counts.is_empty() {
        return "no findings".to_owned();
    }
    let counts = report.finding_counts.iter();
    let counts: Vec<_> = counts
        .map(|(kind, count)| format!("{count} {}", escape(kind)))
        .collect();
    format!("findings: {}", counts.join(", "))
}

fn for_task(task: &VideoTask) -> String {
    let mut details = format!("Status: **{}**", escape(&task.status));
    if let Some(since) = utc(task.updated_at) {
        details += &format!(" since {since}");
    }
    if let Some(created) = utc(task.created_at) {
        details += &format!(". Created: {created}");
    }
    if !task.model.is_empty() {
        details += &format!(". Model: `{}`", escape(&task.model));
    }
    if let Some(deadline) = utc(task.archive_deadline) {
        details += &format!(". Archive deadline: **{deadline}**");
    }
    details += ".";
    if let Some(deadline) = drafts::deadline(task).and_then(|at| utc(unix_seconds(at))) {
        details += &format!("\n\nDraft: a final video can be made from it until **{deadline}**.");
    }
    if !task.draft_task_id.is_empty() {
        details += &format!("\n\nMade from the draft `{}`.", escape(&task.draft_task_id));
    }
    details
}

/// Replaces the special characters of Markdown and HTML in another system's text, and those that show nothing or change
/// the direction of the text, and truncates it.
fn escape(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '*' | '`' | '[' | ']' | '<' | '>' | '|' | '#' => ' ',
            character if visible::is_invisible(character) => ' ',
            character => character,
        })
        .take(MAX_TEXT)
        .collect()
}

#[cfg(test)]
mod tests {
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
        let expected =
            " Skipped: 0 tasks, and the rest of 1 lists; the log of the worker says why.";
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
}
