/** Archives a video without a workflow in this program. */

import type { Client } from '@temporalio/client';
import * as archiver from './archiver.js';
import type { VideoResult, VideoTaskLifecycle } from './archiver.js';

export async function archive(client: Client, taskId: string): Promise<VideoResult> {
  return await client.workflow.execute<VideoTaskLifecycle>('VideoTaskLifecycle', {
    args: [{ task_id: taskId, report_only: true }],
    workflowId: archiver.lifecycleId(taskId),
    taskQueue: archiver.TASK_QUEUE,
    // Joins a lifecycle that is already running.
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
}
