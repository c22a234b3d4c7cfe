//! A network link between two parts: a TCP proxy that can be cut, slowed and made half-open.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use seedance_archiver_clock::Clock;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

const SLOW_CHUNK: usize = 8 * 1024;
/// Delay of each chunk of a slow link: at most 80 KiB a second in each direction.
const SLOW_DELAY: Duration = Duration::from_millis(100);
/// How long a response and a request may pass each other on a slow link: the delay of each, and as long for a busy machine.
const PASSING: Duration = Duration::from_millis(400);

/// The state of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Mode {
    #[default]
    Open,
    /// Connections are closed, and new ones are closed at once.
    Cut,
    /// Every chunk is delayed.
    Slow,
    /// The server's side of all connections is gone, and the client is not told: what it sends is discarded, and nothing
    /// comes back. When the link is open again, a client that sends more is told; one that only waits is told by its
    /// keepalive, if it has one.
    HalfOpen,
}

/// After how long a waiting client notices that its connection is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Keepalive {
    /// Never: it needs a timeout of its own.
    Absent,
    /// The interval of its TCP keepalive.
    Every(Duration),
}

/// A link to a server.
pub(super) struct Link {
    pub(super) address: SocketAddr,
    mode: watch::Sender<Mode>,
    /// The modes so far, with the time at which each began. The link was open before that.
    changes: Mutex<Vec<(SystemTime, Mode)>>,
    task: JoinHandle<()>,
}

impl Link {
    pub(super) async fn start(server: SocketAddr, keepalive: Keepalive) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mode = watch::Sender::new(Mode::Open);
        let task = tokio::spawn(serve(listener, server, mode.subscribe(), keepalive));
        Ok(Self {
            address,
            mode,
            changes: Mutex::default(),
            task,
        })
    }

    pub(super) fn set(&self, mode: Mode) {
        self.changes.lock().push((Clock::default().now(), mode));
        self.mode.send_replace(mode);
    }

    /// Returns whether a client may have missed a response that was sent at `sent` when it sent what arrived at `until`.
    pub(super) fn may_have_missed(&self, sent: SystemTime, until: SystemTime) -> bool {
        let is_short = until.duration_since(sent).is_ok_and(|it| it < PASSING);
        let times = self.times(until, |mode| match mode {
            Mode::Cut | Mode::HalfOpen => true,
            Mode::Slow => is_short,
            Mode::Open => false,
        });
        let mut times = times.iter();
        times.any(|(start, end)| *start <= until && *end >= sent)
    }

    /// Returns how long the link carried nothing between two times.
    pub(super) fn outage(&self, from: SystemTime, until: SystemTime) -> Duration {
        let outages = self.times(until, |mode| matches!(mode, Mode::Cut | Mode::HalfOpen));
        let times = outages.into_iter().map(|(start, end)| {
            let time = end.min(until).duration_since(start.max(from));
            time.unwrap_or_default()
        });
        times.sum()
    }

    /// Returns when the link was in some modes. A time that still lasts ends at `until`.
    fn times(
        &self,
        until: SystemTime,
        is_wanted: impl Fn(Mode) -> bool,
    ) -> Vec<(SystemTime, SystemTime)> {
        let changes = self.changes.lock();
        let ends = changes.iter().skip(1).map(|(at, _)| *at);
        let modes = changes.iter().zip(ends.chain([until]));
        let wanted = modes.filter(|((_, mode), _)| is_wanted(*mode));
        wanted.map(|((start, _), end)| (*start, end)).collect()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    listener: TcpListener,
    server: SocketAddr,
    mode: watch::Receiver<Mode>,
    keepalive: Keepalive,
) {
    loop {
        // An error concerns one connection, or file descriptors that are used up for a while.
        match listener.accept().await {
            Ok((client, _)) => drop(tokio::spawn(connection(
                client,
                server,
                mode.clone(),
                keepalive,
            ))),
            Err(_) => sleep(SLOW_DELAY).await,
        }
    }
}

async fn connection(
    mut client: TcpStream,
    server: SocketAddr,
    mut mode: watch::Receiver<Mode>,
    keepalive: Keepalive,
) {
    let now = *mode.borrow_and_update();
    match now {
        Mode::Cut => return,
        Mode::HalfOpen => return be_silent(client, mode, keepalive).await,
        Mode::Open | Mode::Slow => {}
    }
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let changes = mode.clone();
    let ended = tokio::select! {
        _ = copy(from_client, to_server, changes.clone()) => Mode::Cut,
        _ = copy(from_server, to_client, changes) => Mode::Cut,
        ended = broken(mode.clone()) => ended,
    };
    drop(server);
    if ended == Mode::HalfOpen {
        be_silent(client, mode, keepalive).await;
    }
}

/// Keeps the client's side of a connection until the client notices that the other side is gone.
async fn be_silent(client: TcpStream, mode: watch::Receiver<Mode>, keepalive: Keepalive) {
    tokio::select! {
        () = swallow(client, mode.clone()) => {}
        () = noticed(mode, keepalive) => {}
    }
}

