package archive;

import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.envconfig.ClientConfigProfile;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import java.io.IOException;
import seedance.archiver.v1.GenerateVideoResult;
import seedance.archiver.v1.VideoTaskLifecycleResult;

/** Archives the video of a task, or creates the task too, and prints the URL of its receipt. */
public final class Main {
  /** The task queue of the worker in this example, not the archiver's. */
  private static final String TASK_QUEUE = "archive-example-java";

  /** The end user of the task that `generate` creates. */
  private static final String USER = "user-7";

  /** The prompt of the task that `generate` creates. */
  private static final String PROMPT = "a kite over the sea";

  public static void main(String[] args) throws IOException {
    if (args.length != 2 || !args[0].matches("nexus|await|child|start|generate")) {
      System.err.println("usage: java -jar target/archive-example-0.1.0.jar nexus|await|child|start cgt-…");
      System.err.println("       java -jar target/archive-example-0.1.0.jar generate ORDER");
      System.exit(2);
    }
    ClientConfigProfile profile = ClientConfigProfile.load();
    WorkflowServiceStubs service =
        WorkflowServiceStubs.newServiceStubs(profile.toWorkflowServiceStubsOptions());
    WorkflowClient client =
        WorkflowClient.newInstance(service, profile.toWorkflowClientOptions());
    Archiver.VideoResult result =
        args[0].equals("start")
            ? plain(PlainClient.archive(client, args[1]))
            : runWorkflow(client, args[0], args[1]);
    System.exit(report(result));
  }

  private static Archiver.VideoResult runWorkflow(
      WorkflowClient client, String mode, String id) {
    WorkerFactory factory = WorkerFactory.newInstance(client);
    Worker worker = factory.newWorker(TASK_QUEUE);
    worker.registerWorkflowImplementationTypes(
        AwaitVideoByNexus.Impl.class,
        AwaitVideo.Impl.class,
        ArchiveAsChild.Impl.class,
        Generate.Impl.class);
    factory.start();

    WorkflowOptions options =
        WorkflowOptions.newBuilder()
            .setWorkflowId("archive-example/" + mode + "/" + id)
            .setTaskQueue(TASK_QUEUE)
            .setWorkflowIdConflictPolicy(
                WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
            .build();
    return switch (mode) {
      case "nexus" -> {
        String endpoint =
            System.getenv().getOrDefault("NEXUS_ENDPOINT", Archiver.NEXUS_ENDPOINT);
        yield client.newWorkflowStub(AwaitVideoByNexus.class, options).archive(id, endpoint);
      }
      case "await" -> plain(client.newWorkflowStub(AwaitVideo.class, options).archive(id));
      case "generate" ->
          plain(client.newWorkflowStub(Generate.class, options).generate(id, USER, PROMPT));
      default -> plain(client.newWorkflowStub(ArchiveAsChild.class, options).archive(id));
    };
  }

  private static Archiver.VideoResult plain(VideoTaskLifecycleResult result) {
    Archiver.Manifest manifest =
        result.hasManifest() ? new Archiver.Manifest(result.getManifest().getManifestUrl()) : null;
    return new Archiver.VideoResult(
        result.getOutcome(), manifest, result.getReason(), result.getMessage());
  }

  private static Archiver.VideoResult plain(GenerateVideoResult result) {
    Archiver.Manifest manifest =
        result.hasManifest() ? new Archiver.Manifest(result.getManifest().getManifestUrl()) : null;
    return new Archiver.VideoResult(
        result.getOutcome(), manifest, result.getReason(), result.getMessage());
  }

  private static int report(Archiver.VideoResult result) {
    if (result.manifest() != null) {
      System.out.println(result.outcome() + " " + result.manifest().manifestUrl());
      return 0;
    }
    System.out.printf("%s %s: %s%n", result.outcome(), result.reason(), result.message());
    return 1;
  }

  private Main() {}
}
