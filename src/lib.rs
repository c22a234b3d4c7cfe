//! A Temporal worker that archives finished ByteDance Seedance videos into your own bucket before their
//! URLs expire.
//!
//! The binary `seedance-archiver` is the usual way to run it. This library is for Rust programs that
//! embed the worker, or that start and follow lifecycles:
//!
//! - [`Plugin`]: registers the workflows and activities with your own worker.
//! - [`worker`]: the worker of the binary, with its own task queues.
//! - [`config`]: accounts and worker settings.
//! - [`lifecycles`]: starts, follows and lists lifecycles.
//! - [`workflows`]: the workflows, and the activities as workflows call them.
//! - [`proto`]: the messages and public names of the contract.
//!
//! # Examples
//!
//! Serve lifecycles, queries and transfers on the task queue of your own worker:
//!
//! ```no_run
//! use seedance_archiver::{Plugin, config::Account};
//! use temporalio_client::Client;
//! use temporalio_sdk::WorkerOptions;
//!
//! async fn worker_options(client: &Client) -> Result<WorkerOptions, Box<dyn std::error::Error>> {
//!     let base_url = "https://ark.ap-southeast.bytepluses.com/api/v3".parse()?;
//!     let api_key = std::env::var("SEEDANCE_API_KEY")?.into();
//!     let plugin = Plugin::builder()
//!         .client(client)
//!         .accounts([Account::new("default", base_url, api_key)])
//!         .archive_url("s3://my-bucket/videos".parse()?)
//!         .build()
//!         .await?;
//!     let mut options = WorkerOptions::new("my-queue").build();
//!     plugin.register(&mut options)?;
//!     Ok(options)
//! }
//! ```
//!
//! Archive the video of a task from any program, and wait for the outcome:
//!
//! ```no_run
//! use seedance_archiver::{lifecycles, proto::v1::VideoTaskLifecycleRequest};
//! use temporalio_client::Client;
//!
//! async fn archive(client: &Client, task_id: &str) -> Result<String, lifecycles::LifecycleError> {
//!     let request = VideoTaskLifecycleRequest {
//!         task_id: task_id.to_owned(),
//!         ..VideoTaskLifecycleRequest::default()
//!     };
//!     let lifecycle = lifecycles::start(client, "my-queue", request).await?;
//!     Ok(lifecycle.result().await?.outcome)
//! }
//! ```
//!
//! Run a worker that is configured by the environment, like the binary:
//!
//! ```no_run
//! use seedance_archiver::{config::Config, worker::Worker};
//! use temporalio_client::Client;
//! use temporalio_sdk::Runtime;
//!
//! async fn run(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
//!     let config = Config::from_environment(|name| std::env::var(name).ok(), None)?;
//!     let runtime = Runtime::from_current_tokio(Default::default())?;
//!     let worker = Worker::new(&runtime, client, &config).await?;
//!     let shutdown = async {
//!         let _ = tokio::signal::ctrl_c().await;
//!     };
//!     Ok(worker.run(shutdown).await?)
//! }
//! ```
//!
//! # Features
//!
//! - `simulator` (default): the commands `demo` and `simulator` of the command line. Programs that embed the worker do
//!   not need it.
//!
//! # Stability
//!
//! The items above follow semantic versioning. Other public modules are hidden from the documentation. They
//! exist for the binary and its tests, and may change in any version:
//!
//! - `activities`: the activities `QueryVideoTask`, `ArchiveVideo`, `AwaitVideoTask` and those of sweeps.
//! - `temporal`: the connection to Temporal, search attributes, lifecycles and sweeps.
//! - `ports`: the HTTP endpoints of a worker, for callbacks, health checks and metrics.
//! - `telemetry`: logs, metrics and traces.
//! - `checkup`: the checks of `doctor` and `setup`.
//! - `rescue`: finds the videos of an account that are not archived.
//! - `gallery`: an HTML page of the archived videos.
//! - `dev_server`: a local Temporal server.
//! - `cli`: the command line.
//!
//! # Workspace
//!
//! The library is built from these crates, each with its own documentation:
//!
//! - `seedance-archiver-proto`, here [`proto`]: the contract.
//! - `seedance-archiver-policy`: when to poll, deadlines and outcomes, without I/O.
//! - `seedance-archiver-workflows`, here [`workflows`]: the durable logic, without I/O.
//! - `seedance-archiver-seedance`: a client of the Seedance API, and the sealing of signed URLs.
//! - `seedance-archiver-archive`: downloads, checks and stores videos, and writes their receipts.
//! - `seedance-archiver-http`: the HTTP client settings and error texts that the others share.
//! - `seedance-archiver-simulator`: a local Seedance API for the demo and tests.

// Defines `outln!` and `errln!` for the modules below.
#[macro_use]
mod stdio;

#[doc(hidden)]
pub mod activities;
#[doc(hidden)]
pub mod checkup;
#[doc(hidden)]
pub mod cli;
pub mod config;
#[doc(hidden)]
pub mod dev_server;
#[doc(hidden)]
pub mod gallery;
mod nexus;
mod plugin;
#[doc(hidden)]
pub mod ports;
#[doc(hidden)]
pub mod rescue;
#[doc(hidden)]
pub mod telemetry;
#[doc(hidden)]
pub mod temporal;
mod webhook;
pub mod worker;

pub use activities::ServeError;
pub use archive::OpenArchiveError;
pub use plugin::{Plugin, PluginBuilder};
#[doc(hidden)]
pub use seedance_archiver_archive as archive;
#[doc(no_inline)]
pub use seedance_archiver_proto as proto;
#[doc(hidden)]
pub use seedance_archiver_seedance as seedance;
#[doc(no_inline)]
pub use seedance_archiver_workflows as workflows;
pub use temporal::lifecycles;

pub(crate) use seedance_archiver_http as http;
