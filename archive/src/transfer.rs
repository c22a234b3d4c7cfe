//! Brings what is behind a URL to the store, checking as it goes, in bounded memory. Nothing can be
//! seen of it there yet: that is for [`publish`](super::publish).

use std::{collections::VecDeque, mem};

use bytes::Bytes;

use super::{
    Archive, Error,
    buffers::{Buffer, Buffers},
    checks::{Announced, Checked, Running, SavedChecks, Wanted},
    deposit::Deposit,
    layout::Keys,
    open_uploads::abort_others,
    progress::{Checkpoint, Progress},
    source::{Next, Source, Urls},
    upload::Upload,
};
use crate::fetch::Downloads;

/// What all transfers of an account share.
#[derive(Clone, Debug)]
pub struct Transfers {
    /// The client that fetches.
    pub downloads: Downloads,
    /// Memory.
    pub buffers: Buffers,
}

/// What was brought and checked.
pub(super) struct Transferred {
    /// What the bytes are, and what was found out about them.
    pub(super) checked: Checked,
    /// Host that they came from.
    pub(super) source_host: String,
    /// Bytes that came in vain.
    pub(super) fetched_again: u64,
    pub(super) body: Body,
}

/// Where the bytes are.
pub(super) enum Body {
    /// Here: they are no more than a part.
    Small(Bytes),
    /// In an upload that has yet to be completed.
    Large(Upload),
}

/// Brings one object, from where another process was if that can be. The transfer can be dropped at
/// any time: an upload that another process can go on with stays.
pub(super) async fn transfer<U: Urls>(
    deposit: &Deposit<'_>,
    urls: U,
    wanted: Wanted<'_>,
) -> Result<Transferred, U::Error> {
    let (archive, progress) = (deposit.archive, deposit.progress);
    let source = Source::new(&deposit.transfers.downloads, urls).await?;
    let mut transfer = Transfer {
        archive,
        keys: &deposit.keys,
        is_retry: deposit.attempt > 1,
        wanted,
        buffers: &deposit.transfers.buffers,
        progress,
        checks: Running::new(wanted, source.announced().clone()),
        source,
        filling: None,
        upload: None,
        has_started_over: false,
        states: VecDeque::new(),
    };
    // Memory first: a connection that waits for it would be closed, and may count as a download.
    transfer.filling = Some(transfer.buffers.take().await);
    if !transfer.resume() {
        deposit.abandon().await;
        transfer.source.begin().await?;
        transfer.start();
    }
    transfer.run().await
}

/// A transfer under way.
struct Transfer<'a, U> {
    archive: &'a Archive,
    keys: &'a Keys<'a>,
    is_retry: bool,
    wanted: Wanted<'a>,
    buffers: &'a Buffers,
    progress: &'a Progress,
    source: Source<'a, U>,
    checks: Running<'a>,
    filling: Option<Buffer>,
    upload: Option<Upload>,
    has_started_over: bool,
    states: VecDeque<State>,
}

/// The checks after so many parts.
struct State {
    parts: usize,
    offset: u64,
    checks: SavedChecks,
}

