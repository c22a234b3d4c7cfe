//! seedance-archiver: a Temporal worker that brings finished ByteDance Seedance videos into your own
//! bucket before their URLs die.
//!
//! As a library it goes into a Rust worker of your own, and calls one from anywhere:
//!
//! - [`Plugin`]: registers workflows and activities into your worker.
//! - [`worker`]: a worker as the binary runs it, on task queues of its own.
//! - [`config`]: accounts, and what a worker is told.
//! - [`lifecycles`]: starts lifecycles and follows them to their end.
//! - [`proto`]: the messages, the public names and the words of the contract.
//! - [`workflows`]: the durable logic, and the activities as workflows see them.
//!
//! # In a worker of your own
//!
//! Your worker serves lifecycles, questions and transfers on its own task queue, next to your workflows, and
//! whoever needs a video starts its lifecycle there:
//!
//! ```no_run
//! use seedance_archiver::{Plugin, config::Account, lifecycles, proto::v1::VideoTaskLifecycleRequest};
//! use temporalio_client::Client;
//! use temporalio_sdk::WorkerOptions;
//!
//! async fn with_the_archiver(client: &Client) -> Result<WorkerOptions, Box<dyn std::error::Error>> {
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
//! [`Plugin`] has the rest of such a worker. One that is as the binary's, configured by the environment, is a
//! [`worker::Worker`].
//!
//! # What is stable
//!
//! The modules above are what versions are about. What else is public is for the binary and its tests, is not
//! documented here, and may change at any time:
//!
//! - `activities`: `QueryVideoTask`, `ArchiveVideo`, `AwaitVideoTask` and what belongs to them.
//! - `seedance`: the API client and the sealing of signed URLs.
//! - `questions`: asks about a task for a workflow.
//! - `ingress`: callbacks from Seedance.
//! - `admin`: health and metrics, as an orchestrator asks for them; `listener` answers both.
//! - `health`: how far a worker is.
//! - `download`: fetches from URLs that are not trusted.
//! - `archive`: transfer, publication and receipt.
//! - `gallery`: the archive as a page.
//! - `rescue`: which videos are still to be saved, and how long there is for each.
//! - `sweeps`: starts sweeps of an account's tasks, and has them repeated.
//! - `deadlines`: until when a video can be had.
//! - `search_attributes`: what lifecycles are found by.
//! - `checkup`: whether everything is there that a worker needs.
//! - `temporal`: the Temporal that the environment names.
//! - `dev_server`: a Temporal server for trying things out.
//! - `cli`: the subcommands of the binary.
//! - `http`, `telemetry`: what they share.

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
mod plugin;
#[doc(hidden)]
pub mod ports;
#[doc(hidden)]
pub mod rescue;
#[doc(hidden)]
pub mod telemetry;
#[doc(hidden)]
pub mod temporal;
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
