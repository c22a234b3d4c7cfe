//! The task of an outcome: its record, or only its id if the service never returned a record.

use seedance_archiver_proto::{time::unix_seconds, v1::VideoTask};

use crate::{
    archive::{
        Archive, Error, Layout,
        lookup::{self, Ending, TaskId},
        receipt,
    },
    config::Account,
    seedance::created_at_in_id,
};

/// A task, and what is known of its location in an archive.
pub(super) struct RecordedTask<'a> {
    account: &'a Account,
    known: Known<'a>,
}

enum Known<'a> {
    Record(&'a VideoTask),
    Id(TaskId<'a>),
}

impl<'a> RecordedTask<'a> {
    /// Returns the task with this record, or with this id. `None` if neither is known.
    pub(super) fn new(
        account: &'a Account,
        id: &'a str,
        record: Option<&'a VideoTask>,
    ) -> Option<Self> {
        let known = match record {
            Some(record) => Known::Record(record),
            None if id.is_empty() => return None,
            None => Known::Id(TaskId {
                account: account.name(),
                id,
                created_at: created_at_in_id(id),
            }),
        };
        Some(Self { account, known })
    }

    /// Returns the record of the task.
    pub(super) fn record(&self) -> Option<&'a VideoTask> {
        match self.known {
            Known::Record(record) => Some(record),
            Known::Id(_) => None,
        }
    }

    /// Returns the tombstone or the receipt of the task in an archive.
    pub(super) async fn find(&self, archive: &Archive) -> Result<Option<Ending>, Error> {
        let record = match self.known {
            Known::Record(record) => record,
            Known::Id(task) => {
                return lookup::find(archive, &self.account.archive.keys, task).await;
            }
        };
        let layout = self.account.layout(&archive.root, record);
        if let Some(tombstone) = receipt::find_tombstone(archive, &layout).await? {
            return Ok(Some(Ending::Erased(tombstone)));
        }
        match receipt::find_of_task(archive, &layout).await {
            // A finding of `verify`. It says nothing about this task.
            Err(Error::OtherReceipt { .. }) => Ok(None),
            found => Ok(found?.map(|receipt| Ending::Archived(Box::new(receipt)))),
        }
    }

    /// Returns the keys of the task in an archive, `None` if they depend on a fact that is not known.
    pub(super) fn layout(&self, archive: &Archive) -> Option<Layout> {
        match self.known {
            Known::Record(record) => Some(self.account.layout(&archive.root, record)),
            Known::Id(_) if self.account.archive.keys.needs_record() => None,
            Known::Id(TaskId { id, created_at, .. }) => {
                let task = VideoTask {
                    id: id.to_owned(),
                    created_at: unix_seconds(created_at?),
                    ..VideoTask::default()
                };
                Some(self.account.layout(&archive.root, &task))
            }
        }
    }
}
