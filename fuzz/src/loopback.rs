//! An HTTP server and its clients on one thread, with a clock that jumps over the delays between retries.
//!
//! The clock of the runtime is paused. It does not advance by itself, because responses in the kernel's buffers are no
//! reason to wait for tokio; a task advances it in small steps whenever nothing happens.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    task::yield_now,
    time::advance,
};

/// Number of turns of the runtime without a request or a response after which the clock advances.
const IDLE_TURNS: u32 = 30;
/// How far the clock advances: further than most delays between retries, and less than half of any timeout, in case the kernel
/// delivers a part late.
const STEP: Duration = Duration::from_secs(4);

/// A request, as far as handlers look at it.
pub(crate) struct Request {
    /// The offset in `Range: bytes=OFFSET-`.
    pub(crate) offset: Option<u64>,
}

/// A response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, Vec<u8>)>,
    /// The body, as it is sent: each part by itself.
    pub(crate) body: Vec<Vec<u8>>,
    /// Whether the length of the body is declared.
    pub(crate) has_length: bool,
    /// The number of bytes of the body after which the connection is closed.
    pub(crate) cut: Option<usize>,
}

type Handler = Box<dyn FnMut(&Request) -> Reply + Send>;

#[derive(Default)]
struct Shared {
    handler: Mutex<Option<Handler>>,
    /// Number of requests and parts of responses so far.
    events: AtomicU64,
}

struct Loopback {
    runtime: Runtime,
    shared: Arc<Shared>,
    url: String,
}

thread_local! {
    static LOOPBACK: Loopback = Loopback::start().expect("a server on a loopback address");
}

/// Returns the URL of this thread's server.
pub(crate) fn url() -> String {
    LOOPBACK.with(|loopback| loopback.url.clone())
}

/// Runs a future. Requests that it sends to the server are handled by `handler`.
pub(crate) fn serve<T>(
    handler: impl FnMut(&Request) -> Reply + Send + 'static,
    future: impl Future<Output = T>,
) -> T {
    LOOPBACK.with(|loopback| {
        *loopback.shared.handler.lock().unwrap() = Some(Box::new(handler));
        loopback.runtime.block_on(future)
    })
}

/// Runs a future that sends no requests.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    LOOPBACK.with(|loopback| loopback.runtime.block_on(future))
}

impl Loopback {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            // Each turn looks for data on connections.
            .event_interval(1)
            .build()?;
        let shared = Arc::<Shared>::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let url = format!("http://{}", listener.local_addr()?);
        runtime.spawn(accept(listener, shared.clone()));
        runtime.spawn(advance_when_idle(shared.clone()));
        Ok(Self {
            runtime,
            shared,
            url,
        })
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        tokio::spawn(serve_connection(connection, shared.clone()));
    }
}

async fn advance_when_idle(shared: Arc<Shared>) {
    loop {
        let before = shared.events.load(Ordering::Relaxed);
        for _ in 0..IDLE_TURNS {
            yield_now().await;
        }
        if shared.events.load(Ordering::Relaxed) == before {
            advance(STEP).await;
        }
    }
}

async fn serve_connection(mut connection: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let mut received = Vec::new();
    while let Some(request) = read_request(&mut connection, &mut received).await? {
        let reply = shared.reply(&request);
        let is_cut = reply.cut.is_some();
        for part in reply.into_parts() {
            shared.events.fetch_add(1, Ordering::Relaxed);
            connection.write_all(&part).await?;
            // The client reads the part by itself.
            yield_now().await;
            yield_now().await;
        }
        if is_cut {
            break;
        }
    }
    Ok(())
}

/// Reads the head of a request, which has no body. Returns `None` if the client closed the connection.
async fn read_request(
    connection: &mut TcpStream,
    received: &mut Vec<u8>,
) -> io::Result<Option<Request>> {
    const END: &[u8] = b"\r\n\r\n";
    loop {
        let end = received.windows(END.len()).position(|window| window == END);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
            received.drain(..end + END.len());
            let range = head.split("\r\nrange: bytes=").nth(1);
            let offset = range.and_then(|range| range.split('-').next());
            let offset = offset.and_then(|offset| offset.parse().ok());
            return Ok(Some(Request { offset }));
        }
        if connection.read_buf(received).await? == 0 {
            return Ok(None);
        }
    }
}

impl Shared {
    fn reply(&self, request: &Request) -> Reply {
        self.events.fetch_add(1, Ordering::Relaxed);
        let mut handler = self.handler.lock().unwrap();
        handler
            .as_mut()
            .map_or_else(Reply::default, |it| it(request))
    }
}

impl Reply {
    /// Returns a response with a body of a declared length.
    pub(crate) fn new(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            body: vec![body],
            has_length: true,
            ..Self::default()
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns what is written to the connection.
    fn into_parts(self) -> Vec<Vec<u8>> {
        let length: usize = self.body.iter().map(Vec::len).sum();
        let mut left = self.cut.unwrap_or(length);
        let mut parts = vec![self.head(length)];
        for mut part in self.body {
            part.truncate(left);
            left -= part.len();
            if part.is_empty() {
                continue;
            }
            parts.push(match self.has_length {
                true => part,
                false => [format!("{:x}\r\n", part.len()).as_bytes(), &part, b"\r\n"].concat(),
            });
        }
        if !self.has_length && self.cut.is_none() {
            parts.push(b"0\r\n\r\n".to_vec());
        }
        parts
    }

    fn head(&self, length: usize) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Status\r\n", self.status.clamp(200, 599)).into_bytes();
        for (name, value) in &self.headers {
            // A control character would end the header.
            let value = value.iter().filter(|byte| **byte >= b' ' && **byte != 0x7f);
            head.extend(
                name.bytes()
                    .chain(*b": ")
                    .chain(value.copied())
                    .chain(*b"\r\n"),
            );
        }
        let framing = match self.has_length {
            true => format!("content-length: {length}\r\n\r\n"),
            false => "transfer-encoding: chunked\r\n\r\n".to_owned(),
        };
        head.extend(framing.bytes());
        head
    }
}
