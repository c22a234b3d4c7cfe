//! A proxy in front of an S3 server that answers as other stores do.
//!
//! The dialect is chosen by a part of the key, so that tests with keys of their own can share a proxy.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use object_store::{
    aws::{AmazonS3Builder, AwsAuthorizer},
    client::HttpRequestBody,
};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// Path below which [`S3Proxy::set`] of another process sets dialects.
const CONTROL: &str = "/-/";
/// Name below [`CONTROL`] of the parts that arrived.
const PARTS: &str = "parts";
/// Path below which the number of open uploads is, by a part of their keys.
const OPEN_UPLOADS: &str = "/-uploads/";
/// Maximum size of a request.
const MAX_BODY: usize = 64 << 20;
/// How long a slow store waits.
const SLOW: Duration = Duration::from_secs(600);
/// The header with which Cloudflare R2 makes a copy create-only.
const R2_COPY: &str = "cf-copy-destination-if-none-match";
/// How many parts there are before [`Dialect::SlowsDown`] answers one.
const PARTS_AT_FIRST: usize = 3;
/// Headers that concern a single connection.
const HOP_BY_HOP: [HeaderName; 2] = [header::CONNECTION, header::TRANSFER_ENCODING];

/// What a store does differently.
#[derive(Clone, Copy, Debug, PartialEq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum Dialect {
    /// Nothing.
    None,
    /// Without `s3:ListBucket`, a missing object is answered by 403.
    DeniesMissing,
    /// Writing is denied.
    DeniesPut,
    /// Reading is denied.
    DeniesGet,
    /// Tags are denied.
    DeniesTags,
    /// Starting a multipart upload is denied.
    DeniesUpload,
    /// Uploading a part is denied.
    DeniesPart,
    /// Aborting an upload is denied.
    DeniesAbort,
    /// Listing objects is denied.
    DeniesList,
    /// Listing uploads is denied.
    DeniesListUploads,
    /// Deleting is denied.
    DeniesDelete,
    /// Overwriting without a condition is denied.
    DeniesReplacing,
    /// The storage class is unknown.
    RejectsStorageClass,
    /// `If-None-Match` is ignored on every request.
    IgnoresConditions,
    /// `If-None-Match` is not implemented on any request.
    RejectsConditions,
    /// `If-Match` is ignored.
    IgnoresIfMatch,
    /// `If-None-Match` is ignored when an upload is completed.
    IgnoresConditionalComplete,
    /// `If-None-Match` is answered by 501 when an upload is completed.
    RejectsConditionalComplete,
    /// `If-None-Match` is answered by 400 when an upload is completed.
    RefusesConditionalComplete,
    /// As [`Self::RejectsConditionalComplete`], but a copy can be create-only, as on Cloudflare R2.
    CopiesLikeR2,
    /// The first conditional request to each key conflicts with another one.
    ConflictsOnce,
    /// Each conditional completion conflicts with another request.
    ConflictsAlways,
    /// Each conditional completion creates the object, and is then said to conflict with another request.
    ConflictsAfterCompleting,
    /// Reading an object fails, because it is in an archive tier.
    IsArchived,
    /// Reading an object fails.
    FailsReads,
    /// Reading an object has no response until the dialect is changed.
    HoldsReads,
    /// Every request is denied.
    DeniesEverything,
    /// Nothing exists, not even the bucket.
    IsGone,
    /// The store is unavailable.
    IsUnavailable,
    /// Every request fails, with a body of megabytes that repeats the token of the session.
    FailsAtLength,
    /// Completing an upload takes very long.
    IsSlow,
    /// All parts but one are told to slow down. At first, none is answered before there are several.
    SlowsDown,
}

/// A running proxy.
#[derive(Clone)]
pub(crate) struct S3Proxy {
    address: SocketAddr,
    state: Arc<ProxyState>,
}

struct ProxyState {
    server: String,
    key_id: String,
    secret: String,
    client: reqwest::Client,
    /// Parts of keys, with their dialects.
    dialects: Mutex<Vec<(String, Dialect)>>,
    /// Notified of changes of the dialects.
    changes: watch::Sender<()>,
    /// How many requests were answered as during an outage.
    refused: AtomicUsize,
    /// Keys of requests that had their conflict.
    conflicts: Mutex<Vec<String>>,
    parts: Parts,
    /// Keys of uploads that were neither completed nor aborted.
    open_uploads: Mutex<Vec<String>>,
}

