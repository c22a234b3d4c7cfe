//! Transfers one object from its URL to the store in bounded memory, and checks the bytes in the process. The
//! object has no final key until it is [published](super::publish).

use object_store::PutPayload;

use super::{
    UrlSource,
    buffers::TransferBuffers,
    checking::Checking,
    checkpointed_upload::{CheckpointedUpload, while_uploading},
    context::AttemptContext,
    download::{DownloadEvent, ResumableDownload},
    progress::SavedTransfer,
    received::Received,
    tail::Tail,
    unpublished::{Body, UnpublishedObject},
};
use crate::{
    Error,
    checks::{CheckedObject, Expectation, RunningChecks},
    permits::Urgency,
    store::{Upload, abort_incomplete_uploads},
};

/// Transfers one object, from the checkpoint of an earlier attempt if possible.
///
/// The future may be dropped at any time; a resumable upload then stays in the store.
pub(super) async fn transfer<U: UrlSource>(
    context: AttemptContext<'_>,
    urls: U,
    expectation: Expectation<'_>,
) -> Result<UnpublishedObject, U::Error> {
    let resources = context.resources;
    let urgency = Urgency::of_deadline(expectation.task.archive_deadline);
    let kind = expectation.kind;
    let download = ResumableDownload::new(&resources.client, &resources.clock, kind, urls);
    let checks = RunningChecks::new(kind, download.declared().clone());
    let mut transfer = Transfer {
        context,
        expectation,
        // Before connecting: while the transfer waits for memory, the host would close the idle connection, and may count
        // it as one of the downloads that the URL allows.
        buffers: resources.buffers.start(urgency).await,
        received: 0,
        checks: Checking::new(checks),
        tail: Tail::default(),
        download,
        only_part: PutPayload::default(),
        upload: None,
        has_restarted_upload: false,
    };
    let is_resumed = transfer.resume();
    if !is_resumed {
        context.abort_upload().await;
        transfer.start_download().await?;
        transfer.start()?;
    }
    if let Err(error) = transfer.copy_all().await {
        // The host was not ready to continue if it postponed the download.
        if is_resumed && !transfer.download.is_postponed() {
            context.progress.count_failed_resumption();
        }
        return Err(error);
    }
    let finished = transfer.finish().await;
    // A check that panics on the restored state would panic in every attempt that resumes.
    if finished.is_err() && is_resumed {
        context.progress.count_failed_resumption();
    }
    Ok(finished?)
}

struct Transfer<'a, U> {
    context: AttemptContext<'a>,
    expectation: Expectation<'a>,
    download: ResumableDownload<'a, U>,
    /// The part that is being filled, and memory for others.
    buffers: TransferBuffers<'a>,
    /// Number of bytes of the object that were received.
    received: u64,
    /// The checks of the bytes before the part.
    checks: Checking,
    /// The end of the bytes before the part.
    tail: Tail,
    /// The only part of an object that has no upload.
    only_part: PutPayload,
    /// `None` until there is more than one part.
    upload: Option<CheckpointedUpload<'a>>,
    has_restarted_upload: bool,
}

impl<'a, U: UrlSource> Transfer<'a, U> {
    /// Copies all bytes of the object.
    async fn copy_all(&mut self) -> Result<(), U::Error> {
        while !self.copy().await? {
            self.abort_upload().await;
            self.start()?;
        }
        Ok(())
    }

    /// Finishes the checks.
    async fn finish(mut self) -> Result<UnpublishedObject, Error> {
        let checked = self.finish_checks().await?;
        Ok(UnpublishedObject {
            checked,
            source_host: self.download.host().to_owned(),
            bytes_fetched_again: self.download.bytes_fetched_again(),
            body: match self.upload.take() {
                Some(upload) => Body::Large(upload.into_upload()),
                None => Body::Small(self.only_part),
            },
        })
    }

    async fn start_download(&mut self) -> Result<(), U::Error> {
        let received = Received {
            checks: &self.checks,
            tail: &self.tail,
            part: self.buffers.part(),
        };
        self.download.start(received).await
    }

    /// Resumes from the checkpoint of an earlier attempt. Returns `false` if there is no checkpoint that this
    /// attempt can resume from.
    fn resume(&mut self) -> bool {
        let AttemptContext {
            archive,
            keys,
            progress,
            ..
        } = self.context;
        let kind = self.expectation.kind;
        let Some(checkpoint) = progress.use_checkpoint(kind) else {
            return false;
        };
        let SavedTransfer {
            download,
            checks,
            part_size,
            ..
        } = checkpoint.transfer;
        let checks = RunningChecks::restore(kind, checks);
        let upload = Upload::resume(archive, &checkpoint.upload);
        let (Some(checks), Some(upload)) = (checks, upload) else {
            return false;
        };
        let can_resume = |format| keys.can_resume(archive, upload.key(), format);
        let offset = download.offset;
        if checks.length() != offset
            || !checks.format().is_ok_and(can_resume)
            || !self.buffers.set_part_size(part_size)
        {
            return false;
        }
        self.download.resume_at(&download, &checks);
        self.tail = Tail::restore(download.tail);
        progress.start_object(kind, offset, checks.declared().length);
        self.received = offset;
        self.checks = Checking::new(checks);
        let upload = CheckpointedUpload::new(upload, kind, &self.buffers, progress);
        self.upload = Some(upload);
        true
    }

