package main

import (
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"archive-example/archiverv1"
)

// AwaitVideo has a video archived by an activity: cancelling it stops the waiting, not the archive.
func AwaitVideo(ctx workflow.Context, taskID string) (*archiverv1.VideoTaskLifecycleResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: archiverQueue,
		// One attempt may wait for as long as a video can take.
		StartToCloseTimeout: 15 * 24 * time.Hour,
		// It is how the loss of a worker is noticed.
		HeartbeatTimeout: time.Minute,
	})
	request := &archiverv1.AwaitVideoTaskRequest{
		TaskId: taskID,
		// A lost video is told in the result, as every other ending. Without it, it is a failure.
		ReportOnly: true,
	}
	result := &archiverv1.VideoTaskLifecycleResult{}
	err := workflow.ExecuteActivity(ctx, "AwaitVideoTask", request).Get(ctx, result)
	return result, err
}

// ArchiveAsChild has a video archived by a child workflow: it is in the history, and cancelling it
// stops the archive.
func ArchiveAsChild(ctx workflow.Context, taskID string) (*archiverv1.VideoTaskLifecycleResult, error) {
	childCtx := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: lifecycleID(taskID),
		TaskQueue:  archiverQueue,
		// It goes on where this workflow ends first.
		ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON,
	})
	request := &archiverv1.VideoTaskLifecycleRequest{TaskId: taskID, ReportOnly: true}
	result := &archiverv1.VideoTaskLifecycleResult{}
	err := workflow.ExecuteChildWorkflow(childCtx, "VideoTaskLifecycle", request).Get(ctx, result)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		// Somebody else's, a callback's perhaps: a workflow awaits it by the activity.
		return AwaitVideo(ctx, taskID)
	}
	return result, err
}
