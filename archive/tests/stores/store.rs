//! The stores.

use std::sync::Arc;

use anyhow::Context;
use object_store::memory::InMemory;
use reqwest::Url;
use seedance_archiver_archive::{Archive, ObjectOptions};

use crate::{
    servers::{self, BUCKET},
    tools::{self, Missing},
};

/// A store that archives are kept on.
///
/// `gs://` is not among them. `object_store` writes to it through Google's XML API, and the one server
/// that could stand in for Google's, fake-gcs-server, takes no such writes (fsouza/fake-gcs-server #331,
/// #852, #994).
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

    /// Whether what it needs is here.
    pub(crate) fn server(self) -> Result<(), Missing> {
        match self {
            Self::Memory | Self::File => Ok(()),
            Self::S3 => tools::minio().map(drop),
            Self::Azure => tools::azurite().map(drop),
        }
    }

    pub(crate) fn any(self) -> bool {
        true
    }

    /// Whether its archives are opened from a URL.
    pub(crate) fn has_url(self) -> bool {
        self != Self::Memory
    }

    /// Whether its objects have the tags that an account wants.
    pub(crate) fn has_tags(self) -> bool {
        self == Self::S3
    }

    /// Whether its objects have a content type and metadata.
    pub(crate) fn has_attributes(self) -> bool {
        matches!(self, Self::S3 | Self::Azure)
    }

    /// Whether its uploads have an id with which another process can go on.
    pub(crate) fn has_upload_ids(self) -> bool {
        matches!(self, Self::Memory | Self::S3)
    }

    /// An archive at a place that nothing else has.
    pub(crate) fn open(self, place: &str, options: ObjectOptions) -> anyhow::Result<Archive> {
        let url = match self {
            Self::Memory => {
                return Ok(Archive::of(
                    "memory:///".parse()?,
                    Arc::new(InMemory::new()),
                ));
            }
            Self::File => {
                let directory = servers::directory().context("no directory")?;
                format!("file://{}/{place}", directory.display())
            }
            Self::S3 => format!("s3://{BUCKET}/{place}"),
            Self::Azure => format!("az://{BUCKET}/{place}"),
        };
        Ok(Archive::open_with(&Url::parse(&url)?, options)?)
    }
}