/// The parts that [`Dialect::SlowsDown`] received.
struct Parts {
    /// How many there are, and how many there were at most.
    at_once: watch::Sender<(usize, usize)>,
    is_storing: Semaphore,
    /// The number of parts at once, whenever one arrived.
    arrivals: Mutex<Vec<usize>>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            at_once: watch::Sender::new((0, 0)),
            is_storing: Semaphore::new(1),
            arrivals: Mutex::default(),
        }
    }
}

/// A part that the proxy is receiving.
struct ArrivedPart<'a>(&'a Parts);

impl Parts {
    fn arrive(&self) -> ArrivedPart<'_> {
        self.at_once.send_modify(|(at_once, most)| {
            *at_once += 1;
            *most = (*most).max(*at_once);
            self.arrivals.lock().push(*at_once);
        });
        ArrivedPart(self)
    }

    /// Returns a permit to store a part, or `None` if another part is being stored.
    async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        let mut at_once = self.at_once.subscribe();
        // Fails only if the sender is dropped.
        let _ = at_once.wait_for(|(_, most)| *most >= PARTS_AT_FIRST).await;
        self.is_storing.try_acquire().ok()
    }
}

impl Drop for ArrivedPart<'_> {
    fn drop(&mut self) {
        self.0.at_once.send_modify(|(at_once, _)| *at_once -= 1);
    }
}

impl S3Proxy {
    /// Starts a proxy in front of the server that these environment variables name.
    pub(crate) async fn start(environment: &[(&str, String)]) -> anyhow::Result<Self> {
        let value = |name: &str| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let state = Arc::new(ProxyState {
            server: value("AWS_ENDPOINT"),
            key_id: value("AWS_ACCESS_KEY_ID"),
            secret: value("AWS_SECRET_ACCESS_KEY"),
            client: reqwest::Client::new(),
            dialects: Mutex::default(),
            changes: watch::Sender::new(()),
            refused: AtomicUsize::new(0),
            conflicts: Mutex::default(),
            parts: Parts::default(),
            open_uploads: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(handle).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, state })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the dialect of all keys that contain a text. The longest text counts.
    pub(crate) fn set(&self, part_of_key: &str, dialect: Dialect) {
        self.state.set(part_of_key, dialect);
    }

    /// Returns how many requests were answered as during an outage.
    pub(crate) fn refused(&self) -> usize {
        self.state.refused.load(Ordering::Relaxed)
    }
}

/// Sets a dialect of the proxy at a URL, which runs in another process.
pub(crate) async fn set_at(url: &str, part_of_key: &str, dialect: Dialect) -> anyhow::Result<()> {
    let url = format!("{url}{CONTROL}{dialect}/{part_of_key}");
    reqwest::get(url).await?.error_for_status()?;
    Ok(())
}

/// Returns how many parts at once [`Dialect::SlowsDown`] received at the proxy at a URL, whenever one arrived.
pub(crate) async fn parts_at_once_at(url: &str) -> anyhow::Result<Vec<usize>> {
    let text = reqwest::get(format!("{url}{CONTROL}{PARTS}")).await?;
    let text = text.error_for_status()?.text().await?;
    Ok(text.lines().map(str::parse).collect::<Result<_, _>>()?)
}

/// Returns the number of uploads through the proxy at a URL that were neither completed nor aborted, to keys that contain a
/// text. MinIO does not list uploads by a part of their keys.
pub(crate) async fn open_uploads_at(url: &str, part_of_key: &str) -> anyhow::Result<usize> {
    let url = format!("{url}{OPEN_UPLOADS}{part_of_key}");
    let count = reqwest::get(url).await?.error_for_status()?.text().await?;
    Ok(count.parse()?)
}

impl ProxyState {
    fn set(&self, part_of_key: &str, dialect: Dialect) {
        let mut dialects = self.dialects.lock();
        dialects.retain(|(part, _)| part != part_of_key);
        dialects.push((part_of_key.to_owned(), dialect));
        drop(dialects);
        self.changes.send_replace(());
    }

