//! seedance-archiver: a Temporal worker that brings finished ByteDance Seedance videos into your own
//! bucket before their URLs die.
//!
//! - [`worker`]: registers the workflow and the activities with the Temporal SDK and runs them.
//! - [`activities`]: `QueryVideoTask` and `ArchiveVideo`.
//! - [`seedance`]: the API client and the sealing of signed URLs.
//! - [`questions`]: asks about a task for a workflow.
//! - [`ingress`]: callbacks from Seedance.
//! - [`download`]: fetches from URLs that are not trusted.
//! - [`archive`]: transfer, publication and receipt.
//! - [`config`]: what a worker is told.
//! - [`lifecycles`]: starts lifecycles and follows them to their end.
//! - [`search_attributes`]: what lifecycles are found by.
//! - [`checkup`]: whether everything is there that a worker needs.
//! - [`temporal`]: the Temporal that the environment names.
//! - [`dev_server`]: a Temporal server for trying things out.
//! - [`cli`]: the subcommands of the binary.
//! - [`http`], [`telemetry`]: what they share.
//!
//! The durable logic is in `seedance-archiver-workflows`, the messages in `seedance-archiver-proto`.

pub mod activities;
pub mod archive;
pub mod checkup;
pub mod cli;
pub mod config;
pub mod dev_server;
pub mod download;
pub mod http;
pub mod ingress;
pub mod lifecycles;
pub mod questions;
pub mod search_attributes;
pub mod seedance;
pub mod telemetry;
pub mod temporal;
mod time;
pub mod worker;
