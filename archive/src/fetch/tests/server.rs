//! A server that says exactly what it is told to, and keeps what it was asked.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[derive(Clone)]
pub(super) struct Server {
    pub(super) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `answer` is given the path and the port of each request; one that is empty never comes.
    pub(super) async fn start(answer: impl Fn(&str, u16) -> Vec<u8> + Send + 'static) -> Self {
        Self::at("127.0.0.1", answer).await
    }

    pub(super) async fn at(
        address: &str,
        answer: impl Fn(&str, u16) -> Vec<u8> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            asked: Arc::default(),
        };
        tokio::spawn(server.clone().serve(listener, answer));
        server
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The heads of all requests, in lower case.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    async fn serve(self, listener: TcpListener, answer: impl Fn(&str, u16) -> Vec<u8>) {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let Some(head) = head(&mut connection).await else {
                continue;
            };
            let path = head.split(' ').nth(1).unwrap();
            let answer = answer(path, self.port);
            self.asked.lock().unwrap().push(head.to_lowercase());
            if answer.is_empty() {
                std::future::pending::<()>().await;
            }
            connection.write_all(&answer).await.unwrap();
        }
    }
}

/// The head of the request; `None` where the connection is closed before, or is not HTTP.
async fn head(connection: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// An answer, which ends its connection.
pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

pub(super) fn redirect(location: &str) -> Vec<u8> {
    answer("302 Found", &format!("Location: {location}\r\n"), b"")
}
