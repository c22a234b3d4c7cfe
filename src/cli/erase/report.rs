//! The result of `erase`: a line for each task, or one document at the end.

use indicatif::HumanBytes;
use seedance_archiver_proto::visible;
use serde::Serialize;

use super::{args::Args, task::Task};
use crate::{
    archive::Archive,
    cli::{
        clean::LIFECYCLE_RULE_ADVICE,
        output::{Output, print_json},
        text::{count, time},
    },
};

/// What was found, and what was deleted.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    archive_url: String,
    /// Whether the tasks were erased, not only found.
    is_erased: bool,
    tasks: Vec<Task>,
    /// Objects of the tasks that have no error.
    objects: usize,
    size_bytes: u64,
    /// Whether the tasks may have incomplete uploads, which the store does not list. They stay.
    may_hide_uploads: bool,
    /// Number of receipts that could not be read.
    pub(super) unreadable: usize,
    /// What could not be listed, read or deleted.
    pub(super) errors: Vec<String>,
    /// Whether every receipt was listed, read and handled.
    is_complete: bool,
    #[serde(skip)]
    output: Output,
}

impl Report {
    pub(super) fn new(args: &Args, archive: &Archive) -> Self {
        Self {
            archive_url: archive.url().to_string(),
            is_erased: args.confirm,
            tasks: Vec::new(),
            objects: 0,
            size_bytes: 0,
            may_hide_uploads: archive.cannot_list_uploads(),
            unreadable: 0,
            errors: Vec::new(),
            is_complete: false,
            output: args.output,
        }
    }

    /// Adds a task, and prints its line.
    pub(super) fn add(&mut self, task: Task) {
        match &task.error {
            Some(error) => {
                let done = if self.is_erased {
                    "erase"
                } else {
                    "list the objects of"
                };
                let error = format!("cannot {done} {}: {error}", task.task_id);
                errln!("error: {}", visible::escape(&error));
                self.errors.push(error);
            }
            None => {
                self.objects += task.objects;
                self.size_bytes += task.size_bytes;
                if self.output == Output::Text {
                    print(&task);
                }
            }
        }
        self.tasks.push(task);
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Prints the totals, or the document. `is_listed`: the end of the list was reached.
    pub(super) fn end(&mut self, is_listed: bool) -> anyhow::Result<()> {
        self.is_complete = is_listed && !self.has_failed();
        match self.output {
            Output::Json => print_json(self)?,
            Output::Text => self.print_totals(),
        }
        self.print_notes();
        Ok(())
    }

    fn print_totals(&self) {
        let failed = self
            .tasks
            .iter()
            .filter(|task| task.error.is_some())
            .count();
        let done = count(self.tasks.len() - failed, "task");
        let size = HumanBytes(self.size_bytes);
        let objects = format!("{} ({size})", count(self.objects, "object"));
        let failed = match failed {
            0 => String::new(),
            failed => format!("; {} failed", count(failed, "task")),
        };
        match self.is_erased {
            _ if self.tasks.is_empty() => {}
            true => outln!("erased {done}: deleted {objects}{failed}"),
            false => outln!("found {done} with {objects}{failed}; use --confirm to delete"),
        }
    }

    /// Prints to stderr what the totals do not say.
    fn print_notes(&self) {
        if self.unreadable > 0 {
            let unreadable = count(self.unreadable, "receipt");
            errln!(
                "{unreadable} could not be read, and may be this user's; see `seedance-archiver verify`"
            );
        }
        if self.is_complete && self.tasks.is_empty() {
            errln!("no receipts of this user in {}", self.archive_url);
        }
        if self.may_hide_uploads && !self.tasks.is_empty() {
            errln!("{LIFECYCLE_RULE_ADVICE}");
        }
        let versioned = self.tasks.iter().filter(|task| task.is_versioned).count();
        if versioned > 0 {
            errln!(
                "the store keeps old versions of the objects of {}; docs/erase.md has the command that deletes them",
                count(versioned, "task")
            );
        }
        let others: usize = self.tasks.iter().map(|task| task.other_objects).sum();
        if others > 0 {
            let others = count(others, "other object");
            errln!(
                "{others} in the directories of these tasks: not written by seedance-archiver, not deleted"
            );
        }
    }
}

fn print(task: &Task) {
    let directory = task.receipt.trim_end_matches("manifest.json");
    let line = format!(
        "{}  archived {}  {}  {}  {directory}",
        task.task_id,
        time(task.archived_at),
        count(task.objects, "object"),
        HumanBytes(task.size_bytes)
    );
    outln!("{}", visible::escape(&line));
}
