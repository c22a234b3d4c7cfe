package main

import (
	"context"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"archive-example/archiverv1"
)

// archive archives a video without a workflow in this program.
func archive(ctx context.Context, c client.Client, taskID string) (*archiverv1.VideoTaskLifecycleResult, error) {
	options := client.StartWorkflowOptions{
		ID:        lifecycleID(taskID),
		TaskQueue: archiverQueue,
		// Joins a lifecycle that is already running.
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}
	request := &archiverv1.VideoTaskLifecycleRequest{TaskId: taskID, ReportOnly: true}
	run, err := c.ExecuteWorkflow(ctx, options, "VideoTaskLifecycle", request)
	if err != nil {
		return nil, err
	}
	result := &archiverv1.VideoTaskLifecycleResult{}
	return result, run.Get(ctx, result)
}
