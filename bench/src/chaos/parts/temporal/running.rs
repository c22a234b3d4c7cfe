//! A running server.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use reqwest::Url;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions};

use crate::{chaos::parts::Part, server::NAMESPACE};

const READY_TIMEOUT: Duration = Duration::from_secs(120);
const READY_INTERVAL: Duration = Duration::from_millis(200);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

pub(in crate::chaos) struct Temporal {
    pub(in crate::chaos) server: Part,
    /// PostgreSQL. The dev server has its database in a file.
    pub(in crate::chaos) database: Option<Part>,
    pub(in crate::chaos) address: SocketAddr,
}

impl Temporal {
    /// Waits until the server answers, and returns a client.
    pub(in crate::chaos) async fn client(&mut self) -> anyhow::Result<Client> {
        self.client_at(self.address).await
    }

    /// Waits until the server answers at an address, such as that of a link, and returns a client.
    pub(in crate::chaos) async fn client_at(
        &mut self,
        address: SocketAddr,
    ) -> anyhow::Result<Client> {
        let target: Url = format!("http://{address}").parse()?;
        let options = ConnectionOptions::new(target)
            .connect_timeout(CONNECT_TIMEOUT)
            .build();
        let connected = async {
            loop {
                self.keep();
                match Connection::connect(options.clone()).await {
                    Ok(connection) => return connection,
                    Err(_) => tokio::time::sleep(READY_INTERVAL).await,
                }
            }
        };
        let connection = tokio::time::timeout(READY_TIMEOUT, connected).await;
        let connection = connection.context("the Temporal server is not ready")?;
        let options = ClientOptions::new(NAMESPACE).build();
        Ok(Client::new(connection, options)?)
    }

    pub(in crate::chaos) fn stop(&mut self) {
        self.server.stop();
        if let Some(database) = &mut self.database {
            database.stop();
        }
    }

    /// Starts what has exited by itself.
    pub(in crate::chaos) fn keep(&mut self) {
        if let Some(database) = &mut self.database {
            database.keep();
        }
        self.server.keep();
    }
}
