package archive;

import io.temporal.activity.ActivityInterface;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import seedance.archiver.v1.AwaitVideoTaskRequest;
import seedance.archiver.v1.VideoTaskLifecycleRequest;
import seedance.archiver.v1.VideoTaskLifecycleResult;

/** Names of seedance-archiver that callers need. The messages are generated from its contract. */
final class Archiver {
  static final String TASK_QUEUE = "seedance-archiver";

  /** Returns the workflow id of the lifecycle of a task. A task has one lifecycle at a time. */
  static String lifecycleId(String taskId) {
    String account = "default";
    return "video-task/" + account + "/" + taskId;
  }

  /** Returns a lost video as a result, like every other outcome, and not as a failure. */
  static final boolean REPORT_ONLY = true;

  @WorkflowInterface
  public interface VideoTaskLifecycle {
    @WorkflowMethod
    VideoTaskLifecycleResult run(VideoTaskLifecycleRequest request);
  }

  @ActivityInterface
  public interface Activities {
    /** The SDK capitalizes the first letter of the activity's name: `AwaitVideoTask`. */
    VideoTaskLifecycleResult awaitVideoTask(AwaitVideoTaskRequest request);
  }

  private Archiver() {}
}
