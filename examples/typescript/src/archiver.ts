/** Names and types of seedance-archiver that callers need, from proto/seedance/archiver/v1. */

import * as nexus from 'nexus-rpc';

/** The endpoint that `seedance-archiver setup` creates. */
export const NEXUS_ENDPOINT = 'seedance-archiver';

export const TASK_QUEUE = 'seedance-archiver';

/** Returns the workflow id of the lifecycle of a task. A task has one lifecycle at a time. */
export function lifecycleId(taskId: string, account = 'default'): string {
  return `video-task/${account}/${taskId}`;
}

/** Input of `VideoTaskLifecycle` and of `AwaitVideoTask`. */
export interface VideoRequest {
  task_id: string;
  account?: string;
  /** Returns a lost video as a result, like every other outcome, and not as a failure. Not allowed with Nexus. */
  report_only?: boolean;
}

/** Outcome `archived` with the receipt, or another outcome with the reason. */
export interface VideoResult {
  outcome: 'archived' | 'unsuccessful' | 'lost' | 'unknown';
  manifest?: {
    manifest_url: string;
    objects: { name: string; url: string; size_bytes: number; sha256: string }[];
  };
  reason?: string;
  message?: string;
}

/** Type of the workflow `VideoTaskLifecycle`. */
export type VideoTaskLifecycle = (request: VideoRequest) => Promise<VideoResult>;

/** Input of `GenerateVideo`. */
export interface GenerateRequest {
  /** The body of the API's create request. */
  request: object;
  /** At most one task is created for each id. */
  submission_id: string;
  report_only?: boolean;
}

/** Type of the workflow `GenerateVideo`. */
export type GenerateVideo = (request: GenerateRequest) => Promise<VideoResult>;

/** The Nexus service. */
export const SeedanceArchiver = nexus.service('SeedanceArchiver', {
  awaitVideoTask: nexus.operation<VideoRequest, VideoResult>({ name: 'AwaitVideoTask' }),
});
