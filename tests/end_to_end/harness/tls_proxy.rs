//! A TLS proxy in front of a Temporal server, which authenticates clients as Temporal Cloud does.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::anyhow;
use http_body_util::{BodyExt, Empty, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use seedance_archiver_clock::Clock;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::watch};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, UnixTime},
        server::{NoServerSessionStorage, WebPkiClientVerifier},
        time_provider::TimeProvider,
    },
};

/// How long the client certificate in `client.pem` is valid.
const CLIENT_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// How clients authenticate.
#[derive(Clone, Copy)]
pub(crate) enum Authentication {
    /// With a certificate of the same authority (mTLS).
    Certificate,
    /// With one of these API keys.
    ApiKeys(&'static [&'static str]),
}

/// A running proxy.
pub(crate) struct TlsProxy {
    pub(crate) address: SocketAddr,
    /// The clock by which certificates of clients expire.
    pub(crate) clock: Clock,
    authority: CertifiedIssuer<'static, KeyPair>,
    files: TempDir,
    gate: Arc<Gate>,
}

/// Whom the proxy lets in, and how many it did not.
struct Gate {
    authentication: Mutex<Authentication>,
    rejected: AtomicUsize,
    /// Changes when all connections are closed.
    disconnected: watch::Sender<()>,
}

/// The clock of a proxy, for certificates.
#[derive(Debug)]
struct ProxyTime(Clock);

impl TimeProvider for ProxyTime {
    fn current_time(&self) -> Option<UnixTime> {
        let since_epoch = self.0.now().duration_since(SystemTime::UNIX_EPOCH);
        since_epoch.ok().map(UnixTime::since_unix_epoch)
    }
}

type ServerClient = Client<HttpConnector, Incoming>;

impl TlsProxy {
    /// Starts a proxy in front of the server at an address. Its certificate expires at the beginning of a year.
    pub(crate) async fn start(
        server: &str,
        authentication: Authentication,
        expiry_year: i32,
    ) -> anyhow::Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(expiry_year, 1, 1);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority)?;
        let clock = Clock::default();
        let config = config(
            &authority,
            certificate.der(),
            &key,
            authentication,
            clock.clone(),
        )?;

        let files = tempfile::tempdir()?;
        std::fs::write(files.path().join("ca.pem"), authority.pem())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let gate = Arc::new(Gate {
            authentication: Mutex::new(authentication),
            rejected: AtomicUsize::new(0),
            disconnected: watch::Sender::new(()),
        });
        tokio::spawn(serve(listener, acceptor, server.to_owned(), gate.clone()));
        let proxy = Self {
            address,
            clock,
            authority,
            files,
            gate,
        };
        let [certificate, key] = proxy.issue(CLIENT_LIFETIME)?;
        std::fs::write(proxy.file("client.pem"), certificate)?;
        std::fs::write(proxy.file("client.key"), key)?;
        Ok(proxy)
    }

    /// Returns the address for clients. It has the host name of the certificate.
    pub(crate) fn temporal_address(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// Returns the path of `ca.pem`, `client.pem` or `client.key`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Issues a certificate for a client, which expires after a time of the proxy's clock. Returns the certificate and its key.
    pub(crate) fn issue(&self, lifetime: Duration) -> anyhow::Result<[String; 2]> {
        let now = self.clock.now().duration_since(SystemTime::UNIX_EPOCH)?;
        let mut params = CertificateParams::new(vec!["worker".to_owned()])?;
        params.not_after = date_time_ymd(1970, 1, 1) + (now + lifetime);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.authority)?;
        Ok([certificate.pem(), key.serialize_pem()])
    }

    /// Replaces the API keys that requests may have.
    pub(crate) fn accept_api_keys(&self, keys: &'static [&'static str]) {
        *self.gate.authentication.lock() = Authentication::ApiKeys(keys);
    }

    /// Closes all connections, as Temporal Cloud does every few minutes.
    pub(crate) fn disconnect(&self) {
        self.gate.disconnected.send_replace(());
    }

    /// Returns how many connections were rejected because of their certificate, and requests because of their API key.
    pub(crate) fn rejected(&self) -> usize {
        self.gate.rejected.load(Ordering::Relaxed)
    }
}

impl Gate {
    /// Returns whether a request has an accepted API key, if it needs one. Counts it if not.
    fn accepts(&self, request: &Request<Incoming>) -> bool {
        let Authentication::ApiKeys(keys) = *self.authentication.lock() else {
            return true;
        };
        let header = request.headers().get("authorization");
        let has = |key: &&str| header.is_some_and(|it| *it == *format!("Bearer {key}"));
        let is_accepted = keys.iter().any(has);
        if !is_accepted {
            self.count_rejected();
        }
        is_accepted
    }

    fn count_rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }
}

fn config(
    authority: &CertifiedIssuer<'_, KeyPair>,
    certificate: &CertificateDer<'static>,
    key: &KeyPair,
    authentication: Authentication,
    clock: Clock,
) -> anyhow::Result<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let time = Arc::new(ProxyTime(clock));
    let builder = ServerConfig::builder_with_details(provider.clone(), time);
    let builder = builder.with_safe_default_protocol_versions()?;
    let builder = match authentication {
        Authentication::ApiKeys(_) => builder.with_no_client_auth(),
        Authentication::Certificate => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone())?;
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| anyhow!(error))?;
    let mut config = builder.with_single_cert(vec![certificate.clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // A connection that resumes a session would not be asked for its certificate again.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, server: String, gate: Arc<Gate>) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: ServerClient = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build(connector);
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, server, client) = (acceptor.clone(), server.clone(), client.clone());
        let gate = gate.clone();
        tokio::spawn(async move {
            let mut disconnected = gate.disconnected.subscribe();
            let stream = match acceptor.accept(stream).await {
                Ok(stream) => stream,
                Err(error) if is_invalid_certificate(&error) => return gate.count_rejected(),
                Err(_) => return,
            };
            let service = service_fn(move |request| {
                forward(request, server.clone(), client.clone(), gate.clone())
            });
            let connection = http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                _ = connection => {}
                _ = disconnected.changed() => {}
            }
        });
    }
}

/// Returns whether a handshake failed because the certificate of the client is invalid, such as an expired one.
fn is_invalid_certificate(error: &io::Error) -> bool {
    let cause = error.get_ref();
    let cause = cause.and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::InvalidCertificate(_)))
}

async fn forward(
    mut request: Request<Incoming>,
    server: String,
    client: ServerClient,
    gate: Arc<Gate>,
) -> anyhow::Result<Response<BoxBody<Bytes, hyper::Error>>> {
    if !gate.accepts(&request) {
        return Ok(unauthenticated()?);
    }
    let path = request.uri().path().to_owned();
    *request.uri_mut() = format!("http://{server}{path}").parse()?;
    Ok(client.request(request).await?.map(BodyExt::boxed))
}

/// Returns a response with the gRPC status `UNAUTHENTICATED`.
fn unauthenticated() -> Result<Response<BoxBody<Bytes, hyper::Error>>, hyper::http::Error> {
    let body = Empty::new().map_err(|never| match never {});
    Response::builder()
        .header("content-type", "application/grpc")
        .header("grpc-status", "16")
        .header("grpc-message", "Request unauthorized.")
        .body(body.boxed())
}
