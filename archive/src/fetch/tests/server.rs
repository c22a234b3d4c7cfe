//! A server that sends prepared responses and records the requests.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[derive(Clone)]
pub(super) struct Server {
    pub(super) port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts a server. `respond` receives the path of each request and the server's port. If it returns an empty
    /// response, the server does not respond.
    pub(super) async fn start(respond: impl Fn(&str, u16) -> Vec<u8> + Send + 'static) -> Self {
        Self::at("127.0.0.1", respond).await
    }

    pub(super) async fn at(
        address: &str,
        respond: impl Fn(&str, u16) -> Vec<u8> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            requests: Arc::default(),
        };
        tokio::spawn(server.clone().serve(listener, respond));
        server
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Returns the request line and the headers of each request, in lower case.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    async fn serve(self, listener: TcpListener, respond: impl Fn(&str, u16) -> Vec<u8>) {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let Some(head) = read_head(&mut connection).await else {
                continue;
            };
            let path = head.split(' ').nth(1).unwrap();
            let response = respond(path, self.port);
            self.requests.lock().unwrap().push(head.to_lowercase());
            if response.is_empty() {
                std::future::pending::<()>().await;
            }
            connection.write_all(&response).await.unwrap();
        }
    }
}

/// Reads the head of a request. Returns `None` if the connection is closed earlier, as after a failed TLS
/// handshake.
async fn read_head(connection: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Returns a response that closes the connection.
pub(super) fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

pub(super) fn redirect(location: &str) -> Vec<u8> {
    response("302 Found", &format!("Location: {location}\r\n"), b"")
}
