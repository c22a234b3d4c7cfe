package archive;

import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import seedance.archiver.v1.VideoTaskLifecycleRequest;
import seedance.archiver.v1.VideoTaskLifecycleResult;

/** Has a video archived without a workflow of its own. */
final class PlainClient {
  static VideoTaskLifecycleResult archive(WorkflowClient client, String taskId) {
    WorkflowOptions options =
        WorkflowOptions.newBuilder()
            .setWorkflowId(Archiver.lifecycleId(taskId))
            .setTaskQueue(Archiver.TASK_QUEUE)
            // One that runs already is joined.
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
