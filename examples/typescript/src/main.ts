/** Archives the video of a task, or creates the task too, and prints the URL of its receipt. */

import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Worker } from '@temporalio/worker';
import { NEXUS_ENDPOINT, type VideoResult } from './archiver.js';
import { archive } from './client.js';
import { archiveAsChild, awaitVideo, awaitVideoByNexus, generate } from './workflows.js';

// The task queue of the worker in this example, not the archiver's.
const TASK_QUEUE = 'archive-example-typescript';
const WORKFLOWS = { nexus: awaitVideoByNexus, await: awaitVideo, child: archiveAsChild, generate };
// The end user and the prompt of the task that `generate` creates.
const USER = 'user-7';
const PROMPT = 'a kite over the sea';

type Workflow = (...args: string[]) => Promise<VideoResult>;

async function main(mode?: string, id?: string): Promise<number> {
  const workflow = Object.entries(WORKFLOWS).find(([name]) => name === mode)?.[1];
  if (!id || (!workflow && mode !== 'start')) {
    console.error('usage: npm start -- nexus|await|child|start cgt-…\n       npm start -- generate ORDER');
    return 2;
  }
  const config = loadClientConnectConfig();
  const connection = await Connection.connect(config.connectionOptions);
  const client = new Client({ connection, namespace: config.namespace });
  try {
    const result = workflow
      ? await runWorkflow(client, workflow, `archive-example/${mode}/${id}`, id)
      : await archive(client, id);
    return report(result);
  } finally {
    await connection.close();
  }
}

async function runWorkflow(
  client: Client,
  workflow: Workflow,
  workflowId: string,
  id: string,
): Promise<VideoResult> {
  const config = loadClientConnectConfig();
  const connection = await NativeConnection.connect(config.connectionOptions);
  const worker = await Worker.create({
    connection,
    namespace: config.namespace,
    taskQueue: TASK_QUEUE,
    workflowsPath: require.resolve('./workflows'),
  });
  try {
    return await worker.runUntil(
      client.workflow.execute(workflow, {
        // `awaitVideo` and `archiveAsChild` ignore the endpoint.
        args: workflow === generate ? [id, USER, PROMPT] : [id, process.env.NEXUS_ENDPOINT ?? NEXUS_ENDPOINT],
        workflowId,
        taskQueue: TASK_QUEUE,
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    );
  } finally {
    await connection.close();
  }
}

function report(result: VideoResult): number {
  if (result.manifest) {
    console.log(result.outcome, result.manifest.manifest_url);
    return 0;
  }
  console.log(`${result.outcome} ${result.reason}: ${result.message}`);
  return 1;
}

main(...process.argv.slice(2)).then(
  (status) => (process.exitCode = status),
  (error) => {
    console.error('failed:', error);
    process.exitCode = 1;
  },
);
