//! A receiver of events, and the webhook of an account that posts to it.

use std::{
    collections::{BTreeSet, VecDeque},
    net::SocketAddr,
    sync::Arc,
};

use anyhow::{Context, ensure};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use seedance_archiver::config::{Account, Secret, Webhook};
use serde_json::Value;
use tokio::{net::TcpSocket, sync::watch, task::JoinHandle};

use crate::until::until;

/// The key of the webhook.
pub(crate) const KEY: &str = "whsec_q0Zl2Yt4T7o5pXc1uVbN8wKdJ3rFhSgM";
/// A token in the URL of the webhook.
pub(crate) const TOKEN: &str = "t0ken-in-the-url";

/// A receiver of events, which answers 204 unless a test says otherwise.
pub(crate) struct Receiver {
    address: SocketAddr,
    /// Bound, so that nobody else listens at the address before the receiver does.
    socket: Option<TcpSocket>,
    state: Arc<Receipts>,
    task: Option<JoinHandle<()>>,
}

/// A request that a receiver got.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

struct Receipts {
    received: Mutex<Vec<Received>>,
    answers: Mutex<VecDeque<Response>>,
    /// Whether answers are held back.
    is_held: watch::Sender<bool>,
}

impl Receiver {
    /// Starts a receiver.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut receiver = Self::reserve()?;
        receiver.listen()?;
        Ok(receiver)
    }

    /// Returns a receiver that is down: connections to its address are refused.
    pub(crate) fn reserve() -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        Ok(Self {
            address: socket.local_addr()?,
            socket: Some(socket),
            state: Arc::new(Receipts {
                received: Mutex::default(),
                answers: Mutex::default(),
                is_held: watch::Sender::new(false),
            }),
            task: None,
        })
    }

    /// Starts to listen.
    pub(crate) fn listen(&mut self) -> anyhow::Result<()> {
        let socket = self.socket.take().context("the receiver listens already")?;
        let listener = socket.listen(128)?;
        let routes = Router::new()
            .fallback(receive)
            .with_state(self.state.clone());
        self.task = Some(tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        }));
        Ok(())
    }

    /// Returns the URL of the receiver, with a token.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/events?token={TOKEN}", self.address)
    }

    /// Sets the answers to the next requests.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Response>) {
        self.state.answers.lock().extend(answers);
    }

    /// Holds the answers back until they are released.
    pub(crate) fn hold(&self, is_held: bool) {
        self.state.is_held.send_replace(is_held);
    }

    /// Returns what the receiver got so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().clone()
    }

    /// Checks that the receiver got one event. On a busy machine, an answer may be too late, and the event comes again.
    pub(crate) fn ensure_one_event(&self) -> anyhow::Result<()> {
        let received = self.received();
        let ids: Result<BTreeSet<_>, _> =
            received.iter().map(|it| it.header("webhook-id")).collect();
        ensure!(ids?.len() == 1, "{received:?}");
        Ok(())
    }

    /// Waits until the receiver has got this number of requests, and returns them.
    pub(crate) async fn until_received(&self, count: usize) -> anyhow::Result<Vec<Received>> {
        until(&format!("{count} requests were received"), || {
            self.received().len() >= count
        })
        .await?;
        Ok(self.received())
    }

    /// Gives an account a webhook that posts to this receiver.
    pub(crate) fn set_webhook(&self, account: &mut Account) {
        account.webhook = Some(Webhook {
            url: Secret::from(self.url()),
            keys: Secret::from(KEY.to_owned()),
        });
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> anyhow::Result<&str> {
        let value = self
            .headers
            .get(name)
            .with_context(|| format!("no {name}"))?;
        Ok(value.to_str()?)
    }

    pub(crate) fn event(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

async fn receive(
    State(state): State<Arc<Receipts>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    state.received.lock().push(Received {
        uri: uri.to_string(),
        headers,
        body,
    });
    let mut is_held = state.is_held.subscribe();
    let _ = is_held.wait_for(|is_held| !is_held).await;
    let answer = state.answers.lock().pop_front();
    answer.unwrap_or_else(|| StatusCode::NO_CONTENT.into_response())
}
