//! Builds the settings of a worker.

use std::{net::SocketAddr, path::PathBuf};

use reqwest::Url;
use seedance_archiver_proto::names;

use super::{
    reader::{Input, Reader},
    worker_settings::{Deployment, Target, Versioning, WorkerSettings},
};

/// The settings of a worker under construction. Settings are read into `settings`, except for those of the whole
/// configuration and those that are only valid together.
pub(super) struct WorkerDraft {
    pub(super) settings: WorkerSettings,
    pub(super) accounts_file: Option<PathBuf>,
    pub(super) archive_url: Option<Url>,
    pub(super) task_queue: String,
    pub(super) ingress_address: Option<SocketAddr>,
    pub(super) target_memory: Option<f64>,
    pub(super) target_cpu: Option<f64>,
    pub(super) deployment_name: Option<String>,
    pub(super) build_id: Option<String>,
    pub(super) versioning: Option<Versioning>,
}

impl Default for WorkerDraft {
    fn default() -> Self {
        Self {
            settings: WorkerSettings::default(),
            accounts_file: None,
            archive_url: None,
            task_queue: names::TASK_QUEUE.to_owned(),
            ingress_address: None,
            target_memory: None,
            target_cpu: None,
            deployment_name: None,
            build_id: None,
            versioning: None,
        }
    }
}

impl WorkerDraft {
    /// Completes the settings, and checks those that are only valid together.
    pub(super) fn finish(&mut self, input: &dyn Input, reader: &mut Reader) {
        self.settings.capacity.target = self.target();
        self.settings.deployment = self.deployment(input, reader);
        // Without a deployment its settings have no effect, and `config show` must not claim otherwise.
        let deployment = self.settings.deployment.as_ref();
        self.deployment_name = deployment.map(|deployment| deployment.name.clone());
        self.build_id = deployment.map(|deployment| deployment.build_id.clone());
        self.versioning = deployment.map(|deployment| deployment.versioning);
    }

    /// Sets the resource targets. If only one is set, the other imposes no limit.
    fn target(&mut self) -> Option<Target> {
        if self.target_memory.is_none() && self.target_cpu.is_none() {
            return None;
        }
        Some(Target {
            memory: *self.target_memory.get_or_insert(1.0),
            cpu: *self.target_cpu.get_or_insert(1.0),
        })
    }

    fn deployment(&self, input: &dyn Input, reader: &mut Reader) -> Option<Deployment> {
        const NAME: &str = "deployment.name";
        const BUILD_ID: &str = "deployment.build_id";
        const VERSIONING: &str = "deployment.versioning";
        let mut incomplete = |name: &str, other: &str| {
            let other = input.label(other);
            let problem =
                format!("is set without {other}; set both, or neither to turn versioning off");
            reader.error(input, name, problem);
        };
        match (&self.deployment_name, &self.build_id) {
            (Some(name), Some(build_id)) => {
                return Some(Deployment {
                    name: name.clone(),
                    build_id: build_id.clone(),
                    versioning: self.versioning.unwrap_or_default(),
                });
            }
            (Some(_), None) => incomplete(NAME, BUILD_ID),
            (None, Some(_)) => incomplete(BUILD_ID, NAME),
            (None, None) if input.value(VERSIONING).is_some() => {
                let (name, build_id) = (input.label(NAME), input.label(BUILD_ID));
                let problem = format!("has no effect without {name} and {build_id}; set both");
                reader.error(input, VERSIONING, problem);
            }
            (None, None) => {}
        }
        None
    }
}
