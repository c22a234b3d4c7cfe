//! Records the commands that a workflow sends.

use std::sync::{Arc, Mutex, PoisonError};

use temporalio_protos::coresdk::workflow_completion::{
    WorkflowActivationCompletion, workflow_activation_completion::Status,
};
use temporalio_sdk::interceptors::WorkerInterceptor;

use crate::command::Command;

/// The commands so far. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<Command>>>);

impl Recorder {
    /// Removes and returns the commands.
    pub(crate) fn take(&self) -> Vec<Command> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait::async_trait(?Send)]
impl WorkerInterceptor for Recorder {
    async fn on_workflow_activation_completion(&self, completion: &WorkflowActivationCompletion) {
        let Some(Status::Successful(success)) = &completion.status else {
            return;
        };
        let commands = success.commands.iter().cloned();
        let commands = commands.filter_map(|command| Command::sent(command.variant?));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(commands);
    }
}
