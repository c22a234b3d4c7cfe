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
mod tests;