    /// Returns the dialect of a request, once it is not held.
    async fn released_dialect(&self, method: &Method, target: &str, body: &[u8]) -> Dialect {
        let is_read = method == Method::GET && !target.contains("list-type=");
        let mut changes = self.changes.subscribe();
        loop {
            let dialect = self.dialect(target, body);
            if dialect != Dialect::HoldsReads || !is_read {
                return dialect;
            }
            // Never fails, because `self` owns the sender.
            let _ = changes.changed().await;
        }
    }

    /// Returns the dialect of a request. A request to delete several objects has the keys in its body.
    fn dialect(&self, target: &str, body: &[u8]) -> Dialect {
        let is_short = body.len() < 10_000;
        let body = String::from_utf8_lossy(if is_short { body } else { b"" });
        let dialects = self.dialects.lock();
        let found = dialects
            .iter()
            .filter(|(part, _)| target.contains(part) || body.contains(part))
            .max_by_key(|(part, _)| part.len());
        found.map_or(Dialect::None, |(_, dialect)| *dialect)
    }

    fn count_open_uploads(&self, part_of_key: &str) -> usize {
        let open = self.open_uploads.lock();
        open.iter().filter(|key| key.contains(part_of_key)).count()
    }

    /// Observes a request that succeeded, which may have started or ended an upload.
    fn observe(&self, method: &Method, target: &str) {
        let (key, query) = target.split_once('?').unwrap_or((target, ""));
        let starts = *method == Method::POST && has_parameter(query, "uploads");
        let ends = is_complete(method, target)
            || *method == Method::DELETE && has_parameter(query, "uploadId");
        let mut open = self.open_uploads.lock();
        if starts {
            open.push(key.to_owned());
        } else if let Some(index) = open.iter().position(|it| ends && it == key) {
            open.swap_remove(index);
        }
    }

    /// Returns whether a key had no conflict yet.
    fn is_first_conflict(&self, target: &str) -> bool {
        let key = target.split('?').next().unwrap_or_default().to_owned();
        let mut conflicts = self.conflicts.lock();
        let is_first = !conflicts.contains(&key);
        conflicts.push(key);
        is_first
    }

