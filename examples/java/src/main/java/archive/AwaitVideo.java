package archive;

import io.temporal.activity.ActivityOptions;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import seedance.archiver.v1.AwaitVideoTaskRequest;
import seedance.archiver.v1.VideoTaskLifecycleResult;

/** Has a video archived by an activity: cancelling it stops the waiting, not the archive. */
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
            // One attempt may wait for as long as a video can take.
            .setStartToCloseTimeout(Duration.ofDays(15))
            // It is how the loss of a worker is noticed.
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
