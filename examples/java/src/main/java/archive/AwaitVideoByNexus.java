package archive;

import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.NexusOperationFailure;
import io.temporal.workflow.NexusOperationCancellationType;
import io.temporal.workflow.NexusOperationOptions;
import io.temporal.workflow.NexusServiceOptions;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import seedance.archiver.v1.AwaitVideoTaskRequest;

/**
 * Archives a video by a Nexus operation. The archiver may be in another namespace. If the workflow
 * is cancelled, the waiting stops and the archiving continues.
 */
@WorkflowInterface
public interface AwaitVideoByNexus {
  @WorkflowMethod
  Archiver.VideoResult archive(String taskId, String endpoint);

  class Impl implements AwaitVideoByNexus {
    @Override
    public Archiver.VideoResult archive(String taskId, String endpoint) {
      NexusOperationOptions operation =
          NexusOperationOptions.newBuilder()
              // By default, a cancelled workflow waits for the end of the operation.
              .setCancellationType(NexusOperationCancellationType.TRY_CANCEL)
              .build();
      NexusServiceOptions options =
          NexusServiceOptions.newBuilder()
              .setEndpoint(endpoint)
              .setOperationOptions(operation)
              .build();
      AwaitVideoTaskRequest request = AwaitVideoTaskRequest.newBuilder().setTaskId(taskId).build();
      try {
        return Workflow.newNexusServiceStub(Archiver.SeedanceArchiver.class, options)
            .awaitVideoTask(request);
      } catch (NexusOperationFailure failure) {
        return lostVideo(failure);
      }
    }
  }

  /** Returns the result in the details of the failure `VideoLost`. */
  private static Archiver.VideoResult lostVideo(NexusOperationFailure failure) {
    if (failure.getCause() instanceof ApplicationFailure cause
        && cause.getType().equals("VideoLost")) {
      return cause.getDetails().get(Archiver.VideoResult.class);
    }
    throw failure;
  }
}
