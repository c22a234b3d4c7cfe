//! Infrastructure that the tests share: the Temporal server, the fixture of a test, processes, proxies and
//! tools.

mod archived_files;
pub(crate) mod attempts;
pub(crate) mod audits;
mod blocked_archive;
pub(crate) mod browser;
pub(crate) mod caller;
mod command;
pub(crate) mod conduct;
pub(crate) mod created_task;
pub(crate) mod deliveries;
pub(crate) mod existing_server;
pub(crate) mod failures;
mod fixture;
pub(crate) mod grpc_proxy;
pub(crate) mod heartbeat;
pub(crate) mod hidden_task;
pub(crate) mod history;
pub(crate) mod lifecycle;
pub(crate) mod minio;
pub(crate) mod nexus;
pub(crate) mod proxied_bucket;
pub(crate) mod query_activity;
pub(crate) mod receiver;
pub(crate) mod registry;
pub(crate) mod restartable_server;
#[allow(
    dead_code,
    reason = "other tests control the proxy from another process"
)]
#[path = "../support/s3_proxy/proxy.rs"]
pub(crate) mod s3_proxy;
pub(crate) mod schemas;
mod signals;
pub(crate) mod simulator;
pub(crate) mod sweeps;
pub(crate) mod tcp_proxy;
mod temporal_server;
pub(crate) mod tls_proxy;
pub(crate) mod tools;
pub(crate) mod watchers;
pub(crate) mod worker_log;

pub(crate) use self::{
    archived_files::task_prefix,
    command::{command, command_of, shell},
    fixture::{DAY, Fixture, HOUR, QUERY_WINDOW, URL_LIFETIME, read_local},
    registry::register,
    signals::send_signal,
    temporal_server::Server,
};
pub(crate) use crate::until::{until, until_async};