    async fn forward(
        &self,
        method: &Method,
        target: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<Response> {
        let url = format!("{}{target}", self.server);
        let request = self.client.request(method.clone(), url);
        let response = request.headers(headers).body(body).send().await?;
        let mut forwarded = Response::builder().status(response.status());
        if let Some(headers) = forwarded.headers_mut() {
            *headers = response.headers().clone();
            for name in HOP_BY_HOP {
                headers.remove(name);
            }
        }
        Ok(forwarded.body(Body::from(response.bytes().await?))?)
    }

    /// Forwards a request without some headers, which are part of the signature.
    async fn forward_without(
        &self,
        names: &[&str],
        method: &Method,
        target: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<Response> {
        for name in names {
            headers.remove(*name);
        }
        for name in [header::AUTHORIZATION, header::HOST] {
            headers.remove(name);
        }
        let url = format!("{}{target}", self.server);
        let mut signed = Request::builder().method(method).uri(url);
        if let Some(signed_headers) = signed.headers_mut() {
            *signed_headers = headers;
        }
        let mut signed = signed.body(HttpRequestBody::from(body.to_vec()))?;
        let bucket = AmazonS3Builder::new()
            .with_bucket_name("any")
            .with_access_key_id(&self.key_id)
            .with_secret_access_key(&self.secret)
            .build()?;
        let credential = bucket.credentials().get_credential().await?;
        let authorizer = AwsAuthorizer::new(&credential, "s3", "us-east-1");
        authorizer.try_authorize(&mut signed, None)?;
        let headers = signed.headers().clone();
        self.forward(method, target, headers, body).await
    }
}

async fn handle(State(proxy): State<Arc<ProxyState>>, request: Request) -> Response {
    let response = respond(&proxy, request).await;
    response.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}

async fn respond(proxy: &ProxyState, request: Request) -> anyhow::Result<Response> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query();
    let target = target.map_or("/", |target| target.as_str()).to_owned();
    let is_slowed =
        target.contains("partNumber=") && proxy.dialect(&target, &[]) == Dialect::SlowsDown;
    let arrived = is_slowed.then(|| proxy.parts.arrive());
    let body = to_bytes(body, MAX_BODY).await?;
    if target.strip_prefix(CONTROL) == Some(PARTS) {
        let arrivals = proxy.parts.arrivals.lock();
        let lines: Vec<_> = arrivals.iter().map(ToString::to_string).collect();
        return Ok(lines.join("\n").into_response());
    }
    if let Some((dialect, part)) = target
        .strip_prefix(CONTROL)
        .and_then(|rest| rest.split_once('/'))
    {
        proxy.set(part, dialect.parse()?);
        return Ok(StatusCode::OK.into_response());
    }
    if let Some(part) = target.strip_prefix(OPEN_UPLOADS) {
        return Ok(proxy.count_open_uploads(part).to_string().into_response());
    }
    let (method, headers) = (parts.method, parts.headers);
    let dialect = proxy.released_dialect(&method, &target, &body).await;
    let mut permit = None;
    if arrived.is_some() {
        permit = proxy.parts.permit().await;
        if permit.is_none() {
            return Ok(error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"));
        }
    }
    if let Some(response) = outage(dialect) {
        proxy.refused.fetch_add(1, Ordering::Relaxed);
        return Ok(response);
    }
    if let Some(response) = refusal(proxy, dialect, &method, &target, &headers).await {
        return Ok(response);
    }
    let dropped: &[&str] = match dialect {
        Dialect::IgnoresConditions => &["if-none-match", R2_COPY],
        Dialect::IgnoresIfMatch => &["if-match"],
        Dialect::IgnoresConditionalComplete if is_complete(&method, &target) => &["if-none-match"],
        Dialect::IgnoresConditionalComplete
        | Dialect::RejectsConditionalComplete
        | Dialect::RefusesConditionalComplete
            if is_copy(&headers) =>
        {
            &["if-none-match", R2_COPY]
        }
        Dialect::CopiesLikeR2 if is_copy(&headers) && headers.contains_key(R2_COPY) => {
            let head =
                proxy.forward_without(&[], &Method::HEAD, &target, HeaderMap::new(), Bytes::new());
            if head.await?.status().is_success() {
                return Ok(error(StatusCode::PRECONDITION_FAILED, "PreconditionFailed"));
            }
            &[R2_COPY]
        }
        Dialect::CopiesLikeR2 if is_copy(&headers) => &["if-none-match"],
        _ => &[],
    };
    // Only these requests are signed again: the signature of others may be in their query.
    let mut dropped = dropped.to_vec();
    dropped.retain(|name| headers.contains_key(*name));
    let completes = is_complete(&method, &target);
    let mut response = if dropped.is_empty() {
        proxy.forward(&method, &target, headers, body).await?
    } else {
        proxy
            .forward_without(&dropped, &method, &target, headers, body)
            .await?
    };
    if response.status().is_success() {
        proxy.observe(&method, &target);
    }
    let is_read = method == Method::GET || method == Method::HEAD;
    if dialect == Dialect::DeniesMissing && is_read && response.status() == StatusCode::NOT_FOUND {
        response = error(StatusCode::FORBIDDEN, "AccessDenied");
    }
    drop(permit);
    if dialect == Dialect::ConflictsAfterCompleting && completes && response.status().is_success() {
        response = error(StatusCode::CONFLICT, "ConditionalRequestConflict");
    }
    Ok(response)
}

fn has_parameter(query: &str, name: &str) -> bool {
    let mut parameters = query.split('&');
    parameters.any(|it| it.split('=').next() == Some(name))
}

/// Returns the response to every request during an outage.
fn outage(dialect: Dialect) -> Option<Response> {
    match dialect {
        Dialect::DeniesEverything => Some(error(StatusCode::FORBIDDEN, "AccessDenied")),
        Dialect::IsGone => Some(error(StatusCode::NOT_FOUND, "NoSuchBucket")),
        Dialect::IsUnavailable => {
            Some(error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"))
        }
        _ => None,
    }
}

/// Returns the response that a dialect gives instead of the server.
async fn refusal(
    proxy: &ProxyState,
    dialect: Dialect,
    method: &Method,
    target: &str,
    headers: &HeaderMap,
) -> Option<Response> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let has = |name: &str| has_parameter(query, name);
    let (is_get, is_put) = (method == Method::GET, method == Method::PUT);
    let is_list = is_get && (has("list-type") || has("uploads"));
    let is_condition = headers.contains_key(header::IF_NONE_MATCH);
    let is_complete = is_complete(method, target);
    let is_record = is_put && !has("partNumber") && !is_copy(headers);
    let is_delete = method == Method::DELETE && !has("uploadId") || has("delete");
    let is_overwrite = is_record && !is_condition;
    let denied = Some(error(StatusCode::FORBIDDEN, "AccessDenied"));
    match dialect {
        Dialect::DeniesPut if is_record => denied,
        Dialect::DeniesGet if is_get && !is_list => {
            let is_existing = target.contains("created");
            denied.filter(|_| is_existing)
        }
        Dialect::DeniesTags if headers.contains_key("x-amz-tagging") => denied,
        Dialect::DeniesUpload if method == Method::POST && has("uploads") => denied,
        Dialect::DeniesPart if has("partNumber") => denied,
        Dialect::DeniesAbort if method == Method::DELETE && has("uploadId") => denied,
        Dialect::DeniesList if has("list-type") => denied,
        Dialect::DeniesListUploads if is_get && has("uploads") => denied,
        Dialect::DeniesDelete if is_delete => denied,
        Dialect::DeniesReplacing if is_overwrite => denied,
        Dialect::RejectsStorageClass if headers.contains_key("x-amz-storage-class") => {
            Some(error(StatusCode::BAD_REQUEST, "InvalidStorageClass"))
        }
        Dialect::RejectsConditions if is_condition => {
            Some(error(StatusCode::NOT_IMPLEMENTED, "NotImplemented"))
        }
        Dialect::RejectsConditionalComplete | Dialect::CopiesLikeR2
            if is_complete && is_condition =>
        {
            Some(error(StatusCode::NOT_IMPLEMENTED, "NotImplemented"))
        }
        Dialect::RefusesConditionalComplete if is_complete && is_condition => {
            Some(error(StatusCode::BAD_REQUEST, "NotImplemented"))
        }
        Dialect::ConflictsOnce if is_condition && proxy.is_first_conflict(target) => {
            Some(error(StatusCode::CONFLICT, "ConditionalRequestConflict"))
        }
        Dialect::ConflictsAlways if is_complete && is_condition => {
            Some(error(StatusCode::CONFLICT, "ConditionalRequestConflict"))
        }
        Dialect::IsArchived if is_get && !is_list => {
            Some(error(StatusCode::FORBIDDEN, "InvalidObjectState"))
        }
        Dialect::FailsReads if is_get && !is_list => {
            Some(error(StatusCode::BAD_REQUEST, "RequestTimeTooSkewed"))
        }
        Dialect::FailsAtLength => Some(long_error()),
        Dialect::IsSlow if is_complete => {
            tokio::time::sleep(SLOW).await;
            None
        }
        _ => None,
    }
}

fn is_complete(method: &Method, target: &str) -> bool {
    method == Method::POST && target.contains("uploadId=")
}

fn is_copy(headers: &HeaderMap) -> bool {
    headers.contains_key("x-amz-copy-source")
}

/// The token in the body of [`Dialect::FailsAtLength`].
pub(crate) const SESSION_TOKEN: &str = "FwoGZXIvYXdzEJrSESSIONTOKEN";

/// Returns the error of S3 for an expired session, with a filler beyond what Temporal accepts in a failure.
fn long_error() -> Response {
    let filler = "<Filler>filler</Filler>".repeat(150_000);
    let body = format!(
        "<Error><Code>ExpiredToken</Code><Token-0>{SESSION_TOKEN}</Token-0>{filler}</Error>"
    );
    (StatusCode::BAD_REQUEST, body).into_response()
}

fn error(status: StatusCode, code: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>");
    (status, body).into_response()
}
