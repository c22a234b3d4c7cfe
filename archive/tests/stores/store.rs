use std::sync::Arc;

use anyhow::Context;
use object_store::memory::InMemory;
use reqwest::Url;
use seedance_archiver_archive::{Archive, ObjectOptions};

use crate::{
    servers::{self, BUCKET},
    tools::{self, Missing},
};

/// A store that scenarios run on.
///
/// `gs://` is missing: `object_store` writes through Google's XML API, which fake-gcs-server, the only test
/// server, does not support (fsouza/fake-gcs-server #331, #852, #994).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Store {
    Memory,
    File,
    S3,
    Azure,
}

impl Store {
    pub(crate) const ALL: [Self; 4] = [Self::Memory, Self::File, Self::S3, Self::Azure];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File => "file",
            Self::S3 => "s3",
            Self::Azure => "az",
        }
    }

    /// Returns an error if the server of the store is not installed.
    pub(crate) fn server(self) -> Result<(), Missing> {
        match self {
            Self::Memory | Self::File => Ok(()),
            Self::S3 => tools::minio().map(drop),
            Self::Azure => tools::azurite().map(drop),
        }
    }

    /// Returns whether an archive is opened by a URL.
    pub(crate) fn has_url(self) -> bool {
        self != Self::Memory
    }

    /// Returns whether objects have tags.
    pub(crate) fn has_tags(self) -> bool {
        self == Self::S3
    }

    /// Returns whether objects have a content type and metadata.
    pub(crate) fn has_attributes(self) -> bool {
        matches!(self, Self::S3 | Self::Azure)
    }

    /// Returns whether another process can resume an upload by its id.
    pub(crate) fn has_upload_ids(self) -> bool {
        matches!(self, Self::Memory | Self::S3)
    }

    /// Opens an archive under a key prefix.
    pub(crate) fn open(self, prefix: &str, options: ObjectOptions) -> anyhow::Result<Archive> {
        let url = match self {
            Self::Memory => {
                return Ok(Archive::from_store(
                    "memory:///".parse()?,
                    Arc::new(InMemory::new()),
                ));
            }
            Self::File => {
                let directory =
                    servers::directory().context("the directory of local archives is not set")?;
                format!("file://{}/{prefix}", directory.display())
            }
            Self::S3 => format!("s3://{BUCKET}/{prefix}"),
            Self::Azure => format!("az://{BUCKET}/{prefix}"),
        };
        Ok(Archive::open_with(&Url::parse(&url)?, options)?)
    }
}