    /// Starts at the first byte of the download, which must be open.
    fn start(&mut self) -> Result<(), Error> {
        let declared = self.download.declared().clone();
        let kind = self.expectation.kind;
        let progress = self.context.progress;
        progress.start_object(kind, 0, declared.length);
        self.buffers.take();
        self.buffers.set_length(declared.length)?;
        self.received = 0;
        self.checks = Checking::new(RunningChecks::new(kind, declared));
        self.tail = Tail::default();
        Ok(())
    }

    /// Copies to the end of the download. Returns `false` if the download restarted, so that the transfer has
    /// to restart too.
    async fn copy(&mut self) -> Result<bool, U::Error> {
        loop {
            let received = Received {
                checks: &self.checks,
                tail: &self.tail,
                part: self.buffers.part(),
            };
            let next = self.download.next(received);
            let sent = match while_uploading(&mut self.upload, next).await {
                Ok(event) => match event? {
                    DownloadEvent::Bytes(bytes) => self.write(&bytes).await.map(|()| false),
                    DownloadEvent::End => self.flush().await.map(|()| true),
                    DownloadEvent::Restarted => return Ok(false),
                },
                Err(error) => Err(error),
            };
            match sent {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) if error.is_not_found() && !self.has_restarted_upload => {
                    tracing::info!("the upload no longer exists; restarting the transfer");
                    self.has_restarted_upload = true;
                    self.start_download().await?;
                    return Ok(false);
                }
                Err(error) => return Err(self.abort_if_invalid(error).await.into()),
            }
        }
    }

    /// Adds bytes to the current part. Sends a part when it is full and more bytes follow, so that the last part is never
    /// empty.
    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            if self.buffers.is_full() {
                self.send().await?;
            }
            while_uploading(&mut self.upload, self.buffers.reserve()).await?;
            let (filled, rest) = bytes.split_at(self.buffers.fill(bytes));
            self.received += filled.len() as u64;
            self.context.progress.add_bytes(filled.len());
            bytes = rest;
        }
        Ok(())
    }

    async fn start_upload(&mut self) -> Result<CheckpointedUpload<'a>, Error> {
        let AttemptContext {
            archive,
            keys,
            progress,
            ..
        } = self.context;
        let kind = self.expectation.kind;
        let format = self.checks.finished().await.format()?;
        let key = keys.upload_key(archive, kind, format);
        let options = archive.upload_options(format, self.expectation.task);
        if self.context.is_retry {
            abort_incomplete_uploads(archive, &key).await;
        }
        let upload = Upload::start(archive, key, options).await?;
        progress.set_upload(upload.save(0));
        let buffers = &self.buffers;
        Ok(CheckpointedUpload::new(upload, kind, buffers, progress))
    }

    /// Sends the part, which ends at the last byte that was received.
    async fn send(&mut self) -> Result<(), Error> {
        self.tail.extend_all(self.buffers.part());
        let download = self.download.save(self.received, self.tail.save());
        let (part, offset) = self.take_part();
        let update = self.checks.update(part.clone(), offset);
        let checks = while_uploading(&mut self.upload, update).await?;
        let upload = match self.upload.take() {
            Some(upload) => upload,
            None => self.start_upload().await?,
        };
        self.upload.insert(upload).put(part, download, checks)
    }

    /// Takes the part, which ends at the last byte that was received. Returns it and its offset.
    fn take_part(&mut self) -> (PutPayload, u64) {
        let part = self.buffers.take();
        let offset = self.received - part.content_length() as u64;
        (part, offset)
    }

    /// Sends the last part and waits until the store confirms all parts. An object of a single part has no
    /// upload and stays in memory.
    async fn flush(&mut self) -> Result<(), Error> {
        if self.upload.is_none() {
            let (part, offset) = self.take_part();
            self.only_part = part.clone();
            self.checks.update(part, offset).await;
            return Ok(());
        }
        // There is no last part if the checkpoint is at the end.
        if !self.buffers.part().is_empty() {
            self.send().await?;
        }
        match &mut self.upload {
            Some(upload) => upload.flush().await,
            None => Ok(()),
        }
    }

    async fn finish_checks(&mut self) -> Result<CheckedObject, Error> {
        let kind = self.expectation.kind;
        let mut checks = self.checks.take(kind, self.received).await?;
        checks.declare_length(self.download.declared().length);
        match checks.finish(self.expectation) {
            Ok(checked) => Ok(checked),
            Err(error) => Err(self.abort_if_invalid(error).await),
        }
    }

    /// Aborts the upload if the bytes failed a check, because no attempt may resume it. Returns the error.
    async fn abort_if_invalid(&mut self, error: Error) -> Error {
        let progress = self.context.progress;
        match &error {
            Error::Md5Mismatch { found, .. } => progress.set_rejected_md5(found),
            Error::Odd { sha256, .. } => progress.set_rejected_sha256(sha256),
            Error::Corrupt(_) => {}
            _ => return error,
        }
        self.abort_upload().await;
        error
    }

    async fn abort_upload(&mut self) {
        self.context.progress.take_upload();
        if let Some(upload) = self.upload.take() {
            upload.into_upload().abort().await;
        }
    }
}
