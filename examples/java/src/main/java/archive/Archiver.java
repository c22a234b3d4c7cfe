package archive;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.nexusrpc.Operation;
import io.nexusrpc.Service;
import io.temporal.activity.ActivityInterface;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import seedance.archiver.v1.AwaitVideoTaskRequest;
import seedance.archiver.v1.GenerateVideoRequest;
import seedance.archiver.v1.GenerateVideoResult;
import seedance.archiver.v1.VideoTaskLifecycleRequest;
import seedance.archiver.v1.VideoTaskLifecycleResult;

/** Names of seedance-archiver that callers need. The messages are generated from its contract. */
final class Archiver {
  static final String TASK_QUEUE = "seedance-archiver";

  /** The endpoint that `seedance-archiver setup` creates. */
  static final String NEXUS_ENDPOINT = "seedance-archiver";

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

  @WorkflowInterface
  public interface GenerateVideo {
    @WorkflowMethod
    GenerateVideoResult run(GenerateVideoRequest request);
  }

  @ActivityInterface
  public interface Activities {
    /** The SDK capitalizes the first letter of the activity's name: `AwaitVideoTask`. */
    VideoTaskLifecycleResult awaitVideoTask(AwaitVideoTaskRequest request);
  }

  @Service(name = "SeedanceArchiver")
  public interface SeedanceArchiver {
    /** The result is plain JSON, because all callers of a task get the same one. */
    @Operation(name = "AwaitVideoTask")
    VideoResult awaitVideoTask(AwaitVideoTaskRequest request);
  }

  /** Outcome `archived` with the receipt, or another outcome with the reason. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record VideoResult(String outcome, Manifest manifest, String reason, String message) {}

  /** Receipt of an archived video. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Manifest(@JsonProperty("manifest_url") String manifestUrl) {}

  private Archiver() {}
}
