//! The dev server of the Temporal CLI, with its database in a file.

use std::{path::Path, process::Command};

use seedance_archiver::dev_server;
use seedance_archiver_proto::names::search_attribute;

use super::running::Temporal;
use crate::{
    archiver::remove_variables, chaos::parts::Part, free_address::free_address, server::NAMESPACE,
};

pub(super) async fn start(directory: &Path) -> anyhow::Result<Temporal> {
    let program = dev_server::locate(&|_| {}).await?;
    let address = free_address()?;
    let database = directory.join("temporal.db");
    let build = move || {
        let mut command = Command::new(&program);
        remove_variables(&mut command, "TEMPORAL_");
        command
            .args(["server", "start-dev", "--headless", "--log-level", "error"])
            .args(["--ip", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--namespace", NAMESPACE, "--db-filename"])
            .arg(&database)
            .args(["--dynamic-config-value", "matching.useNewMatcher=true"])
            .args(search_attributes())
            .env("TEMPORAL_CONFIG_FILE", "/dev/null");
        Ok(command)
    };
    let mut server = Part::new("Temporal", directory, build);
    server.start()?;
    Ok(Temporal {
        server,
        database: None,
        address,
    })
}

fn search_attributes() -> impl Iterator<Item = String> {
    search_attribute::ALL.into_iter().map(|name| {
        let kind = match name {
            search_attribute::ARCHIVE_DEADLINE | search_attribute::DRAFT_DEADLINE => "Datetime",
            search_attribute::DRAFT => "Bool",
            _ => "Keyword",
        };
        format!("--search-attribute={name}={kind}")
    })
}
