package archive;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.temporal.api.enums.v1.ParentClosePolicy;
import io.temporal.workflow.ChildWorkflowOptions;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.util.List;
import java.util.Map;
import seedance.archiver.v1.GenerateVideoRequest;
import seedance.archiver.v1.GenerateVideoResult;

/**
 * Creates a task from a prompt and archives its video, by a child workflow. However often it is
 * called for an order, at most one task is created. If the workflow is cancelled, the archiving
 * continues.
 */
@WorkflowInterface
public interface Generate {
  @WorkflowMethod
  GenerateVideoResult generate(String orderId, String userId, String prompt);

  class Impl implements Generate {
    @Override
    public GenerateVideoResult generate(String orderId, String userId, String prompt) {
      ChildWorkflowOptions options =
          ChildWorkflowOptions.newBuilder()
              .setTaskQueue(Archiver.TASK_QUEUE)
              // The child continues if this workflow ends first.
              .setParentClosePolicy(ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON)
              .build();
      GenerateVideoRequest request =
          GenerateVideoRequest.newBuilder()
              .setRequest(body(userId, prompt))
              .setSubmissionId(orderId)
              .setReportOnly(Archiver.REPORT_ONLY)
              .build();
      return Workflow.newChildWorkflowStub(Archiver.GenerateVideo.class, options).run(request);
    }
  }

  /**
   * Returns the body of the API's create request, with any of its fields. The `safety_identifier`
   * says whose video it is: `list --user` and `erase --user` find it by this id.
   */
  private static String body(String userId, String prompt) {
    Map<String, Object> body =
        Map.of(
            "model", "seedance-1-0-pro-250528",
            "content", List.of(Map.of("type", "text", "text", prompt)),
            "safety_identifier", userId);
    try {
      return new ObjectMapper().writeValueAsString(body);
    } catch (JsonProcessingException error) {
      throw Workflow.wrap(error);
    }
  }
}
