package main

import (
	"encoding/json"
	"errors"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"archive-example/archiverv1"
)

// AwaitVideoByNexus archives a video by a Nexus operation. The archiver may be in another namespace. If the workflow is
// cancelled, the waiting stops and the archiving continues.
func AwaitVideoByNexus(ctx workflow.Context, taskID, endpoint string) (*archiverv1.VideoTaskLifecycleResult, error) {
	archive := workflow.NewNexusClient(endpoint, "SeedanceArchiver")
	request := &archiverv1.AwaitVideoTaskRequest{TaskId: taskID}
	operation := archive.ExecuteOperation(ctx, "AwaitVideoTask", request, workflow.NexusOperationOptions{
		// By default, a cancelled workflow waits for the end of the operation.
		CancellationType: workflow.NexusOperationCancellationTypeTryCancel,
	})
	result := &archiverv1.VideoTaskLifecycleResult{}
	err := operation.Get(ctx, result)
	var failure *temporal.ApplicationError
	if errors.As(err, &failure) && failure.Type() == "VideoLost" {
		// The result is in the details.
		err = failure.Details(result)
	}
	return result, err
}

// AwaitVideo archives a video by an activity. If the workflow is cancelled, the waiting stops and the archiving
// continues.
func AwaitVideo(ctx workflow.Context, taskID string) (*archiverv1.VideoTaskLifecycleResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: archiverQueue,
		// Waits until the video is archived or lost, up to three weeks: an attempt that times out is retried and
		// joins the same run.
		StartToCloseTimeout: 15 * 24 * time.Hour,
		// Detects the loss of the archiver's worker.
		HeartbeatTimeout: time.Minute,
	})
	request := &archiverv1.AwaitVideoTaskRequest{
		TaskId: taskID,
		// A lost video is a result, like every other outcome. Otherwise the activity fails.
		ReportOnly: true,
	}
	result := &archiverv1.VideoTaskLifecycleResult{}
	err := workflow.ExecuteActivity(ctx, "AwaitVideoTask", request).Get(ctx, result)
	return result, err
}

// ArchiveAsChild archives a video by a child workflow, which is part of the history. If the workflow is cancelled,
// the archiving stops.
func ArchiveAsChild(ctx workflow.Context, taskID string) (*archiverv1.VideoTaskLifecycleResult, error) {
	childCtx := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: lifecycleID(taskID),
		TaskQueue:  archiverQueue,
		// The child continues if this workflow ends first.
		ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON,
	})
	request := &archiverv1.VideoTaskLifecycleRequest{TaskId: taskID, ReportOnly: true}
	result := &archiverv1.VideoTaskLifecycleResult{}
	err := workflow.ExecuteChildWorkflow(childCtx, "VideoTaskLifecycle", request).Get(ctx, result)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		// A lifecycle was started elsewhere, e.g. by a callback: wait for it by the activity.
		return AwaitVideo(ctx, taskID)
	}
	return result, err
}

// Generate creates a task from a prompt and archives its video, by a child workflow. However often it is called for an
// order, at most one task is created. If the workflow is cancelled, the archiving continues.
func Generate(ctx workflow.Context, orderID, userID, prompt string) (*archiverv1.GenerateVideoResult, error) {
	// The body of the API's create request, with any of its fields.
	body, err := json.Marshal(map[string]any{
		"model":   "seedance-1-0-pro-250528",
		"content": []any{map[string]any{"type": "text", "text": prompt}},
		// Whose video it is: `list --user` and `erase --user` find it by this id.
		"safety_identifier": userID,
	})
	if err != nil {
		return nil, err
	}
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		TaskQueue: archiverQueue,
		// The child continues if this workflow ends first.
		ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON,
	})
	request := &archiverv1.GenerateVideoRequest{Request: string(body), SubmissionId: orderID, ReportOnly: true}
	result := &archiverv1.GenerateVideoResult{}
	err = workflow.ExecuteChildWorkflow(ctx, "GenerateVideo", request).Get(ctx, result)
	return result, err
}
