/** A client that needs a video in the archive, without a workflow of its own. */

import type { Client } from '@temporalio/client';
import * as archiver from './archiver.js';
import type { VideoResult, VideoTaskLifecycle } from './archiver.js';

export async function archive(client: Client, taskId: string): Promise<VideoResult> {
  return await client.workflow.execute<VideoTaskLifecycle>('VideoTaskLifecycle', {
    args: [{ task_id: taskId, report_only: true }],
    workflowId: archiver.lifecycleId(taskId),
    taskQueue: archiver.TASK_QUEUE,
    // One that runs already is joined.
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
}
