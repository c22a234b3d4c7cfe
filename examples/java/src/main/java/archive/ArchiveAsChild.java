package archive;

import io.temporal.api.enums.v1.ParentClosePolicy;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.failure.ChildWorkflowFailure;
import io.temporal.workflow.ChildWorkflowOptions;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import seedance.archiver.v1.VideoTaskLifecycleRequest;
import seedance.archiver.v1.VideoTaskLifecycleResult;

/**
 * Archives a video by a child workflow, which is part of the history. If the workflow is cancelled,
 * the archiving stops.
 */
@WorkflowInterface
public interface ArchiveAsChild {
  @WorkflowMethod
  VideoTaskLifecycleResult archive(String taskId);

  class Impl implements ArchiveAsChild {
    @Override
    public VideoTaskLifecycleResult archive(String taskId) {
      ChildWorkflowOptions options =
          ChildWorkflowOptions.newBuilder()
              .setWorkflowId(Archiver.lifecycleId(taskId))
              .setTaskQueue(Archiver.TASK_QUEUE)
              // The child continues if this workflow ends first.
              .setParentClosePolicy(ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON)
              .build();
      VideoTaskLifecycleRequest request =
          VideoTaskLifecycleRequest.newBuilder()
              .setTaskId(taskId)
              .setReportOnly(Archiver.REPORT_ONLY)
              .build();
      try {
        return Workflow.newChildWorkflowStub(Archiver.VideoTaskLifecycle.class, options)
            .run(request);
      } catch (ChildWorkflowFailure failure) {
        if (!(failure.getCause() instanceof WorkflowExecutionAlreadyStarted)) {
          throw failure;
        }
        // A lifecycle was started elsewhere, e.g. by a callback: wait for it by the activity.
        return AwaitVideo.awaitVideo(taskId);
      }
    }
  }
}
