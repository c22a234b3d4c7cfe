//! Copies a staged object to its final key: `complete_and_copy` and `check_staged` in `transfer/publish.rs`.

use super::{
    attempt::size,
    bounds::{Bounds, Mutation},
    model::Process,
    steps::Next,
    store::{Content, Failure},
};

/// What the store told of the staged object and of the video.
#[derive(Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) staged: Option<Content>,
    pub(crate) video: Option<Content>,
}

impl Bounds {
    /// Returns the operation after one of a copy.
    pub(crate) fn after_copy(
        &self,
        process: &mut Process,
        result: Result<(), Failure>,
        stored: Stored,
    ) -> Next {
        use Next::*;
        match (process.next, result) {
            (Copy, Err(Failure::AlreadyExists)) => DeleteStaged { has_copied: false },
            (Copy, Ok(())) => HeadCopied,
            (DeleteOther, Ok(())) => HeadAfter { not_found: false },
            // It only logs errors.
            (DeleteStaged { has_copied: true }, _) => HeadEntry,
            (DeleteStaged { has_copied: false }, _) => Verify,
            (_, Err(error)) => HeadAfter {
                not_found: error == Failure::NotFound,
            },
            (_, Ok(())) => self.after_look(process, stored),
        }
    }

    /// Returns the operation after one that changes nothing.
    fn after_look(&self, process: &mut Process, Stored { staged, video }: Stored) -> Next {
        use Next::*;
        let received = Some(process.received);
        match process.next {
            HeadStaged { .. } | ReadStaged if staged.is_none() => HeadAfter { not_found: true },
            HeadStaged { is_own } => {
                process.version = staged;
                match is_own && staged == received || self.is(Mutation::CopyUnchecked) {
                    true => Copy,
                    false => ReadStaged,
                }
            }
            ReadStaged if staged == received => Copy,
            ReadStaged => DeleteOther,
            HeadCopied if staged == process.version || self.is(Mutation::TrustCopy) => {
                CompareSizes(size(staged))
            }
            HeadCopied => CompareCopy(size(staged)),
            CompareCopy(staged) if video == received => CompareSizes(staged),
            CompareSizes(staged) if staged == size(video) => DeleteStaged { has_copied: true },
            CompareSizes(_) => HeadEntry,
            // A conflict, which publish::publish finds again.
            _ => HeadAfter { not_found: false },
        }
    }
}
