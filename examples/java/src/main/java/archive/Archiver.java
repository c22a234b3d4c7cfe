package archive;

import io.temporal.activity.ActivityInterface;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import seedance.archiver.v1.AwaitVideoTaskRequest;
import seedance.archiver.v1.VideoTaskLifecycleRequest;
import seedance.archiver.v1.VideoTaskLifecycleResult;

/** What a caller needs to know of seedance-archiver; the messages are generated from its contract. */
final class Archiver {
  static final String TASK_QUEUE = "seedance-archiver";

  /** One task, one id: whoever starts a second lifecycle of it finds the first. */
  static String lifecycleId(String taskId) {
    String account = "default";
    return "video-task/" + account + "/" + taskId;
  }

  /** A lost video is told in the result, as every other ending. Without it, it is a failure. */
  static final boolean REPORT_ONLY = true;

  @WorkflowInterface
  public interface VideoTaskLifecycle {
    @WorkflowMethod
    VideoTaskLifecycleResult run(VideoTaskLifecycleRequest request);
  }

  @ActivityInterface
  public interface Activities {
    /** `AwaitVideoTask`: the SDK makes the first letter a capital. */
    VideoTaskLifecycleResult awaitVideoTask(AwaitVideoTaskRequest request);
  }

  private Archiver() {}
}
