use std::{
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use axum::routing::get;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::*;

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3600);
/// Timeout of what these limits make happen.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);
const REQUEST: &[u8] = b"GET /livez HTTP/1.1\r\nhost: worker\r\n\r\n";
/// Limits of which each test changes one.
const LIMITS: Limits = Limits {
    connections: 16,
    connections_per_peer: 16,
    header_timeout: NEVER,
    write_timeout: NEVER,
    max_age: NEVER,
};
const PEER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const OTHER_PEER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

async fn start(limits: Limits) -> (SocketAddr, Server) {
    let large = "x".repeat(1 << 20);
    let routes = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/large", get(|| async move { large }));
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), routes, limits);
    let listener = listener.await.unwrap();
    (listener.address().unwrap(), listener.start())
}

async fn connect(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddrV4::new(from, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Sends a request, and returns the beginning of the response.
async fn respond(stream: &mut TcpStream) -> std::io::Result<String> {
    stream.write_all(REQUEST).await?;
    let mut buffer = [0; 1024];
    let length = stream.read(&mut buffer).await?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

/// Waits until the server closes a connection.
async fn closed(mut stream: TcpStream) {
    let closed = async {
        let mut buffer = [0; 1024];
        // An error is a reset connection.
        while stream
            .read(&mut buffer)
            .await
            .is_ok_and(|length| length > 0)
        {}
    };
    timeout(TEST_TIMEOUT, closed)
        .await
        .expect("the connection stays open");
}

#[tokio::test]
async fn a_peer_that_uses_up_its_share_does_not_keep_others_from_connecting() {
    let limits = Limits {
        connections_per_peer: 12,
        ..LIMITS
    };
    let (address, _server) = start(limits).await;
    let mut open = Vec::new();
    for number in 0..limits.connections_per_peer {
        let mut stream = connect(PEER, address).await;
        let sent: &[u8] = match number % 3 {
            0 => b"",
            1 => b"GET /livez HTTP/1.1\r\nhost: wor",
            _ => b"GET /large HTTP/1.1\r\nhost: worker\r\n\r\n",
        };
        stream.write_all(sent).await.unwrap();
        open.push(stream);
    }
    for _ in 0..limits.connections {
        closed(connect(PEER, address).await).await;
    }
    let mut probe = connect(OTHER_PEER, address).await;
    let response = timeout(TEST_TIMEOUT, respond(&mut probe)).await;
    let response = response.expect("no response").unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");

    open.clear();
    // The server notices some time later that the connections were closed.
    let again = async {
        loop {
            let response = respond(&mut connect(PEER, address).await).await;
            if response.is_ok_and(|response| response.starts_with("HTTP/1.1 200 OK")) {
                return;
            }
        }
    };
    timeout(TEST_TIMEOUT, again)
        .await
        .expect("the share is not returned");
}

#[tokio::test]
async fn connections_that_send_no_request_are_closed() {
    let limits = Limits {
        header_timeout: Duration::from_millis(50),
        ..LIMITS
    };
    let (address, _server) = start(limits).await;
    closed(connect(PEER, address).await).await;

    let mut half_sent = connect(PEER, address).await;
    half_sent.write_all(&REQUEST[..20]).await.unwrap();
    closed(half_sent).await;

    let mut idle = connect(PEER, address).await;
    let response = respond(&mut idle).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");
    closed(idle).await;
}

#[tokio::test]
async fn a_connection_that_is_not_read_is_closed() {
    let limits = Limits {
        write_timeout: Duration::from_millis(50),
        ..LIMITS
    };
    let (address, _server) = start(limits).await;
    let mut stream = connect(PEER, address).await;
    let send = async {
        let request = b"GET /large HTTP/1.1\r\nhost: worker\r\n\r\n";
        while stream.write_all(request).await.is_ok() {}
    };
    timeout(TEST_TIMEOUT, send)
        .await
        .expect("the connection stays open");
}

#[tokio::test]
async fn a_connection_in_use_is_closed_at_its_maximum_age() {
    let limits = Limits {
        max_age: Duration::from_millis(50),
        ..LIMITS
    };
    let (address, _server) = start(limits).await;
    let mut stream = connect(PEER, address).await;
    let requests = async {
        while respond(&mut stream)
            .await
            .is_ok_and(|response| !response.is_empty())
        {}
    };
    timeout(TEST_TIMEOUT, requests)
        .await
        .expect("the connection stays open");
}

#[tokio::test]
async fn a_stopped_server_closes_its_connections() {
    let (address, server) = start(LIMITS).await;
    let idle = connect(PEER, address).await;
    let mut used = connect(PEER, address).await;
    respond(&mut used).await.unwrap();
    timeout(TEST_TIMEOUT, server.stop())
        .await
        .expect("the server does not stop");
    closed(idle).await;
    closed(used).await;
}
