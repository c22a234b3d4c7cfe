/** Workflows that archive a video, in three ways, and one that also creates the task. */

import {
  ApplicationFailure,
  NexusOperationFailure,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import {
  createNexusServiceClient,
  executeChild,
  ParentClosePolicy,
  proxyActivities,
} from '@temporalio/workflow';
import * as archiver from './archiver.js';
import type { GenerateVideo, VideoRequest, VideoResult, VideoTaskLifecycle } from './archiver.js';

const { AwaitVideoTask } = proxyActivities<{
  AwaitVideoTask(request: VideoRequest): Promise<VideoResult>;
}>({
  taskQueue: archiver.TASK_QUEUE,
  // Waits until the video is archived or lost, up to three weeks: an attempt that times out is retried and
  // joins the same run.
  startToCloseTimeout: '15 days',
  // Detects the loss of the archiver's worker.
  heartbeatTimeout: '1 minute',
});

/**
 * Archives a video by a Nexus operation. The archiver may be in another namespace. If the workflow is cancelled,
 * the waiting stops and the archiving continues.
 */
export async function awaitVideoByNexus(taskId: string, endpoint: string): Promise<VideoResult> {
  const archive = createNexusServiceClient({ endpoint, service: archiver.SeedanceArchiver });
  try {
    // By default, a cancelled workflow waits for the end of the operation.
    const options = { cancellationType: 'TRY_CANCEL' } as const;
    return await archive.executeOperation('awaitVideoTask', { task_id: taskId }, options);
  } catch (error) {
    const cause = error instanceof NexusOperationFailure ? error.cause : undefined;
    if (!(cause instanceof ApplicationFailure) || cause.type !== 'VideoLost') throw error;
    // The result is in the details.
    return cause.details?.[0] as VideoResult;
  }
}

/**
 * Archives a video by an activity. If the workflow is cancelled, the waiting stops and the archiving
 * continues.
 */
export async function awaitVideo(taskId: string): Promise<VideoResult> {
  return await AwaitVideoTask({ task_id: taskId, report_only: true });
}

/**
 * Archives a video by a child workflow, which is part of the history. If the workflow is cancelled, the
 * archiving stops.
 */
export async function archiveAsChild(taskId: string): Promise<VideoResult> {
  try {
    return await executeChild<VideoTaskLifecycle>('VideoTaskLifecycle', {
      args: [{ task_id: taskId, report_only: true }],
      workflowId: archiver.lifecycleId(taskId),
      taskQueue: archiver.TASK_QUEUE,
      // The child continues if this workflow ends first.
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // A lifecycle was started elsewhere, e.g. by a callback: wait for it by the activity.
    return await awaitVideo(taskId);
  }
}

/**
 * Creates a task from a prompt and archives its video, by a child workflow. However often it is called for an order,
 * at most one task is created. If the workflow is cancelled, the archiving continues.
 */
export async function generate(orderId: string, userId: string, prompt: string): Promise<VideoResult> {
  // The body of the API's create request, with any of its fields.
  const request = {
    model: 'seedance-1-0-pro-250528',
    content: [{ type: 'text', text: prompt }],
    // Whose video it is: `list --user` and `erase --user` find it by this id.
    safety_identifier: userId,
  };
  return await executeChild<GenerateVideo>('GenerateVideo', {
    args: [{ request, submission_id: orderId, report_only: true }],
    taskQueue: archiver.TASK_QUEUE,
    // The child continues if this workflow ends first.
    parentClosePolicy: ParentClosePolicy.ABANDON,
  });
}
