//! The Temporal server, and its database.

mod dev;
mod postgres;
mod running;

use std::path::Path;

use crate::{chaos::link::Link, server::ServerKind};

pub(in crate::chaos) use running::Temporal;

impl Temporal {
    /// Starts a server with an empty database, and returns the link to the database too, if it has one.
    pub(in crate::chaos) async fn start(
        kind: ServerKind,
        archiver: &Path,
        directory: &Path,
    ) -> anyhow::Result<(Self, Option<Link>)> {
        match kind {
            ServerKind::Dev => Ok((dev::start(directory).await?, None)),
            ServerKind::Postgres => {
                let (temporal, link) = postgres::start(archiver, directory).await?;
                Ok((temporal, Some(link)))
            }
        }
    }
}
