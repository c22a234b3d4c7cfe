//! A proxy in front of an S3 server that answers as other stores do.
//!
//! The dialect is chosen by a part of the key, so that tests with keys of their own can share a proxy.

pub(crate) mod control;
mod dialect;
mod dialects;
pub(crate) mod errors;
mod handler;
mod parts;
mod refusals;
mod request;
mod state;
mod uploads;
mod upstream;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use axum::Router;

use self::{state::ProxyState, upstream::Upstream};

pub(crate) use self::dialect::Dialect;

/// A running proxy.
#[derive(Clone)]
pub(crate) struct S3Proxy {
    address: SocketAddr,
    state: Arc<ProxyState>,
}

impl S3Proxy {
    /// Starts a proxy in front of the server that these environment variables name.
    pub(crate) async fn start(environment: &[(&str, String)]) -> anyhow::Result<Self> {
        let state = Arc::new(ProxyState::new(Upstream::new(environment)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .fallback(handler::handle)
            .with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, state })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the dialect of all keys that contain a text. The longest text counts.
    pub(crate) fn set(&self, part_of_key: &str, dialect: Dialect) {
        self.state.dialects.set(part_of_key, dialect);
    }

    /// Returns how many requests were answered as during an outage.
    pub(crate) fn refused(&self) -> usize {
        self.state.refused.load(Ordering::Relaxed)
    }
}
