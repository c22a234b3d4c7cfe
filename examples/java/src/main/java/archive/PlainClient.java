package archive;

import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import seedance.archiver.v1.VideoTaskLifecycleRequest;
import seedance.archiver.v1.VideoTaskLifecycleResult;

/** Archives a video without a workflow in this program. */
final class PlainClient {
  static VideoTaskLifecycleResult archive(WorkflowClient client, String taskId) {
    WorkflowOptions options =
        WorkflowOptions.newBuilder()
            .setWorkflowId(Archiver.lifecycleId(taskId))
            .setTaskQueue(Archiver.TASK_QUEUE)
            // Joins a lifecycle that is already running.
            .setWorkflowIdConflictPolicy(
                WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
            .build();
    VideoTaskLifecycleRequest request =
        VideoTaskLifecycleRequest.newBuilder()
            .setTaskId(taskId)
            .setReportOnly(Archiver.REPORT_ONLY)
            .build();
    return client.newWorkflowStub(Archiver.VideoTaskLifecycle.class, options).run(request);
  }

  private PlainClient() {}
}
