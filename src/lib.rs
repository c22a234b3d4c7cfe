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
//! - [`gallery`]: the archive as a page.
//! - [`config`]: what a worker is told.
//! - [`lifecycles`]: starts lifecycles and follows them to their end.
//! - [`rescue`]: which videos are still to be saved, and how long there is for each.
//! - [`sweeps`]: starts sweeps of an account's tasks, and has them repeated.
//! - [`deadlines`]: until when a video can be had.
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
pub mod deadlines;
pub mod dev_server;
pub mod download;
pub mod gallery;
pub mod http;
pub mod ingress;
pub mod lifecycles;
mod plugin;
pub mod questions;
pub mod rescue;
pub mod search_attributes;
pub mod seedance;
pub mod sweeps;
pub mod telemetry;
pub mod temporal;
mod time;
pub mod worker;

pub use plugin::{Plugin, PluginBuilder};