/// Waits until the keepalive of a client is answered: the link is open, and the connection unknown.
async fn noticed(mut mode: watch::Receiver<Mode>, keepalive: Keepalive) {
    let Keepalive::Every(interval) = keepalive else {
        return std::future::pending().await;
    };
    // An error means that the link was dropped.
    let _ = mode.wait_for(|mode| *mode != Mode::HalfOpen).await;
    sleep(interval).await;
}

/// Waits until the link no longer carries connections.
async fn broken(mut mode: watch::Receiver<Mode>) -> Mode {
    let is_broken = |mode: &Mode| matches!(mode, Mode::Cut | Mode::HalfOpen);
    // An error means that the link was dropped.
    mode.wait_for(is_broken).await.map_or(Mode::Cut, |it| *it)
}

/// Reads until the client closes the connection, or sends something although the link is open again.
async fn swallow(mut client: TcpStream, mode: watch::Receiver<Mode>) {
    let mut buffer = vec![0; SLOW_CHUNK];
    while client.read(&mut buffer).await.is_ok_and(|read| read > 0) {
        if *mode.borrow() != Mode::HalfOpen {
            return;
        }
    }
}

async fn copy(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mode: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut buffer = vec![0; SLOW_CHUNK];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        if *mode.borrow() == Mode::Slow {
            sleep(SLOW_DELAY).await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts a server that sends back what it receives. Returns its address and the number of connections that ended.
    async fn echo() -> (SocketAddr, watch::Receiver<usize>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, ended) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let sender = sender.clone();
                tokio::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    let _ = tokio::io::copy(&mut reader, &mut writer).await;
                    sender.send_modify(|ended| *ended += 1);
                });
            }
        });
        (address, ended)
    }

    async fn is_echoed(stream: &mut TcpStream) -> bool {
        let mut byte = [0];
        stream.write_all(b"x").await.is_ok()
            && stream.read(&mut byte).await.is_ok_and(|read| read == 1)
    }

    #[tokio::test]
    async fn an_open_link_carries_bytes_both_ways_and_a_cut_one_closes() {
        let link = Link::start(echo().await.0, Keepalive::Absent);
        let link = link.await.unwrap();
        let mut stream = TcpStream::connect(link.address).await.unwrap();
        assert!(is_echoed(&mut stream).await);
        link.set(Mode::Slow);
        assert!(is_echoed(&mut stream).await);
        link.set(Mode::Cut);
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
        let mut stream = TcpStream::connect(link.address).await.unwrap();
        assert!(!is_echoed(&mut stream).await);
        link.set(Mode::Open);
        let mut stream = TcpStream::connect(link.address).await.unwrap();
        assert!(is_echoed(&mut stream).await);
    }

    #[tokio::test]
    async fn an_outage_lasts_until_the_link_carries_something() {
        let link = Link::start(echo().await.0, Keepalive::Absent);
        let link = link.await.unwrap();
        let (start, second) = (SystemTime::UNIX_EPOCH, Duration::from_secs(1));
        let at = |seconds: u32| start + seconds * second;
        let changes = [
            (at(10), Mode::Cut),
            (at(20), Mode::Slow),
            (at(30), Mode::HalfOpen),
            (at(40), Mode::Open),
            (at(50), Mode::Cut),
        ];
        link.changes.lock().extend(changes);
        assert_eq!(link.outage(start, at(60)), 30 * second);
        assert_eq!(link.outage(at(15), at(35)), 10 * second);
        assert_eq!(link.outage(at(20), at(30)), Duration::ZERO);
        for (sent, until, expected) in [
            (0, 9, false),
            (21, 29, false),
            (0, 10, true),
            (60, 70, true),
        ] {
            let missed = link.may_have_missed(at(sent), at(until));
            assert_eq!(missed, expected, "{sent}");
        }
        let moment = PASSING / 2;
        for (sent, expected) in [(15, true), (25, true), (45, false)] {
            let missed = link.may_have_missed(at(sent), at(sent) + moment);
            assert_eq!(missed, expected, "{sent}");
        }
        assert!(!link.may_have_missed(at(25), at(25) + PASSING));
    }

    #[tokio::test]
    async fn a_half_open_connection_is_silent_until_more_is_sent_over_the_open_link() {
        let (address, mut ended) = echo().await;
        let link = Link::start(address, Keepalive::Absent).await.unwrap();
        let mut before = TcpStream::connect(link.address).await.unwrap();
        assert!(is_echoed(&mut before).await);
        link.set(Mode::HalfOpen);
        ended.wait_for(|ended| *ended == 1).await.unwrap();
        link.set(Mode::Open);
        let mut after = TcpStream::connect(link.address).await.unwrap();
        assert!(is_echoed(&mut after).await);
        let error = before.try_read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert!(!is_echoed(&mut before).await);
    }

    #[tokio::test]
    async fn a_client_with_keepalive_notices_once_the_link_is_open() {
        let (address, mut ended) = echo().await;
        let keepalive = Keepalive::Every(Duration::from_millis(1));
        let link = Link::start(address, keepalive).await.unwrap();
        let mut stream = TcpStream::connect(link.address).await.unwrap();
        assert!(is_echoed(&mut stream).await);
        link.set(Mode::HalfOpen);
        ended.wait_for(|ended| *ended == 1).await.unwrap();
        let error = stream.try_read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        link.set(Mode::Open);
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
    }
}
