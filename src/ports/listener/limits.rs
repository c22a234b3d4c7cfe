use std::time::Duration;

/// The limits of a port. No client can occupy a connection, or keep others from connecting, for longer than they allow.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum number of open connections. Further ones wait in the backlog.
    pub connections: usize,
    /// Maximum number of open connections from one peer. Further ones are closed.
    pub connections_per_peer: usize,
    /// Timeout of reading the head of a request. It is also the idle timeout of a connection.
    pub header_timeout: Duration,
    /// How long a write may make no progress because the client does not read.
    pub write_timeout: Duration,
    /// Maximum age of a connection. The response to an open request may still be completed.
    pub max_age: Duration,
}

impl Limits {
    /// The limits of health checks and metrics, which few clients read.
    pub const ADMIN: Self = Self {
        connections: 256,
        connections_per_peer: 32,
        header_timeout: Duration::from_secs(5),
        write_timeout: Duration::from_secs(5),
        max_age: Duration::from_secs(60),
    };

    /// The limits of callbacks, which may come in bursts through one load balancer.
    pub const CALLBACKS: Self = Self {
        connections: 384,
        connections_per_peer: 256,
        ..Self::ADMIN
    };
}