impl<U: Urls> Transfer<'_, U> {
    async fn run(mut self) -> Result<Transferred, U::Error> {
        while !self.copy().await? {
            self.forget().await;
            self.filling = None;
            self.start();
        }
        let checked = self.check().await?;
        let small = self.filling.take().map(Bytes::from_owner);
        Ok(Transferred {
            checked,
            source_host: self.source.host(),
            fetched_again: self.source.fetched_again(),
            body: match self.upload.take() {
                Some(upload) => Body::Large(upload),
                None => Body::Small(small.unwrap_or_default()),
            },
        })
    }

    /// Goes on where another process was, if that can be.
    fn resume(&mut self) -> bool {
        let Some(checkpoint) = self.progress.checkpoint(self.wanted.kind) else {
            return false;
        };
        let checks = Running::restore(self.wanted, checkpoint.checks);
        let upload = Upload::resume(self.archive, &checkpoint.upload);
        let (Some(checks), Some(upload)) = (checks, upload) else {
            return false;
        };
        let may_go_on = |format| self.keys.may_go_on(self.archive, upload.key(), format);
        let offset = checkpoint.source.offset;
        if checks.length() != offset || !checks.format().is_ok_and(may_go_on) {
            return false;
        }
        self.source.go_to(&checkpoint.source);
        self.progress
            .begin(self.wanted.kind, offset, checks.announced().length);
        self.checks = checks;
        self.upload = Some(upload);
        true
    }

    /// Begins with the first byte of the source, which is open.
    fn start(&mut self) {
        let announced = self.source.announced().clone();
        self.progress.begin(self.wanted.kind, 0, announced.length);
        self.checks = Running::new(self.wanted, announced);
        self.states.clear();
    }

    /// Copies to the end. `false`: it has to start over, and the source has.
    async fn copy(&mut self) -> Result<bool, U::Error> {
        loop {
            let next = self.source.next().await?;
            let is_end = matches!(next, Next::End);
            let taken = match next {
                Next::Bytes(bytes) => self.take(&bytes).await,
                Next::End => self.send_rest().await,
                Next::StartOver => return Ok(false),
            };
            match taken {
                Ok(()) if is_end => return Ok(true),
                Ok(()) => {}
                Err(error) if error.is_not_found() && !self.has_started_over => {
                    tracing::info!("the upload is gone: the transfer starts over");
                    self.has_started_over = true;
                    self.source.begin().await?;
                    return Ok(false);
                }
                Err(error) => return Err(self.failed(error).await.into()),
            }
        }
    }

    async fn take(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let full = self.filling.take_if(|filling| filling.room() == 0);
            if let Some(part) = full {
                self.send(part).await?;
            }
            let filling = match &mut self.filling {
                Some(filling) => filling,
                none => none.insert(self.buffers.take().await),
            };
            let (now, later) = bytes.split_at(bytes.len().min(filling.room()));
            self.checks.update(now)?;
            filling.extend(now);
            self.progress.add(now.len());
            bytes = later;
        }
        Ok(())
    }

    /// Begins an upload: there is more than fits into a part.
    async fn begin_upload(&mut self) -> Result<Upload, Error> {
        let format = self.checks.format()?;
        let key = self.keys.upload(self.archive, self.wanted.kind, format);
        let options = self.archive.upload_options(format, self.wanted.task);
        if self.is_retry {
            abort_others(self.archive, &key).await;
        }
        let upload = Upload::begin(self.archive, key, options).await?;
        self.progress.set_upload(upload.save(0));
        Ok(upload)
    }

    /// Sends a part, after which the checks are as they are now.
    async fn send(&mut self, part: Buffer) -> Result<(), Error> {
        let begun = match self.upload.take() {
            Some(upload) => upload,
            None => self.begin_upload().await?,
        };
        let upload = self.upload.insert(begun);
        upload.put(Bytes::from_owner(part)).await?;
        self.states.extend(self.checks.save().map(|checks| State {
            parts: upload.sent(),
            offset: self.checks.length(),
            checks,
        }));
        self.note()
    }

    /// Sends what is left, unless it is all that there is.
    async fn send_rest(&mut self) -> Result<(), Error> {
        let Some(upload) = &mut self.upload else {
            return Ok(());
        };
        if let Some(rest) = self.filling.take() {
            upload.put(Bytes::from_owner(rest)).await?;
        }
        upload.flush().await
    }

    /// Takes note of how far another process could go on from.
    fn note(&mut self) -> Result<(), Error> {
        let Some(upload) = &mut self.upload else {
            return Ok(());
        };
        let stored = upload.stored()?;
        let is_stored = |state: &State| state.parts <= stored;
        while self.states.front().is_some_and(is_stored)
            && let Some(state) = self.states.pop_front()
        {
            let saved = upload.save(state.parts);
            if let Some((upload, source)) = saved.zip(self.source.place(state.offset)) {
                self.progress.set_checkpoint(Checkpoint {
                    kind: self.wanted.kind,
                    upload,
                    source,
                    checks: state.checks,
                    tries: 0,
                });
            }
        }
        Ok(())
    }

    /// What came of the checks, before anything can be seen of the bytes.
    async fn check(&mut self) -> Result<Checked, Error> {
        let none = Running::new(self.wanted, Announced::default());
        match mem::replace(&mut self.checks, none).finish() {
            Ok(checked) => Ok(checked),
            Err(error) => Err(self.failed(error).await),
        }
    }

    /// Bytes that the checks refuse are forgotten: nobody is to go on with them.
    async fn failed(&mut self, error: Error) -> Error {
        if let Error::OtherMd5 { found, .. } = &error {
            self.progress.set_refused_md5(found);
        }
        if matches!(error, Error::Corrupt(_) | Error::OtherMd5 { .. }) {
            self.forget().await;
        }
        error
    }

    async fn forget(&mut self) {
        self.progress.take_upload();
        if let Some(upload) = self.upload.take() {
            upload.abort().await;
        }
    }
}
