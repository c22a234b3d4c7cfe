package archive;

import io.temporal.activity.ActivityOptions;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import seedance.archiver.v1.AwaitVideoTaskRequest;
import seedance.archiver.v1.VideoTaskLifecycleResult;

/**
 * Archives a video by an activity. If the workflow is cancelled, the waiting stops and the
 * archiving continues.
 */
@WorkflowInterface
public interface AwaitVideo {
  @WorkflowMethod
  VideoTaskLifecycleResult archive(String taskId);

  class Impl implements AwaitVideo {
    @Override
    public VideoTaskLifecycleResult archive(String taskId) {
      return awaitVideo(taskId);
    }
  }

  static VideoTaskLifecycleResult awaitVideo(String taskId) {
    ActivityOptions options =
        ActivityOptions.newBuilder()
            .setTaskQueue(Archiver.TASK_QUEUE)
            // Waits until the video is archived or lost, up to three weeks: an attempt that times
            // out is retried and joins the same run.
            .setStartToCloseTimeout(Duration.ofDays(15))
            // Detects the loss of the archiver's worker.
            .setHeartbeatTimeout(Duration.ofMinutes(1))
            .build();
    AwaitVideoTaskRequest request =
        AwaitVideoTaskRequest.newBuilder()
            .setTaskId(taskId)
            .setReportOnly(Archiver.REPORT_ONLY)
            .build();
    return Workflow.newActivityStub(Archiver.Activities.class, options).awaitVideoTask(request);
  }
}
