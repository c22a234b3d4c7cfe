package archive;

import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.envconfig.ClientConfigProfile;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import java.io.IOException;
import seedance.archiver.v1.VideoTaskLifecycleResult;

/** Archives the video of a task and prints the URL of its receipt. */
public final class Main {
  /** The task queue of the worker in this example, not the archiver's. */
  private static final String TASK_QUEUE = "archive-example-java";

  public static void main(String[] args) throws IOException {
    if (args.length != 2 || !args[0].matches("await|child|start")) {
      System.err.println("usage: java -jar target/archive-example-0.1.0.jar await|child|start cgt-…");
      System.exit(2);
    }
    ClientConfigProfile profile = ClientConfigProfile.load();
    WorkflowServiceStubs service =
        WorkflowServiceStubs.newServiceStubs(profile.toWorkflowServiceStubsOptions());
    WorkflowClient client =
        WorkflowClient.newInstance(service, profile.toWorkflowClientOptions());
    VideoTaskLifecycleResult result =
        args[0].equals("start")
            ? PlainClient.archive(client, args[1])
            : runWorkflow(client, args[0], args[1]);
    System.exit(report(result));
  }

  private static VideoTaskLifecycleResult runWorkflow(
      WorkflowClient client, String mode, String taskId) {
    WorkerFactory factory = WorkerFactory.newInstance(client);
    Worker worker = factory.newWorker(TASK_QUEUE);
    worker.registerWorkflowImplementationTypes(AwaitVideo.Impl.class, ArchiveAsChild.Impl.class);
    factory.start();

    WorkflowOptions options =
        WorkflowOptions.newBuilder()
            .setWorkflowId("archive-example/" + mode + "/" + taskId)
            .setTaskQueue(TASK_QUEUE)
            .setWorkflowIdConflictPolicy(
                WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
            .build();
    return mode.equals("await")
        ? client.newWorkflowStub(AwaitVideo.class, options).archive(taskId)
        : client.newWorkflowStub(ArchiveAsChild.class, options).archive(taskId);
  }

  private static int report(VideoTaskLifecycleResult result) {
    if (result.hasManifest()) {
      System.out.println(result.getOutcome() + " " + result.getManifest().getManifestUrl());
      return 0;
    }
    System.out.printf(
        "%s %s: %s%n", result.getOutcome(), result.getReason(), result.getMessage());
    return 1;
  }

  private Main() {}
}
