/** Workflows of yours that need a video in the archive, in two ways. */

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild, ParentClosePolicy, proxyActivities } from '@temporalio/workflow';
import * as archiver from './archiver.js';
import type { VideoRequest, VideoResult, VideoTaskLifecycle } from './archiver.js';

const { AwaitVideoTask } = proxyActivities<{
  AwaitVideoTask(request: VideoRequest): Promise<VideoResult>;
}>({
  taskQueue: archiver.TASK_QUEUE,
  // One attempt may wait for as long as a video can take.
  startToCloseTimeout: '15 days',
  // It is how the loss of a worker is noticed.
  heartbeatTimeout: '1 minute',
});

/** By an activity: cancelling it stops the waiting, not the archive. */
export async function awaitVideo(taskId: string): Promise<VideoResult> {
  return await AwaitVideoTask({ task_id: taskId, report_only: true });
}

/** By a child workflow: it is in the history, and cancelling it stops the archive. */
export async function archiveAsChild(taskId: string): Promise<VideoResult> {
  try {
    return await executeChild<VideoTaskLifecycle>('VideoTaskLifecycle', {
      args: [{ task_id: taskId, report_only: true }],
      workflowId: archiver.lifecycleId(taskId),
      taskQueue: archiver.TASK_QUEUE,
      // It goes on where this workflow ends first.
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Somebody else's, a callback's perhaps: a workflow awaits it by the activity.
    return await awaitVideo(taskId);
  }
}
